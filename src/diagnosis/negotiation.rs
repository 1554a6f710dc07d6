//! CG009, CG010: no version or no cipher suite in common.
//!
//! In: the session. Out: a finding for each handshake that the server ended before its ServerHello for that reason.

use super::cause::{self, Ruling};
use super::finding::{Finding, Severity};
use super::rules::Code;
use super::{Session, remedy};
use crate::evidence::{Evidence, Handshake};
use crate::flow::Side;
use crate::trust::Proof;

/// Whether this server agreed to this hello's version with anybody.
pub(super) fn version_taken(evidence: &Evidence, handshake: &Handshake) -> bool {
    let Some(hello) = &handshake.tls.client_hello else { return false };
    evidence.tls_servers.get(&handshake.server).is_some_and(|taken| taken.contains(&hello.version))
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
    let taken = version_taken(session.evidence, handshake);
    let proof = match code {
        _ if ruling.survivors.len() > 1 => Proof::Undecidable,
        Code::ProtocolVersion if alert => Proof::Proven,
        Code::NoSharedCipher if alert && taken => Proof::Proven,
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
        _ => format!("TLS handshake fails: the server takes none of the {}'s cipher suites", session.noun()),
    };
    let mut finding = session.finding(code, Severity::Error, proof, index, summary);
    if let Some(hello) = &handshake.tls.client_hello {
        finding
            .evidence
            .push((hello.at, format!("ClientHello, {offered}, {} cipher suites", hello.cipher_suites.len())));
    }
    finding.evidence.extend(cause::ending_evidence(handshake));
    finding.excluded = cause::excluded(code, handshake, assessment, ruling);
    if code == Code::NoSharedCipher
        && taken
        && let Some(entry) = finding.excluded.iter_mut().find(|entry| entry.cause == Code::ProtocolVersion.name())
    {
        *entry =
            super::Excluded { excluded: true, why: format!("this server took {offered} elsewhere"), ..entry.clone() };
    }
    finding.remedies = match code {
        Code::ProtocolVersion => remedy::protocol_version(&offered),
        _ => remedy::cipher_suites(),
    };
    finding
}
