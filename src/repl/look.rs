//! Commands that look, and commands about files.

use anyhow::Result;

use super::reply::Reply;
use super::talk::{Talk, Watcher};
use crate::session::file::Hinted;
use crate::turn::Command;

/// Carries out the commands that `talk` does not carry out itself.
///
/// # Errors
/// Fails if the command cannot be carried out.
pub fn carry_out(_talk: &mut Talk, _line: &str, _command: Command, _watcher: &mut dyn Watcher) -> Result<Reply> {
    Err(Hinted::new("not built yet", "/help").into())
}
