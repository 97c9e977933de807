//! Scripts and single questions, for programs and pipes.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Error, Result};
use serde_json::Value;

use super::command_line::Args;
use super::config::Config;
use super::reply::{Reply, tell};
use super::talk::{Talk, Unwatched};
use super::{ahead, changes_text, explain, json};
use crate::model::is_embedded;
use crate::safe::{cells, printable};
use crate::session::file::{Hinted, Trust};
use crate::session::home::Home;
use crate::session::replay::{Lessons, Verdict};
use crate::session::{Options, Session};
use crate::store::Limits;
use crate::study::parity;

/// Where sessions live, as the environment says; perhaps nowhere.
#[must_use]
pub fn home() -> Home {
    Home::of(|name| std::env::var_os(name))
}

/// Budgets of the store, as the command line says, else the configuration.
#[must_use]
pub fn limits(args: &Args, config: &Config) -> Limits {
    let of = |name: &str, configured: Option<u64>, default| args.get(name).copied().or(configured).unwrap_or(default);
    Limits { ram: of("cache-ram", config.cache_ram, 256 << 20), disk: of("cache-disk", config.cache_disk, 4 << 30) }
}

/// A session with what the command line says of it; in memory without a path.
///
/// # Errors
/// Fails if the session or the configuration cannot be read, or a setting is wrong.
pub(super) fn session(args: &Args, path: Option<PathBuf>, read_only: bool) -> Result<Session> {
    ahead::fetch(args, &mut std::io::stderr())?;
    let home = home();
    let config = Config::read(home.config())?;
    Session::open(Options {
        home,
        path,
        read_only,
        overrides: args.settings(),
        limits: limits(args, &config),
        settings: config.settings,
    })
}

/// Writes an error for people: what is the case, the place in the line, and one thing to try.
///
/// # Errors
/// Fails if `to` cannot be written.
pub fn write_error(error: &Error, line: Option<&str>, to: &mut dyn Write) -> std::io::Result<()> {
    let told = tell(error);
    writeln!(to, "error: {}", printable(&told.message))?;
    if let (Some(line), Some((from, end))) = (line, told.span)
        && let (Some(before), Some(under)) = (line.get(..from), line.get(from..end))
        && !line.contains(|c: char| c.is_control())
    {
        writeln!(to, "  {}", printable(line))?;
        writeln!(to, "  {}{}", " ".repeat(cells(before)), "^".repeat(cells(under).max(1)))?;
    }
    if let Some(hint) = told.hint {
        writeln!(to, "hint: {}", printable(&hint))?;
    }
    Ok(())
}

/// `wordbrush run SCRIPT`: takes the lines in order; one object a line with `--json`, text without.
///
/// # Errors
/// Fails if it cannot start: the script or session cannot be read, or a setting is wrong.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let script = args.needed::<PathBuf>("SCRIPT")?;
    let reader: Box<dyn BufRead> = if script == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file =
            std::fs::File::open(script).with_context(|| format!("cannot read the script {}", script.display()))?;
        Box::new(std::io::BufReader::new(file))
    };
    let talk = Talk::new(session(args, args.path("session"), false)?, args.path("out"));
    lines(talk, reader, args.has("json"), out)
}

/// What some editors put before the first line of a text (U+FEFF in UTF-8).
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Takes lines one after another and writes what they came to.
///
/// # Errors
/// Fails if lines cannot be read or output not be written, or the model of the first picture cannot be had.
pub fn lines(mut talk: Talk, mut reader: impl BufRead, as_json: bool, out: &mut dyn Write) -> Result<ExitCode> {
    if talk.session.tree().is_empty() && !is_embedded(&talk.session.model_name().0) {
        talk.session.model()?;
    }
    let mut wrong = false;
    let mut number = 0;
    let mut raw = Vec::new();
    loop {
        raw.clear();
        if reader.read_until(b'\n', &mut raw)? == 0 {
            break;
        }
        number += 1;
        if number == 1 && raw.starts_with(MARK) {
            raw.drain(..MARK.len());
        }
        let begun = Instant::now();
        let lossy = String::from_utf8_lossy(&raw);
        let line = lossy.trim_end_matches(['\n', '\r']);
        let reply = match std::str::from_utf8(&raw) {
            Ok(_) => talk.line(line, &mut Unwatched),
            Err(_) => Err(Hinted::new(format!("line {number} is no text in UTF-8"), "save the script as UTF-8").into()),
        };
        wrong |= matches!(reply, Err(_) | Ok(Reply::Asked(_) | Reply::Stopped));
        let quit = matches!(reply, Ok(Reply::Quit));
        if as_json {
            if let Some(value) = json::line(number, &reply, &talk.session, begun.elapsed().as_secs_f64()) {
                writeln!(out, "{}", json::written(&value))?;
            }
        } else {
            write_reply(&reply, line, &talk.session, out)?;
        }
        for note in talk.session.take_notes() {
            if !as_json {
                writeln!(out, "note: {}", printable(&note))?;
            }
        }
        out.flush()?;
        if quit {
            break;
        }
        if let Ok(Reply::Switched(other)) = reply {
            let out = talk.out.take();
            talk.switch_to(*other, out);
        }
    }
    Ok(if wrong { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// A reply as plain text.
///
/// # Errors
/// Fails if `to` cannot be written.
pub fn write_reply(
    reply: &Result<Reply, Error>,
    line: &str,
    session: &Session,
    to: &mut dyn Write,
) -> std::io::Result<()> {
    match reply {
        Err(error) => write_error(error, Some(line), to),
        Ok(Reply::Nothing | Reply::Walk | Reply::Quit) => Ok(()),
        Ok(Reply::Stopped) => writeln!(to, "stopped; no picture was added"),
        Ok(Reply::Asked(question)) => {
            writeln!(to, "{}", printable(&question.text))?;
            for (i, choice) in question.choices.iter().enumerate() {
                writeln!(to, "  {} {}", i + 1, printable(&choice.label))?;
            }
            Ok(())
        }
        Ok(Reply::Drew(drew)) => {
            if !drew.changes.is_empty() {
                writeln!(to, "  {}", printable(&changes_text(&drew.changes)))?;
            }
            writeln!(to, "  {}", printable(&super::report::drew(drew, session)))?;
            for warning in &drew.turned.warnings {
                writeln!(to, "  note: {}", printable(warning))?;
            }
            if let Some(image) = &drew.image {
                writeln!(to, "  {}", printable(&image.display().to_string()))?;
            }
            Ok(())
        }
        Ok(Reply::Moved(node)) => writeln!(to, "  at #{node}  {}", printable(&session.tree()[*node].plan.prompt)),
        Ok(Reply::Cycled(cycled)) => writeln!(to, "{}", printable(&super::report::cycled_as_foretold(cycled))),
        Ok(Reply::Text(shown)) => writeln!(to, "{}", printable(&shown.text)),
        Ok(Reply::Switched(other)) => writeln!(to, "{}", printable(&super::opened_text(other))),
    }
}

/// `wordbrush explain --prompt P LINE`.
///
/// # Errors
/// Fails if the model cannot be read or there is no line.
pub fn explain(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let words: Vec<&str> = args.all("LINE").chain(args.all("MORE")).map(String::as_str).collect();
    let line = words.join(" ");
    if line.trim().is_empty() {
        return Err(Hinted::new("`explain` needs a line", "wordbrush explain --prompt \"a cat\" \"cat -> dog\"").into());
    }
    ahead::fetch(args, &mut std::io::stderr())?;
    let (value, carried_out) = explain::object(args.value("model").unwrap_or("embedded"), args.value("prompt"), &line)?;
    if args.has("json") {
        writeln!(out, "{}", json::written(&value))?;
    } else {
        writeln!(out, "{}", printable(&plain_explanation(&value)))?;
    }
    Ok(if carried_out { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The same object, for people.
fn plain_explanation(value: &Value) -> String {
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    if let Some(error) = value.get("error") {
        let hint = error.get("hint").map(|h| format!("\nhint: {}", text(h))).unwrap_or_default();
        return format!("error: {}{hint}", error.get("message").map(text).unwrap_or_default());
    }
    if let Some(question) = value.get("question") {
        let choices = question.get("choices").and_then(Value::as_array).into_iter().flatten().enumerate();
        let choices: String = choices.map(|(i, c)| format!("\n  {} {}", i + 1, text(c))).collect();
        return format!("{}{choices}", question.get("text").map(text).unwrap_or_default());
    }
    let mut out = format!("prompt   {}", value.get("prompt").map(text).unwrap_or_default());
    for edit in value.get("edits").and_then(Value::as_array).into_iter().flatten() {
        let parts: Vec<String> =
            ["kind", "from", "to", "word", "factor"].iter().filter_map(|k| edit.get(*k).map(text)).collect();
        out.push_str(&format!("\n{}", parts.join("  ")));
    }
    for (word, weight) in value.get("weights").and_then(Value::as_object).into_iter().flatten() {
        out.push_str(&format!("\nweight   {word} {weight}"));
    }
    for warning in value.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        out.push_str(&format!("\nnote     {}", text(warning)));
    }
    out
}

/// `wordbrush parity CASE_OR_FOLDER... --out DIR`.
///
/// # Errors
/// Fails if there is no case, or the output folder cannot be made.
pub fn parity(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let folder = args.needed::<PathBuf>("out")?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut models = parity::ModelFolders::new(args.all("models").cloned().collect()).on(args.device()?);
    let (mut all, mut failed, mut unanswered) = (0, 0, 0);
    for given in args.all::<PathBuf>("CASE") {
        for case in parity::find_cases(given)? {
            let outcome = parity::run_case(&case, folder, &mut models);
            parity::report(&outcome, out)?;
            out.flush()?;
            all += 1;
            match outcome.failure.as_ref().filter(|_| outcome.refused_rightly.is_none()) {
                Some(_) => unanswered += 1,
                None => failed += usize::from(!outcome.passes()),
            }
        }
    }
    let without = if unanswered > 0 { format!(", {unanswered} without an answer") } else { String::new() };
    writeln!(out, "{all} cases, {failed} failed{without}")?;
    Ok(if failed + unanswered == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// `wordbrush replay FILE`: draws every node again and compares.
///
/// # Errors
/// Fails if the file cannot be read or a node cannot be drawn.
pub fn replay(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let mut failed = 0;
    for path in args.all::<PathBuf>("FILE") {
        let mut session = session(args, None, false)?;
        let mut lines = Vec::new();
        let replayed = session.replay(
            path,
            (Trust::Imported, if args.has("verify") { Lessons::Again } else { Lessons::AsKept }),
            &mut |node, count| {
                lines.push(verdict(node.node, count, &node.verdict));
                std::ops::ControlFlow::Continue(())
            },
            &mut |_, _| std::ops::ControlFlow::Continue(()),
        )?;
        for line in lines {
            writeln!(out, "{line}")?;
        }
        for note in &replayed.notes {
            writeln!(out, "note: {}", printable(note))?;
        }
        writeln!(out, "{}: {}", printable(&path.display().to_string()), printable(&replayed.summary()))?;
        failed += usize::from(!replayed.holds());
    }
    Ok(if failed == 0 || !args.has("verify") { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// What became of one picture, in words.
#[must_use]
pub fn verdict(node: u32, count: usize, verdict: &Verdict) -> String {
    let what = match verdict {
        Verdict::Same => "the same, byte for byte".to_owned(),
        Verdict::Alike(psnr) => {
            format!("the same picture by other kernels or on another device ({psnr:.1} dB over thumbprints)")
        }
        Verdict::Differs(psnr) => format!("DIFFERS ({psnr:.1} dB over thumbprints)"),
        Verdict::Unknown => "drawn; the file does not say how it should look".to_owned(),
    };
    format!("  #{node} of {count}  {what}")
}
