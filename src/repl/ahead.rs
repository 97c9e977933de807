//! Fetches a model that the command line names before anything else waits for it, and says how far it is.

use std::io::{IsTerminal, Write};
#[cfg(feature = "hub")]
use std::ops::ControlFlow;
#[cfg(feature = "hub")]
use std::time::{Duration, Instant};

use anyhow::Result;

use super::args::Args;

/// Fetches the model that `--model` or `--set model=` names, if it is a name of the hub and not in the cache yet.
///
/// `to` is told the file, the bytes and the time left, on one line that is written over where it is a terminal.
///
/// # Errors
/// Fails if the model cannot be fetched, or the arguments cannot be read.
pub fn fetch(args: &Args, to: &mut (impl Write + IsTerminal)) -> Result<()> {
    let settings = args.settings()?;
    let named = settings.iter().rev().find(|(name, _)| name == "model").map(|(_, value)| value.trim());
    let Some(name) = named.filter(|n| !std::path::Path::new(n).is_dir()) else {
        return Ok(());
    };
    #[cfg(feature = "hub")]
    if crate::model::hub::looks_like_a_name(name) {
        let terminal = to.is_terminal();
        return download(name, terminal, to);
    }
    let _ = (name, to);
    Ok(())
}

#[cfg(feature = "hub")]
fn download(name: &str, terminal: bool, to: &mut dyn Write) -> Result<()> {
    use crate::model::hub::{Step, fetch};
    let begun = Instant::now();
    let mut shown: Option<Instant> = None;
    let fetched = fetch(name, &mut |step: Step<'_>| {
        let now = Instant::now();
        if shown.is_some_and(|s| now - s < Duration::from_millis(200)) || (shown.is_some() && !terminal) {
            return ControlFlow::Continue(());
        }
        let line = match step {
            Step::Bytes { file, done, total, received, .. } => progress(file, done, total, received, now - begun),
            Step::Wait { pause, reason } => format!("waiting {} s: {reason}", pause.as_secs().max(1)),
        };
        shown = Some(now);
        // A progress that cannot be shown is no reason to stop.
        let line = crate::safe::printable_line(&line);
        let _ = if terminal { write!(to, "\r\x1b[K{line}") } else { writeln!(to, "fetching {name}") };
        let _ = to.flush();
        ControlFlow::Continue(())
    });
    if shown.is_some() && terminal {
        let _ = write!(to, "\r\x1b[K");
        let _ = to.flush();
    }
    fetched.map(|_| ())
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
            let args = Args::read(["--model", model].map(str::to_owned)).unwrap();
            assert!(fetch(&args, &mut std::io::stderr()).is_ok(), "{model}");
        }
    }
}
