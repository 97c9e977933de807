//! The command line.

use std::path::PathBuf;

use anyhow::Result;

use super::verbs::{COMMON, VERBS};
use crate::session::file::Hinted;

/// What was asked for on the command line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Args {
    /// The verb: "" for the conversation, else `run`, `explain`, …
    pub verb: String,
    /// What stands free: files, names, a line.
    pub free: Vec<String>,
    /// `--name value` pairs and `--name` switches (with value ""), in order.
    pub options: Vec<(String, String)>,
}

impl Args {
    /// Reads the words after the program's name.
    ///
    /// # Errors
    /// Fails on an unknown option or one without its value; the hint names what there is.
    pub fn read(words: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut words = words.into_iter().peekable();
        let mut args = Self::default();
        if let Some(first) = words.peek()
            && VERBS.iter().any(|v| !v.name.is_empty() && v.name == *first)
        {
            args.verb = words.next().unwrap_or_default();
        }
        let verb = VERBS.iter().find(|v| v.name == args.verb).unwrap_or(&VERBS[0]);
        let mut only_free = false;
        while let Some(word) = words.next() {
            let Some(option) = word.strip_prefix("--").filter(|o| !only_free && !o.is_empty() && !o.starts_with('-'))
            else {
                // Everything after a bare `--` stands free, and so does a line that begins with a single `-`.
                if word == "--" && !only_free {
                    only_free = true;
                } else {
                    args.free.push(word);
                }
                continue;
            };
            let (name, given) = option.split_once('=').map_or((option, None), |(n, v)| (n, Some(v.to_owned())));
            if verb.switches.contains(&name) && given.is_none() {
                args.options.push((name.to_owned(), String::new()));
            } else if verb.valued.contains(&name) || COMMON.contains(&name) {
                let value = given.or_else(|| words.next());
                let Some(value) = value else {
                    return Err(Hinted::new(format!("`--{name}` needs a value"), "wordbrush --help").into());
                };
                args.options.push((name.to_owned(), value));
            } else if args.verb == "explain" {
                args.free.push(word);
            } else {
                let known: Vec<&str> = verb.switches.iter().chain(verb.valued).chain(COMMON).copied().collect();
                let near = crate::turn::nearest(name, known.iter().copied());
                let hint = near.map_or_else(|| "wordbrush --help".to_owned(), |n| format!("did you mean `--{n}`?"));
                return Err(Hinted::new(format!("there is no option `--{name}` here"), hint).into());
            }
        }
        Ok(args)
    }

    /// Whether a switch was given.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(n, _)| n == name)
    }

    /// The last value of an option.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.options.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// All values of an option, in order.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.options.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The settings given by `--model` and `--set`, in order.
    ///
    /// # Errors
    /// Fails if a `--set` has no `=`.
    pub fn settings(&self) -> Result<Vec<(String, String)>> {
        let mut all: Vec<(String, String)> =
            self.value("model").map(|m| ("model".to_owned(), m.to_owned())).into_iter().collect();
        for given in self.values("set") {
            let Some((name, value)) = given.split_once('=') else {
                return Err(Hinted::new(format!("`--set {given}` has no value"), "--set k=.3").into());
            };
            all.push((name.to_owned(), value.to_owned()));
        }
        Ok(all)
    }

    /// A path option.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.value(name).map(PathBuf::from)
    }
}

/// A number of bytes such as `512M`, `4G` or `1000000`.
///
/// # Errors
/// Fails if it is none.
pub fn bytes(text: &str) -> Result<u64> {
    let text = text.trim();
    let (digits, factor) = match text.chars().last().map(|c| c.to_ascii_uppercase()) {
        Some('K') => (&text[..text.len() - 1], 1 << 10),
        Some('M') => (&text[..text.len() - 1], 1 << 20),
        Some('G') => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1u64),
    };
    let number = digits.trim().parse::<u64>().ok().and_then(|n| n.checked_mul(factor));
    number.ok_or_else(|| Hinted::new(format!("`{text}` is no number of bytes"), "512M, 4G or 1000000").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Args> {
        Args::read(line.split(' ').map(str::to_owned))
    }

    #[test]
    fn an_edit_that_begins_with_a_minus_is_a_line_not_an_option() {
        let args = read("explain --json --prompt cat - snowy").unwrap();
        assert_eq!((args.verb.as_str(), args.value("prompt")), ("explain", Some("cat")));
        assert_eq!(args.free, ["-", "snowy"]);
    }

    #[test]
    fn an_unknown_option_names_the_nearest_one() {
        let error = read("run x --jsno").unwrap_err();
        assert_eq!(super::super::reply::tell(&error).hint.as_deref(), Some("did you mean `--json`?"));
    }

    #[test]
    fn settings_keep_their_order_and_values_may_hold_an_equals_sign() {
        let args = read("run x --set k=0 --set negative=a=b").unwrap();
        assert_eq!(args.settings().unwrap(), [("k".into(), "0".into()), ("negative".into(), "a=b".into())]);
    }

    #[test]
    fn bytes_are_read_with_and_without_a_letter() {
        assert_eq!(bytes("512M").unwrap(), 512 << 20);
        assert_eq!(bytes("7").unwrap(), 7);
        assert!(bytes("99999999999999999999G").is_err() && bytes("-1").is_err() && bytes("").is_err());
    }
}
