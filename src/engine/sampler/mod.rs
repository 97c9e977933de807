//! From noise to picture: which levels the UNet is called with, and what its output does to the latent.
//!
//! A [`Sampler`] is a function of a model's [`NoiseSchedule`] and a number of steps. One value serves one run, since some
//! samplers remember earlier steps; [`after`](Sampler::after) gives a fresh one, or one that goes on where another run's
//! first steps ended. A new sampler is a file here, an arm of [`sampler`], and a row of
//! [`SamplerName`].

mod consistency;
mod ddim;
mod dpm_solver;
mod euler;
mod plms;

use anyhow::Result;
use candle_core::Tensor;

use super::schedule::NoiseSchedule;
use crate::model::spec::SchedulerSpec;
use crate::plan::sampler::SamplerName;

pub use ddim::Ddim;

/// What takes a run from noise to picture.
pub trait Sampler: std::fmt::Debug {
    /// The levels that the UNet is called with, noisiest first: one per step, fractions where a sampler has them.
    fn timesteps(&self) -> &[f32];

    /// The noise levels in shares of the picture, one more than steps; empty for samplers that do not count so.
    fn sigmas(&self) -> &[f64] {
        &[]
    }

    /// What noise of variance 1 is multiplied by to begin with.
    fn init_noise_scale(&self) -> f64 {
        1.0
    }

    /// The latent as the UNet reads it at step `i`.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    fn scale_input(&self, x: &Tensor, _i: usize) -> candle_core::Result<Tensor> {
        Ok(x.clone())
    }

    /// The latent after step `i`, from the one before it and the UNet's output. `noise` is given where
    /// [`noise_at`](Self::noise_at) asks for it.
    ///
    /// # Errors
    /// Fails if shapes differ.
    fn step(&mut self, x: &Tensor, output: &Tensor, i: usize, noise: Option<&Tensor>) -> candle_core::Result<Tensor>;

    /// Whether step `i` adds noise. It is drawn from the seed and the step, so it is the same for every node of a tree.
    fn noise_at(&self, _i: usize) -> bool {
        false
    }

    /// A clean latent under noise of variance 1 as step `i` begins with it; behind the last step, the clean latent.
    ///
    /// # Errors
    /// Fails if shapes differ.
    fn noised(&self, clean: &Tensor, noise: &Tensor, i: usize) -> candle_core::Result<Tensor>;

    /// What it remembers of the steps it made, one tensor a step; empty where no step depends on those before.
    fn memory(&self) -> &[Tensor] {
        &[]
    }

    /// The same sampler for another run, whose first steps left `memory`; nothing for a run from its start.
    fn after(&self, memory: &[Tensor]) -> Box<dyn Sampler>;
}

/// The sampler of this name for runs of `steps` calls of a model with this scheduler file: training and spacing are the
/// file's, the rest is the sampler's.
///
/// # Errors
/// Fails if there are no steps, or more than the sampler can make on this model.
pub fn sampler(name: SamplerName, spec: &SchedulerSpec, steps: usize) -> Result<Box<dyn Sampler>> {
    let schedule = NoiseSchedule::new(spec);
    spec.check_for(name)?;
    Ok(match name {
        SamplerName::Ddim => Box::new(Ddim::new(schedule, spec, steps)?),
        SamplerName::Dpm => Box::new(dpm_solver::DpmSolver::new(schedule, spec, steps)?),
        SamplerName::Euler => Box::new(euler::Euler::new(schedule, spec, steps, false)?),
        SamplerName::EulerAncestral => Box::new(euler::Euler::new(schedule, spec, steps, true)?),
        SamplerName::Lcm => Box::new(consistency::Consistency::lcm(schedule, spec, steps)?),
        SamplerName::Tcd => Box::new(consistency::Consistency::tcd(schedule, spec, steps)?),
        SamplerName::Plms => Box::new(plms::Plms::new(schedule, spec, steps)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use serde_json::{Value, json};

    fn made(name: SamplerName, steps: usize, extra: &[(&str, Value)]) -> Result<Box<dyn Sampler>> {
        let mut file = json!({"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
            "steps_offset": 1, "clip_sample": false, "set_alpha_to_one": false, "timestep_spacing": "leading"});
        extra.iter().for_each(|(key, value)| file[key] = value.clone());
        sampler(name, &SchedulerSpec::parse("scheduler", file)?, steps)
    }

    fn run(sampler: &mut dyn Sampler, mut x: Tensor, steps: std::ops::Range<usize>) -> Vec<u32> {
        for i in steps {
            let output = (&x * (0.3 + 0.1 * i as f64)).unwrap();
            let noise = Tensor::new(&[0.3f32, -0.2, i as f32], &Device::Cpu).unwrap();
            let noise = sampler.noise_at(i).then_some(&noise);
            x = sampler.step(&x, &output, i, noise).unwrap();
        }
        x.to_vec1::<f32>().unwrap().iter().map(|x| x.to_bits()).collect()
    }

    fn start() -> Tensor {
        Tensor::new(&[0.4f32, -1.7, 2.2], &Device::Cpu).unwrap()
    }

    #[test]
    fn a_run_that_goes_on_from_memory_has_the_bits_of_one_from_the_start() {
        for name in SamplerName::all() {
            for first in [1, 2, 3, 9] {
                let mut whole = made(name, 20, &[]).unwrap();
                let all = run(&mut *whole, start(), 0..20);
                assert!(all.iter().all(|bits| f32::from_bits(*bits).is_finite()), "{name}");
                let half = run(&mut *made(name, 20, &[]).unwrap(), start(), 0..first);
                let half = Tensor::new(half.into_iter().map(f32::from_bits).collect::<Vec<_>>(), &Device::Cpu).unwrap();
                let memory = &whole.memory()[..first.min(whole.memory().len())];
                assert_eq!(run(&mut *whole.after(memory), half.clone(), first..20), all, "{name} after {first}");
                assert_eq!(run(&mut *whole.after(&[]), start(), 0..20), all, "{name}: a fresh one remembers");
            }
        }
    }

    #[test]
    fn a_noised_picture_is_one_from_which_its_own_noise_leads_back() {
        let (clean, noise) = (start(), Tensor::new(&[-0.8f32, 0.3, 1.1], &Device::Cpu).unwrap());
        // DDIM and its like by the model's own numbers: an output that is the noise itself leads to the picture.
        // LCM scales what it draws, and PLMS looks back at steps that are not made here.
        let others = SamplerName::all().filter(|n| !matches!(n, SamplerName::Lcm | SamplerName::Plms));
        for name in others {
            let mut sampler = made(name, 9, &[]).unwrap();
            let noised = sampler.noised(&clean, &noise, 8).unwrap();
            let last = sampler.step(&noised, &noise, 8, None);
            let gap = (last.unwrap() - &clean).unwrap().abs().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap();
            assert!(gap < 0.06, "{name}: {gap}");
            let behind = sampler.noised(&clean, &noise, 9).unwrap();
            assert_eq!(behind.to_vec1::<f32>().unwrap(), clean.to_vec1::<f32>().unwrap(), "{name}");
        }
    }

    #[test]
    fn samplers_that_look_back_need_what_they_remember() {
        let mut whole = made(SamplerName::Dpm, 20, &[]).unwrap();
        let all = run(&mut *whole, start(), 0..20);
        let half = run(&mut *whole.after(&[]), start(), 0..9);
        let half = Tensor::new(half.into_iter().map(f32::from_bits).collect::<Vec<_>>(), &Device::Cpu).unwrap();
        assert_ne!(run(&mut *whole.after(&[]), half, 9..20), all);
    }

    #[test]
    fn every_sampler_calls_the_model_as_often_as_it_has_steps() {
        for name in SamplerName::all() {
            for steps in [1, 3, 4, 8, 30] {
                assert_eq!(made(name, steps, &[]).unwrap().timesteps().len(), steps, "{name}");
            }
        }
    }

    #[test]
    fn a_run_of_more_steps_than_there_are_levels_is_refused() {
        let refused = |name, steps| made(name, steps, &[]).is_err();
        for name in SamplerName::all() {
            assert!(refused(name, 0) || name == SamplerName::Plms, "{name}");
            assert!(refused(name, 1002), "{name}");
        }
        assert!(refused(SamplerName::Dpm, 1000) && !refused(SamplerName::Dpm, 999));
        assert!(refused(SamplerName::Lcm, 51) && !refused(SamplerName::Lcm, 50));
        assert!(refused(SamplerName::Plms, 2) && !refused(SamplerName::Plms, 3));
        assert!(refused(SamplerName::Ddim, 1001) && !refused(SamplerName::Ddim, 1000));
    }

    #[test]
    fn no_sampler_adds_noise_after_its_last_step_and_only_three_do_before() {
        for name in SamplerName::all() {
            let sampler = made(name, 8, &[]).unwrap();
            let adds: Vec<bool> = (0..8).map(|i| sampler.noise_at(i)).collect();
            let noisy = matches!(name, SamplerName::EulerAncestral | SamplerName::Lcm | SamplerName::Tcd);
            assert_eq!(adds, [vec![noisy; 7], vec![false]].concat(), "{name}");
        }
        let quiet = made(SamplerName::Tcd, 8, &[("eta", json!(0.0))]).unwrap();
        assert!((0..8).all(|i| !quiet.noise_at(i)));
    }

    #[test]
    fn what_a_file_asks_of_one_sampler_is_refused_to_that_one_alone() {
        for (key, value, name) in [
            ("algorithm_type", json!("sde-dpmsolver++"), SamplerName::Dpm),
            ("use_beta_sigmas", json!(true), SamplerName::Euler),
            ("skip_prk_steps", json!(false), SamplerName::Plms),
        ] {
            let error = made(name, 8, &[(key, value.clone())]).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains(&value.to_string()), "{error}");
            assert!(made(SamplerName::Ddim, 8, &[(key, value)]).is_ok(), "{key}");
        }
    }

    #[test]
    fn trained_betas_are_the_noise() {
        let betas: Vec<f64> = (0..1000).map(|i| 1e-4 + 1e-5 * f64::from(i)).collect();
        let spec = SchedulerSpec::parse("scheduler", json!({"trained_betas": betas})).unwrap();
        let schedule = NoiseSchedule::new(&spec);
        assert!((f64::from(schedule.alphas_cumprod()[1]) - (1.0 - 1e-4) * (1.0 - 1.1e-4)).abs() < 1e-7);
        let error = SchedulerSpec::parse("scheduler", json!({"trained_betas": [0.1, 0.2]})).unwrap_err().to_string();
        assert!(error.contains("trained_betas") && error.contains("2 numbers"), "{error}");
    }
}
