//! In: what a command has to say, and in which formats it can. Out: standard output, or a file that is written whole or
//! not at all. The one place that knows which format is shown how.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use chaingap::render::{self, TextStyle};
use chaingap::report::{Finding, PreflightReport, Report, Severity};
use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::{Arg, Args, ValueEnum};

use super::exit::{Exit, Failure};
use super::file::{Links, WholeFile, write_file};

/// Columns where the terminal does not say.
const DEFAULT_WIDTH: usize = 110;

/// How a command's result is shown in one format.
pub(crate) type Show<T> = fn(&T, &TextStyle) -> String;

/// The formats of a report.
pub(crate) const REPORT: &[(Format, Show<Report>)] = &[
    (Format::Text, render::text),
    (Format::Json, |report, _| render::json(report)),
    (Format::Jsonl, |report, _| render::json_line(report)),
    (Format::Sarif, |report, _| render::sarif(report)),
    (Format::Junit, |report, _| render::junit(report)),
    (Format::Markdown, |report, _| render::markdown(report)),
    (Format::Html, |report, _| render::html(report)),
];

/// The formats of a preflight.
pub(crate) const PREFLIGHT: &[(Format, Show<PreflightReport>)] =
    &[(Format::Text, render::preflight_text), (Format::Json, |report, _| render::preflight_json(report))];

/// Where results go, in what form, and what they do to the exit status.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputOptions {
    #[command(flatten)]
    pub(crate) form: FormOptions,
    /// Exit with 1 from this severity on
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    fail_on: FailOn,
}

/// Where results go, and in what form.
#[derive(Debug, Args)]
pub(crate) struct FormOptions {
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Write to this file instead of standard output, which is -
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
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For programs, a line for each capture
    Jsonl,
    /// For code scanning, SARIF 2.1.0
    Sarif,
    /// For the test page of a CI job, JUnit XML
    Junit,
    /// For a ticket or a job summary, GitHub-flavoured
    Markdown,
    /// For people, as one file to open in a browser, send or print
    Html,
}

impl Format {
    /// The word on the command line.
    fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Reads any format, so that the command can say which it has, and offers those that it has.
#[derive(Clone)]
struct Offer(Vec<Format>);

impl TypedValueParser for Offer {
    type Value = Format;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Format, clap::Error> {
        EnumValueParser::<Format>::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().filter_map(ValueEnum::to_possible_value)))
    }
}

/// Makes the help and the completions of `--format` offer these alone.
pub(crate) fn offering<T>(formats: &[(Format, Show<T>)]) -> impl FnOnce(Arg) -> Arg {
    let offer = Offer(formats.iter().map(|(format, _)| *format).collect());
    |format| format.value_parser(offer)
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
    /// How to show a result in the format asked for, if the command has it: asked before any work is done.
    pub(crate) fn show<T>(&self, formats: &[(Format, Show<T>)]) -> Result<Show<T>, Failure> {
        show_as(self.format, formats)
    }

    /// Writes a result.
    pub(crate) fn write<T>(&self, show: Show<T>, result: &T) -> Result<(), Failure> {
        write(show(result, &self.style()), self.file(), self.force)
    }

    /// How text that goes where the results go looks.
    pub(crate) fn style(&self) -> TextStyle {
        self.color.style(self.file().is_some())
    }

    /// The file to write.
    fn file(&self) -> Option<&Path> {
        self.output.as_deref().and_then(named)
    }

    /// Begins an output that is written piece by piece.
    pub(crate) fn begin(&self) -> Result<Sink, Failure> {
        Ok(match self.file() {
            None => Sink::Stdout,
            Some(path) => Sink::File(WholeFile::create(path, self.force, Links::Follow)?),
        })
    }
}

/// How to show a result in a format, if it is among these.
pub(crate) fn show_as<T>(format: Format, formats: &[(Format, Show<T>)]) -> Result<Show<T>, Failure> {
    let found = formats.iter().find(|(known, _)| *known == format);
    found.map(|(_, show)| *show).ok_or_else(|| {
        let words: Vec<String> = formats.iter().map(|(format, _)| format.word()).collect();
        Failure(format!("--format {}: this command has {}", format.word(), words.join(", ")))
    })
}

/// An output under construction.
pub(crate) enum Sink {
    Stdout,
    File(WholeFile),
}

impl Sink {
    /// Appends text.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), Failure> {
        match self {
            Self::Stdout => write_stdout(text.as_bytes()),
            Self::File(file) => file.write(text.as_bytes()),
        }
    }

    /// Nothing more comes.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Stdout => Ok(()),
            Self::File(file) => file.finish(),
        }
    }
}

impl OutputOptions {
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
pub(crate) fn write(bytes: impl AsRef<[u8]>, file: Option<&Path>, force: bool) -> Result<(), Failure> {
    match file {
        None => write_stdout(bytes.as_ref()),
        Some(path) => write_file(path, bytes.as_ref(), force, Links::Follow),
    }
}

/// The file that `-o` names; `-` names none, but standard output.
pub(crate) fn named(output: &Path) -> Option<&Path> {
    Some(output).filter(|path| path.as_os_str() != "-")
}

fn write_stdout(bytes: &[u8]) -> Result<(), Failure> {
    match io::stdout().lock().write_all(bytes).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure(format!("standard output: {error}"))),
        _ => Ok(()),
    }
}

/// `-q`.
static QUIET: AtomicBool = AtomicBool::new(false);

/// From now on notes and progress are left out.
pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// A line on standard error; what a terminal would obey, in a path or in what a file says, stands escaped.
pub(crate) fn tell(text: &str) {
    eprintln!("chaingap: {}", render::printable(text));
}

/// A line on standard error that is no failure; `-q` leaves it out.
pub(crate) fn note(text: &str) {
    if !is_quiet() {
        tell(text);
    }
}
