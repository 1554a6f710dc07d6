//! CG015, CG020, CG023, CG027: connections and handshakes that ended without saying why.
//!
//! In: the session. Out: a finding for each. Bounded: by what the evidence keeps.

use super::assess::{Assessment, NameCheck};
use super::cause::{self, Stage};
use super::finding::{Finding, Severity};
use super::rules::Code;
use super::{Excluded, Session, remedy, words};
use crate::capture::FrameRef;
use crate::evidence::{Device, Evidence, Handshake, Refused, SIGN_IN_PORTS, endpoint};
use crate::flow::Side;
use crate::trust::Proof;

/// Between these two a sentence shows the line with which a server answered.
pub(crate) const CLEAR_TEXT: &str = "answers in clear text (\"";
pub(crate) const NOT_TLS: &str = ": it does not speak TLS on this port";

/// Two SYNs over this long without an answer are no answer (three seconds, in nanoseconds).
const UNANSWERED_NANOS: i64 = 3_000_000_000;

pub(super) fn find(session: &Session<'_>, out: &mut Vec<Finding>) {
    for (index, handshake, assessment, ruling) in session.handshakes() {
        for code in [Code::HandshakeStalled, Code::RejectedWithoutReason, Code::ServerEndedWithoutReason] {
            if !ruling.survivors.contains(&code) {
                continue;
            }
            // Clients that look at the certificates last leave like a probe where they find something.
            let lone = code == Code::RejectedWithoutReason && may_be_probe(session, handshake, ruling.stage);
            let probe = lone && is_sound(assessment);
            let severity = if probe { Severity::Info } else { Severity::Error };
            // What is not there may say why.
            let lacking = !handshake.two_sided || handshake.tls.client_hello.is_none();
            let unclear = ruling.survivors.len() > 1 || lacking || (lone && !probe);
            let proof = if unclear { Proof::Undecidable } else { Proof::Inferred };
            let mut finding =
                session.finding(code, severity, proof, index, summary(session, handshake, code, ruling.stage));
            finding.evidence = evidence(handshake, code);
            finding.excluded = cause::excluded(code, handshake, assessment, ruling);
            finding.excluded.extend(looked_at_later(handshake, code));
            finding.certificates = handshake.sent.clone();
            finding.remedies = match code {
                _ if handshake.tls.other_protocol().is_some() => remedy::other_protocol(handshake.server),
                Code::HandshakeStalled => remedy::stalled(handshake),
                Code::RejectedWithoutReason => remedy::without_reason(&assessment.chain),
                _ => remedy::server_ended(),
            };
            out.push(finding);
        }
    }
    for refused in refused(session.evidence, session.device) {
        out.push(connection_refused(session, refused));
    }
    for (at, refusal) in refused_tunnels(session.device) {
        let finding = tunnel_refused(session, at, refusal);
        match out.iter_mut().find(|known| known.code == finding.code && known.summary == finding.summary) {
            Some(known) => {
                known.occurrences += 1;
                known.frames = known.frames.map(|(first, _)| (first, at));
            }
            None => out.push(finding),
        }
    }
}

/// A client certificate that the server's TLS took, where the server then closed all the same.
fn looked_at_later(handshake: &Handshake, code: Code) -> Option<Excluded> {
    let asked = code == Code::ServerEndedWithoutReason && handshake.tls.certificate_request.is_some();
    let taken = asked && handshake.last_word().is_none() && cause::server_took_answer(handshake);
    taken.then(|| Excluded {
        cause: Code::ClientCertificate.name().into(),
        excluded: false,
        why: "the server finished the handshake after the client's answer, but may look at it later".into(),
    })
}

/// Both finished and the client left without a word, once, and nothing tells what it is: probes do that.
fn may_be_probe(session: &Session<'_>, handshake: &Handshake, stage: Stage) -> bool {
    let alone = session.device.handshakes_total == 1 && handshake.repeats == 0;
    stage == Stage::ClientWithoutData && !session.is_phone() && alone && handshake.last_word().is_none()
}

/// Whether nothing is wrong with the certificates, whoever minds it.
fn is_sound(assessment: &Assessment) -> bool {
    assessment.chain.fault.is_none()
        && assessment.outdated.is_none()
        && assessment.dates.is_empty()
        && !matches!(assessment.name, NameCheck::NotCovered { .. })
}

fn summary(session: &Session<'_>, handshake: &Handshake, code: Code, stage: Stage) -> String {
    let noun = session.noun();
    let alert = handshake.last_word().map(|alert| format!(" with {}", alert.code)).unwrap_or_default();
    if let Some(answer) = handshake.tls.other_protocol() {
        let what = match answer.text.as_str() {
            "" => "the server's answer is no TLS".to_owned(),
            text => format!("the server {CLEAR_TEXT}{text}\")"),
        };
        return format!("TLS handshake fails: {what}{NOT_TLS}");
    }
    match (code, stage) {
        (Code::HandshakeStalled, _) => {
            let seconds = handshake.ending.stall.map_or(0, |stall| stall.nanos / 1_000_000_000);
            format!("TLS handshake fails: nothing came for {seconds} seconds {}", waited_for(handshake))
        }
        (Code::RejectedWithoutReason, Stage::ClientWithoutData) if alert.is_empty() => {
            format!(
                "the {noun} finished the TLS handshake and closed it without a byte of data; nothing in the capture says why"
            )
        }
        (Code::RejectedWithoutReason, _) => {
            format!("TLS handshake fails: the {noun} ended it{alert}, and nothing in the capture says why")
        }
        _ if alert.is_empty() && handshake.tls.both_finished() => {
            "the TLS handshake was finished, and the server closed it before a byte of data; nothing in the capture says why"
                .into()
        }
        _ => match words::meaning(handshake) {
            Some(meaning) => format!("TLS handshake fails: the server ended it{alert}: {meaning}"),
            None => format!("TLS handshake fails: the server ended it{alert}, and nothing in the capture says why"),
        },
    }
}

fn waited_for(handshake: &Handshake) -> &'static str {
    let Some(stall) = handshake.ending.stall else { return "" };
    let by = |at: Option<FrameRef>| at.is_some_and(|at| at.place() <= stall.after.place());
    let hello = handshake.tls.server_hello.as_ref().map(|hello| hello.at);
    match (by(hello), by(handshake.tls.server_hello_done)) {
        (false, _) => "where the server's ServerHello was due",
        (true, false) => "in the middle of the server's flight",
        (true, true) => "where the server's Finished was due",
    }
}

fn evidence(handshake: &Handshake, code: Code) -> Vec<(FrameRef, String)> {
    let mut out = Vec::new();
    if let Some(hello) = &handshake.tls.client_hello {
        out.push((hello.at, format!("ClientHello, {}", hello.version)));
    }
    if let Some(stall) = handshake.ending.stall.filter(|_| code == Code::HandshakeStalled) {
        out.push((stall.after, "the last frame with anything new".into()));
        if let Some(until) = stall.until {
            out.push((until, format!("the next one, {} seconds later", stall.nanos / 1_000_000_000)));
        }
    }
    if let Some(answer) = handshake.tls.other_protocol() {
        out.push((answer.at, "the server's first bytes, no record of TLS".into()));
    }
    for side in [Side::Client, Side::Server] {
        if let Some(at) = handshake.tls.encrypted_alert.of(side) {
            let readable = handshake.tls.alerts.iter().find(|alert| alert.from == side && alert.at == *at);
            let what = readable.map_or("an encrypted alert".into(), |alert| alert.code.to_string());
            out.push((*at, format!("{}: {what}", words::side(side))));
        }
    }
    out.extend(cause::ending_evidence(handshake));
    out
}

/// Connections of a sign-in that came to nothing, and that no later one to the same server made up for.
pub(super) fn refused<'e>(evidence: &'e Evidence, device: &'e Device) -> impl Iterator<Item = &'e Refused> {
    device.refused.iter().filter(move |refused| {
        let later = evidence.connected_after(device, refused.server, refused.last);
        let waited = refused.opening.syn.zip(refused.opening.last_syn).map_or(0, |(a, b)| b.time.since(a.time));
        let unanswered = refused.opening.syns >= 2
            && waited >= UNANSWERED_NANOS
            && (evidence.two_way.contains(&device.recording) || !device.names.is_empty());
        let spoke_tls = evidence.tls_servers.contains_key(&refused.server);
        let wanted = SIGN_IN_PORTS.contains(&refused.server.port()) || spoke_tls;
        wanted && !later && (refused.reset.is_some() || unanswered)
    })
}

fn connection_refused(session: &Session<'_>, refused: &Refused) -> Finding {
    let server = endpoint(refused.server);
    let summary = match refused.reset {
        Some(_) => format!("no connection: {server} refuses it"),
        None => format!("no connection: {server} does not answer"),
    };
    let unknown = session.evidence.connected_dropped;
    let proof = if unknown { Proof::Undecidable } else { Proof::Proven };
    let mut finding = Finding::new(Code::ConnectionRefused, Severity::Error, proof, summary);
    finding.device = Some(session.index);
    finding.capture = Some(session.device.capture);
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
    finding.remedies = remedy::connection_refused(refused.server);
    finding
}

/// How the line of a refused tunnel begins among the refusals in clear.
const TUNNEL: &str = "CONNECT ";

/// Tunnels that a proxy refused and did not open later (RFC 9110 section 9.3.6): where, and the request with its status.
pub(super) fn refused_tunnels(device: &Device) -> impl Iterator<Item = (FrameRef, &str)> {
    device.http_errors.iter().filter_map(|(at, refusal)| Some((*at, refusal.strip_prefix(TUNNEL)?)))
}

fn tunnel_refused(session: &Session<'_>, at: FrameRef, refusal: &str) -> Finding {
    let (target, status) = refusal.rsplit_once(": ").unwrap_or((refusal, ""));
    let request = format!("{TUNNEL}{refusal}");
    let proxy = session.device.events.iter().find(|event| event.summary == request).and_then(|event| event.server);
    let named = proxy.map(|proxy| format!(" {}", endpoint(proxy))).unwrap_or_default();
    let summary = format!("no connection: the proxy{named} refuses a tunnel to {target} (HTTP status {status})");
    // A proxy that keeps its clients from some places is usual; without a single handshake it is why nothing works.
    let severity = if session.device.handshakes_total == 0 { Severity::Error } else { Severity::Warning };
    let mut finding = Finding::new(Code::ConnectionRefused, severity, Proof::Proven, summary);
    finding.device = Some(session.index);
    finding.capture = Some(at.capture);
    finding.server = proxy;
    finding.server_name = Some(target.rsplit_once(':').map_or(target, |(host, _)| host).to_owned());
    finding.frames = Some((at, at));
    finding.evidence.push((at, request));
    finding.remedies = remedy::tunnel_refused(status);
    finding
}
