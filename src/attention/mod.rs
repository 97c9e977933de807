//! The hook: what may watch or replace a map while a picture forms.
//!
//! An [`AttentionControl`] is an argument of one run. Nothing is registered and nothing counts calls: every call names
//! its [`Site`]. A site's arithmetic does not depend on who watches it: text maps are always computed, self-attention is
//! always one kernel on queries, keys and values. There is one control per intention: [`Untouched`] watches nothing,
//! [`Record`](record::Record) keeps carried maps, [`Inject`](inject::Inject) lays an ancestor's under the run's,
//! [`Reweight`](reweight::Reweight) scales columns, and a [`Chain`] runs them one after the other.

pub mod blend;
pub mod inject;
pub mod maps;
pub mod record;
pub mod reweight;
pub mod transition;

use candle_core::{Result, Tensor};

/// The way through the UNet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// From the picture down.
    Down,
    /// The lowest level.
    Middle,
    /// Back up.
    Up,
}

/// What is attended to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The words of the prompt.
    Cross,
    /// The picture itself.
    SelfAttention,
}

/// One attention layer at one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Site {
    /// Step of the run, 0 being the noisiest.
    pub step: usize,
    /// Index of the layer among those of its kind, in the order they run.
    pub layer: usize,
    /// Way through the UNet.
    pub side: Side,
    /// What is attended to.
    pub kind: Kind,
    /// Height and width of the layer's grid.
    pub grid: (usize, usize),
}

impl Site {
    /// Pixels of the layer's grid.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.grid.0 * self.grid.1
    }
}

/// Queries, keys and values of one self-attention, each `[pixels, channels]`.
#[derive(Debug, Clone)]
pub struct Qkv {
    /// Queries.
    pub q: Tensor,
    /// Keys.
    pub k: Tensor,
    /// Values.
    pub v: Tensor,
}

/// What may watch or replace a map at a [`Site`], for one run.
///
/// Only the half of the batch that reads the written prompt is ever shown; the empty half is not touched.
pub trait AttentionControl {
    /// A step begins.
    ///
    /// # Errors
    /// Fails if what the step needs cannot be had; the run stops.
    fn before_step(&mut self, _step: usize) -> Result<()> {
        Ok(())
    }

    /// Whether the control wants to be called at a site. It says who looks, never how the site is computed.
    fn watches(&self, site: Site) -> bool;

    /// The text map and values of a site, and what takes their place.
    ///
    /// # Shapes
    /// - `probs`: `[heads, pixels, keys]`, f32, rows sum to 1
    /// - `v`: `[keys, channels]`
    ///
    /// # Errors
    /// Fails if the maps it would use were made for another grid or tokenizer.
    fn attend_text(&mut self, _site: Site, probs: Tensor, v: Tensor) -> Result<(Tensor, Tensor)> {
        Ok((probs, v))
    }

    /// Queries, keys and values of a self-attention, before its kernel, and what takes their place.
    ///
    /// # Errors
    /// As [`attend_text`](Self::attend_text).
    fn attend_self(&mut self, _site: Site, qkv: Qkv) -> Result<Qkv> {
        Ok(qkv)
    }

    /// The latent after the scheduler's step, `[height, width, channels]`, and what takes its place.
    ///
    /// # Errors
    /// As [`attend_text`](Self::attend_text).
    fn after_step(&mut self, _step: usize, latent: Tensor) -> Result<Tensor> {
        Ok(latent)
    }
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Untouched;

impl AttentionControl for Untouched {
    fn watches(&self, _site: Site) -> bool {
        false
    }
}

/// Controls one after the other, each on what the one before it left.
pub struct Chain<'a, const N: usize>(pub [&'a mut dyn AttentionControl; N]);

impl<const N: usize> AttentionControl for Chain<'_, N> {
    fn before_step(&mut self, step: usize) -> Result<()> {
        self.0.iter_mut().try_for_each(|control| control.before_step(step))
    }

    fn watches(&self, site: Site) -> bool {
        self.0.iter().any(|control| control.watches(site))
    }

    fn attend_text(&mut self, site: Site, probs: Tensor, v: Tensor) -> Result<(Tensor, Tensor)> {
        let mut watching = self.0.iter_mut().filter(|control| control.watches(site));
        watching.try_fold((probs, v), |(probs, v), control| control.attend_text(site, probs, v))
    }

    fn attend_self(&mut self, site: Site, qkv: Qkv) -> Result<Qkv> {
        let mut watching = self.0.iter_mut().filter(|control| control.watches(site));
        watching.try_fold(qkv, |qkv, control| control.attend_self(site, qkv))
    }

    fn after_step(&mut self, step: usize, latent: Tensor) -> Result<Tensor> {
        self.0.iter_mut().try_fold(latent, |latent, control| control.after_step(step, latent))
    }
}
