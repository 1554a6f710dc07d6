//! In: what a command has to say, and in which formats it can. Out: standard output, or a file that is written whole or
//! not at all.

use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use chaingap::render::{self, TextStyle};
use chaingap::report::{Report, Severity};
use clap::{Args, ValueEnum};

use super::exit::{Exit, Failure};
use super::file::{Links, WholeFile, is_no_input, write_file};
use super::format::{Format, Offer, Show, Write};

/// Columns if the terminal does not say.
const DEFAULT_WIDTH: usize = 110;

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
    /// Output format; by default that of the output file's name, such as report.html, else text
    #[arg(long, value_parser = Offer::all())]
    format: Option<Format>,
    /// Write to this file instead of standard output, which is -; repeatable, for several formats of one run
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// Overwrite the output file
    #[arg(long)]
    force: bool,
    /// Colour the text
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,
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
    /// The format of each place that results go to: the one asked for, or the one that the file's name stands for.
    pub(crate) fn formats(&self) -> Vec<Format> {
        let of = |file: Option<&Path>| self.format.or_else(|| file.and_then(Format::of_file)).unwrap_or(Format::TEXT);
        self.files().into_iter().map(of).collect()
    }

    /// Opens the outputs, before anything is read: none may be a file that is read, and one may exist only with `--force`.
    /// `how` says how a result is written in a format.
    pub(crate) fn open<'a, How>(
        &self,
        how: impl Fn(Format) -> Result<How, Failure>,
        inputs: impl IntoIterator<Item = &'a Path>,
    ) -> Result<Output<How>, Failure> {
        let hows = self.formats().into_iter().map(how).collect::<Result<Vec<_>, _>>()?;
        let inputs: Vec<&Path> = inputs.into_iter().collect();
        let mut places = Vec::new();
        for (index, (file, how)) in self.files().into_iter().zip(hows).enumerate() {
            if let Some(twice) = file.filter(|_| self.output.iter().take(index).any(|before| Some(&**before) == file)) {
                return Err(Failure(format!("{}: -o names it twice", twice.display())));
            }
            let sink = match file {
                None => Sink::Stdout,
                Some(path) => {
                    is_no_input(path, inputs.iter().copied())?;
                    Sink::File(WholeFile::create(path, self.force, Links::Follow)?)
                }
            };
            places.push(Place { how, sink, style: self.color.style(file.is_some()) });
        }
        Ok(Output(places))
    }

    /// The files to write; `None` is standard output.
    pub(crate) fn files(&self) -> Vec<Option<&Path>> {
        if self.output.is_empty() { vec![None] } else { self.output.iter().map(|path| named(path)).collect() }
    }

    /// Whether an existing file may be overwritten.
    pub(crate) fn force(&self) -> bool {
        self.force
    }
}

/// Where results go.
pub(crate) struct Output<How>(pub(crate) Vec<Place<How>>);

/// One of these places, and how results are written there.
pub(crate) struct Place<How> {
    pub(crate) how: How,
    pub(crate) sink: Sink,
    pub(crate) style: TextStyle,
}

impl<T> Output<Show<T>> {
    /// Shows a result, which is all that is written.
    pub(crate) fn show(self, result: &T) -> Result<(), Failure> {
        for Place { how, mut sink, style } in self.0 {
            sink.write(&how(result, &style))?;
            sink.finish()?;
        }
        Ok(())
    }
}

impl<How> Output<How> {
    /// Writes what is all that is written, in the same way to each place.
    pub(crate) fn write_by(self, write: impl Fn(&mut dyn io::Write) -> io::Result<()>) -> Result<(), Failure> {
        for Place { mut sink, .. } in self.0 {
            sink.write_by(&write)?;
            sink.finish()?;
        }
        Ok(())
    }
}

impl Output<Write> {
    /// Writes a report, piece by piece.
    pub(crate) fn report(self, report: &Report) -> Result<(), Failure> {
        for Place { how, mut sink, style } in self.0 {
            sink.write_by(|out| how(report, &style, out))?;
            sink.finish()?;
        }
        Ok(())
    }
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

    /// Appends what is written.
    pub(crate) fn write_by(&mut self, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<(), Failure> {
        match self {
            Self::Stdout => written(buffered(stdout(), write)),
            Self::File(file) => buffered(file.writer(), write).map_err(|error| file.failure(&error)),
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
    /// How the run ends, by the gravest of what was found.
    pub(crate) fn exit(&self, mut found: impl Iterator<Item = Severity>) -> Exit {
        let threshold = match self.fail_on {
            FailOn::Error => Severity::Error,
            FailOn::Warning => Severity::Warning,
            FailOn::Never => return Exit::Clean,
        };
        if found.any(|severity| severity >= threshold) { Exit::Found } else { Exit::Clean }
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
    /// The style of text that goes to standard output or to a file.
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

/// Columns of the terminal, or of a page if there is none.
fn width() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = io::stdout().is_terminal().then(terminal_width).flatten();
    told.or(terminal).unwrap_or(DEFAULT_WIDTH)
}

fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// Writes to standard output, or to a file. A closed pipe is no error.
pub(crate) fn write(bytes: impl AsRef<[u8]>, file: Option<&Path>, force: bool) -> Result<(), Failure> {
    match file {
        None => write_stdout(bytes.as_ref()),
        Some(path) => write_file(path, bytes.as_ref(), force, Links::Follow),
    }
}

/// The file that `-o` names; `None` for `-`, which is standard output.
pub(crate) fn named(output: &Path) -> Option<&Path> {
    Some(output).filter(|path| path.as_os_str() != "-")
}

fn write_stdout(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = stdout();
    written(out.write_all(bytes).and_then(|()| out.flush()))
}

/// Standard output. Consoles of Windows are asked to obey escape sequences; for those that do not, colours are translated.
fn stdout() -> impl io::Write {
    anstream::AutoStream::always(io::stdout().lock())
}

/// Writes through a buffer.
fn buffered(to: impl io::Write, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, to);
    write(&mut out)?;
    out.flush()
}

fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result {
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

/// A line on standard error; what a terminal would obey, in a path or in what a file says, is escaped.
pub(crate) fn tell(text: &str) {
    eprintln!("chaingap: {}", render::printable(text));
}

/// A line on standard error that is no failure; `-q` leaves it out.
pub(crate) fn note(text: &str) {
    if !is_quiet() {
        tell(text);
    }
}
