//! The notation (`blond -> red`, `+ at night`, `- snowy`, `wavy*2`, `(wavy:1.5)`, `cat#2`), and whole prompts.

use super::desk::{Desk, Stop, Tok, lows, tokens};
use super::draft::Draft;
use super::find::Reach;
use super::lexicon::{is_article, is_determiner, is_function_word, is_owner, lexicon};
use super::words::{lower, split};
use super::{Change, Misread, Span, Weight, phrase};
use std::ops::Range;

const ARROWS: &[&str] = &["-->", "->", "=>", "→", "⟶", "➜", "⇒", "➔"];
const MINUS: &[char] = &['-', '\u{2013}', '\u{2212}', '\u{2014}'];

/// One stretch of the line between commas.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    text: &'a str,
    from: usize,
}

impl<'a> Part<'a> {
    fn new(text: &'a str, from: usize) -> Self {
        let trimmed = text.trim_start();
        Self { text: trimmed.trim_end(), from: from + text.len() - trimmed.len() }
    }

    fn span(self) -> Span {
        Span { from: self.from, to: self.from + self.text.len() }
    }

    fn slice(self, range: Range<usize>) -> Self {
        Part::new(&self.text[range.clone()], self.from + range.start)
    }

    fn toks(self) -> Vec<Tok> {
        tokens(self.text, self.from)
    }

    fn arrow(self) -> Option<(usize, usize)> {
        ARROWS.iter().filter_map(|a| self.text.find(a).map(|i| (i, a.len()))).min_by_key(|&(i, len)| (i, usize::MAX - len))
    }
}

/// The line cut at commas and semicolons, but not inside brackets and not inside a number.
fn parts(line: &str) -> Vec<Part<'_>> {
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

/// Parts cut once more at an `and` or `then` that another change follows: `long -> short and blond -> red`.
fn joined_parts<'a>(desk: &Desk<'_>, parts: Vec<Part<'a>>) -> Vec<Part<'a>> {
    let mut all = Vec::new();
    for mut part in parts {
        if matches!(sign(part), Sign::None) || part.text.len() > 400 {
            all.push(part);
            continue;
        }
        let mut at = 0;
        while let Some((i, word)) = ["and then", "and", "then", "but"]
            .iter()
            .filter_map(|w| find_word(&part.text[at..], w).map(|i| (i + at, *w)))
            .min_by_key(|&(i, w)| (i, usize::MAX - w.len()))
        {
            let rest = part.slice(i + word.len()..part.text.len());
            let before = part.slice(0..i);
            let signed = !matches!(sign(rest), Sign::None);
            if !matches!(sign(before), Sign::None) && (signed || phrase::is_instruction(desk, &rest.toks())) {
                all.push(before);
                part = rest;
                at = 0;
            } else {
                at = i + word.len();
            }
        }
        all.push(part);
    }
    all.retain(|p| !p.text.is_empty());
    all
}

/// Where a word stands between blanks.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let bounded = |i: usize| {
        let blank = |c: Option<char>| c.is_some_and(char::is_whitespace);
        blank(text[..i].chars().next_back()) && blank(text[i + word.len()..].chars().next())
    };
    text.match_indices(word).map(|(i, _)| i).find(|&i| bounded(i))
}

/// What a part says in notation.
enum Sign<'a> {
    Swap { left: Part<'a>, right: Part<'a> },
    Add(Part<'a>),
    Remove(Part<'a>),
    Weigh(Vec<(Part<'a>, Part<'a>)>),
    None,
}

fn sign(part: Part<'_>) -> Sign<'_> {
    if let Some((at, len)) = part.arrow() {
        return Sign::Swap { left: part.slice(0..at), right: part.slice(at + len..part.text.len()) };
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
fn weighed(part: Part<'_>) -> Vec<(Part<'_>, Part<'_>)> {
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
        let Some(star) = rest.text.find('*') else { return Vec::new() };
        let after = &rest.text[star + 1..];
        let blank = after.len() - after.trim_start().len();
        let len = after[blank..].find(|c: char| c.is_whitespace() || c == '(').unwrap_or(after.len() - blank);
        let (words, number) = (rest.slice(0..star), rest.slice(star + 1 + blank..star + 1 + blank + len));
        if words.toks().is_empty() || (blank > 0 && number.text.parse::<f64>().is_err()) {
            return Vec::new();
        }
        all.push((words, number));
        at = rest.from - part.from + star + 1 + blank + len;
    }
    all
}

/// `(words:number)` at the beginning: the words, the number, and where it ends.
fn bracket(part: Part<'_>) -> Option<(Part<'_>, Part<'_>, usize)> {
    let close = part.text.find(')')?;
    let colon = part.text[..close].rfind(':')?;
    let (words, number) = (part.slice(1..colon), part.slice(colon + 1..close));
    (!words.toks().is_empty()).then_some((words, number, close + 1))
}

/// A weight: finite, from -100 to 100.
fn number(words: Part<'_>, part: Part<'_>) -> Result<f64, Stop> {
    let name = words.text;
    let bad = |message: String| -> Stop {
        let span = if part.text.is_empty() { words.span() } else { part.span() };
        Misread { message, hint: Some(format!("{name}*1.5 strengthens, {name}*.5 weakens, {name}*1 takes it back")), span: Some(span) }
            .into()
    };
    match part.text.parse::<f64>() {
        Ok(x) if x.is_finite() && x.abs() <= 100.0 => Ok(x),
        Ok(_) => Err(bad(format!("the weight of `{name}` is {}, but a weight lies between -100 and 100", part.text))),
        Err(_) if part.text.is_empty() => Err(bad(format!("the weight of `{name}` is missing"))),
        Err(_) => Err(bad(format!("`{}` is not a number, so `{name}` keeps its weight", part.text))),
    }
}

/// Reads a line in notation; false if it holds none.
pub(super) fn notation(desk: &mut Desk<'_>) -> Result<bool, Stop> {
    let line = desk.line;
    let parts = joined_parts(desk, parts(line));
    let signs: Vec<Sign<'_>> = parts.iter().map(|p| sign(*p)).collect();
    let arrow = signs.iter().any(|s| matches!(s, Sign::Swap { .. }));
    let first_is = !matches!(signs.first(), None | Some(Sign::None));
    let later = signs.iter().any(|s| !matches!(s, Sign::None));
    let instruction = later && parts.first().is_some_and(|p| phrase::is_instruction(desk, &p.toks()));
    if !arrow && !first_is && !instruction {
        return Ok(false);
    }
    // `a woman with wavy hair*2` is a whole prompt with a weight in it.
    if let [Sign::Weigh(all)] = signs.as_slice() {
        let words = all.first().map(|(w, _)| w.toks()).unwrap_or_default();
        let known = find(desk, &words).is_ok_and(|f| !f.1.is_empty());
        if !known && (words.len() > 4 || words.first().is_some_and(|w| is_article(&w.low))) {
            return Ok(false);
        }
    }
    if desk.here.prompt.is_none() {
        let span = parts.first().map(|p| p.span());
        let hint = Some("describe one first: a woman's face with long wavy blond hair".to_owned());
        return Err(Misread { message: "there is no picture to edit yet".into(), hint, span }.into());
    }
    for (part, sign) in parts.iter().zip(signs) {
        match sign {
            Sign::Swap { left, right } => swap(desk, *part, left, right)?,
            Sign::Add(rest) => add(desk, *part, rest)?,
            Sign::Remove(rest) => remove(desk, *part, rest)?,
            Sign::Weigh(all) => {
                for (words, value) in all {
                    if words.toks().is_empty() {
                        return Err(desk.misread(&part.toks(), "nothing stands left of `*`", "wavy*1.5"));
                    }
                    let value = number(words, value)?;
                    let place = locate(desk, &words.toks(), false)?;
                    weigh(desk, place, value);
                }
            }
            Sign::None => {
                if part.text.chars().all(|c| c.is_ascii_digit() || c == '.') {
                    let hint = "write a fraction with a point: wavy*1.5";
                    return Err(desk.misread(&part.toks(), format!("`{}` is a number with nothing to weigh", part.text), hint));
                }
                if !phrase::clauses(desk, &part.toks())? {
                    phrase::bare(desk, &part.toks())?;
                }
            }
        }
    }
    Ok(true)
}

/// Every word of a place gets the weight; small words do not count.
fn weigh(desk: &mut Desk<'_>, place: Range<usize>, value: f64) {
    let all: Vec<usize> = place.clone().filter(|&i| desk.draft.is_word(i)).collect();
    let content: Vec<usize> = all.iter().copied().filter(|&i| !is_function_word(desk.draft.low(i))).collect();
    for i in if content.is_empty() { all } else { content } {
        desk.weigh(i, Weight::Set(value));
    }
}

/// Cuts `#2` off the end of tokens: the words, and the number if there is one.
fn numbered(toks: &[Tok]) -> (&[Tok], Option<usize>) {
    if let [words @ .., hash, n] = toks {
        if hash.low == "#" && !words.is_empty() && words[words.len() - 1].to == hash.from && hash.to == n.from {
            if let Ok(n) = n.low.parse() {
                return (words, Some(n));
            }
        }
    }
    (toks, None)
}

/// The words of tokens, and where they stand among the parent's own words.
fn find<'t>(desk: &Desk<'_>, toks: &'t [Tok]) -> Result<(&'t [Tok], Vec<Range<usize>>), Stop> {
    let words = |t: &[Tok]| -> Vec<String> { t.iter().map(|t| t.low.clone()).collect() };
    let (mut core, index) = numbered(toks);
    let mut places = desk.draft.occurrences(&words(core), Reach::Exact, true);
    while places.is_empty() && core.len() > 1 && (is_determiner(&core[0].low) || core.last().is_some_and(Tok::is_mark)) {
        core = if is_determiner(&core[0].low) { &core[1..] } else { &core[..core.len() - 1] };
        places = desk.draft.occurrences(&words(core), Reach::Exact, true);
    }
    if let Some(n) = index {
        // Numbers count the words as the person sees them.
        if places.is_empty() {
            return Ok((core, places));
        }
        let total = places.len();
        return match n.checked_sub(1).and_then(|n| places.get(n)) {
            Some(place) => Ok((core, vec![place.clone()])),
            None => {
                let name = desk.typed(core);
                let message = format!("there is no `{name}#{n}`: the prompt has {total} `{name}`");
                Err(desk.misread(toks, message, format!("the last one is {name}#{total}")))
            }
        };
    }
    Ok((core, places))
}

/// The one place of these words; asks if there are several, fails if there is none.
fn locate(desk: &mut Desk<'_>, toks: &[Tok], kept_only: bool) -> Result<Range<usize>, Stop> {
    let (core, mut places) = find(desk, toks)?;
    if places.is_empty() && !kept_only {
        let words: Vec<String> = core.iter().map(|t| t.low.clone()).collect();
        places = desk.draft.occurrences(&words, Reach::Exact, false);
    }
    if places.is_empty() {
        let (core, _) = numbered(toks);
        return Err(desk.missing(core));
    }
    let name = desk.typed(core).to_owned();
    desk.choose_place(format!("`{name}` stands there {} times: which one?", places.len()), &places)
}

fn swap(desk: &mut Desk<'_>, part: Part<'_>, left: Part<'_>, right: Part<'_>) -> Result<(), Stop> {
    let toks = left.toks();
    if toks.is_empty() {
        return Err(desk.misread(&part.toks(), "nothing stands left of `->`", format!("to add it: + {}", right.text)));
    }
    if right.arrow().is_some() {
        return Err(desk.misread(&part.toks(), "one `->` too many", "several swaps are joined by commas: a -> b, c -> d"));
    }
    let place = locate(desk, &toks, true)?;
    let (mut text, mut weight) = (right.text, None);
    if let [(words, value)] = weighed(right).as_slice() {
        weight = Some(number(*words, *value)?);
        text = words.text;
    }
    if split(text).is_empty() {
        return Err(desk.misread(&part.toks(), "nothing stands right of `->`", format!("to take it out: - {}", left.text)));
    }
    // `the cat -> a dog` leaves the article that is there.
    let opens = |t: &str| split(t).first().map(|w| (lower(w.text), w.to));
    let article_before = place.start > 0 && is_determiner(desk.draft.low(place.start - 1));
    let article_inside = is_article(desk.draft.low(place.start)) && place.len() > 1;
    let mut place = place;
    if let Some((first, to)) = opens(text) {
        let more = split(text).len() > 1;
        let same = lower(&desk.draft.text(place.start + usize::from(article_inside)..place.end)) == lower(text[to..].trim());
        if is_article(&first) && more && (article_before || article_inside) && !same {
            text = text[to..].trim_start();
            if article_inside {
                place.start += 1;
            }
        }
    }
    let head = desk.draft.is_head(place.end - 1);
    let placed = desk.swap(place, text);
    drop_article(desk, &placed, head);
    if let Some(value) = weight {
        weigh(desk, placed, value);
    }
    Ok(())
}

/// `a cat` turned into `dogs` loses its `a`.
pub(super) fn drop_article(desk: &mut Desk<'_>, placed: &Range<usize>, was_head: bool) {
    let last = placed.end - 1;
    if !was_head || desk.draft.low(last + 1) == "'s" || !desk.draft.is_head(last) {
        return;
    }
    let bare = super::find::is_plural_head(desk.draft.low(last));
    let start = desk.draft.phrase_start(last);
    let counted = |low: &str| matches!(low, "two" | "three" | "four" | "five" | "six" | "several" | "many" | "some");
    let counts = placed.clone().any(|i| counted(desk.draft.low(i)) || is_owner(desk.draft.low(i)));
    let a = placed.start.checked_sub(1).filter(|&i| matches!(desk.draft.low(i), "a" | "an"));
    match a {
        Some(i) if counts => desk.draft.remove(i..i + 1),
        _ if bare && matches!(desk.draft.low(start), "a" | "an") && start < placed.start => {
            desk.draft.remove(start..start + 1);
        }
        _ => {}
    }
}

fn add(desk: &mut Desk<'_>, part: Part<'_>, rest: Part<'_>) -> Result<(), Stop> {
    let (mut text, mut weight) = (rest, None);
    if let [(words, value)] = weighed(rest).as_slice() {
        weight = Some(number(*words, *value)?);
        text = *words;
    }
    let toks = text.toks();
    if toks.is_empty() {
        return Err(desk.misread(&part.toks(), "nothing stands after `+`", "+ at night"));
    }
    let adjectives = toks.iter().all(|t| {
        let low = t.low.as_str();
        (lexicon().is_adjective(low) || matches!(low, "and" | "," | "very")) && lexicon().noun(low).is_empty()
    });
    let placed = if adjectives && !matches!(lows(&toks).as_slice(), ["and" | "," | "very"]) {
        phrase::insert_adjectives(desk, &toks)?
    } else {
        // `+ with a (red:2) hat`
        let (plain, inner) = strip_weights(text.text)?;
        let placed = desk.append(&plain, false);
        let first = placed.start + usize::from(desk.draft.low(placed.start) == "," && !plain.starts_with(','));
        for (words, value) in inner {
            weigh(desk, first + words.start..(first + words.end).min(placed.end), value);
        }
        placed
    };
    if let Some(value) = weight {
        weigh(desk, placed, value);
    }
    Ok(())
}

fn remove(desk: &mut Desk<'_>, part: Part<'_>, rest: Part<'_>) -> Result<(), Stop> {
    let toks = rest.toks();
    if toks.is_empty() {
        return Err(desk.misread(&part.toks(), "nothing stands after `-`", "- snowy"));
    }
    let (core, places) = find(desk, &toks)?;
    if places.is_empty() {
        // `- with glasses` where the prompt says `with round glasses`: the preposition need not stand next to it.
        let tie = Draft::of(rest.text).tie_at(0);
        if tie > 0 && tie < core.len() {
            let place = locate(desk, &core[tie..], true)?;
            return desk.remove(place, &toks);
        }
        return Err(desk.missing(core));
    }
    let name = desk.typed(core).to_owned();
    let mut place = desk.choose_place(format!("`{name}` stands there {} times: which one?", places.len()), &places)?;
    // The removal itself takes prepositions, `and` and commas along.
    while place.len() > 1 && desk.draft.tie_at(place.start) > 0 {
        place.start = (place.start + desk.draft.tie_at(place.start)).min(place.end - 1);
    }
    while place.len() > 1 && matches!(desk.draft.low(place.start), "and" | ",") {
        place.start += 1;
    }
    let only = desk.draft.low(place.end - 1);
    if !desk.draft.is_word(place.end - 1) || is_function_word(only) {
        let text = desk.draft.text(place.clone());
        desk.draft.remove(place);
        desk.changes.push(Change::Remove { text });
        return Ok(());
    }
    desk.remove(place, &toks)
}

/// Reads the line as a whole prompt: an edit if it is mostly the present one, else a new root.
pub(super) fn whole(desk: &mut Desk<'_>) -> Result<bool, Stop> {
    let (text, weights) = strip_weights(desk.line)?;
    let root = Draft::root(&text);
    if root.items.is_empty() {
        return Ok(false);
    }
    let prompt = root.prompt();
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
                desk.warnings.push(
                    "taken as a new picture, because less than half of the words are those of the present prompt".to_owned(),
                );
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

/// Takes `(wavy:1.5)` and `wavy*2` out of a whole prompt: the plain text, and weights by word.
fn strip_weights(line: &str) -> Result<(String, Vec<(Range<usize>, f64)>), Stop> {
    let mut text = String::new();
    let mut weights = Vec::new();
    let whole = Part { text: line, from: 0 };
    let mut at = 0;
    while at < line.len() {
        let rest = &line[at..];
        let Some(next) = rest.find(['(', '*']) else {
            text.push_str(rest);
            break;
        };
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
                weights.push((last..last + 1, number(Part { text: &name, from: at + next - name.len().min(next) }, value)?));
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

struct Aligned {
    pairs: Vec<(usize, usize)>,
    enough: bool,
}

/// Words that two prompts share in order (longest common subsequence; content words count most), and whether at least
/// half of the longer one's content words are among them.
fn align(parent: &str, prompt: &str) -> Aligned {
    let old: Vec<String> = split(parent).iter().map(|w| lower(w.text)).collect();
    let new: Vec<String> = split(prompt).iter().map(|w| lower(w.text)).collect();
    let content = |w: &String| !is_function_word(w) && w.chars().any(char::is_alphanumeric);
    let (n, m) = (old.len(), new.len());
    if n.saturating_mul(m) > 16_000_000 {
        return Aligned { pairs: Vec::new(), enough: false };
    }
    let worth = |i: usize| if content(&old[i]) { 8u32 } else { 2 };
    // best[i][j] of the tails; a match next to a match is worth a little more, so that runs stay together.
    let mut best = vec![vec![0u32; m + 1]; n + 1];
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            let mut score = best[i + 1][j].max(best[i][j + 1]);
            if old[i] == new[j] {
                let run = u32::from(i + 1 < n && j + 1 < m && old[i + 1] == new[j + 1]);
                score = score.max(best[i + 1][j + 1] + worth(i) + run);
            }
            best[i][j] = score;
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < n && j < m {
        let run = u32::from(i + 1 < n && j + 1 < m && old[i + 1] == new[j + 1]);
        if old[i] == new[j] && best[i][j] == best[i + 1][j + 1] + worth(i) + run {
            pairs.push((i, j));
            i += 1;
            j += 1;
        } else if best[i + 1][j] >= best[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    let count = |all: &[String]| all.iter().filter(|w| content(w)).count();
    let shared = pairs.iter().filter(|&&(s, _)| content(&old[s])).count();
    let longer = count(&old).max(count(&new));
    let enough = if longer == 0 { old == new } else { shared * 2 >= longer };
    Aligned { pairs, enough }
}

/// Says what a whole prompt changes, gap by gap.
fn describe(desk: &mut Desk<'_>, parent: &str, prompt: &str, pairs: &[(usize, usize)]) {
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
