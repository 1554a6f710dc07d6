//! In: a path argument as typed. Out: the paths that it stands for. Bounded: by the folders that are searched. Left to
//! others: what is in the files.
//!
//! Shells of Unix replace `part-*.pcapng` by the files that fit. Those of Windows pass it on as it is, where `*` and `?`
//! are in no file's name: there the program looks for the files, in every argument that names files to read (D-CLI-10).

use std::ffi::OsString;
use std::path::PathBuf;
use std::slice;

use clap::builder::{OsStringValueParser, TryMapValueParser, TypedValueParser, ValueParserFactory};
use glob::{MatchOptions, glob_with};

/// How patterns are read: without case, as file names are on Windows; `*` leads into no folder, `**` into all below.
const LIKE_WINDOWS: MatchOptions =
    MatchOptions { case_sensitive: false, require_literal_separator: true, require_literal_leading_dot: false };

/// What paths begin with that Windows takes word for word: no pattern, in spite of its `?`.
const VERBATIM: &str = r"\\?\";

/// The files that one argument stands for, in the order of their names.
#[derive(Clone, Debug)]
pub(crate) struct Files(Vec<PathBuf>);

/// Why an argument stands for no file, or for too many.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoFiles {
    #[error("no file fits this pattern")]
    NoneFits,
    #[error("{0} files fit this pattern, and one is wanted")]
    Several(usize),
    #[error(transparent)]
    Pattern(#[from] glob::PatternError),
    #[error(transparent)]
    Folder(#[from] glob::GlobError),
}

impl From<Vec<PathBuf>> for Files {
    fn from(files: Vec<PathBuf>) -> Self {
        Self(files)
    }
}

impl<'a> IntoIterator for &'a Files {
    type Item = &'a PathBuf;
    type IntoIter = slice::Iter<'a, PathBuf>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Makes of an argument the files that it stands for.
type Find = fn(OsString) -> Result<Files, NoFiles>;

impl ValueParserFactory for Files {
    type Parser = TryMapValueParser<OsStringValueParser, Find>;

    fn value_parser() -> Self::Parser {
        OsStringValueParser::new().try_map(found)
    }
}

/// Parses an argument that names one file.
pub(crate) fn one() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|argument| only(found(argument)?))
}

/// Parses a name, or the path of one file.
pub(crate) fn one_name() -> impl TypedValueParser<Value = String> {
    one().map(|path| path.to_string_lossy().into_owned())
}

fn found(argument: OsString) -> Result<Files, NoFiles> {
    if cfg!(windows) { fitting(argument) } else { Ok(Files(vec![argument.into()])) }
}

fn only(files: Files) -> Result<PathBuf, NoFiles> {
    <[PathBuf; 1]>::try_from(files.0).map(|[file]| file).map_err(|files| NoFiles::Several(files.len()))
}

/// The files that fit a pattern. Without `*` and `?` the argument is a path: `[` is in names that browsers make, such as
/// `capture[1].pcapng`, and stands for itself in patterns too.
fn fitting(argument: OsString) -> Result<Files, NoFiles> {
    let is_pattern = |text: &&str| text.strip_prefix(VERBATIM).unwrap_or(text).contains(['*', '?']);
    let Some(pattern) = argument.to_str().filter(is_pattern) else { return Ok(Files(vec![argument.into()])) };
    let files = glob_with(&pattern.replace('[', "[[]"), LIKE_WINDOWS)?.collect::<Result<Vec<_>, _>>()?;
    if files.is_empty() { Err(NoFiles::NoneFits) } else { Ok(Files(files)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A folder with files as users have them; how a pattern in it is answered.
    fn names(pattern: &str) -> Result<Vec<String>, NoFiles> {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("more")).unwrap();
        for name in
            ["part-2.pcapng", "part-1.pcapng", "PART-3.PCAPNG", "copy[1].pcap", "copy1.pcap", "more/part-4.pcapng"]
        {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let start = folder.path().to_path_buf();
        let files = fitting(start.join(pattern).into_os_string())?;
        let name = |file: &PathBuf| file.strip_prefix(&start).unwrap().to_str().unwrap().to_owned();
        Ok(files.into_iter().map(name).collect())
    }

    #[test]
    fn a_pattern_is_the_files_that_fit_it() {
        let is = |pattern, files: &[&str]| assert_eq!(names(pattern).unwrap(), files, "{pattern}");
        is("part-*.pcapng", &["PART-3.PCAPNG", "part-1.pcapng", "part-2.pcapng"]);
        is("part-?.pcapng", &["PART-3.PCAPNG", "part-1.pcapng", "part-2.pcapng"]);
        is("copy[*.pcap", &["copy[1].pcap"]);
        is("**/part-4*", &["more/part-4.pcapng"]);
        is("mor*", &["more"]);
    }

    #[test]
    fn a_path_without_wildcards_is_taken_as_it_is() {
        for path in ["copy[1].pcap", "not-there.pcap"] {
            assert_eq!(names(path).unwrap(), [path]);
        }
        let verbatim = r"\\?\C:\captures\usb.pcapng";
        assert_eq!(fitting(verbatim.into()).unwrap().0, [PathBuf::from(verbatim)]);
    }

    #[test]
    fn a_pattern_that_fits_nothing_or_too_much_is_an_error() {
        assert!(matches!(names("*.cap"), Err(NoFiles::NoneFits)));
        assert!(matches!(names("a***b"), Err(NoFiles::Pattern(_))));
        assert!(matches!(only(Files(vec!["a".into(), "b".into()])), Err(NoFiles::Several(2))));
        assert_eq!(only(Files(vec!["a".into()])).unwrap(), PathBuf::from("a"));
    }
}
