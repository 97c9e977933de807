//! What stands in several rows of the table of verbs, each once.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::{Arg, ArgAction, value_parser};

use crate::plan::device::DeviceName;
use crate::session::file::Hinted;

/// Options that every verb takes, and so does the conversation.
pub(super) fn everywhere() -> Vec<Arg> {
    vec![
        option("model", "M", "embedded, a folder, a file, or owner/name[@revision]"),
        option("set", "NAME=VALUE", "a setting (repeatable); /set inside lists them")
            .action(ArgAction::Append)
            .value_parser(setting),
        option("preview", "P", "kitty, iterm, sixel, blocks, none or auto")
            .value_parser(PossibleValuesParser::new(["auto", "kitty", "iterm", "sixel", "blocks", "none"])),
        option("device", "D", "where to compute: cpu, cuda, cuda:1, metal or plain").value_parser(device),
        option("cache-ram", "BYTES", "memory for what can be computed again, such as 512M").value_parser(size),
        option("cache-disk", "BYTES", "the same on disk, such as 4G").value_parser(size),
        switch("help", "what the program or a verb does").action(ArgAction::Help),
    ]
}

/// `--name VALUE`.
pub(super) fn option(name: &'static str, value: &'static str, about: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(about)
}

/// `--name`.
pub(super) fn switch(name: &'static str, about: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(about)
}

/// What stands free, and the verb cannot do without.
pub(super) fn free(name: &'static str) -> Arg {
    Arg::new(name).required(true)
}

/// A file that stands free.
pub(super) fn file(name: &'static str) -> Arg {
    free(name).value_parser(value_parser!(PathBuf))
}

/// Files that stand free, one at least.
pub(super) fn files(name: &'static str) -> Arg {
    file(name).num_args(1..).action(ArgAction::Append)
}

pub(super) fn out() -> Arg {
    option("out", "DIR", "the folder where pictures and results are written").value_parser(value_parser!(PathBuf))
}

pub(super) fn plain() -> Arg {
    switch("plain", "no pictures, no colours, no cursor movement")
}

pub(super) fn session() -> Arg {
    option("session", "FILE", "a session file, made if it is not there").value_parser(value_parser!(PathBuf))
}

pub(super) fn read_only() -> Arg {
    switch("read-only", "look at a session, also while another window writes it")
}

pub(super) fn json() -> Arg {
    switch("json", "one JSON object a line, for programs")
}

pub(super) fn precision(known: &'static [&'static str]) -> Arg {
    option("precision", "P", "f32 or bf16").value_parser(PossibleValuesParser::new(known))
}

/// Whole numbers of a range.
pub(super) fn whole(range: RangeInclusive<u64>) -> ValueParser {
    ValueParser::new(move |text: &str| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        let what = match (*range.start(), *range.end()) {
            (0, u64::MAX) => "is no whole number".to_owned(),
            (from, to) => format!("is no whole number from {from} to {to}"),
        };
        number.ok_or_else(|| Hinted::new(what, ""))
    })
}

fn setting(text: &str) -> Result<(String, String), Hinted> {
    let parts = text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    parts.ok_or_else(|| Hinted::new("has no value", "--set k=.3"))
}

/// A device of this build, as it is typed: what the setting of that name takes.
fn device(text: &str) -> Result<String, Hinted> {
    let found = text.parse().and_then(DeviceName::in_this_build);
    found.map(|device| device.to_string()).map_err(|error| Hinted::new(error.what(), error.hint()))
}

fn size(text: &str) -> Result<u64, Hinted> {
    bytes(text).ok_or_else(|| Hinted::new("is no number of bytes", "512M, 4G or 1000000"))
}

/// A number of bytes such as `512M`, `4G` or `1000000`.
#[must_use]
pub fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, factor) = match text.chars().last().map(|c| c.to_ascii_uppercase()) {
        Some('K') => (&text[..text.len() - 1], 1 << 10),
        Some('M') => (&text[..text.len() - 1], 1 << 20),
        Some('G') => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1u64),
    };
    digits.trim().parse::<u64>().ok().and_then(|n| n.checked_mul(factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_with_and_without_a_letter() {
        assert_eq!(bytes("512M"), Some(512 << 20));
        assert_eq!(bytes("7"), Some(7));
        for none in ["99999999999999999999G", "-1", ""] {
            assert_eq!(bytes(none), None, "{none}");
        }
    }
}
