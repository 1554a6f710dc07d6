//! Many reports as one: counts that add up in any order and any grouping.
//!
//! In: reports, or summaries of reports. Out: [`Summary`], schema `chaingap.summary/2`. Bounded: by the distinct
//! faults, servers and missing certificates, not by the number of reports. Left to others: verdicts, which stay as
//! they were judged.
//!
//! Adding is associative and commutative, with the empty summary as its neutral element, so that any engine may add up
//! reports in parts and in any order: every member is a sum, a union, a minimum or a maximum.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Add;

use serde::{Deserialize, Serialize};

use super::fault::{CodeCount, Fault, increase};
use super::model::{Proof, Report, Severity, Tool};

/// The value of a summary's `schema` member.
pub const SUMMARY_SCHEMA: &str = "chaingap.summary/2";

/// The sum of any number of reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
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
    /// Devices judged; one that occurs in several reports counts in each.
    pub devices: u64,
    /// Devices that were not judged, beside those.
    pub devices_dropped: u64,
    /// Number of devices, by the status of the verdict.
    pub verdicts: BTreeMap<String, u64>,
    /// Number of devices, by the method of the sign-in.
    pub sign_ins: BTreeMap<String, u64>,
    /// Findings by code.
    pub findings: BTreeMap<String, CodeCount>,
    /// Faults, by their `id`, which is the same in every report.
    pub faults: BTreeMap<String, FaultCount>,
    /// Servers with errors or warnings, by the name that was asked for, else by endpoint.
    pub servers: BTreeMap<String, ServerCount>,
    /// Missing certificates, by subject and key identifier.
    pub missing: BTreeMap<String, MissingCount>,
}

/// One problem at one server, in all reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FaultCount {
    /// The rule's code, such as `CG001`.
    pub code: String,
    /// The rule's name.
    pub name: String,
    /// The gravest severity in any report.
    pub severity: Severity,
    /// The surest proof among the gravest.
    pub proof: Proof,
    /// What is wrong, in the sentence of the report with that severity and proof.
    pub summary: String,
    /// The server's endpoint in that report.
    pub server: Option<String>,
    /// The name by which the devices asked for it.
    pub server_name: Option<String>,
    /// Subjects of the missing links.
    pub missing: BTreeSet<String>,
    /// Devices that it affects.
    pub devices: u64,
    /// Handshakes, connections or fetches that show it.
    pub handshakes: u64,
    /// Time of the first of them, to the second.
    pub first_time: Option<String>,
    /// Time of the last of them, to the second.
    pub last_time: Option<String>,
}

/// What went wrong with one server. A device counts once for each fault that affects it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ServerCount {
    /// Devices affected by faults that are errors.
    pub errors: u64,
    /// Devices affected by faults that are warnings.
    pub warnings: u64,
    /// Devices affected, by the fault's code.
    pub codes: BTreeMap<String, u64>,
}

/// A missing certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MissingCount {
    /// Its subject.
    pub subject: String,
    /// Its key identifier, where it is known.
    pub key_id: Option<String>,
    /// Devices that lack it; a device counts once for each fault that names it.
    pub devices: u64,
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
            devices_dropped: 0,
            verdicts: BTreeMap::new(),
            sign_ins: BTreeMap::new(),
            findings: BTreeMap::new(),
            faults: BTreeMap::new(),
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
        let totals = &report.totals;
        (summary.devices, summary.handshakes) = (totals.devices, totals.handshakes);
        summary.devices_dropped = report.dropped.devices;
        summary.verdicts.clone_from(&totals.verdicts);
        summary.sign_ins.clone_from(&totals.sign_ins);
        summary.findings.clone_from(&totals.findings);
        report.faults.iter().for_each(|fault| summary.count(fault));
        summary
    }

    /// The summary of one line that was not a report.
    pub fn failure() -> Self {
        Self { failed: 1, ..Self::default() }
    }

    fn count(&mut self, fault: &Fault) {
        let devices = fault.devices_total;
        let server = fault.server_name.as_ref().or(fault.server.as_ref());
        if let Some(server) = server {
            let known = self.servers.entry(server.clone()).or_default();
            let count = if fault.severity == Severity::Error { &mut known.errors } else { &mut known.warnings };
            increase(count, devices);
            increase(known.codes.entry(fault.code.clone()).or_default(), devices);
        }
        for missing in &fault.missing {
            let key = format!("{} {}", missing.subject, missing.key_id.as_deref().unwrap_or("-"));
            self.missing.entry(key).or_default().add(MissingCount {
                subject: missing.subject.clone(),
                key_id: missing.key_id.clone(),
                devices,
                servers: server.into_iter().cloned().collect(),
                candidates: missing.candidates.iter().map(|candidate| candidate.sha256.clone()).collect(),
                aia: missing.aia.iter().cloned().collect(),
            });
        }
        self.add_fault(fault.id.clone(), FaultCount::of(fault));
    }

    fn add_fault(&mut self, id: String, count: FaultCount) {
        let sum = match self.faults.remove(&id) {
            Some(known) => known + count,
            None => count,
        };
        self.faults.insert(id, sum);
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
        increase(&mut self.devices_dropped, other.devices_dropped);
        add_counts(&mut self.verdicts, other.verdicts);
        add_counts(&mut self.sign_ins, other.sign_ins);
        for (code, count) in other.findings {
            self.findings.entry(code).or_default().add(count);
        }
        for (id, count) in other.faults {
            self.add_fault(id, count);
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

impl FaultCount {
    fn of(fault: &Fault) -> Self {
        Self {
            code: fault.code.clone(),
            name: fault.name.clone(),
            severity: fault.severity,
            proof: fault.proof,
            summary: fault.summary.clone(),
            server: fault.server.clone(),
            server_name: fault.server_name.clone(),
            missing: fault.missing.iter().map(|link| link.subject.clone()).collect(),
            devices: fault.devices_total,
            handshakes: fault.handshakes_total,
            first_time: fault.first_time.as_deref().and_then(second),
            last_time: fault.last_time.as_deref().and_then(second),
        }
    }

    /// What the gravest and surest of two speaks for; of equals, whichever comes first by its words.
    fn rank(&self) -> impl Ord + '_ {
        let words = (&self.summary, &self.server, &self.server_name, &self.code, &self.name);
        (self.severity, self.proof, std::cmp::Reverse(words))
    }
}

impl Add for FaultCount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (mut sum, other) = if self.rank() >= other.rank() { (self, other) } else { (other, self) };
        sum.missing.extend(other.missing);
        increase(&mut sum.devices, other.devices);
        increase(&mut sum.handshakes, other.handshakes);
        sum.first_time = earlier(sum.first_time, other.first_time);
        sum.last_time = later(sum.last_time, other.last_time);
        sum
    }
}

impl MissingCount {
    fn add(&mut self, other: Self) {
        (self.subject, self.key_id) = (other.subject, other.key_id);
        increase(&mut self.devices, other.devices);
        self.servers.extend(other.servers);
        self.candidates.extend(other.candidates);
        self.aia.extend(other.aia);
    }
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
