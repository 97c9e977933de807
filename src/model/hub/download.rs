//! Brings one file into the cache, whole and checked.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use ring::digest::{Context, SHA256};

use super::cache::Repo;
use super::error::{bytes, disk, trouble};
use super::wire::{Answer, Wire};
use super::{FetchProgress, FetchStep};

/// How often it is looked whether another program has finished the same file.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// The longest header of weights that is read: 100 MB, as their format has it.
const LONGEST_HEADER: u64 = 100_000_000;
/// A connection that broke after this many bytes was good: tries are counted anew.
const GOOD: u64 = 1 << 20;

/// What is known of a file on the hub.
#[derive(Debug, Clone, Default)]
pub(super) struct Remote {
    /// Bytes.
    pub(super) size: Option<u64>,
    /// The blob's name.
    pub(super) etag: Option<String>,
    /// Of the file's bytes, in lower case.
    pub(super) sha256: Option<String>,
}

/// Counts bytes over all files and tells the caller.
pub(super) struct Tally<'p> {
    progress: &'p mut FetchProgress<'p>,
    total: Option<u64>,
    before: u64,
    received: u64,
}

impl<'p> Tally<'p> {
    pub(super) fn new(progress: &'p mut FetchProgress<'_>) -> Self {
        Self { progress, total: None, before: 0, received: 0 }
    }

    /// Says how many bytes are still to come or to be found.
    pub(super) fn set_total(&mut self, more: Option<u64>) {
        self.total = more.and_then(|more| more.checked_add(self.before));
    }

    /// Tells the caller.
    ///
    /// # Errors
    /// Fails if the caller wants to stop.
    pub(super) fn step(&mut self, step: FetchStep<'_>) -> Result<()> {
        match (self.progress)(step) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => {
                Err(trouble("the fetch was stopped", "name the model again to go on; what has come is kept"))
            }
        }
    }

    fn at(&mut self, file: &str, file_done: u64, file_total: Option<u64>) -> Result<()> {
        let (done, total, received) = (self.before + file_done, self.total, self.received);
        self.step(FetchStep::Bytes { file, file_done, file_total, done, total, received })
    }

    fn here(&mut self, file: &str, size: u64) -> Result<()> {
        self.at(file, size, Some(size))?;
        self.before += size;
        Ok(())
    }
}

/// Makes sure that the file is in the snapshot.
///
/// # Errors
/// Fails if the hub cannot be reached or refuses, the disk does not take it, or the file comes short or wrong again and
/// again. The cache then has no such file; a part of it may stay beside the blobs to go on with.
pub(super) fn file(
    wire: &Wire<'_>,
    repo: &Repo,
    commit: &str,
    path: &str,
    listed: &Remote,
    tally: &mut Tally<'_>,
) -> Result<()> {
    if let Some(size) =
        repo.has(commit, path, listed.size).filter(|_| is_whole(path, &repo.snapshot(commit).join(path)))
    {
        return tally.here(path, size);
    }
    // The listing of a simple mirror has names only. The first answer then says what the file is.
    let mut remote = listed.clone();
    let mut first = None;
    if remote.etag.is_none() {
        let answer = wire.get(tally, path, 0)?;
        remote.learn(&answer);
        first = Some(answer);
    }
    let Some(etag) = remote.etag.clone() else {
        let message = format!("the hub does not say which {path} it has (no ETag)");
        return Err(trouble(message, "check HF_ENDPOINT: it may not be the address of a hub"));
    };
    let lock = loop {
        if let Some(size) = repo.has_blob(&etag, remote.size).filter(|_| is_whole(path, &repo.blob(&etag))) {
            repo.link(commit, path, &etag)?;
            return tally.here(path, size);
        }
        if let Some(lock) = repo.lock(&etag).map_err(|error| disk(&error, path, &wire.settings.cache))? {
            break lock;
        }
        first = None;
        tally.step(FetchStep::Wait { pause: LOOK_AGAIN, reason: "another program fetches the same file" })?;
        std::thread::sleep(LOOK_AGAIN);
    };
    let size = Growing { wire, repo, commit, path, etag: &etag, remote }.grow(first, tally)?;
    repo.finish(&etag).map_err(|error| disk(&error, path, &wire.settings.cache))?;
    drop(lock);
    repo.link(commit, path, &etag)?;
    tally.here(path, size)
}

impl Remote {
    /// Fills what is not known yet.
    fn learn(&mut self, answer: &Answer) {
        let said = &answer.remote;
        self.size = self.size.or(said.size);
        self.etag = self.etag.take().or_else(|| said.etag.clone());
        self.sha256 = self.sha256.take().or_else(|| said.sha256.as_ref().map(|sha| sha.to_lowercase()));
    }
}

/// A partial file on its way to being whole.
struct Growing<'a> {
    wire: &'a Wire<'a>,
    repo: &'a Repo,
    commit: &'a str,
    path: &'a str,
    etag: &'a str,
    remote: Remote,
}

/// What a header of weights says of a tensor, as far as it matters here; its metadata has no such place.
#[derive(serde::Deserialize)]
struct Entry {
    data_offsets: Option<(u64, u64)>,
}

/// How one answer ended.
enum End {
    /// The file has its length, or the body said that it is over.
    Whole,
    /// The connection broke or the body was short; what came is good.
    Short,
    /// What came cannot be part of the file.
    Wrong,
}

impl Growing<'_> {
    /// Asks and writes until the partial file is whole and checked; gives its length.
    fn grow(mut self, mut first: Option<Answer>, tally: &mut Tally<'_>) -> Result<u64> {
        let mut file = File::options().create(true).truncate(false).read(true).write(true).open(self.partial());
        let file = file.as_mut().map_err(|error| self.disk(error))?;
        let mut have = file.metadata().map_err(|error| self.disk(&error))?.len();
        if have > 0 {
            first = None;
        }
        if self.remote.size.is_some_and(|size| have > size) {
            have = 0;
        }
        let mut failures = 0;
        let mut wrong = 0;
        loop {
            let start = have;
            let end = if have > 0 && self.remote.size == Some(have) {
                End::Whole
            } else {
                let answer = match first.take() {
                    Some(answer) => answer,
                    None => self.wire.get(tally, self.path, have)?,
                };
                self.write(answer, file, &mut have, tally)?
            };
            match end {
                End::Whole if self.is_right(file, have)? => {
                    file.set_len(have).and_then(|()| file.sync_all()).map_err(|error| self.disk(&error))?;
                    return Ok(have);
                }
                End::Short => {
                    failures = if have >= start.saturating_add(GOOD) { 1 } else { failures + 1 };
                    if failures >= self.wire.settings.tries {
                        return Err(self.short(have));
                    }
                    self.wire.pause(tally, failures, "the connection broke")?;
                }
                End::Whole | End::Wrong => {
                    // A part may be from another program or of a broken line: once more from the beginning.
                    wrong += 1;
                    have = 0;
                    file.set_len(0).map_err(|error| self.disk(&error))?;
                    if wrong > 1 {
                        drop(fs::remove_file(self.partial()));
                        return Err(self.wrong());
                    }
                }
            }
        }
    }

    /// Writes one answer's bytes after the first `have`.
    fn write(&mut self, mut answer: Answer, file: &mut File, have: &mut u64, tally: &mut Tally<'_>) -> Result<End> {
        if answer.commit.as_ref().is_some_and(|commit| commit != self.commit) {
            let message = format!("the model was changed on the hub while {} was being fetched", self.path);
            return Err(trouble(message, "try again to fetch the new one"));
        }
        self.remote.learn(&answer);
        let size = self.remote.size;
        match (answer.status, answer.range) {
            // The hub sends the whole file, asked or not.
            (200, _) => *have = 0,
            (206, Some((from, total))) if from == *have && size.is_none_or(|size| size == total) => {}
            _ => return Ok(End::Wrong),
        }
        if answer.length.zip(size).is_some_and(|(length, size)| length.checked_add(*have) != Some(size)) {
            return Ok(End::Wrong);
        }
        if size.is_none() && !answer.chunked && self.remote.sha256.is_none() {
            let message = format!("the hub does not say how long {} is, so that it cannot be checked", self.path);
            return Err(trouble(message, "check HF_ENDPOINT: it may not be the address of a hub"));
        }
        file.set_len(*have).and_then(|()| file.seek(SeekFrom::Start(*have))).map_err(|error| self.disk(&error))?;

        let mut body = answer.body.as_reader();
        let mut buffer = vec![0; 128 << 10];
        loop {
            let got = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Ok(End::Short),
            };
            file.write_all(&buffer[..got]).map_err(|error| self.disk(&error))?;
            *have += got as u64;
            tally.received += got as u64;
            if size.is_some_and(|size| *have > size) {
                return Ok(End::Wrong);
            }
            tally.at(self.path, *have, size)?;
        }
        Ok(if size.is_none_or(|size| size == *have) { End::Whole } else { End::Short })
    }

    /// Whether the whole file is what the hub announced, and can be what its name says.
    fn is_right(&self, file: &mut File, len: u64) -> Result<bool> {
        if let Some(expected) = &self.remote.sha256 {
            let sum = sha256(file).map_err(|error| self.disk(&error))?;
            return Ok(sum == *expected);
        }
        looks_right(self.path, file, len).map_err(|error| self.disk(&error))
    }

    fn partial(&self) -> std::path::PathBuf {
        self.repo.partial(self.etag)
    }

    fn disk(&self, error: &io::Error) -> anyhow::Error {
        disk(error, self.path, &self.wire.settings.cache)
    }

    fn short(&self, have: u64) -> anyhow::Error {
        let of = self.remote.size.map_or(String::new(), |size| format!(" of {}", bytes(size)));
        trouble(
            format!("the connection broke again and again: {} has come as far as {}{of}", self.path, bytes(have)),
            "try again to go on from there; what has come is kept",
        )
    }

    fn wrong(&self) -> anyhow::Error {
        let why = if self.remote.sha256.is_some() { "length and SHA-256" } else { "length and form" };
        trouble(
            format!("{} came twice, but not as the hub announces it (by {why}); it was thrown away", self.path),
            "try again later; if HF_ENDPOINT names a mirror, try without it",
        )
    }
}

fn sha256(file: &mut File) -> io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let mut sum = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(got) => sum.update(&buffer[..got]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sum.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether a file that is there can be the whole of what its name says, as far as that is seen without its SHA-256: one
/// that was cut short is found out.
pub(super) fn is_whole(path: &str, at: &Path) -> bool {
    let open = || {
        let mut file = File::open(at)?;
        let length = file.metadata()?.len();
        looks_right(path, &mut file, length)
    };
    open().unwrap_or(false)
}

/// A file without a SHA-256 is small or from a simple mirror. A login page of the network in its place is found out.
fn looks_right(path: &str, file: &mut File, len: u64) -> io::Result<bool> {
    file.seek(SeekFrom::Start(0))?;
    if path.ends_with(".json") {
        let value = serde_json::from_reader::<_, serde::de::IgnoredAny>(io::BufReader::new(file));
        return Ok(value.is_ok());
    }
    if path.ends_with(".safetensors") {
        let mut start = [0; 8];
        if len < 10 || file.read_exact(&mut start).is_err() {
            return Ok(false);
        }
        let claimed = u64::from_le_bytes(start);
        if claimed > len - 8 || claimed > LONGEST_HEADER {
            return Ok(false);
        }
        let header = io::BufReader::new(Read::by_ref(file).take(claimed));
        let Ok(entries) = serde_json::from_reader::<_, BTreeMap<String, Entry>>(header) else { return Ok(false) };
        let ends = entries.values().filter_map(|entry| entry.data_offsets.map(|(_, end)| end));
        return Ok(ends.max().unwrap_or(0) <= len - 8 - claimed);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_disk(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn the_sum_is_sha_256() {
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&mut on_disk(b"abc")).unwrap(), expected);
    }

    #[test]
    fn a_login_page_is_no_configuration_and_no_weights() {
        let page = b"<html>please log in</html>";
        for path in ["unet/config.json", "unet/x.safetensors"] {
            assert!(!looks_right(path, &mut on_disk(page), page.len() as u64).unwrap(), "{path}");
        }
        assert!(looks_right("tokenizer/merges.txt", &mut on_disk(page), page.len() as u64).unwrap());
    }

    #[test]
    fn weights_whose_header_reaches_past_the_end_are_wrong() {
        let mut weights = 4u64.to_le_bytes().to_vec();
        weights.extend(b"{ } ");
        let check = |bytes: &[u8]| looks_right("x.safetensors", &mut on_disk(bytes), bytes.len() as u64).unwrap();
        assert!(check(&weights));
        assert!(!check(&weights[..11]));
        // A header that is whole, and data that is not.
        let header = br#"{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        let whole = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 8]].concat();
        assert!(check(&whole));
        assert!(!check(&whole[..whole.len() - 1]));
        assert!(!check(b""));
    }
}
