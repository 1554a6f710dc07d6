//! In: a finding of the diagnosis. Out: the same as people and machines read it, with a stable id. Bounded: by the finding.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::chain::missing;
use super::model;
use super::places::Places;
use super::stack::StackAnswer;
use crate::capture::FrameRef;
use crate::diagnosis::{DeviceDiagnosis, Finding};
use crate::evidence::{Device, endpoint};
use crate::trust::Missing;
use crate::x509::{Digest, hex};

/// All findings of a report, which name each other by their ids.
#[derive(Clone, Copy)]
pub(super) struct Findings<'a> {
    pub(super) places: Places<'a>,
    pub(super) all: &'a [Finding],
    /// The stable name of each device, by its index in the evidence.
    pub(super) devices: &'a BTreeMap<usize, String>,
}

impl<'a> Findings<'a> {
    /// The findings of one device.
    pub(super) fn of_device(&self, judged: &DeviceDiagnosis<'_>) -> &'a [Finding] {
        self.all.get(judged.findings.clone()).unwrap_or_default()
    }

    /// A finding of this device, if of any, which is a case of the fault of this `id`.
    pub(super) fn finding(&self, finding: &Finding, device: Option<&Device>, fault: Option<String>) -> model::Finding {
        let rule = finding.code.rule();
        model::Finding {
            id: self.id(finding),
            fault,
            code: rule.code.into(),
            name: rule.name.into(),
            severity: finding.severity,
            proof: finding.proof,
            device: finding.device.and_then(|index| self.devices.get(&index).cloned()),
            capture: finding.capture.map(|capture| self.places.path(capture)),
            stream: finding.stream.and_then(|stream| self.places.stream(stream, finding.capture?)),
            server: finding.server.map(endpoint),
            server_name: finding.server_name.clone(),
            occurrences: finding.occurrences,
            first_time: finding.frames.map(|(first, _)| first.time.to_string()),
            last_time: finding.frames.map(|(_, last)| last.time.to_string()),
            summary: finding.summary.clone(),
            evidence: finding.evidence.iter().map(|(at, what)| evidence(&self.places, *at, what)).collect(),
            excluded: finding.excluded.clone(),
            caused_by: self.cause(finding).map(|cause| self.id(cause)),
            recovered_by: finding.recovered_by.map(|at| self.places.place(at)),
            certificates: finding.certificates.iter().map(|c| c.sha256().to_string()).collect(),
            missing: finding.missing.iter().map(|link| missing(&self.places, link)).collect(),
            stacks: finding.stacks.iter().map(|(stack, answer)| StackAnswer::of(stack, *answer)).collect(),
            remedies: finding.remedies.clone(),
            filter: filter(finding, device, finding.handshake),
        }
    }

    /// The finding that another one follows from.
    fn cause(&self, finding: &Finding) -> Option<&Finding> {
        let code = finding.caused_by?;
        let is_cause =
            |other: &&Finding| other.code == code && other.device == finding.device && other.server == finding.server;
        self.all.iter().find(is_cause)
    }

    /// Stable over runs, paths and frames: code, device, server name or leaf, missing key (D-REPORT-01).
    pub(super) fn id(&self, finding: &Finding) -> String {
        let device = finding.device.and_then(|index| self.devices.get(&index).cloned()).unwrap_or_default();
        let leaf = finding.certificates.first().map(|leaf| short(leaf.sha256()));
        let server = finding.server_name.clone().or(leaf).or(finding.server.map(endpoint)).unwrap_or_default();
        let missing: Vec<_> = finding.missing.iter().map(key_of).collect();
        let parts = [finding.code.rule().code.to_owned(), device, server, missing.join("+")];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
    }
}

fn evidence(places: &Places<'_>, at: FrameRef, what: &str) -> model::Evidence {
    model::Evidence {
        capture: places.path(at.capture),
        frame: Some(at.number),
        offset: Some(at.offset),
        length: Some(u64::from(at.length)),
        what: what.to_owned(),
    }
}

/// A display filter by addresses, port and frames, because stream numbers differ between programs.
fn filter(finding: &Finding, device: Option<&Device>, handshake: Option<usize>) -> Option<String> {
    let device = device?;
    let handshake = handshake.and_then(|index| device.handshakes.get(index));
    let address = handshake.map_or(device.address, |handshake| handshake.client.ip());
    let mut parts = vec![format!("{}=={address}", address_field(address))];
    if let Some(server) = finding.server {
        parts.push(format!("tcp.port=={}", server.port()));
    }
    if let Some((first, last)) = finding.frames {
        parts.push(format!("frame.number>={} && frame.number<={}", first.number, last.number));
    }
    Some(parts.join(" && "))
}

/// The field of display filters that holds such an address.
pub(super) fn address_field(address: IpAddr) -> &'static str {
    if address.is_ipv6() { "ipv6.addr" } else { "ip.addr" }
}

/// The key of a missing certificate as ids have it: its key identifier, else the beginning of a digest of its name.
pub(super) fn key_of(missing: &Missing) -> String {
    match missing.below.authority_key_id().and_then(|id| id.key_id.as_deref()) {
        Some(key) => hex(key),
        None => short(Digest::of(missing.subject.raw())),
    }
}

/// The first 16 digits of a digest.
pub(super) fn short(digest: Digest) -> String {
    digest.to_string().chars().take(16).collect()
}
