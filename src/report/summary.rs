//! Many reports as one: counts that add up in any order and any grouping.
//!
//! In: reports, or summaries of reports. Out: [`Summary`], schema `chaingap.summary/1`. Bounded: by the distinct
//! findings, servers and missing certificates, not by the number of reports. Left to others: verdicts, which stay as
//! they were judged.
//!
//! Adding is associative and commutative, with the empty summary as its neutral element, so that any engine may add up
//! reports in parts and in any order: every member is a sum, a union, a minimum or a maximum.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Add;

use serde::{Deserialize, Serialize};

use super::model::{Finding, Proof, Report, Severity, Tool};

/// The value of a summary's `schema` member.
pub const SUMMARY_SCHEMA: &str = "chaingap.summary/1";

/// The sum of any number of reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Summary {
    /// [`SUMMARY_SCHEMA`].
    pub schema: String,
    /// The program that added them up.
    pub tool: Tool,
    /// Reports added.
    pub reports: u64,
    /// Lines that were not a report: the capture could not be read, or the run failed.
    pub failed: u64,
    /// Captures in the reports.
    pub captures: u64,
    /// Captures of which something could not be read.
    pub captures_with_problems: u64,
    /// Packets in the captures.
    pub packets: u64,
    /// Bytes of the captures.
    pub bytes: u64,
    /// Time of the earliest packet, to the second.
    pub first_time: Option<String>,
    /// Time of the latest packet, to the second.
    pub last_time: Option<String>,
    /// Handshakes.
    pub handshakes: u64,
    /// Devices; one that occurs in several reports counts in each.
    pub devices: u64,
    /// Number of devices, by the status of the verdict.
    pub verdicts: BTreeMap<String, u64>,
    /// Number of devices, by the method of the sign-in.
    pub sign_ins: BTreeMap<String, u64>,
    /// Findings by code.
    pub findings: BTreeMap<String, CodeCount>,
    /// Servers with errors or warnings, by the name that was asked for, else by endpoint.
    pub servers: BTreeMap<String, ServerCount>,
    /// Missing certificates, by subject and key identifier.
    pub missing: BTreeMap<String, MissingCount>,
}

/// How often one rule reported something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CodeCount {
    /// Its name.
    pub name: String,
    /// Findings.
    pub findings: u64,
    /// Occurrences, retries counted one by one.
    pub occurrences: u64,
    /// Findings that are errors.
    pub errors: u64,
    /// Findings that are warnings.
    pub warnings: u64,
    /// Findings that are proven.
    pub proven: u64,
    /// Findings that are inferred.
    pub inferred: u64,
    /// Findings that are undecidable.
    pub undecidable: u64,
}

/// What went wrong with one server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServerCount {
    /// Findings that are errors.
    pub errors: u64,
    /// Findings that are warnings.
    pub warnings: u64,
    /// Findings by code.
    pub codes: BTreeMap<String, u64>,
}

/// A missing certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MissingCount {
    /// Its subject.
    pub subject: String,
    /// Its key identifier, where it is known.
    pub key_id: Option<String>,
    /// Findings that name it as missing.
    pub findings: u64,
    /// Servers that did not send it.
    pub servers: BTreeSet<String>,
    /// Certificates that would do, by SHA-256.
    pub candidates: BTreeSet<String>,
    /// Addresses from which it can be fetched.
    pub aia: BTreeSet<String>,
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            schema: SUMMARY_SCHEMA.into(),
            tool: Tool::this(),
            reports: 0,
            failed: 0,
            captures: 0,
            captures_with_problems: 0,
            packets: 0,
            bytes: 0,
            first_time: None,
            last_time: None,
            handshakes: 0,
            devices: 0,
            verdicts: BTreeMap::new(),
            sign_ins: BTreeMap::new(),
            findings: BTreeMap::new(),
            servers: BTreeMap::new(),
            missing: BTreeMap::new(),
        }
    }
}

impl Summary {
    /// The summary of one report.
    pub fn of(report: &Report) -> Self {
        let mut summary = Self { reports: 1, ..Self::default() };
        for capture in &report.captures {
            summary.captures += 1;
            summary.captures_with_problems += u64::from(!capture.problems.is_empty());
            increase(&mut summary.packets, capture.packets);
            increase(&mut summary.bytes, capture.bytes);
            summary.first_time = earlier(summary.first_time.take(), capture.first_time.as_deref().and_then(second));
            summary.last_time = later(summary.last_time.take(), capture.last_time.as_deref().and_then(second));
        }
        for device in &report.devices {
            summary.devices += 1;
            increase(&mut summary.handshakes, device.handshakes_total);
            *summary.verdicts.entry(device.verdict.status.as_str().into()).or_default() += 1;
            *summary.sign_ins.entry(device.sign_in.method.as_str().into()).or_default() += 1;
        }
        report.findings.iter().for_each(|finding| summary.count(finding));
        summary
    }

    /// The summary of one line that was not a report.
    pub fn failure() -> Self {
        Self { failed: 1, ..Self::default() }
    }

    fn count(&mut self, finding: &Finding) {
        let is = |severity| u64::from(finding.severity == severity);
        let (errors, warnings) = (is(Severity::Error), is(Severity::Warning));
        let sure = |proof| u64::from(finding.proof == proof);
        self.findings.entry(finding.code.clone()).or_default().add(CodeCount {
            name: finding.name.clone(),
            findings: 1,
            occurrences: finding.occurrences,
            errors,
            warnings,
            proven: sure(Proof::Proven),
            inferred: sure(Proof::Inferred),
            undecidable: sure(Proof::Undecidable),
        });
        let server = finding.server_name.as_ref().or(finding.server.as_ref());
        if let Some(server) = server.filter(|_| finding.severity > Severity::Info) {
            let known = self.servers.entry(server.clone()).or_default();
            known.errors += errors;
            known.warnings += warnings;
            *known.codes.entry(finding.code.clone()).or_default() += 1;
        }
        for missing in &finding.missing {
            let key = format!("{} {}", missing.subject, missing.key_id.as_deref().unwrap_or("-"));
            self.missing.entry(key).or_default().add(MissingCount {
                subject: missing.subject.clone(),
                key_id: missing.key_id.clone(),
                findings: 1,
                servers: server.into_iter().cloned().collect(),
                candidates: missing.candidates.iter().map(|candidate| candidate.sha256.clone()).collect(),
                aia: missing.aia.iter().cloned().collect(),
            });
        }
    }
}

impl Add for Summary {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        increase(&mut self.reports, other.reports);
        increase(&mut self.failed, other.failed);
        increase(&mut self.captures, other.captures);
        increase(&mut self.captures_with_problems, other.captures_with_problems);
        increase(&mut self.packets, other.packets);
        increase(&mut self.bytes, other.bytes);
        self.first_time = earlier(self.first_time, other.first_time);
        self.last_time = later(self.last_time, other.last_time);
        increase(&mut self.handshakes, other.handshakes);
        increase(&mut self.devices, other.devices);
        add_counts(&mut self.verdicts, other.verdicts);
        add_counts(&mut self.sign_ins, other.sign_ins);
        for (code, count) in other.findings {
            self.findings.entry(code).or_default().add(count);
        }
        for (server, count) in other.servers {
            let known = self.servers.entry(server).or_default();
            increase(&mut known.errors, count.errors);
            increase(&mut known.warnings, count.warnings);
            add_counts(&mut known.codes, count.codes);
        }
        for (key, count) in other.missing {
            self.missing.entry(key).or_default().add(count);
        }
        self
    }
}

impl CodeCount {
    fn add(&mut self, other: Self) {
        self.name = other.name;
        increase(&mut self.findings, other.findings);
        increase(&mut self.occurrences, other.occurrences);
        increase(&mut self.errors, other.errors);
        increase(&mut self.warnings, other.warnings);
        increase(&mut self.proven, other.proven);
        increase(&mut self.inferred, other.inferred);
        increase(&mut self.undecidable, other.undecidable);
    }
}

impl MissingCount {
    fn add(&mut self, other: Self) {
        (self.subject, self.key_id) = (other.subject, other.key_id);
        increase(&mut self.findings, other.findings);
        self.servers.extend(other.servers);
        self.candidates.extend(other.candidates);
        self.aia.extend(other.aia);
    }
}

/// Saturates, because counts come from files that anyone may have written.
fn increase(count: &mut u64, by: u64) {
    *count = count.saturating_add(by);
}

fn add_counts(to: &mut BTreeMap<String, u64>, from: BTreeMap<String, u64>) {
    for (key, count) in from {
        increase(to.entry(key).or_default(), count);
    }
}

/// A time to the second, so that times of every precision compare as text.
fn second(time: &str) -> Option<String> {
    time.get(..19).map(|whole| format!("{whole}Z"))
}

fn earlier(a: Option<String>, b: Option<String>) -> Option<String> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn later(a: Option<String>, b: Option<String>) -> Option<String> {
    a.max(b)
}
