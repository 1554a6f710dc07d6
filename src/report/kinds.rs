//! In: judged devices, one after the other. Out: which of them are alike, and which are shown. Bounded: for each kind
//! [`OF_A_KIND`] devices and the address of each further one. Left to others: what a device did.
//!
//! Devices of one kind have the same verdict and findings, and met the same servers, certificates, alerts and outcomes in
//! the same order; equal attempts in a row count as one (D-REPORT-10).

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use super::addresses::Addresses;
use crate::diagnosis::{DeviceDiagnosis, Finding, Judged, VerdictStatus};
use crate::evidence::{Device, Fetch};
use crate::flow::Side;

/// The most devices shown in full, unless all are asked for.
const SHOWN: usize = 64;

/// The most devices of one kind that are shown if there are more than [`SHOWN`] in all.
const OF_A_KIND: usize = 3;

/// The devices by their kinds, in the order in which the kinds were first seen.
#[derive(Default)]
pub(crate) struct Kinds {
    known: BTreeMap<Vec<u8>, usize>,
    kinds: Vec<Kind>,
    /// The first devices whatever their kind: all of them are shown if there are no more.
    first: Vec<usize>,
    total: usize,
}

/// Devices that are alike.
pub(super) struct Kind {
    pub(super) verdict: VerdictStatus,
    /// The `id` of the first device.
    pub(super) like: String,
    /// The faults that each of them shows, by index.
    pub(super) faults: Vec<usize>,
    /// The first devices, by index in the evidence.
    first: Vec<First>,
    /// Addresses of the others.
    others: Addresses,
}

/// One of the first devices of a kind.
struct First {
    index: usize,
    address: IpAddr,
    id: String,
}

impl Kinds {
    /// Counts a device with its likes; returns the index of its kind. `faults` are those that it shows.
    pub(super) fn add(&mut self, judged: &DeviceDiagnosis<'_>, device: &Device, seen: Seen<'_>) -> usize {
        let next = self.kinds.len();
        let at = *self.known.entry(key(judged, device, seen.findings)).or_insert(next);
        if at == next {
            let (verdict, faults) = (judged.verdict.status, seen.faults);
            let like = seen.id.to_owned();
            self.kinds.push(Kind { verdict, like, faults, first: Vec::new(), others: Addresses::default() });
        }
        self.again(at, judged.device, device.address, seen.id);
        at
    }

    /// Counts another device of a kind, by its index in the evidence.
    pub(super) fn again(&mut self, kind: usize, index: usize, address: IpAddr, id: &str) {
        self.total += 1;
        if self.first.len() < SHOWN {
            self.first.push(index);
        }
        let Some(kind) = self.kinds.get_mut(kind) else { return };
        if kind.first.len() < OF_A_KIND {
            kind.first.push(First { index, address, id: id.to_owned() });
        } else {
            kind.others.push(address);
        }
    }

    /// The names of the devices that may be shown.
    pub(super) fn names(&self) -> BTreeMap<usize, String> {
        let first = self.kinds.iter().flat_map(|kind| &kind.first);
        first.map(|first| (first.index, first.id.clone())).collect()
    }

    /// The devices to show, by index in the evidence: all if they are few, else up to three of each kind, those of the
    /// kinds in `before` first.
    pub(super) fn shown(&self, before: &[usize]) -> BTreeSet<usize> {
        if self.total <= SHOWN {
            return self.first.iter().copied().collect();
        }
        let ahead = |kind: &Kind| before.iter().position(|fault| kind.faults.contains(fault)).unwrap_or(usize::MAX);
        let mut kinds: Vec<&Kind> = self.kinds.iter().collect();
        kinds.sort_by_key(|kind| ahead(kind));
        // The example of each fault before a second one of any kind.
        let rounds = (0..OF_A_KIND).flat_map(|round| kinds.iter().filter_map(move |kind| kind.first.get(round)));
        rounds.take(SHOWN).map(|first| first.index).collect()
    }

    /// The kinds of which devices are not shown, the most numerous first, each with the addresses of those devices.
    pub(super) fn groups(self, shown: &BTreeSet<usize>) -> Vec<(Kind, Addresses)> {
        if self.total <= SHOWN {
            return Vec::new();
        }
        let hidden = self.kinds.into_iter().map(|mut kind| {
            let others = std::mem::take(&mut kind.others);
            let first = kind.first.iter().filter(|first| !shown.contains(&first.index)).map(|first| first.address);
            let mut addresses: Addresses = first.collect();
            if addresses.is_empty() {
                addresses = others;
            } else {
                addresses.extend(others.iter());
            }
            (kind, addresses)
        });
        let mut hidden: Vec<_> = hidden.filter(|(_, addresses)| !addresses.is_empty()).collect();
        hidden.sort_by_key(|(_, addresses)| std::cmp::Reverse(addresses.len()));
        hidden
    }
}

/// What was found of a device.
pub(super) struct Seen<'a> {
    pub(super) id: &'a str,
    pub(super) findings: &'a [Finding],
    pub(super) faults: Vec<usize>,
}

/// What devices of one kind have in common, as bytes that are only compared.
fn key(judged: &DeviceDiagnosis<'_>, device: &Device, findings: &[Finding]) -> Vec<u8> {
    let mut key = Key::default();
    key.text(judged.verdict.status.as_str()).text(&judged.profile).text(judged.sign_in.method.as_str());
    for finding in findings {
        key.text(finding.code.rule().code).text(finding.severity.as_str()).text(finding.proof.as_str());
        match &finding.server_name {
            Some(name) => key.text(name),
            None => key.endpoint(finding.server),
        };
        for link in &finding.missing {
            key.bytes(link.subject.raw());
        }
    }
    let mut before = 0..0;
    for fetch in &device.fetches {
        before = key.attempt(before, |key| fetched(key, fetch));
    }
    for judged in &judged.handshakes {
        before = key.attempt(before, |key| attempted(key, judged));
    }
    key.0
}

fn fetched(key: &mut Key, fetch: &Fetch) {
    key.endpoint(Some(fetch.server)).text(&fetch.method).text(&fetch.url).number(fetch.status.unwrap_or(u32::MAX));
    key.number(u32::from(fetch.problem.is_some()));
    for (certificate, _) in &fetch.certificates {
        key.bytes(certificate.sha256().as_bytes());
    }
}

/// One attempt: the server, what it sent, how it ended, and how the chains of both sides were judged. The client's own
/// certificate may differ from device to device; its issuer may not.
fn attempted(key: &mut Key, judged: &Judged<'_>) {
    let (handshake, assessment) = (judged.handshake, &judged.assessment);
    key.endpoint(Some(handshake.server)).text(handshake.server_name().unwrap_or_default());
    key.text(handshake.ending.outcome.as_str()).text(assessment.chain.status.as_str());
    for certificate in &handshake.sent {
        key.bytes(certificate.sha256().as_bytes());
    }
    for alert in &handshake.tls.alerts {
        key.text(if alert.from == Side::Client { "client" } else { "server" });
        key.number(u32::from(alert.code.0)).number(u32::from(alert.fatal));
    }
    if let Some(own) = handshake.client_sent.first() {
        key.bytes(own.issuer().raw());
    }
    key.text(assessment.client_chain.as_ref().map_or("", |judgement| judgement.status.as_str()));
}

/// Parts, each with its length before it.
#[derive(Default)]
struct Key(Vec<u8>);

impl Key {
    fn bytes(&mut self, part: &[u8]) -> &mut Self {
        self.0.extend_from_slice(&part.len().to_le_bytes());
        self.0.extend_from_slice(part);
        self
    }

    fn text(&mut self, part: &str) -> &mut Self {
        self.bytes(part.as_bytes())
    }

    fn number(&mut self, part: u32) -> &mut Self {
        self.bytes(&part.to_le_bytes())
    }

    fn endpoint(&mut self, endpoint: Option<SocketAddr>) -> &mut Self {
        match endpoint.map(|endpoint| (endpoint.ip(), endpoint.port())) {
            Some((IpAddr::V4(ip), port)) => self.bytes(&ip.octets()).number(port.into()),
            Some((IpAddr::V6(ip), port)) => self.bytes(&ip.octets()).number(port.into()),
            None => self.bytes(&[]),
        }
    }

    /// Adds an attempt unless it equals the one before, whose place is given; returns the place of the last one.
    fn attempt(&mut self, before: Range<usize>, write: impl FnOnce(&mut Self)) -> Range<usize> {
        let start = self.0.len();
        write(self);
        let (all, attempt) = self.0.split_at(start);
        if !before.is_empty() && all.get(before.clone()) == Some(attempt) {
            self.0.truncate(start);
            return before;
        }
        start..self.0.len()
    }
}
