//! In: what a command has to say. Out: standard output, or a file that is written whole or not at all.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use chaingap::render::TextStyle;
use chaingap::report::{Finding, Severity};
use clap::{Args, ValueEnum};

use super::{Exit, Failure};

/// Columns where the terminal does not say.
const DEFAULT_WIDTH: usize = 110;

/// Where results go, in what form, and what they do to the exit status.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputOptions {
    #[command(flatten)]
    form: FormOptions,
    /// Exit with 1 from this severity on
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    fail_on: FailOn,
}

/// Where results go, and in what form.
#[derive(Debug, Args)]
pub(crate) struct FormOptions {
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite the output file
    #[arg(long)]
    force: bool,
    /// Colour the text
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,
}

/// `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For machines
    Json,
}

/// `--fail-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Errors
    Error,
    /// Warnings and errors
    Warning,
    /// Nothing
    Never,
}

impl FormOptions {
    /// Writes results in the form asked for.
    pub(crate) fn write(
        &self,
        json: impl FnOnce() -> String,
        text: impl FnOnce(&TextStyle) -> String,
    ) -> Result<(), Failure> {
        let out = match self.format {
            Format::Json => json(),
            Format::Text => text(&self.color.style(self.output.is_some())),
        };
        write(&out, self.output.as_deref(), self.force)
    }
}

impl OutputOptions {
    /// Writes results in the form asked for.
    pub(crate) fn write(
        &self,
        json: impl FnOnce() -> String,
        text: impl FnOnce(&TextStyle) -> String,
    ) -> Result<(), Failure> {
        self.form.write(json, text)
    }

    /// The exit by the gravest of these findings.
    pub(crate) fn exit<'a>(&self, mut findings: impl Iterator<Item = &'a Finding>) -> Exit {
        let threshold = match self.fail_on {
            FailOn::Error => Severity::Error,
            FailOn::Warning => Severity::Warning,
            FailOn::Never => return Exit::Clean,
        };
        if findings.any(|finding| finding.severity >= threshold) { Exit::Found } else { Exit::Clean }
    }
}

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR says no
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// How text that goes to standard output, or to a file, looks.
    pub(crate) fn style(self, to_file: bool) -> TextStyle {
        TextStyle { color: self.is_on(to_file), width: width() }
    }

    /// Whether to colour what goes to standard output.
    fn is_on(self, to_file: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => !to_file && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
        }
    }
}

/// Columns of the terminal, or a page's worth where there is none.
fn width() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = io::stdout().is_terminal().then(terminal_width).flatten();
    told.or(terminal).unwrap_or(DEFAULT_WIDTH)
}

fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// Writes to standard output, or to a file. A reader that went away is no error.
pub(crate) fn write(text: &str, file: Option<&Path>, force: bool) -> Result<(), Failure> {
    match file {
        None => match io::stdout().lock().write_all(text.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure(format!("standard output: {error}")))
            }
            _ => Ok(()),
        },
        Some(path) => write_file(path, text.as_bytes(), force),
    }
}

/// Writes beside the target and renames, so that no half-written file is ever seen.
pub(crate) fn write_file(path: &Path, bytes: &[u8], force: bool) -> Result<(), Failure> {
    let failure = |error: io::Error| Failure(format!("{}: {error}", path.display()));
    if !force && path.exists() {
        return Err(Failure(format!("{}: the file exists; --force overwrites it", path.display())));
    }
    // A link leads to the file to write; a pipe or a device is written as it is.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if path.exists() && !path.is_file() {
        return fs::write(path, bytes).map_err(failure);
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = fs::write(&part, bytes).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written.map_err(failure)
}
