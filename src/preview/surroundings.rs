//! What decides how pictures are shown: `--preview`, and a few environment variables.
//!
//! The variables are a value here, not looked up, so that every terminal can be tried in a test.

use crate::preview::blocks::Colours;
use crate::safe;
use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::str::FromStr;

/// How pictures are put on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Kitty's graphics protocol.
    Kitty,
    /// iTerm2's inline images.
    Iterm,
    /// DEC Sixel.
    Sixel,
    /// Half blocks in colour, which every terminal with colours can show.
    Blocks,
    /// No picture: the path of its file.
    None,
}

/// What `--preview` asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PreviewChoice {
    /// Whatever the terminal can do best.
    #[default]
    Auto,
    /// This and nothing else.
    Forced(Protocol),
}

impl FromStr for PreviewChoice {
    type Err = String;

    /// Reads `kitty`, `iterm`, `sixel`, `blocks`, `none` or `auto`; the error says which there are.
    fn from_str(name: &str) -> Result<Self, String> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "auto" => Self::Auto,
            "kitty" => Self::Forced(Protocol::Kitty),
            "iterm" | "iterm2" => Self::Forced(Protocol::Iterm),
            "sixel" => Self::Forced(Protocol::Sixel),
            "blocks" => Self::Forced(Protocol::Blocks),
            "none" => Self::Forced(Protocol::None),
            _ => {
                let name = safe::printable_line(name);
                return Err(format!(
                    "`{name}` is not a way to show pictures, but kitty, iterm, sixel, blocks, none and auto are"
                ));
            }
        })
    }
}

/// What decides how pictures are shown: a few variables and whether both ends are a terminal.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    variables: HashMap<String, String>,
    pub(crate) output_is_terminal: bool,
    input_is_terminal: bool,
}

const VARIABLES: [&str; 23] = [
    "TERM",
    "TERM_PROGRAM",
    "LC_TERMINAL",
    "COLORTERM",
    "NO_COLOR",
    "TMUX",
    "STY",
    "KITTY_WINDOW_ID",
    "KONSOLE_VERSION",
    "XTERM_VERSION",
    "GHOSTTY_RESOURCES_DIR",
    "SSH_CONNECTION",
    "WT_SESSION",
    "ALACRITTY_SOCKET",
    "ALACRITTY_WINDOW_ID",
    "GNOME_TERMINAL_SCREEN",
    "TERMINAL_EMULATOR",
    "TERMINATOR_UUID",
    "TILIX_ID",
    "VTE_VERSION",
    "LC_ALL",
    "LC_CTYPE",
    "LANG",
];

/// Terminals that set a variable of their own, which whatever is started from them inherits. What they can do is `None`
/// where half blocks are the best.
const SIGNS: [(&str, Option<Protocol>); 13] = [
    ("KITTY_WINDOW_ID", Some(Protocol::Kitty)),
    ("GHOSTTY_RESOURCES_DIR", Some(Protocol::Kitty)),
    ("KONSOLE_VERSION", Some(Protocol::Iterm)),
    ("XTERM_VERSION", None),
    ("WT_SESSION", None),
    ("ALACRITTY_SOCKET", None),
    ("ALACRITTY_WINDOW_ID", None),
    ("GNOME_TERMINAL_SCREEN", None),
    ("TERMINAL_EMULATOR", None),
    ("TERMINATOR_UUID", None),
    ("TILIX_ID", None),
    ("VTE_VERSION", None),
    ("STY", None),
];

/// What `TERM` says a terminal can do; `None` if it is a name that many terminals take.
fn named_by_term(term: &str) -> Option<Protocol> {
    let begins = |names: &[&str]| names.iter().any(|name| term.starts_with(name));
    Some(match term {
        "xterm-kitty" | "xterm-ghostty" => Protocol::Kitty,
        _ if begins(&["wezterm", "rio", "xterm-rio", "mintty", "iterm"]) => Protocol::Iterm,
        _ if begins(&["foot", "mlterm", "contour", "yaft"]) || term.contains("sixel") => Protocol::Sixel,
        _ if begins(&["xterm", "screen", "tmux"]) => return None,
        _ => Protocol::Blocks,
    })
}

/// What the terminal that calls itself so can do; `None` for half blocks.
fn named_by_program(program: &str) -> Option<Protocol> {
    let is_one_of = |names: &[&str]| names.iter().any(|name| program.eq_ignore_ascii_case(name));
    if is_one_of(&["kitty", "ghostty"]) {
        Some(Protocol::Kitty)
    } else if is_one_of(&["iTerm.app", "iTerm2", "WezTerm", "mintty", "rio", "WarpTerminal"]) {
        Some(Protocol::Iterm)
    } else {
        None
    }
}

impl Surroundings {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let variables = VARIABLES.iter().filter_map(|&name| Some((name.to_owned(), std::env::var(name).ok()?)));
        Self {
            variables: variables.collect(),
            output_is_terminal: io::stdout().is_terminal(),
            input_is_terminal: io::stdin().is_terminal(),
        }
    }

    /// Made up for a test: both ends are a terminal and these variables are set.
    #[must_use]
    pub fn terminal(variables: &[(&str, &str)]) -> Self {
        let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { variables, output_is_terminal: true, input_is_terminal: true }
    }

    /// The same with standard output a pipe.
    #[must_use]
    pub fn piped(self) -> Self {
        Self { output_is_terminal: false, ..self }
    }

    /// The value of `name`, "" if it is not set.
    fn value(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    pub(crate) fn is_set(&self, name: &str) -> bool {
        !self.value(name).is_empty()
    }

    pub(crate) fn in_tmux(&self) -> bool {
        self.is_set("TMUX")
    }

    /// What the terminal can do, as far as the environment tells; `None` protocol if it is dumb.
    ///
    /// `TERM` is set by the terminal itself and counts first. Where it says no more than `xterm`, all that names a
    /// terminal must name the same: a variable may be inherited from the terminal that this one was started from. In
    /// doubt it is half blocks, which every terminal shows.
    pub(crate) fn best(&self) -> Protocol {
        let term = self.value("TERM");
        if term.is_empty() || term == "dumb" {
            return Protocol::None;
        }
        if let Some(known) = named_by_term(term) {
            return known;
        }
        let program = if self.is_set("TERM_PROGRAM") && !self.in_tmux() { "TERM_PROGRAM" } else { "LC_TERMINAL" };
        let program = self.is_set(program).then(|| named_by_program(self.value(program)));
        let signs = SIGNS.iter().filter(|(variable, _)| self.is_set(variable)).map(|(_, protocol)| *protocol);
        let mut named = program.into_iter().chain(signs);
        match named.next() {
            Some(Some(first)) if named.all(|other| other == Some(first)) => first,
            _ => Protocol::Blocks,
        }
    }

    /// Whether the text of a person's language is written in UTF-8, as far as the environment tells. Where it says
    /// nothing, it is: so are the terminals of today.
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().map(|name| self.value(name)).find(|value| !value.is_empty());
        locale.is_none_or(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        })
    }

    pub(crate) fn colours(&self) -> Colours {
        let direct = self.value("TERM").ends_with("-direct");
        if direct || matches!(self.value("COLORTERM"), "truecolor" | "24bit") || self.is_set("WT_SESSION") {
            Colours::True
        } else {
            Colours::Palette256
        }
    }

    /// Whether lines that a narrower window has no room for are broken: all do but a few old ones, which cut them.
    pub(crate) fn reflows(&self) -> bool {
        let term = self.value("TERM");
        let cuts = ["linux", "st", "rxvt", "vt", "screen"].iter().any(|name| term.starts_with(name));
        self.in_tmux() || !(cuts || self.is_set("XTERM_VERSION") && term.starts_with("xterm"))
    }

    /// Whether [`ask`] is answered at once: terminals known to, on this machine, with nothing in between.
    pub(crate) fn answers_at_once(&self) -> bool {
        let term = self.value("TERM");
        let known = self.is_set("XTERM_VERSION") && term.starts_with("xterm")
            || ["xterm-kitty", "xterm-ghostty", "foot", "mlterm"].iter().any(|name| term.starts_with(name));
        known
            && self.input_is_terminal
            && self.output_is_terminal
            && !self.in_tmux()
            && !self.is_set("STY")
            && !self.is_set("SSH_CONNECTION")
    }
}

#[cfg(test)]
#[path = "surroundings_tests.rs"]
mod tests;
