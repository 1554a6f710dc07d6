//! In: paths. Out: files in a defined order, and captures among them by their first bytes. Bounded: a file is
//! read up to its first packet, at most [`PEEK`] bytes. Left to others: contents.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use chaingap::capture::{CaptureError, CaptureReader, Timestamp};
use chaingap::files::{self, Kind};

use super::exit::Failure;
use super::patterns::Files;

/// How far into a capture its first packet is looked for.
const PEEK: usize = 4 << 20;

/// One capture to read.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl Input {
    /// The name in reports: the path as given.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "-".into(),
            Self::File(path) => path.to_string_lossy().into_owned(),
        }
    }

    /// Its path, unless it is standard input.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Stdin => None,
            Self::File(path) => Some(path),
        }
    }

    /// Bytes of a plain file.
    pub(crate) fn size(&self) -> Option<u64> {
        let Self::File(path) = self else { return None };
        // A file that cannot be examined counts for nothing: reading it will say why.
        fs::metadata(path).map_or(Some(0), |about| about.is_file().then_some(about.len()))
    }

    /// Opens it.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Stdin => Box::new(io::stdin()),
            Self::File(path) => Box::new(File::open(path)?),
        })
    }
}

/// The captures that the arguments name, in the order of the arguments. Folders are searched recursively by what files
/// begin with, also below gzip and zstd; linked folders are not followed. The captures of a folder come in the order of
/// their first packets: the names of a ring of rotated files need not sort by time.
pub(crate) fn captures(arguments: &[Files]) -> Result<Vec<Input>, Failure> {
    let mut inputs = Vec::new();
    for path in arguments.iter().flatten() {
        if path.as_os_str() == "-" {
            inputs.push(Input::Stdin);
        } else if path.is_dir() {
            let found = captures_below(path)?;
            if found.is_empty() {
                return Err(Failure(format!("{}: no capture in this folder or below it", path.display())));
            }
            inputs.extend(found.into_iter().map(Input::File));
        } else {
            inputs.push(Input::File(path.clone()));
        }
    }
    Ok(inputs)
}

/// The captures below a folder, in the order of their first packets.
pub(crate) fn captures_below(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found: Vec<_> = files_below(folder)?.into_iter().filter(|file| is_capture(file)).collect();
    in_time_order(&mut found);
    Ok(found)
}

/// All files below a folder, by name.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failure = |path: &Path, error: io::Error| Failure(format!("{}: {error}", path.display()));
    let mut entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .map_err(|error| failure(folder, error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| failure(&path, error))?;
        if kind.is_dir() {
            files.extend(files_below(&path)?);
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

/// Reads a file whole, with an error that names it.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure(format!("{}: {error}", path.display())))
}

/// Reads a file whole, or standard input for `-`.
pub(crate) fn read_input(path: &Path) -> Result<Vec<u8>, Failure> {
    if path.as_os_str() != "-" {
        return read_file(path);
    }
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes).map_err(|error| Failure(format!("standard input: {error}")))?;
    Ok(bytes)
}

/// Reads a text file whole, in UTF-8 or UTF-16, with an error that names it.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    let bytes = read_file(path)?;
    String::from_utf8(files::utf8(&bytes).into_owned()).map_err(|_| {
        let kind = Kind::of_file(&bytes).map(|kind| format!(": it is {}", kind.in_words())).unwrap_or_default();
        Failure(format!("{}: not a text file{kind}", path.display()))
    })
}

/// Why a text is no profile or expectation: its kind, where it is known and the text is no TOML, whose parser would show
/// lines of it; else what that parser says.
pub(crate) fn no_such(what: &str, text: &str, error: &dyn Display) -> String {
    let is_key = |key: &str| !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let is_toml = text.lines().any(|line| line.split_once(" = ").is_some_and(|(key, _)| is_key(key)));
    match Kind::of_file(text.as_bytes()).filter(|_| !is_toml) {
        Some(kind) => format!("no {what}: it is {}", kind.in_words()),
        None => error.to_string(),
    }
}

/// Sorts captures by the time of their first packet, stably; those without one come last (D-CLI-01).
fn in_time_order(captures: &mut [PathBuf]) {
    captures.sort_by_cached_key(|path| beginning(path));
}

/// The parts of one recording in the order of time; standard input comes last.
pub(crate) fn rotated(mut inputs: Vec<Input>) -> Vec<Input> {
    inputs.sort_by_cached_key(|input| match input {
        Input::File(path) => (false, beginning(path)),
        Input::Stdin => (true, (true, None)),
    });
    inputs
}

/// The time of a capture's first packet, to sort by: captures without one come last.
fn beginning(path: &Path) -> (bool, Option<Timestamp>) {
    let first = match peek(path) {
        Peek::Capture(first) => first,
        Peek::Other => None,
    };
    (first.is_none(), first)
}

/// What the beginning of a file shows.
enum Peek {
    /// A capture, or a file that only reading in full can tell from one; the time of its first packet.
    Capture(Option<Timestamp>),
    /// No capture.
    Other,
}

pub(crate) fn is_capture(path: &Path) -> bool {
    matches!(peek(path), Peek::Capture(_))
}

fn peek(path: &Path) -> Peek {
    // A file that cannot be opened may be a capture: reading it will say why it cannot be read.
    let Ok(mut file) = File::open(path) else { return Peek::Capture(None) };
    let mut reader = CaptureReader::new(0);
    let mut read = 0;
    loop {
        let count = match file.read(reader.space()) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return Peek::Capture(None),
        };
        reader.commit(count);
        read += count;
        let over = count == 0 || read >= PEEK;
        if over {
            reader.end();
        }
        match reader.next_frame() {
            Ok(Some(frame)) => return Peek::Capture(Some(frame.at.time)),
            Err(error) => return unreadable(&error),
            Ok(None) if over => break,
            Ok(None) => {}
        }
    }
    if reader.format().is_some() {
        return Peek::Capture(None);
    }
    match reader.finish() {
        Ok(_) => Peek::Other,
        Err(error) => unreadable(&error),
    }
}

/// Whether an unreadable file is a capture nevertheless: the run then says why it cannot be read, or how to convert it
/// (D-CLI-02).
fn unreadable(error: &CaptureError) -> Peek {
    match error {
        CaptureError::Empty | CaptureError::Unrecognized(_) => Peek::Other,
        _ => Peek::Capture(None),
    }
}
