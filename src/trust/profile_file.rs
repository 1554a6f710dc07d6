//! The file of a device profile.
//!
//! In: its text (TOML; [`Profile::template`] explains every key). Out: the [`Profile`], or the line, the key and the
//! reason why it cannot be used. Bounded: a small multiple of the text; a profile is based on built-in ones only. Left to
//! others: reading files, and what a profile means.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::abilities::{Adds, Check, TlsVersions, Unsupported};
use super::anchor::Anchor;
use super::fact::{Fact, Provenance, source};
use super::facts::facts;
use super::profile::Profile;
use super::store::{StoreContents, read_certificates};
use crate::capture::Timestamp;
use crate::evidence::FetchKind;
use crate::x509::{Name, PublicKey};

/// Why the text of a profile cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {key}{colon}{reason}", colon = if key.is_empty() { "" } else { ": " })]
#[non_exhaustive]
pub struct ProfileError {
    /// Line, from 1.
    pub line: usize,
    /// The key that is wrong or missing, with those of the tables around it (`sni.value`); empty where the text is not
    /// valid TOML.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Profile {
    /// The profile of that name that comes with the program.
    pub fn builtin(name: &str) -> Option<Self> {
        Self::builtin_text(name).and_then(|text| Self::parse(text).ok())
    }

    /// From the text of a profile file.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let document: Document = toml::from_str(text).map_err(|error| ProfileError::from_toml(text, &error))?;
        document.into_profile(text)
    }
}

macro_rules! define_document {
    ($($(#[$_doc:meta])* $key:ident: $type:ty { $($_rest:tt)* })*) => {
        /// The file as written.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Document {
            name: Spanned<String>,
            description: String,
            based_on: Option<Spanned<String>>,
            #[serde(default)]
            without_anchors: Vec<Spanned<String>>,
            anchors_complete: Option<bool>,
            $($key: Option<Spanned<Fact<$type>>>,)*
            #[serde(default)]
            unsupported: Vec<Unsupported>,
            #[serde(default)]
            fetches: BTreeMap<FetchKind, Fact<Vec<Adds>>>,
            #[serde(default)]
            notes: Vec<Fact<String>>,
            #[serde(default)]
            anchors: Vec<AnchorDocument>,
        }

        impl Document {
            /// What the file says, and the facts of `base` where it says nothing; the lists of `base` are those of both.
            fn over(self, base: Profile) -> Profile {
                Profile {
                    name: self.name.into_inner(),
                    description: self.description,
                    based_on: self.based_on.map(Spanned::into_inner),
                    anchors: base.anchors,
                    anchors_complete: self.anchors_complete.unwrap_or(base.anchors_complete),
                    given_roots_complete: false,
                    $($key: self.$key.map(Spanned::into_inner).or(base.$key),)*
                    unsupported: base.unsupported,
                    fetches: base.fetches,
                    notes: base.notes,
                }
            }
        }
    };
}

facts!(define_document);

/// An anchor: either `subject` and `key`, the base64 of their DER, or `certificate`, PEM.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnchorDocument {
    label: Spanned<String>,
    subject: Option<Spanned<String>>,
    key: Option<Spanned<String>>,
    certificate: Option<Spanned<String>>,
    not_after: Option<Spanned<String>>,
    #[serde(default)]
    sha1: Vec<Spanned<String>>,
    provenance: Provenance,
    #[serde(deserialize_with = "source")]
    source: String,
}

impl Document {
    /// What the file says, over what its base says: a fact replaces that of the base, an unsupported algorithm or a kind
    /// of fetch the one of that name, an anchor the one of that subject and key; notes follow those of the base.
    fn into_profile(mut self, text: &str) -> Result<Profile, ProfileError> {
        if matches!(self.name.get_ref().as_str(), "auto" | "none") {
            return Err(ProfileError::of(text, &self.name, "--profile auto and --profile none mean something else"));
        }
        if let Some(versions) = self.tls_versions.as_ref().filter(|fact| range_is_empty(&fact.get_ref().value)) {
            return Err(ProfileError::of(text, versions, "min is above max"));
        }
        let mut base = self.base(text)?;
        let own = std::mem::take(&mut self.anchors).into_iter().map(|anchor| anchor.into_anchor(text));
        let own = own.collect::<Result<Vec<_>, _>>()?;
        base.anchors.retain(|anchor| !own.iter().any(|own| own.subject == anchor.subject && own.key == anchor.key));
        base.anchors.extend(own);
        base.unsupported.retain(|entry| self.unsupported.iter().all(|own| own.algorithm != entry.algorithm));
        base.unsupported.append(&mut self.unsupported);
        base.fetches.append(&mut self.fetches);
        base.notes.append(&mut self.notes);
        Ok(self.over(base))
    }

    /// The profile that `based_on` names, without the anchors that `without_anchors` names; [`Profile::none`] if there is
    /// no such key.
    fn base(&self, text: &str) -> Result<Profile, ProfileError> {
        let Some(name) = &self.based_on else {
            return match self.without_anchors.first() {
                Some(label) => Err(ProfileError::of(text, label, "takes away from based_on, which is not given")),
                None => Ok(Profile::none()),
            };
        };
        let mut base = Profile::builtin(name.get_ref()).ok_or_else(|| {
            let known = Profile::names().join(", ");
            ProfileError::of(text, name, &format!("{:?} is none of the built-in profiles: {known}", name.get_ref()))
        })?;
        for label in &self.without_anchors {
            let before = base.anchors.len();
            base.anchors.retain(|anchor| anchor.label != *label.get_ref());
            if base.anchors.len() == before {
                let reason = format!("{} has no anchor with the label {:?}", base.name, label.get_ref());
                return Err(ProfileError::of(text, label, &reason));
            }
        }
        Ok(base)
    }
}

fn range_is_empty(versions: &TlsVersions) -> bool {
    versions.min > versions.max
}

impl AnchorDocument {
    fn into_anchor(self, text: &str) -> Result<Anchor, ProfileError> {
        let (label, provenance) = (self.label.get_ref().clone(), Some(self.provenance));
        if let Some(pem) = &self.certificate {
            let StoreContents { certificates, settings, .. } = read_certificates(pem.get_ref().as_bytes());
            let certificate = certificates.into_iter().next();
            let certificate = certificate.ok_or_else(|| ProfileError::of(text, pem, "no certificate"))?;
            let own = settings.into_iter().filter(|(digest, _)| *digest == certificate.sha256());
            let settings = own.map(|(_, settings)| settings).collect();
            let anchor = Anchor::from_certificate(Arc::new(certificate));
            return Ok(Anchor { label, settings, given: false, provenance, source: self.source, ..anchor });
        }
        let (Some(subject), Some(key)) = (&self.subject, &self.key) else {
            let reason = format!("anchor {label:?} has neither a certificate nor both subject and key");
            return Err(ProfileError::of(text, &self.label, &reason));
        };
        let time = |at: &Spanned<String>| {
            let reason = "not an RFC 3339 time, such as 2026-01-30T12:00:00Z";
            Timestamp::parse_rfc3339(at.get_ref()).ok_or_else(|| ProfileError::of(text, at, reason))
        };
        let not_after = self.not_after.as_ref().map(time).transpose()?;
        let is_sha1 = |hex: &str| hex.len() == 40 && hex.bytes().all(|digit| digit.is_ascii_hexdigit());
        if let Some(wrong) = self.sha1.iter().find(|hex| !is_sha1(hex.get_ref())) {
            return Err(ProfileError::of(text, wrong, "a SHA-1 thumbprint has 40 hexadecimal digits"));
        }
        Ok(Anchor {
            label,
            subject: decode(text, subject, "a name", Name::from_der)?,
            key: decode(text, key, "a SubjectPublicKeyInfo", PublicKey::from_spki_der)?,
            certificate: None,
            not_after,
            sha1: self.sha1.iter().map(|hex| hex.get_ref().to_lowercase()).collect(),
            settings: Vec::new(),
            given: false,
            provenance,
            source: self.source,
        })
    }
}

fn decode<T>(
    text: &str,
    value: &Spanned<String>,
    what: &str,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<T, ProfileError> {
    let letters: String = value.get_ref().split_whitespace().collect();
    let der = STANDARD.decode(letters).map_err(|error| ProfileError::of(text, value, &error.to_string()))?;
    read(&der).ok_or_else(|| ProfileError::of(text, value, &format!("not the DER of {what}")))
}

impl ProfileError {
    /// A mistake in a value.
    fn of<T>(text: &str, value: &Spanned<T>, reason: &str) -> Self {
        Self::at(text, value.span().start, reason)
    }

    /// An error of the parser, which gives the place; the name of a missing key is only in its message.
    fn from_toml(text: &str, error: &toml::de::Error) -> Self {
        let reason = error.message().lines().collect::<Vec<_>>().join(", ");
        let mut out = Self::at(text, error.span().map_or(0, |span| span.start), &reason);
        if let Some(missing) = reason.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            out.key = join(&out.key, missing);
        }
        out
    }

    fn at(text: &str, at: usize, reason: &str) -> Self {
        let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
        let line = before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1);
        // Of text that is not valid TOML, the parser still gives a table of what it understood.
        let (table, _) = DeTable::parse_recoverable(text);
        Self { line, key: printable(&key_in_table(table.get_ref(), at).unwrap_or_default()), reason: printable(reason) }
    }
}

/// The innermost key whose name or value is at this byte, after the keys around it. The parser bounds the depth.
fn key_in_table(table: &DeTable<'_>, at: usize) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let name = key.get_ref();
        let inner = key_in_value(value.get_ref(), at).map(|inner| join(name, &inner));
        inner.or_else(|| (key.span().contains(&at) || value.span().contains(&at)).then(|| name.to_string()))
    })
}

fn key_in_value(value: &DeValue<'_>, at: usize) -> Option<String> {
    match value {
        DeValue::Table(table) => key_in_table(table, at),
        DeValue::Array(values) => values.iter().find_map(|value| key_in_value(value.get_ref(), at)),
        _ => None,
    }
}

/// Escapes control characters, because the message may quote a file of unknown origin and goes to a terminal.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}

fn join(outer: &str, inner: &str) -> String {
    if outer.is_empty() { inner.to_owned() } else { format!("{outer}.{inner}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::Algorithm;

    const MINIMAL: &str = "name = \"x\"\ndescription = \"y\"\n";
    const PEM: &str = include_str!("../../tests/data/x509/certificates.pem");

    #[test]
    fn an_anchor_in_pem() {
        let (_, block) = PEM.split_once("# root\n").unwrap();
        let (block, _) = block.split_once("# ").unwrap();
        let text = format!(
            "{MINIMAL}[[anchors]]\nlabel = \"mine\"\nprovenance = \"doc\"\nsource = \"s\"\ncertificate = \"\"\"\n{block}\"\"\""
        );
        let anchor = Profile::parse(&text).unwrap().anchors.remove(0);
        assert_eq!((anchor.label.as_str(), anchor.source.as_str()), ("mine", "s"));
        assert_eq!((anchor.given, anchor.provenance), (false, Some(Provenance::Doc)));
        assert_eq!(anchor.subject.to_string(), "CN=Northwind Global Root G1,O=Northwind");
        assert!(anchor.certificate.is_some());
    }

    #[test]
    fn the_template_is_a_profile_and_so_is_what_it_offers() {
        let plain = Profile::parse(Profile::template()).unwrap();
        assert!(plain.based_on.is_none() && plain.anchors.is_empty());
        assert!(plain.facts().iter().all(|fact| fact.known.is_some()), "each fact of the table is in the template");
        let based =
            Profile::template().replace("# based_on", "based_on").replace("# without_anchors", "without_anchors");
        let based = Profile::parse(&based).unwrap();
        assert_eq!(based.based_on.as_deref(), Some("lync-phone-edition"));
        assert_eq!(based.anchors.len(), 17);
    }

    #[test]
    fn what_the_file_says_goes_before_what_its_base_says() {
        let base = Profile::builtin("lync-phone-edition").unwrap();
        let baltimore = &base.anchors[2];
        let text = format!(
            r#"{MINIMAL}
            based_on = "lync-phone-edition"
            without_anchors = ["GTE CyberTrust Global Root"]
            sni = {{ value = true, provenance = "measured", source = "seen" }}
            fetches.http = {{ value = [], provenance = "measured", source = "seen" }}
            [[unsupported]]
            algorithm = "sha2"
            provenance = "measured"
            source = "seen"
            [[notes]]
            value = "mine"
            provenance = "measured"
            source = "seen"
            [[anchors]]
            label = "same root"
            subject = "{}"
            key = "{}"
            provenance = "measured"
            source = "seen"
            "#,
            STANDARD.encode(baltimore.subject.raw()),
            STANDARD.encode(baltimore.key.spki_der()),
        );
        let profile = Profile::parse(&text).unwrap();
        assert_eq!((profile.name.as_str(), profile.description.as_str()), ("x", "y"));
        assert_eq!(profile.anchors.len(), base.anchors.len() - 1);
        let labels: Vec<_> = profile.anchors.iter().map(|anchor| anchor.label.as_str()).collect();
        assert!(labels.contains(&"same root") && !labels.contains(&baltimore.label.as_str()));
        assert!(profile.sni.is_some_and(|fact| fact.value) && profile.aia == base.aia);
        assert_eq!(profile.unsupported.len(), base.unsupported.len());
        let sha2: Vec<_> = profile.unsupported.iter().filter(|entry| entry.algorithm == Algorithm::Sha2).collect();
        assert!(sha2.len() == 1 && sha2[0].only.is_none() && sha2[0].source == "seen");
        assert!(profile.fetches[&FetchKind::Http].value.is_empty());
        assert_eq!(profile.fetches[&FetchKind::Certprov], base.fetches[&FetchKind::Certprov]);
        assert_eq!(profile.notes.len(), base.notes.len() + 1);
    }

    #[test]
    fn mistakes_are_named_with_line_and_key() {
        let anchor = "[[anchors]]\nlabel = \"l\"\nprovenance = \"doc\"\nsource = \"s\"\n";
        let known = "provenance = \"doc\", source = \"s\"";
        let base = "based_on = \"lync-phone-edition\"\n";
        for (text, line, key) in [
            ("colour = 1".to_owned(), 3, "colour"),
            (format!("sni = {{ value = 3, {known} }}"), 3, "sni.value"),
            (format!("[sni]\n{}\nvalue = 3", known.replace(", ", "\n")), 6, "sni.value"),
            ("[sni]\nvalue = true\nprovenance = \"doc\"".to_owned(), 3, "sni.source"),
            ("sni = { value = true, provenance = \"doc\", source = \" \" }".to_owned(), 3, "sni.source"),
            ("\n\naia = { value = true, provenance = \"rumour\", source = \"s\" }".to_owned(), 5, "aia.provenance"),
            (
                format!("tls_versions = {{ value = {{ min = \"TLS 1\", max = \"TLS 1.2\" }}, {known} }}"),
                3,
                "tls_versions.value.min",
            ),
            (
                format!("tls_versions = {{ value = {{ min = \"TLS 1.2\", max = \"TLS 1.0\" }}, {known} }}"),
                3,
                "tls_versions",
            ),
            (format!("checks = {{ value = [\n\"key-usage\",\n\"luck\",\n], {known} }}"), 5, "checks.value"),
            (format!("[fetches]\nftp = {{ value = [], {known} }}"), 4, "fetches.ftp"),
            ("[[anchors]]\nprovenance = \"doc\"\nsource = \"s\"".to_owned(), 3, "anchors.label"),
            (anchor.to_owned(), 4, "anchors.label"),
            (format!("{anchor}subject = \"MAA=\"\nkey = \"%\""), 8, "anchors.key"),
            (format!("{anchor}subject = \"MAA\"\nkey = \"MAA=\""), 7, "anchors.subject"),
            (format!("{anchor}certificate = \"MAA=\""), 7, "anchors.certificate"),
            (format!("{anchor}subject = \"MAA=\"\nkey = \"MAA=\"\nsha1 = [\"00\"]"), 9, "anchors.sha1"),
            (format!("{anchor}subject = \"MAA=\"\nkey = \"MAA=\"\nnot_after = \"2030\""), 9, "anchors.not_after"),
            ("based_on = \"no-such-phone\"".to_owned(), 3, "based_on"),
            ("without_anchors = [\"l\"]".to_owned(), 3, "without_anchors"),
            (format!("{base}without_anchors = [\n\"Thawte Server CA\",\n\"l\",\n]"), 6, "without_anchors"),
        ] {
            let error = Profile::parse(&format!("{MINIMAL}{text}")).unwrap_err();
            assert_eq!((error.line, error.key.as_str()), (line, key), "{text}: {error}");
            assert!(!error.reason.is_empty());
        }
        assert_eq!(Profile::parse("").unwrap_err().key, "name");
        assert_eq!(Profile::parse("name = \"none\"\ndescription = \"y\"").unwrap_err().key, "name");
        let error = Profile::parse(&format!("{MINIMAL}= [")).unwrap_err();
        assert_eq!((error.line, error.key.as_str()), (3, ""));
        let hostile = Profile::parse(&format!("{MINIMAL}\"\\u001b[2J\\n\" = 1")).unwrap_err().to_string();
        assert!(hostile.contains("[2J") && !hostile.contains(char::is_control), "{hostile:?}");
        assert!(error.to_string().starts_with("line 3: ") && !error.to_string().contains(": :"), "{error}");
    }
}
