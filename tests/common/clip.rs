//! A small CLIP: the towers of the small CLIPSeg that the published cases come with.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use candle_core::{Device, Tensor, safetensors};
use serde_json::{Value, json};

/// The CLIPSeg.
pub(crate) fn clipseg() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/models/tiny-clipseg")
}

/// Its towers as a CLIP in `folder`; returns their tensors.
pub(crate) fn write_clip(folder: &Path) -> HashMap<String, Tensor> {
    let from = clipseg();
    fs::create_dir_all(folder).expect("a folder");
    let all = safetensors::load(from.join("model.safetensors"), &Device::Cpu).expect("weights");
    let own = |(name, tensor): (String, Tensor)| Some((name.strip_prefix("clip.")?.to_owned(), tensor));
    let towers: HashMap<String, Tensor> = all.into_iter().filter_map(own).collect();
    safetensors::save(&towers, folder.join("model.safetensors")).expect("written");
    let mut config: Value =
        serde_json::from_slice(&fs::read(from.join("config.json")).expect("a file")).expect("a configuration");
    config["model_type"] = json!("clip");
    config["text_config"]["model_type"] = json!("clip_text_model");
    config["vision_config"]["model_type"] = json!("clip_vision_model");
    fs::write(folder.join("config.json"), config.to_string()).expect("written");
    let pixels = json!({
        "do_resize": true, "size": 224, "resample": 3, "do_center_crop": true, "crop_size": 224, "do_normalize": true,
        "image_mean": [0.481_454_66, 0.457_827_5, 0.408_210_73], "image_std": [0.268_629_54, 0.261_302_58, 0.275_777_11],
    });
    fs::write(folder.join("preprocessor_config.json"), pixels.to_string()).expect("written");
    for name in ["vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"] {
        fs::copy(from.join(name), folder.join(name)).expect("copied");
    }
    towers
}
