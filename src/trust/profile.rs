//! In: the text of a device profile (TOML). Out: what is known of a kind of device: the roots it ships with, what it
//! can do, which checks it makes, what each kind of fetch adds to its store, each with where that is known from.
//! Bounded: a small multiple of the text. Left to others: recognizing the device, reading files, and every conclusion.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use toml::Spanned;

use super::store::read_certificates;
use crate::capture::Timestamp;
use crate::evidence::FetchKind;
use crate::protocol::tls::Version;
use crate::x509::{Certificate, HostRules, Name, PublicKey, SignatureAlgorithm};

/// The profiles that come with the program.
const BUILTIN: &[(&str, &str)] = &[("lync-phone-edition", include_str!("profiles/lync-phone-edition.toml"))];

/// A profile to start from, with every key explained.
const TEMPLATE: &str = include_str!("profiles/template.toml");

/// What is known of a kind of device.
///
/// Facts that nothing is known of are `None` or empty; the methods then answer so that no failure is claimed which the
/// device may not have had.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Short name, as `--profile` takes it.
    pub name: String,
    /// What kind of device, in a sentence.
    pub description: String,
    /// Roots that the device ships with.
    pub anchors: Vec<Anchor>,
    /// Whether it trusts no root beyond these.
    pub anchors_complete: bool,
    /// Lowest and highest protocol version.
    pub tls_versions: Option<Fact<TlsVersions>>,
    /// Whether it sends the server's name in its ClientHello.
    pub sni: Option<Fact<bool>>,
    /// Whether it fetches issuers by the addresses in certificates (authority information access).
    pub aia: Option<Fact<bool>>,
    /// Longest RSA modulus that it computes with.
    pub max_rsa_bits: Option<Fact<u32>>,
    /// Keys, hashes and signatures that it cannot do.
    pub unsupported: Vec<Unsupported>,
    /// Whether it takes the common name where there is no DNS name in the subjectAltName.
    pub cn_fallback: Option<Fact<bool>>,
    /// Whether it accepts a wildcard in the subjectAltName.
    pub wildcard_san: Option<Fact<bool>>,
    /// Whether it checks the server's name only after the handshake.
    pub name_check_after_handshake: Option<Fact<bool>>,
    /// Whether it refuses servers outside its SIP domain.
    pub sip_domain_only: Option<Fact<bool>>,
    /// Checks of RFC 5280 section 6.1 that it is known to make.
    pub checks: Option<Fact<Vec<Check>>>,
    /// What each kind of fetch adds to its store; kinds not named here keep their default.
    pub fetches: BTreeMap<FetchKind, Fact<Vec<Adds>>>,
    /// Anything else worth telling, in sentences.
    pub notes: Vec<Fact<String>>,
}

/// Something known, and where from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact<T> {
    /// What is known.
    pub value: T,
    /// How well.
    pub provenance: Provenance,
    /// Where from, in a sentence.
    pub source: String,
}

/// How well something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// Published by the source named.
    Doc,
    /// Reproduced with real programs.
    Measured,
    /// Follows from other facts.
    Inferred,
    /// Remembered or reported, with no source that could be checked.
    Unverified,
}

impl Provenance {
    /// Whether it may be told as a fact; anything else only as "likely" or "consistent with".
    pub fn is_fact(self) -> bool {
        matches!(self, Self::Doc | Self::Measured)
    }
}

/// The word of the profile file.
impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Doc => "doc",
            Self::Measured => "measured",
            Self::Inferred => "inferred",
            Self::Unverified => "unverified",
        })
    }
}

/// A range of protocol versions, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsVersions {
    /// Lowest.
    #[serde(deserialize_with = "version")]
    pub min: Version,
    /// Highest.
    #[serde(deserialize_with = "version")]
    pub max: Version,
}

/// A root that a device trusts: a name and a key (RFC 5280 section 6.1.1 (d)). Roots are re-issued with other dates
/// and signatures, so no digest of a certificate identifies one.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// Name for people.
    pub label: String,
    /// Subject.
    pub subject: Name,
    /// Key.
    pub key: PublicKey,
    /// The certificate, where it is at hand.
    pub certificate: Option<Arc<Certificate>>,
    /// Last second of validity of the latest known issue.
    pub not_after: Option<Timestamp>,
    /// SHA-1 thumbprints of the known issues, lower-case hex.
    pub sha1: Vec<String>,
    /// Whether the user gave it (`--roots`), so that the device is known to trust it.
    pub given: bool,
    /// How it is known that the device trusts it, in a sentence.
    pub provenance: String,
}

impl Anchor {
    /// The anchor that a certificate given by the user stands for.
    pub fn from_certificate(certificate: Arc<Certificate>) -> Self {
        Self {
            label: certificate.subject().short(),
            subject: certificate.subject().clone(),
            key: certificate.public_key().clone(),
            not_after: Some(certificate.not_after()),
            sha1: vec![certificate.sha1_hex()],
            certificate: Some(certificate),
            given: true,
            provenance: "given".to_owned(),
        }
    }

    /// Whether `certificate` is an issue of this root: the same subject and the same key.
    pub fn is(&self, certificate: &Certificate) -> bool {
        certificate.is_readable() && self.subject == *certificate.subject() && self.key == *certificate.public_key()
    }
}

/// A key, hash or signature that a device cannot do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsupported {
    /// What.
    pub algorithm: Algorithm,
    /// Restricts it to some of the devices, in words. Such an entry proves nothing about any one device.
    pub only: Option<String>,
    /// How well it is known.
    pub provenance: Provenance,
    /// Where from.
    pub source: String,
}

/// Families of algorithms that devices lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// RSASSA-PSS signatures.
    RsassaPss,
    /// Elliptic curve keys and ECDSA signatures.
    Ecdsa,
    /// Ed25519 keys and signatures.
    Ed25519,
    /// Signatures over MD5.
    Md5,
    /// Signatures over SHA-1.
    Sha1,
    /// Signatures over SHA-224, SHA-256, SHA-384 or SHA-512.
    Sha2,
}

/// A check of RFC 5280 section 6.1 that devices make or leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Issuers are CAs.
    BasicConstraints,
    /// Path length.
    PathLength,
    /// Issuers may sign certificates.
    KeyUsage,
    /// The leaf, and CAs where restricted, may serve TLS servers.
    ExtendedKeyUsage,
    /// Name constraints.
    NameConstraints,
    /// No critical extension that is not understood.
    CriticalExtensions,
}

/// What a fetch adds to the device's store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adds {
    /// Self-signed certificates become anchors.
    Anchors,
    /// Other certificates become intermediates.
    Intermediates,
}

/// Why the text of a profile cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {key}: {reason}")]
pub struct ProfileError {
    /// Line, from 1.
    pub line: usize,
    /// The key that is wrong or missing; empty where the text is no TOML there.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Profile {
    /// The profile of that name that comes with the program.
    pub fn builtin(name: &str) -> Option<Self> {
        Self::builtin_text(name).and_then(|text| Self::parse(text).ok())
    }

    /// The text of [`Profile::builtin`].
    pub fn builtin_text(name: &str) -> Option<&'static str> {
        BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// The names of the profiles that come with the program, in order.
    pub fn names() -> Vec<&'static str> {
        BUILTIN.iter().map(|(name, _)| *name).collect()
    }

    /// The text of a profile to start from.
    pub fn template() -> &'static str {
        TEMPLATE
    }

    /// A device of which nothing is known: no anchors, every default.
    pub fn none() -> Self {
        Self {
            name: "none".to_owned(),
            description: "a device of which nothing is known".to_owned(),
            anchors: Vec::new(),
            anchors_complete: false,
            tls_versions: None,
            sni: None,
            aia: None,
            max_rsa_bits: None,
            unsupported: Vec::new(),
            cn_fallback: None,
            wildcard_san: None,
            name_check_after_handshake: None,
            sip_domain_only: None,
            checks: None,
            fetches: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    /// From the text of a profile file.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let document: Document = toml::from_str(text).map_err(|error| ProfileError::from_toml(text, &error))?;
        document.into_profile(text)
    }

    /// How the device matches a server's name. Where that is not known, the lenient way.
    pub fn host_rules(&self) -> HostRules {
        HostRules {
            wildcards: self.wildcard_san.as_ref().is_none_or(|fact| fact.value),
            common_name: self.cn_fallback.as_ref().is_none_or(|fact| fact.value),
        }
    }

    /// Whether the device is known to make this check.
    pub fn makes(&self, check: Check) -> bool {
        self.checks.as_ref().is_some_and(|checks| checks.value.contains(&check))
    }

    /// What a fetch of this kind adds. By default certificate provisioning, the CA entries of LDAP and CA web pages
    /// add anchors and intermediates, the others intermediates.
    pub fn adds(&self, kind: FetchKind, what: Adds) -> bool {
        match self.fetches.get(&kind) {
            Some(fact) => fact.value.contains(&what),
            None => match kind {
                FetchKind::Certprov | FetchKind::LdapRoot | FetchKind::Certsrv => true,
                FetchKind::LdapAia | FetchKind::Aia | FetchKind::Http => what == Adds::Intermediates,
            },
        }
    }

    /// The entries of [`Profile::unsupported`] that this signature algorithm falls under.
    pub fn unsupported_signature(&self, algorithm: &SignatureAlgorithm) -> Vec<&Unsupported> {
        self.unsupported.iter().filter(|entry| entry.algorithm.covers_signature(algorithm)).collect()
    }

    /// The entries of [`Profile::unsupported`] that this key falls under; [`Profile::max_rsa_bits`] is apart.
    pub fn unsupported_key(&self, key: &PublicKey) -> Vec<&Unsupported> {
        self.unsupported.iter().filter(|entry| entry.algorithm.covers_key(key)).collect()
    }
}

impl Algorithm {
    fn covers_signature(self, algorithm: &SignatureAlgorithm) -> bool {
        use crate::x509::HashAlgorithm as Hash;
        match self {
            Self::RsassaPss => matches!(algorithm, SignatureAlgorithm::RsaPss { .. }),
            Self::Ecdsa => matches!(algorithm, SignatureAlgorithm::Ecdsa(_)),
            Self::Ed25519 => *algorithm == SignatureAlgorithm::Ed25519,
            Self::Md5 => algorithm.hash() == Some(Hash::Md5),
            Self::Sha1 => algorithm.hash() == Some(Hash::Sha1),
            Self::Sha2 => {
                matches!(algorithm.hash(), Some(Hash::Sha224 | Hash::Sha256 | Hash::Sha384 | Hash::Sha512))
            }
        }
    }

    fn covers_key(self, key: &PublicKey) -> bool {
        match self {
            Self::Ecdsa => key.curve().is_some(),
            Self::Ed25519 => key.is_ed25519(),
            Self::RsassaPss | Self::Md5 | Self::Sha1 | Self::Sha2 => false,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RsassaPss => "RSASSA-PSS",
            Self::Ecdsa => "ECDSA",
            Self::Ed25519 => "Ed25519",
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha2 => "SHA-2",
        })
    }
}

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: String,
    description: String,
    #[serde(default)]
    anchors_complete: bool,
    tls_versions: Option<Fact<TlsVersions>>,
    sni: Option<Fact<bool>>,
    aia: Option<Fact<bool>>,
    max_rsa_bits: Option<Fact<u32>>,
    #[serde(default)]
    unsupported: Vec<Unsupported>,
    cn_fallback: Option<Fact<bool>>,
    wildcard_san: Option<Fact<bool>>,
    name_check_after_handshake: Option<Fact<bool>>,
    sip_domain_only: Option<Fact<bool>>,
    checks: Option<Fact<Vec<Check>>>,
    #[serde(default)]
    fetches: BTreeMap<FetchKind, Fact<Vec<Adds>>>,
    #[serde(default)]
    notes: Vec<Fact<String>>,
    #[serde(default)]
    anchors: Vec<AnchorDocument>,
}

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
    sha1: Vec<String>,
    provenance: Provenance,
    source: String,
}

impl Document {
    fn into_profile(self, text: &str) -> Result<Profile, ProfileError> {
        let anchors = self.anchors.into_iter().map(|anchor| anchor.into_anchor(text)).collect::<Result<_, _>>()?;
        Ok(Profile {
            name: self.name,
            description: self.description,
            anchors,
            anchors_complete: self.anchors_complete,
            tls_versions: self.tls_versions,
            sni: self.sni,
            aia: self.aia,
            max_rsa_bits: self.max_rsa_bits,
            unsupported: self.unsupported,
            cn_fallback: self.cn_fallback,
            wildcard_san: self.wildcard_san,
            name_check_after_handshake: self.name_check_after_handshake,
            sip_domain_only: self.sip_domain_only,
            checks: self.checks,
            fetches: self.fetches,
            notes: self.notes,
        })
    }
}

impl AnchorDocument {
    fn into_anchor(self, text: &str) -> Result<Anchor, ProfileError> {
        let provenance = format!("{}: {}", self.provenance, self.source);
        let label = self.label.get_ref().clone();
        if let Some(pem) = &self.certificate {
            let certificate = read_certificates(pem.get_ref().as_bytes()).certificates.into_iter().next();
            let certificate =
                certificate.ok_or_else(|| ProfileError::at(text, pem, "certificate", "no certificate"))?;
            return Ok(Anchor { label, given: false, provenance, ..Anchor::from_certificate(Arc::new(certificate)) });
        }
        let (Some(subject), Some(key)) = (&self.subject, &self.key) else {
            let reason = format!("anchor {label:?} has neither a certificate nor both subject and key");
            return Err(ProfileError::at(text, &self.label, "anchors", &reason));
        };
        Ok(Anchor {
            label,
            subject: decode(text, subject, "subject", Name::from_der)?,
            key: decode(text, key, "key", PublicKey::from_spki_der)?,
            certificate: None,
            not_after: match &self.not_after {
                None => None,
                Some(at) => {
                    let time = Timestamp::parse_rfc3339(at.get_ref());
                    Some(time.ok_or_else(|| ProfileError::at(text, at, "not_after", "not an RFC 3339 time"))?)
                }
            },
            sha1: self.sha1.iter().map(|hex| hex.to_lowercase()).collect(),
            given: false,
            provenance,
        })
    }
}

impl ProfileError {
    fn at(text: &str, value: &Spanned<String>, key: &str, reason: &str) -> Self {
        Self { line: line_of(text, value.span().start), key: key.to_owned(), reason: reason.to_owned() }
    }

    /// The parser names the place; the key stands before the equals sign there, or, where one is missing or unknown,
    /// in the message.
    fn from_toml(text: &str, error: &toml::de::Error) -> Self {
        let line = line_of(text, error.span().map_or(0, |span| span.start));
        let reason = error.message().lines().next().unwrap_or_default().to_owned();
        let named = reason.split('`').nth(1).filter(|_| reason.contains("field"));
        let written = || text.lines().nth(line.saturating_sub(1))?.split_once('=').map(|(key, _)| key.trim());
        let key = named.or_else(written).unwrap_or_default().to_owned();
        Self { line, key, reason }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
}

fn decode<T>(
    text: &str,
    value: &Spanned<String>,
    key: &str,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<T, ProfileError> {
    let letters: String = value.get_ref().split_whitespace().collect();
    let der = STANDARD.decode(letters).map_err(|error| ProfileError::at(text, value, key, &error.to_string()))?;
    read(&der).ok_or_else(|| ProfileError::at(text, value, key, &format!("not the DER of a {key}")))
}

fn version<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
    let text = String::deserialize(deserializer)?;
    let number = match text.as_str() {
        "SSL 2.0" => 0x0002,
        "SSL 3.0" => 0x0300,
        "TLS 1.0" => 0x0301,
        "TLS 1.1" => 0x0302,
        "TLS 1.2" => 0x0303,
        "TLS 1.3" => 0x0304,
        _ => return Err(serde::de::Error::custom(format!("no such version: {text:?}; one is written \"TLS 1.0\""))),
    };
    Ok(Version(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = "name = \"x\"\ndescription = \"y\"\n";
    const PEM: &str = include_str!("../../tests/data/x509/certificates.pem");

    fn lync() -> Profile {
        Profile::parse(Profile::builtin_text("lync-phone-edition").unwrap()).unwrap()
    }

    fn fixture(subject: &str) -> Arc<Certificate> {
        let all = read_certificates(PEM.as_bytes()).certificates;
        Arc::new(all.into_iter().find(|certificate| certificate.subject().to_string() == subject).unwrap())
    }

    #[test]
    fn every_builtin_profile_is_found_by_the_name_it_gives_itself() {
        assert_eq!(Profile::names(), ["lync-phone-edition"]);
        for name in Profile::names() {
            assert_eq!(Profile::builtin(name).unwrap().name, name);
        }
        assert!(Profile::builtin("nothing").is_none());
        Profile::parse(Profile::template()).unwrap();
    }

    #[test]
    fn what_is_documented_of_lync_phones() {
        let profile = lync();
        let versions = profile.tls_versions.clone().unwrap();
        assert_eq!((versions.value.max, versions.provenance), (Version(0x0301), Provenance::Doc));
        assert_eq!(profile.host_rules(), HostRules { wildcards: true, common_name: true });
        assert!(!profile.anchors_complete);
        assert!(profile.checks.unwrap().value.is_empty());
    }

    #[test]
    fn the_anchors_of_lync_phones() {
        let anchors = lync().anchors;
        assert_eq!(anchors.len(), 19);
        // RSA sizes as the public bundles have them: 1024 bits for the oldest.
        let bits = |label: &str| anchors.iter().find(|anchor| anchor.label == label).unwrap().key.bits().unwrap();
        assert_eq!(bits("GTE CyberTrust Global Root"), 1024);
        assert_eq!(bits("Baltimore CyberTrust Root"), 2048);
        for anchor in &anchors {
            assert!(
                anchor.key.is_rsa() && !anchor.given && anchor.provenance.starts_with("unverified: "),
                "{anchor:?}"
            );
            assert!(!anchor.subject.is_empty() && anchor.not_after.is_some() && !anchor.sha1.is_empty(), "{anchor:?}");
            assert!(anchor.sha1.iter().all(|sha1| sha1.len() == 40), "{anchor:?}");
        }
        let baltimore = anchors.iter().find(|anchor| anchor.label == "Baltimore CyberTrust Root").unwrap();
        assert_eq!(baltimore.subject.to_string(), "CN=Baltimore CyberTrust Root,OU=CyberTrust,O=Baltimore,C=IE");
        assert_eq!(baltimore.not_after.unwrap().date(), "2025-05-12");
        let names: std::collections::BTreeSet<_> = anchors.iter().map(|anchor| &anchor.subject).collect();
        assert_eq!(names.len(), anchors.len(), "each root once");
    }

    #[test]
    fn an_anchor_is_a_name_and_a_key() {
        let (root, ca) =
            (fixture("CN=Northwind Global Root G1,O=Northwind"), fixture("CN=Northwind Policy CA 1,O=Northwind"));
        let anchor = Anchor::from_certificate(Arc::clone(&root));
        assert!(anchor.given && anchor.is(&root) && !anchor.is(&ca));
        // Another certificate with the same key and another name: the fixtures share keys.
        let same_key = fixture("CN=rsa2048");
        assert_eq!(same_key.public_key(), root.public_key());
        assert!(!anchor.is(&same_key));
    }

    #[test]
    fn fetches_add_what_the_contract_says_unless_the_profile_knows_better() {
        let none = Profile::none();
        for kind in [FetchKind::Certprov, FetchKind::LdapRoot] {
            assert!(none.adds(kind, Adds::Anchors) && none.adds(kind, Adds::Intermediates));
        }
        for kind in [FetchKind::LdapAia, FetchKind::Aia, FetchKind::Http] {
            assert!(!none.adds(kind, Adds::Anchors) && none.adds(kind, Adds::Intermediates));
        }
        let own = format!(
            "{MINIMAL}[fetches]\nldap-root = {{ value = [\"intermediates\"], provenance = \"doc\", source = \"s\" }}"
        );
        let own = Profile::parse(&own).unwrap();
        assert!(!own.adds(FetchKind::LdapRoot, Adds::Anchors) && own.adds(FetchKind::Certprov, Adds::Anchors));
    }

    #[test]
    fn what_a_device_cannot_do() {
        let profile = lync();
        let sha256 = profile.unsupported_signature(&fixture("CN=rsa2048").signature_algorithm());
        assert_eq!(sha256.len(), 1);
        assert_eq!(sha256[0].only.as_deref(), Some("old firmware"));
        let pss = profile.unsupported_signature(&fixture("CN=pss-sha1").signature_algorithm());
        assert!(pss.len() == 1 && pss[0].only.is_none() && pss[0].provenance.is_fact());
        assert_eq!(profile.unsupported_key(fixture("CN=P-256-sha1").public_key()).len(), 1);
        assert!(profile.unsupported_key(fixture("CN=rsa2048").public_key()).is_empty());
    }

    #[test]
    fn an_anchor_in_pem() {
        let (_, block) = PEM.split_once("# root\n").unwrap();
        let (block, _) = block.split_once("# ").unwrap();
        let text = format!(
            "{MINIMAL}[[anchors]]\nlabel = \"mine\"\nprovenance = \"doc\"\nsource = \"s\"\ncertificate = \"\"\"\n{block}\"\"\""
        );
        let anchor = Profile::parse(&text).unwrap().anchors.remove(0);
        assert_eq!((anchor.label.as_str(), anchor.given, anchor.provenance.as_str()), ("mine", false, "doc: s"));
        assert!(anchor.is(&fixture("CN=Northwind Global Root G1,O=Northwind")) && anchor.certificate.is_some());
    }

    #[test]
    fn mistakes_are_named_with_line_and_key() {
        let anchor = "[[anchors]]\nlabel = \"l\"\nprovenance = \"doc\"\nsource = \"s\"\n";
        let fact = |value: &str| format!("sni = {{ value = {value}, provenance = \"doc\", source = \"s\" }}");
        for (text, line, key) in [
            ("colour = 1".to_owned(), 3, "colour"),
            (fact("3"), 3, "sni"),
            ("\n\naia = { value = true, provenance = \"rumour\", source = \"s\" }".to_owned(), 5, "aia"),
            ("tls_versions = { value = { min = \"TLS 1\", max = \"TLS 1.2\" }, provenance = \"doc\", source = \"s\" }".to_owned(), 3, "tls_versions"),
            ("[fetches]\nftp = { value = [], provenance = \"doc\", source = \"s\" }".to_owned(), 4, "ftp"),
            ("[[anchors]]\nprovenance = \"doc\"\nsource = \"s\"".to_owned(), 3, "label"),
            (anchor.to_owned(), 4, "anchors"),
            (format!("{anchor}subject = \"MAA=\"\nkey = \"%\""), 8, "key"),
            (format!("{anchor}subject = \"MAA\"\nkey = \"MAA=\""), 7, "subject"),
            (format!("{anchor}certificate = \"MAA=\""), 7, "certificate"),
        ] {
            let error = Profile::parse(&format!("{MINIMAL}{text}")).unwrap_err();
            assert_eq!((error.line, error.key.as_str()), (line, key), "{text}: {error}");
            assert!(!error.reason.is_empty());
        }
        assert_eq!(Profile::parse("").unwrap_err().key, "name");
        assert!(Profile::parse("= [").is_err());
    }
}
