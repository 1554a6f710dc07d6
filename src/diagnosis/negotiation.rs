//! CG009, CG010: no version or no cipher suite in common.
//!
//! In: the session. Out: a finding for each handshake that the server ended before its ServerHello for that reason, and what
//! servers took elsewhere.

use super::cause::{self, Ruling, Taken};
use super::finding::{Finding, Severity};
use super::rules::Code;
use super::{Excluded, Session, remedy};
use crate::evidence::{Evidence, Handshake};
use crate::flow::Side;
use crate::protocol::tls::AlertCode;
use crate::trust::Proof;

/// What of this hello its server agreed to with anybody. Which server is behind a proxy its address does not tell.
pub(super) fn taken(evidence: &Evidence, handshake: &Handshake) -> Taken {
    let hello = handshake.tls.client_hello.as_ref().filter(|_| handshake.tls.tunnel_to.is_none());
    let Some((hello, taken)) = hello.zip(evidence.tls_servers.get(&handshake.server)) else { return Taken::default() };
    Taken {
        version: taken.iter().any(|agreed| agreed.version == hello.version),
        suite: taken.iter().filter_map(|agreed| agreed.cipher_suite).any(|suite| hello.cipher_suites.contains(&suite)),
        alike: hello.besides.is_some()
            && taken.iter().any(|agreed| agreed.version == hello.version && agreed.besides == hello.besides),
    }
}

pub(super) fn find(session: &Session<'_>, out: &mut Vec<Finding>) {
    for (index, handshake, _, ruling) in session.handshakes() {
        for code in [Code::ProtocolVersion, Code::NoSharedCipher] {
            if ruling.survivors.contains(&code) {
                out.push(describe(session, index, handshake, ruling, code));
            }
        }
    }
}

fn describe(session: &Session<'_>, index: usize, handshake: &Handshake, ruling: &Ruling, code: Code) -> Finding {
    let assessment = &session.assessments[index];
    let offered = handshake.tls.client_hello.as_ref().map(|hello| hello.version.to_string()).unwrap_or_default();
    let alert = handshake.last_word().is_some();
    let taken = ruling.taken;
    let proof = match code {
        _ if ruling.survivors.len() > 1 => Proof::Undecidable,
        Code::ProtocolVersion if alert => Proof::Proven,
        Code::NoSharedCipher if alert && taken.alike && !taken.suite => Proof::Proven,
        _ => Proof::Inferred,
    };
    let summary = match code {
        Code::ProtocolVersion if handshake.ending.by == Some(Side::Client) => {
            let chosen = handshake.tls.version().map(|version| version.to_string()).unwrap_or_default();
            format!("TLS handshake fails: the {} refuses {chosen}, the version that the server chose", session.noun())
        }
        Code::ProtocolVersion => {
            let most = if offered.is_empty() { String::new() } else { format!(" ({offered} at most)") };
            format!("TLS handshake fails: the server takes none of the {}'s versions{most}", session.noun())
        }
        // Servers say "no shared cipher" as well where the suites fit, and what goes with them does not.
        _ if taken.suite => format!(
            "TLS handshake fails: the server finds nothing in common with the {}; it took one of these cipher suites elsewhere, so it may be the key exchange groups or the signature algorithms",
            session.noun()
        ),
        _ if proof == Proof::Proven => {
            format!("TLS handshake fails: the server takes none of the {}'s cipher suites", session.noun())
        }
        _ => format!(
            "TLS handshake fails: the server finds nothing in common with the {}, most likely no cipher suite",
            session.noun()
        ),
    };
    let mut finding = session.finding(code, Severity::Error, proof, index, summary);
    if let Some(hello) = &handshake.tls.client_hello {
        finding
            .evidence
            .push((hello.at, format!("ClientHello, {offered}, {} cipher suites", hello.cipher_suites.len())));
    }
    finding.evidence.extend(cause::ending_evidence(handshake));
    finding.excluded = cause::excluded(code, handshake, assessment, ruling);
    if code == Code::NoSharedCipher && proof == Proof::Inferred {
        // RFC 8446 section 4.1.1 has one alert for all three.
        finding.excluded.extend(["key-exchange-groups", "signature-algorithms"].map(|cause| Excluded {
            cause: cause.into(),
            excluded: false,
            why: "the same answer fits them".into(),
        }));
        if handshake.tls.client_hello.as_ref().is_some_and(|hello| hello.server_name.is_none()) {
            let why = "the device says no server name, and a server may need one".into();
            finding.excluded.push(Excluded { cause: "server-name".into(), excluded: false, why });
        }
    }
    finding.remedies = match code {
        Code::ProtocolVersion => remedy::protocol_version(&offered),
        _ if taken.version || handshake.ended_with(AlertCode::INSUFFICIENT_SECURITY) => remedy::cipher_suites(),
        // Some servers refuse a version with this alert too.
        _ => [remedy::cipher_suites(), remedy::protocol_version(&offered)].concat(),
    };
    finding
}
