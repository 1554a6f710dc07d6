//! The members of a report that speak of all devices, shown or not: faults, groups of devices alike, and sums.
//!
//! In: nothing. Out: plain data, serializable both ways. Left to others: where the values come from (`census`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::addresses::Addresses;
use super::missing::Missing;
use super::stack::StackAnswer;
use crate::diagnosis::{Severity, VerdictStatus};
use crate::trust::Proof;

/// One problem at one server, however many devices it affects: findings with the same code, server, leaf and missing links.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Fault {
    /// Stable name of the fault over runs, paths, frames and devices.
    pub id: String,
    /// The rule's code, such as `CG001`.
    pub code: String,
    /// The rule's name, such as `missing-intermediate`.
    pub name: String,
    /// The gravest severity of its findings: `error` or `warning`.
    pub severity: Severity,
    /// The surest proof among the gravest of its findings.
    pub proof: Proof,
    /// The server's endpoint; of several with one name, the first that was seen.
    pub server: Option<String>,
    /// The name by which the devices asked for it (SNI).
    pub server_name: Option<String>,
    /// What is wrong, in one sentence about the example.
    pub summary: String,
    /// The server's certificates that it is about, by SHA-256.
    pub certificates: Vec<String>,
    /// The missing links.
    pub missing: Vec<Missing>,
    /// What to do, each a command or a plain instruction.
    pub remedies: Vec<String>,
    /// What TLS stacks were measured to do about it, those of the example.
    pub stacks: Vec<StackAnswer>,
    /// How many devices it affects.
    pub devices_total: u64,
    /// `id`s of the first 64 of them.
    pub devices: Vec<String>,
    /// How many handshakes, connections or fetches show it.
    pub handshakes_total: u64,
    /// Time of the first of them.
    pub first_time: Option<String>,
    /// Time of the last of them.
    pub last_time: Option<String>,
    /// The device that shows it best; null where it concerns no device.
    pub example: Option<FaultExample>,
    /// Wireshark display filter for the connections with its server; null where it has none.
    pub filter: Option<String>,
    /// When it began or ended; null unless that is within the captures.
    pub timeline: Option<Timeline>,
}

/// The device that shows a fault best.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FaultExample {
    /// `id` of the device.
    pub device: String,
    /// `id` of the handshake; null where it is about none.
    pub handshake: Option<String>,
}

/// A fault that began or ended within the captures: while it lasted, no handshake with its server completed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Timeline {
    /// Time of the first packet of the captures.
    pub from: String,
    /// Time of their last packet.
    pub to: String,
    /// Handshakes with its server that completed before it began; 0 if it did not begin within the captures.
    pub completed_before: u64,
    /// Handshakes with its server that completed after it had ended; 0 if it did not end within the captures.
    pub completed_after: u64,
    /// Handshakes with its server that completed, in equal parts of that time.
    pub completed: Vec<u64>,
    /// Those that did not, likewise.
    pub failed: Vec<u64>,
}

/// Devices that are alike, of which only some are shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Group {
    /// `id` of the device that they are like; the first devices of each kind are shown as long as there is room.
    pub like: String,
    /// The verdict on each of them.
    pub verdict: VerdictStatus,
    /// `id`s of the faults that each of them shows, the headline's first.
    pub faults: Vec<String>,
    /// How many of them are not shown.
    pub devices_total: u64,
    /// The addresses of those not shown, one a device.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub addresses: Addresses,
}

/// Sums over all devices, shown or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Totals {
    /// Devices judged.
    pub devices: u64,
    /// Handshakes that they made.
    pub handshakes: u64,
    /// Number of devices, by the status of the verdict.
    pub verdicts: BTreeMap<String, u64>,
    /// Number of devices, by the method of the sign-in.
    pub sign_ins: BTreeMap<String, u64>,
    /// Findings by code.
    pub findings: BTreeMap<String, CodeCount>,
}

/// How often one rule reported something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
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

impl CodeCount {
    /// One finding.
    pub(super) fn of(name: &str, severity: Severity, proof: Proof, occurrences: u64) -> Self {
        let is = |expected: Severity| u64::from(severity == expected);
        let sure = |expected: Proof| u64::from(proof == expected);
        Self {
            name: name.to_owned(),
            findings: 1,
            occurrences,
            errors: is(Severity::Error),
            warnings: is(Severity::Warning),
            proven: sure(Proof::Proven),
            inferred: sure(Proof::Inferred),
            undecidable: sure(Proof::Undecidable),
        }
    }

    pub(super) fn add(&mut self, other: Self) {
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

/// Saturates, because counts come from files that anyone may have written.
pub(super) fn increase(count: &mut u64, by: u64) {
    *count = count.saturating_add(by);
}
