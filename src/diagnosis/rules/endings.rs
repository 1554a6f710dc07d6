//! CG015, CG023, CG027: handshakes that ended without saying why.
//!
//! In: a judged handshake that no other cause explains. Out: the finding. Bounded: by the handshakes kept. Left to
//! others: connections that failed before a handshake.

use std::net::SocketAddr;

use super::logic::{Cause, Lacks, Logic, holds_when_nothing_else_does, never_a_rival};
use super::remedy::bracketed;
use super::stacks;
use crate::capture::FrameRef;
use crate::diagnosis::assess::{Assessment, NameCheck};
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::{Excluded, Finding, Severity};
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::diagnosis::stage::{Stage, server_accepted_answer};
use crate::diagnosis::words;
use crate::evidence::{Ending, Handshake};
use crate::flow::{Side, Stall, Undelivered};
use crate::trust::{Judgement, Proof};

pub(super) const HANDSHAKE_STALLED: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause { holds: holds_when_nothing_else_does, exclusion: never_a_rival, describe: stalled }),
    find: None,
};
pub(super) const REJECTED_WITHOUT_REASON: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause { holds: holds_when_nothing_else_does, exclusion: never_a_rival, describe: rejected }),
    find: None,
};
pub(super) const SERVER_ENDED_WITHOUT_REASON: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause { holds: holds_when_nothing_else_does, exclusion: never_a_rival, describe: server_ended }),
    find: None,
};

fn stalled(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let Ending { stall, undelivered, .. } = judged.handshake.ending;
    let (words, shown) = match (undelivered, stall) {
        (Some((from, flight)), _) => not_delivered(session, judged.handshake, from, &flight),
        (None, Some(stall)) => silence(judged.handshake, &stall),
        (None, None) => Default::default(),
    };
    let words = format!("TLS handshake fails: {words}");
    let mut finding = unexplained(session, judged, code, words, find_what_swallows(judged.handshake));
    let hello = usize::from(judged.handshake.tls.client_hello.is_some());
    finding.evidence.splice(hello..hello, shown);
    if judged.handshake.lacked_flight() {
        finding.certificates.clear();
    }
    finding
}

/// A flight that was never acknowledged, in words and with its frames.
fn not_delivered(
    session: &Session<'_>,
    handshake: &Handshake,
    from: Side,
    flight: &Undelivered,
) -> (String, Vec<(FrameRef, String)>) {
    let noun = session.noun();
    let (what, receiver) = match from {
        Side::Client if !handshake.server_answered() => (format!("the {noun}'s ClientHello"), "server"),
        Side::Client => (format!("the {noun}'s flight"), "server"),
        Side::Server if handshake.client_accepted() => ("the server's last flight".to_owned(), noun),
        Side::Server => ("the server's flight".to_owned(), noun),
    };
    let Undelivered { again, acknowledged, .. } = *flight;
    let words = format!("{what} was sent again {again} times, and the {receiver} never acknowledged it");
    let shown = vec![
        (acknowledged, format!("the last that the {receiver} acknowledged")),
        (flight.first, format!("{what} begins")),
        (flight.last, format!("sent again for the last time, after {again} times in all")),
    ];
    (words, shown)
}

/// A silence, in words and with its frames.
fn silence(handshake: &Handshake, stall: &Stall) -> (String, Vec<(FrameRef, String)>) {
    let seconds = stall.nanos / 1_000_000_000;
    let mut shown = vec![(stall.after, "the last frame with anything new".to_owned())];
    shown.extend(stall.until.map(|until| (until, format!("the next one, {seconds} seconds later"))));
    (format!("nothing came for {seconds} seconds {}", waited_for(handshake, stall)), shown)
}

fn rejected(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let noun = session.noun();
    let alert = alert_in_words(judged.handshake);
    let why = why(judged);
    let words = match judged.ruling.stage {
        Stage::ClientWithoutData if alert.is_empty() && judged.handshake.tls.both_finished() => {
            format!("the {noun} finished the TLS handshake and closed it without a byte of data; {why}")
        }
        Stage::ClientWithoutData if alert.is_empty() => format!(
            "the {noun} sent its Finished and closed without a byte of data; the server's Finished is not in the capture, and nothing says why"
        ),
        _ => format!("TLS handshake fails: the {noun} ended it{alert}, and {why}"),
    };
    let mut finding = unexplained(session, judged, code, words, ask_the_device(&judged.assessment.chain));
    // Clients that look at the certificates last leave like a probe where they find something.
    if may_be_probe(session, judged) {
        if is_sound(&judged.assessment) {
            finding.severity = Severity::Info;
        } else {
            finding.proof = Proof::Undecidable;
        }
    }
    finding
}

fn server_ended(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let handshake = judged.handshake;
    let alert = alert_in_words(handshake);
    let words = match words::meaning(handshake) {
        _ if alert.is_empty() && handshake.tls.both_finished() => {
            "the TLS handshake was finished, and the server closed it before a byte of data; nothing in the capture says why".into()
        }
        Some(meaning) => format!("TLS handshake fails: the server ended it{alert}: {meaning}"),
        None => format!("TLS handshake fails: the server ended it{alert}, and {}", why(judged)),
    };
    let mut finding = unexplained(session, judged, code, words, ask_the_server(session));
    finding.excluded.extend(looked_at_later(handshake));
    finding
}

/// What is said of the reason: none is visible, or what is visible is refused by other stacks or in other ways.
fn why(judged: &Judged<'_>) -> String {
    let nothing = || "nothing in the capture says why".to_owned();
    stacks::beside_the_point(judged)
        .map_or_else(nothing, |it| format!("what the capture shows does not explain it: {it}"))
}

/// A finding about an ending that nothing explains, unless the server does not speak TLS at all (D-DIAGNOSIS-22).
fn unexplained(
    session: &Session<'_>,
    judged: &Judged<'_>,
    code: Code,
    words: String,
    remedies: Vec<String>,
) -> Finding {
    let handshake = judged.handshake;
    let (words, remedies) = match handshake.tls.other_protocol() {
        Some(answer) => (other_protocol_in_words(&answer.text), check_the_port(handshake.server)),
        None => (words, remedies),
    };
    // The missing direction, hello or key exchange may show the reason.
    let lacking = !handshake.two_sided || handshake.tls.client_hello.is_none() || judged.lacks_refusable();
    let unclear = judged.ruling.is_ambiguous() || lacking;
    let proof = if unclear { Proof::Undecidable } else { Proof::Inferred };
    let mut finding = session.finding(code, Severity::Error, proof, judged, words);
    finding.evidence = evidence(judged);
    finding.excluded = judged.excluded_beside(code);
    finding.certificates = handshake.sent.clone();
    finding.remedies = remedies;
    finding
}

fn alert_in_words(handshake: &Handshake) -> String {
    handshake.last_word().map(|alert| format!(" with {}", alert.code)).unwrap_or_default()
}

fn other_protocol_in_words(text: &str) -> String {
    let what = match text {
        "" => "the server's answer is no TLS".to_owned(),
        text => format!("the server answers in clear text (\"{text}\")"),
    };
    format!("TLS handshake fails: {what}: it does not speak TLS on this port")
}

/// The client certificate as a cause that is not excluded: the server's TLS accepted it, and the server closed all the same.
fn looked_at_later(handshake: &Handshake) -> Option<Excluded> {
    let asked = handshake.tls.certificate_request.is_some() && handshake.last_word().is_none();
    (asked && server_accepted_answer(handshake)).then(|| Excluded {
        cause: Code::ClientCertificate.name().into(),
        excluded: false,
        why: "the server finished the handshake after the client's answer, but may look at it later".into(),
    })
}

/// A single completed handshake, closed without data by an unidentified client: typical of a probe (D-DIAGNOSIS-04).
fn may_be_probe(session: &Session<'_>, judged: &Judged<'_>) -> bool {
    let alone = session.device.handshakes_total == 1 && judged.handshake.repeats == 0;
    let unused = judged.ruling.stage == Stage::ClientWithoutData && judged.handshake.last_word().is_none();
    unused && alone && !session.is_phone
}

/// Whether nothing is wrong with the certificates, whether or not a client minds.
fn is_sound(assessment: &Assessment) -> bool {
    assessment.chain.fault.is_none()
        && assessment.algorithms.outdated.is_none()
        && assessment.dates.faults.is_empty()
        && !matches!(assessment.name, NameCheck::NotCovered { .. })
}

fn waited_for(handshake: &Handshake, stall: &Stall) -> &'static str {
    let by = |at: Option<FrameRef>| at.is_some_and(|at| at.place() <= stall.after.place());
    let hello = handshake.tls.server_hello.as_ref().map(|hello| hello.at);
    match (by(hello), by(handshake.tls.server_hello_done)) {
        (false, _) => "where the server's ServerHello was due",
        (true, false) => "in the middle of the server's flight",
        (true, true) => "where the server's Finished was due",
    }
}

fn evidence(judged: &Judged<'_>) -> Vec<(FrameRef, String)> {
    let handshake = judged.handshake;
    let mut out = Vec::new();
    if let Some(hello) = &handshake.tls.client_hello {
        out.push((hello.at, format!("ClientHello, {}", hello.version)));
    }
    if let Some(answer) = handshake.tls.other_protocol() {
        out.push((answer.at, "the server's first bytes, no record of TLS".into()));
    }
    if let Some(record) = &handshake.tls.overlong {
        let what = format!(
            "{}: a record of {} bytes, longer than the 16,384 that one may hold (RFC 5246 section 6.2.1)",
            words::side(record.from),
            record.length
        );
        out.push((record.at, what));
    }
    for side in [Side::Client, Side::Server] {
        if let Some(at) = handshake.tls.encrypted_alert.of(side) {
            let readable = handshake.tls.alerts.iter().find(|alert| alert.from == side && alert.at == *at);
            let what = readable.map_or("an encrypted alert".into(), |alert| alert.code.to_string());
            out.push((*at, format!("{}: {what}", words::side(side))));
        }
    }
    out.extend(judged.ending());
    out
}

fn find_what_swallows(handshake: &Handshake) -> Vec<String> {
    let target = bracketed(handshake.server);
    vec![
        format!(
            "look for packets that are too large for the path: a black hole swallows full-size segments only\n  ping -M do -s 1472 {target}"
        ),
        "look at the server or the device in between that stopped answering (load balancer, firewall, inspection)"
            .into(),
    ]
}

fn ask_the_device(chain: &Judgement) -> Vec<String> {
    let whole = "make the server send its whole chain: the device may not have kept what it downloaded";
    let mut out: Vec<String> = chain.downloaded_step().map(|_| whole.into()).into_iter().collect();
    out.extend([
        "look at the device's own log: some stacks refuse a certificate without an alert".into(),
        "compare with a device that works: capture its sign-in too, and analyze both".into(),
    ]);
    out
}

fn ask_the_server(session: &Session<'_>) -> Vec<String> {
    if !session.may_be_phone() {
        return vec!["look at the server's log at the time of these frames: nginx and Apache write it to error.log, at level info (error_log … info, LogLevel ssl:info)".into()];
    }
    vec!["look at the server's log: on Windows the System log's Schannel events 36887, 36888, 36874\n  Get-WinEvent -FilterHashtable @{LogName='System';ProviderName='Schannel'} -MaxEvents 20".into()]
}

fn check_the_port(server: SocketAddr) -> Vec<String> {
    let (target, port) = (bracketed(server), server.port());
    vec![
        format!(
            "see what listens on that port, and send the device to the one where the service speaks TLS\n  openssl s_client -connect {target}:{port}"
        ),
        "where the protocol goes over to TLS by a command (STARTTLS), set the device to that".into(),
    ]
}
