//! A whole model in one file, in the original layout.
//!
//! Such a file holds tensors and nothing else. Configurations and vocabularies lie in a folder beside it, in the diffusers layout;
//! a configuration that is not there is the usual one of the file's family, which its tensors tell. Vocabularies are never
//! guessed, and neither is what the networks of Stable Diffusion 2 predict: its files come in both kinds and look alike.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::error::trouble;
use super::folder::{self, Files};
use super::tensors::TensorFile;
use super::{FileBytes, ModelSource, WeightFile};

/// A file of a whole model, and where its configurations are.
pub struct Checkpoint {
    path: PathBuf,
    config: Files,
    family: Option<Family>,
}

/// A kind of model whose usual configurations are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// Stable Diffusion 1.
    One,
    /// Stable Diffusion 2.
    Two,
    /// Stable Diffusion XL.
    Xl,
}

impl Checkpoint {
    /// The model in the file `path`, with configurations and vocabularies from the folder `config`.
    ///
    /// # Errors
    /// Fails if the file is missing or damaged, or is of no known family and `config` does not say what it is, or has no vocabulary.
    pub fn open(path: impl Into<PathBuf>, config: impl Into<PathBuf>) -> Result<Self> {
        let (path, config) = (path.into(), config.into());
        let (file, place) = (path.display().to_string(), config.display().to_string());
        let tensors = TensorFile::open(folder::file(&path)?, file.as_str())?;
        let config = Files::new(config);
        let family = Family::of(&tensors);
        if family.is_none() && config.open("unet/config.json")?.is_none() {
            let message = format!("{file} is not a whole model of Stable Diffusion 1, 2 or XL in the original layout");
            return Err(trouble(
                message,
                "a LoRA goes to `lora`, an autoencoder to `vae`, an embedding to `embedding`",
            ));
        }
        if config.open("tokenizer/tokenizer.json")?.is_none() && config.open("tokenizer/vocab.json")?.is_none() {
            let message = format!("{file} holds no vocabulary, and there is none in {place}/tokenizer/ beside it");
            return Err(trouble(message, "put vocab.json and merges.txt of the model's tokenizer there"));
        }
        if family == Some(Family::Two) && config.open("scheduler/scheduler_config.json")?.is_none() {
            let message = format!(
                "{file} is of Stable Diffusion 2, and no scheduler/scheduler_config.json in {place} says what it predicts"
            );
            return Err(trouble(message, "put there that of the model's folder, which has a `prediction_type`"));
        }
        Ok(Self { path, config, family })
    }

    /// The folder beside a file where its configurations are looked for.
    #[must_use]
    pub fn config_beside(path: &Path) -> PathBuf {
        path.with_file_name("config")
    }
}

impl ModelSource for Checkpoint {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn open(&self, path: &str) -> Result<Option<FileBytes>> {
        if let Some(found) = self.config.open(path)? {
            return Ok(Some(found));
        }
        // Both encoders of XL read the same vocabulary; they differ in what pads.
        if self.family == Some(Family::Xl)
            && let Some(file @ ("vocab.json" | "merges.txt")) = path.strip_prefix("tokenizer_2/")
        {
            return self.config.open(&format!("tokenizer/{file}"));
        }
        let usual = self.family.and_then(|family| family.usual(path));
        Ok(usual.map(|text| FileBytes::Memory(Cow::Borrowed(text.as_bytes()))))
    }

    fn weights(&self, _part: &str) -> Result<Option<WeightFile>> {
        Ok(Some(WeightFile { path: self.path.display().to_string(), bytes: folder::file(&self.path)?, whole: true }))
    }

    fn files(&self, part: &str) -> Vec<String> {
        self.config.names(part)
    }
}

impl Family {
    /// What the names of its text encoder's tensors say.
    fn of(file: &TensorFile) -> Option<Self> {
        let has =
            |prefix: &str| file.places.range(prefix.to_owned()..).next().is_some_and(|(n, _)| n.starts_with(prefix));
        if !has("model.diffusion_model.") {
            return None;
        }
        let families = [
            ("conditioner.embedders.1.model.", Self::Xl),
            ("cond_stage_model.model.", Self::Two),
            ("cond_stage_model.transformer.", Self::One),
        ];
        families.into_iter().find(|(prefix, _)| has(prefix)).map(|(_, family)| family)
    }

    /// The usual configuration of this name.
    fn usual(self, path: &str) -> Option<&'static str> {
        Some(match (path, self) {
            ("model_index.json", Self::One | Self::Two) => r#"{"_class_name": "StableDiffusionPipeline"}"#,
            ("model_index.json", Self::Xl) => {
                r#"{"_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": true,
                    "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"]}"#
            }
            ("unet/config.json", Self::One) => UNET_1,
            ("unet/config.json", Self::Two) => UNET_2,
            ("unet/config.json", Self::Xl) => UNET_XL,
            ("vae/config.json", Self::One | Self::Two) => VAE,
            ("vae/config.json", Self::Xl) => VAE_XL,
            ("text_encoder/config.json", Self::One | Self::Xl) => TEXT_L,
            ("text_encoder/config.json", Self::Two) => TEXT_H,
            ("text_encoder_2/config.json", Self::Xl) => TEXT_G,
            ("scheduler/scheduler_config.json", Self::One) => SCHEDULER_1,
            ("scheduler/scheduler_config.json", Self::Xl) => SCHEDULER_XL,
            ("tokenizer/tokenizer_config.json", Self::One | Self::Xl) => {
                r#"{"pad_token": "<|endoftext|>", "model_max_length": 77}"#
            }
            ("tokenizer/tokenizer_config.json", Self::Two) | ("tokenizer_2/tokenizer_config.json", Self::Xl) => {
                r#"{"pad_token": "!", "model_max_length": 77}"#
            }
            _ => return None,
        })
    }
}

const UNET_1: &str = r#"{"_class_name": "UNet2DConditionModel", "attention_head_dim": 8, "block_out_channels": [320, 640, 1280, 1280],
"cross_attention_dim": 768, "in_channels": 4, "out_channels": 4, "layers_per_block": 2, "norm_num_groups": 32, "sample_size": 64,
"down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
"up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]}"#;

const UNET_2: &str = r#"{"_class_name": "UNet2DConditionModel", "attention_head_dim": [5, 10, 20, 20],
"block_out_channels": [320, 640, 1280, 1280], "cross_attention_dim": 1024, "use_linear_projection": true,
"in_channels": 4, "out_channels": 4, "layers_per_block": 2, "norm_num_groups": 32, "sample_size": 64,
"down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
"up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]}"#;

const UNET_XL: &str = r#"{"_class_name": "UNet2DConditionModel", "attention_head_dim": [5, 10, 20], "block_out_channels": [320, 640, 1280],
"transformer_layers_per_block": [1, 2, 10], "cross_attention_dim": 2048, "use_linear_projection": true,
"addition_embed_type": "text_time", "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 2816,
"in_channels": 4, "out_channels": 4, "layers_per_block": 2, "norm_num_groups": 32, "sample_size": 128,
"down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
"up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"]}"#;

const VAE: &str = r#"{"_class_name": "AutoencoderKL", "block_out_channels": [128, 256, 512, 512], "latent_channels": 4,
"layers_per_block": 2, "norm_num_groups": 32, "in_channels": 3, "out_channels": 3, "scaling_factor": 0.18215,
"down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
"up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"]}"#;

const VAE_XL: &str = r#"{"_class_name": "AutoencoderKL", "block_out_channels": [128, 256, 512, 512], "latent_channels": 4,
"layers_per_block": 2, "norm_num_groups": 32, "in_channels": 3, "out_channels": 3, "scaling_factor": 0.13025,
"down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
"up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"]}"#;

// An end of text of 2 is how these were published; `TextSpec` knows what it means.
const TEXT_L: &str = r#"{"model_type": "clip_text_model", "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12,
"num_attention_heads": 12, "max_position_embeddings": 77, "vocab_size": 49408, "hidden_act": "quick_gelu", "projection_dim": 768,
"eos_token_id": 2}"#;

const TEXT_H: &str = r#"{"model_type": "clip_text_model", "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 23,
"num_attention_heads": 16, "max_position_embeddings": 77, "vocab_size": 49408, "hidden_act": "gelu", "projection_dim": 512,
"eos_token_id": 2}"#;

const TEXT_G: &str = r#"{"model_type": "clip_text_model", "hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32,
"num_attention_heads": 20, "max_position_embeddings": 77, "vocab_size": 49408, "hidden_act": "gelu", "projection_dim": 1280,
"eos_token_id": 2}"#;

const SCHEDULER_1: &str = r#"{"_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
"clip_sample": false, "num_train_timesteps": 1000, "prediction_type": "epsilon", "set_alpha_to_one": false, "skip_prk_steps": true,
"steps_offset": 1}"#;

const SCHEDULER_XL: &str = r#"{"_class_name": "EulerDiscreteScheduler", "beta_start": 0.00085, "beta_end": 0.012,
"beta_schedule": "scaled_linear", "clip_sample": false, "num_train_timesteps": 1000, "prediction_type": "epsilon",
"set_alpha_to_one": false, "timestep_spacing": "leading", "use_karras_sigmas": false, "steps_offset": 1}"#;
