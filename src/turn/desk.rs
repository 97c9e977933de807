//! The place where one line is worked on: the draft, what was understood so far, and the questions that came up.

use super::draft::Draft;
use super::find::Reach;
use super::lexicon::lexicon;
use super::nearest::nearest;
use super::small::{is_article, is_function_word, ordinal};
use super::words::{lower, split};
use super::{Change, Choice, Edit, Here, Misread, Question, Span, Turn, Weight, restore};
use std::ops::Range;

/// Why a rule did not come to an end.
pub(super) enum Stop {
    /// The line cannot be carried out.
    Misread(Misread),
    /// Several readings are about equal.
    Ask { text: String, labels: Vec<String> },
}

impl From<Misread> for Stop {
    fn from(misread: Misread) -> Self {
        Self::Misread(misread)
    }
}

/// One word of the typed line.
#[derive(Debug, Clone)]
pub(super) struct Tok {
    pub(super) low: String,
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Tok {
    /// True for punctuation and other signs.
    pub(super) fn is_mark(&self) -> bool {
        !self.low.chars().any(char::is_alphanumeric)
    }
}

/// The words of a text that begins at byte `offset` of the line.
pub(super) fn tokens(text: &str, offset: usize) -> Vec<Tok> {
    let tok = |w: super::words::Word<'_>| Tok { low: lower(w.text), from: w.from + offset, to: w.to + offset };
    split(text).into_iter().map(tok).collect()
}

/// The stretch of the line that tokens cover, in whatever order they are.
fn span_of(toks: &[Tok]) -> Option<Span> {
    let from = toks.iter().map(|t| t.from).min()?;
    Some(Span { from, to: toks.iter().map(|t| t.to).max()? })
}

/// The words of tokens, lower case.
pub(super) fn lows(toks: &[Tok]) -> Vec<&str> {
    toks.iter().map(|t| t.low.as_str()).collect()
}

pub(super) struct Desk<'a> {
    pub(super) line: &'a str,
    pub(super) here: &'a Here<'a>,
    pub(super) draft: Draft,
    pub(super) changes: Vec<Change>,
    /// Sentences for the edit's warnings.
    pub(super) warnings: Vec<String>,
    /// What turned out to be so already.
    pub(super) idle: Vec<String>,
    /// The thing last spoken of in this line, for `it`.
    pub(super) last: Option<String>,
    pub(super) is_root: bool,
    /// The whole new prompt as it was typed, which is then drawn as it is.
    pub(super) verbatim: Option<String>,
    /// What is said takes the place of something: `over a river instead`.
    pub(super) instead: bool,
    picks: &'a [usize],
    used: usize,
}

impl<'a> Desk<'a> {
    fn new(line: &'a str, here: &'a Here<'a>, picks: &'a [usize]) -> Self {
        Self {
            line,
            here,
            draft: here.prompt.map(Draft::of).unwrap_or_default(),
            changes: Vec::new(),
            warnings: Vec::new(),
            idle: Vec::new(),
            last: None,
            is_root: false,
            verbatim: None,
            instead: false,
            picks,
            used: 0,
        }
    }

    /// The line's own text of these tokens.
    pub(super) fn typed(&self, toks: &[Tok]) -> &'a str {
        span_of(toks).and_then(|s| self.line.get(s.from..s.to)).unwrap_or_default()
    }

    /// The tokens' text as it goes into the prompt: as typed, but for capitals that only begin or shout the line.
    pub(super) fn written(&self, toks: &[Tok]) -> String {
        let text = self.typed(toks);
        let letters = || self.line.chars().filter(|c| c.is_alphabetic());
        let shouted = letters().count() > 3 && letters().all(|c| !c.is_lowercase());
        if shouted && self.here.prompt.is_some_and(|p| p.chars().any(char::is_lowercase)) {
            return text.to_lowercase();
        }
        let words = split(self.line);
        let capital = |w: &str| w.chars().next().is_some_and(|c| !c.is_lowercase());
        let titled = words.len() > 2 && words.iter().filter(|w| !w.is_mark()).all(|w| capital(w.text));
        let ends = |w: &super::words::Word<'_>| matches!(w.text, "." | "!" | "?" | ";");
        let begins = |at: usize| {
            let before = words.iter().rfind(|w| w.from < at);
            before.is_none_or(ends)
        };
        let mut out = String::new();
        let Some(offset) = toks.first().map(|t| t.from) else { return out };
        let mut at = 0;
        for word in split(text) {
            out.push_str(&text[at..word.from]);
            let low = lower(word.text);
            let known = is_function_word(&low) || lexicon().is_adjective(&low) || !lexicon().noun(&low).is_empty();
            let lowered = known && (titled || begins(word.from + offset));
            if lowered && !word.is_mark() {
                out.push_str(&word.text.to_lowercase());
            } else {
                out.push_str(word.text);
            }
            at = word.to;
        }
        out
    }

    /// Where words stand in the prompt as it was before this line, in its order, and where that is by now; `None` where
    /// this line has changed it. Numbers count these.
    pub(super) fn places_before(&self, words: &[String], reach: Reach) -> Vec<Option<Range<usize>>> {
        let Some(prompt) = self.here.prompt else { return Vec::new() };
        let before = Draft::of(prompt).occurrences(words, reach, true);
        before.into_iter().map(|place| self.draft.place_of(place)).collect()
    }

    /// Picks one of several readings, asking if the person has not answered yet.
    pub(super) fn choose(&mut self, text: impl Into<String>, labels: Vec<String>) -> Result<usize, Stop> {
        if labels.len() == 1 {
            return Ok(0);
        }
        if let Some(&pick) = self.picks.get(self.used) {
            self.used += 1;
            return Ok(pick.min(labels.len() - 1));
        }
        Err(Stop::Ask { text: text.into(), labels })
    }

    /// Picks one of several places of the prompt.
    pub(super) fn choose_place(
        &mut self,
        text: impl Into<String>,
        places: &[Range<usize>],
    ) -> Result<Range<usize>, Stop> {
        let places = &places[..places.len().min(CHOICES)];
        let labels = places.iter().map(|p| self.label(p)).collect();
        Ok(places[self.choose(text, labels)?].clone())
    }

    /// A place of the prompt, told apart from its like: `cat#2 (the black cat)`.
    pub(super) fn label(&self, place: &Range<usize>) -> String {
        let head = self.draft.head_of(place.end - 1);
        let mut start = self.draft.phrase_start(head).min(place.start);
        // `hat#2 (a man with a hat)`: two hats are told apart by who has them.
        let again = |o: &usize| *o != head && self.draft.low(*o) == self.draft.low(head);
        let (tie, heads) = (self.draft.tie_start(start), self.draft.heads());
        if let Some(owner) = heads.iter().rev().find(|h| **h < tie && tie < start).filter(|_| heads.iter().any(again)) {
            start = self.draft.phrase_start(*owner);
        }
        let around = self.draft.text(start..head.max(place.end - 1) + 1);
        let name = if place.len() == 1 { self.name(place.start) } else { self.draft.text(place.clone()) };
        if around == name { name } else { format!("{name} ({around})") }
    }

    /// A word of the prompt, with its number if it stands there more than once.
    pub(super) fn name(&self, i: usize) -> String {
        let item = &self.draft.items[i];
        let same: Vec<usize> =
            self.draft.items.iter().enumerate().filter(|(_, o)| o.low == item.low).map(|(n, _)| n).collect();
        match same.iter().position(|&n| n == i) {
            Some(n) if same.len() > 1 => format!("{}#{}", item.text, n + 1),
            _ => item.text.clone(),
        }
    }

    /// The error for a word that the prompt lacks.
    pub(super) fn missing(&self, toks: &[Tok]) -> Stop {
        let typed = self.typed(toks);
        let span = span_of(toks);
        let items: Vec<&str> = self
            .draft
            .items
            .iter()
            .map(|i| i.text.as_str())
            .filter(|w| w.chars().any(char::is_alphanumeric) && !is_function_word(&lower(w)))
            // What this line has put there is not what was meant.
            .filter(|w| lower(w) != lower(typed))
            .collect();
        // `the second dog` of one
        if let [nth, rest @ ..] = toks
            && ordinal(&nth.low).is_some()
        {
            let words: Vec<String> = rest.iter().map(|t| t.low.clone()).collect();
            let n = self.draft.occurrences(&words, Reach::Thing, false).len();
            if n > 0 {
                let message = format!("there is no `{typed}`: the prompt has {n} `{}`", self.typed(rest));
                let hint = format!("the last one is {}#{n}", self.typed(rest));
                return Misread { message, hint: Some(hint), span }.into();
            }
        }
        // A word that is spelled right is not a mistyped one: what is of its kind is named instead.
        let listed = |w: &str| lexicon().lists(w) || is_function_word(w);
        let mistyped = toks.iter().rev().filter(|t| !listed(&t.low)).map(|t| t.low.as_str());
        let whole =
            Some(typed).filter(|t| !listed(&lower(t)) && (toks.len() == 1 || !toks.iter().all(|t| listed(&t.low))));
        let meant = whole.into_iter().chain(mistyped).find_map(|w| nearest(w, items.iter().copied()));
        let low = toks.last().map_or("", |t| t.low.as_str());
        let related = || items.iter().copied().find(|w| lexicon().related(low, &lower(w)));
        let alike = |w: &&str| {
            let w = lower(w);
            let adjective =
                lexicon().adjective(low).iter().any(|k| *k != "other" && lexicon().adjective(&w).contains(k));
            adjective || lexicon().noun(low).first().is_some_and(|k| lexicon().noun(&w).first() == Some(k))
        };
        let hint = match meant.or_else(related) {
            Some(word) => format!("did you mean `{word}`?"),
            None if self.here.prompt.is_none_or(|prompt| split(prompt).is_empty()) => {
                "describe a picture first".to_owned()
            }
            None => match items.iter().copied().find(alike) {
                Some(word) => format!("the prompt has `{word}` instead"),
                None => {
                    format!("the prompt is: {}", self.here.prompt.map_or_else(|| self.draft.prompt(), str::to_owned))
                }
            },
        };
        Misread { message: format!("`{typed}` is not in the prompt"), hint: Some(hint), span }.into()
    }

    /// An error at these tokens.
    pub(super) fn misread(&self, toks: &[Tok], message: impl Into<String>, hint: impl Into<String>) -> Stop {
        let span = span_of(toks);
        Misread { message: message.into(), hint: Some(hint.into()), span }.into()
    }

    /// Puts `to` in the place of a range and says so. Notes it if that is what already stands there.
    pub(super) fn swap(&mut self, range: Range<usize>, to: &str) -> Range<usize> {
        let from = self.draft.text(range.clone());
        if lower(&from) == lower(to) {
            self.idle.push(format!("it is `{from}` already"));
            return range;
        }
        if self.draft.forget_factors(range.clone()) {
            let gone: Vec<String> = range.clone().map(|i| self.name(i)).collect();
            self.changes.retain(|c| !matches!(c, Change::Weigh { word, absolute: false, .. } if gone.contains(word)));
        }
        self.changes.push(Change::Swap { from, to: to.to_owned() });
        self.draft.swap(range, to)
    }

    /// [`Self::swap`], said without what both begin with: `winter -> summer` for `in winter` and `in summer`.
    pub(super) fn put(&mut self, range: Range<usize>, to: &str) -> Range<usize> {
        let said = self.changes.len();
        let placed = self.swap(range, to);
        // A factor of this line may have gone from the list.
        if let Some(Change::Swap { from, to }) =
            self.changes.last_mut().filter(|_| said > 0 || placed.start < placed.end)
        {
            let (old, new) = without_shared(from, to);
            (*from, *to) = (old.to_owned(), new.to_owned());
        }
        placed
    }

    /// Removes the thing or word at a range, with what tied it.
    pub(super) fn remove(&mut self, range: Range<usize>, toks: &[Tok]) -> Result<(), Stop> {
        match super::removal::remove(&mut self.draft, range) {
            Some(text) => {
                self.changes.push(Change::Remove { text });
                self.last = None;
                Ok(())
            }
            None => {
                Err(self.misread(toks, "without that nothing would be left", "put something in its place: cat -> dog"))
            }
        }
    }

    /// Puts words back where an ancestor had them; `None` if none had. See [`restore::place`] for `whole`.
    pub(super) fn restore(&mut self, text: &str, whole: bool) -> Option<Range<usize>> {
        let place = restore::place(&self.draft, text, self.here.ancestors, whole)?;
        self.changes.push(Change::Add { text: place.named().to_owned() });
        Some(self.draft.insert(place.at, &place.text))
    }

    /// Adds words: where an ancestor had them, or tied as something more of the picture.
    pub(super) fn append(&mut self, text: &str) -> Range<usize> {
        let text = text.trim().trim_start_matches(',').trim();
        if let Some(range) = self.restore(text, false) {
            return range;
        }
        let agreed = super::draft::agreed(text);
        let text = agreed.as_deref().unwrap_or(text);
        match super::joined::joined(&super::scene::Scene::of(&self.draft.prompt()), text) {
            Some((at, tied)) => {
                let named = tied.strip_prefix("and ").unwrap_or(&tied).trim_start_matches([',', ' ']);
                self.changes.push(Change::Add { text: named.to_owned() });
                self.draft.insert(at, &tied)
            }
            None => self.go_on(text),
        }
    }

    /// Goes on with the prompt as typed: where an ancestor had the words, or at the end, after a comma.
    pub(super) fn go_on(&mut self, text: &str) -> Range<usize> {
        let text = text.trim().trim_start_matches(',').trim();
        if let Some(range) = self.restore(text, false) {
            return range;
        }
        let agreed = super::draft::agreed(text);
        let text = agreed.as_deref().unwrap_or(text);
        self.changes.push(Change::Add { text: text.to_owned() });
        let mut end = self.draft.items.len();
        while end > 0 && matches!(self.draft.low(end - 1), "." | "!" | "?") {
            end -= 1;
        }
        let added = Draft::of(text);
        let tied = added.tie_at(0) > 0 || matches!(added.low(0), "and" | "surrounded" | "next" | "dressed" | "covered");
        let joined = if tied || end == 0 { text.to_owned() } else { format!(", {text}") };
        self.draft.insert(end, &joined)
    }

    /// Weighs a word and says so.
    pub(super) fn weigh(&mut self, i: usize, weight: Weight) {
        let (factor, absolute) = match weight {
            Weight::Set(x) => (x, true),
            Weight::Times(x) => (x, false),
        };
        self.changes.push(Change::Weigh { word: self.name(i), factor, absolute });
        self.draft.weigh(i, weight);
    }

    /// The finished edit.
    fn finish(mut self) -> Result<Edit, Misread> {
        if self.changes.is_empty() {
            let message = match self.idle.first() {
                Some(note) => note.clone(),
                None => "that changes nothing".to_owned(),
            };
            let hint = Some("to weigh a word: more wavy, or wavy*1.5; for other noise: /again".to_owned());
            return Err(Misread { message, hint, span: None });
        }
        let finished = self.draft.finish(self.verbatim);
        let mut seen: Vec<String> = Vec::new();
        for word in &finished.gained {
            let low = lower(word);
            if self.here.sense.knows(&low) || seen.contains(&low) {
                continue;
            }
            let name = word.chars().next().is_some_and(char::is_uppercase);
            let near =
                self.here.sense.nearest(&low).filter(|_| !name).map(|n| format!("; the nearest it knows is `{n}`"));
            self.warnings.push(format!("the model does not know `{word}`{}", near.unwrap_or_default()));
            seen.push(low);
        }
        let spans = if self.is_root { Vec::new() } else { finished.spans };
        if !self.is_root
            && spans.is_empty()
            && finished.weighings.is_empty()
            && self.here.prompt.is_some_and(|p| lower(p) == lower(&finished.prompt))
        {
            let hint = Some("for other noise: /again".to_owned());
            return Err(Misread { message: "that changes nothing".to_owned(), hint, span: None });
        }
        Ok(Edit {
            prompt: finished.prompt,
            changes: self.changes,
            spans,
            weighings: finished.weighings,
            is_root: self.is_root,
            warnings: self.warnings,
        })
    }
}

/// Two texts without the words that both begin or end with: `winter` and `summer` of `in winter` and `in summer`.
pub(super) fn without_shared<'t>(a: &'t str, b: &'t str) -> (&'t str, &'t str) {
    let (x, y) = (split(a), split(b));
    let low = |w: &super::words::Word<'_>| lower(w.text);
    let most = x.len().min(y.len()).saturating_sub(1);
    let n = (0..most).take_while(|&i| low(&x[i]) == low(&y[i])).count();
    // Where the ties are the same the articles do not matter: `beach` and `moon` of `on a beach` and `on the moon`.
    let after =
        |words: &[super::words::Word<'_>]| n + usize::from(n > 0 && words.len() > n + 1 && is_article(&low(&words[n])));
    let (i, j) = (after(&x), after(&y));
    let most = (x.len() - i).min(y.len() - j).saturating_sub(1);
    let k = (1..=most).take_while(|&k| low(&x[x.len() - k]) == low(&y[y.len() - k])).count();
    match (x.get(i), x.get(x.len().wrapping_sub(1 + k)), y.get(j), y.get(y.len().wrapping_sub(1 + k))) {
        (Some(first), Some(last), Some(new), Some(end)) => (&a[first.from..last.to], &b[new.from..end.to]),
        _ => (a, b),
    }
}

/// A rule: true if it applies and is done, false if the line is none of its business.
pub(super) type Rule<'r> = dyn Fn(&mut Desk<'_>) -> Result<bool, Stop> + 'r;

/// Most answers to one question, and questions within a question.
const CHOICES: usize = 9;
const DEPTH: usize = 3;
/// Most readings tried in all.
const TRIES: usize = 40;

/// Runs a rule; if it asks, runs it once more for every answer.
pub(super) fn solve<'a>(line: &'a str, here: &'a Here<'a>, rule: &'a Rule<'a>) -> Result<Option<Turn>, Misread> {
    match attempt(line, here, rule, &[]) {
        Ok(None) => Ok(None),
        Ok(Some(edit)) => Ok(Some(Turn::Edit(edit))),
        Err(Stop::Misread(misread)) => Err(misread),
        Err(Stop::Ask { text, labels }) => {
            let mut answers =
                Answers { line, here, rule, choices: Vec::new(), first_error: None, tries: 0, too_many: false };
            answers.explore(&mut Vec::new(), "", labels);
            let too_much = || Misread {
                message: "too much of that could be meant in several ways".to_owned(),
                hint: Some("say one thing at a time, or number the words: cat#2 -> dog".to_owned()),
                span: None,
            };
            match (answers.choices.len(), answers.first_error) {
                _ if answers.too_many => Err(too_much()),
                (0, error) => Err(error.unwrap_or_else(too_much)),
                (1, _) => Ok(answers.choices.pop().map(|c| Turn::Edit(c.edit))),
                _ => Ok(Some(Turn::Question(Question { text, choices: answers.choices }))),
            }
        }
    }
}

fn attempt(line: &str, here: &Here<'_>, rule: &Rule<'_>, picks: &[usize]) -> Result<Option<Edit>, Stop> {
    let mut desk = Desk::new(line, here, picks);
    if rule(&mut desk)? { Ok(Some(desk.finish()?)) } else { Ok(None) }
}

/// What every answer to a question leads to.
struct Answers<'a> {
    line: &'a str,
    here: &'a Here<'a>,
    rule: &'a Rule<'a>,
    choices: Vec<Choice>,
    first_error: Option<Misread>,
    tries: usize,
    /// There are more questions in the line than a list of answers could hold.
    too_many: bool,
}

impl Answers<'_> {
    fn explore(&mut self, picks: &mut Vec<usize>, said: &str, labels: Vec<String>) {
        for (i, label) in labels.into_iter().enumerate().take(CHOICES) {
            self.too_many |= self.tries == TRIES;
            if self.choices.len() == CHOICES || self.too_many {
                return;
            }
            self.tries += 1;
            picks.push(i);
            let label = if said.is_empty() { label } else { format!("{said}; {label}") };
            match attempt(self.line, self.here, self.rule, picks) {
                Ok(Some(edit)) => {
                    let same = |c: &Choice| c.edit.prompt == edit.prompt && c.edit.weighings == edit.weighings;
                    if !self.choices.iter().any(same) {
                        self.choices.push(Choice { label, edit });
                    }
                }
                Err(Stop::Ask { labels, .. }) if picks.len() < DEPTH => self.explore(picks, &label, labels),
                Err(Stop::Ask { .. }) => self.too_many = true,
                Err(Stop::Misread(error)) => {
                    self.first_error.get_or_insert(error);
                }
                _ => {}
            }
            picks.pop();
        }
    }
}
