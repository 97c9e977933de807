//! The program: arguments in, an exit code out.

use std::io::Write;
use std::process::ExitCode;

use wordbrush::repl::args::{Args, HELP};
use wordbrush::repl::batch;

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    let args = match Args::read(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(error) => return failed(&error),
    };
    if args.has("help") {
        return if writeln!(out, "{HELP}").is_ok() { ExitCode::SUCCESS } else { ExitCode::from(2) };
    }
    let result = match args.verb.as_str() {
        "run" => batch::run(&args, &mut out),
        "explain" => batch::explain(&args, &mut out),
        "parity" => batch::parity(&args, &mut out),
        "replay" => batch::replay(&args, &mut out),
        "cycle" => batch::cycle(&args, &mut out),
        _ => Ok(ExitCode::from(2)),
    };
    result.unwrap_or_else(|error| failed(&error))
}

/// Says why the program cannot start.
fn failed(error: &anyhow::Error) -> ExitCode {
    let _ = batch::write_error(error, None, &mut std::io::stderr());
    ExitCode::from(2)
}
