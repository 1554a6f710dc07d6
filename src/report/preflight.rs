//! In: the answers of a preflight. Out: the report of it, schema `chaingap.preflight/2`. Bounded: by the chain.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::certificate::certificate;
use super::chain::Shown;
use super::finding::Findings;
use super::model::{Certificate, Chain, Finding, Options, Tool};
use super::places::Places;
use super::stack::StackVerdict;
use crate::capture::Timestamp;
use crate::diagnosis::{AnswerBasis, Expected, Preflight, Presented, Prospect, Trust};
use crate::trust::Path;

/// The value of the report's `schema` member.
pub const PREFLIGHT_SCHEMA: &str = "chaingap.preflight/2";

/// Whether devices would trust a chain.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PreflightReport {
    /// [`PREFLIGHT_SCHEMA`].
    pub schema: String,
    /// The program that wrote it.
    pub tool: Tool,
    /// The options of the run.
    pub options: Options,
    /// The name or address that devices ask for, which the certificate must match; letters beyond ASCII as A-labels.
    pub host: Option<String>,
    /// The file with the chain.
    pub path: String,
    /// The certificates in the order in which the server sends them, by SHA-256. Of a file without an order, such as
    /// PKCS#7, the server's own is the first. What does not hold the bytes of a certificate is left out.
    pub chain: Vec<String>,
    /// What of the file is not sent, or was chosen, a line each.
    pub problems: Vec<String>,
    /// The answer for each profile, in the order asked for.
    pub profiles: Vec<PreflightProfile>,
    /// What each TLS stack would do whose answers were measured, with the anchors of the first profile.
    pub stacks: Vec<PreflightStack>,
    /// The certificates named, by SHA-256.
    pub certificates: BTreeMap<String, Certificate>,
}

/// The answer for one profile.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PreflightProfile {
    /// Its name.
    pub name: String,
    /// A sign-in with nothing fetched before, as over USB.
    pub usb: Prospect,
    /// A sign-in after a PIN sign-in, which fetches the chain. As `usb` for devices that do not sign in with a PIN.
    pub pin: Prospect,
    /// The chain, judged.
    pub chain: Chain,
    /// The findings, the gravest first.
    pub findings: Vec<Finding>,
}

/// What one TLS stack would do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PreflightStack {
    /// Its name.
    pub name: String,
    /// The version that was measured.
    pub versions: String,
    /// Whether it would accept or refuse the chain.
    pub answer: StackVerdict,
    /// The name of the alert by which it would refuse; null where it sends none.
    pub alert: Option<String>,
    /// Whether it would finish the handshake first.
    pub after: bool,
    /// Whether just this was measured, or follows from several answers.
    pub basis: AnswerBasis,
    /// The code of what it would refuse the chain for.
    pub code: Option<String>,
    /// What it would refuse the chain for, as a clause.
    pub why: Option<String>,
}

impl PreflightStack {
    fn of(expected: &Expected) -> Self {
        Self {
            name: expected.stack.name.clone(),
            versions: expected.stack.versions.clone(),
            answer: StackVerdict::of(expected.answer),
            alert: expected.answer.alert().map(|code| code.to_string()),
            after: expected.answer.after,
            basis: expected.basis,
            code: expected.refused.as_ref().map(|it| it.code.rule().code.to_owned()),
            why: expected.refused.as_ref().map(|it| it.what.clone()),
        }
    }
}

/// What was asked of a preflight.
pub(crate) struct PreflightQuestion<'a> {
    pub(crate) path: &'a str,
    pub(crate) host: Option<&'a str>,
    pub(crate) at: Timestamp,
    pub(crate) presented: &'a Presented,
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
        let all = self.presented.chain.iter().chain(on_paths.flat_map(Path::certificates)).chain(missing);
        PreflightReport {
            schema: PREFLIGHT_SCHEMA.into(),
            tool: Tool::this(),
            options: self.options.clone(),
            host: self.host.map(str::to_owned),
            path: self.path.to_owned(),
            chain: self.presented.chain.iter().map(|certificate| certificate.sha256().to_string()).collect(),
            problems: self.presented.problems.clone(),
            profiles,
            stacks: answers.first().map(|it| it.stacks.iter().map(PreflightStack::of).collect()).unwrap_or_default(),
            certificates: all.map(|c| (c.sha256().to_string(), certificate(&places, c))).collect(),
        }
    }

    fn answer(&self, places: &Places<'_>, answer: &Preflight) -> PreflightProfile {
        let no_devices = BTreeMap::new();
        let findings = Findings { places: *places, all: &[], devices: &no_devices };
        let shown = Shown { places: *places, profile: &answer.profile, anchors: &answer.anchors, seen: None };
        PreflightProfile {
            name: answer.profile.clone(),
            usb: answer.usb,
            pin: answer.pin,
            chain: shown.chain(&answer.chain, Some(self.at.to_string())),
            findings: answer.findings.iter().map(|finding| findings.finding(finding, None, None)).collect(),
        }
    }
}
