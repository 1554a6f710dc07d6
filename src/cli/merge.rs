//! `chaingap merge`: sums any number of JSON Lines reports into one summary.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use chaingap::render;
use chaingap::report::{REPORT_SCHEMA, Report, SUMMARY_SCHEMA, Summary};
use clap::Args;
use serde::Deserialize;

use super::exit::{Exit, Failure};
use super::format::{Format, Show, offering};
use super::output::{FormOptions, tell};

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
    #[arg(required = true, value_name = "REPORT|-")]
    reports: Vec<PathBuf>,
    #[command(flatten)]
    form: FormOptions,
}

/// The member that every line must have.
#[derive(Deserialize)]
struct Kind {
    schema: String,
}

impl Merge {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let show = self.form.format.show(FORMATS)?;
        let (mut total, mut empty) = (Summary::default(), 0);
        for path in &self.reports {
            let sum = summary_of(path)?;
            if sum.is_none() {
                empty += 1;
                tell(&format!("{}: no report in it", path.display()));
            }
            total = total + sum.unwrap_or_default();
        }
        // One of many inputs may be empty; if all are, something went wrong before.
        let failed = total.failed > 0 || empty == self.reports.len();
        self.form.write(show, &total)?;
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
    let (mut total, mut line, mut number) = (None, Vec::new(), 0);
    while lines.read_until(b'\n', &mut line).map_err(failure)? > 0 {
        number += 1;
        // A report of `--format json`, which has many lines.
        if number == 1 && line.trim_ascii() == b"{" {
            lines.read_to_end(&mut line).map_err(failure)?;
        }
        if !line.trim_ascii().is_empty() {
            let read = read(&line).unwrap_or_else(|why| {
                tell(&format!("{name}: line {number}: {why}"));
                Summary::failure()
            });
            total = Some(total.unwrap_or_default() + read);
        }
        line.clear();
    }
    Ok(total)
}

fn read(line: &[u8]) -> Result<Summary, String> {
    let kind: Kind = serde_json::from_slice(line).map_err(|error| format!("no report: {error}"))?;
    match kind.schema.as_str() {
        REPORT_SCHEMA => {
            let report: Report = serde_json::from_slice(line).map_err(|error| error.to_string())?;
            Ok(Summary::of(&report))
        }
        SUMMARY_SCHEMA => serde_json::from_slice(line).map_err(|error| error.to_string()),
        other => Err(format!("neither {REPORT_SCHEMA} nor {SUMMARY_SCHEMA}, but {other:?}")),
    }
}
