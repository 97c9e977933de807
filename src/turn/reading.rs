//! What a line may say, as values; nothing is looked up in the prompt yet.

use std::ops::Range;

/// Words of the clause, by index.
pub(super) type Words = Range<usize>;

/// What a scene has one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Background,
    Season,
    Time,
    Weather,
    Light,
    Medium,
}

/// One reading of a clause.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reading {
    /// Something more; where, if that was said.
    Add { what: Words },
    /// Something more that does something: `a trout`, `leap out of the pond`.
    Spawn { what: Words, does: Words },
    /// Something less.
    Remove { what: Words },
    /// All of its list goes but this.
    Only { what: Words },
    /// One thing for another; `None`: what the picture is of.
    Swap { old: Option<Words>, new: Words },
    /// A thing is so, or is something else.
    Become { what: Option<Words>, to: Words },
    /// A thing has something done to it: `draped`, `in ivy`.
    Cover { what: Words, done: String, with: Words },
    /// A thing does something.
    Act { who: Option<Words>, does: Words },
    /// Someone has something more.
    Give { to: Words, what: Words },
    /// A thing, or all, goes to a place.
    Move { what: Option<Words>, place: Words },
    /// A thing is left in a state: `peel the banana`.
    State { what: Words, verb: Words },
    /// A part that the prompt does not name is so: `make the wolf's fur white`.
    Part { owner: Words, part: Words, to: Words },
    /// So many of them.
    Count { what: Words, number: Words },
    /// What the scene has one of becomes this.
    Set { slot: Slot, to: Words },
    /// Only half of a change: what becomes of it is not said.
    Half { what: Words },
    /// Something done to pixels.
    Cannot { what: Words },
    /// More of the description, as typed.
    Hang { text: Words },
}

impl Reading {
    /// In a few words, for people: `swap`, `remove`.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Add { .. } | Self::Spawn { .. } => "add",
            Self::Remove { .. } | Self::Only { .. } => "remove",
            Self::Swap { .. } => "swap",
            Self::Become { .. } => "become",
            Self::Cover { .. } => "cover",
            Self::Act { .. } => "act",
            Self::Give { .. } => "give",
            Self::Move { .. } => "move",
            Self::State { .. } | Self::Part { .. } => "become",
            Self::Count { .. } => "count",
            Self::Set { .. } => "scene",
            Self::Half { .. } => "half",
            Self::Cannot { .. } => "no words for it",
            Self::Hang { .. } => "go on",
        }
    }

    /// The parts of the clause that it names.
    pub(super) fn parts(&self) -> Vec<Words> {
        match self {
            Self::Add { what }
            | Self::Remove { what }
            | Self::Only { what }
            | Self::Cannot { what }
            | Self::Half { what } => {
                vec![what.clone()]
            }
            Self::Spawn { what, does } => vec![what.clone(), does.clone()],
            Self::Swap { old, new } => old.iter().chain([new]).cloned().collect(),
            Self::Become { what, to } => what.iter().chain([to]).cloned().collect(),
            Self::Cover { what, with, .. } => vec![what.clone(), with.clone()],
            Self::Act { who, does } => who.iter().chain([does]).cloned().collect(),
            Self::Give { to, what } => vec![to.clone(), what.clone()],
            Self::Move { what, place } => what.iter().chain([place]).cloned().collect(),
            Self::State { what, verb } => vec![what.clone(), verb.clone()],
            Self::Part { owner, part, to } => vec![owner.clone(), part.clone(), to.clone()],
            Self::Count { what, number } => vec![what.clone(), number.clone()],
            Self::Set { to, .. } => vec![to.clone()],
            Self::Hang { text } => vec![text.clone()],
        }
    }
}
