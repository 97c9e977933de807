//! The tree and the log as text.

use std::collections::VecDeque;

use super::{LogEntry, Node, Tree};
use crate::safe::printable_line;
use crate::turn::Change;

/// Levels drawn before a branch is continued further down, at the left: a chain of a hundred edits stays readable,
/// and the text of a chain of n edits has n short lines rather than n long ones.
const LEVELS: usize = 20;

impl Node {
    /// The edit in a few words, as `/tree` shows it: a root's prompt, or `blond → red, wavy × 1.5`.
    ///
    /// One line without control characters, whatever was typed.
    #[must_use]
    pub fn label(&self) -> String {
        let parts: Vec<String> = self.changes.iter().map(change_label).collect();
        let label = match parts[..] {
            _ if self.is_root() => self.plan.prompt.clone(),
            [] => self.line.clone(),
            _ => parts.join(", "),
        };
        let label = match self.plan.redraw() {
            Some(redraw) if parts.is_empty() => redraw.method.to_string(),
            Some(redraw) => format!("{}: {label}", redraw.method),
            None => label,
        };
        printable_line(&label)
    }
}

fn change_label(change: &Change) -> String {
    match change {
        Change::Start { prompt } => prompt.clone(),
        Change::Swap { from, to } => format!("{from} → {to}"),
        Change::Add { text } => format!("+ \"{text}\""),
        Change::Remove { text } => format!("- \"{text}\""),
        Change::Weigh { word, factor, .. } => format!("{word} × {factor}"),
    }
}

/// One line of the drawn tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeLine {
    /// The node.
    pub number: u32,
    /// What stands before it: lines from above, and what ties it to its parent.
    pub lead: String,
    /// What stands before it if it takes more lines than one; as wide as `lead`.
    pub below: String,
    /// Its number, its edit in a few words, its names, and whether we are here.
    pub text: String,
    /// Whether its branch is cut off here and goes on further down.
    pub cut: bool,
}

/// A node still to be drawn.
struct Waiting {
    number: u32,
    /// What its line begins with.
    lead: String,
    /// What ties it to its parent.
    tie: &'static str,
    level: usize,
}

impl Tree {
    /// The whole tree, a line for each node, with names and where we are:
    ///
    /// ```text
    ///   #1 a cat
    ///   ├─#2 cat → dog  [good]
    ///   └─#3 cat → fox      ← here
    /// ```
    ///
    /// A branch deeper than 20 levels ends in `…` and goes on further down, at the left. Every line ends with a
    /// newline; there are no other control characters.
    #[must_use]
    pub fn draw_tree(&self) -> String {
        self.lines(LEVELS).iter().map(|line| format!("{}{}\n", line.lead, line.text)).collect()
    }

    /// The lines of [`draw_tree`](Self::draw_tree), for a branch cut off after `levels` levels.
    #[must_use]
    pub fn lines(&self, levels: usize) -> Vec<TreeLine> {
        let mut lines = Vec::new();
        let mut roots = self.roots().iter().copied();
        let mut cut_off = VecDeque::new();
        while let Some(top) = cut_off.pop_front().or_else(|| roots.next()) {
            let tie = if self[top].is_root() { "" } else { "… " };
            let mut waiting = vec![Waiting { number: top, lead: "  ".to_owned(), tie, level: 0 }];
            while let Some(Waiting { number, lead, tie, level }) = waiting.pop() {
                let children = self.children(number);
                let cut = level >= levels.max(1) && !children.is_empty();
                let here = if self.here() == Some(number) && !cut { "      ← here" } else { "" };
                let more = if cut { " …" } else { "" };
                let names: String = self.names_of(number).map(|name| format!("  [{}]", printable_line(name))).collect();
                let text = format!("#{number} {}{names}{here}{more}", self[number].label());
                let below = format!("{lead}{}", if tie == "├─" { "│ " } else { &"  "[..tie.chars().count()] });
                lines.push(TreeLine { number, lead: format!("{lead}{tie}"), below, text, cut });
                if cut {
                    cut_off.push_back(number);
                    continue;
                }
                let lead = match tie {
                    "├─" => lead + "│  ",
                    "└─" => lead + "   ",
                    _ => lead,
                };
                // The last child first, because the last one put in is the first one drawn.
                for child in children.iter().rev() {
                    let tie = if Some(child) == children.last() { "└─" } else { "├─" };
                    waiting.push(Waiting { number: *child, lead: lead.clone(), tie, level: level + 1 });
                }
            }
        }
        lines
    }

    /// Everything that happened, in time, a line each: `#2 ← #1  blond → red`, `at #1`, `#2 is [good]`, `cross = .6`.
    ///
    /// Every line ends with a newline; there are no other control characters.
    #[must_use]
    pub fn draw_log(&self) -> String {
        let mut out = String::new();
        for step in self.log() {
            let line = match step {
                LogEntry::Grew(number) => match self[*number].parent {
                    Some(parent) => format!("#{number} ← #{parent}  {}", self[*number].label()),
                    None => format!("#{number}  {}", self[*number].label()),
                },
                LogEntry::Moved(to) => format!("at #{to}"),
                LogEntry::Named(number, name) => format!("#{number} is [{name}]"),
                LogEntry::Set(name, value) => format!("{name} = {value}"),
            };
            out.push_str(&printable_line(&line));
            out.push('\n');
        }
        out
    }
}
