//! Which keys a person edits lines with elsewhere: `set editing-mode vi` in the file that readline reads.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Files that include each other without end are left after so many.
const DEEPEST: usize = 8;

/// Whether lines are edited with vi's keys: as `$INPUTRC`, else `~/.inputrc`, else `/etc/inputrc` says. `variable` reads the
/// environment.
#[must_use]
pub fn is_vi(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set("HOME");
    let own = set("INPUTRC").or_else(|| Some(home.as_ref()?.join(".inputrc")).filter(|path| path.is_file()));
    let file = own.unwrap_or_else(|| PathBuf::from("/etc/inputrc"));
    let read = |path: &Path| {
        let below = path.strip_prefix("~").ok().zip(home.as_deref()).map(|(rest, home)| home.join(rest));
        let bytes = std::fs::read(below.as_deref().unwrap_or(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let mut vi = false;
    obey(&read(&file).unwrap_or_default(), &read, DEEPEST, &mut vi);
    vi
}

/// Follows the lines of a file as far as they set the mode. Conditions count that a program can know: the mode itself, and
/// its own name.
fn obey(text: &str, read: &dyn Fn(&Path) -> Option<String>, deep: usize, vi: &mut bool) {
    // For each `$if` that is open, whether its lines count.
    let mut open: Vec<bool> = Vec::new();
    for line in text.lines().map(str::trim) {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default().to_ascii_lowercase();
        let rest: Vec<String> = words.map(str::to_ascii_lowercase).collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        match first.as_str() {
            "$if" => open.push(holds(&rest, *vi)),
            "$else" => {
                if let Some(last) = open.last_mut() {
                    *last = !*last;
                }
            }
            "$endif" => drop(open.pop()),
            _ if !open.iter().all(|counts| *counts) => {}
            "$include" => {
                let path = line["$include".len()..].trim();
                if let Some(text) = read(Path::new(path)).filter(|_| deep > 0) {
                    obey(&text, read, deep - 1, vi);
                }
            }
            "set" => match rest[..] {
                ["editing-mode", "vi", ..] => *vi = true,
                ["editing-mode", "emacs", ..] => *vi = false,
                _ => {}
            },
            _ => {}
        }
    }
}

fn holds(condition: &[&str], vi: bool) -> bool {
    match condition {
        ["mode=vi"] => vi,
        ["mode=emacs"] => !vi,
        ["wordbrush"] => true,
        [term] if term.starts_with("term=") => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: bool) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".inputrc"), text).unwrap();
        std::fs::write(folder.path().join("vi"), "set editing-mode vi\n$include ~/vi\n").unwrap();
        let home = folder.path().as_os_str().to_owned();
        assert_eq!(is_vi(|name| (name == "HOME").then(|| home.clone())), expected, "{text}");
    }

    #[test]
    fn keys_are_those_of_vi_where_readline_is_set_so() {
        check("", false);
        check("# set editing-mode vi", false);
        check("  set  Editing-Mode VI  ", true);
        check("set editing-mode vi\nset editing-mode emacs", false);
        check("$if Bash\nset editing-mode vi\n$endif", false);
        check("$if Bash\nset bell-style none\n$else\nset editing-mode vi\n$endif", true);
        check("$if wordbrush\nset editing-mode vi\n$endif", true);
        check("$if Bash\n$if mode=emacs\nset editing-mode vi\n$endif\n$endif", false);
        check("$include ~/vi", true);
        check("$endif\n$else\nset editing-mode", false);
    }

    #[test]
    fn a_file_that_the_environment_names_goes_before_the_one_at_home() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".inputrc"), "set editing-mode vi").unwrap();
        std::fs::write(folder.path().join("other"), b"\xff\nset editing-mode emacs").unwrap();
        let at = |name: &str| Some(folder.path().join(name).into_os_string());
        let vi = is_vi(|name| match name {
            "HOME" => Some(folder.path().into()),
            "INPUTRC" => at("other"),
            _ => None,
        });
        assert!(!vi);
    }
}
