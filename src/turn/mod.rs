//! Reads a typed line: a change in notation, a change in plain English, or a whole new prompt.
//!
//! [`read`] is the door. It works on words alone ([`words::split`] says what a word is): no tokens, no tensors, no files.
//! What a line may say is tried in this order: notation (`parse`), an English rule (`phrase`), a whole new prompt. A line
//! that looks like an instruction but cannot be carried out is an error with a place and a hint, or a question with
//! numbered choices; it never becomes a new picture by accident.
//!
//! Whether a line is a command is asked before. What commands there are is not known here; [`spoken`] knows how they are
//! said in words.
//!
//! The model's vocabulary is asked through [`Sense`], so that this room knows no model.

mod apply;
mod check;
mod desk;
mod draft;
mod english;
mod find;
mod foreign;
mod form;
mod frames;
mod grammar;
mod joined;
mod lexicon;
mod nearest;
pub mod nouns;
mod parse;
mod phrase;
mod plainer;
mod rank;
mod reading;
mod removal;
mod restore;
mod scene;
mod sign;
mod small;
mod spoken;
mod whole;
pub mod words;

#[cfg(test)]
mod tests;

pub use lexicon::kinds;
pub use nearest::{nearest, nearest_known};
pub use spoken::{Part, Said, parts, spoken};

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A stretch of the typed line, in bytes; always on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub from: usize,
    /// One past the last byte.
    pub to: usize,
}

/// What a line came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// A change of the prompt, or a new root.
    Edit(Edit),
    /// A near-tie: several readings, one to be picked by its number.
    Question(Question),
    /// A blank line, or a remark (a line that begins with `# `).
    Nothing,
}

/// A change, in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// The new prompt, whole.
    pub prompt: String,
    /// What was understood, in the order to print.
    pub changes: Vec<Change>,
    /// Word ranges that were replaced, in order, not overlapping (two may touch); all words between are kept one to one.
    pub spans: Vec<Replaced>,
    /// Weights set or multiplied, by word of the new prompt, in the order they apply.
    pub weighings: Vec<Weighing>,
    /// True for a new root, false for an edit of the present prompt.
    pub is_root: bool,
    /// Sentences: words the model does not know, a line taken as a new picture.
    pub warnings: Vec<String>,
}

impl Edit {
    /// The edit that begins a new tree.
    #[must_use]
    pub fn root(prompt: String) -> Self {
        Self {
            changes: vec![Change::Start { prompt: prompt.clone() }],
            prompt,
            spans: Vec::new(),
            weighings: Vec::new(),
            is_root: true,
            warnings: Vec::new(),
        }
    }
}

/// Words of the parent and what stands in their place.
///
/// Indices count [`words::split`] of either prompt. An empty source is an insertion, an empty target a removal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// Words of the parent's prompt.
    pub source: Range<usize>,
    /// Words of the new prompt.
    pub target: Range<usize>,
}

/// One change, as it is printed and stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// A new picture.
    Start {
        /// Its prompt.
        prompt: String,
    },
    /// One phrase for another.
    Swap {
        /// What gave way.
        from: String,
        /// What took its place.
        to: String,
    },
    /// Words put in.
    Add {
        /// The words.
        text: String,
    },
    /// Words taken out.
    Remove {
        /// The words, with the article, adjectives and preposition that went with them.
        text: String,
    },
    /// A word that counts for more or less.
    Weigh {
        /// The word, `cat#2` if it stands there more than once.
        word: String,
        /// The weight, or what the present weight is multiplied by.
        factor: f64,
        /// True if `factor` is the weight itself.
        absolute: bool,
    },
}

/// A weight for one word of the new prompt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighing {
    /// Index into [`words::split`] of the new prompt.
    pub word: usize,
    /// What becomes of its weight.
    pub to: Weight,
}

/// What becomes of a weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Weight {
    /// It is this, from -100 to 100.
    Set(f64),
    /// It is multiplied by this.
    Times(f64),
}

/// A near-tie, put to the person.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What is asked.
    pub text: String,
    /// The answers, to be numbered from 1.
    pub choices: Vec<Choice>,
}

/// One answer and what it leads to.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What is printed after its number.
    pub label: String,
    /// The edit it stands for.
    pub edit: Edit,
}

/// A line that cannot be carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Misread {
    /// What is the case, in the words of the line.
    pub message: String,
    /// One thing to try.
    pub hint: Option<String>,
    /// The place in the line.
    pub span: Option<Span>,
}

impl Misread {
    /// One thing to try.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The same of a line that has this many bytes more in front.
    #[must_use]
    pub fn moved(self, by: usize) -> Self {
        let span = self.span.map(|span| Span { from: span.from + by, to: span.to + by });
        Self { span, ..self }
    }
}

impl std::fmt::Display for Misread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misread {}

/// Where a line is typed.
#[derive(Clone, Copy)]
pub struct Here<'a> {
    /// The present prompt; `None` before the first picture.
    pub prompt: Option<&'a str>,
    /// The prompts of its ancestors, nearest first, the present one left out.
    pub ancestors: &'a [&'a str],
    /// The model's own vocabulary.
    pub sense: &'a dyn Sense,
}

/// What a model knows about words. Words are given in lower case.
pub trait Sense {
    /// True if the word is in its vocabulary.
    fn knows(&self, word: &str) -> bool;
    /// The word it knows that is nearest to this one.
    fn nearest(&self, word: &str) -> Option<String>;
    /// Cosine of the two words' embeddings, -1 to 1; `None` if it does not know both.
    fn likeness(&self, a: &str, b: &str) -> Option<f32>;
}

/// A model that knows every word and finds none alike: for tests, and for models with an open vocabulary.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSense;

impl Sense for NoSense {
    fn knows(&self, _: &str) -> bool {
        true
    }

    fn nearest(&self, _: &str) -> Option<String> {
        None
    }

    fn likeness(&self, _: &str, _: &str) -> Option<f32> {
        None
    }
}

/// Reads a line as the prompt of a new picture, whatever it says: nothing but weights is taken out of it.
///
/// # Errors
/// A weight is no number, or there is no word.
pub fn root(line: &str, sense: &dyn Sense) -> Result<Turn, Misread> {
    if let Some(misread) = foreign::refused(line) {
        return Err(misread);
    }
    let here = Here { prompt: None, ancestors: &[], sense };
    Ok(desk::solve(line, &here, &whole::root)?.unwrap_or(Turn::Nothing))
}

/// The edit that makes one prompt of another, word for word: what both have in the same order stays. `None` if one of them has
/// no word.
#[must_use]
pub fn between(parent: &str, prompt: &str) -> Option<Edit> {
    let here = Here { prompt: Some(parent), ancestors: &[], sense: &NoSense };
    match desk::solve(prompt, &here, &whole::between) {
        Ok(Some(Turn::Edit(edit))) => Some(edit),
        _ => None,
    }
}

/// All that the clauses of a line may say in plain English, each in words (`swap the cat | a dog`, what is put in its place
/// after a bar) with its score, the best first; 0 where it finds nothing in the prompt. Lines in notation, whole prompts and
/// what older rules read have none.
#[must_use]
pub fn readings(line: &str, here: &Here<'_>) -> Vec<(String, i32)> {
    here.prompt.map_or_else(Vec::new, |prompt| english::explained(line, prompt))
}

/// Reads one line.
///
/// ```
/// use wordbrush_turn::{Here, NoSense, Turn, read};
/// let here = Here { prompt: Some("a woman's face with blond hair"), ancestors: &[], sense: &NoSense };
/// let Ok(Turn::Edit(edit)) = read("make her hair red", &here) else { panic!() };
/// assert_eq!(edit.prompt, "a woman's face with red hair");
/// ```
///
/// # Errors
/// [`Misread`] names what is wrong, the place in the line, and one thing to try.
pub fn read(line: &str, here: &Here<'_>) -> Result<Turn, Misread> {
    let trimmed = line.trim_start();
    if words::split(line).is_empty() || trimmed == "#" || trimmed.trim_end() == "#" || trimmed.starts_with("# ") {
        return Ok(Turn::Nothing);
    }
    if let Some(misread) = foreign::refused(line) {
        return Err(misread);
    }
    // `replace the crow w/ a cat`
    let short = |w: &str| line.split_whitespace().any(|word| word == w);
    if here.prompt.is_some() && (short("w/") || short("w/o")) {
        let words = line.split_whitespace().map(|word| match word {
            "w/" => "with",
            "w/o" => "without",
            word => word,
        });
        if let Ok(turn @ (Turn::Edit(_) | Turn::Question(_))) = read(&words.collect::<Vec<_>>().join(" "), here) {
            return Ok(turn);
        }
    }
    let plain = here.prompt.and_then(|prompt| plainer::plainer(line, prompt, plainer::When::First));
    match plain.and_then(|plain| means(typed_or_plainer(&plain, here))) {
        Some(turn) => Ok(turn),
        None => typed_or_plainer(line, here),
    }
}

/// A turn that says something of the present prompt.
fn means(turn: Result<Turn, Misread>) -> Option<Turn> {
    turn.ok().filter(|turn| !matches!(turn, Turn::Edit(Edit { is_root: true, .. }) | Turn::Nothing))
}

/// Reads a line as it stands, and in plainer words where that means nothing here.
fn typed_or_plainer(line: &str, here: &Here<'_>) -> Result<Turn, Misread> {
    let turn = typed(line, here);
    match (&turn, here.prompt) {
        (Err(_) | Ok(Turn::Edit(Edit { is_root: true, .. })), Some(prompt)) => {
            let Some(plain) = plainer::plainer(line, prompt, plainer::When::Last) else { return turn };
            // What says what should be is no new picture, whatever it says.
            let refused = |turn| match turn {
                Ok(_) => Err(unread(line, "that reads like an instruction, and none that is known here")),
                refused => refused,
            };
            means(typed(&plain, here)).map_or_else(|| refused(turn), Ok)
        }
        _ => turn,
    }
}

/// Reads a line as it stands.
fn typed(line: &str, here: &Here<'_>) -> Result<Turn, Misread> {
    if let Some(turn) = desk::solve(line, here, &parse::notation)? {
        return Ok(turn);
    }
    let whole = || desk::solve(line, here, &whole::whole).map(|turn| turn.unwrap_or(Turn::Nothing));
    let Some(prompt) = here.prompt else {
        return match desk::solve(line, here, &phrase::english)? {
            Some(turn) => Ok(turn),
            None => whole(),
        };
    };
    // A caption of its own: `there is a crowd of penguins on the ice`, `more than a hundred lanterns`.
    if english::describes(line, prompt) || english::is_caption(line, prompt) {
        return whole();
    }
    // A prompt typed over the present one is compared before any clause is read.
    if english::retypes(line, prompt) {
        return whole();
    }
    if let Some(turn) =
        desk::solve(line, here, &|desk: &mut desk::Desk<'_>| english::english(desk, english::Trust::Sure))?
    {
        return Ok(noted(turn, line, prompt));
    }
    let rest = || desk::solve(line, here, &|desk: &mut desk::Desk<'_>| english::english(desk, english::Trust::Rest));
    match desk::solve(line, here, &phrase::english) {
        Ok(Some(Turn::Edit(edit))) if !edit.is_root => {
            match check::unsound(line, prompt, &edit.prompt, &edit.changes) {
                None => Ok(noted(Turn::Edit(edit), line, prompt)),
                Some(loose) => match rest() {
                    Ok(Some(turn)) => Ok(noted(turn, line, prompt)),
                    _ => Err(unread(line, &format!("that would leave `{loose}`"))),
                },
            }
        }
        Ok(Some(turn)) => sound(turn, line, prompt),
        Err(misread) => match rest() {
            Ok(Some(turn)) => Ok(noted(turn, line, prompt)),
            _ => Err(misread),
        },
        Ok(None) => match rest()? {
            Some(turn) => Ok(noted(turn, line, prompt)),
            // What is an order by its form is no new picture, whatever it orders.
            None if english::instructs(line, prompt) => {
                Err(unread(line, "that reads like an instruction, and none that is known here"))
            }
            None => whole(),
        },
    }
}

/// A question without the answers that would not read; what is left of it if that is one.
fn sound(turn: Turn, line: &str, prompt: &str) -> Result<Turn, Misread> {
    let Turn::Question(mut question) = turn else { return Ok(turn) };
    question.choices.retain(|choice| choice.edit.is_root || check::dangling(prompt, &choice.edit.prompt).is_none());
    match question.choices.len() {
        0 => Err(unread(line, "none of what that may mean reads as a prompt")),
        1 => Ok(Turn::Edit(question.choices.remove(0).edit)),
        _ => Ok(Turn::Question(question)),
    }
}

/// A turn that says which words of the line came to nothing.
fn noted(turn: Turn, line: &str, prompt: &str) -> Turn {
    let Turn::Edit(mut edit) = turn else { return turn };
    let left = check::left_out(line, prompt, &edit.prompt);
    if !edit.is_root && !left.is_empty() {
        edit.warnings.push(format!("nothing came of `{}`: say it in a line of its own", left.join(" ")));
    }
    Turn::Edit(edit)
}

/// The error for a line that cannot be carried out as a whole.
fn unread(line: &str, message: &str) -> Misread {
    let words = words::split(line);
    let span = words.first().zip(words.last()).map(|(a, b)| Span { from: a.from, to: b.to });
    let hint =
        "say it with add, remove, replace or make: replace the cat with a dog; for a new picture: /new and its prompt";
    Misread { message: message.to_owned(), hint: Some(hint.to_owned()), span }
}
