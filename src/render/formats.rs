//! In: nothing. Out: the formats of a report in one table, which the command line offers and the tests go through.
//! Left to others: the formats of what is not a report.

use std::io::{self, Write};

use super::html::html;
use super::json::{write_json, write_json_line};
use super::junit::junit;
use super::markdown::markdown;
use super::sarif::sarif;
use super::text::{TextStyle, text};
use crate::report::Report;

/// A format of reports.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// The endings of the names of files that have this format, without the dot.
    pub endings: &'static [&'static str],
    /// What it is for, as the help says.
    pub purpose: &'static str,
    /// Writes a report; only text heeds the style.
    pub write: fn(&Report, &TextStyle, &mut dyn Write) -> io::Result<()>,
}

impl Format {
    /// The report as text.
    pub fn show(&self, report: &Report, style: &TextStyle) -> String {
        let mut bytes = Vec::new();
        // Writing to memory does not fail.
        let _ = (self.write)(report, style, &mut bytes);
        String::from_utf8(bytes).unwrap_or_default()
    }
}

/// The formats of a report: another renderer is another row. JSON, which has a line for every device, is written as it is
/// made; the others have as many lines as there are faults.
pub const FORMATS: &[Format] = &[
    Format {
        name: "text",
        endings: &["txt", "text"],
        purpose: "For people",
        write: |report, style, out| out.write_all(text(report, style).as_bytes()),
    },
    Format {
        name: "json",
        endings: &["json"],
        purpose: "For programs",
        write: |report, _, out| write_json(report, out),
    },
    Format {
        name: "jsonl",
        endings: &["jsonl", "ndjson"],
        purpose: "For programs, a line for each capture",
        write: |report, _, out| write_json_line(report, out),
    },
    Format {
        name: "sarif",
        endings: &["sarif", "sarif.json"],
        purpose: "For code scanning, SARIF 2.1.0",
        write: |report, _, out| out.write_all(sarif(report).as_bytes()),
    },
    Format {
        name: "junit",
        endings: &["xml"],
        purpose: "For the test page of a CI job, JUnit XML",
        write: |report, _, out| out.write_all(junit(report).as_bytes()),
    },
    Format {
        name: "markdown",
        endings: &["md", "markdown"],
        purpose: "For a ticket or a job summary, GitHub-flavoured",
        write: |report, _, out| out.write_all(markdown(report).as_bytes()),
    },
    Format {
        name: "html",
        endings: &["html", "htm"],
        purpose: "For people, as one file to open in a browser, send or print",
        write: |report, _, out| out.write_all(html(report).as_bytes()),
    },
];
