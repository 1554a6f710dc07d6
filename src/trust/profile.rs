//! What is known of a kind of device.
//!
//! In: the name of a built-in profile. Out: the roots that such a device ships with, what it can do, which checks it
//! makes, what each kind of fetch adds to its store, each with where that is known from. Bounded: by the profile's text.
//! Left to others: the file's format (`profile_file`), recognizing the device, and every conclusion.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::anchor::Anchor;
use super::fact::{Fact, Provenance, source};
use crate::evidence::FetchKind;
use crate::protocol::tls::Version;
use crate::words::words;
use crate::x509::{HostRules, PublicKey, SignatureAlgorithm};

/// The profiles that come with the program.
const BUILTIN: &[(&str, &str)] = &[
    ("lync-phone-edition", include_str!("profiles/lync-phone-edition.toml")),
    ("lync-phone-edition-old-firmware", include_str!("profiles/lync-phone-edition-old-firmware.toml")),
    ("generic-no-aia", include_str!("profiles/generic-no-aia.toml")),
    ("android-teams-phone", include_str!("profiles/android-teams-phone.toml")),
    ("windows-pc", include_str!("profiles/windows-pc.toml")),
];

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
    /// The built-in profile that it takes over, but for what it says itself.
    pub based_on: Option<String>,
    /// Roots that the device ships with.
    pub anchors: Vec<Anchor>,
    /// Whether it trusts no root beyond these.
    pub anchors_complete: bool,
    /// Whether the roots that the user gives, if there are any, are all that it trusts. Only [`Profile::none`] says so:
    /// the user then describes the device, so that a profile file cannot state it.
    pub given_roots_complete: bool,
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

/// A range of protocol versions, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsVersions {
    /// Lowest.
    #[serde(deserialize_with = "version", serialize_with = "version_name")]
    pub min: Version,
    /// Highest.
    #[serde(deserialize_with = "version", serialize_with = "version_name")]
    pub max: Version,
}

/// A key, hash or signature that a device cannot do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsupported {
    /// What.
    pub algorithm: Algorithm,
    /// Restricts it to some of the devices, in words. Such an entry proves nothing about any one device.
    pub only: Option<String>,
    /// How well it is known.
    pub provenance: Provenance,
    /// Where from, in a sentence.
    #[serde(deserialize_with = "source")]
    pub source: String,
}

words! {
    /// Families of algorithms that devices lack.
    pub enum Algorithm {
        /// RSASSA-PSS signatures.
        RsassaPss = "rsassa-pss",
        /// Elliptic curve keys and ECDSA signatures.
        Ecdsa = "ecdsa",
        /// Ed25519 keys and signatures.
        Ed25519 = "ed25519",
        /// Signatures over MD5.
        Md5 = "md5",
        /// Signatures over SHA-1.
        Sha1 = "sha1",
        /// Signatures over SHA-224, SHA-256, SHA-384 or SHA-512.
        Sha2 = "sha2",
    }
}

words! {
    /// A check of RFC 5280 section 6.1 that devices make or leave out.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum Check {
        /// Issuers are CAs.
        BasicConstraints = "basic-constraints",
        /// Path length.
        PathLength = "path-length",
        /// Issuers may sign certificates.
        KeyUsage = "key-usage",
        /// The leaf, and CAs where restricted, may serve TLS servers.
        ExtendedKeyUsage = "extended-key-usage",
        /// Name constraints.
        NameConstraints = "name-constraints",
        /// No critical extension that is not understood.
        CriticalExtensions = "critical-extensions",
    }
}

words! {
    /// What a fetch adds to the device's store.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum Adds {
        /// Self-signed certificates become anchors.
        Anchors = "anchors",
        /// Other certificates become intermediates.
        Intermediates = "intermediates",
    }
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
            based_on: None,
            anchors: Vec::new(),
            anchors_complete: false,
            given_roots_complete: true,
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

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
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

fn version_name<S: Serializer>(version: &Version, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(version)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::trust::read_certificates;
    use crate::x509::Certificate;

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
        for name in Profile::names() {
            let profile = Profile::parse(Profile::builtin_text(name).unwrap()).unwrap();
            assert_eq!(profile.name, name);
        }
        assert_eq!(Profile::names().len(), 5);
        assert!(Profile::builtin("nothing").is_none());
    }

    #[test]
    fn every_fact_of_a_builtin_profile_says_where_it_is_known_from() {
        for name in Profile::names() {
            let profile = Profile::builtin(name).unwrap();
            let mut sources: Vec<&str> = profile.anchors.iter().map(|anchor| anchor.source.as_str()).collect();
            sources.extend(profile.unsupported.iter().map(|entry| entry.source.as_str()));
            sources.extend(profile.fetches.values().map(|fact| fact.source.as_str()));
            sources.extend(profile.notes.iter().map(|fact| fact.source.as_str()));
            sources.extend(profile.tls_versions.iter().map(|fact| fact.source.as_str()));
            sources.extend(profile.checks.iter().map(|fact| fact.source.as_str()));
            for fact in [
                &profile.sni,
                &profile.aia,
                &profile.cn_fallback,
                &profile.wildcard_san,
                &profile.name_check_after_handshake,
                &profile.sip_domain_only,
            ] {
                sources.extend(fact.iter().map(|fact| fact.source.as_str()));
            }
            assert!(sources.len() >= 2, "{name}");
            assert!(sources.iter().all(|source| source.trim().len() > 10), "{name}: {sources:?}");
            assert!(profile.anchors.iter().all(|anchor| anchor.provenance.is_some()), "{name}");
        }
    }

    #[test]
    fn old_firmware_lacks_the_digicert_roots_and_probably_sha2() {
        let (old, new) = (Profile::builtin("lync-phone-edition-old-firmware").unwrap(), lync());
        let labels = |profile: &Profile| -> Vec<String> {
            profile
                .anchors
                .iter()
                .map(|anchor| anchor.label.clone())
                .filter(|label| !label.contains("DigiCert"))
                .collect()
        };
        assert_eq!((old.anchors.len(), labels(&old)), (16, labels(&new)));
        let sha256 = fixture("CN=rsa2048").signature_algorithm();
        let [likely] = old.unsupported_signature(&sha256)[..] else { panic!("one entry on SHA-2") };
        assert!(likely.only.is_none() && !likely.provenance.is_fact());
        assert_eq!(old.unsupported.len(), new.unsupported.len());
        assert_eq!((old.tls_versions, old.fetches), (new.tls_versions, new.fetches));
    }

    #[test]
    fn who_fetches_issuers_and_whose_roots_are_left_to_the_user() {
        for (name, fetches) in [("generic-no-aia", false), ("android-teams-phone", false), ("windows-pc", true)] {
            let profile = Profile::builtin(name).unwrap();
            let aia = profile.aia.unwrap();
            assert_eq!((aia.value, aia.provenance.is_fact()), (fetches, false), "{name}");
            assert!(profile.anchors.is_empty() && profile.description.contains("--roots"), "{name}");
        }
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
                anchor.key.is_rsa() && !anchor.given && anchor.provenance == Some(Provenance::Unverified),
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
}
