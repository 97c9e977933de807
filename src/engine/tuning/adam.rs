//! How weights follow their gradients.

use candle_core::{Result, Tensor};

use super::TuningState;

/// Adam (Kingma and Ba 2015), or AdamW (Loshchilov and Hutter 2019) where there is a decay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamRule {
    /// Shares of the mean gradient and of the mean square that are kept each step.
    pub betas: (f64, f64),
    /// The guard against division by zero, outside the root.
    pub eps: f64,
    /// What a weight loses a step before it moves, in shares of the learning rate; 0 is off.
    pub decay: f64,
}

impl Default for AdamRule {
    fn default() -> Self {
        Self { betas: (0.9, 0.999), eps: 1e-8, decay: 0.0 }
    }
}

/// What is remembered of a weight's gradients.
///
/// Written out, since candle's own optimizer does not show its state.
pub(in crate::engine) struct Adam {
    mean: Tensor,
    square: Tensor,
    t: i32,
}

impl Adam {
    pub(in crate::engine) fn new(like: &Tensor) -> Result<Self> {
        Ok(Self { mean: like.zeros_like()?.detach(), square: like.zeros_like()?.detach(), t: 0 })
    }

    /// Puts what it remembers into a state, under a name.
    pub(super) fn keep(&self, name: &str, state: &mut TuningState) {
        state.tensors.insert(format!("mean/{name}"), self.mean.clone());
        state.tensors.insert(format!("square/{name}"), self.square.clone());
    }

    /// Takes it out of a state again, after `steps` steps.
    pub(super) fn restore(&mut self, name: &str, steps: usize, state: &TuningState) -> anyhow::Result<()> {
        self.mean = state.tensor(&format!("mean/{name}"), &self.mean)?;
        self.square = state.tensor(&format!("square/{name}"), &self.square)?;
        self.t = i32::try_from(steps)?;
        Ok(())
    }

    /// The weight after one more gradient.
    pub(in crate::engine) fn step(
        &mut self,
        x: &Tensor,
        gradient: &Tensor,
        rate: f64,
        rule: AdamRule,
    ) -> Result<Tensor> {
        let (b1, b2) = rule.betas;
        self.t += 1;
        self.mean = ((&self.mean * b1)? + (gradient * (1.0 - b1))?)?.detach();
        self.square = ((&self.square * b2)? + (gradient.sqr()? * (1.0 - b2))?)?.detach();
        let step = rate / (1.0 - b1.powi(self.t));
        let root = ((self.square.sqrt()? / (1.0 - b2.powi(self.t)).sqrt())? + rule.eps)?;
        let kept = x.detach().affine(1.0 - rate * rule.decay, 0.0)?;
        Ok((kept - ((&self.mean / root)? * step)?)?.detach())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn one(x: f64) -> Tensor {
        Tensor::new(&[x], &Device::Cpu).unwrap()
    }

    fn value(x: &Tensor) -> f64 {
        x.to_vec1::<f64>().unwrap()[0]
    }

    #[test]
    fn the_first_step_is_the_rate_whatever_the_gradient_s_size() {
        for gradient in [1e-3, 5.0, -300.0] {
            let moved = Adam::new(&one(1.0)).unwrap().step(&one(1.0), &one(gradient), 0.01, AdamRule::default());
            let moved = value(&moved.unwrap());
            assert!((moved - (1.0 - 0.01 * gradient.signum())).abs() < 1e-6, "{gradient}: {moved}");
        }
    }

    #[test]
    fn a_second_step_weighs_both_gradients_by_hand_worked_numbers() {
        let mut adam = Adam::new(&one(0.0)).unwrap();
        let rule = AdamRule { betas: (0.5, 0.75), eps: 0.0, decay: 0.0 };
        let first = adam.step(&one(0.0), &one(2.0), 1.0, rule).unwrap();
        // Means 1 and 1, set right 2 and 4: a step of 1. Then 1.5 and 1.75, set right 2 and 4, of gradients 2 and 2.
        let second = adam.step(&first, &one(2.0), 1.0, rule).unwrap();
        assert!((value(&first) + 1.0).abs() < 1e-12 && (value(&second) + 2.0).abs() < 1e-12);
        // Then means 0.75 - 1 and 1.75 * 0.75 + 1, set right by 7/8 and 37/64.
        let third = adam.step(&second, &one(-2.0), 1.0, rule).unwrap();
        let expected = -2.0 - (-0.25 / 0.875) / (2.3125f64 / 0.578_125).sqrt();
        assert!((value(&third) - expected).abs() < 1e-12, "{} {expected}", value(&third));
    }

    #[test]
    fn a_decay_shrinks_the_weight_by_a_share_of_the_rate_before_it_moves() {
        let rule = AdamRule { decay: 0.5, ..AdamRule::default() };
        let still = Adam::new(&one(8.0)).unwrap().step(&one(8.0), &one(0.0), 0.1, rule).unwrap();
        assert!((value(&still) - 8.0 * 0.95).abs() < 1e-12, "{}", value(&still));
    }
}
