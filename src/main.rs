//! The program: arguments in, an exit code out.

use std::io::{ErrorKind, Write, stdout};
use std::process::ExitCode;

use anyhow::{Error, Result};

use wordbrush::repl::args::Args;
use wordbrush::repl::{ahead, batch, completions, cycles, files, interactive, manual};
use wordbrush::session::file::Hinted;

fn main() -> ExitCode {
    let result = Args::read(std::env::args().skip(1)).and_then(|args| carry_out(&args));
    result.unwrap_or_else(|error| failed(&error))
}

fn carry_out(args: &Args) -> Result<ExitCode> {
    let mut out = stdout();
    if args.has("help") {
        writeln!(out, "{}", manual::help(&args.verb))?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.has("version") {
        writeln!(out, "wordbrush {}", env!("CARGO_PKG_VERSION"))?;
        return Ok(ExitCode::SUCCESS);
    }
    if ["", "open", "run", "explain", "replay", "cycle"].contains(&args.verb.as_str()) {
        ahead::fetch(args, &mut std::io::stderr())?;
    }
    match args.verb.as_str() {
        "" | "open" => interactive::open(args),
        "run" => batch::run(args, &mut out),
        "bench" => wordbrush::repl::bench::bench(args, &mut out),
        "explain" => batch::explain(args, &mut out),
        "sweep" => wordbrush::repl::sweep::sweep(args, &mut out),
        "parity" => batch::parity(args, &mut out),
        "replay" => batch::replay(args, &mut out),
        "cycle" => cycles::cycle(args, &mut out),
        "study" => cycles::study(args, &mut out),
        "sessions" => files::sessions(args, &mut out),
        "export" => files::export(args, &mut out),
        "cache" => files::cache(args, &mut out),
        "man" => {
            write!(out, "{}", manual::man())?;
            Ok(ExitCode::SUCCESS)
        }
        "completions" => {
            let script = completions::script(args.free.first().map_or("", String::as_str))?;
            write!(out, "{script}")?;
            Ok(ExitCode::SUCCESS)
        }
        verb => Err(Hinted::new(format!("BUG: `{verb}` is a verb without code"), "wordbrush --help").into()),
    }
}

/// Says why the program cannot start or go on. A reader that has gone away, as after `| head`, needs no telling.
fn failed(error: &Error) -> ExitCode {
    let is_gone = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe)
    };
    if !error.chain().any(is_gone) {
        let _ = batch::write_error(error, None, &mut std::io::stderr());
    }
    ExitCode::from(2)
}
