//! The program: parse arguments, run, exit code.

use std::process::ExitCode;

mod cli;

fn main() -> ExitCode {
    cli::run()
}
