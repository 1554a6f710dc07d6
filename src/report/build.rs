//! In: evidence and diagnosis. Out: the report, all values as people and machines read them. Bounded: by both.

use std::collections::BTreeMap;

use super::certificate::certificates;
use super::device::Devices;
use super::finding::Findings;
use super::model;
use super::places::Places;
use crate::capture::CaptureSummary;
use crate::diagnosis::{Diagnosis, Trust};
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
    pub(crate) devices_left: usize,
    /// Show every handshake that was kept.
    pub(crate) all_handshakes: bool,
}

/// Puts the report together.
pub(crate) fn build(material: &Material<'_>) -> model::Report {
    let (evidence, diagnosis) = (material.evidence, material.diagnosis);
    let places = Places { captures: material.captures, evidence: Some(evidence), trust: material.trust };
    let ids = device_ids(material);
    let found = Findings { places, all: &diagnosis.findings, devices: &ids };
    let downloads = |device: &&Device| device.fetches.iter().any(Fetch::brought_over_http);
    let kept = (0..evidence.devices.len()).filter_map(|index| evidence.devices.get(index));
    let downloaders = kept.filter(downloads).take(2).collect();
    let shown = Devices { findings: found, downloaders, all_handshakes: material.all_handshakes };
    let findings: Vec<_> = diagnosis.findings.iter().map(|finding| found.finding(finding)).collect();
    let devices: Vec<_> = diagnosis.devices.iter().filter_map(|judged| shown.device(judged)).collect();
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
        certificates: certificates(&places, evidence, &devices, &findings),
        statistics: model::Statistics {
            packets: captures.iter().map(|capture| capture.packets).sum(),
            flows: material.flows,
            handshakes: evidence.handshakes,
            path_searches: diagnosis.path_searches,
            signature_checks: diagnosis.signature_checks,
        },
        captures,
        devices,
        findings,
    }
}

/// The name of each device: its address, with a number where several devices have it.
fn device_ids(material: &Material<'_>) -> BTreeMap<usize, String> {
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    let mut ids = BTreeMap::new();
    for judged in &material.diagnosis.devices {
        let Some(device) = material.evidence.devices.get(judged.device) else { continue };
        let address = device.address.to_string();
        let count = used.entry(address.clone()).or_default();
        *count += 1;
        ids.insert(judged.device, if *count == 1 { address } else { format!("{address}#{count}") });
    }
    ids
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
    let reasons = [
        (material.flows_dropped > 0, "more connections at once than are followed"),
        (evidence.devices_dropped().0 > 0 || material.devices_left > 0, "more devices than are kept"),
        (evidence.certificates.dropped() > 0, "more certificates than are kept"),
        (evidence.handshakes_dropped > 0, "more handshakes of one device than are kept"),
        (evidence.fetches_dropped > 0, "more downloads of one device than are kept"),
        (evidence.connected_dropped, "more servers than are remembered"),
    ];
    let why: Vec<_> = reasons.iter().filter(|(happened, _)| *happened).map(|(_, why)| *why).collect();
    let why = (!why.is_empty()).then(|| format!("{}; a verdict may suffer; --max-memory allows more", why.join(", ")));
    model::Dropped { flows: material.flows_dropped, bytes: 0, why }
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
