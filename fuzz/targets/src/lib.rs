//! What is done with bytes that come from anywhere: a typed line, a session's file, a picture, weights, configurations.
//!
//! A target is a function of bytes. It may refuse them, and must not panic, wait or take memory without bound; what it
//! reads from them it holds to what the program says of such things. `fuzz/run` tries them by mutation, with coverage
//! where cargo-fuzz is there and without where it is not.

mod files;
mod lines;

use std::borrow::Cow;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use anyhow::Error;

/// What came of an input, so far as it tells inputs apart: two of another kind have other numbers, mostly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Outcome(pub u64);

impl Outcome {
    /// Something that was read; `facts` are few, and say what it is like.
    fn read(facts: &[usize]) -> Self {
        let mut hasher = DefaultHasher::new();
        // Sizes count by their order of magnitude.
        facts.iter().for_each(|fact| (usize::BITS - fact.leading_zeros()).hash(&mut hasher));
        Self(hasher.finish())
    }

    /// Something that was refused. What the message quotes and counts is left out: the rest says which check it was.
    fn refused(error: &Error) -> Self {
        let text = format!("{error:#}");
        assert!(!text.trim().is_empty(), "an error says what is the case");
        let mut hasher = DefaultHasher::new();
        let plain = |part: &str| part.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
        text.split('`').step_by(2).for_each(|part| plain(part).hash(&mut hasher));
        Self(hasher.finish())
    }
}

/// A target: its name, what it does, and words that inputs of its kind are made of.
pub struct Target {
    /// What it is called, and the folder of its corpus.
    pub name: &'static str,
    /// What is tried.
    pub run: fn(&[u8]) -> Outcome,
    /// Words that are put into inputs.
    pub words: &'static [&'static str],
}

/// Every target.
pub const TARGETS: [Target; 8] = [
    Target { name: "typed_line", run: lines::typed_line, words: lines::WORDS },
    Target { name: "session_file", run: files::session_file, words: files::SESSION_WORDS },
    Target {
        name: "png",
        run: files::png,
        words: &["wordbrush", "parameters", "tEXt", "zTXt", "iTXt", "IEND", "IHDR"],
    },
    Target { name: "safetensors", run: files::safetensors, words: files::HEADER_WORDS },
    Target { name: "model_config", run: files::model_config, words: files::CONFIG_WORDS },
    Target { name: "tokenizer", run: files::tokenizer, words: files::TOKENIZER_WORDS },
    Target { name: "lora", run: files::lora, words: files::LORA_WORDS },
    Target { name: "sweep", run: lines::sweep, words: lines::SWEEP_WORDS },
];

/// The target of a name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Bytes as text; what is none is replaced, as it is where a person's lines are read.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(name);
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
    }

    #[test]
    fn every_target_has_a_corpus_and_takes_each_of_its_files() {
        for target in &TARGETS {
            let files = corpus(target.name);
            assert!(files.len() >= 3, "{} has {} files", target.name, files.len());
            let outcomes: std::collections::HashSet<Outcome> =
                files.iter().map(|(_, bytes)| (target.run)(bytes)).collect();
            assert!(outcomes.len() > 1, "{}: whatever is tried, one thing comes of it", target.name);
        }
    }

    #[test]
    fn what_is_refused_for_one_reason_is_one_outcome_and_for_another_is_another() {
        let refused = |text: &str| Outcome::refused(&anyhow::anyhow!(text.to_owned()));
        assert_eq!(refused("`a` of 3 is wrong"), refused("`bc` of 17 is wrong"));
        assert_ne!(refused("`a` of 3 is wrong"), refused("`a` of 3 is damaged"));
    }
}
