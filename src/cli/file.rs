//! In: bytes for a file. Out: the file whole, or none. Left to others: what is written.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::exit::Failure;

/// What is written if the target is a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// The file that the link leads to; a pipe or a device is written directly.
    Follow,
    /// The link itself is replaced, so that nothing is written outside the folder.
    Replace,
}

/// A file under construction, beside its target until it is complete; removed if it never is.
#[derive(Debug)]
pub(crate) struct WholeFile {
    /// Its path as given, for messages.
    named: PathBuf,
    target: PathBuf,
    /// The file that holds the bytes until then; `None` for a pipe or a device.
    part: Option<PathBuf>,
    file: File,
}

impl WholeFile {
    /// Begins a file.
    pub(crate) fn create(path: &Path, force: bool, links: Links) -> Result<Self, Failure> {
        may_write(path, force)?;
        let failure = |error: io::Error| Failure(format!("{}: {error}", path.display()));
        let target = match links {
            Links::Follow => fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf()),
            Links::Replace => path.to_path_buf(),
        };
        if links == Links::Follow && target.exists() && !target.is_file() {
            let file = OpenOptions::new().write(true).open(&target).map_err(failure)?;
            return Ok(Self { named: path.to_path_buf(), target, part: None, file });
        }
        let mut name = target.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.part", own_id()));
        let part = target.with_file_name(name);
        remove_on_interrupt(&part);
        let file = OpenOptions::new().write(true).create_new(true).open(&part);
        let file = file.inspect_err(|_| forget(&part)).map_err(failure)?;
        Ok(Self { named: path.to_path_buf(), target, part: Some(part), file })
    }

    /// Appends bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(|error| self.failure(&error))
    }

    /// The writer beneath.
    pub(crate) fn writer(&mut self) -> &mut File {
        &mut self.file
    }

    /// Puts the finished file in its place.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        if let Some(part) = &self.part {
            fs::rename(part, &self.target).map_err(|error| self.failure(&error))?;
        }
        self.part.take().iter().for_each(|part| forget(part));
        Ok(())
    }

    pub(crate) fn failure(&self, error: &io::Error) -> Failure {
        Failure(format!("{}: {error}", self.named.display()))
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            let _ = fs::remove_file(part);
            forget(part);
        }
    }
}

/// Fails if a file is at the path and may not be overwritten; pipes and devices are no files.
pub(crate) fn may_write(path: &Path, force: bool) -> Result<(), Failure> {
    let is_special = fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir());
    if fs::metadata(path).is_ok_and(|about| about.is_dir()) {
        return Err(Failure(format!("{}: is a folder, not a file to write to", path.display())));
    }
    if !force && !is_special && fs::symlink_metadata(path).is_ok() {
        return Err(Failure(format!("{}: the file exists; --force overwrites it", path.display())));
    }
    Ok(())
}

/// Fails if what would be written is one of the files that are read, by whatever path (D-CLI-09).
pub(crate) fn is_no_input<'a>(output: &Path, inputs: impl IntoIterator<Item = &'a Path>) -> Result<(), Failure> {
    if !fs::metadata(output).is_ok_and(|about| about.is_file()) {
        return Ok(());
    }
    match inputs.into_iter().find(|input| is_same(output, input)) {
        Some(input) if input == output => {
            Err(Failure(format!("{}: is read by this command; it would be lost", output.display())))
        }
        Some(input) => {
            let (output, input) = (output.display(), input.display());
            Err(Failure(format!("{output}: is the same file as {input}, which this command reads; it would be lost")))
        }
        None => Ok(()),
    }
}

/// Whether two paths lead to one file, also if it has two names.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    one == other
        || matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(a), Ok(b)) if a == b)
        || has_same_number(one, other)
}

#[cfg(unix)]
fn has_same_number(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let number = |path| fs::metadata(path).ok().map(|about| (about.dev(), about.ino()));
    number(one).is_some_and(|one| number(other) == Some(one))
}

#[cfg(not(unix))]
fn has_same_number(_: &Path, _: &Path) -> bool {
    false
}

/// Writes a file whole or not at all.
pub(crate) fn write_file(path: &Path, bytes: &[u8], force: bool, links: Links) -> Result<(), Failure> {
    let mut file = WholeFile::create(path, force, links)?;
    file.write(bytes)?;
    file.finish()
}

/// Files to remove when the program is interrupted.
static PARTS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn parts() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    PARTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on an interruption removes the file. The first call installs the handler; signals that were ignored when the
/// program started, as `nohup` arranges, stay ignored.
fn remove_on_interrupt(part: &Path) {
    #[cfg(not(target_family = "wasm"))]
    static HANDLER: std::sync::Once = std::sync::Once::new();
    parts().insert(part.to_path_buf());
    // In WebAssembly there are no signals: a page that ends the program drops all of its files.
    #[cfg(not(target_family = "wasm"))]
    HANDLER.call_once(|| {
        let _ = ctrlc::try_set_handler(|| {
            // The lock is held until the exit, so that no other file can be begun.
            let parts = parts();
            parts.iter().for_each(|part| drop(fs::remove_file(part)));
            // 128 and the number of SIGINT, as shells say it.
            std::process::exit(130);
        });
    });
}

/// Tells half-written files of programs that run at once apart. WebAssembly has no numbers of processes.
fn own_id() -> u32 {
    if cfg!(target_family = "wasm") { 0 } else { std::process::id() }
}

fn forget(part: &Path) {
    parts().remove(part);
}
