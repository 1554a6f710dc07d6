//! In: certificates seen, used or named. Out: each of them as people and machines read it. Bounded: by the evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::model;
use super::places::Places;
use crate::evidence::Evidence;
use crate::x509::{Certificate, Digest, hex};

/// Every certificate seen, and those of the user's files that a path or a missing link names.
pub(super) fn certificates(
    places: &Places<'_>,
    evidence: &Evidence,
    devices: &[model::Device],
    findings: &[model::Finding],
) -> BTreeMap<String, model::Certificate> {
    let cited: BTreeSet<&String> = devices
        .iter()
        .flat_map(|device| &device.handshakes)
        .flat_map(|h| h.chain.path.iter().chain(&h.chain.completed_path))
        .filter_map(|step| step.sha256.as_ref())
        .chain(findings.iter().flat_map(|f| f.missing.iter().flat_map(|m| m.candidates.iter().map(|c| &c.sha256))))
        .collect();
    let trust = places.trust;
    let supplied = trust.roots.iter().chain(&trust.installed).chain(&trust.bundle).map(|s| &s.certificate);
    let supplied = supplied.filter(|certificate| cited.contains(&certificate.sha256().to_string()));
    let seen = evidence.certificates.iter().map(|(certificate, _)| certificate);
    // The evidence limits how many certificates it stores, but those of reported handshakes and fetches are listed in
    // any case.
    let shown = (0..evidence.devices.len()).filter_map(|index| evidence.devices.get(index)).flat_map(|device| {
        let sent = device.handshakes.iter().flat_map(|handshake| handshake.sent.iter().chain(&handshake.client_sent));
        sent.chain(
            device.fetches.iter().flat_map(|fetch| fetch.certificates.iter().map(|(certificate, _)| certificate)),
        )
    });
    let shown = shown.filter(|_| evidence.certificates.dropped() > 0);
    let all: BTreeMap<Digest, &Arc<Certificate>> =
        seen.chain(supplied).chain(shown).map(|certificate| (certificate.sha256(), certificate)).collect();
    all.into_iter().map(|(sha256, certificate)| (sha256.to_string(), self::certificate(places, certificate))).collect()
}

/// One certificate.
pub(super) fn certificate(places: &Places<'_>, certificate: &Certificate) -> model::Certificate {
    let readable = certificate.is_readable();
    let issuer_key_id = certificate.authority_key_id().and_then(|id| id.key_id.as_deref()).map(hex);
    model::Certificate {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        serial: certificate.serial_hex().to_owned(),
        not_before: readable.then(|| certificate.not_before().to_string()),
        not_after: readable.then(|| certificate.not_after().to_string()),
        key: readable.then(|| certificate.public_key().to_string()),
        signature_algorithm: readable.then(|| certificate.signature_algorithm().to_string()),
        names: certificate.names(),
        ca: certificate.is_ca(),
        key_id: certificate.subject_key_id().map(hex),
        issuer_key_id,
        ca_issuers: certificate.ca_issuers().to_vec(),
        der: STANDARD.encode(certificate.der()),
        problems: certificate.problems().to_vec(),
        seen: places.found(certificate),
    }
}
