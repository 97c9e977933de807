//! What can go wrong in moving about, said in the user's words.

use std::fmt;

/// Why a move, a name or an event was refused. Nothing has changed when one is returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryError {
    /// There is no node yet.
    Empty,
    /// Undo at a first picture.
    AtRoot {
        /// Where we are.
        here: u32,
    },
    /// Undo, redo or back by more than there is.
    TooFar {
        /// The command.
        verb: &'static str,
        /// How far was asked.
        asked: usize,
        /// How far is possible, at least 1.
        possible: usize,
    },
    /// Redo where nothing was undone.
    NothingToRedo {
        /// Where we are.
        here: u32,
    },
    /// Back, where we have been nowhere else.
    NowhereBefore,
    /// A move by 0.
    ByNothing {
        /// The command.
        verb: &'static str,
    },
    /// Text that stands for no node.
    Unknown {
        /// What was typed.
        typed: String,
        /// The largest number there is.
        last: u32,
        /// The branch name most like it.
        nearest: Option<String>,
    },
    /// The beginning of several ids.
    Ambiguous {
        /// What was typed.
        typed: String,
        /// The nodes it may stand for.
        numbers: Vec<u32>,
    },
    /// A name that cannot be told from an id, or cannot be shown.
    BadName {
        /// What was typed.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A name in use.
    NameTaken {
        /// The name.
        name: String,
        /// The node that has it.
        number: u32,
    },
    /// An event that does not fit this tree: only a damaged or edited file has one.
    Misfit {
        /// What does not fit.
        why: String,
    },
}

impl HistoryError {
    /// One thing to try.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Empty => "type a prompt, such as: a red fox in the snow".to_owned(),
            Self::AtRoot { .. } => "`back` goes to where you were before; `/tree` shows everything".to_owned(),
            Self::TooFar { verb, possible, .. } => format!("{verb} {possible} goes as far as it can"),
            Self::NothingToRedo { .. } => "`/tree` shows every branch; `/go` takes any of its ids".to_owned(),
            Self::NowhereBefore => "`/go` and an id of `/tree` go anywhere".to_owned(),
            Self::ByNothing { verb } => format!("{verb} takes a number from 1 up"),
            Self::Unknown { nearest: Some(name), .. } => format!("did you mean `{name}`?"),
            Self::Unknown { last, .. } => format!("ids go from #1 to #{last}; `/tree` lists them"),
            Self::Ambiguous { numbers, .. } => {
                let shown: Vec<String> = numbers.iter().take(5).map(|n| format!("#{n}")).collect();
                format!("type more digits, or one of {}", shown.join(", "))
            }
            Self::BadName { .. } => "a name such as: red-hair".to_owned(),
            Self::NameTaken { number, .. } => format!("choose another name, or go there: #{number}"),
            Self::Misfit { .. } => "the session file was damaged or edited by hand".to_owned(),
        }
    }
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "there is no picture yet"),
            Self::AtRoot { here } => write!(f, "#{here} is a first picture: there is nothing to undo"),
            Self::TooFar { verb, asked, possible: 1 } => {
                write!(f, "`{verb} {asked}` goes too far: there is 1 step that way")
            }
            Self::TooFar { verb, asked, possible } => {
                write!(f, "`{verb} {asked}` goes too far: there are {possible} steps that way")
            }
            Self::NothingToRedo { here } => write!(f, "there is nothing to redo at #{here}"),
            Self::NowhereBefore => write!(f, "this session has been nowhere else yet"),
            Self::ByNothing { verb } => write!(f, "`{verb} 0` moves nothing"),
            Self::Unknown { typed, .. } => write!(f, "no node is called `{typed}`"),
            Self::Ambiguous { typed, numbers } => write!(f, "`{typed}` begins the ids of {} nodes", numbers.len()),
            Self::BadName { name, why } => write!(f, "`{name}` cannot be a name: {why}"),
            Self::NameTaken { name, number } => write!(f, "`{name}` is the name of #{number} already"),
            Self::Misfit { why } => f.write_str(why),
        }
    }
}

impl std::error::Error for HistoryError {}
