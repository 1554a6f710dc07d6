//! In: device profiles. Out: what they say, each fact in words, schema `chaingap.profiles/1`. Bounded: by the profiles.
//! Left to others: the words of facts that are not lists (`trust::facts`), and the layout.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::model::Tool;
use crate::evidence::FetchKind;
use crate::trust::{Adds, Anchor, Fact, Profile, Provenance, ShownFact, Unsupported};

/// The value of the report's `schema` member.
pub const PROFILES_SCHEMA: &str = "chaingap.profiles/1";

/// What profiles say.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ProfilesReport {
    /// [`PROFILES_SCHEMA`].
    pub schema: String,
    /// The program that wrote it.
    pub tool: Tool,
    /// The profiles.
    pub profiles: Vec<ProfileEntry>,
}

/// What one profile says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ProfileEntry {
    /// Its name.
    pub name: String,
    /// What kind of device, in a sentence.
    pub description: String,
    /// The built-in profile that it is based on.
    pub based_on: Option<String>,
    /// What is known of the device, and what is not.
    pub facts: Vec<ProfileFact>,
    /// Whether it trusts no root beyond the anchors.
    pub anchors_complete: bool,
    /// Roots that it ships with.
    pub anchors: Vec<ProfileAnchor>,
}

/// One fact, known or not.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ProfileFact {
    /// The key of the profile file.
    pub key: String,
    /// As in the profile file; `null` where it is not known.
    pub value: Value,
    /// What the device does, as the predicate of a sentence; the question where that is not known.
    pub words: String,
    /// `doc`, `measured`, `inferred` or `unverified`; `null` for a default that holds for any device.
    pub provenance: Option<String>,
    /// Where it is known from.
    pub source: Option<String>,
}

/// One root.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ProfileAnchor {
    /// A short name.
    pub label: String,
    /// Subject, RFC 4514.
    pub subject: String,
    /// Kind and size of the key.
    pub key: String,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub spki_sha256: String,
    /// The last second of validity of the known issue that expires last.
    pub not_after: Option<String>,
    /// SHA-1 thumbprints of the known issues.
    pub sha1: Vec<String>,
    /// How well it is known that the device trusts it.
    pub provenance: Option<String>,
    /// Where that is known from.
    pub source: String,
}

impl ProfilesReport {
    /// What these profiles say.
    pub fn new(profiles: &[Profile]) -> Self {
        Self {
            schema: PROFILES_SCHEMA.into(),
            tool: Tool::this(),
            profiles: profiles.iter().map(ProfileEntry::of).collect(),
        }
    }
}

impl ProfileEntry {
    fn of(profile: &Profile) -> Self {
        Self {
            name: profile.name.clone(),
            description: profile.description.clone(),
            based_on: profile.based_on.clone(),
            facts: facts(profile),
            anchors_complete: profile.anchors_complete,
            anchors: profile.anchors.iter().map(ProfileAnchor::of).collect(),
        }
    }
}

impl ProfileAnchor {
    fn of(anchor: &Anchor) -> Self {
        Self {
            label: anchor.label.clone(),
            subject: anchor.subject.to_string(),
            key: anchor.key.to_string(),
            spki_sha256: anchor.key.spki_sha256().to_string(),
            not_after: anchor.not_after.map(|time| time.to_string()),
            sha1: anchor.sha1.clone(),
            provenance: anchor.provenance.map(|provenance| provenance.as_str().into()),
            source: anchor.source.clone(),
        }
    }
}

/// All facts: those of the table (`trust::facts`), then those that are lists.
fn facts(profile: &Profile) -> Vec<ProfileFact> {
    let mut out: Vec<_> = profile.facts().into_iter().map(ProfileFact::of).collect();
    out.extend(profile.unsupported.iter().map(unsupported));
    out.extend(FetchKind::ALL.iter().map(|&kind| fetch(profile, kind)));
    out.extend(profile.notes.iter().map(note));
    out
}

impl ProfileFact {
    fn of(fact: ShownFact<'_>) -> Self {
        match fact.known {
            Some((value, provenance, source)) => Self::stated(fact.key, value, fact.words, provenance, source),
            None => {
                Self { key: fact.key.into(), value: Value::Null, words: fact.words, provenance: None, source: None }
            }
        }
    }

    fn stated(key: &str, value: Value, words: String, provenance: Provenance, source: &str) -> Self {
        Self {
            key: key.into(),
            value,
            words,
            provenance: Some(provenance.as_str().into()),
            source: Some(source.into()),
        }
    }
}

fn note(note: &Fact<String>) -> ProfileFact {
    ProfileFact::stated("notes", json!(note.value), note.value.clone(), note.provenance, &note.source)
}

fn unsupported(entry: &Unsupported) -> ProfileFact {
    let only = entry.only.as_ref().map(|only| format!(" (only {only})")).unwrap_or_default();
    let value = json!({ "algorithm": entry.algorithm, "only": entry.only });
    let words = format!("cannot do {}{only}", entry.algorithm);
    ProfileFact::stated("unsupported", value, words, entry.provenance, &entry.source)
}

/// What a fetch of this kind adds; the default of any device if the profile does not say.
fn fetch(profile: &Profile, kind: FetchKind) -> ProfileFact {
    let adds: Vec<Adds> =
        [Adds::Anchors, Adds::Intermediates].into_iter().filter(|what| profile.adds(kind, *what)).collect();
    let what = match adds[..] {
        [] => "nothing",
        [Adds::Anchors] => "anchors",
        [Adds::Intermediates] => "intermediates",
        _ => "anchors and intermediates",
    };
    let from = match kind {
        FetchKind::Certprov => "certificate provisioning",
        FetchKind::Certsrv => "the web pages of an Active Directory CA",
        FetchKind::Aia => "an address in a certificate (AIA)",
        FetchKind::Http => "any other web server",
        FetchKind::LdapRoot => "LDAP entries below CN=Certification Authorities",
        FetchKind::LdapAia => "any other LDAP entry",
    };
    let fact = profile.fetches.get(&kind);
    ProfileFact {
        key: format!("fetches.{}", kind.as_str()),
        value: json!(adds),
        words: format!("stores {what} from {from}"),
        provenance: fact.map(|fact| fact.provenance.as_str().into()),
        source: fact.map(|fact| fact.source.clone()),
    }
}
