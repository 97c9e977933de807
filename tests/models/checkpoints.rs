//! Whole models in one file of the original layout.

use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use wordbrush::engine::vocabulary;
use wordbrush::model::ModelSource;
use wordbrush::model::checkpoint::Checkpoint;
use wordbrush::model::spec::ModelSpec;
use wordbrush::model::weights::Weights;

use super::{numbers, tensors};

/// Puts a vocabulary where it is looked for.
fn vocabulary_in(config: &Path) {
    std::fs::create_dir_all(config.join("tokenizer")).expect("a folder");
    for (name, text) in [("vocab.json", r#"{"!": 0, "<|startoftext|>": 1, "<|endoftext|>": 2}"#), ("merges.txt", "")] {
        std::fs::write(config.join("tokenizer").join(name), text).expect("written");
    }
}

/// A checkpoint of these tensors beside a folder with a vocabulary.
fn checkpoint(list: &[(&str, &[usize], Vec<f32>)]) -> (tempfile::TempDir, Checkpoint) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("model.safetensors");
    let of_a_family = |prefix: &str| list.iter().any(|(name, ..)| name.starts_with(prefix));
    let mut list = list.to_vec();
    if !of_a_family("cond") {
        list.push(("cond_stage_model.transformer.x", &[1], vec![0.0]));
    }
    if !of_a_family("model.diffusion_model.") {
        list.push(("model.diffusion_model.x", &[1], vec![0.0]));
    }
    std::fs::write(&file, tensors(&list, &[])).expect("written");
    vocabulary_in(&folder.path().join("config"));
    let source = Checkpoint::open(&file, Checkpoint::config_beside(&file)).expect("a checkpoint");
    (folder, source)
}

#[track_caller]
fn check(source: &dyn ModelSource, part: &str, name: &str, shape: &[usize], expected: &[f32]) {
    let weights = Weights::open(source, part).expect(part);
    assert_eq!(weights.values(name, shape).expect(name), expected, "{name}");
}

#[test]
fn each_part_finds_its_own_tensors_under_our_names() {
    let values: Vec<Vec<f32>> = (0..8).map(|i| numbers(2, i)).collect();
    let names = [
        "model.diffusion_model.input_blocks.0.0.weight",
        "model.diffusion_model.input_blocks.1.0.in_layers.2.weight",
        "model.diffusion_model.time_embed.2.weight",
        "first_stage_model.decoder.up.0.block.0.norm1.weight",
        "first_stage_model.encoder.mid.attn_1.q.weight",
        "cond_stage_model.transformer.text_model.final_layer_norm.weight",
        "model_ema.decay",
        "betas",
    ];
    let list: Vec<(&str, &[usize], Vec<f32>)> =
        names.iter().zip(&values).map(|(n, v)| (*n, &[2][..], v.clone())).collect();
    let (_folder, source) = checkpoint(&list);
    check(&source, "unet", "conv_in.weight", &[2], &values[0]);
    check(&source, "unet", "down_blocks.0.resnets.0.conv1.weight", &[2], &values[1]);
    check(&source, "unet", "time_embedding.linear_2.weight", &[2], &values[2]);
    check(&source, "vae", "decoder.up_blocks.0.resnets.0.norm1.weight", &[2], &values[3]);
    check(&source, "vae", "encoder.mid_block.attentions.0.to_q.weight", &[2], &values[4]);
    check(&source, "text_encoder", "text_model.final_layer_norm.weight", &[2], &values[5]);
    let unread = Weights::open(&source, "unet").expect("a UNet").unread();
    assert_eq!(unread.len(), 3, "{unread:?}");
}

#[test]
fn queries_keys_and_values_of_open_clip_are_cut_out_of_one_tensor_and_its_projection_is_turned() {
    let (matrix, bias, projection) = (numbers(12, 1), numbers(6, 2), numbers(6, 3));
    let layer = "conditioner.embedders.1.model.transformer.resblocks.0.attn";
    let (weight, biases) = (format!("{layer}.in_proj_weight"), format!("{layer}.in_proj_bias"));
    let list: [(&str, &[usize], Vec<f32>); 3] = [
        (&weight, &[6, 2], matrix.clone()),
        (&biases, &[6], bias.clone()),
        ("conditioner.embedders.1.model.text_projection", &[2, 3], projection.clone()),
    ];
    let (_folder, source) = checkpoint(&list);
    for (i, part) in ["q", "k", "v"].into_iter().enumerate() {
        let name = format!("text_model.encoder.layers.0.self_attn.{part}_proj");
        check(&source, "text_encoder_2", &format!("{name}.weight"), &[2, 2], &matrix[i * 4..(i + 1) * 4]);
        check(&source, "text_encoder_2", &format!("{name}.bias"), &[2], &bias[i * 2..(i + 1) * 2]);
    }
    let p = &projection;
    check(&source, "text_encoder_2", "text_projection.weight", &[3, 2], &[p[0], p[3], p[1], p[4], p[2], p[5]]);
}

#[test]
fn a_checkpoint_without_a_part_says_which_and_one_without_configurations_says_where_it_looked() {
    let (folder, source) = checkpoint(&[("model.diffusion_model.input_blocks.0.0.weight", &[2], numbers(2, 1))]);
    let error = format!("{:#}", Weights::open(&source, "vae").map(|_| ()).expect_err("no autoencoder"));
    assert!(error.contains("vae") && error.contains("model.safetensors"), "{error}");
    let file = folder.path().join("model.safetensors");
    let error = Checkpoint::open(&file, folder.path().join("nowhere")).map(|_| ()).expect_err("no vocabulary");
    assert!(format!("{error:#}").contains("nowhere/tokenizer"), "{error:#}");
}

#[test]
fn what_a_file_does_not_say_is_what_is_usual_in_its_family() {
    let check = |text: &str| -> anyhow::Result<(usize, usize, Option<usize>, bool)> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("model.safetensors");
        let unet = "model.diffusion_model.input_blocks.0.0.weight";
        std::fs::write(&file, tensors(&[(unet, &[1], vec![0.0]), (text, &[1], vec![0.0])], &[]))?;
        vocabulary_in(&folder.path().join("config"));
        let source = Checkpoint::open(&file, Checkpoint::config_beside(&file))?;
        let spec = ModelSpec::read(&source)?;
        let vocabulary = vocabulary(&source, if spec.text_2.is_some() { "tokenizer_2" } else { "tokenizer" }, 77)?;
        let pads_with_end = vocabulary.marks().padding == vocabulary.marks().end;
        Ok((spec.unet.context, spec.text.layers, spec.text_2.map(|text| text.projection), pads_with_end))
    };
    assert_eq!(check("cond_stage_model.transformer.text_model.x").expect("SD 1"), (768, 12, None, true));
    assert_eq!(check("conditioner.embedders.1.model.x").expect("SD XL"), (2048, 12, Some(1280), false));
    let error = check("cond_stage_model.model.x").expect_err("SD 2 predicts noise or velocity").to_string();
    assert!(error.contains("scheduler/scheduler_config.json"), "{error}");
    let error = check("text_encoders.t5xxl.x").expect_err("another family").to_string();
    assert!(error.contains("model.safetensors"), "{error}");
}

#[test]
fn half_precision_inside_a_checkpoint_is_widened() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("model.safetensors");
    let values = [1.0f32, -2.5];
    let bytes: Vec<u8> = values.iter().flat_map(|v| half::bf16::from_f32(*v).to_le_bytes()).collect();
    let view = TensorView::new(Dtype::BF16, vec![2], &bytes).expect("a view");
    let name = "model.diffusion_model.input_blocks.0.0.weight";
    let text = "cond_stage_model.transformer.x";
    let file_bytes = safetensors::serialize([(name, view.clone()), (text, view)], None).expect("a file");
    std::fs::write(&file, file_bytes).expect("written");
    vocabulary_in(&folder.path().join("config"));
    let source = Checkpoint::open(&file, folder.path().join("config")).expect("a checkpoint");
    check(&source, "unet", "conv_in.weight", &[2], &values);
}
