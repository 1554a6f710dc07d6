//! CG020: connections that failed.
//!
//! In: the session. Out: a finding for each server that refused or did not answer, and for each tunnel that a proxy
//! refused. Bounded: by what the evidence keeps. Left to others: everything after a connection is there.

use std::net::SocketAddr;

use super::logic::{Lacks, Logic};
use super::remedy::bracketed;
use crate::capture::FrameRef;
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::{Finding, Severity};
use crate::diagnosis::session::Session;
use crate::evidence::{Device, Event, Evidence, Fact, HttpRequest, Refused, SIGN_IN_PORTS, endpoint};
use crate::trust::Proof;

pub(super) const CONNECTION_REFUSED: Logic =
    Logic { degrades: false, lacks: Lacks::Nothing, cause: None, find: Some(find) };

/// Two SYNs this long apart without a reply count as no answer: three seconds, in nanoseconds.
const UNANSWERED_NANOS: i64 = 3_000_000_000;

/// More ports and addresses than this that fail within `SCAN_NANOS` of each other are a scan (D-DIAGNOSIS-48).
const NO_SCAN: usize = 16;
/// A minute, in nanoseconds.
const SCAN_NANOS: i64 = 60_000_000_000;

fn find(session: &Session<'_>) -> Vec<Finding> {
    let scanned = scanned(session.evidence, session.device);
    let servers = refused(session.evidence, session.device)
        .filter(|refused| scanned.iter().all(|known| !std::ptr::eq(*known, *refused)));
    let mut found: Vec<Finding> = servers.map(|refused| connection_refused(session, refused)).collect();
    found.extend(scan(session, &scanned));
    for (at, request, target) in refused_tunnels(session.device) {
        tunnel_refused(session, at, request, target).add_to(&mut found);
    }
    found
}

/// Connections of a sign-in that failed, and that no later one to the same server recovered.
pub(in crate::diagnosis) fn refused<'e>(
    evidence: &'e Evidence,
    device: &'e Device,
) -> impl Iterator<Item = &'e Refused> {
    device.refused.iter().filter(move |refused| {
        let later = device.connected_after(refused.server, refused.last);
        let waited = refused.opening.syn.zip(refused.opening.last_syn).map_or(0, |(a, b)| b.time.since(a.time));
        let unanswered = refused.opening.syns >= 2 && waited >= UNANSWERED_NANOS && shows_answers(evidence, device);
        let spoke_tls = evidence.tls_servers.contains_key(&refused.server);
        let wanted = SIGN_IN_PORTS.contains(&refused.server.port()) || spoke_tls;
        wanted && !later && (refused.reset.is_some() || unanswered)
    })
}

/// Whether an answer would be in the capture.
fn shows_answers(evidence: &Evidence, device: &Device) -> bool {
    evidence.two_way.contains(&device.recording) || !device.names.is_empty()
}

/// Whether so many connections of a device failed that they may be a scan.
pub(in crate::diagnosis) fn may_scan(device: &Device) -> bool {
    device.refused.len() > NO_SCAN
}

/// The failed connections that are part of a scan, in the order of time.
fn scanned<'e>(evidence: &Evidence, device: &'e Device) -> Vec<&'e Refused> {
    let failed = |refused: &&Refused| refused.reset.is_some() || shows_answers(evidence, device);
    let began = |refused: &Refused| refused.opening.syn.map_or(0, |at| at.time.nanos());
    let mut all: Vec<&Refused> = device.refused.iter().filter(failed).collect();
    all.sort_by_key(|refused| began(refused));
    let (mut out, mut taken) = (Vec::new(), 0);
    for (first, refused) in all.iter().enumerate() {
        let end = all.partition_point(|other| began(other) <= began(refused).saturating_add(SCAN_NANOS));
        if end - first > NO_SCAN {
            out.extend(all.get(taken.max(first)..end).unwrap_or_default());
            taken = end;
        }
    }
    out
}

fn scan(session: &Session<'_>, scanned: &[&Refused]) -> Option<Finding> {
    let (first, last) = (scanned.first()?, scanned.iter().map(|refused| refused.last).max_by_key(FrameRef::place)?);
    let beyond = session.device.refused_beyond;
    let count = u64::try_from(scanned.len()).unwrap_or(u64::MAX).saturating_add(beyond);
    let summary = format!("a scan: {count} ports or addresses refused a connection or did not answer");
    let mut finding = session.finding_of_device(Code::ConnectionRefused, Severity::Info, Proof::Inferred, summary);
    finding.occurrences = count;
    finding.frames = first.opening.syn.map(|first| (first, last));
    finding.evidence.extend(first.opening.syn.map(|at| (at, format!("the first SYN, to {}", endpoint(first.server)))));
    Some(finding)
}

fn connection_refused(session: &Session<'_>, refused: &Refused) -> Finding {
    let server = endpoint(refused.server);
    let summary = match refused.reset {
        Some(_) => format!("no connection: {server} refuses it"),
        None => format!("no connection: {server} does not answer"),
    };
    let unknown = session.device.forgot_connections();
    let proof = if unknown { Proof::Undecidable } else { Proof::Proven };
    let mut finding = session.finding_of_device(Code::ConnectionRefused, Severity::Error, proof, summary);
    finding.stream = Some(refused.stream);
    finding.server = Some(refused.server);
    finding.occurrences = 1 + refused.repeats;
    finding.frames = refused.opening.syn.map(|first| (first, refused.last));
    finding.evidence.extend(refused.opening.syn.map(|at| (at, "SYN".to_owned())));
    match refused.reset {
        Some(at) => finding.evidence.push((at, "the server's RST".into())),
        None => finding.evidence.extend(
            refused
                .opening
                .last_syn
                .map(|at| (at, format!("the last of {} SYNs, none of them answered", refused.opening.syns))),
        ),
    }
    if unknown {
        let why =
            "more connections were accepted than are remembered: whether a later one to this server was is not known";
        finding.evidence.push((refused.last, why.into()));
    }
    finding.remedies = look_in_between(refused.server);
    finding
}

/// Tunnels that a proxy refused and did not open later (RFC 9110 section 9.3.6): where, the request, and the endpoint
/// that the tunnel was to lead to.
pub(in crate::diagnosis) fn refused_tunnels(device: &Device) -> impl Iterator<Item = (FrameRef, &HttpRequest, &str)> {
    device.http_errors.iter().filter_map(|(at, request)| Some((*at, request, request.tunnel_to()?)))
}

/// Decided in D-DIAGNOSIS-17.
fn tunnel_refused(session: &Session<'_>, at: FrameRef, request: &HttpRequest, target: &str) -> Finding {
    let asked = |event: &&Event| matches!(&event.fact, Fact::Http(known) if **known == *request);
    let proxy = session.device.events.iter().find(asked).and_then(|event| event.server);
    let named = proxy.map(|proxy| format!(" {}", endpoint(proxy))).unwrap_or_default();
    let status = request.status.unwrap_or_default();
    let summary = format!("no connection: the proxy{named} refuses a tunnel to {target} (HTTP status {status})");
    // Many proxies block some hosts. It is why nothing works if the device began no handshake at all.
    let severity = if session.device.handshakes_total == 0 { Severity::Error } else { Severity::Warning };
    let mut finding = session.finding_of_device(Code::ConnectionRefused, severity, Proof::Proven, summary);
    finding.capture = Some(at.capture);
    finding.server = proxy;
    finding.server_name = Some(target.rsplit_once(':').map_or(target, |(host, _)| host).to_owned());
    finding.frames = Some((at, at));
    finding.evidence.push((at, request.to_string()));
    finding.remedies = ask_the_proxy(status);
    finding
}

fn look_in_between(server: SocketAddr) -> Vec<String> {
    let (target, port) = (bracketed(server).trim_matches(['[', ']']).to_owned(), server.port());
    vec![
        format!("see whether the service listens and whether a firewall is between\n  nc -vz {target} {port}"),
        "check that DNS and DHCP hand out the right server".into(),
    ]
}

fn ask_the_proxy(status: u16) -> Vec<String> {
    let first = match status {
        407 => "the proxy wants its clients to sign in: let the device through without, or give it credentials for it",
        _ => "look at the proxy's log and rules: they tell why it refuses this place to this device",
    };
    vec![first.into(), "or let the device reach the server without the proxy".into()]
}
