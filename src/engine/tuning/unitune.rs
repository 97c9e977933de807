//! UniTune (Valevski et al. 2023, arXiv:2210.09477): the model is tuned on the picture under a rare word; the edit then begins with
//! the noised picture and is drawn with the rare word before the wanted ones.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use anyhow::{Result, ensure};
use candle_core::Tensor;

use super::super::unet::Condition;
use super::{AdamRule, Adams, Lesson, NoisedCopy, TunableModel, TuningState, TuningStep, WatchTuning, number};

/// Which weights are tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TunedPart {
    /// All alike.
    All,
    /// What attentions put out at the full rate, all others at a thousandth of it.
    AttentionOut,
}

impl TunedPart {
    /// The share of the learning rate at which a weight moves.
    fn share(self, name: &str) -> f64 {
        const OUT: [&str; 3] = ["attn1.to_out.0.weight", "attn1.to_out.0.bias", "attn2.to_out.0.weight"];
        match self {
            Self::All => 1.0,
            Self::AttentionOut if OUT.iter().any(|end| name.ends_with(end)) => 1.0,
            Self::AttentionOut => 1e-3,
        }
    }
}

/// How UniTune goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UniTuneRule {
    /// Steps.
    pub steps: usize,
    /// Noised copies of the picture a step.
    pub batch: usize,
    /// The learning rate.
    pub rate: f64,
    /// How weights follow their gradients.
    pub adam: AdamRule,
    /// Which weights are tuned.
    pub part: TunedPart,
}

/// Tunes the model's weights on a picture under the words of `rare`. `copy` gives each noised copy, by step and row. It goes on from
/// `begun`, or from the beginning. The loss before each step; `Break` with what it needs to go on if `watch` stopped it: the weights
/// stay as they have become.
///
/// # Errors
/// Fails if a loss is no number, `begun` is not of this model, or the device has no memory left.
pub fn unitune(
    model: &TunableModel,
    lesson: Lesson<'_>,
    rare: &Condition,
    copy: &dyn Fn(usize, usize) -> Result<NoisedCopy>,
    rule: UniTuneRule,
    begun: Option<&TuningState>,
    watch: WatchTuning<'_>,
) -> Result<ControlFlow<TuningState, Vec<f32>>> {
    ensure!(rule.batch > 0, "a step of no noised copies teaches nothing");
    let mut adams = Adams::new(model)?;
    let first = begun.map_or(0, |state| state.step);
    let mut losses = begun.map(|state| state.losses.clone()).unwrap_or_default();
    if let Some(state) = begun.filter(|_| first > 0) {
        adams.restore(model, first, state)?;
    }
    for step in first..rule.steps {
        let mut gradients: BTreeMap<String, Tensor> = BTreeMap::new();
        let mut sum = 0.0;
        // One after the other: the mean over all is the mean of their means, and what one holds can go before the next.
        for row in 0..rule.batch {
            let loss = (model.loss(lesson, rare, &copy(step, row)?)? / rule.batch as f64)?;
            for (name, gradient) in model.gradients(&loss)? {
                let all = match gradients.remove(&name) {
                    Some(before) => (before + gradient)?,
                    None => gradient,
                };
                gradients.insert(name, all);
            }
            sum += number(&loss, step)?;
        }
        adams.step(model, &gradients, |name| rule.rate * rule.part.share(name), rule.adam)?;
        losses.push(sum as f32);
        let done = TuningStep { step, of: rule.steps, loss: sum, gradients: Some(&gradients) };
        if watch(done).is_break() {
            let mut state = TuningState { step: step + 1, losses, ..TuningState::default() };
            adams.keep(model, &mut state)?;
            return Ok(ControlFlow::Break(state));
        }
    }
    Ok(ControlFlow::Continue(losses))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_attentions_put_out_moves_at_the_full_rate() {
        let check = |name: &str, share: f64| assert_eq!(TunedPart::AttentionOut.share(name), share, "{name}");
        check("mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0.weight", 1.0);
        check("mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0.bias", 1.0);
        check("mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0.weight", 1.0);
        check("mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0.bias", 1e-3);
        check("mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight", 1e-3);
        assert_eq!(TunedPart::All.share("conv_in.weight"), 1.0);
    }
}
