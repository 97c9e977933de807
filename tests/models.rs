//! Models are read carefully: what is whole is read whatever its form, what is damaged or unknown is named.

#[path = "models/adapters.rs"]
mod adapters;
#[path = "models/checkpoints.rs"]
mod checkpoints;
#[path = "models/memory.rs"]
mod memory;
#[path = "models/words.rs"]
mod words;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::json;
use wordbrush::engine::text::TokenTable;
use wordbrush::model::embedded::Embedded;
use wordbrush::model::spec::{ModelSpec, TextSpec, UnetSpec};
use wordbrush::model::weights::Weights;
use wordbrush::model::{FileBytes, ModelError, ModelSource};

/// Files in memory.
#[derive(Default)]
struct Files(HashMap<String, Vec<u8>>);

impl ModelSource for Files {
    fn name(&self) -> String {
        "test".to_owned()
    }

    fn open(&self, path: &str) -> anyhow::Result<Option<FileBytes>> {
        Ok(self.0.get(path).map(|bytes| FileBytes::Memory(Cow::Owned(bytes.clone()))))
    }

    fn files(&self, part: &str) -> Vec<String> {
        let inside = |path: &String| Some(path.strip_prefix(part)?.strip_prefix('/')?.to_owned());
        self.0.keys().filter_map(inside).collect()
    }
}

const VALUES: [f32; 4] = [1.0, -2.5, 0.125, 96.0];

fn file(tensors: &[(&str, Dtype)]) -> Vec<u8> {
    let bytes = |dtype: Dtype| -> Vec<u8> {
        match dtype {
            Dtype::F32 => VALUES.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Dtype::F16 => VALUES.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect(),
            Dtype::BF16 => VALUES.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect(),
            _ => vec![7; 4],
        }
    };
    let data: Vec<(String, Dtype, Vec<u8>)> = tensors.iter().map(|(n, d)| ((*n).to_owned(), *d, bytes(*d))).collect();
    let views = data.iter().map(|(n, d, b)| (n.clone(), TensorView::new(*d, vec![2, 2], b).expect("a view")));
    safetensors::serialize(views.collect::<Vec<_>>(), None).expect("a file")
}

fn files(entries: &[(&str, Vec<u8>)]) -> Files {
    Files(entries.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.clone())).collect())
}

/// A safetensors file of f32 tensors.
fn tensors(list: &[(&str, &[usize], Vec<f32>)], metadata: &[(&str, &str)]) -> Vec<u8> {
    let data: Vec<(&str, Vec<usize>, Vec<u8>)> = list
        .iter()
        .map(|(name, shape, values)| (*name, shape.to_vec(), values.iter().flat_map(|v| v.to_le_bytes()).collect()))
        .collect();
    let views = data.iter().map(|(n, s, b)| (*n, TensorView::new(Dtype::F32, s.clone(), b).expect("a view")));
    let metadata = metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    safetensors::serialize(views.collect::<Vec<_>>(), Some(metadata)).expect("a file")
}

/// Numbers that are all different, and exact in f32.
fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7 + seed * 13) % 31) as f32 / 8.0 - 1.5).collect()
}

const UNET: &str = "unet/diffusion_pytorch_model.safetensors";

#[test]
fn a_token_of_a_large_table_is_read_alone_and_has_the_numbers_of_the_whole() {
    const NAME: &str = "text_model.embeddings.token_embedding.weight";
    let (rows, width) = (33_000, 512);
    let bits: Vec<u8> = (0..rows * width).flat_map(|i| f16::from_f32((i % 4093) as f32 / 64.0).to_le_bytes()).collect();
    let view = TensorView::new(Dtype::F16, vec![rows, width], &bits).expect("a view");
    let bytes = safetensors::serialize([(NAME, view)], None).expect("a file");
    let config = r#"{"model_type": "clip_text_model", "hidden_size": 512, "vocab_size": 33000, "intermediate_size": 512,
        "num_hidden_layers": 1, "num_attention_heads": 8, "max_position_embeddings": 77, "hidden_act": "gelu"}"#;
    let source = files(&[("text_encoder/model.safetensors", bytes), ("text_encoder/config.json", config.into())]);
    let spec = TextSpec::read(&source, "text_encoder").expect("a configuration");
    let weights = Arc::new(Weights::open(&source, "text_encoder").expect("weights"));
    assert!(weights.is_large());
    let table = TokenTable::load(&weights, &spec).expect("a table");
    let whole = weights.values(NAME, &[rows, width]).expect("the whole");
    for id in [0, 1, 777, 32_999] {
        let row = table.embedding(id).expect("it can be read").expect("it is there");
        assert_eq!(row[..], whole[id as usize * width..][..width], "{id}");
    }
    assert_eq!(table.embedding(33_000).expect("it can be read"), None);
    let other = TextSpec { width: 256, ..spec };
    assert!(TokenTable::load(&weights, &other).is_err(), "a table of another shape");
}

#[test]
fn weights_are_read_from_f32_f16_and_bf16() {
    let source = files(&[(UNET, file(&[("a", Dtype::F32), ("b", Dtype::F16), ("c", Dtype::BF16)]))]);
    let weights = Weights::open(&source, "unet").expect("it opens");
    for name in ["a", "b", "c"] {
        assert_eq!(weights.values(name, &[2, 2]).expect(name), VALUES, "{name}");
    }
}

#[test]
fn sharded_weights_are_read_by_their_index() {
    let index = r#"{"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}"#;
    let source = files(&[
        ("unet/diffusion_pytorch_model.safetensors.index.json", index.into()),
        ("unet/one.safetensors", file(&[("a", Dtype::F16)])),
        ("unet/two.safetensors", file(&[("b", Dtype::F32)])),
    ]);
    let weights = Weights::open(&source, "unet").expect("it opens");
    assert_eq!(weights.values("a", &[2, 2]).expect("a"), weights.values("b", &[2, 2]).expect("b"));
    let broken = files(&[
        ("unet/diffusion_pytorch_model.safetensors.index.json", index.into()),
        ("unet/one.safetensors", file(&[("a", Dtype::F16)])),
    ]);
    let error = Weights::open(&broken, "unet").err().expect("a shard is missing").to_string();
    assert!(error.contains("unet/two.safetensors") && error.contains("missing"), "{error}");
}

#[test]
fn a_pickle_is_not_read() {
    let source = files(&[("unet/diffusion_pytorch_model.bin", vec![0x80, 2]), ("unet/model.ckpt", vec![0x80, 2])]);
    let error = Weights::open(&source, "unet").err().expect("there are no weights").to_string();
    assert!(error.contains("diffusion_pytorch_model.safetensors is missing"), "{error}");
    assert!(error.contains("can run code"), "{error}");
    let named = r#"{"weight_map": {"a": "pytorch_model.bin"}}"#;
    let source = files(&[("unet/diffusion_pytorch_model.safetensors.index.json", named.into())]);
    assert!(Weights::open(&source, "unet").is_err());
}

#[test]
fn an_index_counts_before_a_single_file_and_whole_precision_before_half() {
    let check = |there: &[&str], read: &str| {
        let index = |at: usize| format!(r#"{{"weight_map": {{"a{at}": "shard{at}.safetensors"}}}}"#);
        let mut entries = Vec::new();
        for (at, path) in there.iter().enumerate() {
            let name = format!("a{at}");
            let tensors = file(&[(&name, Dtype::F32)]);
            if path.ends_with(".json") {
                entries.push((format!("unet/{path}"), index(at).into_bytes()));
                entries.push((format!("unet/shard{at}.safetensors"), tensors));
            } else {
                entries.push((format!("unet/{path}"), tensors));
            }
        }
        let weights = Weights::open(&Files(entries.into_iter().collect()), "unet").expect(read);
        let at = (0..there.len()).find(|at| weights.has(&format!("a{at}")));
        assert_eq!(at.map(|at| there[at]), Some(read));
    };
    let (single, index) = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.safetensors.index.json");
    let of = |variant: &str| format!("diffusion_pytorch_model.{variant}.safetensors");
    check(&[single, index], index);
    check(&[&of("fp16"), single], single);
    check(&[&of("non_ema"), &of("bf16")], &of("bf16"));
    check(&[&of("non_ema")], &of("non_ema"));
    check(&["model.bf16.safetensors"], "model.bf16.safetensors");
    for index in
        ["diffusion_pytorch_model.safetensors.index.fp16.json", "diffusion_pytorch_model.fp16.safetensors.index.json"]
    {
        check(&[&of("fp16"), index], index);
    }
}

#[test]
fn names_of_weights_that_were_compiled_before_they_were_saved_are_read() {
    let source = files(&[(UNET, file(&[("_orig_mod.a", Dtype::F32), ("b._orig_mod.c", Dtype::F32)]))]);
    let weights = Weights::open(&source, "unet").expect("it opens");
    assert!(weights.has("a") && weights.has("b.c"), "{:?}", weights.unread());
}

#[test]
fn what_lies_in_a_files_place_is_called_by_its_name() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 3438167540\n";
    let page = "\n<!DOCTYPE html><html><head><title>Sign in</title></head></html>";
    let pickle = b"PK\x03\x04\0\0\x08\x08\0\0archive/data.pkl".to_vec();
    let check = |bytes: &[u8], said: &str| {
        let error = Weights::open(&files(&[(UNET, bytes.to_vec())]), "unet").map(|_| ()).expect_err(said);
        let hint = error.chain().find_map(|e| e.downcast_ref::<ModelError>()).map(ModelError::hint);
        assert!(format!("{error:#}").contains(said) && hint.is_some(), "{error:#}: {hint:?}");
        assert!(format!("{error:#}").contains(UNET), "{error:#}");
    };
    check(pointer.as_bytes(), "Git LFS pointer");
    check(page.as_bytes(), "web page");
    check(&pickle, "pickle");
    for (text, said) in [(pointer, "Git LFS pointer"), (page, "web page")] {
        let error = UnetSpec::read(&files(&[("unet/config.json", text.into())])).expect_err(said);
        assert!(format!("{error:#}").contains(said) && format!("{error:#}").contains("unet/config.json"), "{error:#}");
    }
}

#[test]
fn a_mark_of_byte_order_before_a_configuration_is_nothing() {
    let config = Embedded.open("unet/config.json").expect("it opens").expect("it is there");
    let config = config.read(0, config.len() as usize).expect("bytes").into_owned();
    let marked = [b"\xef\xbb\xbf".as_slice(), &config].concat();
    UnetSpec::read(&files(&[("unet/config.json", marked)])).expect("it is read");
}

#[test]
fn a_part_without_weights_says_what_is_there_instead() {
    let check = |there: &str, said: &str| {
        let source = files(&[(&format!("unet/{there}"), vec![0; 8])]);
        let error = format!("{:#}", Weights::open(&source, "unet").map(|_| ()).expect_err(there));
        assert!(error.contains(said) && error.contains("diffusion_pytorch_model.safetensors is missing"), "{error}");
        assert!(said.is_empty() || error.contains(there), "{error}");
    };
    check("diffusion_pytorch_model.fp16.bin", "pickles can run code");
    check("v1-5.ckpt", "pickles can run code");
    check("diffusion_pytorch_model-00001-of-00002.safetensors", "index");
    check("unet.safetensors", "no name that weights are looked for under");
    check("config.json", "");
}

#[test]
fn a_file_cut_anywhere_is_an_error_that_names_it() {
    let whole = file(&[("a", Dtype::F32)]);
    for cut in 0..whole.len() {
        let source = files(&[(UNET, whole[..cut].to_vec())]);
        let error = Weights::open(&source, "unet").map(|_| ()).expect_err("it is cut");
        assert!(format!("{error:#}").contains(UNET), "cut at {cut}: {error:#}");
    }
}

#[test]
fn a_header_that_lies_about_lengths_is_refused_before_anything_is_allocated() {
    let claim = |header: &str| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend([0; 16]);
        files(&[(UNET, bytes)])
    };
    for header in [
        r#"{"a": {"dtype": "F32", "shape": [4294967296, 4294967296], "data_offsets": [0, 16]}}"#,
        r#"{"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 160]}}"#,
        r#"{"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [16, 0]}}"#,
        r#"{"a": {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 16]}}"#,
        r#"{"a": {"dtype": "F32"}}"#,
        r#"["a"]"#,
    ] {
        assert!(Weights::open(&claim(header), "unet").is_err(), "{header}");
    }
    let mut bytes = u64::MAX.to_le_bytes().to_vec();
    bytes.extend([0; 64]);
    assert!(Weights::open(&files(&[(UNET, bytes)]), "unet").is_err());
}

#[test]
fn a_tensor_of_another_shape_is_named_with_both_shapes() {
    let source = files(&[(UNET, file(&[("conv_in.weight", Dtype::F32)]))]);
    let weights = Weights::open(&source, "unet").expect("it opens");
    let error = weights.values("conv_in.weight", &[3, 2]).expect_err("another shape").to_string();
    assert!(error.contains("`conv_in.weight`") && error.contains("[2, 2]") && error.contains("[3, 2]"), "{error}");
}

#[test]
fn an_architecture_that_is_not_built_is_named_by_its_key() {
    let config = Embedded.open("unet/config.json").expect("it opens").expect("it is there");
    let config = String::from_utf8(config.read(0, config.len() as usize).expect("bytes").into_owned()).expect("text");
    for (from, to, key) in [
        (
            "\"resnet_time_scale_shift\": \"default\"",
            "\"resnet_time_scale_shift\": \"scale_shift\"",
            "resnet_time_scale_shift",
        ),
        ("\"class_embed_type\": null", "\"class_embed_type\": \"timestep\"", "class_embed_type"),
        ("\"DownBlock2D\"", "\"SimpleCrossAttnDownBlock2D\"", "down_block_types"),
        ("\"dual_cross_attention\": false", "\"dual_cross_attention\": true", "dual_cross_attention"),
    ] {
        assert!(config.contains(from), "the configuration has no {from}");
        let source = files(&[("unet/config.json", config.replace(from, to).into())]);
        let error = UnetSpec::read(&source).expect_err(key).to_string();
        assert!(error.contains(key), "{error}");
    }
}

/// The embedded model with one key of one configuration set to a value.
fn with(file: &'static str, key: &str, value: serde_json::Value) -> anyhow::Result<ModelSpec> {
    let mut entries = Vec::new();
    for path in ["unet/config.json", "vae/config.json", "text_encoder/config.json", SCHEDULER, "model_index.json"] {
        let blob = Embedded.open(path).expect("it opens").expect("it is there");
        let mut config: serde_json::Value =
            serde_json::from_slice(&blob.read(0, blob.len() as usize).expect("bytes")).expect("JSON");
        if path == file {
            config[key] = value.clone();
        }
        entries.push((path, config.to_string().into_bytes()));
    }
    ModelSpec::read(&files(&entries))
}

const SCHEDULER: &str = "scheduler/scheduler_config.json";

#[test]
fn a_configuration_that_cannot_be_obeyed_is_refused_with_file_key_and_value() {
    for (file, key, value) in [
        ("unet/config.json", "block_out_channels", json!([])),
        ("unet/config.json", "only_cross_attention", json!([true])),
        ("unet/config.json", "time_cond_proj_dim", json!(3)),
        ("unet/config.json", "mid_block_type", json!("UNetMidBlock2DSimpleCrossAttn")),
        ("vae/config.json", "_class_name", json!("AutoencoderDC")),
        ("vae/config.json", "block_out_channels", json!([])),
        ("vae/config.json", "scaling_factor", json!(0)),
        (SCHEDULER, "_class_name", json!("FlowMatchEulerDiscreteScheduler")),
        (SCHEDULER, "_class_name", json!("EDMEulerScheduler")),
        (SCHEDULER, "steps_offset", json!("1")),
        (SCHEDULER, "steps_offset", json!(-1)),
        (SCHEDULER, "trained_betas", json!(["x"])),
        (SCHEDULER, "beta_schedule", json!("sigmoid")),
    ] {
        let error = format!("{:#}", with(file, key, value.clone()).expect_err(key));
        assert!(error.contains(key) && error.contains(file), "{file} {key}: {error}");
        assert!(error.len() < 300, "{error}");
        if let Some(word) = value.as_str() {
            assert!(error.contains(word), "{error}");
        }
    }
}

#[test]
fn a_scheduler_file_counts_as_its_pipeline_reads_it() {
    let read = |class: &str| {
        let mut entries = Vec::new();
        for path in ["unet/config.json", "vae/config.json", "text_encoder/config.json"] {
            let blob = Embedded.open(path).expect("it opens").expect("it is there");
            entries.push((path, blob.read(0, blob.len() as usize).expect("bytes").into_owned()));
        }
        entries.push(("model_index.json", json!({"_class_name": class}).to_string().into_bytes()));
        entries.push((SCHEDULER, json!({"_class_name": "DDIMScheduler"}).to_string().into_bytes()));
        let scheduler = ModelSpec::read(&files(&entries)).expect("it is read").scheduler;
        (scheduler.offset, scheduler.clip)
    };
    assert_eq!(read("StableDiffusionPipeline"), (1, None));
    assert_eq!(read("LatentConsistencyModelPipeline"), (0, Some(1.0)));
}

#[test]
fn models_that_were_made_for_few_steps_are_told_by_their_files() {
    let usual = |file, key, value| {
        let usual = with(file, key, value).expect("it is read").usual();
        (usual.sampler.as_str(), usual.steps, usual.guidance, usual.few_steps)
    };
    assert_eq!(usual(SCHEDULER, "beta_start", json!(0.001)), ("ddim", 50, 7.5, false));
    assert_eq!(usual(SCHEDULER, "_class_name", json!("LCMScheduler")), ("lcm", 4, 1.0, true));
    assert_eq!(usual("unet/config.json", "time_cond_proj_dim", json!(256)), ("lcm", 4, 8.0, true));
    // Euler alone is said by many; with levels from the very end it is one of few steps.
    assert_eq!(usual(SCHEDULER, "_class_name", json!("EulerDiscreteScheduler")), ("ddim", 50, 7.5, false));
}

#[test]
fn the_embedded_models_configurations_fit_together() {
    let spec = ModelSpec::read(&Embedded).expect("it is read");
    assert_eq!((spec.unet.in_channels, spec.vae.latent_channels, spec.text.positions), (8, 8, 32));
}
