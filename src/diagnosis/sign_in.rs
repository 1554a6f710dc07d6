//! CG021, CG030: the sign-in around its handshakes.
//!
//! In: the session. Out: a finding where the device was sent to a SIP server that it refuses, and one where its TLS works,
//! with what is to be seen of a failure after it. Bounded: by what the evidence keeps. Left to others: TLS that fails.

use super::cause::Stage;
use super::finding::{Finding, Severity};
use super::rules::Code;
use super::{ProfileBasis, Session, remedy};
use crate::capture::FrameRef;
use crate::evidence::{EndHow, Handshake, endpoint};
use crate::flow::Side;
use crate::trust::Proof;

pub(super) fn find(session: &Session<'_>, out: &mut Vec<Finding>) {
    out.extend(outside_domain(session));
    out.extend(tls_is_fine(session));
}

/// CG021: firmware from CU7 on takes no SIP server outside the SIP domain.
fn outside_domain(session: &Session<'_>) -> Option<Finding> {
    let refuses = session.profile.sip_domain_only.as_ref().is_some_and(|fact| fact.value);
    if !refuses || session.basis == ProfileBasis::Assumed {
        return None;
    }
    let outside: Vec<_> = session.device.services.iter().filter(|service| !service.is_in_domain()).collect();
    let first = outside.first()?;
    let summary = format!(
        "{} points to {}, which is outside the SIP domain {}; the {} refuses such a server with firmware from CU7 on",
        first.name,
        first.target,
        first.domain,
        session.noun()
    );
    // The record is in the capture; that it was refused is not: the firmware may be older.
    let mut finding = Finding::new(Code::NameOutsideSipDomain, Severity::Warning, Proof::Inferred, summary);
    finding.device = Some(session.index);
    finding.capture = Some(first.at.capture);
    finding.server_name = Some(first.target.clone());
    finding.frames = outside.first().zip(outside.last()).map(|(first, last)| (first.at, last.at));
    finding.evidence = outside.iter().map(|s| (s.at, format!("SRV {}: {}", s.name, s.target))).collect();
    finding.remedies = remedy::outside_domain(&first.domain);
    Some(finding)
}

/// CG030: every handshake works, and what is to be seen of what failed after that.
fn tls_is_fine(session: &Session<'_>) -> Option<Finding> {
    let works = |(_, _, _, ruling): &(usize, &Handshake, _, &super::Ruling)| ruling.stage == Stage::Completed;
    let (index, first, ..) = session.handshakes().next()?;
    if super::verdict::crowded(session) || !session.handshakes().all(|handshake| works(&handshake)) {
        return None;
    }
    let mut later: Vec<(FrameRef, String)> =
        session.device.http_errors.iter().filter(|(at, _)| first.first.is_before(at)).cloned().collect();
    later.extend(session.device.handshakes.iter().filter_map(unanswered));
    later.sort_by_key(|(at, _)| at.place());
    let handshakes = match session.device.handshakes_total {
        1 => "the TLS handshake works".to_owned(),
        total => format!("all {total} TLS handshakes work"),
    };
    let summary = match later.as_slice() {
        [] => handshakes,
        [(at, what)] => format!("{handshakes}; what failed came after that: {what} (frame {})", at.number),
        [(at, what), ..] => {
            format!("{handshakes}; what failed came after that, first: {what} (frame {})", at.number)
        }
    };
    let mut finding = session.finding(Code::TlsIsFine, Severity::Info, Proof::Proven, index, summary);
    // It is about the device, not about the first of its handshakes.
    (finding.handshake, finding.server, finding.server_name, finding.stream) = (None, None, None, None);
    let last = session.device.handshakes.last().map_or(first.last, |handshake| handshake.repeated_until);
    finding.frames = Some((first.first, later.last().map_or(last, |(at, _)| *at)));
    finding.occurrences = 1;
    finding.remedies = if later.is_empty() { Vec::new() } else { remedy::after_tls() };
    finding.evidence = later;
    Some(finding)
}

/// A server that ended the connection without an answer to what the client had said.
fn unanswered(handshake: &Handshake) -> Option<(FrameRef, String)> {
    let data = &handshake.tls.data;
    let silent = data.client.records > 0 && data.server.records == 0;
    let at = handshake.ending.at.filter(|_| handshake.ending.by == Some(Side::Server))?;
    let server = endpoint(handshake.server);
    match handshake.ending.how {
        EndHow::Rst => Some((at, format!("{server} reset the connection"))),
        _ if silent => Some((at, format!("{server} closed the connection without an answer"))),
        _ => None,
    }
}
