//! Where things are, as reports write it: paths of captures, numbers of streams and frames, files that the user gave.
//!
//! In: what was read. Out: places. Bounded: by the places kept of each certificate. Left to others: what is there.

use super::model;
use crate::capture::{CaptureSummary, FrameRef};
use crate::diagnosis::Trust;
use crate::evidence::Evidence;
use crate::x509::Certificate;

/// What the places of a report are looked up in.
#[derive(Clone, Copy)]
pub(crate) struct Places<'a> {
    pub(crate) captures: &'a [(String, CaptureSummary)],
    /// `None` where a chain is judged without a capture.
    pub(crate) evidence: Option<&'a Evidence>,
    pub(crate) trust: &'a Trust,
}

impl Places<'_> {
    pub(super) fn path(&self, capture: u32) -> String {
        let index = usize::try_from(capture).unwrap_or(usize::MAX);
        self.captures.get(index).map(|(path, _)| path.clone()).unwrap_or_default()
    }

    /// A stream as Wireshark numbers it, which begins anew with each file.
    pub(super) fn stream(&self, stream: u64, capture: u32) -> Option<u64> {
        let recording = self.evidence?.recording_of(capture);
        (recording == capture).then_some(stream)
    }

    pub(super) fn place(&self, at: FrameRef) -> model::Place {
        model::Place { capture: self.path(at.capture), frame: at.number }
    }

    /// The file of the user's that holds a certificate.
    pub(super) fn file_of(&self, certificate: &Certificate) -> Option<String> {
        let trust = self.trust;
        let supplied = trust.roots.iter().chain(&trust.installed).chain(&trust.bundle);
        supplied.into_iter().find(|s| s.certificate.sha256() == certificate.sha256()).map(|s| s.file.clone())
    }

    /// Every place where a certificate was seen.
    pub(super) fn found(&self, certificate: &Certificate) -> Vec<model::Found> {
        let sightings = self.evidence.iter().flat_map(|all| all.certificates.sightings(certificate.sha256()));
        let seen = sightings.map(|sighting| model::Found {
            capture: self.path(sighting.at.capture),
            frame: Some(sighting.at.number),
            how: sighting.how.to_string(),
        });
        let trust = self.trust;
        let files = [(&trust.roots, "--roots"), (&trust.installed, "--installed"), (&trust.bundle, "--bundle")];
        let supplied = files.into_iter().flat_map(|(list, how)| {
            let same = list.iter().filter(|s| s.certificate.sha256() == certificate.sha256());
            same.map(move |s| model::Found { capture: s.file.clone(), frame: None, how: how.into() })
        });
        seen.chain(supplied).collect()
    }
}
