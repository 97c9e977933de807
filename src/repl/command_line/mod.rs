//! The command line: what stands in one row of `verbs` is read, explained, completed and carried out.
//!
//! An option that every verb takes is a line of `options::everywhere`.

mod misread;
pub mod options;
pub mod pages;
mod verbs;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::error::ErrorKind;
use clap::{ArgMatches, Command};

use crate::plan::device::DeviceName;
use crate::plan::settings::{Settings, plain_name};

/// What carries a verb out.
type Run = fn(&Args, &mut dyn Write) -> Result<ExitCode>;

/// A verb: what is read of it and said of it, and what carries it out.
struct Verb {
    command: Command,
    run: Run,
}

/// Carries out what the words after the program's name ask for.
///
/// # Errors
/// Fails if they cannot be read, or it cannot start or go on.
pub fn start(words: impl IntoIterator<Item = OsString>, out: &mut dyn Write) -> Result<ExitCode> {
    let words: Vec<OsString> = words.into_iter().collect();
    let (verb, args) = match read(&words) {
        Ok(read) => read,
        Err(asked) if asked.kind() == ErrorKind::DisplayHelp => {
            writeln!(out, "{}", pages::help(named(&words)))?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(asked) if asked.kind() == ErrorKind::DisplayVersion => {
            write!(out, "{}", asked.render())?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => return Err(misread::told(&error, named(&words)).into()),
    };
    let verb = verbs::verbs().into_iter().find(|known| known.command.get_name() == verb);
    verb.map_or(verbs::CONVERSATION, |verb| verb.run)(&args, out)
}

/// The verb, which is "" for the conversation, and what was said with it.
fn read(words: &[OsString]) -> Result<(String, Args), clap::Error> {
    let program = OsString::from("wordbrush");
    let mut matches = verbs::tree().try_get_matches_from(std::iter::once(&program).chain(words))?;
    Ok(match matches.remove_subcommand() {
        Some((verb, matches)) => (verb, Args { matches }),
        None => (String::new(), Args { matches }),
    })
}

/// The first word, which is the verb if there is one.
fn named(words: &[OsString]) -> &str {
    words.first().and_then(|word| word.to_str()).unwrap_or_default()
}

/// What was said with a verb. What it does not take was not said.
#[derive(Debug)]
pub struct Args {
    matches: ArgMatches,
}

impl Args {
    /// The value of a name, as its type.
    #[must_use]
    pub fn get<T: Clone + Send + Sync + 'static>(&self, name: &str) -> Option<&T> {
        self.matches.try_get_one(name).ok().flatten()
    }

    /// The value of a name that the verb cannot do without.
    ///
    /// # Errors
    /// Fails if the verb can.
    pub fn needed<T: Clone + Send + Sync + 'static>(&self, name: &str) -> Result<&T> {
        self.get(name).with_context(|| format!("BUG: `{name}` may be left out"))
    }

    /// All values of a name, in order.
    pub fn all<T: Clone + Send + Sync + 'static>(&self, name: &str) -> impl Iterator<Item = &T> {
        self.matches.try_get_many(name).ok().flatten().into_iter().flatten()
    }

    /// Whether a switch was given.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).copied().unwrap_or(false)
    }

    /// A text.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.get::<String>(name).map(String::as_str)
    }

    /// A path.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).cloned()
    }

    /// The settings given by `--model`, `--device` and `--set`, in order.
    #[must_use]
    pub fn settings(&self) -> Vec<(String, String)> {
        let named = |name: &str| Some((name.to_owned(), self.value(name)?.to_owned()));
        ["model", "device"].into_iter().filter_map(named).chain(self.all("set").cloned()).collect()
    }

    /// Where it is to compute: as `--device` and `--set device=` say, the processor if they say nothing.
    ///
    /// # Errors
    /// Fails if `--set` names a device that is none, or not in this build.
    pub fn device(&self) -> Result<DeviceName> {
        let mut settings = Settings::default();
        for (name, value) in self.settings().iter().filter(|(name, _)| plain_name(name) == "device") {
            settings.set(name, value)?;
        }
        Ok(settings.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    fn args(line: &str) -> Args {
        read(&words(line)).unwrap().1
    }

    #[track_caller]
    fn fails(line: &str, message: &str, hint: &str) {
        let words = words(line);
        let told = misread::told(&read(&words).unwrap_err(), named(&words));
        assert_eq!((told.to_string().as_str(), told.hint()), (message, hint), "{line}");
    }

    #[test]
    fn every_row_is_one_that_clap_takes() {
        verbs::tree().debug_assert();
    }

    #[test]
    fn an_edit_that_begins_with_a_minus_is_a_line_not_an_option() {
        let args = args("explain --json --prompt cat - snowy");
        assert_eq!((args.value("prompt"), args.has("json")), (Some("cat"), true));
        assert_eq!(args.value("LINE"), Some("-"));
        assert_eq!(args.all::<String>("MORE").collect::<Vec<_>>(), ["snowy"]);
        for line in ["-snowy", "-> dog", "- snowy", "--snowy", "-p"] {
            let words = ["explain", "--prompt", "cat", line, "--json"].map(OsString::from);
            let args = read(&words).unwrap().1;
            assert_eq!((args.value("LINE"), args.has("json")), (Some(line), true));
        }
    }

    #[test]
    fn settings_keep_their_order_and_values_may_hold_an_equals_sign() {
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let args = args("run x --set k=0 --model m --set negative=a=b");
        assert_eq!(args.settings(), [set("model", "m"), set("k", "0"), set("negative", "a=b")]);
    }

    #[test]
    fn a_device_is_a_setting_that_every_verb_takes_and_the_last_word_of_it_holds() {
        for line in ["--device plain", "bench --device plain", "run x --device cpu --device PLAIN"] {
            let args = args(line);
            assert_eq!(args.settings(), [("device".to_owned(), "plain".to_owned())], "{line}");
            assert_eq!(args.device().unwrap(), DeviceName::Plain, "{line}");
        }
        assert_eq!(args("bench").device().unwrap(), DeviceName::Cpu);
        assert_eq!(args("bench --device plain --set device=cpu").device().unwrap(), DeviceName::Cpu);
        assert!(args("bench --set device=gpu").device().is_err());
    }

    #[test]
    fn the_last_of_two_values_holds_and_what_a_verb_does_not_take_was_not_said() {
        let args = args("run - --out a --json --out b --json");
        assert_eq!((args.path("out"), args.has("json")), (Some("b".into()), true));
        assert_eq!((args.path("SCRIPT"), args.has("verify"), args.value("only")), (Some("-".into()), false, None));
    }

    #[test]
    fn what_is_not_understood_is_told_with_one_thing_to_try() {
        fails("run x --jsno", "there is no option `--jsno` here", "did you mean `--json`?");
        fails("run x --frobnicate", "there is no option `--frobnicate` here", "wordbrush run --help");
        fails("--jsno", "there is no option `--jsno` here", "wordbrush --help");
        fails("--plain --red-only", "there is no option `--red-only` here", "did you mean `--read-only`?");
        fails("rnu x", "`rnu` is not understood", "wordbrush run");
        fails("--plain run x", "`run` is not understood", "wordbrush run");
        fails("frobnicate", "`frobnicate` is not understood", "wordbrush --help");
        fails("cache clear all", "`all` is one too many", "wordbrush cache clear");
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_as_it_is_typed() {
        let run = "wordbrush run hair.txt --out pictures --session hair.jsonl";
        fails("run", "`run` needs SCRIPT", run);
        fails("run x --out", "`--out` needs a value", run);
        fails("parity x", "`parity` needs --out DIR", "wordbrush parity tests/parity --out results");
        fails("sessions rm", "`sessions` needs NAME", "wordbrush sessions rm 2026-11-24-a");
        fails("run x --set k", "`--set k` has no value", "--set k=.3");
        fails("run x --cache-ram lots", "`--cache-ram lots` is no number of bytes", "512M, 4G or 1000000");
        fails("--device gpu", "`--device gpu` is no device", "cpu, cuda, cuda:1 for the second GPU, metal or plain");
        if !cfg!(feature = "cuda") {
            let build = "cargo build --release --features cuda";
            fails("run x --device cuda:1", "`--device cuda:1` is not in this build", build);
        }
        fails("bench --runs 0", "`--runs 0` is no whole number from 1 to 1000", "wordbrush bench --only turn_cached");
        let message = "`--preview` takes auto, kitty, iterm, sixel, blocks or none, but got `sixle`";
        fails("--preview sixle", message, "did you mean `sixel`?");
        let message = "`export` takes png, gif, html or json, but got `pdf`";
        fails("export pdf first", message, "wordbrush export gif 2026-11-24-a hair.gif");
    }
}
