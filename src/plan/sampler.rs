//! The samplers that there are, by name: one row each. What each does is in [`engine::sampler`](crate::engine::sampler).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which sampler takes a run from noise to picture; part of the recipe and of every node's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum SamplerName {
    /// DDIM without noise of its own (eta 0); the one that can be run backwards.
    #[default]
    Ddim,
    /// DPM-Solver++ of second order, multistep (2M).
    Dpm,
    /// Euler's method in sigmas.
    Euler,
    /// The same, with noise of its own after each step.
    EulerAncestral,
    /// Latent consistency: a clean latent each step, and fresh noise on it.
    Lcm,
    /// Trajectory consistency: as latent consistency, but only part of the noise is fresh.
    Tcd,
    /// Pseudo linear multistep, as the PNDM scheduler runs it without its Runge-Kutta steps.
    Plms,
}

/// What a sampler is called.
#[derive(Debug)]
struct Row {
    sampler: SamplerName,
    /// In settings, files and ids; never changes.
    name: &'static str,
    /// In the field, for people and other programs.
    label: &'static str,
    /// As `_class_name` of a model's scheduler file.
    class: &'static str,
}

const ROWS: [Row; 7] = [
    Row { sampler: SamplerName::Ddim, name: "ddim", label: "DDIM", class: "DDIMScheduler" },
    Row { sampler: SamplerName::Dpm, name: "dpm", label: "DPM++ 2M", class: "DPMSolverMultistepScheduler" },
    Row { sampler: SamplerName::Euler, name: "euler", label: "Euler", class: "EulerDiscreteScheduler" },
    Row {
        sampler: SamplerName::EulerAncestral,
        name: "euler_a",
        label: "Euler a",
        class: "EulerAncestralDiscreteScheduler",
    },
    Row { sampler: SamplerName::Lcm, name: "lcm", label: "LCM", class: "LCMScheduler" },
    Row { sampler: SamplerName::Tcd, name: "tcd", label: "TCD", class: "TCDScheduler" },
    Row { sampler: SamplerName::Plms, name: "plms", label: "PLMS", class: "PNDMScheduler" },
];

impl SamplerName {
    /// The choices, as the table of settings shows them.
    pub const CHOICES: &'static str = "ddim, dpm, euler, euler_a, lcm, tcd or plms";

    /// All samplers.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.sampler)
    }

    fn row(self) -> &'static Row {
        ROWS.iter().find(|row| row.sampler == self).unwrap_or(&ROWS[0])
    }

    /// Its name in settings, files and ids.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// Its name in the field.
    #[must_use]
    pub fn label(self) -> &'static str {
        self.row().label
    }

    /// The sampler that a scheduler file's `_class_name` means, if it is built here.
    #[must_use]
    pub fn of_class(class: &str) -> Option<Self> {
        ROWS.iter().find(|row| row.class == class).map(|row| row.sampler)
    }
}

impl fmt::Display for SamplerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SamplerName {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::all().find(|sampler| sampler.as_str() == name);
        found.ok_or_else(|| anyhow::anyhow!("`{name}` is no sampler; there are: {}", Self::CHOICES))
    }
}

impl From<SamplerName> for &'static str {
    fn from(sampler: SamplerName) -> Self {
        sampler.as_str()
    }
}

impl TryFrom<String> for SamplerName {
    type Error = anyhow::Error;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sampler_is_a_choice_and_is_read_as_it_is_written() {
        let names: Vec<&str> = SamplerName::all().map(SamplerName::as_str).collect();
        let (last, others) = names.split_last().unwrap();
        assert_eq!(SamplerName::CHOICES, format!("{} or {last}", others.join(", ")));
        for sampler in SamplerName::all() {
            assert_eq!(sampler.as_str().parse::<SamplerName>().unwrap(), sampler);
            let json = serde_json::to_string(&sampler).unwrap();
            assert_eq!(json, format!("\"{sampler}\""));
            assert_eq!(serde_json::from_str::<SamplerName>(&json).unwrap(), sampler);
        }
        assert!("DDIM".parse::<SamplerName>().is_err());
    }
}
