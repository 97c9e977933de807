//! What cases of masks from texts and of tuned models say.

use serde::Deserialize;

/// A network that makes masks from texts.
#[derive(Debug, Deserialize)]
pub struct SegmentationCase {
    /// Its folder's name.
    pub model: String,
    /// Where it lies, relative to the case.
    #[serde(default)]
    pub model_path: String,
    /// What is to be masked, where the prompts are not that.
    pub text: Option<String>,
}

/// How weights follow their gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Adam, without a decay.
    Adam,
    /// Adam with a decay apart from the gradient.
    Adamw,
}

/// Imagic.
#[derive(Debug, Deserialize)]
pub struct ImagicCase {
    /// Steps of the embedding.
    pub embedding_steps: usize,
    /// Its learning rate.
    pub embedding_learning_rate: f64,
    /// Steps of the model.
    pub model_steps: usize,
    /// Its learning rate.
    pub model_learning_rate: f64,
    /// How both follow their gradients.
    #[serde(flatten)]
    pub rule: OptimizerCase,
    /// Shares of the words' own embedding, one for each picture.
    pub alphas: Vec<f64>,
}

/// How weights follow their gradients, with its numbers.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct OptimizerCase {
    /// The optimizer.
    pub optimizer: OptimizerKind,
    /// Shares of the means that are kept.
    pub betas: (f64, f64),
    /// The guard against division by zero.
    pub eps: f64,
    /// What weights lose a step, in shares of the learning rate.
    #[serde(default)]
    pub weight_decay: f64,
}

/// UniTune.
#[derive(Debug, Deserialize)]
pub struct UnituneCase {
    /// The words under which the picture is learned.
    pub rare_prompt: String,
    /// What the edit is pushed away from.
    pub base_prompt: String,
    /// Steps.
    pub steps: usize,
    /// Noised pictures a step.
    pub batch_size: usize,
    /// The learning rate.
    pub learning_rate: f64,
    /// How weights follow their gradients.
    #[serde(flatten)]
    pub rule: OptimizerCase,
    /// Which weights are tuned.
    pub weights: TunedWeights,
    /// Share of the steps that is made.
    pub strength: f64,
}

/// Which weights are tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TunedWeights {
    /// All alike.
    All,
    /// What attentions put out; the others at a thousandth of the rate.
    AttentionOut,
}
