//! Sessions as files, for the command line and for the conversation.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::clock::Zone;
use super::command_line::Args;
use super::config::Config;
use super::look::export::{Format, write_export};
use super::look::size;
use super::report::counted;
use super::talk::Talk;
use crate::model::folder::bytes_of;
use crate::preview::png;
use crate::safe::{cells, padded, printable, printable_line};
use crate::session::file::{Hinted, Trust, read, read_lineage};
use crate::session::home::{Home, check_name, is_same_file, store_of};
use crate::session::import::write;
use crate::session::lock::Lock;
use crate::session::photograph::read::kind_of;
use crate::session::{Options, Session};
use crate::store::disk::RealDisk;

pub(super) use super::batch::home;

/// A list of the sessions: name, when it was worked on, pictures, bytes, newest prompt. The one in `open` is marked.
///
/// # Errors
/// Fails if the folder exists and cannot be read.
pub fn sessions_text(home: &Home, open: Option<&Path>) -> Result<String> {
    let listed = home.list(&RealDisk)?;
    if listed.is_empty() {
        return Ok(format!("there are no sessions yet in {}", home.sessions().display()));
    }
    let width = listed.iter().map(|l| cells(&l.name)).max().unwrap_or(0).min(40);
    let zone = Zone::of_process();
    let mut lines = Vec::new();
    let mut all = 0;
    for l in &listed {
        let nodes = l.nodes.map_or_else(|| "damaged".to_owned(), |n| n.to_string());
        let title = l.title.as_ref().filter(|t| **t != l.name).map(|t| format!("\"{t}\" · ")).unwrap_or_default();
        let prompt = l.last_prompt.as_deref().unwrap_or("");
        let when = l.changed.map(|time| zone.minute(time)).unwrap_or_default();
        let is_open = open.is_some_and(|open| home.file(&l.name).is_ok_and(|file| is_same_file(&file, open)));
        let mark = if is_open { "   ← here" } else { "" };
        lines.push(
            format!("{}  {when:<16}  {nodes:>7}  {:>7}  {title}{prompt}{mark}", padded(&l.name, width), size(l.bytes))
                .trim_end()
                .to_owned(),
        );
        all += l.bytes;
    }
    let header = format!("{:<width$}  {:<16}  {:>7}  {:>7}  newest prompt", "name", "changed", "nodes", "size");
    lines.insert(0, header);
    let count = counted(listed.len() as u64, "session");
    lines.push(format!("{count}, {} in {}", size(all), home.sessions().display()));
    Ok(lines.iter().map(|l| printable_line(l)).collect::<Vec<_>>().join("\n"))
}

/// `wordbrush sessions [rm NAME...]`.
///
/// # Errors
/// Fails if there is no such session or it cannot be removed.
pub fn sessions(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let home = home();
    if args.value("rm").is_none() {
        writeln!(out, "{}", sessions_text(&home, None)?)?;
    }
    for name in args.all::<String>("NAME") {
        home.remove(name)?;
        writeln!(out, "removed {}", printable_line(name))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `wordbrush export png|gif|html|json SESSION [FILE]`. The session is only read.
///
/// # Errors
/// Fails if there is no such session, or the file cannot be written.
pub fn export(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let home = home();
    let config = Config::read(home.config())?;
    let limits = super::batch::limits(args, &config);
    let path = session_path(args.needed::<String>("SESSION")?, &home)?;
    let options = Options {
        home,
        path: Some(path),
        read_only: true,
        settings: config.settings,
        overrides: args.settings(),
        limits,
    };
    let mut talk = Talk::new(Session::open(options)?, args.path("out"));
    let said = write_export(&mut talk, *args.needed::<Format>("FORMAT")?, args.path("FILE").as_deref())?;
    writeln!(out, "{}", printable(&said))?;
    Ok(ExitCode::SUCCESS)
}

/// `wordbrush cache clear`: removes the stores of all sessions that are not open; all in them can be computed again.
///
/// # Errors
/// Fails if a store cannot be removed.
pub fn clear_cache(_: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let home = home();
    let (mut count, mut bytes) = (0, 0);
    let entries = match std::fs::read_dir(home.sessions()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            writeln!(out, "there are no sessions, so nothing is kept")?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => return Err(error).with_context(|| format!("cannot list {}", home.sessions().display())),
    };
    for path in entries.flatten().map(|e| e.path()) {
        let is_store = path.extension().is_some_and(|e| e == "store") && path.is_dir() && !path.is_symlink();
        let Some(name) = path.file_stem().and_then(|s| s.to_str()).filter(|n| is_store && check_name(n).is_ok()) else {
            continue;
        };
        let file = path.with_extension("jsonl");
        let _lock = match Lock::take(&file, name) {
            Ok(lock) => lock,
            Err(error) => {
                writeln!(out, "left alone: {}", printable(&format!("{error:#}")))?;
                continue;
            }
        };
        bytes += bytes_of(&path);
        std::fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        count += 1;
    }
    writeln!(
        out,
        "removed {}, {}; pictures are drawn again when they are needed",
        counted(count, "store"),
        size(bytes)
    )?;
    Ok(ExitCode::SUCCESS)
}

/// The file of a session given by its name or its path.
pub(super) fn session_path(given: &str, home: &Home) -> Result<PathBuf> {
    let named = home.file(given).ok().filter(|path| path.is_file());
    let found = named.or_else(|| Some(PathBuf::from(given)).filter(|path| path.is_file()));
    found.ok_or_else(|| {
        let shown = printable_line(given);
        let message = match Path::new(given) {
            path if path.is_dir() => format!("`{shown}` is a folder"),
            path if path.exists() => format!("`{shown}` is no file"),
            _ => format!("there is no session or file `{shown}`"),
        };
        Hinted::new(message, "`wordbrush sessions` lists the sessions").into()
    })
}

/// Opens a session by its name, a session's file, or a picture that carries its lineage. A picture becomes a new
/// session, whose name is made from the picture's, in the folder of sessions; `options.path` is not read.
///
/// # Errors
/// Fails if there is nothing of that name, it cannot be read, or it is open elsewhere; also if a session's file from
/// outside the folder of sessions names files outside its own.
pub fn open_path(given: &str, mut options: Options) -> Result<Session> {
    let path = session_path(given, &options.home)?;
    match kind_of(&path) {
        Some(("PNG", _)) => return open_picture(&path, options),
        Some((kind, _)) => {
            let message = format!("`{}` is a {kind} picture, which carries no session", printable_line(given));
            return Err(Hinted::new(message, "the PNG pictures that wordbrush wrote carry theirs").into());
        }
        None if is_called_a_picture(&path) => {
            let message = format!("`{}` is called a picture, and what is in it is none", printable_line(given));
            return Err(Hinted::new(message, "open a PNG, JPEG, WebP or GIF, or a session").into());
        }
        None => {}
    }
    let folder = path.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let is_home = folder.is_some_and(|folder| is_same_file(folder, options.home.sessions()));
    if !is_home {
        let contents = read(&path, &RealDisk, Trust::Imported)?;
        if let Some(note) = contents.outside.first() {
            let message = format!("`{}` may not be opened so: {note}", printable_line(given));
            return Err(
                Hinted::new(message, format!("if it is your own: wordbrush --session {}", path.display())).into()
            );
        }
    }
    options.path = Some(path);
    Session::open(options)
}

/// Whether a file's name ends as those of pictures do.
fn is_called_a_picture(path: &Path) -> bool {
    let kinds = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "heic", "avif"];
    path.extension().and_then(|end| end.to_str()).is_some_and(|end| kinds.contains(&end.to_ascii_lowercase().as_str()))
}

fn open_picture(path: &Path, mut options: Options) -> Result<Session> {
    let shown = printable_line(&path.display().to_string());
    let notes = png::open_notes(path)?;
    let Some(lineage) = notes.wordbrush else {
        let hint = match notes.parameters.and_then(|text| png::Parameters::parse(&text)) {
            Some(p) => format!("its prompt can be drawn: /new {}", printable_line(&p.prompt)),
            None => "pictures that wordbrush wrote carry theirs".to_owned(),
        };
        return Err(Hinted::new(format!("`{shown}` carries no lineage"), hint).into());
    };
    let contents = read_lineage(&lineage).with_context(|| format!("cannot open `{shown}`"))?;
    let stem: String = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == '-')
        .take(40)
        .collect();
    let stem = stem.trim_start_matches('-');
    let name = options.home.new_name(&format!("from-{}", if stem.is_empty() { "picture" } else { stem }));
    let file = options.home.file(&name)?;
    let drawn = |node: u32| contents.drawn.get(node as usize - 1)?.clone();
    write(&contents.tree, &drawn, &file, None, std::sync::Arc::new(RealDisk))?;
    options.path = Some(file.clone());
    options.read_only = false;
    let mut session = Session::open(options)?;
    contents.notes.into_iter().chain(contents.outside).for_each(|note| session.note(note));
    if let Err(error) = session.check_fit() {
        drop(session);
        // What was written a moment ago is of no use to anybody.
        let _ = std::fs::remove_file(&file);
        let _ = std::fs::remove_dir_all(store_of(&file));
        return Err(error.context(format!("cannot open `{shown}`")));
    }
    Ok(session)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::settings::Settings;
    use crate::store::Limits;

    #[test]
    fn what_carries_no_session_is_called_by_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let said = |name: &str| {
            let options = Options {
                home: Home::find(|_| Some(folder.path().into())).unwrap(),
                path: None,
                read_only: false,
                settings: Settings::default(),
                overrides: Vec::new(),
                limits: Limits::default(),
            };
            let given = folder.path().join(name).display().to_string();
            let error = open_path(&given, options).err().unwrap_or_else(|| panic!("{name} was opened"));
            error.to_string().replace(&given, name)
        };
        for (name, bytes, expected) in [
            ("x.jpg", &b"\xff\xd8\xff\xe0"[..], "`x.jpg` is a JPEG picture, which carries no session"),
            ("x.webp", b"RIFF\0\0\0\0WEBP", "`x.webp` is a WebP picture, which carries no session"),
            ("x.gif", b"GIF89a", "`x.gif` is a GIF picture, which carries no session"),
            ("x.txt", b"hello\n", "`x` is not a session of wordbrush"),
        ] {
            std::fs::write(folder.path().join(name), bytes).unwrap();
            assert_eq!(said(name), expected);
        }
        std::fs::create_dir(folder.path().join("x")).unwrap();
        assert_eq!(said("x"), "`x` is a folder");
        assert_eq!(said("y"), "there is no session or file `y`");
    }
}
