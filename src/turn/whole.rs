//! A whole prompt: an edit if it is mostly the present one, else a new root.

use super::desk::{Desk, Stop, tokens};
use super::draft::Draft;
use super::sign::{Part, bracket, number};
use super::small::{is_article, is_function_word, is_number};
use super::words::{Numbered, lower, lowered, split};
use super::{Change, Weight};
use std::ops::Range;

/// Reads the line as a whole prompt: an edit if it is mostly the present one, else a new root.
pub(super) fn whole(desk: &mut Desk<'_>) -> Result<bool, Stop> {
    prompt(desk, asked(desk.line))
}

/// The same of a line that begins a new picture whatever it says.
pub(super) fn root(desk: &mut Desk<'_>) -> Result<bool, Stop> {
    prompt(desk, desk.line)
}

/// Reads the line as what the present prompt becomes, however little they share.
pub(super) fn between(desk: &mut Desk<'_>) -> Result<bool, Stop> {
    let text = desk.line.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some(parent) = desk.here.prompt.filter(|parent| !split(parent).is_empty() && !split(&text).is_empty()) else {
        return Ok(false);
    };
    let pairs = align(parent, &text).pairs;
    desk.draft = Draft::aligned(parent, &text, &pairs);
    describe(desk, parent, &text, &pairs);
    desk.verbatim = Some(text);
    Ok(true)
}

fn prompt(desk: &mut Desk<'_>, line: &str) -> Result<bool, Stop> {
    let (text, weights) = strip_weights(line)?;
    // As it was typed, but for blanks that say nothing.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let root = Draft::root(&text);
    if root.items.is_empty() {
        return Ok(false);
    }
    let toks = tokens(desk.line, 0);
    if desk.line.chars().all(|c| c.is_ascii() && !c.is_alphanumeric()) {
        return Err(desk.misread(&toks, "there is no word in that", "a woman's face with long wavy blond hair"));
    }
    let bracketed = toks.first().is_some_and(|t| matches!(t.low.as_str(), "(" | "[")) && weights.is_empty();
    if bracketed && desk.here.prompt.is_some() {
        return Err(desk.misread(&toks, "a bracket holds words and their weight", "(wavy:1.5)"));
    }
    let prompt = text;
    desk.verbatim = Some(prompt.clone());
    let aligned = desk.here.prompt.map(|parent| (parent, align(parent, &prompt)));
    match aligned {
        Some((parent, Aligned { pairs, enough: true })) => {
            desk.draft = Draft::aligned(parent, &prompt, &pairs);
            describe(desk, parent, &prompt, &pairs);
            if desk.changes.is_empty() && weights.is_empty() {
                desk.idle.push("that is the present prompt".to_owned());
            }
        }
        other => {
            desk.is_root = true;
            desk.draft = root;
            desk.changes.push(Change::Start { prompt });
            if other.is_some() {
                let few = desk.draft.items.len() <= 6;
                let tip =
                    if few { format!("; to add it to this one: + {}", desk.draft.prompt()) } else { String::new() };
                desk.warnings.push(format!(
                    "taken as a new picture, because less than half of the words are those of the present prompt{tip}"
                ));
            }
        }
    }
    for (words, value) in weights {
        for i in words.filter(|&i| desk.draft.is_word(i)).collect::<Vec<_>>() {
            desk.weigh(i, Weight::Set(value));
        }
    }
    Ok(true)
}

/// What is to be drawn: `a dog` of `draw me a dog`.
fn asked(line: &str) -> &str {
    let words = split(line);
    let low = |i: usize| words.get(i).map(|w| lower(w.text)).unwrap_or_default();
    let verb = usize::from(matches!(low(0).as_str(), "draw" | "create" | "generate" | "imagine"));
    let me = verb + usize::from(verb == 1 && matches!(low(1).as_str(), "me" | "us"));
    let opens = is_article(&low(me)) || is_number(&low(me));
    match words.get(me) {
        Some(word) if verb == 1 && opens => &line[word.from..],
        _ => line,
    }
}

/// Ranges of words and their weights.
type Weighed = Vec<(Range<usize>, f64)>;

/// Takes `(wavy:1.5)` and `wavy*2` out of a whole prompt: the plain text, and weights by word.
pub(super) fn strip_weights(line: &str) -> Result<(String, Weighed), Stop> {
    let mut text = String::new();
    let mut weights = Vec::new();
    let whole = Part { text: line, from: 0 };
    let mut at = 0;
    while at < line.len() {
        let rest = &line[at..];
        let Some(next) = rest.find(['(', '*', '[', '\\']) else {
            text.push_str(rest);
            break;
        };
        // `\(` is a bracket.
        if let Some(sign) = rest[next..].strip_prefix('\\').and_then(|rest| rest.chars().next()) {
            text.push_str(&rest[..next]);
            if !matches!(sign, '(' | ')' | '[' | ']') {
                text.push('\\');
            }
            text.push(sign);
            at += next + 1 + sign.len_utf8();
            continue;
        }
        if let Some((words, value, end)) = super::foreign::emphasis(&rest[next..]) {
            text.push_str(&rest[..next]);
            let first = split(&text).len();
            text.push_str(&rest[next..][words]);
            weights.push((first..split(&text).len(), value));
            at += next + end;
            continue;
        }
        let here = Part { text: &whole.text[at + next..], from: at + next };
        if rest[next..].starts_with('(') {
            if let Some((words, value, end)) = bracket(here).filter(|(_, v, _)| v.text.parse::<f64>().is_ok()) {
                text.push_str(&rest[..next]);
                let first = split(&text).len();
                text.push_str(words.text);
                weights.push((first..split(&text).len(), number(words, value)?));
                at += next + end;
                continue;
            }
        } else {
            let after = &rest[next + 1..];
            let len = after
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+')))
                .unwrap_or(after.len());
            let value = after[..len].trim_end_matches('.');
            let word = rest[..next].chars().next_back().is_some_and(char::is_alphanumeric);
            if word && value.parse::<f64>().is_ok() {
                text.push_str(&rest[..next]);
                let words = split(&text);
                let last = words.len() - 1;
                let from = words[last].from;
                let name = text[from..].to_owned();
                let value = Part { text: value, from: at + next + 1 };
                weights.push((
                    last..last + 1,
                    number(Part { text: &name, from: at + next - name.len().min(next) }, value)?,
                ));
                at += next + 1 + value.text.len();
                continue;
            }
        }
        let step = next + 1;
        text.push_str(&rest[..step]);
        at += step;
    }
    Ok((text, weights))
}

pub(super) struct Aligned {
    pairs: Vec<(usize, usize)>,
    enough: bool,
}

/// Words that two prompts share in order (longest common subsequence; content words count most), and whether at least
/// half of the longer one's content words are among them.
pub(super) fn align(parent: &str, prompt: &str) -> Aligned {
    let old: Vec<String> = lowered(parent);
    let new: Vec<String> = lowered(prompt);
    let content = |w: &String| !is_function_word(w) && w.chars().any(char::is_alphanumeric);
    // What both begin and end with is shared; the table is of what lies between.
    let first = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let most = old.len().min(new.len()) - first;
    let last = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let (n, m) = (old.len() - first - last, new.len() - first - last);
    if n.saturating_mul(m) > 16_000_000 {
        return Aligned { pairs: Vec::new(), enough: false };
    }
    // Words by number, so that comparing two is comparing numbers.
    let mut numbers = Numbered::default();
    let source: Vec<usize> = old[first..first + n].iter().map(|w| numbers.of(w)).collect();
    let target: Vec<usize> = new[first..first + m].iter().map(|w| numbers.of(w)).collect();
    let worth: Vec<u16> = old[first..first + n].iter().map(|w| if content(w) { 8 } else { 2 }).collect();
    // best[i][j] of the tails; a match next to a match is worth a little more, so that runs stay together. At most nine for
    // each word of the shorter one, of which there are four thousand.
    let width = m + 1;
    let mut best = vec![0u16; (n + 1) * width];
    let run = |i: usize, j: usize| u16::from(i + 1 < n && j + 1 < m && source[i + 1] == target[j + 1]);
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            let mut score = best[(i + 1) * width + j].max(best[i * width + j + 1]);
            if source[i] == target[j] {
                score = score.max(best[(i + 1) * width + j + 1] + worth[i] + run(i, j));
            }
            best[i * width + j] = score;
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs: Vec<(usize, usize)> = (0..first).map(|i| (i, i)).collect();
    while i < n && j < m {
        let here = best[i * width + j];
        if source[i] == target[j] && here == best[(i + 1) * width + j + 1] + worth[i] + run(i, j) {
            pairs.push((first + i, first + j));
            i += 1;
            j += 1;
        } else if best[(i + 1) * width + j] >= best[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs.extend((0..last).map(|k| (old.len() - last + k, new.len() - last + k)));
    let count = |all: &[String]| all.iter().filter(|w| content(w)).count();
    let shared = pairs.iter().filter(|&&(s, _)| content(&old[s])).count();
    let longer = count(&old).max(count(&new));
    let enough = if longer == 0 { old == new } else { shared * 2 >= longer || is_built_alike(&old, &new) };
    Aligned { pairs, enough }
}

/// How many words a line shares with the present prompt, if it is mostly that and begins as it does.
pub(super) fn near(parent: &str, line: &str) -> Option<usize> {
    let aligned = align(parent, line);
    let (old, new) = (lowered(parent), lowered(line));
    let be = |all: &[String]| all.iter().any(|w| matches!(w.as_str(), "is" | "are" | "has" | "have"));
    let the = |all: &[String]| all.first().is_some_and(|w| w == "the");
    let kept = aligned.pairs.len();
    // `the cat is in a forest` says something of `a cat in a forest`; a prompt of clauses is retyped as one.
    let near = aligned.enough
        && kept >= 3
        && (be(&old) || !be(&new))
        && (the(&old) || !the(&new))
        && kept * 2 >= new.len().max(old.len())
        && old[0] == new[0];
    near.then_some(kept)
}

/// What stands in the place of what, between the words that two prompts share: ranges of their words, neither empty.
pub(super) fn gaps(parent: &str, prompt: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let (n, m) = (split(parent).len(), split(prompt).len());
    let (mut s, mut t) = (0, 0);
    let mut all = Vec::new();
    for (i, j) in align(parent, prompt).pairs.into_iter().chain([(n, m)]) {
        if i > s && j > t {
            all.push((s..i, t..j));
        }
        (s, t) = (i + 1, j + 1);
    }
    all
}

/// True for two short prompts of one build: `a goat on a hill`, `a sheep on a hill`.
fn is_built_alike(old: &[String], new: &[String]) -> bool {
    let small = |w: &String| is_function_word(w) || !w.chars().any(char::is_alphanumeric);
    let articles = |a: &str, b: &str| a == b || (matches!(a, "a" | "an") && matches!(b, "a" | "an"));
    let places = |a: &str, b: &str| matches!(a, "in" | "on" | "at") && matches!(b, "in" | "on" | "at");
    let words = old.iter().filter(|w| !small(w)).count();
    old.len() == new.len()
        && (2..=3).contains(&words)
        && old.len() >= words + 3
        && old.iter().zip(new).all(|(a, b)| if small(a) { articles(a, b) || places(a, b) } else { !small(b) })
}

/// Says what a whole prompt changes, gap by gap.
pub(super) fn describe(desk: &mut Desk<'_>, parent: &str, prompt: &str, pairs: &[(usize, usize)]) {
    let (old, new) = (split(parent), split(prompt));
    let (mut s, mut t) = (0, 0);
    for &(i, j) in pairs.iter().chain(std::iter::once(&(old.len(), new.len()))) {
        let from = if i > s { &parent[old[s].from..old[i - 1].to] } else { "" };
        let to = if j > t { &prompt[new[t].from..new[j - 1].to] } else { "" };
        let article = |x: &str| matches!(lower(x).as_str(), "a" | "an");
        match (from.is_empty(), to.is_empty()) {
            (true, true) => {}
            (false, false) if article(from) && article(to) => {
                desk.changes.push(Change::Swap { from: from.to_owned(), to: to.to_owned() });
            }
            (false, false) => desk.changes.push(Change::Swap { from: from.to_owned(), to: to.to_owned() }),
            (true, false) => desk.changes.push(Change::Add { text: to.trim_matches([',', ' ']).to_owned() }),
            (false, true) => desk.changes.push(Change::Remove { text: from.trim_matches([',', ' ']).to_owned() }),
        }
        (s, t) = (i + 1, j + 1);
    }
    // A mere a/an beside a real change is not worth a line of its own.
    let mere = |c: &Change| matches!(c, Change::Swap { from, to } if matches!(lower(from).as_str(), "a" | "an") && matches!(lower(to).as_str(), "a" | "an"));
    if desk.changes.iter().any(|c| !mere(c)) {
        desk.changes.retain(|c| !mere(c));
    }
}
