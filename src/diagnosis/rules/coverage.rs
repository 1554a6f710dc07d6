//! CG016, CG017, CG029: what the capture does not show.
//!
//! In: the session, or a capture without devices. Out: what is hidden or missing, and how to capture better. Bounded: by
//! the handshakes kept. Left to others: gaps that change nothing, which are no finding.

use std::collections::{BTreeMap, BTreeSet};

use super::logic::{Lacks, Logic};
use super::remedy::capture_better;
use super::unused::other_protocols;
use crate::capture::{CaptureSummary, FrameRef};
use crate::diagnosis::clock::{CommonClock, span};
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::{Finding, Severity};
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::diagnosis::stage::Stage;
use crate::diagnosis::words;
use crate::evidence::{EndHow, Evidence, Outcome};
use crate::protocol::tls::Hole;
use crate::trust::{ChainStatus, Proof};

pub(super) const CERTIFICATE_HIDDEN: Logic =
    Logic { degrades: false, lacks: Lacks::Nothing, cause: None, find: Some(hidden) };
pub(super) const CAPTURE_INCOMPLETE: Logic =
    Logic { degrades: false, lacks: Lacks::Nothing, cause: None, find: Some(incomplete) };
/// Where nothing else is found, there is also [`nothing_seen`].
pub(super) const NO_HANDSHAKE_SEEN: Logic =
    Logic { degrades: false, lacks: Lacks::Nothing, cause: None, find: Some(other_protocols) };

/// Devices whose clocks are named as evidence of the capture's wrong one.
const SHOWN_CLOCKS: usize = 4;

fn hidden(session: &Session<'_>) -> Vec<Finding> {
    let hidden = |judged: &&Judged<'_>| judged.assessment.chain.status == ChainStatus::Hidden;
    let first = session.handshakes.iter().find(hidden).map(|judged| {
        let summary = "TLS 1.3 encrypts the certificates: this capture cannot show the chain".to_owned();
        let mut finding = session.finding(Code::CertificateHidden, Severity::Info, Proof::Proven, judged, summary);
        let hello = judged.handshake.tls.server_hello.as_ref();
        finding.evidence.extend(hello.map(|hello| (hello.at, format!("ServerHello, {}", hello.version))));
        finding.remedies = show_certificates(None);
        finding
    });
    first.into_iter().collect()
}

fn incomplete(session: &Session<'_>) -> Vec<Finding> {
    let undecided = session.handshakes.iter().filter_map(|judged| {
        let Why { summary, evidence, by_keys } = undecided_because(judged)?;
        let code = Code::CaptureIncomplete;
        let mut finding = session.finding(code, Severity::Warning, Proof::Proven, judged, summary);
        finding.evidence = evidence;
        finding.remedies = if by_keys { bring_keys() } else { capture_better() };
        Some(finding)
    });
    undecided.collect()
}

/// CG029 for a phone that did nothing but be recognized (D-DIAGNOSIS-34).
pub(super) fn nothing_seen(session: &Session<'_>) -> Option<Finding> {
    let capture = session.device.capture;
    let nothing = !has_handshake(session.evidence, capture);
    nothing.then(|| {
        let mut finding = no_handshake(session.evidence, capture, session.capture);
        finding.device = Some(session.index);
        finding
    })
}

struct Why {
    summary: String,
    evidence: Vec<(FrameRef, String)>,
    /// Whether everything is in the capture, so that only a key log would help.
    by_keys: bool,
}

/// The part of the capture whose absence keeps this handshake from being judged.
fn undecided_because(judged: &Judged<'_>) -> Option<Why> {
    let Judged { handshake, assessment, ruling, .. } = judged;
    let stage = ruling.stage;
    if stage == Stage::Completed || judged.unused.is_some() {
        return None;
    }
    let hidden = handshake.tls.hides_certificates();
    let holes: Vec<&Hole> = handshake.tls.holes.iter().filter(|hole| hole.in_clear).collect();
    // The hole may hide a request for a client certificate.
    let asked = ruling.is_ambiguous() && ruling.survives(Code::ClientCertificate);
    let open = assessment.unreadable.is_some() || stage == Stage::Open || asked;
    let unexplained = ruling.survives(Code::RejectedWithoutReason) || ruling.survives(Code::ServerEndedWithoutReason);
    let refused = unexplained && judged.lacks_refusable();
    let matters = (!hidden && open) || refused || handshake.conflict.is_some();
    let hole_matters = matters && !holes.is_empty();
    if hole_matters {
        let evidence: Vec<_> = holes.iter().map(|hole| (hole.at, describe_hole(hole))).collect();
        let first = evidence.first().map(|(_, what)| what.clone()).unwrap_or_default();
        return Some(Why { summary: format!("the capture is incomplete: {first}"), evidence, by_keys: false });
    }
    let about = |summary: &str, at: FrameRef| Why {
        summary: summary.to_owned(),
        evidence: vec![(at, summary.to_owned())],
        by_keys: false,
    };
    if let Some(at) = handshake.conflict.filter(|_| matters) {
        return Some(about(
            "the capture holds two different copies of the same bytes, and nothing tells which was taken",
            at,
        ));
    }
    if !handshake.two_sided {
        return Some(about("the capture holds only one direction of the connection", handshake.first));
    }
    if (matters || unexplained) && handshake.lacks_hello() {
        return Some(about("the capture starts in the middle of the connection", handshake.first));
    }
    if assessment.dates.suspect_clock {
        return Some(about("the capture's clock cannot be right, so dates cannot be judged", handshake.first));
    }
    if stage != Stage::Open || (handshake.ending.outcome == Outcome::Undetermined && hidden) {
        return None;
    }
    if handshake.ending.outcome == Outcome::Undetermined {
        let why = "the answer to the server's certificates, or to the client's, stays encrypted";
        return Some(Why { by_keys: true, ..about(why, handshake.last) });
    }
    Some(match handshake.ending.how {
        _ if !handshake.opened => about("the capture starts in the middle of the connection", handshake.first),
        EndHow::CaptureEnd | EndHow::Silence => about("the capture ends before the handshake does", handshake.last),
        _ => about("the capture lacks a part of the connection, so its ending cannot be judged", handshake.last),
    })
}

fn bring_keys() -> Vec<String> {
    vec!["let one side write a key log, and analyze again with it: no packet is missing\n  SSLKEYLOGFILE=keys.log <client>\n  chaingap analyze CAPTURE --keylog keys.log".into()]
}

fn describe_hole(hole: &Hole) -> String {
    let from = words::side(hole.side);
    let missing = if hole.missing == 0 { "bytes".into() } else { words::bytes(hole.missing) };
    if let Some(cut) = hole.cut {
        let (kept, of) = (cut.kept, cut.of);
        format!(
            "frame {} was cut when captured: {kept} of {of} bytes are there, {missing} of the {from} are not",
            hole.at.number
        )
    } else {
        format!("{missing} that the {from} sent before frame {} are not there", hole.at.number)
    }
}

/// CG017 for each recording of these devices whose clock is wrong: said once, in place of CG014 for each device
/// (D-DIAGNOSIS-50).
pub(in crate::diagnosis) fn wrong_clocks(
    clocks: &BTreeMap<u32, CommonClock>,
    recordings: &BTreeSet<u32>,
) -> impl Iterator<Item = Finding> {
    clocks.iter().filter(|(recording, _)| recordings.contains(recording)).map(|(recording, clock)| {
        let (alike, known) = clock.devices;
        let whose = if alike == known { format!("all {known}") } else { format!("{alike} of {known}") };
        // The capture is behind where the devices are ahead.
        let by = if clock.offset > 0 { "slow" } else { "fast" };
        let summary = format!(
            "the capturing computer's clock is likely {} {by}: the clocks of {whose} devices that tell theirs differ from it alike",
            span(clock.offset)
        );
        let mut finding = Finding::new(Code::CaptureIncomplete, Severity::Warning, Proof::Inferred, summary);
        finding.capture = Some(*recording);
        let shown = clock.frames.iter().take(SHOWN_CLOCKS);
        finding.evidence = shown.map(|at| (*at, format!("ClientHello whose time is {} off", span(clock.offset)))).collect();
        finding.frames = clock.frames.first().copied().zip(clock.frames.last().copied());
        finding.remedies = vec!["set the clock of the capturing computer (NTP); dates were judged by the clock that the devices share".into()];
        finding
    })
}

/// CG029 for captures that hold no handshake and none of these devices.
pub(in crate::diagnosis) fn nothing_seen_in(
    evidence: &Evidence,
    captures: &[(String, CaptureSummary)],
    recordings: &BTreeSet<u32>,
) -> Vec<Finding> {
    let unreported = captures.iter().enumerate().filter_map(|(index, (_, summary))| {
        let capture = u32::try_from(index).ok()?;
        let reported = recordings.contains(&evidence.recording_of(capture));
        let silent = summary.format.is_some() && !has_handshake(evidence, capture) && !reported;
        silent.then(|| no_handshake(evidence, capture, Some(summary)))
    });
    unreported.collect()
}

fn has_handshake(evidence: &Evidence, capture: u32) -> bool {
    let recording = evidence.recording_of(capture);
    let mut within = evidence.devices.iter().filter(|device| device.recording == recording);
    within.any(|device| device.handshakes_total > 0 || device.merged)
}

fn no_handshake(evidence: &Evidence, capture: u32, summary: Option<&CaptureSummary>) -> Finding {
    let (packets, cut) = summary.map_or((0, 0), |summary| (summary.packets, summary.cut_packets));
    let mut kinds: Vec<&str> = Vec::new();
    let recording = evidence.recording_of(capture);
    for glance in evidence.devices.glances().filter(|glance| glance.shape.recording == recording) {
        for event in &glance.shape.events {
            let kind = event.fact.kind().as_str();
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
    }
    kinds.sort_unstable();
    let other: Vec<String> =
        evidence.other_tls.keys().filter(|(at, _)| *at == capture).map(|(_, o)| o.to_string()).collect();
    let holds = match (packets, kinds.is_empty()) {
        (0, _) => "it holds no packet".to_owned(),
        (1, true) => "it holds 1 packet".to_owned(),
        (packets, true) => format!("it holds {packets} packets"),
        (packets, false) => format!("it holds {packets} packets ({})", kinds.join(", ")),
    };
    // A handshake may have begun in the bytes that were cut off.
    let (proof, cut) = match cut {
        0 => (Proof::Proven, String::new()),
        cut => (Proof::Undecidable, format!(", {cut} of them cut when captured")),
    };
    let mut finding = Finding::new(
        Code::NoHandshakeSeen,
        Severity::Warning,
        proof,
        match other.as_slice() {
            [] => format!("the capture holds no TLS handshake: {holds}{cut}"),
            other => format!(
                "the capture holds no TLS handshake over TCP: {holds}{cut}; {} is there, not analyzed",
                other.join(", ")
            ),
        },
    );
    let seen = evidence.other_tls.iter().filter(|((at, _), _)| *at == capture);
    finding.evidence =
        seen.map(|((_, other), (at, count))| (*at, format!("the first of {count} frames of {other}"))).collect();
    finding.capture = Some(capture);
    finding.remedies = capture_better();
    finding
}

/// How to see certificates that TLS 1.3 hides: name and port of the server where one is meant.
pub(super) fn show_certificates(server: Option<&str>) -> Vec<String> {
    let server = server.unwrap_or("<server>:443");
    vec![
        "capture while the server allows TLS 1.2 at most, where certificates are in clear, or bring the session's secrets\n  chaingap analyze CAPTURE --keylog session.keys".into(),
        format!(
            "or fetch what the server sends, and judge that\n  openssl s_client -connect {server} -showcerts </dev/null >chain.pem\n  chaingap preflight chain.pem --roots root.pem"
        ),
    ]
}
