//! Reading a session's file, whatever state it is in.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Component, Path};

use anyhow::{Context, Result, ensure};

use super::rows::{HeaderRow, Row};
use super::{DrawnRow, FILE_FORMAT, Header, Hinted, LONGEST_LINE, MOST_NODES, name, plainly};
use crate::history::{Event, Tree};
use crate::model::named::ModelName;
use crate::store::disk::Disk;

/// The most bytes looked at to see whether a broken line is the last one.
const LONGEST_TAIL: u64 = 64 << 20;

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Written by this person's own program.
    Own,
    /// From elsewhere: where it names a path outside its folder that is no model's folder here, only the last part of the
    /// name is kept, and settings that hold such a path are left out.
    Imported,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// Its first line.
    pub header: Header,
    /// All its events, folded.
    pub tree: Tree,
    /// What came out of each node, in the order of growth; `None` where the file does not say.
    pub drawn: Vec<Option<DrawnRow>>,
    /// What people should know, a sentence each.
    pub notes: Vec<String>,
    /// The same of paths that lead out of the folder: what was named there is left out or cut down.
    pub outside: Vec<String>,
}

/// How a file ends.
pub(super) enum End {
    /// With a whole line.
    Whole,
    /// It has no bytes at all.
    Empty,
    /// With a whole line, but for the newline.
    NoNewline,
    /// With a line that cannot be read.
    Broken { bytes: Vec<u8>, why: String },
    /// A line further up cannot be read; what follows was not looked at.
    Damaged { line: usize, why: String },
}

/// A file, as far as it can be read.
pub(super) struct Scanned {
    pub(super) contents: Contents,
    /// Bytes up to the end of the last whole line; a missing newline is not counted.
    pub(super) length: u64,
    pub(super) end: End,
}

/// Reads a file without changing it, up to the first line that is damaged, which a note names.
///
/// # Errors
/// It cannot be read, is not a session, or is of a newer version.
pub fn read(path: &Path, disk: &dyn Disk, trust: Trust) -> Result<Contents> {
    let Scanned { mut contents, end, .. } = scan(path, disk, trust)?;
    match end {
        End::Whole | End::Empty | End::NoNewline => {}
        End::Broken { bytes, why } => {
            let what = if bytes.last() == Some(&b'\n') { "cannot be read" } else { "was cut off" };
            contents.notes.push(format!("the last line {what} ({why}) and is left out"));
        }
        End::Damaged { line, why } => {
            contents.notes.push(format!("line {line} is damaged: {why}; what follows it cannot be shown"));
        }
    }
    Ok(contents)
}

/// Reads a file as far as it can be read.
pub(super) fn scan(path: &Path, disk: &dyn Disk, trust: Trust) -> Result<Scanned> {
    match scan_sound(path, disk, trust) {
        Some(scanned) => Ok(scanned),
        None => scan_carefully(path, disk, trust),
    }
}

/// Lines that one thread takes apart before it hands them to the other.
const BATCH: usize = 64;

/// A file without a flaw: one thread reads lines and takes them apart, this one folds them. `None` if there is a flaw,
/// wherever it is.
fn scan_sound(path: &Path, disk: &dyn Disk, trust: Trust) -> Option<Scanned> {
    let mut lines = Lines { file: BufReader::with_capacity(1 << 16, disk.open(path).ok()?), line: vec![] };
    let is_whole = |line: &[u8]| line.last() == Some(&b'\n');
    if !lines.next().ok()? || !is_whole(&lines.line) {
        return None;
    }
    let header = header(&lines.line, path).ok()?;
    let mut length = lines.line.len() as u64;
    let mut contents = Contents::new(header);
    std::thread::scope(|scope| {
        let (sender, batches) = std::sync::mpsc::sync_channel::<Option<Vec<(usize, Parsed)>>>(4);
        scope.spawn(move || {
            let mut batch = Vec::with_capacity(BATCH);
            loop {
                let parsed = match lines.next() {
                    Ok(false) => break drop(sender.send(Some(batch))),
                    Ok(true) if is_whole(&lines.line) => parse(&lines.line).ok(),
                    _ => None,
                };
                let Some(parsed) = parsed else { break drop(sender.send(None)) };
                batch.push((lines.line.len(), parsed));
                if batch.len() == BATCH {
                    let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                    if sender.send(Some(full)).is_err() {
                        break;
                    }
                }
            }
        });
        let mut number = 1;
        for batch in batches {
            for (bytes, parsed) in batch? {
                number += 1;
                contents.take(parsed, trust, number).ok()?;
                length += bytes as u64;
            }
        }
        Some(())
    })?;
    Some(Scanned { contents, length, end: End::Whole })
}

fn scan_carefully(path: &Path, disk: &dyn Disk, trust: Trust) -> Result<Scanned> {
    let unreadable = |error: io::Error| {
        let hint = "`/sessions` lists those there are";
        Hinted::new(format!("cannot read session `{}`: {}", name(path), plainly(&error)), hint)
    };
    let mut lines =
        Lines { file: BufReader::with_capacity(1 << 16, disk.open(path).map_err(unreadable)?), line: vec![] };
    let mut scanned = Scanned { contents: Contents::new(fresh_header()), length: 0, end: End::Whole };
    let mut number = 1;
    loop {
        if !lines.next().map_err(unreadable)? {
            scanned.end = End::Empty;
            return Ok(scanned);
        }
        if !is_blank(without_mark(&lines.line)) {
            break;
        }
        scanned.length += lines.line.len() as u64;
        number += 1;
    }
    scanned.contents.header = header(&lines.line, path)?;
    loop {
        scanned.length += lines.line.len() as u64;
        if lines.line.last() != Some(&b'\n') {
            scanned.end = End::NoNewline;
            return Ok(scanned);
        }
        if !lines.next().map_err(unreadable)? {
            return Ok(scanned);
        }
        number += 1;
        if is_blank(&lines.line) {
            continue;
        }
        let taken = parse(&lines.line).and_then(|parsed| scanned.contents.take(parsed, trust, number));
        if let Err(error) = taken {
            let why = format!("{error:#}");
            scanned.end = match lines.last().map_err(unreadable)? {
                Some(bytes) => End::Broken { bytes, why },
                None => End::Damaged { line: number, why },
            };
            return Ok(scanned);
        }
    }
}

/// What stands at the top of what this program writes.
pub(super) fn fresh_header() -> Header {
    Header { format: FILE_FORMAT, program: env!("CARGO_PKG_VERSION").to_owned(), title: None }
}

fn header(line: &[u8], path: &Path) -> Result<Header> {
    let hint = "a session's file begins with a line such as {\"wordbrush\":1,\"program\":\"0.1.0\"}";
    let row: Option<HeaderRow> = serde_json::from_slice(without_mark(line)).ok();
    let row = row.ok_or_else(|| Hinted::new(format!("`{}` is not a session of wordbrush", name(path)), hint))?;
    ensure!(
        row.wordbrush == FILE_FORMAT,
        Hinted::new(
            format!(
                "session `{}` has format {}, but this program reads format {FILE_FORMAT}",
                name(path),
                row.wordbrush
            ),
            format!("it was begun by wordbrush {}", crate::safe::printable_line(&row.program)),
        )
    );
    Ok(Header { format: row.wordbrush, program: row.program, title: row.title })
}

/// A line without the mark that some editors put before the first one (U+FEFF in UTF-8).
fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

/// Whether a line says nothing.
fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

/// A line taken apart: its row, and what came out of its node if it is one.
pub(super) type Parsed = (Row, Option<DrawnRow>);

fn parse(line: &[u8]) -> Result<Parsed> {
    ensure!(line.len() <= LONGEST_LINE, "it has more than {LONGEST_LINE} bytes");
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let mut row: Row = serde_json::from_slice(line).map_err(|error| anyhow::anyhow!(briefly(&error)))?;
    let drawn = match &mut row {
        Row::Grow(grow) => grow.picture.take().map(DrawnRow::from),
        _ => None,
    };
    Ok((row, drawn))
}

impl Contents {
    /// Nothing yet, below this first line.
    pub(super) fn new(header: Header) -> Self {
        let (tree, drawn, notes, outside) = (Tree::new(), Vec::new(), Vec::new(), Vec::new());
        Self { header, tree, drawn, notes, outside }
    }

    /// Folds in the event of one line; changes nothing if it does not fit. The one door by which events come from
    /// outside, out of files and pictures alike.
    pub(super) fn take(&mut self, (mut row, drawn): Parsed, trust: Trust, number: usize) -> Result<()> {
        match &mut row {
            Row::Grow(grow) => {
                ensure!(self.tree.len() < MOST_NODES, "it has more than {MOST_NODES} pictures");
                if let Some(recipe) = grow
                    .recipe_mut()
                    .filter(|r| trust == Trust::Imported && leads_out(&r.model) && !is_model_folder(&r.model))
                {
                    recipe.model = last_parts(&recipe.model);
                    self.outside.push(format!("line {number} names a model outside its folder; choose one by --model"));
                }
            }
            Row::Set { value, .. } if trust == Trust::Imported && leads_out(value) => {
                self.outside.push(format!("line {number} sets a path outside its folder and is left out"));
                return Ok(());
            }
            _ => {}
        }
        let event = row.into_event(&self.tree)?;
        let grows = matches!(event, Event::Grow(_));
        self.tree.apply(event)?;
        if grows {
            self.drawn.push(drawn);
        }
        Ok(())
    }
}

/// What serde_json says, without its position: lines are counted by us.
fn briefly(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// Whether a text, taken as a path or as several (a model and what is laid over it), may lead out of the folder it stands in.
fn leads_out(text: &str) -> bool {
    let inside = |part: Component| matches!(part, Component::Normal(_) | Component::CurDir);
    let out = |path: &str| path.starts_with('~') || path.contains('\\') || !Path::new(path).components().all(inside);
    out(text) || text.split(['|', ',', '=']).any(|path| out(path.trim()))
}

/// Whether a text is the whole path of a model's folder that is here: its weights are compared with what the file says
/// of them before anything is drawn.
fn is_model_folder(text: &str) -> bool {
    let path = Path::new(text);
    let is_direct = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    is_direct && path.is_absolute() && path.join("unet/config.json").is_file()
}

fn last_part(path: &str) -> String {
    path.rsplit(['/', '\\']).find(|part| !matches!(*part, "" | "." | ".." | "~")).unwrap_or("elsewhere").to_owned()
}

/// The same for a model's name with what is laid over it, each path for itself.
fn last_parts(model: &str) -> String {
    let Ok(mut name) = ModelName::parse(model) else { return last_part(model) };
    let files = name.loras.iter_mut().map(|(file, _)| file);
    let files = files.chain(name.embeddings.iter_mut().map(|(file, _)| file)).chain(&mut name.vae);
    for path in files.chain([&mut name.below]) {
        if leads_out(path) {
            *path = last_part(path);
        }
    }
    name.to_string()
}

/// Lines of bounded length.
struct Lines {
    file: BufReader<Box<dyn Read + Send>>,
    /// The present line with its newline, or the beginning of one that is too long.
    line: Vec<u8>,
}

impl Lines {
    /// Goes to the next line; false at the end of the file.
    fn next(&mut self) -> io::Result<bool> {
        self.line.clear();
        let most = LONGEST_LINE as u64 + 1;
        self.file.by_ref().take(most).read_until(b'\n', &mut self.line)?;
        Ok(!self.line.is_empty())
    }

    /// The present line if it is the last one: nothing but blanks follows its newline, if it has one at all.
    fn last(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = self.line.clone();
        self.file.by_ref().take(LONGEST_TAIL + 1).read_to_end(&mut bytes)?;
        let whole = bytes.trim_ascii_end();
        Ok((bytes.len() as u64 <= LONGEST_TAIL && !whole.contains(&b'\n')).then_some(bytes))
    }
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// What it is called for people.
    pub title: Option<String>,
    /// The prompt of the newest node.
    pub last_prompt: Option<String>,
    /// How many nodes it has.
    pub nodes: usize,
}

/// Counts a file's nodes and finds its newest prompt, without building the tree.
///
/// # Errors
/// It cannot be read or is not a session.
pub fn summary(path: &Path, disk: &dyn Disk) -> Result<Summary> {
    ensure!(path.is_file(), "`{}` is not a file", name(path)); // a pipe would be waited for
    let file = disk.open(path).with_context(|| format!("cannot read session `{}`", name(path)))?;
    let mut lines = Lines { file: BufReader::with_capacity(1 << 16, file), line: vec![] };
    let mut found = Summary { title: None, last_prompt: None, nodes: 0 };
    loop {
        if !lines.next()? {
            return Ok(found);
        }
        if !is_blank(without_mark(&lines.line)) {
            break;
        }
    }
    found.title = header(&lines.line, path)?.title;
    let mut newest = Vec::new();
    while lines.next()? {
        if lines.line.starts_with(b"{\"grow\":") && lines.line.ends_with(b"\n") {
            found.nodes += 1;
            std::mem::swap(&mut newest, &mut lines.line);
        } else if lines.line.starts_with(b"{\"set\":{\"name\":\"title\"")
            && let Ok(Row::Set { value, .. }) = serde_json::from_slice(&lines.line)
        {
            found.title = Some(value); // the latest name that `/name` gave
        }
    }
    if let Ok(Row::Grow(row)) = serde_json::from_slice(&newest) {
        found.last_prompt = Some(row.prompt().to_owned());
    }
    Ok(found)
}
