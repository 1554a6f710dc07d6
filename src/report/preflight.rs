//! In: the answers of a preflight. Out: the report of it, schema `chaingap.preflight/1`. Bounded: by the chain.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::certificate::certificate;
use super::chain::missing;
use super::finding::Findings;
use super::model::{Certificate, Chain, Finding, Options, Step, Tool};
use super::places::Places;
use crate::capture::Timestamp;
use crate::diagnosis::{Preflight, Prospect, Trust};
use crate::trust::{Path, StepFrom};
use crate::x509;

/// The value of the report's `schema` member.
pub const PREFLIGHT_SCHEMA: &str = "chaingap.preflight/1";

/// Would devices trust a chain?
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PreflightReport {
    /// [`PREFLIGHT_SCHEMA`].
    pub schema: String,
    /// The program that wrote it.
    pub tool: Tool,
    /// What it was asked.
    pub options: Options,
    /// The name that the certificate should be for.
    pub host: Option<String>,
    /// The file with the chain.
    pub path: String,
    /// The chain in the file's order, by SHA-256.
    pub chain: Vec<String>,
    /// The answer for each profile.
    pub profiles: Vec<PreflightProfile>,
    /// The certificates named, by SHA-256.
    pub certificates: BTreeMap<String, Certificate>,
}

/// The answer for one profile.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PreflightProfile {
    /// Its name.
    pub name: String,
    /// A sign-in with nothing fetched before, as over USB.
    pub usb: Prospect,
    /// A sign-in after a PIN sign-in, which downloads the chain.
    pub pin: Prospect,
    /// The chain, judged.
    pub chain: Chain,
    /// What is wrong, gravest first.
    pub findings: Vec<Finding>,
}

/// What was asked of a preflight.
pub(crate) struct PreflightQuestion<'a> {
    pub(crate) path: &'a str,
    pub(crate) host: Option<&'a str>,
    pub(crate) at: Timestamp,
    pub(crate) sent: &'a [Arc<x509::Certificate>],
    pub(crate) trust: &'a Trust,
    pub(crate) options: &'a Options,
}

impl PreflightQuestion<'_> {
    /// The report of a preflight.
    pub(crate) fn report(&self, answers: &[Preflight]) -> PreflightReport {
        let places = Places { captures: &[], evidence: None, trust: self.trust };
        let profiles: Vec<_> = answers.iter().map(|answer| self.answer(&places, answer)).collect();
        let on_paths = answers.iter().flat_map(|answer| [&answer.chain.path, &answer.chain.completed]).flatten();
        let missing = answers.iter().flat_map(|answer| &answer.chain.missing).flat_map(|missing| &missing.candidates);
        let all = self.sent.iter().chain(on_paths.flat_map(Path::certificates)).chain(missing);
        PreflightReport {
            schema: PREFLIGHT_SCHEMA.into(),
            tool: Tool::this(),
            options: self.options.clone(),
            host: self.host.map(str::to_owned),
            path: self.path.to_owned(),
            chain: self.sent.iter().map(|certificate| certificate.sha256().to_string()).collect(),
            profiles,
            certificates: all.map(|c| (c.sha256().to_string(), certificate(&places, c))).collect(),
        }
    }

    fn answer(&self, places: &Places<'_>, answer: &Preflight) -> PreflightProfile {
        let steps = |path: &Option<Path>| {
            path.iter().flat_map(|path| &path.steps).filter_map(|step| bare_step(places, step, answer)).collect()
        };
        let chain = &answer.chain;
        let no_devices = BTreeMap::new();
        let findings = Findings { places: *places, all: &[], devices: &no_devices };
        PreflightProfile {
            name: answer.profile.clone(),
            usb: answer.usb,
            pin: answer.pin,
            chain: Chain {
                status: chain.status,
                proof: chain.proof,
                judged_at: Some(self.at.to_string()),
                path: steps(&chain.path),
                completed_path: steps(&chain.completed),
                missing: chain.missing.iter().map(|link| missing(places, link)).collect(),
            },
            findings: answer.findings.iter().map(|finding| findings.finding(finding)).collect(),
        }
    }
}

fn bare_step(places: &Places<'_>, step: &crate::trust::Step, answer: &Preflight) -> Option<Step> {
    let anchor = step.anchor.and_then(|index| answer.anchors.get(index));
    let (subject, key) = match (&step.certificate, anchor) {
        (Some(certificate), _) => (certificate.subject(), certificate.public_key()),
        (None, Some(anchor)) => (&anchor.subject, &anchor.key),
        (None, None) => return None,
    };
    let file = step.certificate.as_ref().and_then(|certificate| places.file_of(certificate));
    let source = match step.from {
        StepFrom::Sent => None,
        StepFrom::Anchor if anchor.is_some_and(|anchor| !anchor.given) => Some(answer.profile.clone()),
        _ => file,
    };
    Some(Step {
        sha256: step.certificate.as_ref().map(|certificate| certificate.sha256().to_string()),
        subject: subject.to_string(),
        spki_sha256: key.spki_sha256().to_string(),
        from: step.from,
        held: step.from.is_held(),
        source,
        capture: None,
        frame: None,
    })
}
