//! Files from elsewhere.

use std::collections::HashMap;
use std::io::{self, Cursor, Read};
use std::path::Path;

use anyhow::Result;
use wordbrush::model::lora::Lora;
use wordbrush::model::spec::ModelSpec;
use wordbrush::model::weights::Weights;
use wordbrush::model::{FileBytes, ModelSource};
use wordbrush::preview::png as pictures;
use wordbrush::prompt::vocabulary::{Files, Vocabulary};
use wordbrush::safe::is_printable;
use wordbrush::session::file::{Contents, Trust, read, read_lineage};
use wordbrush::store::disk::Disk;

use crate::{Outcome, text};

pub(crate) const SESSION_WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\n",
    "{\"set\":{\"name\":\"",
    "{\"move\":{\"to\":1}}\n",
    "\"parent\":",
    "\"node\":",
    "\"columns\":\"",
    "32x own",
    "1x 1<",
    "\"weights\":[",
    "\"region\":",
    "\"everywhere\"",
    "\"spans\":[[0,1,0,1]]",
    "1e999",
    "-1",
    "18446744073709551615",
    "null",
    "true",
    "\"recipe\":",
    "\"origin\":",
    "\"model\":\"/etc/",
    "../",
    "\\u001b[2J",
    "\\u202e",
    "\u{feff}",
    "4294967295",
    "0.1",
    "\"steps\":",
    "\"size\":",
    "\"name\":",
    "\"picture\":",
];

pub(crate) const HEADER_WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\"dtype\":",
    "\"F32\"",
    "\"F16\"",
    "\"BF16\"",
    "\"F8_E4M3\"",
    "\"F4\"",
    "\"I64\"",
    "\"shape\":",
    "\"data_offsets\":",
    "[0,4]",
    "[4,0]",
    "18446744073709551615",
    "9223372036854775808",
    "-1",
    "1e3",
    "\"__metadata__\":",
    "_orig_mod.",
    "conv_in.weight",
    "lora_adapter_metadata",
];

pub(crate) const LORA_WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\"dtype\":\"F32\"",
    "\"shape\":[2,2]",
    "\"data_offsets\":[0,16]",
    "lora_unet_",
    "lora_te_",
    "lora_te1_",
    "lora_te2_",
    ".lora_down.weight",
    ".lora_up.weight",
    ".lora_mid.weight",
    ".alpha",
    "unet.",
    "text_encoder.",
    ".lora_A.weight",
    ".lora_B.weight",
    ".processor",
    "to_q_lora.down.weight",
    "lora.up",
    "hada_w1_a",
    "oft_blocks",
    "dora_scale",
    "base_model.model.",
    "transformer",
    "down_blocks_0_attentions_0_",
    "to_out_0",
    "..",
    "_",
    "\"__metadata__\":{\"lora_adapter_metadata\":\"{}\"}",
    "default.",
    "diffusion_model.",
    ".diff",
];

pub(crate) const CONFIG_WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "1e999",
    "18446744073709551615",
    "0.18215",
    "\"block_out_channels\":",
    "\"attention_head_dim\":",
    "\"cross_attention_dim\":",
    "\"down_block_types\":",
    "\"CrossAttnDownBlock2D\"",
    "\"in_channels\":",
    "\"layers_per_block\":",
    "\"norm_num_groups\":",
    "\"_class_name\":",
    "\"beta_schedule\":",
    "\"scaled_linear\"",
    "\"num_train_timesteps\":",
    "\"trained_betas\":",
    "\"prediction_type\":",
    "\"steps_offset\":",
    "\"vocab_size\":",
    "\"hidden_size\":",
    "\"max_position_embeddings\":",
    "\"scaling_factor\":",
    "--- unet/config.json\n",
    "--- vae/config.json\n",
    "--- scheduler/scheduler_config.json\n",
    "--- text_encoder/config.json\n",
    "--- model_index.json\n",
    "\"mid_block_type\":",
    "\"timestep_spacing\":",
    "\"rescale_betas_zero_snr\":",
    "\"transformer_layers_per_block\":",
    "\"time_cond_proj_dim\":",
    "\"projection_dim\":",
];

pub(crate) const TOKENIZER_WORDS: &[&str] = &[
    "--- tokenizer.json\n",
    "--- vocab.json\n",
    "--- merges.txt\n",
    "--- tokenizer_config.json\n",
    "--- vocab.txt\n",
    "--- special_tokens_map.json\n",
    "--- added_tokens.json\n",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "</w>",
    "<|startoftext|>",
    "<|endoftext|>",
    "\"model\":",
    "\"type\":\"BPE\"",
    "\"WordPiece\"",
    "\"vocab\":",
    "\"merges\":",
    "\"unk_token\":",
    "##",
    "[CLS]",
    "[SEP]",
    "[PAD]",
    "[UNK]",
    "4294967295",
    "-1",
    "null",
    "\"normalizer\":",
    "\"pre_tokenizer\":",
    "\"added_tokens\":",
    "\"content\":",
    "\"pattern\":{\"Regex\":\"",
    "(a+)+$",
    "\n",
    "a b",
    "\"pad_token\":",
    "\"model_max_length\":",
];

/// One file that is in memory, whatever it is called.
struct OneFile(Vec<u8>);

fn only_read<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Disk for OneFile {
    fn open(&self, _: &Path) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(self.0.clone())))
    }

    fn create(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        only_read()
    }

    fn append(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        only_read()
    }

    fn sync(&self, _: &Path) -> io::Result<()> {
        only_read()
    }

    fn truncate(&self, _: &Path, _: u64) -> io::Result<()> {
        only_read()
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        only_read()
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        only_read()
    }

    fn make_folder(&self, _: &Path) -> io::Result<()> {
        only_read()
    }
}

/// A session's file, as one from elsewhere and as one's own.
pub(crate) fn session_file(bytes: &[u8]) -> Outcome {
    let disk = OneFile(bytes.to_vec());
    let trust = if bytes.len().is_multiple_of(2) { Trust::Imported } else { Trust::Own };
    match read(Path::new("fox.jsonl"), &disk, trust) {
        Ok(contents) => tree_outcome(&contents),
        Err(error) => Outcome::refused(&error),
    }
}

/// What is shown of a tree is safe to show, and what is in it hangs together.
fn tree_outcome(contents: &Contents) -> Outcome {
    let tree = &contents.tree;
    for shown in [tree.draw_tree(), tree.draw_log()] {
        assert!(shown.chars().all(is_printable), "{shown:?}");
    }
    for node in tree.nodes() {
        assert!(node.parent.is_none_or(|parent| parent < node.number), "#{} of #{:?}", node.number, node.parent);
        let tokens = node.plan.tokens();
        assert!(tokens > 0, "#{} has no tokens", node.number);
    }
    assert!(tree.here().is_none_or(|here| here as usize <= tree.len()));
    Outcome::read(&[tree.len(), tree.roots().len(), tree.log().len(), contents.notes.len(), contents.outside.len()])
}

/// A picture; once more with its checksums mended, which few changed bytes would get past.
pub(crate) fn png(bytes: &[u8]) -> Outcome {
    let _ = pictures::decode(bytes);
    match pictures::decode(&with_checksums(bytes)) {
        Ok((picture, notes)) => {
            let parsed = notes.parameters.as_deref().and_then(pictures::Parameters::parse);
            if let Some(parameters) = &parsed {
                // What was written in that form is read as the same.
                let _ = pictures::Parameters::parse(&parameters.to_text());
            }
            let lineage = notes.wordbrush.as_ref().map(read_lineage);
            if let Some(Ok(contents)) = &lineage {
                return tree_outcome(contents);
            }
            if let Some(Err(error)) = &lineage {
                return Outcome::refused(error);
            }
            Outcome::read(&[
                picture.width() as usize,
                usize::from(parsed.is_some()),
                usize::from(notes.parameters.is_some()),
            ])
        }
        Err(error) => Outcome::refused(&error),
    }
}

/// The same chunks, each with the checksum that it should have.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut at = 8;
    while let Some(length) = out.get(at..at + 4) {
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let Some(end) =
            at.checked_add(8).and_then(|begin| begin.checked_add(length)).filter(|end| end + 4 <= out.len())
        else {
            break;
        };
        let sum = checksum(&out[at + 4..end]);
        out[end..end + 4].copy_from_slice(&sum.to_be_bytes());
        at = end + 4;
    }
    out
}

/// CRC-32 as PNG has it.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// Files in memory that make a model.
struct InMemory(HashMap<String, Vec<u8>>);

impl ModelSource for InMemory {
    fn name(&self) -> String {
        "made up".to_owned()
    }

    fn open(&self, path: &str) -> Result<Option<FileBytes>> {
        Ok(self.0.get(path).map(|bytes| FileBytes::Memory(bytes.clone().into())))
    }
}

/// Weights: a header, behind its length or by itself, and some data.
pub(crate) fn safetensors(bytes: &[u8]) -> Outcome {
    let path = "unet/diffusion_pytorch_model.safetensors".to_owned();
    let source = InMemory(HashMap::from([(path, weights(bytes))]));
    match Weights::open(&source, "unet") {
        Ok(weights) => {
            let names = weights.unread();
            for name in names.iter().take(8) {
                // Of whatever shape it is, it may be read as one that it is not.
                let _ = weights.values(name, &[2, 2]);
                let _ = weights.values(name, &[4]);
            }
            Outcome::read(&[1, names.len()])
        }
        Err(error) => Outcome::refused(&error),
    }
}

/// Bytes that begin as a header's JSON does get the length that says so, and data.
fn weights(bytes: &[u8]) -> Vec<u8> {
    if bytes.first() != Some(&b'{') {
        return bytes.to_vec();
    }
    let mut file = (bytes.len() as u64).to_le_bytes().to_vec();
    file.extend(bytes);
    file.extend([0; 4096]);
    file
}

/// The texts below lines `--- NAME`; what stands above the first is the text of `first`.
fn sections(text: &str, first: &str) -> HashMap<String, Vec<u8>> {
    let mut found: HashMap<String, Vec<u8>> = HashMap::new();
    let mut name = first.to_owned();
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("--- ") {
            Some(next) => name = next.trim().to_owned(),
            None => found.entry(name.clone()).or_default().extend(line.as_bytes()),
        }
    }
    found
}

/// Configurations; those that are not given are those of the model in the program.
pub(crate) fn model_config(bytes: &[u8]) -> Outcome {
    let mut files = HashMap::from(
        [
            ("model_index.json", include_str!("../../../assets/atelier/model_index.json")),
            ("unet/config.json", include_str!("../../../assets/atelier/unet/config.json")),
            ("vae/config.json", include_str!("../../../assets/atelier/vae/config.json")),
            ("text_encoder/config.json", include_str!("../../../assets/atelier/text_encoder/config.json")),
            (
                "scheduler/scheduler_config.json",
                include_str!("../../../assets/atelier/scheduler/scheduler_config.json"),
            ),
        ]
        .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())),
    );
    files.extend(sections(&text(bytes), "unet/config.json"));
    match ModelSpec::read(&InMemory(files)) {
        Ok(spec) => {
            let usual = spec.usual();
            Outcome::read(&[1, spec.family().len(), usual.steps, spec.vae.factor()])
        }
        Err(error) => Outcome::refused(&error),
    }
}

/// A tokenizer's files, and a text that it reads.
pub(crate) fn tokenizer(bytes: &[u8]) -> Outcome {
    let mut found = sections(&text(bytes), "tokenizer.json");
    let mut take = |name: &str| found.remove(name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let files = Files {
        tokenizer: take("tokenizer.json"),
        vocab: take("vocab.json"),
        merges: take("merges.txt"),
        config: take("tokenizer_config.json"),
        special: take("special_tokens_map.json"),
        words: take("vocab.txt"),
        added: take("added_tokens.json"),
    };
    let vocabulary = match Vocabulary::read(&files, 32) {
        Ok(vocabulary) => vocabulary,
        Err(error) => return Outcome::refused(&error),
    };
    let text = "a cat's hair, on a red beach 猫 e\u{301} <|endoftext|> aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!";
    match vocabulary.tokens(text) {
        Ok(tokens) => {
            for (_, place) in &tokens {
                assert!(text.get(place.clone()).is_some(), "{place:?} is no place in the text");
            }
            let _ = vocabulary.prompt(text);
            Outcome::read(&[1, tokens.len(), vocabulary.whole_words().len()])
        }
        Err(error) => Outcome::refused(&error),
    }
}

/// A LoRA's header.
pub(crate) fn lora(bytes: &[u8]) -> Outcome {
    let path = std::env::temp_dir().join(format!("wordbrush-fuzz-{}.safetensors", std::process::id()));
    if std::fs::write(&path, weights(bytes)).is_err() {
        return Outcome::read(&[0]);
    }
    let opened = Lora::open(&path, 1.0);
    let _ = std::fs::remove_file(&path);
    match opened {
        Ok(lora) => Outcome::read(&[1, lora.path().len()]),
        Err(error) => Outcome::refused(&error),
    }
}
