//! The types of what a profile says: protocol versions, algorithms, checks, and what a fetch adds to a store.
//!
//! In: values of a profile file. Out: the same as types, and which signatures and keys an algorithm stands for. Bounded: by
//! the file. Left to others: which device they describe, and where that is known from.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::fact::{Provenance, source};
use crate::protocol::tls::Version;
use crate::words::words;
use crate::x509::{HashAlgorithm, PublicKey, SignatureAlgorithm};

/// A range of protocol versions, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsVersions {
    /// The lowest version.
    #[serde(deserialize_with = "version", serialize_with = "version_name")]
    pub min: Version,
    /// The highest version.
    #[serde(deserialize_with = "version", serialize_with = "version_name")]
    pub max: Version,
}

/// A kind of key, hash or signature that a device does not support.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsupported {
    /// The family that it belongs to.
    pub algorithm: Algorithm,
    /// Which of the devices it is true of, in words, if not of all. Such an entry proves nothing about a single device.
    pub only: Option<String>,
    /// How well it is known.
    pub provenance: Provenance,
    /// Where it is known from, in a sentence.
    #[serde(deserialize_with = "source")]
    pub source: String,
}

words! {
    /// Families of algorithms that devices lack.
    #[derive(Hash)]
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
        /// Issuers are CA certificates.
        BasicConstraints = "basic-constraints",
        /// No more intermediates follow than pathLenConstraint allows.
        PathLength = "path-length",
        /// The key usage of issuers includes keyCertSign.
        KeyUsage = "key-usage",
        /// The extended key usage of the leaf, and of CAs that have one, includes serverAuth.
        ExtendedKeyUsage = "extended-key-usage",
        /// Names lie within the name constraints above them.
        NameConstraints = "name-constraints",
        /// No critical extension is unknown.
        CriticalExtensions = "critical-extensions",
        /// The checks of issuers, made of an anchor's own certificate where there is one.
        AnchorCertificates = "anchor-certificates",
        /// Certificates have the form that sections 4.1 and 4.2 require.
        Forms = "forms",
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

impl Algorithm {
    /// Whether a signature algorithm belongs to the family.
    pub(super) fn covers_signature(self, algorithm: &SignatureAlgorithm) -> bool {
        match self {
            Self::RsassaPss => matches!(algorithm, SignatureAlgorithm::RsaPss { .. }),
            Self::Ecdsa => matches!(algorithm, SignatureAlgorithm::Ecdsa(_)),
            Self::Ed25519 => *algorithm == SignatureAlgorithm::Ed25519,
            Self::Md5 => algorithm.hash() == Some(HashAlgorithm::Md5),
            Self::Sha1 => algorithm.hash() == Some(HashAlgorithm::Sha1),
            Self::Sha2 => {
                matches!(
                    algorithm.hash(),
                    Some(HashAlgorithm::Sha224 | HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512)
                )
            }
        }
    }

    /// Whether keys of this kind belong to the family.
    pub(super) fn covers_key(self, key: &PublicKey) -> bool {
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
