//! Models of the shapes of Stable Diffusion 1.5 and SDXL with seeded random weights: for measuring speed and memory where the
//! real weights are not at hand. They draw nothing that anybody would want to see.

use std::borrow::Cow;

use anyhow::Result;

use super::{FileBytes, ModelSource};

/// A source whose configurations are those of published models and whose weights are drawn by name when they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Random {
    /// Stable Diffusion 1.5, 512 px.
    Sd15,
    /// SDXL base, 1024 px.
    Sdxl,
}

impl Random {
    /// All, by what they are called: as the model of a session, they show what a node of that size takes.
    pub const ALL: [(&'static str, Self); 2] = [("random-sd15", Self::Sd15), ("random-sdxl", Self::Sdxl)];

    /// The one that is called so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(called, _)| *called == name).map(|(_, one)| *one)
    }
}

const UNET: &str = r#"{"_class_name": "UNet2DConditionModel", "attention_head_dim": 8, "block_out_channels": [320, 640, 1280, 1280],
"cross_attention_dim": 768, "in_channels": 4, "out_channels": 4, "layers_per_block": 2, "norm_num_groups": 32, "sample_size": 64,
"down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
"up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]}"#;

const VAE: &str = r#"{"_class_name": "AutoencoderKL", "block_out_channels": [128, 256, 512, 512], "latent_channels": 4,
"layers_per_block": 2, "norm_num_groups": 32, "in_channels": 3, "out_channels": 3,
"down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
"up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"]}"#;

// The embedded model's vocabulary stands in for CLIP's, which is not compiled in; 77 positions as in CLIP.
const TEXT: &str = r#"{"model_type": "clip_text_model", "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12,
"num_attention_heads": 12, "max_position_embeddings": 77, "vocab_size": 1061, "hidden_act": "quick_gelu", "eos_token_id": 1060}"#;

const INDEX_XL: &str = r#"{"_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": true,
"text_encoder": ["transformers", "CLIPTextModel"], "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"]}"#;

const UNET_XL: &str = r#"{"_class_name": "UNet2DConditionModel", "attention_head_dim": [5, 10, 20], "block_out_channels": [320, 640, 1280],
"cross_attention_dim": 2048, "in_channels": 4, "out_channels": 4, "layers_per_block": 2, "norm_num_groups": 32, "sample_size": 128,
"transformer_layers_per_block": [1, 2, 10], "use_linear_projection": true, "addition_embed_type": "text_time",
"addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 2816,
"down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
"up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"]}"#;

const TEXT_2: &str = r#"{"model_type": "clip_text_model", "hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32,
"num_attention_heads": 20, "max_position_embeddings": 77, "vocab_size": 1061, "hidden_act": "gelu", "projection_dim": 1280,
"eos_token_id": 1060}"#;

const SCHEDULER: &str = r#"{"_class_name": "DDIMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
"clip_sample": false, "num_train_timesteps": 1000, "prediction_type": "epsilon", "set_alpha_to_one": false, "steps_offset": 1}"#;

const TOKENIZER: &str = r#"{"pad_token": "<|endoftext|>", "model_max_length": 77}"#;

impl ModelSource for Random {
    fn name(&self) -> String {
        Self::ALL.iter().find(|(_, one)| one == self).map_or("", |(name, _)| name).to_owned()
    }

    fn open(&self, path: &str) -> Result<Option<FileBytes>> {
        let is_xl = *self == Self::Sdxl;
        let text = match path {
            "unet/config.json" if is_xl => UNET_XL,
            "unet/config.json" => UNET,
            "vae/config.json" => VAE,
            "text_encoder/config.json" => TEXT,
            "model_index.json" if is_xl => INDEX_XL,
            "text_encoder_2/config.json" if is_xl => TEXT_2,
            "tokenizer_2/tokenizer_config.json" if is_xl => TOKENIZER,
            "tokenizer_2/tokenizer.json" if is_xl => return super::embedded()?.open("tokenizer/tokenizer.json"),
            "scheduler/scheduler_config.json" => SCHEDULER,
            "tokenizer/tokenizer_config.json" => TOKENIZER,
            "tokenizer/tokenizer.json" => return super::embedded()?.open(path),
            _ => return Ok(None),
        };
        Ok(Some(FileBytes::Memory(Cow::Borrowed(text.as_bytes()))))
    }

    fn is_random(&self) -> bool {
        true
    }
}

/// Numbers of a tensor by its name: small enough that activations stay bounded, norms' weights 1, biases 0.
#[must_use]
pub(super) fn values(name: &str, shape: &[usize]) -> Vec<f32> {
    let count: usize = shape.iter().product();
    if name.ends_with(".bias") {
        return vec![0.0; count];
    }
    if shape.len() == 1 {
        return vec![1.0; count];
    }
    let inputs: usize = shape[1..].iter().product();
    let scale = 1.0 / (inputs.max(1) as f32).sqrt();
    let mut state =
        name.bytes().fold(0x9E37_79B9_7F4A_7C15u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01B3));
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // Uniform with variance 1, times the scale.
            ((state >> 40) as f32 / 8_388_608.0 - 1.0) * 1.732 * scale
        })
        .collect()
}
