//! `chaingap merge`: sums any number of JSON Lines reports into one summary.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read as _};
use std::path::{Path, PathBuf};

use chaingap::files::{self, Kind};
use chaingap::render;
use chaingap::report::{REPORT_SCHEMA, Report, SUMMARY_SCHEMA, Summary};
use clap::{Args, ValueHint};
use serde::Deserialize;

use super::exit::{Exit, Failure};
use super::format::{Format, Show, offering};
use super::output::{FormOptions, tell};
use super::patterns::Files;

/// The formats of a summary; JSON is one line, fit to be merged again.
const FORMATS: &[(Format, Show<Summary>)] = &[
    (Format::TEXT, render::summary_text),
    (Format::JSON, |summary, _| render::summary_json(summary)),
    (Format::JSONL, |summary, _| render::summary_json(summary)),
];

/// `chaingap merge`.
#[derive(Debug, Args)]
#[command(mut_arg("format", offering(FORMATS)))]
pub(crate) struct Merge {
    /// Reports or summaries, one a line (--format jsonl) or one a file (--format json), or - for standard input
    #[arg(required = true, value_name = "REPORT|-", value_hint = ValueHint::AnyPath)]
    reports: Vec<Files>,
    #[command(flatten)]
    form: FormOptions,
}

/// How many lines of a file that are no reports are told one by one.
const TOLD: u64 = 3;

/// U+FEFF in UTF-8, which tools of Windows write in front of a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The member that every line must have.
#[derive(Deserialize)]
struct Head {
    schema: String,
}

impl Merge {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let reports: Vec<&Path> = self.reports.iter().flatten().map(PathBuf::as_path).collect();
        let output = self.form.open(|format| format.show(FORMATS), reports.iter().copied())?;
        let (mut total, mut empty) = (Summary::default(), 0);
        for path in &reports {
            let sum = summary_of(path)?;
            if sum.is_none() {
                empty += 1;
                tell(&format!("{}: no report in it", path.display()));
            }
            total = total + sum.unwrap_or_default();
        }
        // One of many inputs may be empty; if all are, something went wrong before.
        let failed = total.failed > 0 || empty == reports.len();
        output.show(&total)?;
        Ok(if failed { Exit::Failed } else { Exit::Clean })
    }
}

/// The sum of one file's lines, `None` if it has none. A line that is no report is counted as failed and named on
/// standard error; the others still count.
fn summary_of(path: &Path) -> Result<Option<Summary>, Failure> {
    let name = path.display();
    let failure = |error: io::Error| Failure(format!("{name}: {error}"));
    let mut lines: Box<dyn BufRead> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin().lock()),
        false => Box::new(BufReader::new(File::open(path).map_err(failure)?)),
    };
    let start = lines.fill_buf().map_err(failure)?;
    let is_json = files::utf8(start).trim_ascii_start().starts_with(b"{");
    if let Some(kind) = Kind::of_start(start).filter(|_| !is_json) {
        tell(&format!("{name}: no report: it is {}", kind.in_words()));
        return Ok(Some(Summary::failure()));
    }
    if start.starts_with(BYTE_ORDER_MARK) {
        lines.consume(BYTE_ORDER_MARK.len());
    } else if files::is_utf16(start) {
        let mut bytes = Vec::new();
        lines.read_to_end(&mut bytes).map_err(failure)?;
        lines = Box::new(Cursor::new(files::utf8(&bytes).into_owned()));
    }
    let (mut total, mut line, mut number, mut unread) = (None, Vec::new(), 0, 0);
    while lines.read_until(b'\n', &mut line).map_err(failure)? > 0 {
        number += 1;
        // A report of `--format json`, which has many lines.
        if number == 1 && line.trim_ascii() == b"{" {
            lines.read_to_end(&mut line).map_err(failure)?;
        }
        if !line.trim_ascii().is_empty() {
            let read = read(&line).unwrap_or_else(|why| {
                unread += 1;
                if unread <= TOLD {
                    tell(&format!("{name}: line {number}: {why}"));
                }
                Summary::failure()
            });
            total = Some(total.unwrap_or_default() + read);
        }
        line.clear();
    }
    if unread > TOLD {
        tell(&format!("{name}: and {} more lines that are no report", unread - TOLD));
    }
    Ok(total)
}

fn read(line: &[u8]) -> Result<Summary, String> {
    let head: Head = serde_json::from_slice(line).map_err(|error| format!("no report: {error}"))?;
    match head.schema.as_str() {
        REPORT_SCHEMA => {
            let report: Report = serde_json::from_slice(line).map_err(|error| error.to_string())?;
            Ok(Summary::of(&report))
        }
        SUMMARY_SCHEMA => serde_json::from_slice(line).map_err(|error| error.to_string()),
        other => Err(format!("neither {REPORT_SCHEMA} nor {SUMMARY_SCHEMA}, but {other:?}")),
    }
}
