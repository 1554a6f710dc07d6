//! `chaingap merge`: sums any number of JSON Lines reports into one summary.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use chaingap::render;
use chaingap::report::{REPORT_SCHEMA, Report, SUMMARY_SCHEMA, Summary};
use clap::Args;
use serde::Deserialize;

use super::output::{FormOptions, Format, Show, tell};
use super::{Exit, Failure};

/// The formats of a summary; JSON is one line, fit to be merged again.
const FORMATS: &[(Format, Show<Summary>)] = &[
    (Format::Text, render::summary_text),
    (Format::Json, |summary, _| render::summary_json(summary)),
    (Format::Jsonl, |summary, _| render::summary_json(summary)),
];

/// `chaingap merge`.
#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// Reports or summaries, one a line, or - for standard input
    #[arg(required = true, value_name = "REPORT|-")]
    reports: Vec<PathBuf>,
    #[command(flatten)]
    form: FormOptions,
}

/// What every line must say of itself.
#[derive(Deserialize)]
struct Kind {
    schema: String,
}

impl Merge {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let show = self.form.show(FORMATS)?;
        let mut total = Summary::default();
        for path in &self.reports {
            total = total + summary_of(path)?;
        }
        let failed = total.failed > 0;
        self.form.write(show, &total)?;
        Ok(if failed { Exit::Failed } else { Exit::Clean })
    }
}

/// The sum of one file's lines. A line that is no report is counted and told; the others are unharmed.
fn summary_of(path: &Path) -> Result<Summary, Failure> {
    let name = path.display();
    let failure = |error: io::Error| Failure(format!("{name}: {error}"));
    let mut lines: Box<dyn BufRead> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin().lock()),
        false => Box::new(BufReader::new(File::open(path).map_err(failure)?)),
    };
    let (mut total, mut line, mut number) = (Summary::default(), Vec::new(), 0);
    while lines.read_until(b'\n', &mut line).map_err(failure)? > 0 {
        number += 1;
        if !line.trim_ascii().is_empty() {
            let read = read(&line).unwrap_or_else(|why| {
                tell(&format!("{name}: line {number}: {why}"));
                Summary::failure()
            });
            total = total + read;
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
