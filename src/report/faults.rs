//! In: the findings of all devices, device by device. Out: the faults: each problem at each server once. Bounded: by the
//! distinct problems; of each [`NAMED`] devices and [`ENDPOINTS`] endpoints. Left to others: which devices are shown.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::chain::missing;
use super::fault::{Fault, FaultExample};
use super::finding::{address_field, key_of, short};
use super::handshake::handshake_id;
use super::places::Places;
use super::servers::{Servers, Span};
use super::stack::StackAnswer;
use crate::capture::{FrameRef, Timestamp};
use crate::diagnosis::{DeviceDiagnosis, Finding, Severity};
use crate::evidence::endpoint;

/// The first and the last frame of a finding.
pub(super) type Frames = Option<(FrameRef, FrameRef)>;

/// The most devices named in a fault.
const NAMED: usize = 64;

/// The most endpoints of one server that the filter of a fault names.
const ENDPOINTS: usize = 8;

/// The faults, in the order in which they were first seen.
#[derive(Default)]
pub(super) struct Faults {
    known: BTreeMap<String, usize>,
    faults: Vec<Known>,
}

/// One fault under construction.
struct Known {
    id: String,
    /// The gravest and surest finding, the first of such, and the device and handshake that it is about.
    lead: Finding,
    example: Option<FaultExample>,
    /// The device counted last, by index in the evidence: one with several such findings counts once.
    last_device: Option<usize>,
    devices_total: u64,
    devices: Vec<String>,
    handshakes_total: u64,
    times: Option<(Timestamp, Timestamp)>,
    endpoints: BTreeSet<SocketAddr>,
}

impl Faults {
    /// Adds a finding, and returns the index of its fault; what is only good to know is none. `device` is the device that
    /// shows it, with its `id`.
    pub(super) fn add(&mut self, finding: &Finding, device: Option<(&DeviceDiagnosis<'_>, &str)>) -> Option<usize> {
        let id = fault_id(finding, device.map(|(judged, _)| judged))?;
        let next = self.faults.len();
        let at = *self.known.entry(id).or_insert_with_key(|id| {
            self.faults.push(Known::new(id.clone(), finding.clone()));
            next
        });
        let fault = self.faults.get_mut(at)?;
        let rank = |finding: &Finding| (finding.severity, finding.proof);
        if fault.example.is_none() || rank(finding) > rank(&fault.lead) {
            fault.lead = finding.clone();
            fault.example = device.map(|(judged, id)| FaultExample {
                device: id.to_owned(),
                handshake: finding.handshake.and_then(|index| handshake_id(judged, index)),
            });
        }
        if let Some(server) = finding.server.filter(|_| fault.endpoints.len() < ENDPOINTS) {
            fault.endpoints.insert(server);
        }
        fault.count(device.map(|(judged, id)| (judged.device, id)), finding.occurrences, finding.frames);
        Some(at)
    }

    /// Adds a finding like one that was added: of another device, by its index and `id`, in frames of its own.
    pub(super) fn again(&mut self, fault: usize, device: (usize, &str), occurrences: u64, frames: Frames) {
        if let Some(fault) = self.faults.get_mut(fault) {
            fault.count(Some(device), occurrences, frames);
        }
    }

    /// Indices of the faults in the order of the report: most devices first, of equals the gravest, then those seen first.
    pub(super) fn ranked(&self) -> Vec<usize> {
        let mut ranked: Vec<(usize, &Known)> = self.faults.iter().enumerate().collect();
        ranked.sort_by_key(|(_, fault)| std::cmp::Reverse((fault.devices_total, fault.lead.severity)));
        ranked.into_iter().map(|(index, _)| index).collect()
    }

    /// The `id` of a fault.
    pub(super) fn id(&self, index: usize) -> Option<&str> {
        self.faults.get(index).map(|fault| fault.id.as_str())
    }

    /// The faults as people and machines read them, in the order of [`ranked`](Self::ranked).
    pub(super) fn members(&self, places: &Places<'_>, servers: &Servers, span: Option<&Span>) -> Vec<Fault> {
        let ranked = self.ranked().into_iter().filter_map(|index| self.faults.get(index));
        ranked.map(|fault| fault.member(places, servers, span)).collect()
    }
}

impl Known {
    fn new(id: String, lead: Finding) -> Self {
        Self {
            id,
            lead,
            example: None,
            last_device: None,
            devices_total: 0,
            devices: Vec::new(),
            handshakes_total: 0,
            times: None,
            endpoints: BTreeSet::new(),
        }
    }

    fn count(&mut self, device: Option<(usize, &str)>, occurrences: u64, frames: Frames) {
        if let Some((index, id)) = device.filter(|(index, _)| self.last_device != Some(*index)) {
            self.last_device = Some(index);
            self.devices_total += 1;
            if self.devices.len() < NAMED {
                self.devices.push(id.to_owned());
            }
        }
        self.handshakes_total += occurrences;
        if let Some((first, last)) = frames {
            let (from, to) = self.times.unwrap_or((first.time, last.time));
            self.times = Some((from.min(first.time), to.max(last.time)));
        }
    }

    fn member(&self, places: &Places<'_>, servers: &Servers, span: Option<&Span>) -> Fault {
        let Finding { code, severity, proof, .. } = self.lead;
        let (lead, rule) = (&self.lead, code.rule());
        let about_handshakes = lead.handshake.is_some();
        let timeline = span.zip(self.times).filter(|_| about_handshakes && self.devices_total > 1);
        Fault {
            id: self.id.clone(),
            code: rule.code.into(),
            name: rule.name.into(),
            severity,
            proof,
            server: lead.server.map(endpoint),
            server_name: lead.server_name.clone(),
            summary: lead.summary.clone(),
            certificates: lead.certificates.iter().map(|certificate| certificate.sha256().to_string()).collect(),
            missing: lead.missing.iter().map(|link| missing(places, link)).collect(),
            remedies: lead.remedies.clone(),
            stacks: lead.stacks.iter().map(|(stack, answer)| StackAnswer::of(stack, *answer)).collect(),
            devices_total: self.devices_total,
            devices: self.devices.clone(),
            handshakes_total: self.handshakes_total,
            first_time: self.times.map(|(first, _)| first.to_string()),
            last_time: self.times.map(|(_, last)| last.to_string()),
            example: self.example.clone(),
            filter: self.filter(),
            timeline: timeline.and_then(|(span, times)| servers.timeline(server_key(lead)?, span, times)),
        }
    }

    /// A display filter for the connections with this server.
    fn filter(&self) -> Option<String> {
        let with = |server: &SocketAddr| {
            let (field, address) = (address_field(server.ip()), server.ip());
            format!("({field}=={address} && tcp.port=={})", server.port())
        };
        let servers: Vec<String> = self.endpoints.iter().map(with).collect();
        (!servers.is_empty()).then(|| servers.join(" || "))
    }
}

/// The name by which a server is known in faults: its name, else its endpoint.
pub(super) fn server_key(finding: &Finding) -> Option<String> {
    finding.server_name.clone().or_else(|| finding.server.map(endpoint))
}

/// The `id` of the fault that a finding is a case of: code, server, leaf and missing keys (D-REPORT-11). A finding that is
/// only good to know is no fault.
pub(super) fn fault_id(finding: &Finding, judged: Option<&DeviceDiagnosis<'_>>) -> Option<String> {
    if finding.severity == Severity::Info {
        return None;
    }
    let handshake = finding.handshake.and_then(|index| judged?.handshakes.get(index));
    let leaf = handshake.and_then(|judged| judged.handshake.sent.first()).map(|leaf| short(leaf.sha256()));
    let missing: Vec<_> = finding.missing.iter().map(key_of).collect();
    let parts = [Some(finding.code.rule().code.to_owned()), server_key(finding), leaf, Some(missing.join("+"))];
    Some(parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"))
}
