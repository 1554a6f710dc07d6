//! CG016, CG017, CG029: what the capture does not show.
//!
//! In: the session, or all captures. Out: what is hidden or absent, and how to capture better. A gap that changes nothing
//! is no finding.

use super::cause::{Ruling, Stage};
use super::finding::{Finding, Severity};
use super::rules::Code;
use super::{DeviceDiagnosis, Session, remedy, words};
use crate::capture::{CaptureSummary, FrameRef};
use crate::evidence::{Device, EndHow, Evidence, Handshake, Outcome};
use crate::protocol::tls::Hole;
use crate::trust::{ChainStatus, Proof};

pub(super) fn find(session: &Session<'_>, out: &mut Vec<Finding>) {
    let hidden = session.handshakes().find(|(_, _, assessment, _)| assessment.chain.status == ChainStatus::Hidden);
    if let Some((index, handshake, ..)) = hidden {
        let summary = "TLS 1.3 encrypts the certificates: this capture cannot show the chain".to_owned();
        let mut finding = session.finding(Code::CertificateHidden, Severity::Info, Proof::Proven, index, summary);
        finding.evidence.extend(
            handshake.tls.server_hello.as_ref().map(|hello| (hello.at, format!("ServerHello, {}", hello.version))),
        );
        finding.remedies = remedy::certificate_hidden();
        out.push(finding);
    }
    // A phone that did nothing but this is told what the capture does hold.
    if out.is_empty() && !has_handshake(session.evidence, session.device.capture) {
        let mut finding = no_handshake(session.evidence, session.device.capture, session.capture);
        finding.device = Some(session.index);
        out.push(finding);
    }
    for (index, handshake, assessment, ruling) in session.handshakes() {
        let Some(why) =
            undecided_because(handshake, ruling, assessment.unreadable.as_deref(), assessment.suspect_clock)
        else {
            continue;
        };
        let mut finding =
            session.finding(Code::CaptureIncomplete, Severity::Warning, Proof::Proven, index, why.summary);
        finding.evidence = why.evidence;
        finding.remedies = remedy::capture_better();
        out.push(finding);
    }
}

struct Why {
    summary: String,
    evidence: Vec<(FrameRef, String)>,
}

/// What is absent and keeps the question of this handshake from being decided.
fn undecided_because(
    handshake: &Handshake,
    ruling: &Ruling,
    unreadable: Option<&str>,
    suspect_clock: bool,
) -> Option<Why> {
    let stage = ruling.stage;
    if stage == Stage::Completed {
        return None;
    }
    let hidden = handshake.tls.hides_certificates();
    let holes: Vec<&Hole> = handshake.tls.holes.iter().filter(|hole| hole.in_clear).collect();
    // Whether a client certificate was asked for may be what the hole hides.
    let asked = ruling.survivors.len() > 1 && ruling.survivors.contains(&Code::ClientCertificate);
    let open = unreadable.is_some() || stage == Stage::Open || asked;
    let matters = (!hidden && open) || handshake.conflict.is_some();
    let hole_matters = matters && !holes.is_empty();
    if hole_matters {
        let evidence: Vec<_> = holes.iter().map(|hole| (hole.at, describe_hole(hole))).collect();
        let first = evidence.first().map(|(_, what)| what.clone()).unwrap_or_default();
        return Some(Why { summary: format!("the capture is incomplete: {first}"), evidence });
    }
    let about =
        |summary: &str, at: FrameRef| Why { summary: summary.to_owned(), evidence: vec![(at, summary.to_owned())] };
    if let Some(at) = handshake.conflict.filter(|_| matters) {
        return Some(about(
            "the capture holds two different copies of the same bytes, and nothing tells which was taken",
            at,
        ));
    }
    if !handshake.two_sided {
        return Some(about("the capture holds only one direction of the connection", handshake.first));
    }
    let unexplained = [Code::RejectedWithoutReason, Code::ServerEndedWithoutReason];
    let unexplained = ruling.survivors.iter().any(|code| unexplained.contains(code));
    if (matters || unexplained) && handshake.lacks_hello() {
        return Some(about("the capture starts in the middle of the connection", handshake.first));
    }
    if suspect_clock {
        return Some(about("the capture's clock cannot be right, so dates cannot be judged", handshake.first));
    }
    if stage != Stage::Open || (handshake.ending.outcome == Outcome::Undetermined && hidden) {
        return None;
    }
    if handshake.ending.outcome == Outcome::Undetermined {
        return Some(about(
            "the answer to the server's certificates, or to the client's, stays encrypted",
            handshake.last,
        ));
    }
    Some(match handshake.ending.how {
        _ if !handshake.opened => about("the capture starts in the middle of the connection", handshake.first),
        EndHow::CaptureEnd | EndHow::Silence => about("the capture ends before the handshake does", handshake.last),
        _ => about("the capture lacks a part of the connection, so its ending cannot be judged", handshake.last),
    })
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

/// CG029 for captures with no handshake and no device, CG017 for files that were cut.
pub(super) fn captures(
    evidence: &Evidence,
    captures: &[CaptureSummary],
    devices: &[DeviceDiagnosis],
    out: &mut Vec<Finding>,
) {
    for (index, summary) in captures.iter().enumerate() {
        let Ok(capture) = u32::try_from(index) else { continue };
        let reported = devices
            .iter()
            .filter_map(|judged| evidence.devices.get(judged.device))
            .any(|d| d.recording == evidence.recording_of(capture));
        if summary.format.is_some() && !has_handshake(evidence, capture) && !reported {
            out.push(no_handshake(evidence, capture, Some(summary)));
        }
    }
}

fn has_handshake(evidence: &Evidence, capture: u32) -> bool {
    let within = |device: &&Device| device.recording == evidence.recording_of(capture);
    evidence.devices.iter().filter(within).any(|device| device.handshakes_total > 0 || device.merged)
}

fn no_handshake(evidence: &Evidence, capture: u32, summary: Option<&CaptureSummary>) -> Finding {
    let (packets, cut) = summary.map_or((0, 0), |summary| (summary.packets, summary.cut_packets));
    let mut kinds: Vec<&str> = Vec::new();
    for device in evidence.devices.iter().filter(|device| device.recording == evidence.recording_of(capture)) {
        for event in &device.events {
            if !kinds.contains(&event.kind) {
                kinds.push(event.kind);
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
    // What is cut away may have been the beginning of one.
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
    finding.remedies = remedy::capture_better();
    finding
}
