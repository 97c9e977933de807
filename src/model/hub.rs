//! Fetches models by name.
//!
//! `owner/name[@revision]` is a model on the Hugging Face hub. [`fetch`] brings the files that are needed to draw into
//! the cache that other programs share, and gives back the folder. A name whose files are all in the cache is used as
//! it is, without asking the hub: a session then draws the same next year. Another revision is asked for by its name.
//!
//! hf-hub knows the cache's layout, the addresses and how to ask for a listing. It appends to a partial file whatever
//! the hub answers and checks no body, so the bytes come by way of code here: a file reaches the cache only when its
//! length is right, and its SHA-256 where the hub says it. Pickled weights (`.bin`, `.ckpt`, `.pt`) are never fetched.

mod cache;
mod download;
mod error;
mod layout;
mod name;
mod refusal;
mod settings;
mod shelf;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

pub use error::HubError;
pub use settings::HubSettings;
pub use shelf::{CachedModel, cached, remove};

use super::folder::Folder;
use super::spec::{ClipSegSpec, ModelSpec};
use cache::Repo;
use download::{Remote, Tally};
use error::trouble;
use layout::{Alone, Lack};
use name::Name;
use wire::Wire;

/// What a fetch is doing. The caller has the clock: `received` over the time since the first step is the speed, and
/// `total - done` over the speed is the time left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchStep<'a> {
    /// Bytes came.
    Bytes {
        /// The file that is coming, such as `unet/config.json`.
        file: &'a str,
        /// Bytes of this file that are here.
        file_done: u64,
        /// Bytes of this file, if known.
        file_total: Option<u64>,
        /// Bytes of all needed files that are here, those that were here before included.
        done: u64,
        /// Bytes of all needed files; none until the configuration files are here.
        total: Option<u64>,
        /// Bytes that came over the network during this fetch.
        received: u64,
    },
    /// Nothing comes for a while: the hub asked to wait, a connection broke, or another program fetches the same file.
    Wait {
        /// How long.
        pause: Duration,
        /// Why, in words for people.
        reason: &'static str,
    },
    /// Nothing says which commit the revision is, and the hub cannot be asked: the only one in the cache is used.
    Found {
        /// That commit.
        commit: &'a str,
    },
}

/// Told of every step; `Break` stops the fetch, and what has come is kept.
pub type FetchProgress<'p> = dyn FnMut(FetchStep<'_>) -> ControlFlow<()> + 'p;

/// A progress that shows nothing and never stops.
pub fn quiet() -> impl FnMut(FetchStep<'_>) -> ControlFlow<()> {
    |_: FetchStep<'_>| ControlFlow::Continue(())
}

/// Whether `text` has the form `owner/name[@revision]`, with nothing in it that no name on the hub has.
#[must_use]
pub fn looks_like_a_name(text: &str) -> bool {
    Name::parse(text).is_some()
}

/// What names are like, as a hint.
const FORM: &str = "write owner/name, or owner/name@revision";

/// Checks that a text is the name of a model, whether or not there is one of that name.
///
/// # Errors
/// Fails if it is not; the hint says what names are like.
pub fn check_name(name: &str) -> Result<()> {
    parse(name, FORM).map(drop)
}

fn parse(name: &str, hint: &str) -> Result<Name> {
    let name = name.trim();
    Name::parse(name)
        .ok_or_else(|| trouble(format!("`{}` is not the name of a model", crate::safe::printable_line(name)), hint))
}

/// The folder of a model, fetched if it is not in the cache; settings come from the environment.
///
/// # Errors
/// As [`fetch_with`]; also if the environment has a setting that cannot be used.
pub fn fetch(name: &str, progress: &mut FetchProgress<'_>) -> Result<Folder> {
    let settings = HubSettings::from_env(|variable| std::env::var(variable).ok())?;
    fetch_with(&settings, name, progress)
}

/// The folder of a model, fetched with these settings if it is not in the cache.
///
/// # Errors
/// Fails if the name is none, the hub cannot be reached or refuses, the disk is full, `progress` stops it, or the model is
/// not in the diffusers layout or not built here. All but the last are a [`HubError`], which has a hint. A file that came
/// in part is kept and goes on next time; one that came wrong is thrown away.
pub fn fetch_with(settings: &HubSettings, name: &str, progress: &mut FetchProgress<'_>) -> Result<Folder> {
    Folder::open(fetched(settings, name, None, progress)?)
}

/// The folder of a network that makes masks from texts, fetched with these settings if it is not in the cache.
///
/// # Errors
/// As [`fetch_with`].
pub fn fetch_segmenter_with(settings: &HubSettings, name: &str, progress: &mut FetchProgress<'_>) -> Result<Folder> {
    Folder::of_one_network(fetched(settings, name, Some(Alone::Segmenter), progress)?)
}

/// The same with the environment's settings.
///
/// # Errors
/// As [`fetch`].
pub fn fetch_segmenter(name: &str, progress: &mut FetchProgress<'_>) -> Result<Folder> {
    let settings = HubSettings::from_env(|variable| std::env::var(variable).ok())?;
    fetch_segmenter_with(&settings, name, progress)
}

/// The folder of an autoencoder that has a name of its own, fetched if it is not in the cache; settings come from the
/// environment.
///
/// # Errors
/// As [`fetch`]; also if the name is that of anything else.
pub fn fetch_autoencoder(name: &str, progress: &mut FetchProgress<'_>) -> Result<PathBuf> {
    let settings = HubSettings::from_env(|variable| std::env::var(variable).ok())?;
    fetch_autoencoder_with(&settings, name, progress)
}

/// The folder of an autoencoder, fetched with these settings if it is not in the cache.
///
/// # Errors
/// As [`fetch_with`].
pub fn fetch_autoencoder_with(settings: &HubSettings, name: &str, progress: &mut FetchProgress<'_>) -> Result<PathBuf> {
    fetched(settings, name, Some(Alone::Autoencoder), progress)
}

/// The folder of a model, or of a network that stands alone, fetched if it is not in the cache.
fn fetched(
    settings: &HubSettings,
    name: &str,
    alone: Option<Alone>,
    progress: &mut FetchProgress<'_>,
) -> Result<PathBuf> {
    let parsed = parse(name, FORM)?;
    let repo = Repo::new(&settings.cache, &parsed);
    let lack = match repo.look(alone) {
        Ok(snapshot) => return Ok(snapshot),
        Err(lack) => lack,
    };
    let others = if lack.is_none() { repo.others(alone) } else { Vec::new() };
    if let (true, [commit]) = (settings.offline, &others[..]) {
        return Ok(found(&repo, commit, progress));
    }
    if settings.offline {
        if let [first, .., last] = &others[..] {
            let message = format!(
                "nothing in the cache says which commit `{parsed}` is (refs/{} is gone), and HF_HUB_OFFLINE is set",
                parsed.revision
            );
            let hint =
                format!("name one of the {} there are: {id}@{first} or {id}@{last}", others.len(), id = parsed.id);
            return Err(trouble(message, hint));
        }
        let place = settings.cache.display();
        let message = match lack {
            None => format!("`{parsed}` is not in the cache at {place}, and HF_HUB_OFFLINE is set"),
            Some(lack) => {
                format!("`{parsed}` is not complete in the cache at {place} ({lack}), and HF_HUB_OFFLINE is set")
            }
        };
        return Err(trouble(message, "unset HF_HUB_OFFLINE to fetch it, or set HF_HOME to where it is"));
    }
    let mut stopped = false;
    let mut watched = |step: FetchStep<'_>| {
        let flow = progress(step);
        stopped |= flow.is_break();
        flow
    };
    let brought = Wire::new(settings, &parsed).and_then(|wire| bring(&wire, &repo, (&parsed, alone), &mut watched));
    match (brought, &others[..]) {
        // The hub cannot be had, and what it would be asked for is here.
        (Err(_), [commit]) if !stopped => Ok(found(&repo, commit, progress)),
        (brought, _) => brought,
    }
}

/// Uses the only commit there is, and says which.
fn found(repo: &Repo, commit: &str, progress: &mut FetchProgress<'_>) -> PathBuf {
    let _ = progress(FetchStep::Found { commit });
    repo.snapshot(commit)
}

/// Fetches what is missing: configuration files first, so that a model that cannot be drawn with costs no gigabytes.
fn bring(
    wire: &Wire<'_>,
    repo: &Repo,
    (name, alone): (&Name, Option<Alone>),
    progress: &mut FetchProgress<'_>,
) -> Result<PathBuf> {
    let mut tally = Tally::new(progress);
    let Listing { commit, files } = wire.listing(&mut tally)?;
    let names: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    let useless = match alone {
        None => format!("`{name}` cannot be drawn with"),
        Some(Alone::Segmenter) => format!("`{name}` cannot make masks"),
        Some(Alone::Autoencoder) => format!("`{name}` cannot serve as an autoencoder"),
    };
    let lacks = |lack: Lack| trouble(format!("{useless}: {lack}"), lack.hint());
    let plan = match alone {
        None => layout::choose(&names, false),
        Some(alone) => layout::choose_alone(&names, alone),
    };
    let plan = plan.map_err(lacks)?;

    for path in plan.small.iter().chain(plan.indexes()) {
        download::file(wire, repo, &commit, path, &files[path], &mut tally)?;
    }
    let snapshot = repo.snapshot(&commit);
    let folder = if alone.is_none() { Folder::open(&snapshot)? } else { Folder::of_one_network(&snapshot)? };
    match alone {
        None => {
            let spec = ModelSpec::read(&folder).with_context(|| useless.clone())?;
            layout::choose(&names, spec.text_2.is_some()).map_err(lacks)?;
        }
        Some(Alone::Segmenter) => drop(ClipSegSpec::read(&folder).with_context(|| useless.clone())?),
        // Whether it fits the model is found out when it is laid over it.
        Some(Alone::Autoencoder) => {}
    }

    let weights = plan.weight_files(&folder)?;
    if let Some(lost) = weights.iter().find(|path| !files.contains_key(*path)) {
        return Err(lacks(Lack::File(lost.clone())));
    }
    tally.set_total(total(weights.iter().map(|path| &files[path])));
    for path in &weights {
        download::file(wire, repo, &commit, path, &files[path], &mut tally)?;
    }
    repo.remember(&commit)?;
    Ok(snapshot)
}

/// Bytes of several files, if all are known.
fn total<'a>(files: impl Iterator<Item = &'a Remote>) -> Option<u64> {
    files.map(|file| file.size).try_fold(0u64, |sum, size| sum.checked_add(size?))
}

/// A hub's listing of a revision.
struct Listing {
    commit: String,
    files: BTreeMap<String, Remote>,
}
