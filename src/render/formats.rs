//! In: nothing. Out: the formats of a report in one table, which the command line offers and the tests go through.
//! Left to others: the formats of what is not a report.

use super::html::html;
use super::json::{json, json_line};
use super::junit::junit;
use super::markdown::markdown;
use super::sarif::sarif;
use super::text::{TextStyle, text};
use crate::report::Report;

/// A format of reports.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is for, as the help says.
    pub purpose: &'static str,
    /// Shows a report; only text heeds the style.
    pub show: fn(&Report, &TextStyle) -> String,
}

/// The formats of a report: another renderer is another row.
pub const FORMATS: &[Format] = &[
    Format { name: "text", purpose: "For people", show: text },
    Format { name: "json", purpose: "For programs", show: |report, _| json(report) },
    Format { name: "jsonl", purpose: "For programs, a line for each capture", show: |report, _| json_line(report) },
    Format { name: "sarif", purpose: "For code scanning, SARIF 2.1.0", show: |report, _| sarif(report) },
    Format { name: "junit", purpose: "For the test page of a CI job, JUnit XML", show: |report, _| junit(report) },
    Format {
        name: "markdown",
        purpose: "For a ticket or a job summary, GitHub-flavoured",
        show: |report, _| markdown(report),
    },
    Format {
        name: "html",
        purpose: "For people, as one file to open in a browser, send or print",
        show: |report, _| html(report),
    },
];
