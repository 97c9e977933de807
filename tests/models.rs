//! Models are read carefully: what is whole is read whatever its form, what is damaged or unknown is named.

#[path = "models/words.rs"]
mod words;

use std::borrow::Cow;
use std::collections::HashMap;

use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use wordbrush::model::embedded::Embedded;
use wordbrush::model::spec::{ModelSpec, UnetSpec};
use wordbrush::model::weights::Weights;
use wordbrush::model::{FileBytes, ModelSource};

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

const UNET: &str = "unet/diffusion_pytorch_model.safetensors";

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
    let named = r#"{"weight_map": {"a": "pytorch_model.bin"}}"#;
    let source = files(&[("unet/diffusion_pytorch_model.safetensors.index.json", named.into())]);
    assert!(Weights::open(&source, "unet").is_err());
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

#[test]
fn the_embedded_models_configurations_fit_together() {
    let spec = ModelSpec::read(&Embedded).expect("it is read");
    assert_eq!((spec.unet.in_channels, spec.vae.latent_channels, spec.text.positions), (8, 8, 32));
}
