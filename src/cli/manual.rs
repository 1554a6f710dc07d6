//! `chaingap completions` and `chaingap man`: completions and manual pages, made from the options themselves.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use super::exit::{Exit, Failure};
use super::file::{Links, write_file};
use super::output;

/// `chaingap completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, mut program: Command) -> Result<Exit, Failure> {
        let mut out = Vec::new();
        clap_complete::generate(self.shell, &mut program, "chaingap", &mut out);
        output::write(&out, None, false)?;
        Ok(Exit::Clean)
    }
}

/// `chaingap man`.
#[derive(Debug, Args)]
pub(crate) struct Manual {
    /// The page of this command; without it, that of chaingap itself
    command: Option<String>,
    /// Write all pages to this folder
    #[arg(short, long, value_name = "DIR", conflicts_with = "command")]
    output: Option<PathBuf>,
    /// Overwrite pages in that folder
    #[arg(long, requires = "output")]
    force: bool,
}

impl Manual {
    pub(crate) fn run(self, program: Command) -> Result<Exit, Failure> {
        let all = pages(program);
        if let Some(folder) = &self.output {
            let failure = |error| Failure(format!("{}: {error}", folder.display()));
            fs::create_dir_all(folder).map_err(failure)?;
            for command in all {
                let path = folder.join(format!("{}.1", name_of(&command)));
                write_file(&path, page(command).as_bytes(), self.force, Links::Replace)?;
            }
            return Ok(Exit::Clean);
        }
        let name = self.command.as_ref().map_or("chaingap".into(), |command| format!("chaingap-{command}"));
        let command = all.into_iter().find(|command| name_of(command) == name);
        let command = command.ok_or_else(|| Failure(format!("{name}: no such command")))?;
        output::write(page(command), None, false)?;
        Ok(Exit::Clean)
    }
}

/// The program and its commands.
fn pages(program: Command) -> Vec<Command> {
    let mut program = program.disable_help_subcommand(true);
    // This gives every command its display name, `chaingap-analyze`.
    program.build();
    let commands: Vec<Command> =
        program.get_subcommands().map(|command| command.clone().version(env!("CARGO_PKG_VERSION"))).collect();
    std::iter::once(program).chain(commands).collect()
}

/// The name of a page.
fn name_of(command: &Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

/// One page in roff.
fn page(command: Command) -> String {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = Man::new(command).manual("User Commands").render(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}
