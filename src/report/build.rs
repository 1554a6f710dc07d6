//! In: evidence and diagnosis. Out: the report, all values as people and machines read them. Bounded: by both.

use std::collections::{BTreeMap, BTreeSet};

use super::census::{Census, Counted};
use super::certificate::Listed;
use super::device::Devices;
use super::faults::fault_id;
use super::finding::Findings;
use super::model;
use super::places::Places;
use crate::capture::CaptureSummary;
use crate::diagnosis::{Diagnosis, Effort, Finding, Trust};
use crate::evidence::{Device, Evidence, Fetch};

/// What a report is made of.
pub(crate) struct Material<'a> {
    pub(crate) captures: &'a [(String, CaptureSummary)],
    pub(crate) evidence: &'a Evidence,
    pub(crate) diagnosis: &'a Diagnosis<'a>,
    pub(crate) trust: &'a Trust,
    pub(crate) options: model::Options,
    pub(crate) flows: u64,
    pub(crate) flows_dropped: u64,
    /// Searches and checks made for devices that are not shown.
    pub(crate) effort: Effort,
    /// Show every handshake that was kept.
    pub(crate) all_handshakes: bool,
    /// Show every device.
    pub(crate) all_devices: bool,
}

/// Puts the report together: the devices of the diagnosis in full, and of all devices what the census counted.
pub(crate) fn build(material: &Material<'_>, census: Census<'_>) -> model::Report {
    let (evidence, diagnosis) = (material.evidence, material.diagnosis);
    let ids = if material.all_devices { census.all_names() } else { census.names() };
    let found = Findings { places: material.places(), all: &diagnosis.findings, devices: &ids };
    let downloads = |device: &&Device| device.fetches.iter().any(Fetch::brought_over_http);
    let kept = (0..evidence.devices.len()).filter_map(|index| evidence.devices.get(index));
    let downloaders = kept.filter(downloads).take(2).collect();
    let view = Devices { findings: found, downloaders, all_handshakes: material.all_handshakes };
    let mut report = frame(material, census);
    let (mut listed, of_no_device) = (Listed::default(), std::mem::take(&mut report.findings));
    for judged in &diagnosis.devices {
        let Some(device) = evidence.devices.get(judged.device) else { continue };
        let reported = view.device(judged, device);
        listed.add_device(evidence, device, &reported);
        report.devices.push(reported);
        let own = found.of_device(judged).iter();
        report
            .findings
            .extend(own.map(|finding| found.finding(finding, Some(device), fault_id(finding, Some(judged)))));
    }
    report.findings.extend(of_no_device);
    report.findings.iter().for_each(|finding| listed.add_finding(finding));
    report.certificates = listed.members(&found.places, evidence);
    report
}

/// A report without devices and certificates, and with the findings that concern no device.
pub(super) fn frame(material: &Material<'_>, mut census: Census<'_>) -> model::Report {
    let (evidence, diagnosis, places) = (material.evidence, material.diagnosis, material.places());
    let of_no_device = material.findings_of_no_device();
    of_no_device.iter().for_each(|finding| census.add_finding(finding));
    let shown: BTreeSet<usize> = diagnosis.devices.iter().map(|judged| judged.device).collect();
    let Counted { groups, faults, totals } = census.counted(&places, &shown, material.all_devices);
    let nobody = BTreeMap::new();
    let found = Findings { places, all: &diagnosis.findings, devices: &nobody };
    let captures = captures(material);
    let dropped = dropped(material);
    let lacking = |summary: &CaptureSummary| !summary.problems.is_empty() || summary.cut_packets > 0;
    let damaged = material.captures.iter().any(|(_, summary)| lacking(summary));
    model::Report {
        schema: model::REPORT_SCHEMA.into(),
        tool: model::Tool::this(),
        options: material.options.clone(),
        complete: dropped.why.is_none() && !damaged,
        dropped,
        statistics: model::Statistics {
            packets: captures.iter().map(|capture| capture.packets).sum(),
            flows: material.flows,
            handshakes: evidence.handshakes,
            path_searches: diagnosis.path_searches.max(material.effort.path_searches),
            signature_checks: diagnosis.signature_checks.max(material.effort.signature_checks),
        },
        captures,
        totals,
        faults,
        devices: Vec::new(),
        groups,
        certificates: BTreeMap::new(),
        findings: of_no_device.iter().map(|finding| found.finding(finding, None, fault_id(finding, None))).collect(),
    }
}

impl<'a> Material<'a> {
    pub(super) fn places(&self) -> Places<'a> {
        Places { captures: self.captures, evidence: Some(self.evidence), trust: self.trust }
    }

    /// The findings behind those of the devices.
    fn findings_of_no_device(&self) -> &'a [Finding] {
        let start = self.diagnosis.devices.last().map_or(0, |judged| judged.findings.end);
        self.diagnosis.findings.get(start..).unwrap_or_default()
    }
}

fn captures(material: &Material<'_>) -> Vec<model::Capture> {
    let read = material.captures.iter().map(|(path, summary)| model::Capture {
        path: path.clone(),
        format: summary.format.map(|format| format.as_str().into()),
        compression: summary.compression.clone(),
        link_types: summary.link_types.iter().map(ToString::to_string).collect(),
        packets: summary.packets,
        bytes: summary.bytes,
        first_time: summary.times.map(|(first, _)| first.to_string()),
        last_time: summary.times.map(|(_, last)| last.to_string()),
        cut_packets: summary.cut_packets,
        problems: summary.problems.iter().cloned().chain(cut_in_words(summary)).collect(),
        notes: summary.notes.clone(),
    });
    read.collect()
}

fn dropped(material: &Material<'_>) -> model::Dropped {
    let evidence = material.evidence;
    let devices = match evidence.devices_dropped() {
        (_, false) => "more devices than are kept",
        (_, true) => "more devices than are kept, and more of those than are counted",
    };
    let reasons = [
        (material.flows_dropped > 0, "more connections at once than are followed"),
        (evidence.devices_dropped().0 > 0, devices),
        (evidence.certificates.dropped() > 0, "more certificates than are kept"),
        (evidence.handshakes_dropped > 0, "more handshakes of one device than are kept"),
        (evidence.fetches_dropped > 0, "more downloads of one device than are kept"),
        (evidence.connected_dropped, "more servers than are remembered"),
    ];
    let why: Vec<_> = reasons.iter().filter(|(happened, _)| *happened).map(|(_, why)| *why).collect();
    let why = (!why.is_empty()).then(|| format!("{}; a verdict may suffer; --max-memory allows more", why.join(", ")));
    model::Dropped { devices: evidence.devices_dropped().0, flows: material.flows_dropped, bytes: 0, why }
}

/// Which frames were cut, and to how many bytes.
fn cut_in_words(summary: &CaptureSummary) -> Option<String> {
    let (at, cut) = summary.first_cut?;
    let others = match summary.cut_packets {
        1 => String::new(),
        count => format!(", and {} more packets are cut as well", count - 1),
    };
    Some(format!("frame {} was cut when captured: {} of {} bytes are there{others}", at.number, cut.kept, cut.of))
}
