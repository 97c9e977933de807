//! What a scheduler's file says of training, spacing and samplers.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::Config;
use crate::model::ModelSource;
use crate::plan::sampler::SamplerName;

/// What the UNet predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PredictionType {
    /// The noise.
    Epsilon,
    /// The velocity.
    V,
    /// The clean latent.
    Sample,
}

/// How the noise levels of a run are spread over the training's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spacing {
    /// `i * (train / steps) + offset`
    Leading,
    /// From the last level down in equal parts.
    Trailing,
    /// Equally spaced from first to last.
    Linspace,
}

/// How the noise grows over the training's levels.
#[derive(Debug, Clone, PartialEq)]
pub enum Betas {
    /// Linear.
    Linear,
    /// Linear in the square root.
    ScaledLinear,
    /// Such that the picture's share falls as a squared cosine.
    SquaredCosine,
    /// Level by level.
    Trained(Vec<f64>),
}

/// What a scheduler's file says of training, spacing and samplers.
#[derive(Debug, Clone)]
pub struct SchedulerSpec {
    /// The class that the file names. It decides what keys mean that are not there; which sampler runs is a setting.
    pub class: String,
    /// Noise levels in training.
    pub train_steps: usize,
    /// First beta.
    pub beta_start: f64,
    /// Last beta.
    pub beta_end: f64,
    /// Betas in between.
    pub betas: Betas,
    /// What the UNet predicts.
    pub prediction: PredictionType,
    /// Added to each level of the run, where spacing is leading.
    pub offset: usize,
    /// Spread of the levels, if the file says it.
    pub spacing: Option<Spacing>,
    /// Whether the level after the last step is free of noise; otherwise it is the training's first.
    pub last_is_clean: bool,
    /// The predicted clean latent is held within plus and minus this.
    pub clip: Option<f64>,
    /// Whether the schedule is stretched until its last level is pure noise.
    pub zero_snr: bool,
    /// Whether samplers that count in sigmas space them by their seventh roots.
    pub karras_sigmas: bool,
    /// Whether such samplers end without noise; otherwise with that of the training's first level.
    pub last_sigma_is_zero: bool,
    /// Whether DPM++ makes the last of few steps of first order.
    pub lower_order_final: bool,
    /// Steps of the sampler that a consistency model was distilled from.
    pub original_steps: usize,
    /// What LCM multiplies levels by before it weighs the clean latent with them.
    pub timestep_scaling: f64,
    /// The share of the noise that TCD draws anew: 0 is none.
    pub eta: f64,
    /// What it asks for that is not built here, and of which samplers.
    unbuilt: Vec<(&'static [SamplerName], String)>,
}

/// Classes whose noise is a table of betas, so that any sampler here can run on it.
const TABLE_CLASSES: [&str; 18] = [
    "DDIMScheduler",
    "DDIMInverseScheduler",
    "DDIMParallelScheduler",
    "DDPMScheduler",
    "DDPMParallelScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverMultistepInverseScheduler",
    "DPMSolverSDEScheduler",
    "DPMSolverSinglestepScheduler",
    "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "SASolverScheduler",
    "UniPCMultistepScheduler",
    "IPNDMScheduler",
];

/// Keys that only some samplers obey, with the values that mean what is built here.
const OF_SAMPLERS: [(&[SamplerName], &str, &[&str]); 14] = {
    use SamplerName::{Dpm, Euler, Plms};
    [
        (&[Dpm], "algorithm_type", &["\"dpmsolver++\""]),
        (&[Dpm], "solver_type", &["\"midpoint\""]),
        (&[Dpm], "solver_order", &["2"]),
        (&[Dpm], "euler_at_final", &["false"]),
        (&[Dpm], "use_lu_lambdas", &["false"]),
        (&[Dpm], "variance_type", &[]),
        (&[Dpm, Euler], "use_exponential_sigmas", &["false"]),
        (&[Dpm, Euler], "use_beta_sigmas", &["false"]),
        (&[Dpm, Euler], "use_flow_sigmas", &["false"]),
        (&[Euler], "interpolation_type", &["\"linear\""]),
        (&[Euler], "timestep_type", &["\"discrete\""]),
        (&[Euler], "sigma_min", &[]),
        (&[Euler], "sigma_max", &[]),
        (&[Plms], "skip_prk_steps", &["true"]),
    ]
};

impl SchedulerSpec {
    /// Reads `scheduler/scheduler_config.json`; which sampler runs is a setting, whatever class the file names.
    ///
    /// # Errors
    /// As [`UnetSpec::read`](super::UnetSpec::read).
    pub fn read(source: &dyn ModelSource) -> Result<Self> {
        let text = source.text("scheduler/scheduler_config.json")?;
        let value = serde_json::from_str(&text).context("cannot read scheduler/scheduler_config.json")?;
        Self::parse("scheduler/scheduler_config.json", value)
    }

    /// Reads the same keys from a value; `path` names it in messages.
    ///
    /// # Errors
    /// As [`UnetSpec::read`](super::UnetSpec::read).
    pub fn parse(path: &str, value: Value) -> Result<Self> {
        let c = Config { path: path.into(), value };
        let class = c.str("_class_name", "DDIMScheduler")?;
        let is_known = SamplerName::of_class(&class).is_some() || TABLE_CLASSES.contains(&&*class);
        ensure!(
            is_known,
            "{path} asks for `_class_name`: \"{class}\", whose noise is of another kind than the samplers here know"
        );
        c.only("thresholding", &[false.into()])?;
        let train_steps = c.usize("num_train_timesteps", Some(1000))?;
        let trained = c.get("trained_betas").is_some();
        let betas = match c.str("beta_schedule", "linear")?.as_str() {
            _ if trained => trained_betas(&c, train_steps)?,
            "linear" => Betas::Linear,
            "scaled_linear" => Betas::ScaledLinear,
            "squaredcos_cap_v2" => Betas::SquaredCosine,
            other => bail!("{path} asks for `beta_schedule`: \"{other}\", which is not built here"),
        };
        let prediction = match c.str("prediction_type", "epsilon")?.as_str() {
            "epsilon" => PredictionType::Epsilon,
            "v_prediction" => PredictionType::V,
            "sample" => PredictionType::Sample,
            other => bail!("{path} asks for `prediction_type`: \"{other}\", which is not built here"),
        };
        let zero_snr = c.bool("rescale_betas_zero_snr", false)?;
        if zero_snr && prediction == PredictionType::Epsilon {
            bail!(
                "{path} asks for `rescale_betas_zero_snr`, but pure noise says nothing to a model that predicts noise"
            );
        }
        let spacing = match c.get("timestep_spacing").map(|_| c.str("timestep_spacing", "")).transpose()?.as_deref() {
            None => None,
            Some("leading") => Some(Spacing::Leading),
            Some("trailing") => Some(Spacing::Trailing),
            Some("linspace") => Some(Spacing::Linspace),
            Some(other) => bail!("{path} asks for `timestep_spacing`: \"{other}\", which is not built here"),
        };
        let offset = match c.get("steps_offset") {
            None => 0,
            Some(v) => {
                let small = v.as_u64().filter(|n| *n < train_steps as u64);
                let expected = train_steps - 1;
                small.with_context(|| format!("`steps_offset` of {path} is {v}, expected 0 to {expected}"))? as usize
            }
        };
        // DDIM clips unless told not to; the other samplers that checkpoints carry never do.
        let is_ddim = class == "DDIMScheduler";
        let clip = c.bool("clip_sample", is_ddim)?;
        let is_plms = SamplerName::of_class(&class) == Some(SamplerName::Plms);
        let unbuilt = OF_SAMPLERS.iter().filter_map(|(samplers, key, built)| {
            let value = c.get(key).map(Value::to_string);
            let value = value.or_else(|| (*key == "skip_prk_steps" && is_plms).then(|| "false".to_owned()))?;
            (!built.contains(&&*value)).then(|| (*samplers, format!("{path} asks for `{key}`: {value}")))
        });
        Ok(Self {
            train_steps,
            beta_start: c.f64("beta_start", 0.0001)?,
            beta_end: c.f64("beta_end", 0.02)?,
            betas,
            prediction,
            offset,
            spacing,
            last_is_clean: c.bool("set_alpha_to_one", is_ddim)?,
            clip: if clip { Some(c.f64("clip_sample_range", 1.0)?) } else { None },
            zero_snr,
            karras_sigmas: c.bool("use_karras_sigmas", false)?,
            last_sigma_is_zero: match c.str("final_sigmas_type", "zero")?.as_str() {
                "zero" => true,
                "sigma_min" => false,
                other => bail!("{path} asks for `final_sigmas_type`: \"{other}\", which is not built here"),
            },
            lower_order_final: c.bool("lower_order_final", true)?,
            original_steps: c.usize("original_inference_steps", Some(50))?,
            timestep_scaling: c.f64("timestep_scaling", 10.0)?,
            eta: match c.f64("eta", 0.3)? {
                eta if (0.0..=1.0).contains(&eta) => eta,
                eta => bail!("`eta` of {path} is {eta}, expected 0 to 1"),
            },
            unbuilt: unbuilt.collect(),
            class,
        })
    }

    /// The sampler of the class that the file names.
    ///
    /// # Errors
    /// Fails if it is not built here.
    pub fn own_sampler(&self) -> Result<SamplerName> {
        let class = &self.class;
        SamplerName::of_class(class).with_context(|| {
            format!("the scheduler's `_class_name` is \"{class}\", a sampler that is not built here: `scheduler` chooses another")
        })
    }

    /// Whether all that it says of a sampler can be obeyed.
    ///
    /// # Errors
    /// Fails if not; the message names the key.
    pub fn check_for(&self, sampler: SamplerName) -> Result<()> {
        match self.unbuilt.iter().find(|(samplers, _)| samplers.contains(&sampler)) {
            Some((_, asks)) => bail!("{asks}, which is not built here for `{sampler}`"),
            None => Ok(()),
        }
    }

    /// How a sampler spreads its levels: as the file says, else as is usual for that sampler.
    #[must_use]
    pub fn spacing_for(&self, sampler: SamplerName) -> Spacing {
        self.spacing.unwrap_or(match sampler {
            SamplerName::Dpm | SamplerName::Euler | SamplerName::EulerAncestral => Spacing::Linspace,
            _ => Spacing::Leading,
        })
    }

    /// The file as the pipelines of Stable Diffusion correct it: levels one up, and nothing clipped.
    pub(super) fn correct_for_stable_diffusion(&mut self) {
        self.offset = 1;
        self.clip = None;
    }
}

fn trained_betas(c: &Config<'_>, train_steps: usize) -> Result<Betas> {
    let list = c.list("trained_betas")?;
    let betas: Option<Vec<f64>> = list.iter().map(|v| v.as_f64().filter(|beta| (0.0..1.0).contains(beta))).collect();
    let betas = betas.with_context(|| format!("`trained_betas` of {} holds what is no number from 0 to 1", c.path))?;
    ensure!(
        betas.len() == train_steps,
        "`trained_betas` of {} has {} numbers for {train_steps} noise levels",
        c.path,
        betas.len()
    );
    Ok(Betas::Trained(betas))
}
