//! Expectations: `NAME.expect.toml`, schema `chaingap.expect/1`.
//!
//! In: the text of a file. Out: the captures and options that it names, how a report of them differs from what it
//! expects, and the file rewritten to match a report. Bounded: by the text and the report. Left to others: reading the
//! captures and running (`chaingap check`).

use std::path::PathBuf;

use serde::Deserialize;

use crate::diagnosis::rule_named;
use crate::report::{Device, Difference, Finding, Report, Severity};

/// The schema of expectation files.
const SCHEMA: &str = "chaingap.expect/1";

/// One expectation file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    schema: String,
    /// What happens in the captures, and how they were made.
    pub description: String,
    /// What was recorded in place of a real phone or server; for people.
    pub stand_in: String,
    /// The version of chaingap for which the file was written; findings of later rules are no difference.
    since: Option<String>,
    /// Whether informational findings count too.
    #[serde(default)]
    strict: bool,
    /// The captures, in the order in which they are read; paths are relative to the file.
    pub captures: Vec<PathBuf>,
    /// Options of the run.
    #[serde(default)]
    pub options: Options,
    /// What is expected of each device.
    #[serde(default, rename = "device")]
    pub devices: Vec<ExpectedDevice>,
    /// Expected findings that belong to no device.
    #[serde(default, rename = "finding")]
    pub findings: Vec<ExpectedFinding>,
}

/// Options of the run, named as those of `chaingap analyze`; paths are relative to the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// `auto`, `none`, the name of a profile, or a file that ends in `.toml`.
    pub profile: Option<String>,
    /// Files of trusted roots.
    #[serde(default)]
    pub roots: Vec<PathBuf>,
    /// Files of certificates that are installed on the device.
    #[serde(default)]
    pub installed: Vec<PathBuf>,
    /// Files of further certificates, which are not trusted.
    #[serde(default)]
    pub bundle: Vec<PathBuf>,
    /// A key log.
    pub keylog: Option<PathBuf>,
    /// The address of the only device to judge.
    pub device: Option<String>,
    /// `auto`, `pin` or `usb`.
    pub sign_in: Option<String>,
    /// The time at which certificates are judged.
    pub at: Option<String>,
}

/// What is expected of one device.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedDevice {
    /// Its id in the report: its address.
    pub device: String,
    /// The status of its verdict.
    pub verdict: String,
    /// How it signs in.
    pub sign_in: String,
    /// Findings about it.
    #[serde(default, rename = "finding")]
    pub findings: Vec<ExpectedFinding>,
}

/// One expected finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedFinding {
    /// The name of the rule, such as `missing-intermediate`.
    pub name: String,
    /// How serious it is.
    pub severity: String,
    /// How sure it is.
    pub proof: String,
    /// Subjects of the missing certificates, if the finding is about any.
    #[serde(default)]
    pub missing: Vec<String>,
}

impl ExpectedFinding {
    fn of(finding: &Finding) -> Self {
        Self {
            name: finding.name.clone(),
            severity: finding.severity.as_str().into(),
            proof: finding.proof.as_str().into(),
            missing: finding.missing.iter().map(|missing| missing.subject.clone()).collect(),
        }
    }

    fn in_words(&self) -> String {
        let missing = if self.missing.is_empty() { String::new() } else { format!(" [{}]", self.missing.join("; ")) };
        format!("{} {} {}{missing}", self.name, self.severity, self.proof)
    }
}

impl Expectation {
    /// Reads a file's text.
    ///
    /// # Errors
    /// Says why the text is no expectation; also when it would check nothing, because nobody would notice.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if read.schema != SCHEMA {
            return Err(format!("schema is {:?}, not {SCHEMA:?}", read.schema));
        }
        if read.captures.is_empty() {
            return Err("captures names no capture, so that nothing would be checked".into());
        }
        match read.since.as_deref().filter(|since| numbers(since).is_none()) {
            Some(since) => Err(format!("since: {since:?} is no version of chaingap such as 0.1.0")),
            None => Ok(read),
        }
    }

    /// How a report differs from what is expected; empty if it does not.
    pub fn differences(&self, report: &Report) -> Vec<Difference> {
        let mut out = Vec::new();
        for expected in &self.devices {
            let Some(device) = report.devices.iter().find(|device| device.id == expected.device) else {
                out.push(difference(&expected.device, "verdict", Some(&expected.verdict), None));
                continue;
            };
            let mut differ = |what: &str, expected: &str, got: &str| {
                if expected != got {
                    out.push(difference(&device.id, what, Some(expected), Some(got)));
                }
            };
            differ("verdict", &expected.verdict, device.verdict.status.as_str());
            differ("sign-in", &expected.sign_in, device.sign_in.method.as_str());
            out.extend(self.compare(&device.id, &expected.findings, &self.counting(report, Some(&device.id))));
        }
        let known = |device: &&Device| self.devices.iter().any(|expected| expected.device == device.id);
        for device in report.devices.iter().filter(|device| !known(device)) {
            out.push(difference(&device.id, "verdict", None, Some(device.verdict.status.as_str())));
        }
        out.extend(self.compare("captures", &self.findings, &self.counting(report, None)));
        out
    }

    /// The findings of a report about a device (`None`: about no device) that this expectation compares.
    fn counting(&self, report: &Report, device: Option<&str>) -> Vec<ExpectedFinding> {
        let own = report.findings.iter().filter(|finding| finding.device.as_deref() == device);
        let counts =
            own.filter(|finding| (self.strict || finding.severity > Severity::Info) && !self.is_newer(finding));
        counts.map(ExpectedFinding::of).collect()
    }

    /// Whether the finding's rule is newer than the version for which the file was written.
    fn is_newer(&self, finding: &Finding) -> bool {
        let file = self.since.as_deref().and_then(numbers);
        let rule = rule_named(&finding.code).and_then(|rule| numbers(rule.since));
        file.zip(rule).is_some_and(|(file, rule)| rule > file)
    }

    fn compare(&self, whose: &str, expected: &[ExpectedFinding], got: &[ExpectedFinding]) -> Vec<Difference> {
        let (mut expected, mut got) = (expected.to_vec(), got.to_vec());
        expected.retain(|wanted| match got.iter().position(|found| found == wanted) {
            Some(at) => {
                got.remove(at);
                false
            }
            None => true,
        });
        // A reported finding with the name of an expected one is shown beside it: it differs in severity, proof or
        // subjects.
        let mut out = Vec::new();
        for wanted in &expected {
            let same = got.iter().position(|found| found.name == wanted.name).map(|at| got.remove(at).in_words());
            out.push(difference(whose, "finding", Some(&wanted.in_words()), same.as_deref()));
        }
        out.extend(got.iter().map(|found| difference(whose, "finding", None, Some(&found.in_words()))));
        out
    }

    /// The text of the file with its devices and findings replaced by those of a report; everything before them stays, and
    /// lines end as they did.
    ///
    /// # Errors
    /// If rewriting would lose something else in the file (D-CLI-05).
    pub fn updated(&self, text: &str, report: &Report) -> Result<String, String> {
        let out = self.rewritten(text, report);
        let holds = |new: Self| new.differences(report).is_empty();
        if apart_from_results(text) == apart_from_results(&out) && Self::parse(&out).is_ok_and(holds) {
            return Ok(out);
        }
        let why = "it differs, and is left as it is: --update writes anew all from the first line [[device]] or \
                   [[finding]] on, and would lose what else stands there, or is in another notation; rewrite it by \
                   hand, or move what is yours before that line";
        Err(why.into())
    }

    /// The text up to its first table of results, and new tables after it.
    fn rewritten(&self, text: &str, report: &Report) -> String {
        let kept: Vec<_> = text.lines().take_while(|line| !begins_results(line)).collect();
        let mut out = format!("{}\n", kept.join("\n").trim_end());
        let findings = |header: &str, device: Option<&str>| {
            let mut text = String::new();
            for finding in self.counting(report, device) {
                let list: Vec<_> = finding.missing.iter().map(|subject| toml_string(subject)).collect();
                text += &format!(
                    "\n[[{header}]]\nname = {}\nseverity = {}\nproof = {}\n",
                    toml_string(&finding.name),
                    toml_string(&finding.severity),
                    toml_string(&finding.proof)
                );
                if !list.is_empty() {
                    text += &format!("missing = [{}]\n", list.join(", "));
                }
            }
            text
        };
        for device in &report.devices {
            out += &format!(
                "\n[[device]]\ndevice = {}\nverdict = {}\nsign_in = {}\n",
                toml_string(&device.id),
                toml_string(device.verdict.status.as_str()),
                toml_string(device.sign_in.method.as_str())
            );
            out += &findings("device.finding", Some(&device.id));
        }
        out += &findings("finding", None);
        let is_crlf = text.split_inclusive('\n').next().is_some_and(|line| line.ends_with("\r\n"));
        if is_crlf { out.replace('\n', "\r\n") } else { out }
    }
}

/// Whether a line is the head of a table of results, with or without a comment behind it.
fn begins_results(line: &str) -> bool {
    let head = line.split('#').next().unwrap_or_default();
    matches!(head.split_whitespace().collect::<String>().as_str(), "[[device]]" | "[[finding]]")
}

/// The file without its devices and findings; `None` if it is not TOML.
fn apart_from_results(text: &str) -> Option<toml::Table> {
    let mut table: toml::Table = toml::from_str(text).ok()?;
    table.remove("device");
    table.remove("finding");
    Some(table)
}

/// The numbers of a version.
fn numbers(version: &str) -> Option<Vec<u64>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

fn difference(whose: &str, what: &str, expected: Option<&str>, got: Option<&str>) -> Difference {
    let about = format!("{whose} {what}");
    Difference { about, expected: expected.map(str::to_owned), got: got.map(str::to_owned) }
}

fn toml_string(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
