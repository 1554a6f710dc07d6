//! Which devices are shown, which are only counted with their likes, and which faults there are: the one place where that
//! is decided.
//!
//! In: judged devices with their findings, or devices like one that was judged, in the order of their first frames. Out: the
//! devices to show, the groups of the others, the faults, and sums over all. Bounded: by kinds of devices and distinct
//! faults, and an address for each device that is not shown. Left to others: the devices and findings in full.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::affected::Affected;
use super::fault::{CodeCount, Fault, Group, Totals};
use super::faults::Faults;
use super::kinds::{Kinds, Seen};
use super::places::Places;
use super::servers::{Servers, Span};
use crate::capture::CaptureSummary;
use crate::diagnosis::{self, DeviceDiagnosis, Finding};
use crate::evidence::Device;

/// All devices, counted.
pub(crate) struct Census<'e> {
    span: Option<Span>,
    kinds: Kinds,
    faults: Faults,
    servers: Servers,
    totals: Totals,
    names: Names,
    /// The names of all devices, if all are shown.
    all: BTreeMap<usize, String>,
    keep_names: bool,
    /// Told of every device that a fault affects.
    each: &'e mut dyn FnMut(&Affected),
}

/// What became of the devices.
pub(super) struct Counted {
    pub(super) groups: Vec<Group>,
    pub(super) faults: Vec<Fault>,
    pub(super) totals: Totals,
}

/// What devices alike have in common.
pub(crate) struct Alike {
    kind: usize,
    verdict: &'static str,
    sign_in: &'static str,
    findings: Vec<Common>,
}

/// A finding that devices alike have in common.
struct Common {
    /// Told of the device counted last.
    finding: Finding,
    /// The fault that it is a case of, and whether it is the first case of it.
    fault: Option<(usize, bool)>,
}

impl diagnosis::Census for Census<'_> {
    type Kind = Alike;

    fn first(&mut self, judged: &DeviceDiagnosis<'_>, device: &Device, findings: &[Finding]) -> Alike {
        let id = self.names.next(device.address);
        if self.keep_names {
            self.all.insert(judged.device, id.clone());
        }
        let mut met = BTreeSet::new();
        let common: Vec<Common> = findings
            .iter()
            .map(|finding| {
                let fault = self.faults.add(finding, Some((judged, &id)));
                Common { finding: finding.clone(), fault: fault.map(|fault| (fault, met.insert(fault))) }
            })
            .collect();
        let first_cases = common.iter().filter_map(|it| it.fault.filter(|(_, is_first)| *is_first));
        let faults = first_cases.map(|(fault, _)| fault).collect();
        let alike = Alike {
            kind: self.kinds.add(judged, device, Seen { id: &id, findings, faults }),
            verdict: judged.verdict.status.as_str(),
            sign_in: judged.sign_in.method.as_str(),
            findings: common,
        };
        self.count(&alike, device);
        alike
    }

    fn like(&mut self, alike: &mut Alike, index: usize, device: &Device) {
        let id = self.names.next(device.address);
        self.kinds.again(alike.kind, index, device.address, &id);
        for Common { finding, fault } in &mut alike.findings {
            finding.retell(index, device);
            if let Some((fault, _)) = fault {
                self.faults.again(*fault, (index, &id), finding.occurrences, finding.frames);
            }
        }
        self.count(alike, device);
    }
}

impl<'e> Census<'e> {
    /// Begins to count the devices of these captures, which have these addresses; `each` is told of every device that a
    /// fault affects. With `keep_names` the name of every device is kept.
    pub(crate) fn of(
        captures: &[(String, CaptureSummary)],
        addresses: Vec<IpAddr>,
        keep_names: bool,
        each: &'e mut dyn FnMut(&Affected),
    ) -> Self {
        Self {
            span: Span::of(captures),
            kinds: Kinds::default(),
            faults: Faults::default(),
            servers: Servers::default(),
            totals: Totals::default(),
            names: Names::of(addresses),
            all: BTreeMap::new(),
            keep_names,
            each,
        }
    }

    /// The devices to show, by index in the evidence, if not all are.
    pub(crate) fn shown(&self) -> BTreeSet<usize> {
        self.kinds.shown(&self.faults.ranked())
    }

    /// The names of the devices that may be shown.
    pub(super) fn names(&self) -> BTreeMap<usize, String> {
        self.kinds.names()
    }

    /// The names of all devices.
    pub(super) fn all_names(&self) -> BTreeMap<usize, String> {
        self.all.clone()
    }

    /// Counts a finding that concerns no device.
    pub(super) fn add_finding(&mut self, finding: &Finding) {
        self.tally(finding, finding.occurrences);
        self.faults.add(finding, None);
    }

    /// The groups of the devices that are not shown, the faults, and the sums.
    pub(super) fn counted(self, places: &Places<'_>, shown: &BTreeSet<usize>, all: bool) -> Counted {
        let faults = self.faults.members(places, &self.servers, self.span.as_ref());
        let hidden = if all { Vec::new() } else { self.kinds.groups(shown) };
        let groups = hidden.into_iter().map(|(kind, addresses)| Group {
            like: kind.like,
            verdict: kind.verdict,
            faults: kind.faults.iter().filter_map(|index| self.faults.id(*index).map(str::to_owned)).collect(),
            devices_total: u64::try_from(addresses.len()).unwrap_or(u64::MAX),
            addresses,
        });
        let groups = groups.collect();
        Counted { groups, faults, totals: self.totals }
    }

    /// Adds a device to the sums.
    fn count(&mut self, alike: &Alike, device: &Device) {
        for Common { finding, fault } in &alike.findings {
            self.tally(finding, finding.occurrences);
            if let Some((fault, true)) = fault {
                let id = self.faults.id(*fault).unwrap_or_default();
                (self.each)(&Affected::of(device, finding, finding.frames, id));
            }
        }
        if let Some(span) = &self.span {
            device.handshakes.iter().for_each(|handshake| self.servers.add(handshake, span));
        }
        let totals = &mut self.totals;
        totals.devices += 1;
        totals.handshakes += device.handshakes_total;
        *totals.verdicts.entry(alike.verdict.into()).or_default() += 1;
        *totals.sign_ins.entry(alike.sign_in.into()).or_default() += 1;
    }

    fn tally(&mut self, finding: &Finding, occurrences: u64) {
        let rule = finding.code.rule();
        let count = CodeCount::of(rule.name, finding.severity, finding.proof, occurrences);
        self.totals.findings.entry(rule.code.into()).or_default().add(count);
    }
}

/// The names of devices: the address, with a number where several devices have it.
struct Names {
    /// How many devices of each address that recurs were named.
    recurring: BTreeMap<IpAddr, u32>,
}

impl Names {
    /// The names of devices with these addresses.
    fn of(mut addresses: Vec<IpAddr>) -> Self {
        addresses.sort_unstable();
        let twice = addresses.windows(2).filter(|pair| pair.first() == pair.last());
        Self { recurring: twice.flatten().map(|address| (*address, 0)).collect() }
    }

    /// The name of the next device of this address.
    fn next(&mut self, address: IpAddr) -> String {
        let Some(count) = self.recurring.get_mut(&address) else { return address.to_string() };
        *count += 1;
        if *count == 1 { address.to_string() } else { format!("{address}#{count}") }
    }
}
