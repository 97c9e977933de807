//! What people type, and files of lines that people write.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use wordbrush::plan::settings::Settings;
use wordbrush::repl::{commands, sweep as sweeps};
use wordbrush::turn::{Edit, Here, Misread, NoSense, Sense, Turn, kinds, nearest, read, root, words};

use crate::{Outcome, text};

pub(crate) const WORDS: &[&str] = &[
    " -> ",
    "->",
    "+ ",
    "- ",
    "*2",
    "*-1.5",
    "(",
    ")",
    ":1.2)",
    "[",
    "]",
    ", ",
    "#1",
    "#2",
    "\"",
    "make it a ",
    "make ",
    "remove the ",
    "without ",
    "with ",
    "add ",
    "instead of ",
    "more ",
    "less ",
    "undo",
    "go back to ",
    "/new ",
    "/set k ",
    "/help",
    "and ",
    "the ",
    "a ",
    "her ",
    "hair ",
    "red ",
    "cat ",
    "dog ",
    "beach ",
    "never mind",
    "\u{202e}",
    "\u{1b}[2J",
    "猫",
    "e\u{301}",
    "<lora:x:0.8>",
    "Negative prompt: ",
    "Steps: 20",
    "\n",
    "\u{a0}",
    "it",
    "them",
    "'s ",
    "…",
    "→",
];

pub(crate) const SWEEP_WORDS: &[&str] = &[
    "prompt",
    "prompts",
    "edit",
    "edits",
    "seed",
    "seeds",
    "[grid]",
    "steps",
    "k",
    "cross",
    "guidance",
    "size",
    " = ",
    "[",
    "]",
    "\"",
    "\n",
    ", ",
    "0.3",
    "1e999",
    "-1",
    "9223372036854775807",
    "nan",
    "true",
    "{",
    "}",
    "#",
    "\"\"\"",
    "..",
    "freedom",
    "model",
    "device",
    "'a'",
    "\\u0000",
    "scheduler",
    "0x10",
    "1979-05-27",
    ".",
];

/// The words that are listed.
static LISTED: LazyLock<BTreeSet<&str>> = LazyLock::new(|| kinds().into_values().flatten().collect());

/// A model that knows the words that are listed, as the one in the program does.
struct Listed;

impl Sense for Listed {
    fn knows(&self, word: &str) -> bool {
        word.len() < 3 || LISTED.contains(word)
    }

    fn nearest(&self, word: &str) -> Option<String> {
        nearest(word, LISTED.iter().copied()).map(str::to_owned)
    }

    fn likeness(&self, a: &str, b: &str) -> Option<f32> {
        (a.len() == b.len()).then_some(0.5)
    }
}

/// The last line is typed; those above it are the prompt it is typed at and the prompts before, newest first.
pub(crate) fn typed_line(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    let mut lines: Vec<&str> = text.split('\n').collect();
    let Some(line) = lines.pop() else { return Outcome::read(&[0]) };
    let command = match commands::read(line) {
        Ok(commands::Line::Command(_)) => 1,
        Ok(commands::Line::Text) => 0,
        Err(misread) => return misread_outcome(&misread, line),
    };
    // Prompts in a session are one line each, and not empty.
    let mut prompts = lines.iter().copied().filter(|prompt| !prompt.trim().is_empty());
    let prompt = prompts.next();
    let ancestors: Vec<&str> = prompts.collect();
    let listed = Listed;
    let open = NoSense;
    let sense: &dyn Sense = if bytes.len().is_multiple_of(2) { &listed } else { &open };
    let here = Here { prompt, ancestors: &ancestors, sense };
    let turn = read(line, &here);
    let outcome = outcome(&turn, line, prompt, command);
    let as_root = root(line, sense);
    check(&as_root, line, None);
    outcome
}

fn check(turn: &Result<Turn, Misread>, line: &str, prompt: Option<&str>) {
    match turn {
        Ok(Turn::Edit(edit)) => check_edit(edit, prompt),
        Ok(Turn::Question(question)) => {
            assert!(question.choices.len() > 1, "a question of one answer: {question:?}");
            question.choices.iter().for_each(|choice| check_edit(&choice.edit, prompt));
        }
        Ok(Turn::Nothing) => {}
        Err(misread) => drop(misread_outcome(misread, line)),
    }
}

fn outcome(turn: &Result<Turn, Misread>, line: &str, prompt: Option<&str>, command: usize) -> Outcome {
    check(turn, line, prompt);
    match turn {
        Ok(Turn::Edit(edit)) => Outcome::read(&[
            1,
            command,
            edit.changes.len(),
            edit.spans.len(),
            edit.weighings.len(),
            usize::from(edit.is_root),
            edit.warnings.len(),
        ]),
        Ok(Turn::Question(question)) => Outcome::read(&[2, command, question.choices.len()]),
        Ok(Turn::Nothing) => Outcome::read(&[3, command]),
        Err(misread) => misread_outcome(misread, line),
    }
}

/// What is pointed at lies in the line, between characters.
fn misread_outcome(misread: &Misread, line: &str) -> Outcome {
    if let Some(span) = misread.span {
        assert!(line.get(span.from..span.to).is_some(), "{span:?} is no place in {line:?}: {misread}");
    }
    Outcome::refused(&anyhow::anyhow!("{misread} {}", misread.hint().unwrap_or_default()))
}

/// What an edit says of words is said of words that are there.
fn check_edit(edit: &Edit, prompt: Option<&str>) {
    let target = words::split(&edit.prompt).len();
    let source = prompt.map_or(0, |prompt| words::split(prompt).len());
    if !edit.is_root {
        let (mut at_source, mut at_target) = (0, 0);
        for span in &edit.spans {
            assert!(
                span.source.start >= at_source && span.source.start <= span.source.end && span.source.end <= source,
                "{:?} of {source} words: {edit:?}",
                span.source
            );
            assert!(
                span.target.start >= at_target && span.target.start <= span.target.end && span.target.end <= target,
                "{:?} of {target} words: {edit:?}",
                span.target
            );
            // Words between are kept one to one.
            assert_eq!(span.source.start - at_source, span.target.start - at_target, "{edit:?}");
            (at_source, at_target) = (span.source.end, span.target.end);
        }
        assert_eq!(source - at_source, target - at_target, "{prompt:?} {edit:?}");
    }
    for weighing in &edit.weighings {
        assert!(weighing.word < target, "{weighing:?} of {target} words: {edit:?}");
    }
}

/// A sweep's file.
pub(crate) fn sweep(bytes: &[u8]) -> Outcome {
    match sweeps::check(&text(bytes), Settings::default()) {
        Ok(runs) => Outcome::read(&[1, runs]),
        Err(error) => Outcome::refused(&error),
    }
}
