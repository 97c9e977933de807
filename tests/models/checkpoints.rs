//! Whole models in one file of the original layout.

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use wordbrush::model::ModelSource;
use wordbrush::model::checkpoint::Checkpoint;
use wordbrush::model::weights::Weights;

use super::{numbers, tensors};

/// A checkpoint of these tensors beside an empty folder of configurations.
fn checkpoint(list: &[(&str, &[usize], Vec<f32>)]) -> (tempfile::TempDir, Checkpoint) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("model.safetensors");
    std::fs::write(&file, tensors(list, &[])).expect("written");
    for part in ["unet", "vae", "text_encoder", "tokenizer"] {
        std::fs::create_dir_all(folder.path().join("config").join(part)).expect("a folder");
    }
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
    let error = Checkpoint::open(&file, folder.path().join("nowhere")).map(|_| ()).expect_err("no configurations");
    assert!(format!("{error:#}").contains("nowhere"), "{error:#}");
}

#[test]
fn half_precision_inside_a_checkpoint_is_widened() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("model.safetensors");
    let values = [1.0f32, -2.5];
    let bytes: Vec<u8> = values.iter().flat_map(|v| half::bf16::from_f32(*v).to_le_bytes()).collect();
    let view = TensorView::new(Dtype::BF16, vec![2], &bytes).expect("a view");
    let name = "model.diffusion_model.input_blocks.0.0.weight";
    std::fs::write(&file, safetensors::serialize([(name, view)], None).expect("a file")).expect("written");
    for part in ["unet", "vae", "text_encoder", "tokenizer"] {
        std::fs::create_dir_all(folder.path().join("config").join(part)).expect("a folder");
    }
    let source = Checkpoint::open(&file, folder.path().join("config")).expect("a checkpoint");
    check(&source, "unet", "conv_in.weight", &[2], &values);
}
