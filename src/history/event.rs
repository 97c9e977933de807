//! What can happen to a session, and what grows of it.

use std::sync::Arc;

use super::NodeId;
use crate::plan::{Plan, Recipe};
use crate::turn::Change;

/// A point in history: an edit, resolved, and where it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Digest of all that decides the picture.
    pub id: NodeId,
    /// Order of growth, from 1; shown as `#3`. Never changes.
    pub number: u32,
    /// Number of the node whose picture was edited; `None` at a root.
    pub parent: Option<u32>,
    /// What was typed.
    pub line: String,
    /// What it was understood to mean, in words.
    pub changes: Vec<Change>,
    /// What it means in numbers.
    pub plan: Plan,
    /// What is fixed for the whole tree; shared by all its nodes.
    pub recipe: Arc<Recipe>,
}

impl Node {
    /// The node's picture can be drawn from the recipe alone: it has no parent.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.parent.is_none()
    }
}

/// One thing that happened. Events are appended to the session's file, never rewritten.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A picture was drawn, and we are at it.
    Grow(Box<Node>),
    /// We went to a node that was there already.
    Move {
        /// Its number.
        to: u32,
    },
    /// A node got a name.
    Name {
        /// Its number.
        node: u32,
        /// The name; a node may have several, a name belongs to one node.
        name: String,
    },
    /// A setting of the next turns got a value.
    Set {
        /// Name of the setting.
        name: String,
        /// Its value, as typed.
        value: String,
    },
}

impl Event {
    /// The number of the node we are at after this event; `None` if it moves nothing.
    #[must_use]
    pub fn arrives(&self) -> Option<u32> {
        match self {
            Self::Grow(node) => Some(node.number),
            Self::Move { to } => Some(*to),
            Self::Name { .. } | Self::Set { .. } => None,
        }
    }
}
