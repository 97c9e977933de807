//! A prompt under change: remembers which words are the parent's own, and what took the place of the others.
//!
//! Every rule edits a [`Draft`]; [`Draft::finish`] then says, once for all of them, what the new prompt is and which
//! words of the parent it replaced.

use super::lexicon::lexicon;
use super::small::{is_determiner, is_stop};
use super::words::{lower, split};
use super::{Replaced, Weighing, Weight};
use std::ops::Range;

/// One item of the prompt.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    /// As written.
    pub(super) text: String,
    /// As compared.
    pub(super) low: String,
    /// What it may be by itself, whatever stands around it.
    pub(super) may: May,
    /// No blank before it.
    glued: bool,
    origin: Origin,
    weights: Vec<Weight>,
}

/// What a word may be, looked up once.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct May {
    /// A word, not a sign.
    pub(super) word: bool,
    /// Inside a noun phrase.
    pub(super) inner: bool,
    pub(super) determiner: bool,
    pub(super) adjective: bool,
    pub(super) noun: bool,
    pub(super) participle: bool,
}

impl May {
    fn of(text: &str, low: &str) -> Self {
        let word = text.chars().any(char::is_alphanumeric);
        Self {
            word,
            inner: word && low != "'s" && !is_stop(low),
            determiner: is_determiner(low),
            adjective: lexicon().is_adjective(low),
            noun: !lexicon().noun(low).is_empty(),
            participle: lexicon().is_participle(low),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Origin {
    /// The parent's word of this index.
    Kept(usize),
    /// Part of the new words that stand for the parent's words of this block.
    New(usize),
}

impl Item {
    /// True if the parent had this very word.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self.origin, Origin::Kept(_))
    }
}

/// The prompt as it is while the clauses of a line are applied one after another.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    /// The items, in order.
    pub(super) items: Vec<Item>,
    /// What each block of new words replaced; empty for words put in.
    blocks: Vec<Range<usize>>,
    parent_len: usize,
    parent_lows: Vec<String>,
}

/// What a draft came to.
pub(super) struct Finished {
    pub(super) prompt: String,
    pub(super) spans: Vec<Replaced>,
    pub(super) weighings: Vec<Weighing>,
    /// The words that the parent did not have, for a look into the model's vocabulary.
    pub(super) gained: Vec<String>,
}

/// Items of a text, all with the same origin.
fn items(text: &str, origin: impl Fn(usize) -> Origin) -> Vec<Item> {
    let mut end = None;
    let mut all = Vec::new();
    for (i, word) in split(text).iter().enumerate() {
        let low = lower(word.text);
        all.push(Item {
            text: word.text.to_owned(),
            may: May::of(word.text, &low),
            low,
            glued: end == Some(word.from),
            origin: origin(i),
            weights: Vec::new(),
        });
        end = Some(word.to);
    }
    all
}

impl Draft {
    /// The parent's prompt, all words kept.
    pub(super) fn of(parent: &str) -> Self {
        let items = items(parent, Origin::Kept);
        let parent_lows: Vec<String> = items.iter().map(|i| i.low.clone()).collect();
        Self { parent_len: items.len(), items, blocks: Vec::new(), parent_lows }
    }

    /// A new root: nothing kept.
    pub(super) fn root(text: &str) -> Self {
        let items = items(text, |_| Origin::New(0));
        Self { items, blocks: vec![Range { start: 0, end: 0 }], parent_len: 0, parent_lows: Vec::new() }
    }

    /// The words of `text` laid over the parent by pairs (parent word, new word) that stay; both rise.
    pub(super) fn aligned(parent: &str, text: &str, pairs: &[(usize, usize)]) -> Self {
        let old = Self::of(parent);
        let mut draft = Self { items: Vec::new(), blocks: Vec::new(), ..old.clone() };
        let (mut source, mut target) = (0, 0);
        let new = items(text, Origin::New);
        for &(s, t) in pairs.iter().chain(std::iter::once(&(old.items.len(), new.len()))) {
            if t > target {
                draft.blocks.push(source..s);
                let block = Origin::New(draft.blocks.len() - 1);
                draft.items.extend(new[target..t].iter().map(|i| Item { origin: block, ..i.clone() }));
            }
            if let Some(item) = new.get(t) {
                draft.items.push(Item { origin: Origin::Kept(s), ..item.clone() });
            }
            (source, target) = (s + 1, t + 1);
        }
        draft
    }

    /// Lower-case words of a range.
    pub(super) fn lows(&self, range: Range<usize>) -> Vec<&str> {
        self.items[range].iter().map(|i| i.low.as_str()).collect()
    }

    /// A range as it would be printed.
    pub(super) fn text(&self, range: Range<usize>) -> String {
        render(&self.items[range])
    }

    /// The lower-case word at `i`, or "" outside.
    pub(super) fn low(&self, i: usize) -> &str {
        self.items.get(i).map_or("", |item| item.low.as_str())
    }

    /// What the word at `i` may be; nothing outside.
    pub(super) fn may(&self, i: usize) -> May {
        self.items.get(i).map_or_else(May::default, |item| item.may)
    }

    /// Puts `text` in the place of a range; equal words at both ends stay the words they were.
    ///
    /// Returns where the new words stand.
    pub(super) fn swap(&mut self, range: Range<usize>, text: &str) -> Range<usize> {
        let start = range.start;
        let new = items(text, |_| Origin::New(0));
        let total = new.len();
        let (mut from, mut to) = (range.start, range.end);
        let (mut head, mut tail) = (0, new.len());
        let article = |low: &str| matches!(low, "a" | "an");
        while from < to && head < tail {
            let (old, fresh) = (&self.items[from].low, &new[head].low);
            if old != fresh && !(from == start && article(old) && article(fresh)) {
                break;
            }
            from += 1;
            head += 1;
        }
        while from < to && head < tail && self.items[to - 1].low == new[tail - 1].low {
            to -= 1;
            tail -= 1;
        }
        let mut fresh: Vec<Item> = new[head..tail].to_vec();
        if from == to && fresh.is_empty() {
            return start..start + total;
        }
        if let (Some(first), Some(old)) = (fresh.first_mut(), self.items.get(from))
            && from < to
        {
            first.glued = old.glued;
        }
        // A weight set in this line goes to what takes the word's place.
        if to - from == fresh.len() {
            for (f, old) in fresh.iter_mut().zip(&self.items[from..to]) {
                f.weights.clone_from(&old.weights);
            }
        } else if let Some(first) = fresh.first_mut() {
            first.weights = self.items[from..to].iter().flat_map(|i| i.weights.clone()).collect();
        }
        self.replace(from..to, fresh);
        start..start + total
    }

    /// Puts `text` in before item `at`. Returns where it stands.
    pub(super) fn insert(&mut self, at: usize, text: &str) -> Range<usize> {
        let fresh = items(text, |_| Origin::New(0));
        let n = fresh.len();
        self.replace(at..at, fresh);
        at..at + n
    }

    /// Takes a range out.
    pub(super) fn remove(&mut self, range: Range<usize>) {
        // What this line put before the last `and` of a list is the last itself where that goes.
        if self.low(range.start) == "and"
            && let Some(Item { origin: Origin::New(b), .. }) = range.start.checked_sub(1).map(|i| &self.items[i])
            && let Some(first) = self.items.iter().position(|i| i.origin == Origin::New(*b))
            && self.low(first) == ","
        {
            self.items[first].text = "and".to_owned();
            self.items[first].low = "and".to_owned();
            self.items[first].glued = false;
        }
        self.replace(range, Vec::new());
    }

    /// Weighs the item at `i`.
    pub(super) fn weigh(&mut self, i: usize, weight: Weight) {
        self.items[i].weights.push(weight);
    }

    /// Forgets what was multiplied here in this line: `less straight` counts for nothing once it is `curly`.
    pub(super) fn forget_factors(&mut self, range: Range<usize>) -> bool {
        let mut any = false;
        for item in &mut self.items[range] {
            let before = item.weights.len();
            item.weights.retain(|w| matches!(w, Weight::Set(_)));
            any |= item.weights.len() < before;
        }
        any
    }

    fn replace(&mut self, range: Range<usize>, mut fresh: Vec<Item>) {
        // The blocks touched become one, and so do blocks that an insertion falls into.
        let mut touched: Vec<usize> = Vec::new();
        for item in &self.items[range.clone()] {
            if let Origin::New(b) = item.origin {
                touched.push(b);
            }
        }
        if range.is_empty() && range.start > 0 && range.start < self.items.len() {
            let (a, b) = (self.items[range.start - 1].origin, self.items[range.start].origin);
            if a == b
                && let Origin::New(b) = a
            {
                touched.push(b);
            }
        }
        let mut source: Option<Range<usize>> = None;
        let mut take = |r: Range<usize>| {
            if r.is_empty() {
                return;
            }
            source = Some(source.take().map_or(r.clone(), |s| s.start.min(r.start)..s.end.max(r.end)));
        };
        for item in &self.items[range.clone()] {
            match item.origin {
                Origin::Kept(i) => take(i..i + 1),
                Origin::New(b) => take(self.blocks[b].clone()),
            }
        }
        for &b in &touched {
            take(self.blocks[b].clone());
        }
        let block = self.blocks.len();
        self.blocks.push(source.unwrap_or(0..0));
        for item in &mut self.items {
            if let Origin::New(b) = item.origin
                && touched.contains(&b)
            {
                item.origin = Origin::New(block);
            }
        }
        for item in &mut fresh {
            item.origin = Origin::New(block);
        }
        self.items.splice(range, fresh);
    }

    /// The capital of the sentence that began at `i` is now the first word's.
    pub(super) fn give_capital(&mut self, i: usize, lower_it: bool) {
        let up = self.items.get(i).is_some_and(|o| o.text.chars().next().is_some_and(char::is_uppercase));
        if !up || !lower_it {
            return;
        }
        self.items[i].text = self.items[i].low.clone();
        let first = &mut self.items[0].text;
        let mut chars = first.chars();
        *first = chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect());
    }

    /// The prompt as text, as it stands.
    pub(super) fn prompt(&self) -> String {
        render(&self.items)
    }

    /// Lets every a/an agree with the word that now follows it.
    pub(super) fn agree(&mut self) {
        for i in 0..self.items.len() {
            if !matches!(self.items[i].low.as_str(), "a" | "an") {
                continue;
            }
            let Some(next) = (i + 1..self.items.len()).find(|&n| has_letters(&self.items[n].text)) else { continue };
            if matches!(self.items[next].low.as_str(), "a" | "an" | "the") {
                continue;
            }
            if let (Origin::Kept(a), Origin::Kept(b)) = (self.items[i].origin, self.items[next].origin)
                && b == a + (next - i)
            {
                continue;
            }
            let right = if lexicon().wants_an(&self.items[next].low) { "an" } else { "a" };
            if self.items[i].low != right {
                let capital = self.items[i].text.starts_with('A');
                let text = if capital { format!("A{}", &right[1..]) } else { right.to_owned() };
                // The parent's own article comes back when its word does.
                let mut item = Item { low: right.to_owned(), text, ..self.items[i].clone() };
                if let Origin::Kept(source) = item.origin {
                    self.blocks.push(source..source + 1);
                    item.origin = Origin::New(self.blocks.len() - 1);
                }
                self.items[i] = item;
            }
        }
    }

    /// Puts a blank where two items would be read as one, or one as two: `o'` and `fox`. False if that does not part them all.
    fn part(&mut self) -> bool {
        loop {
            let text = render(&self.items);
            let words = split(&text);
            let Some(i) = (0..self.items.len()).find(|&i| words.get(i).is_none_or(|w| w.text != self.items[i].text))
            else {
                return true;
            };
            let Some(glued) = [i + 1, i].into_iter().find(|&i| self.items.get(i).is_some_and(|item| item.glued)) else {
                return false;
            };
            self.items[glued].glued = false;
        }
    }

    /// The items of a text: kept as far as it begins and ends as the parent does, and new in between.
    fn between(&mut self, text: &str) -> Vec<Item> {
        let mut new = items(text, |_| Origin::New(0));
        let same = |(item, low): (&Item, &String)| item.low == *low;
        let first = new.iter().zip(&self.parent_lows).take_while(|p| same(*p)).count();
        let rest = new.len().min(self.parent_len) - first;
        let last = new.iter().rev().zip(self.parent_lows.iter().rev()).take(rest).take_while(|p| same(*p)).count();
        let end = new.len() - last;
        self.blocks = vec![Range { start: first, end: self.parent_len - last }];
        for (i, item) in new.iter_mut().enumerate() {
            if i < first {
                item.origin = Origin::Kept(i);
            } else if i >= end {
                item.origin = Origin::Kept(self.parent_len + i - (end + last));
            }
        }
        new
    }

    /// Blocks that came out as they went in are kept words after all.
    fn settle(&mut self) {
        let mut i = 0;
        while i < self.items.len() {
            let Origin::New(b) = self.items[i].origin else {
                i += 1;
                continue;
            };
            let end =
                (i..self.items.len()).find(|&e| self.items[e].origin != Origin::New(b)).unwrap_or(self.items.len());
            let source = self.blocks[b].clone();
            if source.len() == end - i
                && source.clone().zip(i..end).all(|(s, t)| self.parent_lows.get(s) == Some(&self.items[t].low))
            {
                for (s, t) in source.zip(i..end) {
                    self.items[t].origin = Origin::Kept(s);
                }
            }
            i = end;
        }
    }

    /// Where words of the parent stand by now; `None` if one of them is gone.
    pub(super) fn place_of(&self, parent: Range<usize>) -> Option<Range<usize>> {
        let start = self.items.iter().position(|item| item.origin == Origin::Kept(parent.start))?;
        let place = start..start + parent.len();
        let items = self.items.get(place.clone())?;
        let is_whole = items.iter().zip(parent).all(|(item, word)| item.origin == Origin::Kept(word));
        is_whole.then_some(place)
    }

    /// What it came to: the prompt, what was replaced, what was weighed. A prompt that was typed as a whole is taken as it
    /// was typed.
    pub(super) fn finish(mut self, verbatim: Option<String>) -> Finished {
        let is_draft = |text: &String| {
            let words = split(text);
            words.len() == self.items.len() && words.iter().zip(&self.items).all(|(word, item)| word.text == item.text)
        };
        let verbatim = verbatim.filter(is_draft);
        let told_apart = verbatim.is_some() || {
            self.agree();
            self.part()
        };
        self.settle();
        let prompt = verbatim.unwrap_or_else(|| render(&self.items));
        // What stays another number of words than it was put together of is replaced as one stretch.
        if !told_apart && split(&prompt).len() != self.items.len() {
            self.items = self.between(&prompt);
        }
        let mut spans = Vec::new();
        let mut cursor = 0;
        let mut t = 0;
        while t < self.items.len() {
            match self.items[t].origin {
                Origin::Kept(s) => {
                    if s > cursor {
                        spans.push(Replaced { source: cursor..s, target: t..t });
                    }
                    cursor = s + 1;
                    t += 1;
                }
                Origin::New(b) => {
                    let end = (t..self.items.len())
                        .find(|&e| self.items[e].origin != Origin::New(b))
                        .unwrap_or(self.items.len());
                    let source = self.blocks[b].clone();
                    let source = if source.is_empty() { cursor..cursor } else { source };
                    if source.start > cursor {
                        spans.push(Replaced { source: cursor..source.start, target: t..t });
                    }
                    cursor = source.end;
                    spans.push(Replaced { source, target: t..end });
                    t = end;
                }
            }
        }
        if cursor < self.parent_len {
            spans.push(Replaced { source: cursor..self.parent_len, target: t..t });
        }
        let weighings = (self.items.iter().enumerate())
            .flat_map(|(word, item)| item.weights.iter().map(move |&to| Weighing { word, to }))
            .collect();
        let gained =
            (self.items.iter().filter(|i| !i.is_kept() && has_letters(&i.text))).map(|i| i.text.clone()).collect();
        Finished { prompt, spans, weighings, gained }
    }
}

/// A text whose a/an did not agree with the word after it, mended; `None` if all did.
pub(super) fn agreed(text: &str) -> Option<String> {
    let mut draft = Draft::root(text);
    let before = draft.prompt();
    draft.agree();
    Some(draft.prompt()).filter(|after| *after != before)
}

fn has_letters(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric) && !super::words::is_possessive(text)
}

/// Items with single blanks, in such a way that cutting the text gives the same items again.
fn render(items: &[Item]) -> String {
    let mut text = String::new();
    for (i, item) in items.iter().enumerate() {
        let word = |t: &str| t.chars().any(char::is_alphanumeric);
        let possessive = super::words::is_possessive(&item.text);
        let fuses = i > 0 && word(&items[i - 1].text) && word(&item.text) && !possessive;
        let closes = matches!(item.text.as_str(), "," | "." | ";" | ":" | "!" | "?");
        // A sign that was typed apart stays apart; a new comma is written close.
        let glued = possessive || (item.glued && !fuses) || (closes && !item.is_kept());
        if i > 0 && !glued {
            text.push(' ');
        }
        text.push_str(&item.text);
    }
    text
}
