//! CG009, CG010: no version or no cipher suite in common.
//!
//! In: a judged handshake. Out: whether the server refused the hello for its versions or suites, and the finding. Bounded:
//! by the handshakes kept. Left to others: what the server accepted from other clients.

use std::collections::BTreeSet;

use super::logic::{Cause, Facts, Lacks, Logic, Rival};
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::{Excluded, Finding};
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::diagnosis::words;
use crate::evidence::Handshake;
use crate::flow::Side;
use crate::protocol::tls::{AlertCode, ClientHello, Letter, cipher_suite, group, signature_scheme};
use crate::trust::Proof;

pub(super) const PROTOCOL_VERSION: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause {
        holds: |facts| match facts.handshake.ending.by {
            Some(Side::Client) => facts.handshake.tls.version().is_some(),
            Some(Side::Server) | None => server_may_refuse_hello(facts),
        },
        exclusion: version_excluded,
        describe: version_refused,
    }),
    find: None,
};
pub(super) const NO_SHARED_CIPHER: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause { holds: server_may_refuse_hello, exclusion: suites_excluded, describe: suites_refused }),
    find: None,
};

/// Versions that a server may have switched off.
const VERSIONS: [&str; 3] = ["TLS 1.0", "TLS 1.1", "TLS 1.2"];
/// Names of a list that are shown.
const SHOWN_NAMES: usize = 6;

/// A server refuses version or suites by an alert or a bare close, so a hello may be refused unless the server answered
/// in another protocol.
fn server_may_refuse_hello(facts: &Facts<'_>) -> bool {
    facts.handshake.history.has(Letter::ClientHello) && facts.handshake.tls.other_protocol().is_none()
}

fn version_excluded(rival: &Rival<'_>) -> Option<(bool, String)> {
    if let Some(hello) = &rival.handshake.tls.server_hello {
        let suite = hello.cipher_suite.map_or_else(|| "one of SSL 2.0".into(), cipher_suite);
        return Some((true, format!("the server agreed on {} and {suite}", hello.version)));
    }
    Some(match rival.handshake.last_word().map(|alert| alert.code) {
        Some(AlertCode::PROTOCOL_VERSION) => named_version(),
        _ if rival.ruling.elsewhere.version => {
            (true, format!("this server took {} elsewhere", offered(rival.handshake)))
        }
        Some(_) if rival.ruling.allowed.contains(&rival.code) => (false, "the same answer fits it".into()),
        Some(AlertCode::UNRECOGNIZED_NAME) => rival.not_its_alert(),
        Some(_) if words::meaning(rival.handshake).is_some() => rival.not_its_alert(),
        _ => (false, "the same answer fits it".into()),
    })
}

fn suites_excluded(rival: &Rival<'_>) -> Option<(bool, String)> {
    Some(match rival.handshake.last_word().map(|alert| alert.code) {
        Some(AlertCode::PROTOCOL_VERSION) => named_version(),
        None if rival.ruling.elsewhere.suite => (true, "this server took one of these cipher suites elsewhere".into()),
        Some(_) if !rival.ruling.allowed.contains(&rival.code) => rival.not_its_alert(),
        _ => (false, "the same answer fits it".into()),
    })
}

fn named_version() -> (bool, String) {
    (true, "protocol_version names the version, not the suites".into())
}

/// The highest version that the client offered, or nothing.
fn offered(handshake: &Handshake) -> String {
    handshake.tls.client_hello.as_ref().map(|hello| hello.version.to_string()).unwrap_or_default()
}

fn version_refused(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let handshake = judged.handshake;
    let proof = match handshake.last_word() {
        _ if judged.ruling.is_ambiguous() => Proof::Undecidable,
        Some(_) => Proof::Proven,
        None => Proof::Inferred,
    };
    let offered = offered(handshake);
    let noun = session.noun();
    let words = match handshake.ending.by {
        Some(Side::Client) => {
            let chosen = handshake.tls.version().map(|version| version.to_string()).unwrap_or_default();
            format!("the {noun} refuses {chosen}, the version that the server chose")
        }
        Some(Side::Server) | None => {
            let most = if offered.is_empty() { String::new() } else { format!(" ({offered} at most)") };
            format!("the server takes none of the {noun}'s versions{most}")
        }
    };
    let mut finding = refused(session, judged, (code, proof), &words);
    finding.remedies = allow_version(session, &offered);
    finding
}

/// Decided in D-DIAGNOSIS-14.
fn suites_refused(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let handshake = judged.handshake;
    let elsewhere = &judged.ruling.elsewhere;
    let proof = match handshake.last_word() {
        _ if judged.ruling.is_ambiguous() => Proof::Undecidable,
        Some(_) if elsewhere.same_but_for_suites && !elsewhere.suite => Proof::Proven,
        _ => Proof::Inferred,
    };
    let noun = session.noun();
    // Servers send the same alert if the suites fit but the groups or signature algorithms do not.
    let words = match proof {
        _ if elsewhere.suite => format!(
            "the server finds nothing in common with the {noun}; it took one of these cipher suites elsewhere, so it may be the key exchange groups or the signature algorithms"
        ),
        Proof::Proven => format!("the server takes none of the {noun}'s cipher suites"),
        Proof::Inferred | Proof::Undecidable => {
            format!("the server finds nothing in common with the {noun}, most likely no cipher suite")
        }
    };
    let mut finding = refused(session, judged, (code, proof), &words);
    if proof == Proof::Inferred {
        finding.excluded.extend(refused_by_the_same_alert(handshake));
    }
    finding.remedies = allow_suites(session, handshake, &elsewhere.suites);
    // Some servers refuse a version with this alert too.
    if !elsewhere.version && !handshake.ended_with(AlertCode::INSUFFICIENT_SECURITY) {
        finding.remedies.extend(allow_version(session, &offered(handshake)));
    }
    finding
}

fn refused(session: &Session<'_>, judged: &Judged<'_>, (code, proof): (Code, Proof), words: &str) -> Finding {
    let mut finding = session.cause(code, proof, judged, words);
    if let Some(hello) = &judged.handshake.tls.client_hello {
        finding.evidence.push((hello.at, format!("ClientHello, {}", hello.version)));
        finding.evidence.extend(offers(hello).into_iter().map(|what| (hello.at, what)));
    }
    finding.evidence.extend(judged.ending());
    finding.excluded = judged.excluded_beside(code);
    finding
}

/// RFC 8446 section 4.1.1 has one alert for suites, groups and signature algorithms.
fn refused_by_the_same_alert(handshake: &Handshake) -> Vec<Excluded> {
    let open = |cause: &str, why: &str| Excluded { cause: cause.into(), excluded: false, why: why.into() };
    let mut out = vec![
        open("key-exchange-groups", "the same answer fits them"),
        open("signature-algorithms", "the same answer fits them"),
    ];
    if handshake.tls.client_hello.as_ref().is_some_and(|hello| hello.server_name.is_none()) {
        out.push(open("server-name", "the device says no server name, and a server may need one"));
    }
    out
}

/// What a hello offers, in words: its suites, groups and signature schemes.
pub(super) fn offers(hello: &ClientHello) -> Vec<String> {
    let groups: Vec<String> = hello.groups.iter().map(|id| group(*id)).collect();
    let schemes = hello.signature_algorithms.iter().flatten();
    let schemes: Vec<String> = schemes.map(|id| signature_scheme(*id)).collect();
    let kinds = [("cipher suites", suites(hello.cipher_suites.iter())), ("groups", groups), ("signatures", schemes)];
    let offered = kinds.iter().filter(|(_, names)| !names.is_empty());
    offered.map(|(kind, names)| format!("offers {} {kind}: {}", names.len(), some_of(names))).collect()
}

/// The names of suites, without the values that are signals (RFC 5746, RFC 7507) or reserved (RFC 8701).
fn suites<'s>(ids: impl Iterator<Item = &'s u16>) -> Vec<String> {
    let is_suite = |id: &&u16| !matches!(**id, 0x00ff | 0x5600) && **id & 0x0f0f != 0x0a0a;
    ids.filter(is_suite).map(|id| cipher_suite(*id)).collect()
}

/// The first names of a list, and how many there are besides.
fn some_of(names: &[String]) -> String {
    let more = names.len().saturating_sub(SHOWN_NAMES);
    let shown: Vec<&str> = names.iter().take(SHOWN_NAMES).map(String::as_str).collect();
    let shown = shown.join(", ");
    if more == 0 { shown } else { format!("{shown}, and {more} more") }
}

/// What a server is known to accept, as a clause, if anything is.
pub(super) fn takes_elsewhere(chosen: &BTreeSet<u16>) -> Option<String> {
    let names = suites(chosen.iter());
    (!names.is_empty()).then(|| format!("for other hellos this server chose {}", some_of(&names)))
}

fn allow_version(session: &Session<'_>, offered: &str) -> Vec<String> {
    let mut out = Vec::new();
    // The keys in the Windows registry have these names.
    let known = VERSIONS.contains(&offered);
    if !session.may_be_phone() {
        if known {
            let names = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
            let from = VERSIONS.iter().position(|version| *version == offered).unwrap_or_default();
            let names = names.get(from..).unwrap_or_default().join(" ");
            let level = if offered == "TLS 1.2" { "" } else { "; OpenSSL 3 also needs security level 0 for it" };
            out.push(format!(
                "allow {offered} on the server{level}\n  nginx: ssl_protocols {names};\n  Apache: SSLProtocol {names}"
            ));
        }
        out.push("or update the device, so that it speaks a newer version of TLS".into());
        return out;
    }
    if known {
        out.push(format!(
            "allow {offered} on the server, or give the phones a service of their own that does\n  reg query \"HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\{offered}\\Server\""
        ));
    }
    out.push(
        "Lync Phone Edition does TLS 1.0 at most; services that have switched it off cannot be reached by it".into(),
    );
    out
}

fn allow_suites(session: &Session<'_>, handshake: &Handshake, chosen: &BTreeSet<u16>) -> Vec<String> {
    let offered = suites(handshake.tls.client_hello.iter().flat_map(|hello| &hello.cipher_suites));
    let offered = if offered.is_empty() { String::new() } else { format!(": {}", some_of(&offered)) };
    let old =
        if session.may_be_phone() { "; phones of that age take RSA key exchange with AES-CBC or 3DES" } else { "" };
    let chose = takes_elsewhere(chosen).map(|chose| format!(" ({chose})")).unwrap_or_default();
    vec![format!("allow one of the suites that the ClientHello offers on the server{offered}{chose}{old}")]
}
