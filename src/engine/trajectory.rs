//! All latents of one run.

use std::sync::Arc;

use candle_core::Tensor;

/// The latents of a run, noisiest first: one more than it has steps. Each is `[h, w, channels]`.
#[derive(Debug, Clone)]
pub struct Trajectory {
    latents: Arc<Vec<Tensor>>,
}

impl Trajectory {
    /// A trajectory of these latents, of which there is at least one.
    #[must_use]
    pub fn new(latents: Vec<Tensor>) -> Self {
        Self { latents: Arc::new(latents) }
    }

    /// Steps of the run.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.latents.len() - 1
    }

    /// All latents.
    #[must_use]
    pub fn latents(&self) -> &[Tensor] {
        &self.latents
    }

    /// The latent that a step begins with.
    #[must_use]
    pub fn before(&self, step: usize) -> &Tensor {
        &self.latents[step]
    }

    /// The latents after each step.
    #[must_use]
    pub fn after(&self) -> Arc<Vec<Tensor>> {
        Arc::new(self.latents[1..].to_vec())
    }

    /// The clean latent.
    #[must_use]
    pub fn last(&self) -> &Tensor {
        &self.latents[self.latents.len() - 1]
    }
}
