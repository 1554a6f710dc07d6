//! The members of a comparison, in the order in which they are written.
//!
//! In: nothing. Out: plain data, serializable both ways. Left to others: where the values come from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::report::model::{Certificate, Clock, DeviceProfile, Finding, Options, Outcome, SignIn, Tool, Verdict};
use crate::words::words;

/// The value of a comparison's `schema` member.
pub const COMPARE_SCHEMA: &str = "chaingap.compare/1";

/// Two stories side by side: where they part, and what the good one has that the bad one lacks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Comparison {
    /// Name and version of this format: [`COMPARE_SCHEMA`].
    pub schema: String,
    /// The program that wrote it.
    pub tool: Tool,
    /// What the run was asked to do.
    pub options: Options,
    /// The trace given as good.
    pub good: CompareSide,
    /// The trace given as bad.
    pub bad: CompareSide,
    /// Whether the two can be compared; if not, the conclusion says why.
    pub comparable: bool,
    /// Whether nothing that matters to a sign-in differs.
    pub agree: bool,
    /// Index of the first step that parts the two; null if none does.
    pub parting: Option<usize>,
    /// The conclusion, in one sentence.
    pub conclusion: String,
    /// `id` of the bad device's finding that the conclusion explains, and whose `proof` says how sure it is.
    pub finding: Option<String>,
    /// The frames that the conclusion rests on.
    pub because: Vec<Because>,
    /// What must not be concluded, because the captures do not show it.
    pub caveats: Vec<String>,
    /// Both stories, step by step, in the order of the good one.
    pub steps: Vec<CompareStep>,
    /// The findings about the two devices.
    pub findings: Vec<Finding>,
    /// The certificates that the steps and findings name, by SHA-256.
    pub certificates: BTreeMap<String, Certificate>,
}

/// One of the two traces: a device in a capture.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CompareSide {
    /// The capture's path.
    pub capture: String,
    /// `id` of the device.
    pub device: String,
    /// Its address.
    pub address: String,
    /// Time of its first packet.
    pub first_time: Option<String>,
    /// Its MAC address, where known.
    pub mac: Option<String>,
    /// The profile it was held to.
    pub profile: DeviceProfile,
    /// The verdict on it.
    pub verdict: Verdict,
    /// Its own clock, where known.
    pub clock: Option<Clock>,
    /// How it signed in.
    pub sign_in: SignIn,
}

/// One step of the two stories.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CompareStep {
    /// `dhcp`, `dns`, `fetch`, `handshake`, `clock` or another kind of event.
    pub kind: String,
    /// What it is about: the name looked up, the address fetched, the server.
    pub subject: String,
    /// The step as the good one took it; null if it did not.
    pub good: Option<StepSide>,
    /// The step as the bad one took it; null if it did not.
    pub bad: Option<StepSide>,
    /// Whether anything but addresses, times and frames differs.
    pub differs: bool,
    /// Whether the difference can matter to a sign-in. A lookup that only one of the two made cannot: the other may
    /// have known the answer.
    pub parts: bool,
    /// The differences, in words.
    pub differences: Vec<String>,
}

/// One step as one of the two took it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StepSide {
    /// The capture's path.
    pub capture: String,
    /// Its first frame; null where it is about no frame.
    pub frame: Option<u64>,
    /// Its last frame, where it is known.
    pub last_frame: Option<u64>,
    /// Time of the first frame.
    pub time: Option<String>,
    /// How many there were alike; the one shown is the first that failed for good, else the first that worked.
    pub count: u64,
    /// What happened, in one line.
    pub summary: String,
    /// A handshake's messages, one letter each.
    pub history: Option<String>,
    /// How a handshake ended.
    pub outcome: Option<Outcome>,
    /// The same in words, with the frame.
    pub ending: Option<String>,
    /// Certificates that the server sent, or that were fetched.
    pub certificates: Vec<String>,
}

/// A frame that the conclusion rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Because {
    /// The trace that it belongs to.
    pub side: WhichSide,
    /// The capture's path.
    pub capture: String,
    /// The frame; null where it is about none.
    pub frame: Option<u64>,
    /// What it shows.
    pub what: String,
}

words! {
    /// One of the two traces.
    pub enum WhichSide {
        /// The trace given as good.
        Good = "good",
        /// The trace given as bad.
        Bad = "bad",
    }
}
