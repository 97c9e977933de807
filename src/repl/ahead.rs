//! Fetches a model by name before anything else waits for it, and says how far it is.

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
#[cfg(feature = "hub")]
use std::time::{Duration, Instant};

use anyhow::Result;

use super::command_line::Args;
#[cfg(feature = "hub")]
use crate::model::hub::{FetchProgress, FetchStep};
use crate::model::named::ModelName;
use crate::safe::printable_line;

/// Is told a line about the fetch, some times a second; `Break` stops it, and what has come is kept.
pub type Tell<'a> = dyn FnMut(&str) -> ControlFlow<()> + 'a;

/// Fetches the model that `--model` or `--set model=` names, if it is a name of the hub and not in the cache yet.
///
/// `to` is told the file, the bytes and the time left, on one line that is written over where it is a terminal.
///
/// # Errors
/// Fails if the model cannot be fetched.
pub fn fetch(args: &Args, to: &mut (impl Write + IsTerminal)) -> Result<()> {
    let settings = args.settings();
    let Some((_, name)) = settings.iter().rev().find(|(name, _)| name == "model") else { return Ok(()) };
    fetch_told(name, to)
}

/// Fetches the model of this name, if it is one of the hub and not in the cache yet, and tells `to` of it likewise.
///
/// # Errors
/// Fails if the model cannot be fetched.
pub fn fetch_told(name: &str, to: &mut (impl Write + IsTerminal)) -> Result<()> {
    let (terminal, mut told) = (to.is_terminal(), false);
    // What is found is said once, and stays.
    let write_found = |to: &mut dyn Write, line: &str| writeln!(to, "{}{line}", if terminal { "\r\x1b[K" } else { "" });
    // A progress that cannot be shown is no reason to stop.
    let fetched = fetch_model(name, &mut |line| {
        let _ = match (terminal, told) {
            _ if line.starts_with(FOUND) => write_found(to, line),
            (true, _) => write!(to, "\r\x1b[K{line}").and_then(|()| to.flush()),
            (false, false) => writeln!(to, "fetching {}", printable_line(name.trim())),
            (false, true) => Ok(()),
        };
        told = true;
        ControlFlow::Continue(())
    });
    if told && terminal {
        let _ = write!(to, "\r\x1b[K").and_then(|()| to.flush());
    }
    fetched
}

/// Fetches a model, if its name is one of the hub and it is not in the cache yet.
///
/// # Errors
/// Fails if it cannot be fetched, or `tell` stops it.
pub fn fetch_model(name: &str, tell: &mut Tell<'_>) -> Result<()> {
    // What is laid over a model is never fetched.
    let name = ModelName::parse(name).map_or_else(|_| name.trim().to_owned(), |name| name.below);
    let name = name.as_str();
    #[cfg(feature = "hub")]
    if crate::model::is_remote(name) {
        return download(name, tell, |progress| crate::model::hub::fetch(name, progress).map(drop));
    }
    let _ = (name, tell);
    Ok(())
}

/// The same for a network that finds what a text names.
///
/// # Errors
/// As [`fetch_model`].
pub fn fetch_segmenter(name: &str, tell: &mut Tell<'_>) -> Result<()> {
    #[cfg(feature = "hub")]
    if crate::model::is_remote(name) {
        return download(name, tell, |progress| crate::model::hub::fetch_segmenter(name, progress).map(drop));
    }
    let _ = (name, tell);
    Ok(())
}

/// How a line begins that says what is used in place of what was asked for.
const FOUND: &str = "using the commit ";

/// How often a fetch is told of; a stop is noticed as often.
#[cfg(feature = "hub")]
const PAUSE: Duration = Duration::from_millis(200);

#[cfg(feature = "hub")]
fn download(name: &str, tell: &mut Tell<'_>, fetch: impl FnOnce(&mut FetchProgress<'_>) -> Result<()>) -> Result<()> {
    let begun = Instant::now();
    let mut told: Option<Instant> = None;
    fetch(&mut |step: FetchStep<'_>| {
        let now = Instant::now();
        let is_found = matches!(step, FetchStep::Found { .. });
        if !is_found && told.is_some_and(|told| now - told < PAUSE) {
            return ControlFlow::Continue(());
        }
        told = Some(now);
        let line = match step {
            FetchStep::Bytes { file, done, total, received, .. } => progress(file, done, total, received, now - begun),
            FetchStep::Found { commit } => format!("{FOUND}{commit}: nothing in the cache says which {name} is"),
            FetchStep::Wait { pause, reason } => format!("waiting {} s: {reason}", pause.as_secs().max(1)),
        };
        tell(&printable_line(&line))
    })
}

/// `fetching unet/model.safetensors  12.0 of 3438.2 MB · 5 min 10 s left`
#[cfg(feature = "hub")]
fn progress(file: &str, done: u64, total: Option<u64>, received: u64, spent: Duration) -> String {
    let mb = |n: u64| format!("{:.1}", n as f64 / 1e6);
    let Some(total) = total else {
        return format!("fetching {file}  {} MB", mb(done));
    };
    let rate = received as f64 / spent.as_secs_f64().max(0.001);
    let left = if rate > 0.0 {
        let seconds = (total.saturating_sub(done) as f64 / rate).min(1e7);
        format!(" · {} left", crate::preview::progress::spoken(Duration::from_secs_f64(seconds)))
    } else {
        String::new()
    };
    format!("fetching {file}  {} of {} MB{left}", mb(done), mb(total))
}

#[cfg(all(test, feature = "hub"))]
mod tests {
    use super::*;

    #[test]
    fn progress_names_the_file_the_bytes_and_the_time_left() {
        let line =
            progress("unet/model.safetensors", 10_000_000, Some(110_000_000), 10_000_000, Duration::from_secs(5));
        assert_eq!(line, "fetching unet/model.safetensors  10.0 of 110.0 MB · 50 s left");
        assert_eq!(progress("a", 500_000, None, 0, Duration::ZERO), "fetching a  0.5 MB");
    }

    #[test]
    fn a_model_that_is_no_name_is_not_asked_for() {
        for model in ["embedded", "/no/such/folder", "."] {
            assert!(fetch_model(model, &mut |_| panic!("{model} is fetched")).is_ok(), "{model}");
        }
    }
}
