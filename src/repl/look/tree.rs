//! The tree on a terminal: text, or text beside small pictures.

use std::io::{self, Write};

use image::RgbImage;

use crate::history::Tree;
use crate::preview::Protocol;
use crate::preview::beside::{GAP, Sides};
use crate::preview::terminal::Screen;
use crate::safe::{cells, cut, printable};

/// A tree of more nodes is drawn as text: pictures of all would push everything else off the screen.
const MOST_PICTURES: usize = 32;

/// Cells that a node's text has at least; branches are cut off earlier in a narrow window.
const TEXT: u16 = 16;

/// Draws the tree. `picture` finds a node's picture, if that costs no drawing.
///
/// # Errors
/// Whatever writing to `out` gives.
pub fn draw(
    out: &mut dyn Write,
    screen: &Screen,
    tree: &Tree,
    picture: &mut dyn FnMut(u32) -> Option<RgbImage>,
) -> io::Result<()> {
    if !has_pictures(screen, tree) {
        return draw_text(out, screen, tree);
    }
    let rows = rows_of_a_node(screen, tree.len());
    let widest = screen.fit_thumbnail((1, 1), rows).columns;
    for line in tree.lines(levels(screen, widest + GAP)) {
        let found = if line.cut { None } else { picture(line.number) };
        let lead = cells(&line.lead) as u16;
        let fit = found.as_ref().map(|picture| {
            let mut fit = screen.fit_thumbnail(picture.dimensions(), rows);
            fit.columns = fit.columns.min(screen.size.columns.saturating_sub(lead + GAP + TEXT / 2).max(1));
            fit
        });
        let taken = lead + fit.map_or(0, |fit| fit.columns + GAP);
        let room = screen.size.columns.saturating_sub(taken).max(TEXT / 2);
        let text = printable(&line.text);
        let Some((picture, fit)) = found.zip(fit) else {
            for (n, part) in wrapped(&text, room, usize::from(rows)).iter().enumerate() {
                writeln!(out, "{}{part}", if n == 0 { &line.lead } else { &line.below })?;
            }
            continue;
        };
        let left: Vec<String> =
            (0..rows).map(|n| if n == 0 { line.lead.clone() } else { line.below.clone() }).collect();
        let right = wrapped(&text, room, usize::from(rows));
        screen.show_beside(out, &picture, fit, &Sides { left: &left, right: &right })?;
    }
    Ok(())
}

/// Whether a tree is drawn with its pictures here.
#[must_use]
pub fn has_pictures(screen: &Screen, tree: &Tree) -> bool {
    screen.protocol != Protocol::None && tree.len() <= MOST_PICTURES
}

fn draw_text(out: &mut dyn Write, screen: &Screen, tree: &Tree) -> io::Result<()> {
    for line in tree.lines(levels(screen, 0)) {
        let room = screen.size.columns.saturating_sub(cells(&line.lead) as u16).max(TEXT);
        for (n, part) in wrapped(&printable(&line.text), room, usize::MAX).iter().enumerate() {
            writeln!(out, "{}{part}", if n == 0 { &line.lead } else { &line.below })?;
        }
    }
    Ok(())
}

/// Lines for each node: as many as let the whole tree stand on the screen, within what shows anything at all.
fn rows_of_a_node(screen: &Screen, nodes: usize) -> u16 {
    let fits = usize::from(screen.size.rows.saturating_sub(2)) / nodes.max(1);
    // A half block is one pixel wide and half a line high: a picture needs more of them.
    let (least, most) = if screen.protocol == Protocol::Blocks { (4, 8) } else { (3, 6) };
    (fits as u16).clamp(least, most)
}

/// Levels of branches that leave `taken` cells and some text; each is three cells further in.
fn levels(screen: &Screen, taken: u16) -> usize {
    usize::from(screen.size.columns.saturating_sub(taken + TEXT + 2) / 3).clamp(2, 20)
}

/// A node's text in lines of at most `room` - 1 cells, at most `rows` of them; what is left out is shown by `…`. Blanks
/// stay as they are inside a line: they set a mark apart.
fn wrapped(text: &str, room: u16, rows: usize) -> Vec<String> {
    let room = usize::from(room.saturating_sub(1).max(1));
    let mut lines = vec![String::new()];
    for part in text.split_inclusive(' ') {
        let length = cells(part.trim_end());
        let line = lines.last().map_or(0, |line| cells(line));
        if line > 0 && line + length > room && length > 0 {
            lines.push(String::new());
        }
        let mut rest = part;
        // A word longer than a line is cut; blanks at a line's end are dropped below.
        while let Some(first) = rest.chars().next() {
            let Some(line) = lines.last_mut() else { break };
            let mut fits = cut(rest, room.saturating_sub(cells(line)));
            if fits.is_empty() && (line.is_empty() || length == 0) {
                fits = &rest[..first.len_utf8()]; // no line has room for it
            }
            line.push_str(fits);
            rest = &rest[fits.len()..];
            if rest.starts_with(|c| c != ' ') {
                lines.push(String::new());
            } else {
                line.push_str(rest);
                rest = "";
            }
        }
    }
    let mut lines: Vec<String> = lines.iter().map(|line| line.trim_end().to_owned()).collect();
    if lines.len() > rows {
        lines.truncate(rows);
        if let Some(last) = lines.last_mut() {
            *last = cut(last, room - 1).trim_end().to_owned() + "…";
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Event, first, next, recipe};
    use crate::preview::Size;

    /// A chain of `nodes` nodes with two leaves at its end.
    fn tree(nodes: u32) -> Tree {
        let mut tree = Tree::new();
        let root = tree.grow_root("", vec![], first("a woman's face with long wavy blond hair"), recipe(1));
        tree.apply(root).unwrap();
        for n in 1..nodes {
            let line = format!("an edit of some length, number {n}");
            let grown = tree.grow(n, &line, vec![], next(&tree[n].plan, &line)).unwrap();
            tree.apply(grown).unwrap();
        }
        let grown = tree.grow(nodes, "the other one", vec![], next(&tree[nodes].plan, "other")).unwrap();
        tree.apply(grown).unwrap();
        tree.apply(Event::Move { to: nodes }).unwrap();
        let grown = tree.grow(nodes, "the last one", vec![], next(&tree[nodes].plan, "last")).unwrap();
        tree.apply(grown).unwrap();
        tree
    }

    fn drawn(protocol: Protocol, (columns, rows): (u16, u16), nodes: u32) -> String {
        let screen = Screen::new(protocol, Size::new(columns, rows));
        let picture = RgbImage::from_pixel(128, 128, image::Rgb([10, 200, 30]));
        let mut out = Vec::new();
        draw(&mut out, &screen, &tree(nodes), &mut |_| Some(picture.clone())).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// `text` without `ESC [ … letter`.
    fn without_escapes(text: &str) -> String {
        let mut parts = text.split("\u{1b}[");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |out, part| {
            out + part.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).get(1..).unwrap()
        })
    }

    #[test]
    fn without_pictures_a_tree_is_text_of_no_more_columns_than_there_are() {
        for columns in [40, 80, 200] {
            let text = drawn(Protocol::None, (columns, 24), 12);
            assert!(!text.contains('\u{1b}'), "{text}");
            assert!(text.lines().all(|line| line.chars().count() < usize::from(columns)), "{columns}:\n{text}");
            assert!(text.contains("└─#14 the last one      ← here") || columns == 40, "{text}");
        }
    }

    #[test]
    fn a_tree_of_wide_words_keeps_to_its_columns() {
        let mut tree = Tree::new();
        let root = tree.grow_root("", vec![], first(&"海と猫の絵".repeat(12)), recipe(1));
        tree.apply(root).unwrap();
        let line = format!("{} 👩\u{200d}🎨", "猫".repeat(40));
        let grown = tree.grow(1, &line, vec![], next(&tree[1].plan, &line)).unwrap();
        tree.apply(grown).unwrap();
        for (protocol, columns) in
            [(Protocol::None, 40), (Protocol::None, 61), (Protocol::Blocks, 40), (Protocol::Blocks, 81)]
        {
            let screen = Screen::new(protocol, Size::new(columns, 24));
            let picture = RgbImage::from_pixel(16, 16, image::Rgb([10, 200, 30]));
            let mut out = Vec::new();
            draw(&mut out, &screen, &tree, &mut |_| Some(picture.clone())).unwrap();
            let text = without_escapes(&String::from_utf8(out).unwrap());
            assert!(text.lines().all(|line| cells(line.trim_end()) < usize::from(columns)), "{columns}:\n{text}");
        }
    }

    #[test]
    fn with_blocks_every_node_has_its_picture_and_no_line_is_too_long() {
        for columns in [40, 80, 200] {
            for nodes in [1, 4, 12] {
                let text = without_escapes(&drawn(Protocol::Blocks, (columns, 24), nodes));
                let rows = usize::from(rows_of_a_node(
                    &Screen::new(Protocol::Blocks, Size::new(columns, 24)),
                    nodes as usize + 2,
                ));
                let count = text.lines().filter(|line| line.contains('▀')).count();
                assert_eq!(count, rows * (nodes as usize + 2), "{columns} {nodes}:\n{text}");
                assert!(text.lines().all(|line| line.chars().count() < usize::from(columns)), "{columns}:\n{text}");
            }
        }
    }

    #[test]
    fn a_large_tree_is_drawn_as_text() {
        assert!(!drawn(Protocol::Blocks, (80, 24), 40).contains('▀'));
    }

    #[test]
    fn a_text_too_long_for_its_lines_says_so() {
        assert_eq!(wrapped("one two three four", 10, 2), ["one two", "three…"]);
        assert_eq!(wrapped("#1 a", 10, 2), ["#1 a"]);
        assert_eq!(wrapped("#1 a      ← here", 40, 2), ["#1 a      ← here"]);
        assert_eq!(wrapped("#1 a      ← here", 10, 2), ["#1 a", "← here"]);
        assert_eq!(wrapped("abcdefghijklmnop", 6, 9), ["abcde", "fghij", "klmno", "p"]);
    }
}
