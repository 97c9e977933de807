//! Which files of a model are needed.
//!
//! Paths are made here and looked up in a listing; no path of a listing is ever followed. Only the shards of an index
//! file have names of their own, and those are checked.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::Result;

use super::error::trouble;
use crate::model::weights::{Stored, candidates};
use crate::model::{ModelSource, inside};

/// The files to fetch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Configurations and vocabularies.
    pub(super) small: Vec<String>,
    /// One entry for each part that has weights.
    weights: Vec<Stored>,
}

/// A network that has a name of its own, its files at the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alone {
    /// One that makes masks from texts.
    Segmenter,
    /// An autoencoder.
    Autoencoder,
}

/// The first thing that a model lacks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// Not in the diffusers layout at all.
    Layout,
    /// This file.
    File(String),
    /// This file is there and cut short, or not what its name says.
    Whole(String),
    /// This part has pickled weights only.
    Pickled(&'static str),
}

impl Lack {
    /// One thing to try.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Layout => "name a model in the diffusers layout, with unet/, vae/, text_encoder/ and tokenizer/",
            Self::File(_) | Self::Whole(_) => "name another model or revision",
            Self::Pickled(_) => {
                "pickles can run code and are not read; name a model or revision with .safetensors files"
            }
        }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layout => f.write_str("it has no unet/ with a config.json"),
            Self::File(path) => write!(f, "it has no {path}"),
            Self::Whole(path) => write!(f, "its {path} is cut short or damaged"),
            Self::Pickled("") => f.write_str("its weights are pickled (.bin) only"),
            Self::Pickled(part) => write!(f, "the weights in {part}/ are pickled (.bin) only"),
        }
    }
}

const TOKENIZER_FILES: [&str; 7] = [
    "tokenizer.json",
    "vocab.json",
    "merges.txt",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
];

/// Chooses among `names`; `two` says that a second text encoder is needed, which is otherwise taken if it is there.
pub(super) fn choose(names: &BTreeSet<&str>, two: bool) -> Result<Plan, Lack> {
    if !names.contains("unet/config.json") {
        return Err(Lack::Layout);
    }
    let two = two || names.contains("text_encoder_2/config.json");
    // The forerunner of Stable Diffusion calls its folders otherwise, and its words are in one file.
    let is_ldm = names.contains("bert/config.json") && names.contains("vqvae/config.json");
    let (text, vae) = if is_ldm { ("bert", "vqvae") } else { ("text_encoder", "vae") };
    let mut plan = Plan { small: Vec::new(), weights: Vec::new() };
    let need = |path: String| if names.contains(path.as_str()) { Ok(path) } else { Err(Lack::File(path)) };

    plan.small.extend(need("model_index.json".to_owned()).ok());
    plan.small.push(need("scheduler/scheduler_config.json".to_owned())?);
    for part in ["tokenizer", "tokenizer_2"].into_iter().take(if two { 2 } else { 1 }) {
        if need(format!("{part}/tokenizer.json")).is_err() && !(is_ldm && need(format!("{part}/vocab.txt")).is_ok()) {
            need(format!("{part}/vocab.json"))?;
            need(format!("{part}/merges.txt"))?;
        }
        plan.small.extend(TOKENIZER_FILES.iter().filter_map(|file| need(format!("{part}/{file}")).ok()));
    }
    for part in [text, "unet", vae, "text_encoder_2"].into_iter().take(if two { 4 } else { 3 }) {
        plan.small.push(need(format!("{part}/config.json"))?);
        plan.weights.push(weights(names, part)?);
    }
    Ok(plan)
}

/// Chooses among `names` what a network needs that stands alone, its files at the top.
pub(super) fn choose_alone(names: &BTreeSet<&str>, alone: Alone) -> Result<Plan, Lack> {
    let need = |path: &str| {
        if names.contains(path) { Ok(path.to_owned()) } else { Err(Lack::File(path.to_owned())) }
    };
    let mut plan = Plan { small: vec![need("config.json")?], weights: Vec::new() };
    if alone == Alone::Segmenter {
        plan.small.push(need("preprocessor_config.json")?);
        if need("tokenizer.json").is_err() {
            need("vocab.json")?;
            need("merges.txt")?;
        }
        plan.small.extend(TOKENIZER_FILES.iter().filter_map(|file| need(file).ok()));
    }
    plan.weights.push(weights(names, "")?);
    Ok(plan)
}

/// The weights of a part, in the order in which they are looked for when they are read.
fn weights(names: &BTreeSet<&str>, part: &'static str) -> Result<Stored, Lack> {
    let there = |stored: &Stored| match stored {
        Stored::Single(path) | Stored::Index(path) => names.contains(path.as_str()),
    };
    if let Some(stored) = candidates(part).find(there) {
        return Ok(stored);
    }
    let in_part = |name: &&&str| match part {
        "" => !name.contains('/'),
        _ => name.strip_prefix(part).is_some_and(|rest| rest.starts_with('/')),
    };
    if names.iter().filter(in_part).any(|name| name.ends_with(".bin")) {
        return Err(Lack::Pickled(part));
    }
    let is_model = part.is_empty() || part.starts_with("text_encoder") || part == "bert";
    let stem = if is_model { "model" } else { "diffusion_pytorch_model" };
    Err(Lack::File(inside(part, &format!("{stem}.safetensors"))))
}

impl Plan {
    /// The index files of sharded weights.
    pub(super) fn indexes(&self) -> impl Iterator<Item = &String> {
        self.weights.iter().filter_map(|weights| match weights {
            Stored::Index(path) => Some(path),
            Stored::Single(_) => None,
        })
    }

    /// All weights, once the index files are in `folder`.
    ///
    /// # Errors
    /// Fails if an index file is damaged or names a file that is no shard beside it.
    pub(super) fn weight_files(&self, folder: &dyn ModelSource) -> Result<Vec<String>> {
        let mut files = Vec::new();
        for weights in &self.weights {
            match weights {
                Stored::Single(path) => files.push(path.clone()),
                Stored::Index(path) => {
                    let part = path.split_once('/').map_or("", |(part, _)| part);
                    let Some(shards) = shards(&folder.text(path)?) else {
                        let message = format!("{path} is damaged: it does not say which files the weights are in");
                        return Err(trouble(message, "name another model or revision"));
                    };
                    files.extend(shards.iter().map(|shard| inside(part, shard)));
                }
            }
        }
        Ok(files)
    }
}

/// The shards that an index names, each once; none if the index is damaged or a name is not a plain file name.
fn shards(index: &str) -> Option<BTreeSet<String>> {
    let index: serde_json::Value = serde_json::from_str(index).ok()?;
    let names = index.get("weight_map")?.as_object()?.values();
    let shard = |name: &serde_json::Value| {
        let name = name.as_str()?;
        (super::name::is_file_name(name) && name.ends_with(".safetensors")).then(|| name.to_owned())
    };
    names.map(shard).collect::<Option<BTreeSet<_>>>().filter(|shards| !shards.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: &str = "unet/config.json vae/config.json text_encoder/config.json scheduler/scheduler_config.json";

    #[track_caller]
    fn check(files: &str, expected: &str) {
        let text = format!("{BARE} {files}");
        let names = text.split_whitespace().collect();
        let chosen = match choose(&names, false) {
            Ok(plan) => {
                let weights = plan.weights.iter().map(|w| match w {
                    Stored::Single(path) => path.clone(),
                    Stored::Index(path) => format!("[{path}]"),
                });
                weights.collect::<Vec<_>>().join(" ")
            }
            Err(lack) => lack.to_string(),
        };
        assert_eq!(chosen, expected);
    }

    const TOKENS: &str = "tokenizer/vocab.json tokenizer/merges.txt";
    const REST: &str =
        "tokenizer/tokenizer.json vae/diffusion_pytorch_model.safetensors text_encoder/model.safetensors";

    #[test]
    fn full_precision_goes_before_half_and_half_before_nothing() {
        let others =
            |unet: &str| format!("text_encoder/model.safetensors {unet} vae/diffusion_pytorch_model.safetensors");
        let single = "unet/diffusion_pytorch_model.safetensors";
        let half = "unet/diffusion_pytorch_model.fp16.safetensors";
        check(&format!("{REST} {single} {half}"), &others(single));
        check(&format!("{REST} {half}"), &others(half));
        let index = "unet/diffusion_pytorch_model.safetensors.index.json";
        check(&format!("{REST} {index} {half}"), &others(&format!("[{index}]")));
        let half_index = "unet/diffusion_pytorch_model.safetensors.index.fp16.json";
        check(&format!("{REST} {half_index}"), &others(&format!("[{half_index}]")));
    }

    #[test]
    fn what_a_model_lacks_is_named() {
        check("", "it has no tokenizer/vocab.json");
        check("tokenizer/vocab.json", "it has no tokenizer/merges.txt");
        check(TOKENS, "it has no text_encoder/model.safetensors");
        check(REST, "it has no unet/diffusion_pytorch_model.safetensors");
        check(&format!("{REST} unet/diffusion_pytorch_model.bin"), "the weights in unet/ are pickled (.bin) only");
        check(&format!("{REST} unet_2/x.bin"), "it has no unet/diffusion_pytorch_model.safetensors");
        assert_eq!(choose(&["transformer/config.json"].into(), false), Err(Lack::Layout));
    }

    #[test]
    fn only_named_files_are_taken_and_never_a_pickle() {
        let text = format!("{BARE} {REST} {TOKENS} model_index.json unet/diffusion_pytorch_model.safetensors");
        let mut names: BTreeSet<&str> = text.split_whitespace().collect();
        let plan = choose(&names, false).unwrap();
        names.extend([
            "unet/diffusion_pytorch_model.bin",
            "v1.ckpt",
            "../../x",
            "/etc/x",
            "safety_checker/model.safetensors",
        ]);
        assert_eq!(choose(&names, false).unwrap(), plan);
        assert_eq!(plan.small.len() + plan.weights.len(), text.split_whitespace().count());
    }

    #[test]
    fn a_second_text_encoder_is_taken_if_it_is_there_and_missed_if_it_is_needed() {
        let text = format!("{BARE} {REST} unet/diffusion_pytorch_model.safetensors");
        let mut names: BTreeSet<&str> = text.split_whitespace().collect();
        assert_eq!(choose(&names, true), Err(Lack::File("tokenizer_2/vocab.json".to_owned())));
        names.extend(["text_encoder_2/config.json", "text_encoder_2/model.safetensors", "tokenizer_2/tokenizer.json"]);
        assert_eq!(choose(&names, false).unwrap().weights.len(), 4);
    }

    #[test]
    fn the_forerunner_of_stable_diffusion_has_folders_of_its_own() {
        let text = "unet/config.json vqvae/config.json bert/config.json scheduler/scheduler_config.json tokenizer/vocab.txt \
             unet/diffusion_pytorch_model.safetensors vqvae/diffusion_pytorch_model.safetensors bert/model.safetensors";
        let plan = choose(&text.split_whitespace().collect(), false).unwrap();
        assert_eq!(plan.small.len() + plan.weights.len(), text.split_whitespace().count());
    }

    #[test]
    fn an_autoencoder_alone_needs_its_configuration_and_its_weights() {
        let choose = |names: &str| {
            choose_alone(&names.split_whitespace().collect(), Alone::Autoencoder).map_err(|lack| lack.to_string())
        };
        let weights = "diffusion_pytorch_model.safetensors";
        let plan = choose(&format!("config.json {weights} diffusion_pytorch_model.bin taesd.pth")).unwrap();
        assert_eq!(
            (plan.small, plan.weights),
            (vec!["config.json".to_owned()], vec![Stored::Single(weights.to_owned())])
        );
        assert_eq!(choose(weights).unwrap_err(), "it has no config.json");
        assert_eq!(
            choose("config.json x.bin vae/model.safetensors").unwrap_err(),
            "its weights are pickled (.bin) only"
        );
    }

    #[test]
    fn of_a_network_that_makes_masks_the_files_beside_its_configuration_are_taken() {
        let check = |files: &str, lack: Option<&str>| {
            let chosen = choose_alone(&files.split_whitespace().collect(), Alone::Segmenter);
            match (&chosen, lack) {
                (Ok(plan), None) => {
                    let taken = plan.small.len() + plan.weights.len();
                    assert_eq!(taken, files.split_whitespace().filter(|f| !f.ends_with(".bin")).count(), "{files}");
                }
                (Err(error), Some(lack)) => assert_eq!(error.to_string(), lack, "{files}"),
                _ => panic!("{files}: {chosen:?}"),
            }
        };
        let bare = "config.json preprocessor_config.json vocab.json merges.txt";
        check(&format!("{bare} model.safetensors pytorch_model.bin"), None);
        check(&format!("{bare} model.safetensors.index.json"), None);
        check(&format!("{bare} pytorch_model.bin"), Some("its weights are pickled (.bin) only"));
        check(bare, Some("it has no model.safetensors"));
        check("config.json vocab.json merges.txt model.safetensors", Some("it has no preprocessor_config.json"));
        check("config.json preprocessor_config.json vocab.json model.safetensors", Some("it has no merges.txt"));
    }

    #[test]
    fn an_index_that_names_a_path_is_damaged() {
        let index =
            |file: &str| format!(r#"{{"weight_map":{{"a":"x-1.safetensors","b":"{file}","c":"x-1.safetensors"}}}}"#);
        assert_eq!(shards(&index("x-2.safetensors")).unwrap().len(), 2);
        for bad in ["../x.safetensors", "/x.safetensors", "a/x.safetensors", "x.bin", "", "..", ".safetensors"] {
            assert_eq!(shards(&index(bad)), None, "{bad}");
        }
        assert_eq!(shards(r#"{"weight_map":{}}"#), None);
        assert_eq!(shards("{"), None);
    }
}
