//! In: judged devices, one after the other, twice. Out: a report of every device, as it is written. Bounded: by one device,
//! what the census counted, and the names of all devices. Left to others: what a device looks like (`device`).
//!
//! The report of a hundred thousand devices would take gigabytes; no more than one of them is held (D-REPORT-12).

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::ser::{Error, SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};

use super::build::{Material, frame};
use super::census::Census;
use super::certificate::Listed;
use super::device::Devices;
use super::faults::fault_id;
use super::finding::Findings;
use super::model;
use super::places::Places;
use crate::diagnosis::{self, Case, DeviceDiagnosis, Effort, Finding, judge_each};
use crate::evidence::{Device, Fetch, Held};

/// A report of every device, whose devices are judged and put into words while it is serialized; the result is that of
/// serializing the [`Report`](model::Report) with all of them.
pub struct EveryDevice<'a> {
    frame: model::Report,
    case: Case<'a>,
    places: Places<'a>,
    devices: diagnosis::Devices,
    names: BTreeMap<usize, String>,
    all_handshakes: bool,
}

impl<'a> EveryDevice<'a> {
    /// A report of these devices, all of which the census counted.
    pub(crate) fn of(material: &Material<'_>, case: Case<'a>, devices: diagnosis::Devices, census: Census<'_>) -> Self {
        let places = Places { captures: case.captures, evidence: Some(case.evidence), trust: case.trust };
        let names = census.all_names();
        let all_handshakes = material.all_handshakes;
        Self { frame: frame(material, census), case, places, devices, names, all_handshakes }
    }

    /// The report without devices, their findings and certificates.
    pub fn frame(&self) -> &model::Report {
        &self.frame
    }

    /// Shows each device with what all have in common.
    fn each(&self, show: &mut dyn FnMut(&Devices<'_>, &Device, &DeviceDiagnosis<'_>)) -> Effort {
        let held = self.case.evidence.devices.glances().filter(|glance| !glance.shape.fetches.is_empty());
        let held = held.filter_map(|glance| self.case.evidence.devices.held(glance.index));
        let downloads = |device: &Held<'_>| device.fetches.iter().any(Fetch::brought_over_http);
        let downloaders: Vec<Held<'_>> = held.filter(downloads).take(2).collect();
        judge_each(&self.case, &self.devices, &mut |device, judged, all: &[Finding]| {
            let findings = Findings { places: self.places, all, devices: &self.names };
            let downloaders = downloaders.iter().map(|held| &**held).collect();
            show(&Devices { findings, downloaders, all_handshakes: self.all_handshakes }, device, judged);
        })
    }

    /// Shows each finding of each device.
    fn each_finding(&self, show: &mut dyn FnMut(&model::Finding)) {
        self.each(&mut |view, device, judged| {
            for finding in view.findings.of_device(judged) {
                show(&view.findings.finding(finding, Some(device), fault_id(finding, Some(judged))));
            }
        });
    }
}

impl Serialize for EveryDevice<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let model::Report {
            schema,
            tool,
            options,
            complete,
            dropped,
            captures,
            totals,
            faults,
            devices: _,
            groups,
            certificates: _,
            findings: of_no_device,
            statistics,
        } = &self.frame;
        let mut report = serializer.serialize_struct("Report", 13)?;
        report.serialize_field("schema", schema)?;
        report.serialize_field("tool", tool)?;
        report.serialize_field("options", options)?;
        report.serialize_field("complete", complete)?;
        report.serialize_field("dropped", dropped)?;
        report.serialize_field("captures", captures)?;
        report.serialize_field("totals", totals)?;
        report.serialize_field("faults", faults)?;
        let noted = RefCell::new((Listed::default(), Effort::default()));
        report.serialize_field(
            "devices",
            &Each(&|put: &mut dyn FnMut(&model::Device)| {
                let mut listed = Listed::default();
                let effort = self.each(&mut |view, device, judged| {
                    let reported = view.device(judged, device);
                    listed.add_device(self.case.evidence, device, &reported);
                    let found = view.findings.of_device(judged).iter();
                    found.for_each(|finding| listed.add_finding(&view.findings.finding(finding, Some(device), None)));
                    put(&reported);
                });
                noted.replace((listed, effort));
            }),
        )?;
        report.serialize_field("groups", groups)?;
        let (mut listed, effort) = noted.into_inner();
        of_no_device.iter().for_each(|finding| listed.add_finding(finding));
        report.serialize_field("certificates", &listed.members(&self.places, self.case.evidence))?;
        report.serialize_field(
            "findings",
            &Each(&|put: &mut dyn FnMut(&model::Finding)| {
                self.each_finding(put);
                of_no_device.iter().for_each(put);
            }),
        )?;
        let Effort { path_searches, signature_checks } = effort;
        let statistics = model::Statistics { path_searches, signature_checks, ..statistics.clone() };
        report.serialize_field("statistics", &statistics)?;
        report.end()
    }
}

/// Shows each item of a list.
type Show<'a, T> = &'a dyn Fn(&mut dyn FnMut(&T));

/// A list whose items are made one after the other.
struct Each<'a, T>(Show<'a, T>);

impl<T: Serialize> Serialize for Each<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let mut failure = None;
        (self.0)(&mut |item| {
            if failure.is_none() {
                failure = list.serialize_element(item).err();
            }
        });
        match failure {
            Some(failure) => Err(S::Error::custom(failure)),
            None => list.end(),
        }
    }
}
