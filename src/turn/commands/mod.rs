//! Commands: one table feeds reading, help, completion and the page `docs/commands.md`.
//!
//! Ids stay strings (`#3`, eight hex digits, a branch name); whoever knows the tree looks them up. Numbers are checked
//! here, names of settings and files are not.

mod read;
mod table;
#[cfg(test)]
mod tests;

pub use read::read;
pub use table::{COMMANDS, Entry, Group, entry, markdown};

/// What to do when no words of the prompt change.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Start a new root, with this prompt or the one that is typed next.
    New {
        /// Its prompt.
        prompt: Option<String>,
    },
    /// Draw the present prompt with this many seeds and take one.
    Seeds {
        /// How many, 1 to 64.
        n: usize,
    },
    /// Go to the n-th ancestor.
    Undo {
        /// 1 or more.
        n: usize,
    },
    /// Go down the branch last left.
    Redo {
        /// 1 or more.
        n: usize,
    },
    /// Go to where we were before, in time.
    Back {
        /// 1 or more.
        n: usize,
    },
    /// Go to a node.
    Go {
        /// Number, hex prefix or branch name.
        id: String,
    },
    /// Give the present node a branch name.
    Branch {
        /// The name.
        name: String,
    },
    /// Draw the tree.
    Tree,
    /// List the moves and edits in the order they were made.
    Log,
    /// Name the session.
    Name {
        /// The name.
        text: String,
    },
    /// Edit back to an ancestor and compare.
    Cycle {
        /// The ancestor; the root if none is given.
        id: Option<String>,
        /// As one edit instead of one for every edit taken back.
        in_one: bool,
    },
    /// Say what an edit would do, and draw nothing.
    Explain {
        /// The edit, as it would be typed.
        edit: String,
    },
    /// Show pictures again.
    Show {
        /// Which; the present one if none is given.
        ids: Vec<String>,
    },
    /// Say where the present picture is saved.
    ShowPath,
    /// Show two pictures side by side.
    Compare {
        /// The left one.
        a: String,
        /// The right one.
        b: String,
    },
    /// Show the whole branch as a sheet.
    Sheet,
    /// Draw where words attend.
    Maps {
        /// One word, or all.
        word: Option<String>,
    },
    /// Draw the edited region.
    Mask {
        /// Another threshold, 0 to 1.
        k: Option<f64>,
    },
    /// Apply another node's edit here.
    Pick {
        /// The node.
        id: String,
    },
    /// Replay the branch of edits on another root.
    Rebase {
        /// The root.
        id: String,
    },
    /// The edits since the root, as one.
    Collapse,
    /// List the settings, show one, or set one.
    Set {
        /// The setting.
        name: Option<String>,
        /// Its value, as typed.
        value: Option<String>,
    },
    /// Take a named set of settings.
    Preset {
        /// Its name.
        name: String,
    },
    /// From keep everything to keep only the seed.
    Freedom {
        /// 0 to 1.
        x: f64,
    },
    /// A grid of the last edit under several settings.
    Sweep {
        /// `name=values`, as typed.
        specs: Vec<String>,
    },
    /// The last edit once more, with shorter windows.
    Stronger,
    /// The last edit once more, with longer windows.
    Weaker,
    /// The branch once more, from other noise.
    Seed {
        /// The seed.
        n: u64,
    },
    /// The branch once more, from the next seed.
    Again,
    /// The branch once more, from a far seed made from the present one.
    Vary,
    /// What the picture should not be.
    Negative {
        /// The text; shown if none is given.
        text: Option<String>,
    },
    /// List the words that the model knows.
    Words {
        /// Of one kind only.
        kind: Option<String>,
    },
    /// Save the session.
    Save {
        /// Under this name.
        name: Option<String>,
    },
    /// Open a session or a picture that carries one.
    Open {
        /// File or name.
        file: String,
    },
    /// List the sessions.
    Sessions,
    /// Write the branch to a file.
    Export {
        /// The form.
        format: Format,
        /// The file.
        file: Option<String>,
    },
    /// Replay a session file.
    Replay {
        /// The file.
        file: String,
    },
    /// Show or take a model.
    Model {
        /// Folder or name.
        name: Option<String>,
    },
    /// Say what this program is and what it runs on.
    About,
    /// Explain the commands, or one.
    Help {
        /// The command.
        command: Option<String>,
    },
    /// Leave.
    Quit,
}

/// Forms of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The present picture.
    Png,
    /// The branch as a moving picture.
    Gif,
    /// A page with pictures and words.
    Html,
    /// The branch as data.
    Json,
}
