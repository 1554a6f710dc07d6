//! In: a report. Out: its certificates and how each was seen, schema `chaingap.certs/1`. Bounded: by the report.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::model::{Certificate, Report, Tool};

/// The value of the report's `schema` member.
pub const CERTS_SCHEMA: &str = "chaingap.certs/1";

/// The certificates of an investigation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CertsReport {
    /// [`CERTS_SCHEMA`].
    pub schema: String,
    /// The program that wrote it.
    pub tool: Tool,
    /// The captures read, by path, in the order given.
    pub captures: Vec<String>,
    /// The certificates, in the order in which they were first seen.
    pub certificates: Vec<CertsEntry>,
}

/// One certificate.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CertsEntry {
    /// SHA-256 of the DER, lower-case hexadecimal.
    pub sha256: String,
    /// The certificate and where it was seen.
    #[serde(flatten)]
    pub certificate: Certificate,
    /// `id`s of the findings whose chain it would complete.
    pub completes: Vec<String>,
    /// The file that it was written to; null where none was written.
    pub file: Option<String>,
}

impl CertsReport {
    /// The certificates that the captures of a report show; if the report is about some devices only (`--device`),
    /// those of their handshakes and fetches. With `missing`, only those that would complete a chain, whether a capture
    /// or one of the user's files shows them.
    pub fn of(report: &Report, missing: bool) -> Self {
        let mut completes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut told = BTreeSet::new();
        for finding in &report.findings {
            for candidate in finding.missing.iter().flat_map(|link| &link.candidates) {
                if told.insert((&candidate.sha256, &finding.id)) {
                    completes.entry(&candidate.sha256).or_default().push(finding.id.clone());
                }
            }
        }
        let order: BTreeMap<&str, usize> =
            report.captures.iter().enumerate().map(|(index, capture)| (capture.path.as_str(), index)).collect();
        let first_seen = |certificate: &Certificate| {
            let places = certificate.seen.iter();
            places.filter_map(|found| Some((order.get(found.capture.as_str()).copied()?, found.frame?))).min()
        };
        let shown = report.devices.iter().flat_map(|device| {
            let sent = device.handshakes.iter().flat_map(|h| h.certificates.iter().chain(&h.client_certificates));
            sent.chain(device.fetches.iter().flat_map(|fetch| &fetch.certificates))
        });
        let own: Option<BTreeSet<&String>> = report.options.device.as_ref().map(|_| shown.collect());
        let wanted = |sha256: &String, certificate: &Certificate| match missing {
            true => completes.contains_key(sha256.as_str()),
            false => first_seen(certificate).is_some() && own.as_ref().is_none_or(|own| own.contains(sha256)),
        };
        let mut entries: Vec<_> = report
            .certificates
            .iter()
            .filter(|(sha256, certificate)| wanted(sha256, certificate))
            .map(|(sha256, certificate)| CertsEntry {
                sha256: sha256.clone(),
                certificate: certificate.clone(),
                completes: completes.get(sha256.as_str()).cloned().unwrap_or_default(),
                file: None,
            })
            .collect();
        // Certificates that only a file shows come last; those of one frame stay in the order of their hashes.
        entries.sort_by_key(|entry| first_seen(&entry.certificate).unwrap_or((usize::MAX, u64::MAX)));
        Self {
            schema: CERTS_SCHEMA.into(),
            tool: report.tool.clone(),
            captures: report.captures.iter().map(|capture| capture.path.clone()).collect(),
            certificates: entries,
        }
    }
}
