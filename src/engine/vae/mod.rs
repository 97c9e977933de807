//! The autoencoder: latents to pictures and pictures to latents.

mod full;
mod tiny;

use anyhow::Result;
use candle_core::Tensor;

use super::layers::{Backend, forget_buffers};
use crate::model::spec::{VaeKind, VaeSpec};
use crate::model::weights::Weights;

/// The autoencoder.
pub struct Vae {
    spec: VaeSpec,
    net: Net,
}

enum Net {
    Full(Box<full::Full>),
    Tiny(tiny::Tiny),
}

impl Vae {
    /// Reads the autoencoder's weights.
    ///
    /// # Errors
    /// Fails if a tensor is missing or of another shape.
    pub fn load(w: Weights, spec: VaeSpec, backend: &Backend) -> Result<Self> {
        let net = match &spec.kind {
            VaeKind::Full(kind) => Net::Full(Box::new(full::Full::load(w, kind, backend)?)),
            VaeKind::Tiny(kind) => Net::Tiny(tiny::Tiny::load(&w, &spec, kind, backend)?),
        };
        Ok(Self { spec, net })
    }

    /// What the configuration says.
    #[must_use]
    pub fn spec(&self) -> &VaeSpec {
        &self.spec
    }

    /// A scaled latent, `[h, w, channels]`, to a picture, `[H, W, 3]`, values about -1 to 1, not clamped.
    ///
    /// # Errors
    /// Fails if the channels do not fit, or its weights cannot be read again.
    pub fn decode(&self, latent: &Tensor) -> Result<Tensor> {
        let latent = ((latent / self.spec.scaling)? + self.spec.shift)?;
        self.decode_unscaled(&latent)
    }

    /// As [`decode`](Self::decode), of a latent that is already divided by the scaling factor.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_unscaled(&self, latent: &Tensor) -> Result<Tensor> {
        forget_buffers(); // those of the UNet are of other sizes
        let latent = latent.unsqueeze(0)?;
        let picture = match &self.net {
            Net::Full(net) => net.decode(latent)?,
            Net::Tiny(net) => net.decode(&latent)?,
        };
        let picture = picture.squeeze(0)?;
        forget_buffers();
        Ok(picture)
    }

    /// A picture, `[H, W, 3]`, values -1 to 1, to its latent, `[h, w, channels]`, not scaled; and the log-variance of that,
    /// where the autoencoder has one.
    ///
    /// # Errors
    /// Fails if the sides are not multiples of the factor, or its weights cannot be read again.
    pub fn encode(&self, picture: &Tensor) -> Result<(Tensor, Option<Tensor>)> {
        let picture = picture.unsqueeze(0)?;
        let (mean, variance) = match &self.net {
            Net::Full(net) => net.encode(&picture)?,
            Net::Tiny(net) => (net.encode(&picture)?, None),
        };
        Ok((mean.squeeze(0)?, variance.map(|v| v.squeeze(0)).transpose()?))
    }

    /// The latent of a picture: the mean, scaled, so that the same picture always has the same latent.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_mean(&self, picture: &Tensor) -> Result<Tensor> {
        let (mean, _) = self.encode(picture)?;
        Ok(((mean - self.spec.shift)? * self.spec.scaling)?)
    }
}
