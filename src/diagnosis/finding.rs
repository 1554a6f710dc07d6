//! In: nothing. Out: the types of findings and verdicts, which still refer to frames and certificates. Bounded: by what is
//! found. Left to others: text and any format.

use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::code::Code;
use crate::capture::FrameRef;
use crate::evidence::{Device, Handshake};
use crate::trust::{Answer, Missing, Proof, Stack};
use crate::words::words;
use crate::x509::Certificate;

words! {
    /// How grave a finding is.
    #[derive(PartialOrd, Ord)]
    pub enum Severity {
        /// Good to know.
        Info = "info",
        /// Will cause failures, or did and the device recovered.
        Warning = "warning",
        /// It explains a failure.
        Error = "error",
    }
}

/// A cause that was looked at beside the finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Excluded {
    /// The cause, by its finding's name where it has one.
    pub cause: String,
    /// Whether it is excluded.
    pub excluded: bool,
    /// Why, or why not.
    pub why: String,
}

words! {
    /// A verdict in one word.
    pub enum VerdictStatus {
        /// An error with one cause that survived.
        Fails = "fails",
        /// Something recovered, or worked only by luck.
        Degraded = "degraded",
        /// A completed handshake and nothing wrong.
        Ok = "ok",
        /// The capture does not decide it.
        Undecided = "undecided",
        /// No handshake and no error.
        NothingSeen = "nothing-seen",
    }
}

words! {
    /// How a profile came to be chosen.
    pub enum ProfileBasis {
        /// The device was recognized in the capture.
        Recognized = "recognized",
        /// The user named it.
        Given = "given",
        /// Nothing showed which, so the one that its hellos fit was taken.
        Assumed = "assumed",
    }
}

/// Something wrong with one device, or with a capture.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which rule.
    pub code: Code,
    /// How grave.
    pub severity: Severity,
    /// How sure it is that this is the cause.
    pub proof: Proof,
    /// Index of the device; `None` for a capture.
    pub device: Option<usize>,
    /// Index of the first handshake of the device that shows it.
    pub handshake: Option<usize>,
    /// Index of the capture.
    pub capture: Option<u32>,
    /// Wireshark's `tcp.stream`.
    pub stream: Option<u64>,
    /// The server.
    pub server: Option<SocketAddr>,
    /// SNI.
    pub server_name: Option<String>,
    /// How often.
    pub occurrences: u64,
    /// First and last frame.
    pub frames: Option<(FrameRef, FrameRef)>,
    /// What is wrong, in one sentence.
    pub summary: String,
    /// What shows it.
    pub evidence: Vec<(FrameRef, String)>,
    /// The other causes.
    pub excluded: Vec<Excluded>,
    /// The code of the finding about the same server that this one follows from.
    pub caused_by: Option<Code>,
    /// The later success.
    pub recovered_by: Option<FrameRef>,
    /// Further handshakes that it stands for, by index among those of the device.
    pub also: Vec<usize>,
    /// Certificates it is about.
    pub certificates: Vec<Arc<Certificate>>,
    /// The missing links.
    pub missing: Vec<Missing>,
    /// What TLS stacks were measured to do about it, the client's own first.
    pub stacks: Vec<(Arc<Stack>, Answer)>,
    /// What to do.
    pub remedies: Vec<String>,
}

impl Finding {
    /// A finding that has no place, evidence or remedies yet.
    pub fn new(code: Code, severity: Severity, proof: Proof, summary: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            proof,
            device: None,
            handshake: None,
            capture: None,
            stream: None,
            server: None,
            server_name: None,
            occurrences: 1,
            frames: None,
            summary: summary.into(),
            evidence: Vec::new(),
            excluded: Vec::new(),
            caused_by: None,
            recovered_by: None,
            also: Vec::new(),
            certificates: Vec::new(),
            missing: Vec::new(),
            stacks: Vec::new(),
            remedies: Vec::new(),
        }
    }

    /// Tells it of another device of the same kind, by its index in the evidence: when it was seen there, and how often.
    /// Words and evidence stay those of the first device.
    pub fn retell(&mut self, index: usize, device: &Device) {
        self.device = self.device.map(|_| index);
        let of = self.handshake.into_iter().chain(self.also.iter().copied());
        let mut shown: Vec<&Handshake> = of.filter_map(|index| device.handshakes.get(index)).collect();
        shown.sort_unstable_by_key(|handshake| handshake.first.place());
        if let [first, ..] = shown.as_slice() {
            let last = shown.last().unwrap_or(first);
            (self.stream, self.frames) = (Some(first.stream), Some((first.first, last.repeated_until)));
            self.occurrences = shown.iter().map(|handshake| 1 + handshake.repeats).sum();
            return;
        }
        let refused = device.refused.iter().find(|refused| Some(refused.server) == self.server);
        match refused.filter(|_| self.code == Code::ConnectionRefused) {
            Some(refused) => {
                (self.stream, self.occurrences) = (Some(refused.stream), 1 + refused.repeats);
                self.frames = refused.opening.syn.map(|first| (first, refused.last));
            }
            None => self.frames = self.frames.map(|_| device.frames),
        }
    }

    /// Adds it to others. Repeated attempts are one finding with a count.
    pub(super) fn add_to(self, found: &mut Vec<Self>) {
        match found.iter_mut().find(|known| known.code == self.code && known.summary == self.summary) {
            Some(known) => {
                known.occurrences += 1;
                known.frames = known.frames.zip(self.frames).map(|((first, _), (_, last))| (first, last));
            }
            None => found.push(self),
        }
    }
}

/// The verdict on a device.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// In one word.
    pub status: VerdictStatus,
    /// In one sentence.
    pub summary: String,
    /// Index of the headline among the findings.
    pub finding: Option<usize>,
}
