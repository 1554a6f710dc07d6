//! Stage 10: the command line. One file a command.
//!
//! In: arguments, files. Out: text on standard output, all else on standard error, and an exit code that is decided
//! here and nowhere else. Left to others: everything that can be done without files.

mod analyze;
mod annotate;
mod certs;
mod check;
mod compare;
mod examples;
mod exit;
mod explain;
mod file;
mod format;
mod host;
mod inputs;
#[cfg(not(target_family = "wasm"))]
mod manual;
#[cfg(not(target_family = "wasm"))]
mod merge;
mod options;
mod output;
mod parallel;
mod patterns;
mod preflight;
mod profiles;
#[cfg_attr(target_family = "wasm", path = "no_progress.rs")]
mod progress;
mod reading;
mod stacks;

use std::process::ExitCode;

#[cfg(not(target_family = "wasm"))]
use clap::CommandFactory as _;
use clap::{Parser, Subcommand};
use exit::{Exit, Failure};

/// Explains from packet captures why a device's TLS handshake failed.
#[derive(Debug, Parser)]
#[command(name = "chaingap", version, about, max_term_width = 100)]
struct Arguments {
    /// No progress and no notes on standard error, only failures
    #[arg(short, long, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explain every handshake in the captures
    #[command(after_help = examples::ANALYZE)]
    Analyze(analyze::Analyze),
    /// Set a trace that works beside one that does not, step by step, and say what the bad one lacks
    #[command(after_help = examples::COMPARE)]
    Compare(compare::Compare),
    /// Run every NAME.expect.toml below a folder and print what differs
    #[command(after_help = examples::CHECK)]
    Check(check::Check),
    /// Copy the frames that matter to a pcapng file, with a comment on each piece of evidence, for Wireshark
    #[command(after_help = examples::ANNOTATE)]
    Annotate(annotate::Annotate),
    /// List the certificates of captures and how each was seen, and write them as PEM
    #[command(after_help = examples::CERTS)]
    Certs(certs::Certs),
    /// Say whether a device would trust the chain that a server is to send; no capture is needed
    #[command(after_help = examples::PREFLIGHT)]
    Preflight(preflight::Preflight),
    /// Sum JSON Lines reports into one summary
    #[cfg(not(target_family = "wasm"))]
    #[command(after_help = examples::MERGE)]
    Merge(merge::Merge),
    /// List the device profiles, or show one
    #[command(after_help = examples::PROFILES)]
    Profiles(profiles::Profiles),
    /// List the TLS stacks whose answers to faulty servers were measured, or show what one accepts and refuses
    #[command(after_help = examples::STACKS)]
    Stacks(stacks::Stacks),
    /// Say what a finding or an alert means, how it is proven, what mimics it and how it is mended
    #[command(after_help = examples::EXPLAIN)]
    Explain(explain::Explain),
    /// Print a shell's completions
    #[cfg(not(target_family = "wasm"))]
    #[command(after_help = examples::COMPLETIONS)]
    Completions(manual::Completions),
    /// Print the manual, or write all of its pages to a folder
    #[cfg(not(target_family = "wasm"))]
    #[command(after_help = examples::MAN)]
    Man(manual::Manual),
}

/// Parses the arguments, runs the command.
pub(crate) fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no failures; a closed pipe while printing them is none either.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    if arguments.quiet {
        output::be_quiet();
    }
    let result = match arguments.command {
        Command::Analyze(command) => command.run(),
        Command::Compare(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Annotate(command) => command.run(),
        Command::Certs(command) => command.run(),
        Command::Preflight(command) => command.run(),
        #[cfg(not(target_family = "wasm"))]
        Command::Merge(command) => command.run(),
        Command::Profiles(command) => command.run(),
        Command::Stacks(command) => command.run(),
        Command::Explain(command) => command.run(),
        #[cfg(not(target_family = "wasm"))]
        Command::Completions(command) => command.run(Arguments::command()),
        #[cfg(not(target_family = "wasm"))]
        Command::Man(command) => command.run(Arguments::command()),
    };
    match result {
        Ok(Exit::Clean) => ExitCode::SUCCESS,
        Ok(Exit::Found) => ExitCode::from(1),
        Ok(Exit::Failed) => ExitCode::from(2),
        Err(Failure(message)) => {
            output::tell(&message);
            ExitCode::from(2)
        }
    }
}
