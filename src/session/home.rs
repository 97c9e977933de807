//! Where sessions live, what they are called, and what may be a name.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};

use super::file::{Hinted, plainly, summary};
use super::lock::Lock;
use crate::model::folder::bytes_of;
use crate::safe::is_printable;
use crate::store::disk::Disk;

/// The most bytes of a session's name: file names have at most 255, and some are made from it.
const LONGEST_NAME: usize = 100;

/// The folders of this person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// `None` if this person has no folder.
    sessions: Option<PathBuf>,
    config: Option<PathBuf>,
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What is typed to open it.
    pub name: String,
    /// What it is called for people.
    pub title: Option<String>,
    /// The prompt of its newest node.
    pub last_prompt: Option<String>,
    /// How many nodes it has; `None` if its file cannot be read.
    pub nodes: Option<usize>,
    /// Bytes of its file, its store, what was learned for it and its pictures.
    pub bytes: u64,
    /// When its file was last written, where the disk tells.
    pub changed: Option<SystemTime>,
}

impl Home {
    /// The folders that the environment names, asked for by `variable`.
    ///
    /// Sessions live in `$WORDBRUSH_HOME`, else `$XDG_DATA_HOME/wordbrush/sessions`, else
    /// `~/.local/share/wordbrush/sessions`. The config file is `$XDG_CONFIG_HOME/wordbrush/config.toml`, else
    /// `~/.config/wordbrush/config.toml`. XDG variables count only if they are absolute paths, as their standard asks.
    ///
    /// # Errors
    /// None of the variables is there.
    pub fn find(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        let home = Self::of(variable);
        home.folder()?;
        Ok(home)
    }

    /// The same where no session need be kept: without any of the variables there is no folder, and nothing fails that
    /// needs none.
    #[must_use]
    pub fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let folder = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let user = folder("HOME").or_else(|| folder("USERPROFILE"));
        let xdg = |name: &str, usual: &str| {
            let given = folder(name).filter(|path| path.is_absolute());
            given.or_else(|| Some(user.as_ref()?.join(usual))).map(|path| path.join("wordbrush"))
        };
        let sessions =
            folder("WORDBRUSH_HOME").or_else(|| Some(xdg("XDG_DATA_HOME", ".local/share")?.join("sessions")));
        Self { sessions, config: xdg("XDG_CONFIG_HOME", ".config").map(|path| path.join("config.toml")) }
    }

    /// The folder in which sessions live. It may not exist yet; it is an empty path if there is none.
    #[must_use]
    pub fn sessions(&self) -> &Path {
        self.sessions.as_deref().unwrap_or(Path::new(""))
    }

    fn folder(&self) -> Result<&Path> {
        let none = || Hinted::new("there is no home folder for sessions", "set WORDBRUSH_HOME to a folder");
        Ok(self.sessions.as_deref().ok_or_else(none)?)
    }

    /// Whether a session can be begun: there is a folder, or it can be made, and it takes files.
    ///
    /// # Errors
    /// It cannot.
    pub fn check(&self) -> Result<()> {
        let folder = self.folder()?;
        let there = folder.ancestors().find(|above| above.exists()).unwrap_or(Path::new("."));
        let probe = there.join(format!(".wordbrush-{}", std::process::id()));
        let made = fs::File::create_new(&probe).and_then(|_| fs::remove_file(&probe));
        made.map_err(|error| {
            let message = format!("no session can be kept in {}: {}", folder.display(), plainly(&error));
            Hinted::new(message, "set WORDBRUSH_HOME to a folder that takes files").into()
        })
    }

    /// The config file, which need not exist; `None` if there is no home folder.
    #[must_use]
    pub fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// The file of the session called `name`.
    ///
    /// # Errors
    /// It cannot be a session's name.
    pub fn file(&self, name: &str) -> Result<PathBuf> {
        check_name(name)?;
        Ok(self.folder()?.join(format!("{name}.jsonl")))
    }

    /// A name that no session has: `2026-11-23-a`, then `-b` to `-z`, `-aa` and so on, for the date given.
    #[must_use]
    pub fn new_name(&self, date: &str) -> String {
        let mut names = (0..).map(|n| format!("{date}-{}", letters(n)));
        names.find(|name| self.is_free(name)).expect("there are more names than files")
    }

    /// Whether no session has this name, nor left anything under it.
    #[must_use]
    pub fn is_free(&self, name: &str) -> bool {
        let taken = |ending: &str| self.sessions().join(format!("{name}.{ending}")).exists();
        !["jsonl", "store", "learned", "pictures", "lock"].into_iter().any(taken)
    }

    /// All sessions, in the order of their names. A file that cannot be read is listed without its contents.
    ///
    /// # Errors
    /// The folder exists and cannot be read.
    pub fn list(&self, disk: &dyn Disk) -> Result<Vec<Listed>> {
        let folder = self.folder()?;
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let folder = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
        let mut listed = Vec::new();
        // What is no file cannot be a session, and may keep whoever reads it waiting.
        for path in folder.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".jsonl"));
            let Some(name) = name.filter(|name| check_name(name).is_ok()) else { continue };
            let bytes = bytes_of(&path)
                + bytes_of(&store_of(&path))
                + bytes_of(&learned_of(&path))
                + bytes_of(&pictures_of(&path));
            let found = summary(&path, disk).ok();
            let nodes = found.as_ref().map(|summary| summary.nodes);
            let (title, last_prompt) = found.map_or((None, None), |summary| (summary.title, summary.last_prompt));
            let changed = changed(&path);
            listed.push(Listed { name: name.to_owned(), title, last_prompt, nodes, bytes, changed });
        }
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    /// The name of the session that was written last, of those that can be read.
    ///
    /// # Errors
    /// There is none, or the folder cannot be read.
    pub fn last(&self, disk: &dyn Disk) -> Result<String> {
        let all = self.list(disk)?;
        let readable = all.into_iter().filter(|session| session.nodes.is_some());
        let last = readable.max_by(|a, b| a.changed.cmp(&b.changed).then_with(|| a.name.cmp(&b.name)));
        let none = || Hinted::new("there is no session yet to go on with", "wordbrush begins one");
        Ok(last.ok_or_else(none)?.name)
    }

    /// Removes a session: its file, what was set aside from it, its store, what was learned and its pictures.
    ///
    /// # Errors
    /// There is no such session, a process has it open, or something cannot be removed.
    pub fn remove(&self, name: &str) -> Result<()> {
        let path = self.file(name)?;
        ensure!(
            path.exists(),
            Hinted::new(format!("there is no session `{name}`"), "`wordbrush sessions` lists those there are")
        );
        let _lock = Lock::take(&path, name)?;
        let failed = |error: &std::io::Error| {
            let hint = "what is left of it can be removed by hand";
            Hinted::new(format!("cannot remove session `{name}`: {}", plainly(error)), hint)
        };
        for folder in [store_of(&path), learned_of(&path), pictures_of(&path)] {
            if folder.exists() {
                fs::remove_dir_all(&folder).map_err(|error| failed(&error))?;
            }
        }
        let aside = format!("{name}.jsonl.");
        for entry in fs::read_dir(self.folder()?).map_err(|error| failed(&error))?.flatten() {
            if entry.file_name().to_str().is_some_and(|file| file.starts_with(&aside)) {
                fs::remove_file(entry.path()).map_err(|error| failed(&error))?;
            }
        }
        fs::remove_file(&path).map_err(|error| failed(&error))?;
        Ok(())
    }
}

/// When a file was last written.
fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// Whether two names lead to one file or folder that is there.
#[must_use]
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    let (Ok(a), Ok(b)) = (a.canonicalize(), b.canonicalize()) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let identity = |path: &Path| fs::metadata(path).ok().map(|data| (data.dev(), data.ino()));
        if identity(&a).is_some_and(|first| identity(&b) == Some(first)) {
            return true;
        }
    }
    a == b
}

/// The folder of the store that belongs to a session's file: `NAME.store` beside `NAME.jsonl`.
#[must_use]
pub fn store_of(file: &Path) -> PathBuf {
    file.with_extension("store")
}

/// The folder of what was learned for pictures of a session: `NAME.learned` beside `NAME.jsonl`.
#[must_use]
pub fn learned_of(file: &Path) -> PathBuf {
    file.with_extension("learned")
}

/// The folder of the pictures that belong to a session's file: `NAME.pictures` beside `NAME.jsonl`.
#[must_use]
pub fn pictures_of(file: &Path) -> PathBuf {
    file.with_extension("pictures")
}

/// Says whether a session may be called so. A name is the name of a file in one folder and nothing else.
///
/// # Errors
/// It is empty or long, begins with a dot or a hyphen, or has slashes, colons, blanks at its ends, or control characters.
pub fn check_name(name: &str) -> Result<(), Hinted> {
    let wrong = |why: &str| {
        let shown = crate::safe::printable_line(name);
        Err(Hinted::new(
            format!("`{shown}` cannot be a session's name: {why}"),
            "letters, digits and hyphens are fine: red-fox",
        ))
    };
    if name.is_empty() {
        return wrong("it is empty");
    }
    if name.len() > LONGEST_NAME {
        return wrong("it is longer than 100 bytes");
    }
    if name.starts_with(['.', '-']) {
        return wrong("it begins with a dot or a hyphen");
    }
    if name.contains(['/', '\\', ':']) {
        return wrong("it has a slash or a colon");
    }
    if name.trim() != name || name.chars().any(|c| c == '\n' || !is_printable(c)) {
        return wrong("it has blanks at its ends or control characters");
    }
    Ok(())
}

/// `a` to `z`, then `aa`, `ab` and so on.
fn letters(n: u32) -> String {
    let last = char::from(b'a' + u8::try_from(n % 26).expect("a remainder by 26 fits"));
    if n < 26 { last.to_string() } else { letters(n / 26 - 1) + &last.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::file::SessionFile;
    use crate::store::disk::RealDisk;
    use std::sync::Arc;

    fn find(variables: &[(&str, &str)]) -> Result<(String, Option<String>)> {
        let home = Home::find(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.into()))?;
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        Ok((text(home.sessions()), home.config().map(text)))
    }

    fn home_in(folder: &Path) -> Home {
        Home { sessions: Some(folder.to_owned()), config: None }
    }

    #[test]
    #[cfg(unix)]
    fn the_environment_says_where_sessions_live() {
        let check = |variables: &[(&str, &str)], sessions: &str, config: Option<&str>| {
            assert_eq!(find(variables).unwrap(), (sessions.to_owned(), config.map(str::to_owned)), "{variables:?}");
        };
        let usual = Some("/h/.config/wordbrush/config.toml");
        check(&[("HOME", "/h")], "/h/.local/share/wordbrush/sessions", usual);
        check(&[("HOME", "/h"), ("XDG_DATA_HOME", "/d")], "/d/wordbrush/sessions", usual);
        check(&[("HOME", "/h"), ("XDG_DATA_HOME", "d")], "/h/.local/share/wordbrush/sessions", usual);
        check(
            &[("HOME", "/h"), ("XDG_CONFIG_HOME", "/c")],
            "/h/.local/share/wordbrush/sessions",
            Some("/c/wordbrush/config.toml"),
        );
        check(&[("HOME", "/h"), ("XDG_DATA_HOME", "/d"), ("WORDBRUSH_HOME", "/w")], "/w", usual);
        check(&[("WORDBRUSH_HOME", "w")], "w", None);
        assert_eq!(
            find(&[("HOME", "")]).unwrap_err().downcast::<Hinted>().unwrap().hint(),
            "set WORDBRUSH_HOME to a folder"
        );
    }

    #[test]
    fn without_a_home_everything_that_needs_none_works() {
        let home = Home::of(|name| (name == "XDG_CONFIG_HOME").then(|| "/c".into()));
        assert_eq!(home.config(), Some(Path::new("/c/wordbrush/config.toml")));
        for error in [home.check().unwrap_err(), home.file("fox").unwrap_err(), home.list(&RealDisk).unwrap_err()] {
            assert_eq!(error.to_string(), "there is no home folder for sessions");
        }
    }

    #[test]
    fn whether_sessions_can_be_kept_is_known_before_any_is_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        home_in(&folder.path().join("not/yet")).check().unwrap();
        home_in(folder.path()).check().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::write(folder.path().join("file"), "").unwrap();
        for no in ["file", "file/below"] {
            let error = home_in(&folder.path().join(no)).check().unwrap_err();
            assert!(error.to_string().starts_with("no session can be kept in "), "{error}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_no_file_is_passed_over_even_if_it_is_called_like_a_session() {
        let folder = tempfile::tempdir().unwrap();
        let home = home_in(folder.path());
        SessionFile::create(&home.file("fox").unwrap(), None, Arc::new(RealDisk)).unwrap();
        // A pipe nobody writes to: whoever opens it waits for ever.
        let pipe = home.file("pipe").unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        fs::create_dir(home.file("folder").unwrap()).unwrap();
        let listed: Vec<String> = home.list(&RealDisk).unwrap().into_iter().map(|l| l.name).collect();
        assert_eq!(listed, ["fox"]);
        assert!(summary(&pipe, &RealDisk).is_err());
    }

    #[test]
    fn a_new_session_has_the_first_free_letter_of_its_day() {
        let folder = tempfile::tempdir().unwrap();
        let home = home_in(folder.path());
        assert_eq!(home.new_name("2026-11-23"), "2026-11-23-a");
        fs::write(folder.path().join("2026-11-23-a.jsonl"), "").unwrap();
        fs::create_dir(folder.path().join("2026-11-23-b.store")).unwrap();
        assert_eq!(home.new_name("2026-11-23"), "2026-11-23-c");
        assert_eq!([0, 25, 26, 27, 701, 702].map(letters), ["a", "z", "aa", "ab", "zz", "aaa"]);
    }

    #[test]
    fn a_name_that_could_be_more_than_a_file_name_is_refused() {
        let long = "x".repeat(101);
        for bad in
            ["", ".", "..", ".x", "-x", "a/b", "../a", "a\\b", "c:x", " a", "a\n", "a\u{1b}b", "a\u{202e}b", &long]
        {
            assert!(check_name(bad).is_err(), "{bad:?}");
            assert!(home_in(Path::new("/s")).file(bad).is_err(), "{bad:?}");
        }
        for good in ["fox", "2026-11-23-a", "two words", "лиса", "a.b"] {
            assert!(check_name(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn the_list_has_every_session_and_removing_one_leaves_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let home = home_in(folder.path());
        assert_eq!(home_in(&folder.path().join("not/yet")).list(&RealDisk).unwrap(), []);
        for name in ["fox", "fox.2", "hen"] {
            SessionFile::create(&home.file(name).unwrap(), Some("A title"), Arc::new(RealDisk)).unwrap();
        }
        fs::write(folder.path().join("fox.jsonl.broken-1"), "{").unwrap();
        fs::write(folder.path().join("junk.jsonl"), "no session").unwrap();
        fs::create_dir_all(folder.path().join("fox.store/values")).unwrap();
        fs::write(folder.path().join("fox.store/values/x"), [0; 900]).unwrap();
        fs::create_dir(folder.path().join("fox.pictures")).unwrap();
        fs::write(folder.path().join("fox.pictures/0001.png"), [0; 100]).unwrap();
        let listed = home.list(&RealDisk).unwrap();
        let names: Vec<&str> = listed.iter().map(|l| l.name.as_str()).collect();
        assert_eq!(names, ["fox", "fox.2", "hen", "junk"]);
        assert_eq!((listed[0].nodes, listed[3].nodes), (Some(0), None));
        assert_eq!(listed[0].title.as_deref(), Some("A title"));
        assert_eq!(listed[0].bytes, 1000 + listed[2].bytes);

        home.remove("fox").unwrap();
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, ["fox.2.jsonl", "hen.jsonl", "junk.jsonl"]);
        assert!(home.remove("fox").unwrap_err().to_string().contains("no session `fox`"));
        assert!(home.remove("../hen").is_err());
    }

    #[test]
    fn a_session_that_is_open_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let home = home_in(folder.path());
        let path = home.file("fox").unwrap();
        SessionFile::create(&path, None, Arc::new(RealDisk)).unwrap();
        let _lock = Lock::take(&path, "fox").unwrap();
        assert!(home.remove("fox").unwrap_err().to_string().contains("is open in another window"));
        assert!(path.exists());
    }

    #[test]
    fn the_last_session_is_the_one_that_was_written_last_of_those_that_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let home = home_in(folder.path());
        assert!(home.last(&RealDisk).unwrap_err().to_string().contains("there is no session yet"));
        for (name, minutes) in [("a", 3), ("b", 5), ("c", 4)] {
            let path = home.file(name).unwrap();
            SessionFile::create(&path, None, Arc::new(RealDisk)).unwrap();
            let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(60 * minutes);
            fs::File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();
        }
        fs::write(folder.path().join("newest.jsonl"), "no session").unwrap();
        assert_eq!(home.last(&RealDisk).unwrap(), "b");
        fs::File::options()
            .append(true)
            .open(home.file("c").unwrap())
            .unwrap()
            .set_modified(SystemTime::now())
            .unwrap();
        assert_eq!(home.last(&RealDisk).unwrap(), "c");
    }
}
