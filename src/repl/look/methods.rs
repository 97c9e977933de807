//! Commands that edit otherwise than by words alone.

use std::ops::Range;

use anyhow::Result;

use super::super::commands::Called;
use super::super::reply::Reply;
use super::super::talk::{Talk, Watcher};
use super::super::typed_path;
use super::learning;
use super::maps::fetch_what_finds;
use crate::plan::Recipe;
use crate::plan::redraw::{DrawnBy, RedrawMethod};
use crate::plan::resolve::Resolved;
use crate::session::Session;
use crate::session::file::Hinted;
use crate::session::patch::read_patch;
use crate::turn::{Edit, Misread, Span, Turn};

/// What a command of these asks for: the edit, and its recipe and plan.
pub(in crate::repl) type AskedEdit = (Edit, (Recipe, Resolved));

/// Reads what a command of these asks for where we are.
type Reads = fn(&mut Session, &Called<'_>) -> Result<AskedEdit>;

/// These commands, by name.
const READS: [(&str, Reads); 7] = [
    ("in", within),
    ("sdedit", sdedit),
    ("paint", paint),
    ("mix", mix),
    ("diffedit", diffedit),
    ("imagic", learning::asked),
    ("unitune", learning::asked),
];

/// What a command asks for where we are; `None` if it is none of these.
///
/// # Errors
/// Fails if it cannot be carried out.
pub(in crate::repl) fn asked(session: &mut Session, a: &Called<'_>) -> Result<Option<AskedEdit>> {
    let reads = READS.iter().find(|(name, _)| *name == a.called());
    reads.map(|(_, reads)| reads(session, a)).transpose()
}

/// Carries one of these commands out.
pub(in crate::repl) fn carry_out(talk: &mut Talk, a: &Called<'_>, watcher: &mut dyn Watcher) -> Result<Reply> {
    if a.line.contains('"') {
        fetch_what_finds(talk, watcher)?; // a region may be a text in quotes
    }
    match asked(&mut talk.session, a)? {
        Some((edit, planned)) => talk.planned(a.line, &edit, planned, watcher),
        None => Ok(Reply::Nothing),
    }
}

/// The first word of a text as a shell reads it, quotes and all, and the byte at which the next one begins.
fn first_word(text: &str) -> (&str, usize) {
    let mut quote = None;
    let mut is_escaped = false;
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if is_escaped => is_escaped = false,
            (None | Some('"'), '\\') => is_escaped = true,
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, _) if c.is_whitespace() => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    let rest = &text[end..];
    (&text[..end], end + rest.len() - rest.trim_start().len())
}

/// What stands in a line after a command's name, taken from its end word by word.
pub(super) struct Rest<'a> {
    line: &'a str,
    range: Range<usize>,
}

impl<'a> Rest<'a> {
    /// All from an argument on.
    pub(super) fn of(a: &Called<'a>, argument: usize) -> Self {
        let line = a.line;
        let from = a.given.get(argument).map_or(line.len(), |part| part.span.from);
        Self { line, range: from..from + line[from..].trim_end().len() }
    }

    pub(super) fn text(&self) -> &'a str {
        &self.line[self.range.clone()]
    }

    fn cut_at(&mut self, length: usize) {
        self.range.end = self.range.start + self.text()[..length].trim_end().len();
    }

    /// The last word, and where it begins.
    fn last(&self) -> Option<(&'a str, usize)> {
        let text = self.text();
        let from = text.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        (!text.is_empty()).then(|| (&text[from..], from))
    }

    /// Takes `name VALUE` off the end.
    fn take_named(&mut self, name: &str) -> Option<(&'a str, Span)> {
        let (value, from) = self.last()?;
        let before =
            Rest { line: self.line, range: self.range.start..self.range.start + self.text()[..from].trim_end().len() };
        let (last, at) = before.last()?;
        if !last.eq_ignore_ascii_case(name) {
            return None;
        }
        let span = Span { from: self.range.start + from, to: self.range.end };
        self.cut_at(at);
        Some((value, span))
    }

    /// Takes up to `most` numbers off the end, in the order they stand there.
    pub(super) fn take_numbers(&mut self, most: usize) -> Vec<(f64, Span)> {
        let mut numbers = Vec::new();
        while numbers.len() < most
            && let Some((word, from)) = self.last()
            && let Ok(number) = word.parse::<f64>()
        {
            numbers.insert(0, (number, Span { from: self.range.start + from, to: self.range.end }));
            self.cut_at(from);
        }
        numbers
    }
}

pub(super) fn misread(message: String, hint: &str, span: Span) -> anyhow::Error {
    Misread { message, hint: Some(hint.to_owned()), span: Some(span) }.into()
}

/// `seed N` at the end.
pub(super) fn seed(a: &Called<'_>, rest: &mut Rest<'_>) -> Result<Option<u64>> {
    let Some((typed, span)) = rest.take_named("seed") else { return Ok(None) };
    let wrong = |_| misread(format!("a seed is a whole number from 0 on, but got `{typed}`"), a.example(), span);
    Ok(Some(typed.parse().map_err(wrong)?))
}

/// A share of the steps that is more than nothing.
pub(super) fn strength(a: &Called<'_>, (number, span): (f64, Span)) -> Result<f64> {
    if number > 0.0 && number <= 1.0 {
        return Ok(number);
    }
    let message =
        format!("a strength is a share of the steps, above 0 and up to 1, but got `{}`", &a.line[span.from..span.to]);
    Err(misread(message, a.example(), span))
}

/// The edit that a text says of the present picture, as a change in words or as the whole new prompt; the present prompt where it
/// says nothing.
pub(super) fn edit_of(session: &mut Session, rest: &Rest<'_>, is_whole: bool) -> Result<Edit> {
    let here = session.resolve(None)?;
    let text = rest.text();
    if text.is_empty() {
        let prompt = session.tree()[here].plan.prompt.clone();
        return Ok(Edit { changes: Vec::new(), is_root: false, ..Edit::root(prompt) });
    }
    let moved = |error: anyhow::Error| match error.downcast::<Misread>() {
        Ok(misread) => misread.moved(rest.range.start).into(),
        Err(error) => error,
    };
    let mut read = if is_whole { session.read_root(text) } else { session.read(text) }.map_err(moved)?;
    if matches!(&read, Turn::Edit(edit) if edit.is_root) {
        // Without what is said of a new picture: this is none.
        read = session.read_root(text).map_err(moved)?;
    }
    match read {
        Turn::Edit(edit) => session.edit_towards(here, edit),
        Turn::Nothing => {
            Err(Hinted::new(format!("`{text}` says nothing to draw"), "describe the picture as it should be").into())
        }
        Turn::Question(question) => {
            let choices: Vec<&str> = question.choices.iter().map(|choice| choice.label.as_str()).collect();
            let message = format!("{} {}", question.text, choices.join(", or "));
            Err(Misread { message, hint: Some("say it otherwise, such as: blond -> red".to_owned()), span: None }
                .into())
        }
    }
}

pub(super) fn planned(session: &mut Session, edit: Edit, by: &DrawnBy) -> Result<AskedEdit> {
    let here = session.resolve(None)?;
    let planned = session.plan_by(here, &edit, by)?;
    Ok((edit, planned))
}

/// `/in REGION EDIT`: an edit in words, and only there may the picture change.
fn within(session: &mut Session, a: &Called<'_>) -> Result<AskedEdit> {
    let here = session.resolve(None)?;
    a.needed(1)?;
    let mut rest = Rest::of(a, 0);
    let (region, next) = first_word(rest.text());
    rest.range.start += next;
    let area = session.area(here, region, &typed_path::path(region))?;
    let no_edit = || Hinted::new(format!("`{}` is no edit of this picture", rest.text()), a.example()).into();
    match session.read(rest.text()) {
        Ok(Turn::Edit(edit)) if edit.is_root => return Err(no_edit()),
        Ok(Turn::Nothing) => return Err(no_edit()),
        _ => {}
    }
    let edit = edit_of(session, &rest, false)?;
    planned(session, edit, &DrawnBy::Within(area))
}

/// `/sdedit STRENGTH [PROMPT] [with FILE [at X,Y]]`: noise on the picture, and from there.
fn sdedit(session: &mut Session, a: &Called<'_>) -> Result<AskedEdit> {
    let here = session.resolve(None)?;
    let typed = a.needed(0)?;
    let span = a.given[0].span;
    let wrong =
        |_| misread(format!("`/sdedit` takes a strength from 0 to 1 first, but got `{typed}`"), a.example(), span);
    let strength = strength(a, (typed.parse().map_err(wrong)?, span))?;
    let mut rest = Rest::of(a, 1);
    let seed = seed(a, &mut rest)?;
    let patch = match patch_in(&rest) {
        Some(TypedPatch { from, file, at }) => {
            let recipe = &session.tree()[here].recipe;
            let patch = read_patch(&typed_path::path(file), at, (recipe.width, recipe.height))?;
            rest.cut_at(from);
            Some(patch)
        }
        None => None,
    };
    let edit = edit_of(session, &rest, false)?;
    let method = RedrawMethod::SdEdit { strength, patch };
    planned(session, edit, &DrawnBy::Redraw { method, area: None, seed })
}

/// A patch as typed.
struct TypedPatch<'a> {
    /// Where it begins in the text.
    from: usize,
    /// Its file.
    file: &'a str,
    /// The pixel of the picture that its left upper corner lies on.
    at: Option<(usize, usize)>,
}

/// `with FILE [at X,Y]` at the end of a text. Words that name no file are part of a prompt.
fn patch_in<'a>(rest: &Rest<'a>) -> Option<TypedPatch<'a>> {
    let text = rest.text();
    let starts = text.match_indices("with ").filter(|(at, _)| *at == 0 || text[..*at].ends_with(char::is_whitespace));
    starts.map(|(at, with)| (at, at + with.len())).find_map(|(at, next)| {
        let (file, end) = first_word(&text[next..]);
        let path = typed_path::path(file);
        let endings = ["png", "jpg", "jpeg", "webp"];
        let is_picture = |ending: &std::ffi::OsStr| endings.iter().any(|known| ending.eq_ignore_ascii_case(known));
        if !path.is_file() && !path.extension().is_some_and(is_picture) {
            return None;
        }
        let at_pixel = match text[next + end..].trim() {
            "" => None,
            place => {
                let (x, y) = place.strip_prefix("at ")?.trim().split_once(',')?;
                Some((x.trim().parse().ok()?, y.trim().parse().ok()?))
            }
        };
        Some(TypedPatch { from: at, file, at: at_pixel })
    })
}

/// `/paint [PROMPT] in REGION [STRENGTH]`: only there drawn again, blended with the noised picture at every step.
fn paint(session: &mut Session, a: &Called<'_>) -> Result<AskedEdit> {
    let here = session.resolve(None)?;
    a.needed(0)?;
    let mut rest = Rest::of(a, 0);
    let seed = seed(a, &mut rest)?;
    let text = rest.text();
    let begins = text.rfind(" in ").map(|at| (at, at + 4)).or_else(|| text.starts_with("in ").then_some((0, 3)));
    let Some((end, region)) = begins else {
        let message = format!("`{text}` does not say where: `/paint` needs a region after `in`");
        return Err(Hinted::new(message, a.example()).into());
    };
    let (typed, next) = first_word(text[region..].trim_start());
    let after = text[region..].trim_start()[next..].trim();
    let strength = match after {
        "" => 1.0,
        _ => {
            let span = Span { from: rest.range.end - after.len(), to: rest.range.end };
            let wrong =
                |_| misread(format!("after the region stands a strength, but got `{after}`"), a.example(), span);
            strength(a, (after.parse().map_err(wrong)?, span))?
        }
    };
    let area = session.area(here, typed, &typed_path::path(typed))?;
    rest.cut_at(end);
    let edit = edit_of(session, &rest, false)?;
    let method = RedrawMethod::BlendedDiffusion { strength };
    planned(session, edit, &DrawnBy::Redraw { method, area: Some(area), seed })
}

/// `/mix PROMPT [KMIN KMAX NU]`: what the words say in the layout of the picture.
fn mix(session: &mut Session, a: &Called<'_>) -> Result<AskedEdit> {
    session.resolve(None)?;
    a.needed(0)?;
    let mut rest = Rest::of(a, 0);
    let seed = seed(a, &mut rest)?;
    let numbers = rest.take_numbers(3);
    let default = [0.3, 0.6, 0.5];
    let number = |i: usize| numbers.get(i).map_or(default[i], |(number, _)| *number);
    let (kmin, kmax, nu) = (number(0), number(1), number(2));
    if let Some((number, span)) = numbers.iter().find(|(number, _)| !(0.0..=1.0).contains(number)) {
        return Err(misread(format!("kmin, kmax and nu lie between 0 and 1, but got {number}"), a.example(), *span));
    }
    if kmax <= 0.0 || kmin > kmax {
        let message = format!("kmin {kmin} is after kmax {kmax}: both are shares of the steps, counted from the end");
        return Err(Hinted::new(message, a.example()).into());
    }
    if rest.text().is_empty() {
        return Err(
            Hinted::new("`/mix` needs a prompt: what is to be drawn in this picture's layout", a.example()).into()
        );
    }
    let edit = edit_of(session, &rest, true)?;
    let method = RedrawMethod::MagicMix { kmin, kmax, nu };
    planned(session, edit, &DrawnBy::Redraw { method, area: None, seed })
}

/// `/diffedit PROMPT [STRENGTH]`: where the new words ask for something else.
fn diffedit(session: &mut Session, a: &Called<'_>) -> Result<AskedEdit> {
    session.resolve(None)?;
    a.needed(0)?;
    let mut rest = Rest::of(a, 0);
    let seed = seed(a, &mut rest)?;
    let given = rest.take_numbers(1).first().map(|number| strength(a, *number)).transpose()?;
    let edit = edit_of(session, &rest, false)?;
    if edit.spans.is_empty() && edit.weighings.is_empty() {
        let message = "`/diffedit` needs other words: its mask is where they ask for something else";
        return Err(Hinted::new(message, a.example()).into());
    }
    let mut method = RedrawMethod::DIFFEDIT;
    if let RedrawMethod::DiffEdit { strength: usual, .. } = &mut method {
        *usual = given.unwrap_or(*usual);
    }
    planned(session, edit, &DrawnBy::Redraw { method, area: None, seed })
}

#[cfg(test)]
mod tests {
    use super::first_word;

    #[test]
    fn the_first_word_ends_at_a_blank_that_no_quote_holds() {
        assert_eq!(first_word("hair make it red"), ("hair", 5));
        assert_eq!(first_word("'my mask.png'  + a hat"), ("'my mask.png'", 15));
        assert_eq!(first_word("my\\ mask.png + a hat"), ("my\\ mask.png", 13));
        assert_eq!(first_word("\"it's\" x"), ("\"it's\"", 7));
        assert_eq!(first_word("hair"), ("hair", 4));
    }
}
