//! The notation, cut into parts and told apart: arrows, signs and weights, with their places in the line.

use super::desk::{Stop, Tok, tokens};
use super::{Misread, Span};
use std::ops::Range;

pub(super) const ARROWS: &[&str] = &["-->", "->", "=>", "→", "⟶", "➜", "⇒", "➔", " > "];

pub(super) const MINUS: &[char] = &['-', '\u{2013}', '\u{2212}', '\u{2014}'];

/// What stands between a word and its weight: as it is typed, and as it is printed.
const TIMES: &[&str] = &["*", "×", " x "];

/// One stretch of the line between commas.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    pub(super) from: usize,
}

impl<'a> Part<'a> {
    pub(super) fn new(text: &'a str, from: usize) -> Self {
        let trimmed = text.trim_start();
        Self { text: trimmed.trim_end(), from: from + text.len() - trimmed.len() }
    }

    pub(super) fn span(self) -> Span {
        Span { from: self.from, to: self.from + self.text.len() }
    }

    pub(super) fn slice(self, range: Range<usize>) -> Self {
        Part::new(&self.text[range.clone()], self.from + range.start)
    }

    /// Without the quotes around it.
    fn unquoted(self) -> Self {
        const QUOTES: &[(char, char)] = &[('"', '"'), ('\u{201c}', '\u{201d}'), ('`', '`')];
        let inner = |&(open, close): &(char, char)| {
            self.text.strip_prefix(open)?.strip_suffix(close).map(|t| Part::new(t, self.from + open.len_utf8()))
        };
        QUOTES.iter().find_map(inner).unwrap_or(self)
    }

    pub(super) fn toks(self) -> Vec<Tok> {
        tokens(self.text, self.from)
    }

    pub(super) fn arrow(self) -> Option<(usize, usize)> {
        ARROWS
            .iter()
            .filter_map(|a| self.text.find(a).map(|i| (i, a.len())))
            .min_by_key(|&(i, len)| (i, usize::MAX - len))
    }
}

/// The line cut at commas and semicolons, but not inside brackets and not inside a number.
pub(super) fn parts(line: &str) -> Vec<Part<'_>> {
    let mut all = Vec::new();
    let (mut from, mut depth) = (0, 0i32);
    for (i, c) in line.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' | ';' if depth <= 0 => {
                all.push(Part::new(&line[from..i], from));
                from = i + c.len_utf8();
            }
            _ => {}
        }
    }
    all.push(Part::new(&line[from..], from));
    all.retain(|p| !p.text.is_empty());
    all
}

/// Where a word stands between blanks.
pub(super) fn find_word(text: &str, word: &str) -> Option<usize> {
    let bounded = |i: usize| {
        let blank = |c: Option<char>| c.is_some_and(char::is_whitespace);
        blank(text[..i].chars().next_back()) && blank(text[i + word.len()..].chars().next())
    };
    text.match_indices(word).map(|(i, _)| i).find(|&i| bounded(i))
}

/// What a part says in notation.
pub(super) enum Sign<'a> {
    Swap { left: Part<'a>, right: Part<'a> },
    Add(Part<'a>),
    Remove(Part<'a>),
    Weigh(Vec<(Part<'a>, Part<'a>)>),
    None,
}

pub(super) fn sign(part: Part<'_>) -> Sign<'_> {
    if let Some((at, len)) = part.arrow() {
        let (left, right) = (part.slice(0..at), part.slice(at + len..part.text.len()));
        return Sign::Swap { left: left.unquoted(), right: right.unquoted() };
    }
    if let Some(rest) = part.text.strip_prefix('+') {
        return Sign::Add(Part::new(rest, part.from + 1));
    }
    if let Some(c) = part.text.chars().next().filter(|c| MINUS.contains(c)) {
        let rest = &part.text[c.len_utf8()..];
        if !rest.starts_with(MINUS) {
            return Sign::Remove(Part::new(rest, part.from + c.len_utf8()));
        }
    }
    if let Some(number) = part.text.strip_prefix('*').filter(|n| n.trim().parse::<f64>().is_ok()) {
        return Sign::Weigh(vec![(part.slice(0..0), Part::new(number, part.from + 1))]);
    }
    let weighed = weighed(part);
    if weighed.is_empty() { Sign::None } else { Sign::Weigh(weighed) }
}

/// `wavy*2`, `long hair * 1.5`, `(wavy:1.5)`, several in a row: the words and their numbers, if the part is nothing else.
pub(super) fn weighed(part: Part<'_>) -> Vec<(Part<'_>, Part<'_>)> {
    // `wavy:1.5` without its brackets
    if let Some((words, number)) = part.text.split_once(':').filter(|(w, n)| {
        !w.contains(|c: char| matches!(c, '(' | '*') || c.is_ascii_digit()) && n.parse::<f64>().is_ok()
    }) {
        let at = words.len() + 1;
        return vec![(part.slice(0..words.len()), part.slice(at..at + number.len()))];
    }
    let mut all = Vec::new();
    let mut at = 0;
    while at < part.text.len() {
        let rest = part.slice(at..part.text.len());
        if rest.text.is_empty() {
            break;
        }
        if rest.text.starts_with('(') {
            let Some((words, number, end)) = bracket(rest) else { return Vec::new() };
            all.push((words, number));
            at = rest.from - part.from + end;
            continue;
        }
        let Some((star, sign)) = TIMES.iter().filter_map(|t| rest.text.find(t).map(|i| (i, t.len()))).min() else {
            return Vec::new();
        };
        let after = &rest.text[star + sign..];
        let blank = after.len() - after.trim_start().len();
        let len = after[blank..].find(|c: char| c.is_whitespace() || c == '(').unwrap_or(after.len() - blank);
        let (words, number) = (rest.slice(0..star), rest.slice(star + sign + blank..star + sign + blank + len));
        if words.toks().is_empty() || (blank > 0 && number.text.parse::<f64>().is_err()) {
            return Vec::new();
        }
        all.push((words, number));
        at = rest.from - part.from + star + sign + blank + len;
    }
    all
}

/// `(words:number)` at the beginning: the words, the number, and where it ends.
pub(super) fn bracket(part: Part<'_>) -> Option<(Part<'_>, Part<'_>, usize)> {
    let close = part.text.find(')')?;
    let colon = part.text[..close].rfind(':')?;
    let (words, number) = (part.slice(1..colon), part.slice(colon + 1..close));
    (!words.toks().is_empty()).then_some((words, number, close + 1))
}

/// A weight: finite, from -100 to 100.
pub(super) fn number(words: Part<'_>, part: Part<'_>) -> Result<f64, Stop> {
    let name = words.text;
    let bad = |message: String| -> Stop {
        let span = if part.text.is_empty() { words.span() } else { part.span() };
        Misread {
            message,
            hint: Some(format!("{name}*1.5 strengthens, {name}*.5 weakens, {name}*1 takes it back")),
            span: Some(span),
        }
        .into()
    };
    match part.text.parse::<f64>() {
        Ok(x) if x.is_finite() && x.abs() <= 100.0 => Ok(x),
        Ok(_) => Err(bad(format!("the weight of `{name}` is {}, but a weight lies between -100 and 100", part.text))),
        Err(_) if part.text.is_empty() => Err(bad(format!("the weight of `{name}` is missing"))),
        Err(_) => Err(bad(format!("`{}` is not a number, so `{name}` keeps its weight", part.text))),
    }
}
