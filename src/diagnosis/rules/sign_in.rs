//! CG021, CG030: the sign-in around its handshakes.
//!
//! In: the session. Out: a finding where the device was sent to a SIP server that it refuses, and one where its TLS works,
//! with what the capture shows of a failure after it. Bounded: by what the evidence keeps. Left to others: TLS that fails.

use super::logic::{Lacks, Logic};
use super::remedy::host;
use super::unused::left_unused;
use crate::capture::FrameRef;
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::{Finding, ProfileBasis, Severity};
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::evidence::{EndHow, Handshake, endpoint};
use crate::flow::Side;
use crate::trust::Proof;

pub(super) const NAME_OUTSIDE_SIP_DOMAIN: Logic =
    Logic { degrades: false, lacks: Lacks::Nothing, cause: None, find: Some(outside_domain) };
pub(super) const TLS_IS_FINE: Logic = Logic { degrades: false, lacks: Lacks::Nothing, cause: None, find: Some(fine) };

/// Firmware from CU7 on accepts no SIP server outside the SIP domain (D-DIAGNOSIS-24).
fn outside_domain(session: &Session<'_>) -> Vec<Finding> {
    let refuses = session.profile.sip_domain_only.as_ref().is_some_and(|fact| fact.value);
    if !refuses || session.basis == ProfileBasis::Assumed {
        return Vec::new();
    }
    let outside: Vec<_> = session.device.services.iter().filter(|service| !service.is_in_domain()).collect();
    let Some(first) = outside.first() else { return Vec::new() };
    let summary = format!(
        "{} points to {}, which is outside the SIP domain {}; the {} refuses such a server with firmware from CU7 on",
        first.name,
        first.target,
        first.domain,
        session.noun()
    );
    // The capture shows the record, but not that the phone refused it: its firmware may be older.
    let code = Code::NameOutsideSipDomain;
    let mut finding = session.finding_of_device(code, Severity::Warning, Proof::Inferred, summary);
    finding.capture = Some(first.at.capture);
    finding.server_name = Some(first.target.clone());
    finding.frames = outside.first().zip(outside.last()).map(|(first, last)| (first.at, last.at));
    finding.evidence = outside.iter().map(|s| (s.at, format!("SRV {}: {}", s.name, s.target))).collect();
    finding.remedies = point_into(&first.domain);
    vec![finding]
}

fn fine(session: &Session<'_>) -> Vec<Finding> {
    [tls_is_fine(session), left_unused(session)].concat()
}

/// Every handshake works; the finding shows what failed after them, as far as the capture tells (D-DIAGNOSIS-35).
fn tls_is_fine(session: &Session<'_>) -> Vec<Finding> {
    let Some(first) = session.handshakes.first().map(|judged| judged.handshake) else { return Vec::new() };
    if session.lacks_handshakes() || !session.handshakes.iter().all(Judged::is_fine) {
        return Vec::new();
    }
    let refused = session.device.http_errors.iter().filter(|(at, _)| first.first.is_before(at));
    let mut later: Vec<(FrameRef, String)> = refused.map(|(at, request)| (*at, request.to_string())).collect();
    let used = session.handshakes.iter().filter(|it| it.unused.is_none());
    later.extend(used.filter_map(|it| unanswered(it.handshake)));
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
    let mut finding = session.finding_of_device(Code::TlsIsFine, Severity::Info, Proof::Proven, summary);
    finding.capture = Some(first.first.capture);
    let last = session.device.handshakes.last().map_or(first.last, |handshake| handshake.repeated_until);
    finding.frames = Some((first.first, later.last().map_or(last, |(at, _)| *at)));
    finding.remedies = if later.is_empty() { Vec::new() } else { look_behind_tls() };
    finding.evidence = later;
    vec![finding]
}

/// Says so if the server ended the connection without answering the client's data.
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

fn point_into(domain: &str) -> Vec<String> {
    let domain = host(Some(domain), "<domain>");
    vec![format!(
        "point the SRV record to a name within {domain} that the server's certificate covers too\n  nslookup -type=srv _sipinternaltls._tcp.{domain}"
    )]
}

fn look_behind_tls() -> Vec<String> {
    vec!["look at the service behind the connection: its log at the time of these frames tells why it refused; certificates are not the reason".into()]
}
