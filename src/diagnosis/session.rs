//! In: one device, what is trusted, and its judged handshakes. Out: what every rule looks at. Bounded: by the evidence.
//! Left to others: every conclusion.

use super::anchors::DeviceAnchors;
use super::clock::DeviceClock;
use super::code::Code;
use super::earlier::Earlier;
use super::finding::{Finding, ProfileBasis, Severity};
use super::judged::Judged;
use super::offers::Offers;
use crate::capture::{CaptureSummary, FrameRef};
use crate::evidence::{Device, Evidence, SignInMethod};
use crate::trust::{Profile, Proof};

/// A note about a handshake: its summary, the frames that show it, and the remedies.
pub(super) type Note = (String, Vec<(FrameRef, String)>, Vec<String>);

/// What the rules look at: one device with everything that bears on it.
pub(super) struct Session<'a> {
    pub(super) evidence: &'a Evidence,
    /// The device's capture.
    pub(super) capture: Option<&'a CaptureSummary>,
    pub(super) device: &'a Device,
    /// Index of the device in the evidence.
    pub(super) index: usize,
    /// Whether it is a phone: recognized in the capture, or named by the user.
    pub(super) is_phone: bool,
    pub(super) profile: &'a Profile,
    pub(super) basis: ProfileBasis,
    pub(super) anchors: &'a DeviceAnchors<'a>,
    pub(super) offers: &'a Offers,
    pub(super) earlier: &'a Earlier,
    pub(super) clock: Option<&'a DeviceClock>,
    pub(super) sign_in: SignInMethod,
    pub(super) handshakes: &'a [Judged<'a>],
}

impl Session<'_> {
    /// Whether what only helps Lync phones is worth saying: the device is one, or is held to be one.
    pub(super) fn may_be_phone(&self) -> bool {
        self.is_phone || self.profile.is_lync_phone()
    }

    /// What sentences call the device.
    pub(super) fn noun(&self) -> &'static str {
        if self.is_phone { "phone" } else { "device" }
    }

    /// Whether handshakes that were not kept may have failed: some are known to, or none was kept at all.
    pub(super) fn lacks_handshakes(&self) -> bool {
        self.device.dropped_incomplete > 0 || (self.handshakes.is_empty() && self.device.handshakes_total > 0)
    }

    /// A finding about one handshake, with its place filled in.
    pub(super) fn finding(
        &self,
        code: Code,
        severity: Severity,
        proof: Proof,
        judged: &Judged<'_>,
        summary: String,
    ) -> Finding {
        let handshake = judged.handshake;
        Finding {
            device: Some(self.index),
            handshake: Some(judged.index),
            capture: Some(handshake.first.capture),
            stream: Some(handshake.stream),
            server: Some(handshake.server),
            server_name: handshake.server_name().map(str::to_owned),
            frames: Some((handshake.first, handshake.repeated_until)),
            occurrences: 1 + handshake.repeats,
            ..Finding::new(code, severity, proof, summary)
        }
    }

    /// A finding about a cause of the ending of one handshake, in a sentence that begins with what became of it.
    pub(super) fn cause(&self, code: Code, proof: Proof, judged: &Judged<'_>, words: &str) -> Finding {
        let summary = format!("{}{words}", judged.ruling.lead(code));
        self.finding(code, judged.ruling.severity_of(code), proof, judged, summary)
    }

    /// A cause that no alert names, so that it is inferred at most, with the frames that show it.
    pub(super) fn refused(
        &self,
        code: Code,
        judged: &Judged<'_>,
        words: &str,
        shown: Vec<(FrameRef, String)>,
    ) -> Finding {
        let mut finding = self.cause(code, judged.inferred(), judged, words);
        finding.evidence = shown;
        finding.evidence.extend(judged.ending());
        finding.excluded = judged.excluded_beside(code);
        finding
    }

    /// Notes about handshakes whose flight arrived and that did not end for this cause.
    pub(super) fn notes(&self, code: Code, note: impl Fn(&Judged<'_>) -> Option<Note>) -> Vec<Finding> {
        let arrived = self.handshakes.iter().filter(|judged| !judged.handshake.lacked_flight());
        let others = arrived.filter(|judged| !judged.ruling.survives(code));
        let noted = others.filter_map(|judged| {
            let (summary, evidence, remedies) = note(judged)?;
            let finding = self.finding(code, Severity::Info, Proof::Proven, judged, summary);
            Some(Finding { evidence, remedies, ..finding })
        });
        noted.collect()
    }

    /// A finding about the device as a whole.
    pub(super) fn finding_of_device(&self, code: Code, severity: Severity, proof: Proof, summary: String) -> Finding {
        Finding {
            device: Some(self.index),
            capture: Some(self.device.capture),
            ..Finding::new(code, severity, proof, summary)
        }
    }
}
