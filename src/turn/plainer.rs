//! Lines said in a roundabout way, and the same in plainer words: what they are is listed in `plainer.txt`.
//!
//! A rule is two rows of signs. The line is fitted to the left one, with what the prompt shows for its names, and the right one is what is
//! read in its place. Nothing is carried out here, so a rule that fits by mistake does no harm: what does not read is read as it was typed.

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::LazyLock;

use super::lexicon::lexicon;
use super::rank::{Found, resolve};
use super::scene::Scene;
use super::small::{is_function_word, is_number};
use super::words::{Word, lower, split};

const TEXT: &str = include_str!("plainer.txt");

/// The longest line that is looked at, in words: longer ones are prompts.
const LONGEST: usize = 40;
/// The most words of a name.
const LONGEST_NAME: usize = 5;
/// The most rules that are used one after the other.
const MOST: usize = 4;

/// What a sign of a rule stands for.
#[derive(Debug, Clone, PartialEq)]
enum Sign {
    /// One of these, each of one or several words.
    Words { any: Vec<Vec<String>>, may_lack: bool },
    /// Any words.
    Any(char),
    /// The name of a thing in the prompt.
    Name(char),
    /// `he`, `she`, `it` or `they`.
    Pronoun,
    /// An adjective.
    Adjective,
    /// A number.
    Number,
    /// What stands beside the name in the prompt.
    Other,
    /// All that stands in a list with it.
    Rest,
    /// What someone wears.
    Clothes,
    /// A preposition that the prompt has once.
    Where,
    /// What it ties.
    Tied,
    /// A bare noun of the kind of one thing of the prompt.
    Kin,
    /// That thing.
    Same,
}

struct Rule {
    left: Vec<Sign>,
    right: Vec<Sign>,
    when: When,
}

/// When a rule is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Before the line is read.
    First,
    /// Where it means nothing as it stands.
    Last,
}

fn lines() -> impl Iterator<Item = (&'static str, When)> {
    let mut when = When::First;
    TEXT.lines().filter_map(move |line| match line {
        "late" => {
            when = When::Last;
            None
        }
        line => line.contains(" => ").then_some((line, when)),
    })
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let sides = lines().filter_map(|(line, when)| Some((line.split_once(" => ")?, when)));
    sides.map(|((l, r), when)| Rule { left: signs(l), right: signs(r), when }).collect()
});

fn signs(text: &'static str) -> Vec<Sign> {
    // A name stands for what its own line says.
    let meant =
        |part: &'static str| TEXT.lines().find_map(|line| line.strip_prefix(part)?.strip_prefix(": ")).unwrap_or(part);
    text.split_whitespace().map(|part| sign(meant(part))).collect()
}

fn sign(text: &str) -> Sign {
    let choices = |inner: &str| -> Vec<Vec<String>> {
        let cut = |one: &str| match one {
            "'s" => vec![one.to_owned()],
            one => split(&one.replace('_', " ")).iter().map(|w| lower(w.text)).collect(),
        };
        inner.split('|').map(cut).collect()
    };
    let within = |open: char, close: char| text.strip_prefix(open)?.strip_suffix(close);
    match text {
        "X" | "Y" | "Z" => Sign::Any(text.chars().next().unwrap_or('X')),
        "N" | "M" => Sign::Name(text.chars().next().unwrap_or('N')),
        "P" => Sign::Pronoun,
        "A" => Sign::Adjective,
        "#" => Sign::Number,
        "O" => Sign::Other,
        "L" => Sign::Rest,
        "C" => Sign::Clothes,
        "R" => Sign::Where,
        "T" => Sign::Tied,
        "K" => Sign::Kin,
        "S" => Sign::Same,
        _ => match (within('(', ')'), within('[', ']')) {
            (Some(inner), _) => Sign::Words { any: choices(inner), may_lack: false },
            (_, Some(inner)) => Sign::Words { any: choices(inner), may_lack: true },
            _ => Sign::Words { any: choices(text), may_lack: false },
        },
    }
}

/// A line against a prompt.
struct Reader<'a> {
    line: &'a str,
    words: Vec<Word<'a>>,
    low: Vec<String>,
    prompt: &'a str,
    scene: OnceCell<Scene>,
}

/// What each sign of a rule's left side was fitted to.
type Fitted = Vec<Range<usize>>;

impl Reader<'_> {
    fn scene(&self) -> &Scene {
        self.scene.get_or_init(|| Scene::of(self.prompt))
    }

    /// The thing that words name, if they name one.
    fn named(&self, range: &Range<usize>) -> Option<usize> {
        let words: Vec<&str> = self.low[range.clone()].iter().map(String::as_str).collect();
        if words.iter().all(|w| is_function_word(w)) {
            return None;
        }
        match resolve(self.scene(), &words) {
            Found::Things(things) => things.first().copied(),
            _ => None,
        }
    }

    /// Fits the signs from one on to the words from one on.
    fn fit(&self, signs: &[Sign], at: usize, fitted: &mut Fitted) -> bool {
        let Some((sign, rest)) = signs.split_first() else { return at == self.low.len() };
        let mut goes_on = |range: Range<usize>| {
            let to = range.end;
            fitted.push(range);
            let fits = self.fit(rest, to, fitted);
            if !fits {
                fitted.pop();
            }
            fits
        };
        match sign {
            Sign::Words { any, may_lack } => {
                let stands = |words: &Vec<String>| self.low[at..].starts_with(words);
                let mut ends = any.iter().filter(|words| stands(words)).map(|words| at + words.len());
                ends.any(|to| goes_on(at..to)) || (*may_lack && goes_on(at..at))
            }
            Sign::Any(_) => (at + 1..=self.low.len()).any(|to| goes_on(at..to)),
            Sign::Name(_) => {
                let most = self.low.len().min(at + LONGEST_NAME);
                (at + 1..=most).any(|to| self.named(&(at..to)).is_some() && goes_on(at..to))
            }
            Sign::Pronoun => {
                let word = self.low.get(at).map_or("", String::as_str);
                matches!(word, "he" | "she" | "it" | "they" | "him" | "her" | "them") && goes_on(at..at + 1)
            }
            Sign::Adjective => {
                let word = self.low.get(at).map_or("", String::as_str);
                let is_one = word.len() > 2 && !is_function_word(word);
                is_one && goes_on(at..at + 1)
            }
            Sign::Number => self.low.get(at).is_some_and(|w| is_number(w)) && goes_on(at..at + 1),
            Sign::Where => self.low.len() < 6 && self.tied(at).is_some() && goes_on(at..at + 1),
            Sign::Kin => at == 0 && self.same_kind().is_some() && goes_on(0..self.low.len()),
            // They stand on the right alone.
            Sign::Other | Sign::Rest | Sign::Clothes | Sign::Tied | Sign::Same => false,
        }
    }

    fn typed(&self, range: &Range<usize>) -> String {
        match self.words.get(range.clone()).and_then(|words| Some((words.first()?, words.last()?))) {
            Some((first, last)) => self.line[first.from..last.to].to_owned(),
            None => String::new(),
        }
    }

    /// What a rule's right side says of what its left side was fitted to; `None` if the prompt has no such thing.
    fn said(&self, rule: &Rule, fitted: &Fitted) -> Option<String> {
        let of = |sign: &Sign| rule.left.iter().position(|left| left == sign).and_then(|at| fitted.get(at));
        let name = of(&Sign::Name('N'));
        let mut parts = Vec::new();
        for sign in &rule.right {
            parts.push(match sign {
                Sign::Words { any, .. } if any.len() > 1 => self.typed(of(sign)?),
                Sign::Words { any, .. } => any.first()?.join(" "),
                Sign::Pronoun => match self.low[of(sign)?.start].as_str() {
                    "he" | "him" => "him".to_owned(),
                    "she" | "her" => "her".to_owned(),
                    "they" | "them" => "them".to_owned(),
                    _ => "it".to_owned(),
                },
                Sign::Any(_) | Sign::Name(_) | Sign::Adjective | Sign::Number => self.typed(of(sign)?),
                Sign::Other => {
                    let others = self.beside(name?)?;
                    let [other] = others[..] else { return None };
                    format!("the {}", self.thing(other))
                }
                Sign::Rest => {
                    let others = self.beside(name?)?;
                    let all: Vec<String> = others.iter().map(|t| format!("the {}", self.thing(*t))).collect();
                    all.join(" and ")
                }
                Sign::Clothes => format!("the {}", self.thing(self.clothes()?)),
                Sign::Where | Sign::Kin => self.typed(of(sign)?),
                // By its noun alone: what it is like is not named, and stays.
                Sign::Same => format!("the {}", self.scene().low(self.scene().things[self.same_kind()?].head)),
                Sign::Tied => format!("the {}", self.thing(self.tied(of(&Sign::Where)?.start)?)),
            });
        }
        Some(parts.join(" ").replace(" ,", ","))
    }

    /// What stands with a named thing in the prompt, joined by commas or `and`.
    fn beside(&self, name: &Range<usize>) -> Option<Vec<usize>> {
        let things = &self.scene().things;
        let one = self.named(name)?;
        let parent = things[one].parent;
        let of_its_rank = |t: usize| things[t].parent == parent;
        let mut first = one;
        while things[first].joined {
            first = (0..first).rev().find(|t| of_its_rank(*t))?;
        }
        let others = (first + 1..things.len()).filter(|t| of_its_rank(*t)).take_while(|t| things[*t].joined);
        let all: Vec<usize> = std::iter::once(first).chain(others).filter(|t| *t != one).collect();
        (!all.is_empty()).then_some(all)
    }

    /// The one thing that someone wears.
    fn clothes(&self) -> Option<usize> {
        let scene = self.scene();
        let worn = |t: &usize| scene.is_kind(*t, &["clothing"]) && scene.low(scene.things[*t].tie) != "of";
        let mut all = (0..scene.things.len()).filter(worn);
        all.next().filter(|_| all.next().is_none())
    }

    /// What the prompt ties by a word of the line, if it does so once and that says which way, not where something is or what it has on.
    fn tied(&self, at: usize) -> Option<usize> {
        const WAYS: &[&str] = &[
            "over", "under", "through", "across", "above", "below", "beneath", "behind", "beside", "near", "inside",
            "along",
        ];
        let word = self.low.get(at).filter(|w| WAYS.contains(&w.as_str()))?;
        let scene = self.scene();
        let before = |t: usize| scene.things[t].start.checked_sub(1).map_or("", |i| scene.low(i));
        let mut all = (0..scene.things.len()).filter(|t| before(*t) == word);
        all.next().filter(|_| all.next().is_none() && scene.low.iter().filter(|w| *w == word).count() == 1)
    }

    /// The one thing of the prompt that is of the kind of a line of one noun, or of two words.
    fn same_kind(&self) -> Option<usize> {
        const KINDS: &[&str] = &["animal", "person", "vehicle", "food", "plant", "building", "clothing", "headgear"];
        let scene = self.scene();
        let (last, before) = self.low.split_last()?;
        let bare =
            before.len() < 2 && before.iter().all(|w| !is_function_word(w) && w.chars().all(char::is_alphabetic));
        let kinds: Vec<_> = lexicon().noun(last).iter().filter(|kind| KINDS.contains(kind)).collect();
        let mut all = (0..scene.things.len()).filter(|t| scene.kinds(*t).iter().any(|kind| kinds.contains(&kind)));
        let other = |t: &usize| !lexicon().same(scene.low(scene.things[*t].head), last);
        all.next().filter(|t| bare && other(t) && all.next().is_none())
    }

    /// A thing of the prompt without its article.
    fn thing(&self, t: usize) -> String {
        let thing = &self.scene().things[t];
        let from = thing.start + usize::from(super::small::is_determiner(self.scene().low(thing.start)));
        self.scene().low[from.min(thing.head)..=thing.head].join(" ")
    }
}

/// The line in plainer words, if a rule of this kind fits it.
pub(super) fn plainer(line: &str, prompt: &str, when: When) -> Option<String> {
    let mut text = if when == When::First { contracted(line, prompt) } else { None };
    for _ in 0..MOST {
        let now = text.clone().unwrap_or_else(|| line.to_owned());
        match once(&now, prompt, when) {
            Some(next) if next != now => text = Some(next),
            _ => break,
        }
    }
    text
}

fn once(line: &str, prompt: &str, when: When) -> Option<String> {
    // What is written in notation is read as that.
    if line.contains(['#', '*', '=', '(', '[', '+']) || line.contains("->") {
        return None;
    }
    let mut words = split(line);
    while words.len() > 1 && words.last().is_some_and(|word| matches!(word.text, "." | "!" | "?" | "…")) {
        words.pop();
    }
    if words.len() > LONGEST || words.is_empty() {
        return None;
    }
    let low = words.iter().map(|word| lower(word.text).replace('\u{2019}', "'")).collect();
    let reader = Reader { line, words, low, prompt, scene: OnceCell::new() };
    RULES.iter().filter(|rule| rule.when == when).find_map(|rule| {
        let mut fitted = Vec::new();
        reader.fit(&rule.left, 0, &mut fitted).then(|| reader.said(rule, &fitted)).flatten()
    })
}

/// Words as they are often typed, and as they are written.
const MISTYPED: &[(&str, &str)] = &[
    ("dont", "don't"),
    ("doesnt", "doesn't"),
    ("didnt", "didn't"),
    ("isnt", "isn't"),
    ("arent", "aren't"),
    ("wasnt", "wasn't"),
    ("werent", "weren't"),
    ("shouldnt", "shouldn't"),
    ("wouldnt", "wouldn't"),
    ("couldnt", "couldn't"),
    ("cant", "can't"),
    ("wont", "won't"),
    ("hasnt", "hasn't"),
    ("havent", "haven't"),
    ("im", "i'm"),
    ("ive", "i've"),
    ("thats", "that's"),
    ("theres", "there's"),
    ("whats", "what's"),
    ("theyre", "they're"),
    ("shoud", "should"),
    ("shuold", "should"),
    ("sholud", "should"),
    ("shld", "should"),
    ("waht", "what"),
    ("wat", "what"),
    ("teh", "the"),
    ("hte", "the"),
    ("adn", "and"),
    ("nad", "and"),
    ("wiht", "with"),
    ("wth", "with"),
    ("wtih", "with"),
    ("chnage", "change"),
    ("chage", "change"),
    ("cahnge", "change"),
    ("chaneg", "change"),
    ("repalce", "replace"),
    ("relpace", "replace"),
    ("replce", "replace"),
    ("repace", "replace"),
    ("remvoe", "remove"),
    ("reomve", "remove"),
    ("rmove", "remove"),
    ("mkae", "make"),
    ("maek", "make"),
    ("amke", "make"),
    ("insted", "instead"),
    ("intead", "instead"),
    ("isntead", "instead"),
    ("thier", "their"),
    ("becuase", "because"),
    ("backgroud", "background"),
    ("backround", "background"),
    ("bakcground", "background"),
    ("colur", "colour"),
    ("colro", "color"),
    ("pleae", "please"),
    ("plase", "please"),
    ("wearign", "wearing"),
    ("weraing", "wearing"),
    ("somthing", "something"),
    ("anythign", "anything"),
    ("abit", "a bit"),
    ("alot", "a lot"),
    ("gonna", "going to"),
    ("wanna", "want to"),
    ("gimme", "give me"),
    ("lemme", "let me"),
    ("u", "you"),
    ("ur", "your"),
];

/// The line with words that are often mistyped as they are written; `None` if there is none, or the prompt has the word so.
fn contracted(line: &str, prompt: &str) -> Option<String> {
    let in_prompt: Vec<String> = super::words::lowered(prompt);
    let mut out = String::new();
    let mut from = 0;
    for word in split(line) {
        let low = lower(word.text);
        let Some((_, right)) = MISTYPED.iter().find(|(wrong, _)| *wrong == low) else { continue };
        if in_prompt.contains(&low) {
            continue;
        }
        out.push_str(&line[from..word.from]);
        out.push_str(right);
        from = word.to;
    }
    (from > 0).then(|| out + &line[from..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_two_sides_and_says_nothing_that_it_did_not_read() {
        assert_eq!(lines().count(), RULES.len());
        for ((line, _), rule) in lines().zip(RULES.iter()) {
            for sign in &rule.right {
                let is_read = match sign {
                    Sign::Words { any, may_lack } => !may_lack && (any.len() == 1 || rule.left.contains(sign)),
                    Sign::Other | Sign::Rest => rule.left.contains(&Sign::Name('N')),
                    Sign::Tied => rule.left.contains(&Sign::Where),
                    Sign::Same => rule.left.contains(&Sign::Kin),
                    Sign::Clothes => true,
                    sign => rule.left.contains(sign),
                };
                assert!(is_read, "{line}");
            }
        }
    }

    #[test]
    fn what_is_said_about_it_is_left_out_and_names_are_found_in_the_prompt() {
        let street = "a red car and a blue car on a street";
        let vase = "a bouquet of roses, tulips and daisies in a vase";
        for (line, prompt, when, plain) in [
            ("winter would be nicer", street, When::Last, "winter instead"),
            ("keep the red car and make the other one green", street, When::Last, "make the blue car green"),
            ("only tulips please", vase, When::Last, "remove the roses and the daisies"),
            ("teh vase shoud be glass", vase, When::First, "the vase should be glass"),
            ("way too girly, make the vase black", vase, When::First, "make the vase black"),
            ("there's too many roses, two are fine", vase, When::First, "make it two roses"),
        ] {
            assert_eq!(plainer(line, prompt, when).as_deref(), Some(plain), "{line}");
        }
        for line in ["make the vase black", "cat -> dog", "a red car on a street", "remove the roses"] {
            assert_eq!(plainer(line, vase, When::First), None, "{line}");
            assert_eq!(plainer(line, vase, When::Last), None, "{line}");
        }
    }
}
