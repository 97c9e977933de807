//! Errors with one thing to try.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;

/// What kept a model from coming, in words for people. Inside an [`anyhow::Error`] it is found by `downcast_ref`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubError {
    message: String,
    hint: String,
}

impl HubError {
    /// One thing to try.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for HubError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HubError {}

/// An error of this room; both sentences in lower case, without a full stop.
pub(super) fn trouble(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    HubError { message: message.into(), hint: hint.into() }.into()
}

/// The error for a cache that cannot be written or read; `file` is the model's file, `place` where it should go.
pub(super) fn disk(error: &io::Error, file: &str, place: &Path) -> anyhow::Error {
    let place = place.display();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => trouble(
            format!("there is no room for {file} on the disk of {place}"),
            "make room and try again, or set HF_HOME to a folder on another disk; what has come is kept",
        ),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            trouble(format!("{file} may not be written to {place}"), "set HF_HOME to a folder that you may write to")
        }
        _ => trouble(
            format!("cannot write {file} to {place}: {error}"),
            "try again, or set HF_HOME to a folder on another disk",
        ),
    }
}

/// Bytes in a unit that is easy to read.
pub(super) fn bytes(count: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    units
        .iter()
        .find(|(size, _)| count >= *size)
        .map_or_else(|| format!("{count} bytes"), |(size, unit)| format!("{:.1} {unit}", count as f64 / *size as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart_from_a_folder_that_may_not_be_written() {
        let say = |kind: ErrorKind| disk(&io::Error::from(kind), "unet/config.json", Path::new("/cache"));
        let full = say(ErrorKind::StorageFull).downcast::<HubError>().unwrap();
        assert_eq!(full.to_string(), "there is no room for unet/config.json on the disk of /cache");
        assert!(full.hint().contains("what has come is kept"), "{}", full.hint());
        let denied = say(ErrorKind::PermissionDenied).downcast::<HubError>().unwrap();
        assert_eq!(denied.to_string(), "unet/config.json may not be written to /cache");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_error_of_a_device_without_room_is_a_full_disk() {
        use std::io::Write;
        let error = std::fs::File::create("/dev/full").unwrap().write_all(b"x").unwrap_err();
        assert!(disk(&error, "f", Path::new("/cache")).to_string().starts_with("there is no room"), "{error}");
    }

    #[test]
    fn bytes_are_shown_in_the_largest_unit_that_leaves_a_whole() {
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1_500), "1.5 kB");
        assert_eq!(bytes(3_440_000_000), "3.4 GB");
    }
}
