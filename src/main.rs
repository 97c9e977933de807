//! The program: arguments in, an exit code out.

use std::io::{ErrorKind, stderr, stdout};
use std::process::ExitCode;

use anyhow::Error;

use wordbrush::preview::ascii::output;
use wordbrush::repl::{batch, command_line};

fn main() -> ExitCode {
    command_line::start(std::env::args_os().skip(1), &mut *output(stdout())).unwrap_or_else(|error| failed(&error))
}

/// Says why the program cannot start or go on. A reader that has gone away, as after `| head`, needs no telling.
fn failed(error: &Error) -> ExitCode {
    let is_gone = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe)
    };
    if !error.chain().any(is_gone) {
        let _ = batch::write_error(error, None, &mut *output(stderr()));
    }
    ExitCode::from(2)
}
