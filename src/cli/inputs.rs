//! In: paths. Out: files in a defined order, and captures among them by their first bytes. Left to others: contents.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use chaingap::capture::Format;

use super::Failure;

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

    /// Opens it.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            Self::Stdin => Box::new(io::stdin().lock()),
            Self::File(path) => Box::new(File::open(path)?),
        })
    }
}

/// The captures that the arguments name. Folders are searched recursively by magic number; linked folders are not
/// followed.
pub(crate) fn captures(arguments: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    let mut inputs = Vec::new();
    for path in arguments {
        if path.as_os_str() == "-" {
            inputs.push(Input::Stdin);
        } else if path.is_dir() {
            let found: Vec<_> = files_below(path)?.into_iter().filter(|file| is_capture(file)).collect();
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

fn is_capture(path: &Path) -> bool {
    let mut magic = [0; 4];
    match File::open(path) {
        Ok(mut file) => file.read_exact(&mut magic).is_ok() && Format::of_magic(magic).is_some(),
        // What cannot be opened may be one: reading it will say why not.
        Err(_) => true,
    }
}
