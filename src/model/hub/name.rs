//! Names of models, checked before they become paths and addresses.

use std::fmt;

/// `owner/model`, and the revision if one is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// `owner/model`.
    pub(super) id: String,
    /// A branch, a tag or a commit; `main` if none is given.
    pub(super) revision: String,
}

impl Name {
    /// Reads `owner/model[@revision]`; none if a part has a form that the hub does not allow.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (id, revision) = text.split_once('@').unwrap_or((text, "main"));
        let (owner, model) = id.split_once('/')?;
        let good = is_part(owner) && is_part(model) && id.len() <= 96 && is_revision(revision);
        good.then(|| Self { id: id.to_owned(), revision: revision.to_owned() })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        if self.revision == "main" { Ok(()) } else { write!(f, "@{}", self.revision) }
    }
}

/// Letters, digits, `-`, `_` and `.`, but no dot or dash at an end, and neither `..` nor `--` (the cache writes the
/// slash between owner and model as `--`).
fn is_part(text: &str) -> bool {
    let ends = |c: char| c == '.' || c == '-';
    is_plain(text) && !text.contains("..") && !text.contains("--") && !text.starts_with(ends) && !text.ends_with(ends)
}

/// Plain parts between slashes, as in `refs/pr/7`.
fn is_revision(text: &str) -> bool {
    let part =
        |part: &str| is_plain(part) && !part.contains("..") && !part.starts_with(['.', '-']) && !part.ends_with('.');
    text.len() <= 200 && text.split('/').all(part)
}

/// Whether `text` can stand in a path and an address as it is: ASCII letters, digits, `-`, `_` and `.`.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Whether `text` can be the name of a file in the cache, such as a commit or an ETag.
pub(super) fn is_file_name(text: &str) -> bool {
    is_plain(text) && !text.starts_with(['.', '-']) && text.len() <= 128
}

/// Whether `text` is a commit in full.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether `text` can be a SHA-256.
pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_an_owner_a_model_and_perhaps_a_revision() {
        let name = Name::parse("some-one/tiny_sd.v1-5@refs/pr/7").unwrap();
        assert_eq!((name.id.as_str(), name.revision.as_str()), ("some-one/tiny_sd.v1-5", "refs/pr/7"));
        assert_eq!(Name::parse("a/b").unwrap().revision, "main");
        assert_eq!(Name::parse("a/b@v1.0").unwrap().to_string(), "a/b@v1.0");
        assert_eq!(Name::parse("a/b@main").unwrap().to_string(), "a/b");
    }

    #[test]
    fn a_name_that_could_leave_the_cache_or_change_the_address_is_none() {
        for text in [
            "",
            "a",
            "/",
            "a/",
            "/b",
            "a/b/c",
            "../b",
            "a/..",
            "a/.b",
            "a/b.",
            "a/b..c",
            "-a/b",
            "a--b/c",
            "a/b--c",
            "a/b@",
            "a/b@..",
            "a/b@../x",
            "a/b@x/../y",
            "a/b@/x",
            "a/b@x/",
            "a/b@x//y",
            "a/b@-x",
            "a/b@.x",
            "a/b@x?y",
            "a/b@x#y",
            "a/b?c",
            "a/b#c",
            "a/b%2e",
            "a\\b/c",
            "a/b c",
            "a/b\n",
            "a/b\0",
            "a/é",
            "http://a/b",
            "a:b/c",
            "~/b",
            "a/b@c@d",
        ] {
            assert_eq!(Name::parse(text), None, "{text:?}");
        }
        assert_eq!(Name::parse(&format!("a/{}", "b".repeat(95))), None);
        assert_eq!(Name::parse(&format!("a/b@{}", "c".repeat(201))), None);
    }

    #[test]
    fn a_file_name_in_the_cache_is_no_path() {
        for text in ["", ".", "..", "../x", "a/b", "/a", "a\\b", ".hidden", "W/\"a\"", "a b"] {
            assert!(!is_file_name(text), "{text:?}");
        }
        assert!(is_file_name("0123abc-5_f.x"));
    }
}
