//! What TLS stacks refuse, said of a cause: which of them do and by which alert, and the finding where nothing else says
//! that it may be one.
//!
//! In: a judged handshake with the defects that are visible in it. Out: findings, and what they say of stacks. Bounded: by
//! the stacks. Left to others: which causes remain (`refusal`).

use std::sync::Arc;

use super::remedy::each_once;
use super::{dates, names, order};
use crate::capture::FrameRef;
use crate::diagnosis::code::{Code, LENIENT};
use crate::diagnosis::defects::Visible;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::judged::Judged;
use crate::diagnosis::refusal::Refusal;
use crate::diagnosis::session::Session;
use crate::trust::{Answer, Proof, Stack};

/// Most stacks that a sentence names.
const NAMED: usize = 3;

/// A cause that is one because a stack refuses what is visible.
pub(super) fn describe(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let visible: Vec<&Visible> = of_code(judged, code).collect();
    let words: Vec<&str> = visible.iter().map(|it| it.what.as_str()).collect();
    let shown = visible.iter().filter_map(|it| shown(judged, it)).collect();
    let mut finding = session.refused(code, judged, &words.join(", and "), shown);
    finding.certificates = judged.handshake.sent.clone();
    finding.remedies = each_once(visible.iter().map(|it| remedy(it))).into_iter().chain(more(session, code)).collect();
    add_answers(judged, code, finding)
}

/// Adds to a finding which stacks refuse what it is about.
pub(super) fn add_answers(judged: &Judged<'_>, code: Code, mut finding: Finding) -> Finding {
    if !judged.ruling.survives(code) {
        return finding;
    }
    // A measured answer never proves a cause.
    if judged.ruling.overruled {
        finding.proof = finding.proof.min(Proof::Inferred);
    }
    if judged.ruling.doubtful {
        finding.proof = Proof::Undecidable;
    }
    let Some(refusal) = Refusal::of(judged.handshake, &judged.assessment, judged.ruling.stage) else { return finding };
    let mut about = of_code(judged, code);
    let Some(first) = about.find(|it| answers(judged, it).any(|(_, answer)| refusal.is(answer))) else {
        return finding;
    };
    let known = judged.client_stack.as_ref();
    let own = |stack: &Arc<Stack>| known.is_some_and(|known| known.id == stack.id);
    let refusing: Vec<_> = answers(judged, first).filter(|(_, answer)| refusal.is(*answer)).collect();
    let said = match refusing.iter().find(|(stack, _)| own(stack)) {
        Some((stack, answer)) => {
            format!("{}, which the client's hello is consistent with, refuses this ({answer})", stack.title())
        }
        None => {
            let titles: Vec<String> = refusing.iter().map(|(stack, _)| stack.title()).collect();
            let answer = refusing.first().map(|(_, answer)| answer.to_string()).unwrap_or_default();
            format!("{} {} this ({answer})", list(&titles), if titles.len() == 1 { "refuses" } else { "refuse" })
        }
    };
    // What every client refuses needs no names, unless the client's own is known. Which server it is, nothing tells.
    let telling =
        refusing.iter().any(|(stack, _)| own(stack)) || LENIENT.contains(&code) || !judged.held.contains(&code);
    if telling && !refusal.is_of_server() {
        finding.summary = format!("{}; {said}", finding.summary);
    }
    finding.stacks = answers(judged, first).map(|(stack, answer)| (Arc::clone(stack), answer)).collect();
    finding.stacks.sort_by_key(|(stack, answer)| (!own(stack), answer.accepts()));
    finding
}

/// What is said where no cause remains: what stacks refuse of it, but not by this ending.
pub(super) fn beside_the_point(judged: &Judged<'_>) -> Option<String> {
    let first = judged.ruling.visible.first()?;
    let refusing: Vec<String> =
        answers(judged, first).filter(|(_, it)| !it.accepts()).map(|(stack, _)| stack.title()).collect();
    let verb = if refusing.len() == 1 { "refuses" } else { "refuse" };
    Some(format!("{}, which {} {verb}, though not in this way", first.what, list(&refusing)))
}

/// A list of names, of which the first few are written out.
fn list(names: &[String]) -> String {
    match names {
        [one] => one.clone(),
        [first @ .., last] if names.len() <= NAMED => format!("{} and {last}", first.join(", ")),
        _ => {
            let first: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
            format!("{} and {} more", first.join(", "), names.len() - first.len())
        }
    }
}

fn of_code<'a>(judged: &'a Judged<'_>, code: Code) -> impl Iterator<Item = &'a Visible> {
    judged.ruling.visible.iter().filter(move |it| it.code == code && is_open(judged, it))
}

/// Whether the client's stack is not known to accept it.
fn is_open(judged: &Judged<'_>, it: &Visible) -> bool {
    let answer = judged.client_stack.as_ref().and_then(|stack| stack.answer(it.defect));
    !answer.is_some_and(Answer::accepts)
}

fn answers<'a>(judged: &'a Judged<'_>, it: &Visible) -> impl Iterator<Item = (&'a Arc<Stack>, Answer)> + use<'a> {
    judged.stacks.answers(it.defect)
}

/// The frame in which a defect is.
fn shown(judged: &Judged<'_>, it: &Visible) -> Option<(FrameRef, String)> {
    let tls = &judged.handshake.tls;
    let hello = tls.server_hello.as_ref().map(|hello| hello.at);
    let exchange = tls.server_key_exchange.as_ref().map(|exchange| exchange.at);
    let of_exchange = ["dh-512", "dh-1024", "curve-not-offered", "scheme-sha1"].contains(&it.defect);
    let at = if of_exchange {
        exchange
    } else if [Code::ParametersRefused, Code::ServerName].contains(&it.code) {
        hello
    } else if it.code == Code::ClientCertificate {
        tls.certificates.client.as_ref().map(|list| list.last)
    } else {
        tls.certificates.server.as_ref().map(|list| list.last)
    };
    at.map(|at| (at, it.what.clone()))
}

/// The remedies of defects that have one of their own.
const REMEDIES: &[(&[&str], &str)] = &[
    (
        &["leaf-last", "order-reversed", "order-shuffled", "leaf-twice", "intermediate-twice", "unrelated-last"],
        "send the server's own certificate first, then each one's issuer, without the root; some devices take nothing else",
    ),
    (
        &[
            "cross-expired",
            "cross-to-expired-anchor",
            "cross-to-unknown-root",
            "expired-twin-first",
            "expired-twin-last",
        ],
        "take the certificate that leads the other way out of what the server sends, so that the valid chain is the only one",
    ),
    (
        &["dh-512", "dh-1024"],
        "give the server a Diffie-Hellman group of 2,048 bits or more, or let it prefer ECDHE\n  openssl dhparam -out dh.pem 2048",
    ),
];

/// The remedies of codes.
const REMEDIES_OF_CODES: &[(Code, &str)] = &[
    (
        Code::ParametersRefused,
        "update the server's TLS software: it must choose from what the client offers, and nothing that clients refuse",
    ),
    (
        Code::UnsupportedAlgorithm,
        "issue the certificate anew with what all clients take: SHA-256, and an RSA key of 2,048 bits or a key of P-256",
    ),
    (Code::ServerName, "add the name to the server's configuration, so that it knows it"),
];

fn remedy(it: &Visible) -> &'static str {
    let own = REMEDIES.iter().find(|(defects, _)| defects.contains(&it.defect)).map(|(_, remedy)| *remedy);
    let of_code = || REMEDIES_OF_CODES.iter().find(|(code, _)| *code == it.code).map(|(_, remedy)| *remedy);
    own.or_else(of_code).unwrap_or(
        "issue the certificate anew as RFC 5280 has it, and look at what was made\n  openssl x509 -in server.cer -noout -text",
    )
}

fn more(session: &Session<'_>, code: Code) -> Vec<String> {
    if code == Code::NameMismatch {
        names::add_name(session.may_be_phone())
    } else if code == Code::CertificateNotYetValid {
        dates::renew()
    } else if code == Code::ChainOrder {
        order::send_in_order()
    } else {
        Vec::new()
    }
}
