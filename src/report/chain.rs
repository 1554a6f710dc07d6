//! In: how a chain was judged. Out: its paths and missing links as people and machines read them. Bounded:
//! `MOST_ADDRESSES` addresses of a missing certificate, `MOST_CHARACTERS` characters of a name.

use std::sync::Arc;

use super::model;
use super::places::Places;
use crate::evidence::{Device, Handshake};
use crate::trust::{Anchor, ChainStatus, Judgement, Missing, Path, StepFrom};
use crate::x509::{Certificate, hex};

/// Most addresses for fetching that are reported of one missing certificate.
const MOST_ADDRESSES: usize = 8;
/// Most characters of one name or address of a missing certificate, since every finding about it repeats them.
const MOST_CHARACTERS: usize = 1024;

/// What the steps of a chain are described with.
pub(super) struct Shown<'a> {
    pub(super) places: Places<'a>,
    /// The name of the profile by which the chain was judged.
    pub(super) profile: &'a str,
    /// The anchors that the steps of its paths refer to.
    pub(super) anchors: &'a [Anchor],
    /// The device and the handshake that showed it; `None` where no capture did.
    pub(super) seen: Option<(&'a Device, &'a Handshake)>,
}

impl Shown<'_> {
    /// A judged chain.
    pub(super) fn chain(&self, judgement: &Judgement, judged_at: Option<String>) -> model::Chain {
        let steps = |path: &Option<Path>| -> Vec<model::Step> {
            let Some(path) = path else { return Vec::new() };
            path.steps.iter().filter_map(|step| self.step(step)).collect()
        };
        model::Chain {
            status: judgement.status,
            proof: judgement.proof,
            judged_at: judged_at.filter(|_| !matches!(judgement.status, ChainStatus::NotSent | ChainStatus::Hidden)),
            path: steps(&judgement.path),
            completed_path: steps(&judgement.completed),
            missing: judgement.missing.iter().map(|link| missing(&self.places, link)).collect(),
        }
    }

    fn step(&self, step: &crate::trust::Step) -> Option<model::Step> {
        let anchor = step.anchor.and_then(|index| self.anchors.get(index));
        let certificate = step.certificate.as_ref();
        let (subject, key) = match (certificate, anchor) {
            (Some(certificate), _) => (certificate.subject(), certificate.public_key()),
            (None, Some(anchor)) => (&anchor.subject, &anchor.key),
            (None, None) => return None,
        };
        let (source, at) = match step.from {
            StepFrom::Anchor => (Some(self.anchor_source(anchor, certificate)), None),
            StepFrom::Sent => {
                let list = self.seen.and_then(|(_, handshake)| handshake.tls.certificates.server.as_ref());
                (None, list.map(|list| list.last))
            }
            StepFrom::Fetched => {
                let brought = |c: &Certificate| Some(c.sha256()) == certificate.map(|c| c.sha256());
                let fetches = self.seen.map(|(device, _)| device.fetches.as_slice()).unwrap_or_default();
                let fetch = fetches
                    .iter()
                    .find(|fetch| fetch.succeeded() && fetch.certificates.iter().any(|(c, _)| brought(c)));
                (fetch.map(|fetch| fetch.via.as_str().to_owned()), fetch.and_then(|fetch| fetch.last))
            }
            StepFrom::Installed | StepFrom::Bundle => (certificate.and_then(|c| self.places.file_of(c)), None),
            StepFrom::Seen => {
                let all = self.places.evidence.map(|evidence| &evidence.certificates);
                let sighting = all.zip(certificate).and_then(|(all, c)| all.sightings(c.sha256()).first());
                (sighting.map(|sighting| sighting.how.to_string()), sighting.map(|sighting| sighting.at))
            }
        };
        Some(model::Step {
            sha256: certificate.map(|certificate| certificate.sha256().to_string()),
            subject: subject.to_string(),
            spki_sha256: key.spki_sha256().to_string(),
            from: step.from,
            held: step.from.is_held(),
            source,
            capture: at.map(|at| self.places.path(at.capture)),
            frame: at.map(|at| at.number),
        })
    }

    fn anchor_source(&self, anchor: Option<&Anchor>, certificate: Option<&Arc<Certificate>>) -> String {
        match (anchor, certificate) {
            (Some(anchor), _) if !anchor.given => self.profile.to_owned(),
            (Some(_), Some(certificate)) => self.places.file_of(certificate).unwrap_or_else(|| "--roots".into()),
            // A root that the device fetched itself is an anchor of this one handshake only.
            (None, _) => "fetched".into(),
            (Some(_), None) => "--roots".into(),
        }
    }
}

/// A missing link.
pub(super) fn missing(places: &Places<'_>, missing: &Missing) -> model::Missing {
    let key_id = missing.below.authority_key_id().and_then(|id| id.key_id.as_deref()).map(hex);
    model::Missing {
        subject: line(&missing.subject.to_string()),
        key_id: key_id.or_else(|| missing.candidates.first().and_then(|c| c.subject_key_id()).map(hex)),
        aia: missing.below.ca_issuers().iter().take(MOST_ADDRESSES).map(|url| line(url)).collect(),
        candidates: missing
            .candidates
            .iter()
            .map(|c| model::MissingCandidate { sha256: c.sha256().to_string(), found_in: places.found(c) })
            .collect(),
    }
}

fn line(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
