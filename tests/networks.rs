//! The networks against others' arithmetic: candle's own UNet, and gradients against finite differences.

#[path = "common/clip.rs"]
mod clip;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor, Var};
use candle_transformers::models::clip::text_model::{Activation, ClipTextConfig};
use candle_transformers::models::clip::vision_model::ClipVisionConfig;
use candle_transformers::models::clip::{ClipConfig, ClipModel};
use candle_transformers::models::stable_diffusion::unet_2d::{
    BlockConfig, UNet2DConditionModel, UNet2DConditionModelConfig,
};
use wordbrush::attention::Untouched;
use wordbrush::engine::clip::ClipScore;
use wordbrush::engine::layers::Backend;
use wordbrush::engine::noise::normal;
use wordbrush::engine::sampler::Sampler;
use wordbrush::engine::segment::ClipSeg;
use wordbrush::engine::unet::{Call, Condition};
use wordbrush::engine::{Engine, Guidance, Picture, Run, StepNoise};
use wordbrush::model::folder::Folder;
use wordbrush::model::{FileBytes, ModelSource};
use wordbrush::plan::settings::Precision;

fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/models").join(name)
}

fn engine(backend: &Backend) -> Engine {
    Engine::load(&Folder::open(model("tiny-sd")).expect("a model"), backend).expect("it loads")
}

fn random(seed: u64, shape: &[usize]) -> Tensor {
    Tensor::from_vec(normal(seed, shape.iter().product()), shape, &Device::Cpu).expect("a tensor")
}

fn gap(a: &Tensor, b: &Tensor) -> f64 {
    let gap = (a.to_dtype(DType::F64).expect("f64") - b.to_dtype(DType::F64).expect("f64")).expect("shapes fit");
    gap.abs().and_then(|g| g.flatten_all()?.max(0)?.to_scalar()).expect("a number")
}

#[test]
fn our_clip_places_texts_and_pictures_where_candles_does_and_scores_them_by_the_angle() {
    let folder = tempfile::tempdir().expect("a folder");
    let towers = clip::write_clip(folder.path());
    let config = ClipConfig {
        text_config: ClipTextConfig {
            vocab_size: 49408,
            embed_dim: 8,
            activation: Activation::QuickGelu,
            intermediate_size: 32,
            max_position_embeddings: 77,
            pad_with: None,
            num_hidden_layers: 2,
            num_attention_heads: 2,
            projection_dim: 16,
        },
        vision_config: ClipVisionConfig {
            embed_dim: 32,
            activation: Activation::QuickGelu,
            intermediate_size: 64,
            num_hidden_layers: 5,
            num_attention_heads: 4,
            projection_dim: 16,
            num_channels: 3,
            image_size: 224,
            patch_size: 16,
        },
        logit_scale_init_value: 2.6592,
        image_size: 224,
    };
    let theirs = ClipModel::new(candle_nn::VarBuilder::from_tensors(towers, DType::F32, &Device::Cpu), &config);
    let theirs = theirs.expect("candle's CLIP");
    let backend = Backend::Kernels(wordbrush_kernels::Precision::F32);
    let ours = ClipScore::load(&Folder::of_one_network(folder.path()).expect("a network"), &backend).expect("it loads");
    // The tokens of the network that it was made of: the vocabulary is the same.
    let words =
        ClipSeg::load(&Folder::of_one_network(clip::clipseg()).expect("a network"), &backend).expect("it loads");
    // Of the size that it reads: nothing is resized, so that candle gets the same pixels.
    let bytes: Vec<u8> = (0..224 * 224 * 3).map(|i| ((i * 7 + i / 672 * 13) % 256) as u8).collect();
    let picture = Picture { width: 224, height: 224, bytes: bytes.clone() };
    let (mean, deviation) = ([0.481_454_66, 0.457_827_5, 0.408_210_73], [0.268_629_54, 0.261_302_58, 0.275_777_11]);
    let value = |c: usize, at: usize| (f64::from(bytes[3 * at + c]) / 255.0 - mean[c]) / deviation[c];
    let pixels: Vec<f32> =
        (0..3).flat_map(|c| (0..224 * 224).map(move |at| (c, at))).map(|(c, at)| value(c, at) as f32).collect();
    let pixels = Tensor::from_vec(pixels, (1, 3, 224, 224), &Device::Cpu).expect("a tensor");
    let seen = theirs.get_image_features(&pixels).and_then(|x| x.flatten_all()).expect("features");
    let own = ours.see(&picture).expect("it sees");
    assert!(gap(&seen, &own) < 1e-4, "{}", gap(&seen, &own));
    let mut scores = Vec::new();
    for text in ["a cat on a beach", "a woman's face with long wavy blond hair"] {
        let ids = words.read(text).expect("it reads").ids;
        let ids = Tensor::from_vec(ids, (1, 77), &Device::Cpu).expect("a tensor");
        let read = theirs.get_text_features(&ids).and_then(|x| x.flatten_all()).expect("features");
        let own = ours.read(text).expect("it reads");
        assert!(gap(&read, &own) < 1e-4, "{text}: {}", gap(&read, &own));
        let dot = |a: &Tensor, b: &Tensor| (a * b).and_then(|x| x.sum_all()?.to_scalar::<f32>()).expect("a number");
        let cosine = dot(&seen, &read) / (dot(&seen, &seen) * dot(&read, &read)).sqrt();
        let image = image::RgbImage::from_raw(224, 224, bytes.clone()).expect("a picture");
        let score = ours.score(&image, text).expect("a score");
        assert!((score - f64::from(100.0 * cosine).max(0.0)).abs() < 1e-2, "{text}: {score}, {cosine}");
        scores.push(score);
    }
    assert_ne!(scores[0], scores[1]);
}

#[test]
fn our_unet_computes_what_candles_does() {
    let block = |out_channels, use_cross_attn| BlockConfig { out_channels, use_cross_attn, attention_head_dim: 2 };
    let config = UNet2DConditionModelConfig {
        blocks: vec![block(32, Some(1)), block(64, Some(1)), block(64, None)],
        center_input_sample: false,
        cross_attention_dim: 32,
        downsample_padding: 1,
        flip_sin_to_cos: true,
        freq_shift: 0.0,
        layers_per_block: 2,
        mid_block_scale_factor: 1.0,
        norm_eps: 1e-5,
        norm_num_groups: 32,
        sliced_attention_size: None,
        use_linear_projection: false,
    };
    let path = model("tiny-sd").join("unet/diffusion_pytorch_model.safetensors");
    let tensors = candle_core::safetensors::load(path, &Device::Cpu).expect("weights");
    let vb = candle_nn::VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    let theirs = UNet2DConditionModel::new(vb, 4, 4, false, config).expect("candle's UNet");
    let ours = engine(&Backend::Kernels(wordbrush_kernels::Precision::F32));
    let (latents, text) = (random(1, &[2, 4, 16, 16]), random(2, &[2, 77, 32]));
    for level in [1, 401, 981] {
        let expected = theirs.forward(&latents, f64::from(level), &text).expect("a prediction");
        let condition = Condition { text: text.clone(), added: None };
        let last = latents.permute((0, 2, 3, 1)).and_then(|l| l.contiguous()).expect("channels last");
        let got = ours.predict(&last, &condition, level as f32, None).expect("a prediction");
        let got = got.permute((0, 3, 1, 2)).expect("channels first");
        let scale: f32 = expected.abs().and_then(|e| e.flatten_all()?.max(0)?.to_scalar()).expect("a number");
        // candle's gate is GELU by its tanh formula, ours is exact: that is what the tolerance is for.
        let gap = gap(&got, &expected) / f64::from(scale);
        assert!(gap <= 3e-4, "UNets differ by {gap:.2e} of the largest value at level {level}");
    }
}

#[test]
fn the_plain_path_and_the_kernels_agree() {
    let (latents, text) = (random(3, &[1, 16, 16, 4]), random(4, &[1, 77, 32]));
    let condition = Condition { text, added: None };
    let a = engine(&Backend::Kernels(wordbrush_kernels::Precision::F32))
        .predict(&latents, &condition, 501.0, None)
        .expect("a prediction");
    let b = engine(&Backend::Plain(Device::Cpu, DType::F64))
        .predict(&latents, &condition, 501.0, None)
        .expect("a prediction");
    let gap = gap(&a, &b);
    assert!(gap <= 2e-4, "they differ by {gap:.2e}");
}

#[test]
fn gradients_through_the_plain_unet_are_those_of_finite_differences() {
    let engine = engine(&Backend::Plain(Device::Cpu, DType::F64));
    let latents = random(5, &[1, 16, 16, 4]);
    let text = random(6, &[1, 77, 32]).to_dtype(DType::F64).expect("f64");
    let loss = |text: &Tensor| {
        let condition = Condition { text: text.clone(), added: None };
        engine.predict(&latents, &condition, 301.0, None).and_then(|p| Ok(p.sqr()?.mean_all()?)).expect("a loss")
    };
    let var = Var::from_tensor(&text).expect("a variable");
    let gradients = loss(var.as_tensor()).backward().expect("a backward pass");
    let gradient = gradients.get(var.as_tensor()).expect("the gradient reaches the text");
    let gradient = gradient.flatten_all().and_then(|g| g.to_vec1::<f64>()).expect("numbers");
    let values = text.flatten_all().and_then(|t| t.to_vec1::<f64>()).expect("numbers");
    let largest = gradient.iter().fold(0.0f64, |a, g| a.max(g.abs()));
    assert!(largest > 1e-6, "the gradient is nothing");
    for at in [0, 33, 500, 1201, 2463] {
        let h = 1e-5;
        let moved = |by: f64| {
            let mut values = values.clone();
            values[at] += by;
            let text = Tensor::from_vec(values, text.dims(), &Device::Cpu).expect("a tensor");
            loss(&text).to_scalar::<f64>().expect("a number")
        };
        let numeric = (moved(h) - moved(-h)) / (2.0 * h);
        let gap = (numeric - gradient[at]).abs();
        assert!(gap <= 1e-6 * largest + 1e-9, "at {at}: {numeric} by differences, {} by gradient", gradient[at]);
    }
}

/// A site's arithmetic does not depend on who watches, nor a sample's on who is beside it.
#[test]
fn a_sample_has_the_same_bits_alone_and_in_a_batch() {
    for precision in [wordbrush_kernels::Precision::F32, wordbrush_kernels::Precision::Bf16] {
        let engine = engine(&Backend::Kernels(precision));
        let (latents, text) = (random(7, &[3, 16, 16, 4]), random(8, &[3, 77, 32]));
        let run = |latents: &Tensor, text: &Tensor, shown: bool| {
            let prepared = engine.unet().prepare(&Condition { text: text.clone(), added: None }).expect("a text");
            let mut control = Untouched;
            let (guidance, map_precision) = (None, Precision::F32);
            let call = Call { step: 0, level: 601.0, shown, guidance, map_precision, control: &mut control };
            let out = engine.unet().forward(latents, &prepared, call).expect("a prediction");
            out.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("numbers")
        };
        let all = run(&latents, &text, false);
        for i in 0..3 {
            let alone = run(&latents.narrow(0, i, 1).expect("one"), &text.narrow(0, i, 1).expect("one"), i == 1);
            let size = alone.len();
            assert!(alone == all[i * size..(i + 1) * size], "sample {i} depends on its neighbours ({precision:?})");
        }
    }
}

/// A sampler that forgets the latent and gives the noise of each step but the last.
#[derive(Debug, Clone)]
struct NoiseAlone;

impl Sampler for NoiseAlone {
    fn timesteps(&self) -> &[f32] {
        &[900.0, 500.5, 100.0]
    }

    fn step(&mut self, x: &Tensor, _: &Tensor, _: usize, noise: Option<&Tensor>) -> candle_core::Result<Tensor> {
        Ok(noise.unwrap_or(x).clone())
    }

    fn noise_at(&self, i: usize) -> bool {
        i < 2
    }

    fn noised(&self, clean: &Tensor, noise: &Tensor, _: usize) -> candle_core::Result<Tensor> {
        clean + noise
    }

    fn after(&self, _: &[Tensor]) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}

#[test]
fn the_noise_of_steps_goes_on_where_the_seeds_first_latent_ended() {
    let engine = engine(&Backend::Kernels(wordbrush_kernels::Precision::F32));
    let size = (32, 32);
    let conditions = engine.reader().conditions("a cat", "", size).expect("conditions");
    let start = engine.noise(5, size).expect("noise");
    let (h, w, c) = start.dims3().expect("a latent");
    let numbers = normal(5, 3 * h * w * c);
    let latents = |noise: StepNoise<'_>| -> Vec<Vec<f32>> {
        let (guidance, map_precision) = (Guidance::None, Precision::F32);
        let run = Run { conditions: &conditions, sampler: &NoiseAlone, noise, first: 0, guidance, map_precision };
        let mut watch = |_: usize, _: &Tensor| ControlFlow::Continue(());
        let drawn = engine.denoise(&run, &mut NoiseAlone, vec![start.clone()], &mut Untouched, &mut watch);
        let all = drawn.expect("a run").expect("not stopped");
        let first = |l: &Tensor| l.permute((2, 0, 1))?.flatten_all()?.to_vec1();
        all.latents().iter().map(|l| first(l).expect("numbers")).collect()
    };
    let drawn = latents(StepNoise::Seed(5));
    let parts: Vec<&[f32]> = numbers.chunks(h * w * c).collect();
    assert_eq!(drawn, [parts[0], parts[1], parts[2], parts[2]]);
    let given = [random(1, &[h, w, c]), random(2, &[h, w, c])];
    let told = latents(StepNoise::Given(&given));
    assert_ne!(told[1], drawn[1]);
    assert_eq!(told[2], told[3]);
}

/// A model with one weight that is no number.
struct Broken {
    folder: Folder,
    file: &'static str,
    tensor: &'static str,
    value: f32,
}

impl ModelSource for Broken {
    fn name(&self) -> String {
        "broken".to_owned()
    }

    fn open(&self, path: &str) -> anyhow::Result<Option<FileBytes>> {
        let Some(file) = self.folder.open(path)? else { return Ok(None) };
        if path != self.file {
            return Ok(Some(file));
        }
        let mut bytes = file.read(0, file.len() as usize)?.into_owned();
        let header = u64::from_le_bytes(bytes[..8].try_into()?) as usize;
        let entries: serde_json::Value = serde_json::from_slice(&bytes[8..8 + header])?;
        assert_eq!(entries[self.tensor]["dtype"], "F32");
        let from = 8 + header + entries[self.tensor]["data_offsets"][0].as_u64().expect("an offset") as usize;
        bytes[from..from + 4].copy_from_slice(&self.value.to_le_bytes());
        Ok(Some(FileBytes::Memory(bytes.into())))
    }
}

#[test]
fn a_weight_that_is_no_number_is_an_error_that_says_where_the_model_gave_none() {
    let (unet, vae) = ("unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors");
    for (file, tensor, said) in [
        ("text_encoder/model.safetensors", "text_model.final_layer_norm.bias", "the text encoder gave no numbers"),
        (unet, "conv_out.bias", "the UNet gave no numbers at step 1 of 3"),
        (vae, "decoder.conv_out.bias", "the autoencoder gave no numbers"),
    ] {
        for value in [f32::NAN, f32::INFINITY] {
            let folder = Folder::open(model("tiny-sd")).expect("a model");
            let broken = Broken { folder, file, tensor, value };
            let engine = Engine::load(&broken, &Backend::Kernels(wordbrush_kernels::Precision::F32)).expect("it loads");
            let drawn = || -> anyhow::Result<()> {
                let conditions = engine.reader().conditions("a cat", "", (32, 32))?;
                let (noise, guidance, map_precision) = (StepNoise::Seed(1), Guidance::None, Precision::F32);
                let run =
                    Run { conditions: &conditions, sampler: &NoiseFree, noise, first: 0, guidance, map_precision };
                let mut watch = |_: usize, _: &Tensor| ControlFlow::Continue(());
                let start = vec![engine.noise(1, (32, 32))?];
                let drawn = engine.denoise(&run, &mut NoiseFree, start, &mut Untouched, &mut watch)?;
                engine.decode(drawn.expect("not stopped").last())?;
                Ok(())
            };
            let error = format!("{:#}", drawn().expect_err(file));
            assert!(error.contains(said), "{file} with {value}: {error}");
            assert!(!error.contains("`precision` f32"), "it was f32: {error}");
        }
    }
}

/// A sampler that takes the output for the latent.
#[derive(Debug, Clone)]
struct NoiseFree;

impl Sampler for NoiseFree {
    fn timesteps(&self) -> &[f32] {
        &[900.0, 500.0, 100.0]
    }

    fn step(&mut self, _: &Tensor, output: &Tensor, _: usize, _: Option<&Tensor>) -> candle_core::Result<Tensor> {
        Ok(output.clone())
    }

    fn noised(&self, clean: &Tensor, noise: &Tensor, _: usize) -> candle_core::Result<Tensor> {
        clean + noise
    }

    fn after(&self, _: &[Tensor]) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
