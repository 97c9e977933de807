//! Pictures looked at one after another in the same place: through the tree by arrow keys, or before and after by one key.

#[cfg(not(unix))]
use std::io::Read;
use std::io::{self, Write};

use image::RgbImage;

use crate::history::Tree;
use crate::preview::Protocol;
use crate::preview::terminal::{Screen, next_id};
use crate::safe::{cells, cut, printable_line};

/// A key that means something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalkKey {
    /// To the parent.
    Up,
    /// To a child.
    Down,
    /// To the child of the same parent before this one.
    Left,
    /// To the one after it.
    Right,
    /// Go there.
    Enter,
    /// The key that shows before and after.
    Flip,
    /// Leave.
    Leave,
}

/// Where keys come from.
pub trait WalkKeys {
    /// Waits for the next key that means something.
    ///
    /// # Errors
    /// Fails if the terminal cannot be read.
    fn next(&mut self) -> io::Result<WalkKey>;
}

/// What finds a node's picture, if that costs no long drawing.
pub type FindPicture<'a> = dyn FnMut(u32) -> Option<RgbImage> + 'a;

/// Walks the tree from where we are, a picture at a time. Gives the node that was chosen; `None` if it was left.
///
/// # Errors
/// Whatever reading keys or writing to `out` gives.
pub fn walk(
    out: &mut dyn Write,
    screen: &Screen,
    tree: &Tree,
    picture: &mut FindPicture<'_>,
    keys: &mut dyn WalkKeys,
) -> io::Result<Option<u32>> {
    let Some(mut at) = tree.here() else { return Ok(None) };
    let mut place = Place::new(screen);
    let chosen = loop {
        let help = format!("  {} · arrows lead on · Enter goes there · Esc leaves", ways(tree, at));
        place.show(out, picture(at).as_ref(), &label(tree, at), &help)?;
        let to = match keys.next()? {
            WalkKey::Enter => break Some(at),
            WalkKey::Leave => break None,
            WalkKey::Up => tree[at].parent,
            WalkKey::Down => tree.last_left(at).or_else(|| tree.children(at).first().copied()),
            WalkKey::Left => beside(tree, at, -1),
            WalkKey::Right => beside(tree, at, 1),
            WalkKey::Flip => None,
        };
        at = to.unwrap_or(at);
    };
    place.clear(out)?;
    Ok(chosen)
}

/// Shows before and after, the picture above first, and the other at each press of the key; any other key leaves.
///
/// # Errors
/// Whatever reading keys or writing to `out` gives.
pub fn flip(
    out: &mut dyn Write,
    screen: &Screen,
    tree: &Tree,
    picture: &mut FindPicture<'_>,
    keys: &mut dyn WalkKeys,
) -> io::Result<()> {
    let Some(after) = tree.here() else { return Ok(()) };
    let Some(before) = tree[after].parent else { return Ok(()) };
    let mut place = Place::new(screen);
    let mut shows = before;
    loop {
        let what = if shows == before { "before" } else { "after " };
        let label = format!("  {what}  {}", label(tree, shows).trim_start());
        place.show(out, picture(shows).as_ref(), &label, "  Ctrl-O shows the other, any other key leaves")?;
        if matches!(keys.next()?, WalkKey::Enter | WalkKey::Leave) {
            return place.clear(out);
        }
        shows = if shows == before { after } else { before };
    }
}

fn label(tree: &Tree, at: u32) -> String {
    let from = tree[at].parent.map(|parent| format!(" ← #{parent}")).unwrap_or_default();
    let here = if tree.here() == Some(at) { "      ← here" } else { "" };
    let names: String = tree.names_of(at).map(|name| format!("  [{}]", printable_line(name))).collect();
    format!("  #{at}{from}  {}{names}{here}", tree[at].label())
}

/// Which of its parent's children it is, and how many it has: `1 of 3, 2 children`.
fn ways(tree: &Tree, at: u32) -> String {
    let all = siblings(tree, at);
    let place = all.iter().position(|one| *one == at).map_or(1, |n| n + 1);
    let children = match tree.children(at).len() {
        0 => "no child".to_owned(),
        1 => "1 child".to_owned(),
        n => format!("{n} children"),
    };
    format!("{place} of {}, {children}", all.len())
}

fn siblings(tree: &Tree, at: u32) -> &[u32] {
    match tree[at].parent {
        Some(parent) => tree.children(parent),
        None => tree.roots(),
    }
}

fn beside(tree: &Tree, at: u32, by: isize) -> Option<u32> {
    let all = siblings(tree, at);
    let place = all.iter().position(|one| *one == at)?;
    all.get(place.checked_add_signed(by)?).copied()
}

/// A place on the screen where one thing is shown after another.
struct Place<'a> {
    screen: &'a Screen,
    id: u32,
    lines: u16,
}

impl<'a> Place<'a> {
    fn new(screen: &'a Screen) -> Self {
        Self { screen, id: next_id(), lines: 0 }
    }

    /// Shows a picture with two lines below it, in place of what was shown before.
    fn show(&mut self, out: &mut dyn Write, picture: Option<&RgbImage>, label: &str, help: &str) -> io::Result<()> {
        self.clear(out)?;
        let rows = match picture.filter(|_| self.screen.protocol != Protocol::None) {
            Some(picture) => self.screen.draw(out, picture, self.id)?,
            None => 0,
        };
        let room = usize::from(self.screen.size.columns).saturating_sub(1);
        let short = |text: &str| {
            if cells(text) <= room { text.to_owned() } else { format!("{}…", cut(text, room.saturating_sub(1))) }
        };
        write!(out, "{}\r\n\x1b[2m{}\x1b[22m\r\n", short(&printable_line(label)), short(help))?;
        self.lines = rows + 2;
        out.flush()
    }

    /// Takes off what is shown.
    fn clear(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let lines = std::mem::take(&mut self.lines);
        if lines == 0 {
            return Ok(());
        }
        self.screen.erase(out, 0, self.id)?;
        write!(out, "\r\x1b[{lines}A\x1b[J")?;
        out.flush()
    }
}

/// Reads keys from bytes as terminals send them. `waiting` says whether more came at once: an escape alone is a key.
fn read_key(next: &mut dyn FnMut() -> io::Result<Option<u8>>) -> io::Result<Option<WalkKey>> {
    let Some(first) = next()? else { return Ok(None) };
    Ok(Some(match first {
        b'\r' | b'\n' => WalkKey::Enter,
        0x0f | b' ' => WalkKey::Flip,
        b'k' | 0x10 => WalkKey::Up,
        b'j' | 0x0e => WalkKey::Down,
        b'h' | 0x02 => WalkKey::Left,
        b'l' | 0x06 => WalkKey::Right,
        0x1b => match next()? {
            Some(b'[' | b'O') => {
                // Numbers of a key that is pressed with another, then its letter.
                let last = loop {
                    match next()? {
                        Some(b'0'..=b'9' | b';') => {}
                        other => break other,
                    }
                };
                match last {
                    Some(b'A') => WalkKey::Up,
                    Some(b'B') => WalkKey::Down,
                    Some(b'C') => WalkKey::Right,
                    Some(b'D') => WalkKey::Left,
                    _ => return Ok(None),
                }
            }
            Some(_) | None => WalkKey::Leave,
        },
        _ => WalkKey::Leave,
    }))
}

/// The keyboard, a key at a time and without an echo, until it is dropped; on Unix alone.
pub struct Keyboard {
    #[cfg(unix)]
    before: rustix::termios::Termios,
}

#[cfg(unix)]
impl Keyboard {
    /// Takes the keyboard.
    ///
    /// # Errors
    /// Fails if standard input is no terminal.
    pub fn take() -> io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
        let input = rustix::stdio::stdin();
        let before = tcgetattr(input)?;
        let mut raw = before.clone();
        raw.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        // A read waits for a tenth of a second, so that an escape alone is told from one that begins a sequence.
        raw.special_codes[SpecialCodeIndex::VMIN] = 0;
        raw.special_codes[SpecialCodeIndex::VTIME] = 1;
        tcsetattr(input, OptionalActions::Drain, &raw)?;
        Ok(Self { before })
    }

    /// The next byte, if one comes within a tenth of a second.
    fn byte() -> io::Result<Option<u8>> {
        let mut byte = [0];
        match rustix::io::read(rustix::stdio::stdin(), &mut byte) {
            Ok(0) | Err(rustix::io::Errno::INTR) => Ok(None),
            Ok(_) => Ok(Some(byte[0])),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(unix)]
impl WalkKeys for Keyboard {
    fn next(&mut self) -> io::Result<WalkKey> {
        loop {
            if let Some(key) = read_key(&mut Self::byte)? {
                return Ok(key);
            }
            // A terminal that went away gives nothing for ever, and at once.
            rustix::termios::tcgetattr(rustix::stdio::stdin())?;
        }
    }
}

#[cfg(unix)]
impl Drop for Keyboard {
    fn drop(&mut self) {
        let _ =
            rustix::termios::tcsetattr(rustix::stdio::stdin(), rustix::termios::OptionalActions::Drain, &self.before);
    }
}

#[cfg(not(unix))]
impl Keyboard {
    /// No keyboard can be had a key at a time here.
    ///
    /// # Errors
    /// Always.
    pub fn take() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(not(unix))]
impl WalkKeys for Keyboard {
    fn next(&mut self) -> io::Result<WalkKey> {
        let mut byte = [0];
        io::stdin().read_exact(&mut byte)?;
        Ok(WalkKey::Leave)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Event, first, next, recipe};
    use crate::preview::Size;

    /// `#1` with the children `#2` and `#3`; `#4` is a child of `#2`; `#5` is another root. We are at `#4`.
    fn tree() -> Tree {
        let mut tree = Tree::new();
        let root = tree.grow_root("", vec![], first("a 猫 on a beach"), recipe(1));
        tree.apply(root).unwrap();
        let grow = |tree: &mut Tree, parent: u32, line: &str| {
            let grown = tree.grow(parent, line, vec![], next(&tree[parent].plan, line)).unwrap();
            tree.apply(grown).unwrap();
        };
        grow(&mut tree, 1, "two");
        grow(&mut tree, 1, "three");
        grow(&mut tree, 2, "four");
        let other = tree.grow_root("", vec![], first("another"), recipe(2));
        tree.apply(other).unwrap();
        tree.apply(Event::Move { to: 4 }).unwrap();
        tree
    }

    struct Typed(Vec<WalkKey>);

    impl WalkKeys for Typed {
        fn next(&mut self) -> io::Result<WalkKey> {
            if self.0.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(self.0.remove(0)) }
        }
    }

    fn walked(keys: &[WalkKey]) -> (Option<u32>, String) {
        let screen = Screen::new(Protocol::Blocks, Size::new(60, 24));
        let mut out = Vec::new();
        let picture = RgbImage::new(32, 32);
        let chosen =
            walk(&mut out, &screen, &tree(), &mut |_| Some(picture.clone()), &mut Typed(keys.to_vec())).unwrap();
        (chosen, String::from_utf8(out).unwrap())
    }

    #[test]
    fn arrows_lead_through_the_tree_and_enter_goes_there() {
        use WalkKey::{Down, Enter, Leave, Left, Right, Up};
        for (keys, expected) in [
            (&[Enter][..], Some(4)),
            (&[Up, Enter], Some(2)),
            (&[Up, Right, Enter], Some(3)),
            (&[Up, Right, Right, Down, Enter], Some(3)),
            (&[Up, Up, Enter], Some(1)),
            (&[Up, Up, Up, Right, Enter], Some(5)),
            (&[Up, Up, Right, Left, Down, Enter], Some(2)),
            (&[Up, Leave], None),
        ] {
            assert_eq!(walked(keys).0, expected, "{keys:?}");
        }
    }

    /// Lines down and up of what was written.
    fn height(text: &str) -> i64 {
        let ups = text.split("\x1b[").skip(1).filter_map(|part| part.split_once('A')?.0.parse::<i64>().ok());
        text.matches('\n').count() as i64 - ups.sum::<i64>()
    }

    #[test]
    fn each_picture_stands_where_the_last_one_did_and_nothing_is_left() {
        let (_, text) = walked(&[WalkKey::Up, WalkKey::Up, WalkKey::Down, WalkKey::Leave]);
        assert_eq!(height(&text), 0, "{text:?}");
        assert!(text.ends_with("\x1b[J") && text.contains("#2 ← #1  two"), "{text:?}");
        let screen = Screen::new(Protocol::Blocks, Size::new(60, 24));
        let (mut out, picture) = (Vec::new(), RgbImage::new(32, 32));
        let mut keys = Typed(vec![WalkKey::Flip, WalkKey::Flip, WalkKey::Leave]);
        let mut shown = Vec::new();
        let mut find = |node| {
            shown.push(node);
            Some(picture.clone())
        };
        flip(&mut out, &screen, &tree(), &mut find, &mut keys).unwrap();
        assert_eq!((shown, height(&String::from_utf8(out).unwrap())), (vec![2, 4, 2], 0));
    }

    #[test]
    fn keys_are_read_as_terminals_send_them() {
        for (bytes, expected) in [
            (&b"\x1b[A"[..], Some(WalkKey::Up)),
            (b"\x1bOB", Some(WalkKey::Down)),
            (b"\x1b[1;2C", Some(WalkKey::Right)),
            (b"\x1b[D", Some(WalkKey::Left)),
            (b"\r", Some(WalkKey::Enter)),
            (b"\x0f", Some(WalkKey::Flip)),
            (b"\x1b", Some(WalkKey::Leave)),
            (b"q", Some(WalkKey::Leave)),
            (b"\x03", Some(WalkKey::Leave)),
            (b"\x1b[?62;4c", None),
            (b"", None),
        ] {
            let mut rest = bytes.iter().copied();
            assert_eq!(read_key(&mut || Ok(rest.next())).unwrap(), expected, "{bytes:?}");
        }
    }
}
