//! CG009, CG010: no version or no cipher suite in common.
//!
//! In: a judged handshake. Out: whether the server refused the hello for its versions or suites, and the finding. Bounded:
//! by the handshakes kept. Left to others: what the server accepted from other clients.

use super::logic::{Cause, Facts, Lacks, Logic, Rival};
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::{Excluded, Finding};
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::diagnosis::words;
use crate::evidence::Handshake;
use crate::flow::Side;
use crate::protocol::tls::{AlertCode, Letter, cipher_suite};
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
    finding.remedies = allow_version(&offered);
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
    finding.remedies = allow_suites();
    // Some servers refuse a version with this alert too.
    if !elsewhere.version && !handshake.ended_with(AlertCode::INSUFFICIENT_SECURITY) {
        finding.remedies.extend(allow_version(&offered(handshake)));
    }
    finding
}

fn refused(session: &Session<'_>, judged: &Judged<'_>, (code, proof): (Code, Proof), words: &str) -> Finding {
    let mut finding = session.cause(code, proof, judged, words);
    if let Some(hello) = &judged.handshake.tls.client_hello {
        let suites = hello.cipher_suites.len();
        finding.evidence.push((hello.at, format!("ClientHello, {}, {suites} cipher suites", hello.version)));
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

fn allow_version(offered: &str) -> Vec<String> {
    let mut out = Vec::new();
    // The keys in the Windows registry have these names.
    if ["TLS 1.0", "TLS 1.1", "TLS 1.2"].contains(&offered) {
        out.push(format!(
            "allow {offered} on the server, or give the phones a service of their own that does\n  reg query \"HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\{offered}\\Server\""
        ));
    }
    out.push(
        "Lync Phone Edition does TLS 1.0 at most; services that have switched it off cannot be reached by it".into(),
    );
    out
}

fn allow_suites() -> Vec<String> {
    vec!["allow one of the suites that the ClientHello offers on the server; phones of that age take RSA key exchange with AES-CBC or 3DES".into()]
}
