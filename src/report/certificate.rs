//! In: certificates seen, used or named. Out: each of them as people and machines read it. Bounded: by the evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::model;
use super::places::Places;
use crate::evidence::{Device, Evidence};
use crate::x509::{Certificate, Digest, hex};

/// The certificates that a report has to list beside those that the evidence stores.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Those that a path or a missing link names, by SHA-256; they may be of the user's files.
    cited: BTreeSet<String>,
    /// Those of reported handshakes and fetches. The evidence limits how many certificates it stores; these are listed in
    /// any case.
    carried: BTreeMap<Digest, Arc<Certificate>>,
}

impl Listed {
    /// Adds those of a device, as the evidence and as the report have it.
    pub(super) fn add_device(&mut self, evidence: &Evidence, device: &Device, reported: &model::Device) {
        let paths = reported.handshakes.iter().flat_map(|h| h.chain.path.iter().chain(&h.chain.completed_path));
        self.cited.extend(paths.filter_map(|step| step.sha256.clone()));
        if evidence.certificates.dropped() > 0 {
            let sent =
                device.handshakes.iter().flat_map(|handshake| handshake.sent.iter().chain(&handshake.client_sent));
            let fetched = device.fetches.iter().flat_map(|fetch| fetch.certificates.iter().map(|(it, _)| it));
            self.carried.extend(sent.chain(fetched).map(|certificate| (certificate.sha256(), Arc::clone(certificate))));
        }
    }

    /// Adds those of a finding.
    pub(super) fn add_finding(&mut self, finding: &model::Finding) {
        let candidates = finding.missing.iter().flat_map(|missing| &missing.candidates);
        self.cited.extend(candidates.map(|candidate| candidate.sha256.clone()));
    }

    /// Every certificate seen, and these.
    pub(super) fn members(&self, places: &Places<'_>, evidence: &Evidence) -> BTreeMap<String, model::Certificate> {
        let trust = places.trust;
        let supplied = trust.roots.iter().chain(&trust.installed).chain(&trust.bundle).map(|s| &s.certificate);
        let supplied = supplied.filter(|certificate| self.cited.contains(&certificate.sha256().to_string()));
        let seen = evidence.certificates.iter().map(|(certificate, _)| certificate);
        let all: BTreeMap<Digest, &Arc<Certificate>> =
            seen.chain(supplied).chain(self.carried.values()).map(|it| (it.sha256(), it)).collect();
        all.into_iter().map(|(sha256, it)| (sha256.to_string(), certificate(places, it))).collect()
    }
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
