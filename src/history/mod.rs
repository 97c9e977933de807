//! Remembers where we have been.
//!
//! What happens to a session is a list of [`Event`]s, and a [`Tree`] is their fold: its nodes, its names, its settings
//! and where we are. Nothing is ever taken out. A move ([`Tree::undo`], [`Tree::redo`], [`Tree::back`], [`Tree::go`])
//! and an edit ([`Tree::grow`]) change nothing themselves: they *propose* an event. The session writes it to its file
//! and then [applies](Tree::apply) it, so living and replaying are the same code.
//!
//! Nodes hold words and numbers, no tensors; those are found under a node's [`NodeId`] in the store. Nothing here
//! knows of clocks, files or terminals.

mod draw;
mod error;
mod event;
mod id;
mod tree;
mod walk;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use draw::TreeLine;
pub use error::HistoryError;
pub use event::{Event, Node};
pub use id::{ID_FORMAT, NodeId, Prefix, Resolution, SHORTEST_PREFIX};
pub use tree::{LogEntry, Tree};

#[cfg(test)]
pub(crate) use samples::{changed, edit_of, first, first_of, next, recipe};
