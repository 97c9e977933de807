//! The table of verbs: a row says what a verb is called, what it takes and does, and names the function that does it.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, Command, ValueHint, value_parser};
use clap_complete::Shell;

use super::options::{
    everywhere, file, files, free, json, option, out, plain, precision, read_only, session, switch, whole,
};
use super::{Run, Verb, pages};
use crate::repl::look::export::Format;
use crate::repl::{batch, bench, cycles, files as sessions, interactive, models, study, sweep};
use crate::session::cycle::regenerated::CycleMethod;
use crate::study::question::QUESTIONS;

/// What is done where no verb is named.
pub(super) const CONVERSATION: Run = interactive::open;

/// The command line as a whole.
pub(super) fn tree() -> Command {
    Command::new("wordbrush")
        .version(env!("CARGO_PKG_VERSION"))
        .override_usage("wordbrush")
        .about("edit pictures by rewording their prompts")
        .long_about(
            "Draws a picture from words, and when the words change it changes the picture where they changed and keeps the rest.\n\
             Every picture stays in a tree: one can go back, branch off and compare.\n\
             An edit taken back by words gives back the same picture, bit for bit.\n\
             Alone it opens a conversation. Lines that come through a pipe are taken as a script.",
        )
        .args([out(), plain(), session(), read_only()])
        .arg(switch("continue", "go on with the session that was worked on last").short('c'))
        .arg(switch("version", "the program's version").action(ArgAction::Version))
        .args(everywhere().into_iter().map(|arg| arg.global(true)))
        .subcommands(verbs().into_iter().map(|verb| verb.command))
        .args_conflicts_with_subcommands(true)
        .args_override_self(true)
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .disable_version_flag(true)
}

/// What is typed after `wordbrush`, what it does in a few words, what else there is to know, a whole line that uses it,
/// and what carries it out.
fn verb([usage, about, more, example]: [&'static str; 4], run: Run) -> Verb {
    let name = usage.split(' ').next().unwrap_or_default();
    let command = Command::new(name).override_usage(format!("wordbrush {usage}"));
    Verb { command: command.about(about).long_about(more).after_help(example), run }
}

impl Verb {
    fn takes<const N: usize>(mut self, args: [Arg; N]) -> Self {
        self.command = self.command.args(args);
        self
    }
}

/// Every verb.
pub(super) fn verbs() -> Vec<Verb> {
    vec![
        verb(
            [
                "open [NAME] [CAPTION]",
                "go on with a session, or edit a photograph",
                "NAME is a session of `wordbrush sessions`, a session file, a PNG that the program wrote, or a photograph: PNG, \
                 JPEG, WebP or GIF. CAPTION says what a photograph shows; its words are what can be changed. Without NAME, it \
                 is the session that was worked on last, and so it is with `wordbrush -c`.",
                "wordbrush open cat.jpg \"a cat on a bench\"",
            ],
            interactive::go_on,
        )
        .takes([
            free("NAME").required(false).value_hint(ValueHint::AnyPath),
            free("CAPTION").required(false).num_args(1..).action(ArgAction::Append),
            out(),
            plain(),
            read_only(),
        ]),
        verb(
            [
                "run SCRIPT [--json]",
                "run lines from a file (-: standard input)",
                "Lines are what is typed in a conversation. Those that begin with `# ` are remarks.",
                "wordbrush run hair.txt --out pictures --session hair.jsonl",
            ],
            batch::run,
        )
        .takes([file("SCRIPT"), out(), plain(), session(), json()]),
        verb(
            [
                "explain --prompt P LINE",
                "say what a line would do",
                "Nothing is drawn. LINE may begin with a minus.",
                "wordbrush explain --prompt \"a cat on a beach\" \"make it a dog\"",
            ],
            batch::explain,
        )
        .takes([
            free("LINE").allow_hyphen_values(true),
            // What follows the first word of a LINE without quotes, up to an option.
            free("MORE").required(false).num_args(1..).action(ArgAction::Append).hide(true),
            json(),
            option("prompt", "P", "the prompt that the line is to change").allow_hyphen_values(true),
        ]),
        verb(
            [
                "sweep FILE.toml [--out DIR]",
                "draw prompts, edits, seeds and settings",
                "FILE names prompts, edits, seeds, settings, and a [grid] of settings with lists of values. Every \
                 combination is drawn and measured: a contact sheet, a moving picture and a table lie in DIR, FILE's name \
                 without ending if it is not given. What is there already is not drawn again, so a sweep that was stopped \
                 goes on, and a changed FILE draws only what is new.",
                "wordbrush sweep docs/guide/sweep.toml --out hair",
            ],
            sweep::sweep,
        )
        .takes([file("FILE"), out(), plain(), json()]),
        verb(
            [
                "replay FILE... [--verify]",
                "draw sessions again and compare",
                "Pictures of the same kernels are compared byte for byte, others by thumbprint.",
                "wordbrush replay sessions/hair.jsonl --verify",
            ],
            batch::replay,
        )
        .takes([files("FILE"), out(), json(), switch("verify", "end in 1 if a picture differs")]),
        verb(
            [
                "cycle FILE [ID]",
                "edit back by words and measure",
                "From where the session is to ID, its first picture if not given. --method exact is ours; published generates \
                 the source again from its prompt, and v-inject also mixes values.",
                "wordbrush cycle sessions/cycle.jsonl --json",
            ],
            cycles::cycle,
        )
        .takes([
            file("FILE"),
            free("ID").required(false),
            json(),
            option("method", "NAME", "how to go back: exact, or a published way to compare with")
                .value_parser(PossibleValuesParser::new(CycleMethod::ALL.map(|(name, _)| name))),
            switch("in-one", "go back in one edit instead of edit by edit"),
        ]),
        verb(
            [
                "study NAME [FOLDER] --out DIR",
                "ask a question over many pictures",
                "k, cross, self, cycle, reweight, values and best vary settings over prompts, edits and seeds; cycles goes back, \
                 methods edits, photographs inverts by every method: FOLDER has captions.tsv. A study that was broken off goes on; \
                 merge puts the shards in DIR together.",
                "wordbrush study k --seeds 20 --out results",
            ],
            study::study,
        )
        .takes([
            free("NAME").value_parser(PossibleValuesParser::new(
                QUESTIONS
                    .iter()
                    .map(|question| question.name)
                    .chain(["cycles", "methods", "photographs", "merge"])
                    .collect::<Vec<_>>(),
            )),
            free("FOLDER").required(false).value_hint(ValueHint::DirPath),
            switch("slow", "also what takes minutes a picture"),
            option("clip", "NAME", "photographs: score edits by a CLIP, a folder or owner/name"),
            out().required(true),
            plain(),
            json(),
            option("seeds", "N", "how many seeds; 20 if not given, of methods 10")
                .value_parser(whole(0..=250)),
            option("prompts", "FILE", "prompts and edits of your own, like a sweep's file"),
            option("shard", "I/N", "draw the I-th of N parts, into a folder of its own in DIR"),
            option("slurm", "N", "only write a script for Slurm, an array of N tasks").value_parser(whole(1..=1000)),
            option("chains", "N", "how many conversations, 50 if not given").value_parser(whole(1..=1000)),
            option("seed", "N", "what they are drawn from, 1 if not given").value_parser(whole(0..=u64::MAX)),
            option("from", "N", "the first of them, 1 if not given; --chains N is the last")
                .value_parser(whole(0..=u64::MAX)),
        ]),
        verb(
            [
                "sessions [rm NAME...]",
                "list sessions, or remove some",
                "A session that is open elsewhere is not removed.",
                "wordbrush sessions rm 2026-11-24-a",
            ],
            sessions::sessions,
        )
        .takes([
            free("rm").required(false).requires("NAME").value_parser(PossibleValuesParser::new(["rm"])),
            free("NAME").required(false).num_args(1..).action(ArgAction::Append),
        ]),
        verb(
            [
                "export FORMAT SESSION [FILE]",
                "png, gif, html or json of a session",
                "The present picture, its branch as a moving picture, the tree as a page, or data.",
                "wordbrush export gif 2026-11-24-a hair.gif",
            ],
            sessions::export,
        )
        .takes([
            free("FORMAT").value_parser(
                PossibleValuesParser::new(Format::ALL.map(Format::name))
                    .map(|name| Format::of(&name).unwrap_or(Format::Png)),
            ),
            free("SESSION").value_hint(ValueHint::AnyPath),
            file("FILE").required(false),
            out(),
        ]),
        verb(
            [
                "models [rm NAME...]",
                "list models, or remove some from the cache",
                "The one in the program, and those that were fetched by name: size, family, and what a picture takes. \
                 What other programs keep in the same cache is neither listed nor removed.",
                "wordbrush models rm owner/name",
            ],
            models::models,
        )
        .takes([
            free("rm").required(false).requires("NAME").value_parser(PossibleValuesParser::new(["rm"])),
            free("NAME").required(false).num_args(1..).action(ArgAction::Append),
        ]),
        verb(
            [
                "pull NAME",
                "fetch a model by name",
                "NAME is owner/name or owner/name@revision, to be drawn with later, off line too. A fetch that was broken off goes on; pickled weights are never \
                 fetched.",
                "wordbrush pull stabilityai/sd-turbo",
            ],
            models::pull,
        )
        .takes([free("NAME")]),
        verb(
            [
                "cache clear",
                "remove what can be computed again",
                "Sessions stay; what is missing is drawn again with the same bits.",
                "wordbrush cache clear",
            ],
            sessions::clear_cache,
        )
        .takes([free("WHAT").value_parser(PossibleValuesParser::new(["clear"]))]),
        verb(
            [
                "parity CASE... --out DIR",
                "compare with the published method's numbers",
                "CASE is a case or a folder of them.",
                "wordbrush parity tests/parity --out results",
            ],
            batch::parity,
        )
        .takes([
            files("CASE"),
            out().required(true),
            option("models", "DIR", "a folder of models that cases name (repeatable)")
                .action(ArgAction::Append)
                .value_parser(value_parser!(std::path::PathBuf)),
            precision(&["f32"]),
        ]),
        verb(
            [
                "bench [--json]",
                "measure this machine",
                "A step, a turn, decoding, start-up; medians of several runs.",
                "wordbrush bench --only turn_cached",
            ],
            bench::bench,
        )
        .takes([
            json(),
            precision(&["f32", "bf16"]),
            option("only", "WHAT", "one measurement, such as step, turn_cached or decode")
                .value_parser(PossibleValuesParser::new(bench::WHAT)),
            option("runs", "N", "how often each is measured, 5 if not given").value_parser(whole(1..=1000)),
            option("steps", "N", "steps of a turn, decoding included").value_parser(whole(1..=1000)),
        ]),
        verb(
            [
                "completions SHELL",
                "completion for bash, zsh or fish",
                "To be written where the shell looks for completions.",
                "source <(wordbrush completions bash)",
            ],
            pages::completions,
        )
        .takes([free("SHELL").value_parser(value_parser!(Shell))]),
        verb(
            [
                "man",
                "print the manual page",
                "To be read at once, `wordbrush man | man -l -`, or written where man looks for pages.",
                "wordbrush man > ~/.local/share/man/man1/wordbrush.1",
            ],
            pages::manual,
        ),
    ]
}
