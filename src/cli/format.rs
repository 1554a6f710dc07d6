//! `--format`. In: a word. Out: how a command shows its result in that format. Left to others: the formats themselves,
//! which are the table [`FORMATS`].

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use chaingap::render::{self, FORMATS, TextStyle};
use chaingap::report::Report;
use clap::Arg;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;

use super::exit::Failure;

/// How a command's result is shown in one format.
pub(crate) type Show<T> = fn(&T, &TextStyle) -> String;

/// How a report is written in one format.
pub(crate) type Write = fn(&Report, &TextStyle, &mut dyn io::Write) -> io::Result<()>;

/// A format by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format(&'static str);

impl Format {
    pub(crate) const TEXT: Self = Self("text");
    pub(crate) const JSON: Self = Self("json");
    pub(crate) const JSONL: Self = Self("jsonl");
    pub(crate) const JUNIT: Self = Self("junit");
    pub(crate) const MARKDOWN: Self = Self("markdown");
    pub(crate) const HTML: Self = Self("html");

    /// How to show a result, if the command has this format: asked before any work is done.
    pub(crate) fn show<T>(self, formats: &[(Self, Show<T>)]) -> Result<Show<T>, Failure> {
        let found = formats.iter().find(|(known, _)| *known == self);
        found.map(|(_, show)| *show).ok_or_else(|| {
            let words: Vec<&str> = formats.iter().map(|(format, _)| format.0).collect();
            Failure(format!("--format {}: this command has {}", self.0, words.join(", ")))
        })
    }

    /// How to write a report.
    pub(crate) fn write_report(self) -> Write {
        let found = FORMATS.iter().find(|format| format.name == self.0);
        found.map_or_else(|| Self::TEXT.write_report(), |format| format.write)
    }

    /// The format that a file's name stands for.
    pub(crate) fn of_file(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let ends = |format: &&render::Format| {
            let mut endings = format.endings.iter();
            endings.any(|ending| name.strip_suffix(ending).is_some_and(|rest| rest.ends_with('.')))
        };
        // `x.sarif.json` ends like `x.json`, which is another format.
        let found = FORMATS.iter().filter(ends).max_by_key(|format| {
            let own = format.endings.iter().filter(|ending| name.ends_with(**ending));
            own.map(|ending| ending.len()).max()
        });
        found.map(|format| Self(format.name))
    }
}

/// Reads the name of any format, so that a command can say which it has, and offers those that it has.
#[derive(Clone)]
pub(crate) struct Offer(Vec<Format>);

impl Offer {
    /// The formats of a report.
    pub(crate) fn all() -> Self {
        Self(FORMATS.iter().map(|format| Format(format.name)).collect())
    }

    fn values(&self) -> impl Iterator<Item = PossibleValue> {
        let offered = FORMATS.iter().filter(|format| self.0.contains(&Format(format.name)));
        offered.map(|format| PossibleValue::new(format.name).help(format.purpose))
    }
}

impl TypedValueParser for Offer {
    type Value = Format;

    fn parse_ref(&self, command: &clap::Command, arg: Option<&Arg>, value: &OsStr) -> Result<Format, clap::Error> {
        let known = PossibleValuesParser::new(Self::all().values());
        let word = known.parse_ref(command, arg, OsStr::new(value.to_string_lossy().as_ref()))?;
        let format = FORMATS.iter().find(|format| format.name == word);
        format.map(|format| Format(format.name)).ok_or_else(|| clap::Error::new(ErrorKind::InvalidValue))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.values()))
    }
}

/// Makes the help and the completions of `--format` offer these alone.
pub(crate) fn offering<T>(formats: &[(Format, Show<T>)]) -> impl FnOnce(Arg) -> Arg {
    let offer = Offer(formats.iter().map(|(format, _)| *format).collect());
    |format| format.value_parser(offer)
}
