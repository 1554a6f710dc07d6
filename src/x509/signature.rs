//! In: a key, an algorithm, a message and its signature. Out: whether the key made the signature. Bounded: RSA moduli of
//! 512 to 16,384 bits with exponents below 2^33. Left to others: whether the algorithm is strong enough. To diagnose old
//! devices, MD5 and 1024-bit keys have to be checked, not refused.

use std::fmt;

use md5::Md5;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

use super::der::{Element, elements, oid_text, single, tag};
use super::key::{Curve, Kind, PublicKey};

/// The shortest and the longest RSA modulus that is computed with, in bits.
const RSA_BITS: std::ops::RangeInclusive<u32> = 512..=16_384;

/// Longest RSASSA-PSS salt: no modulus within [`RSA_BITS`] has room for more.
const PSS_SALT_LIMIT: usize = 2_048;

/// A hash function that signatures are made over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// MD2, which is recognized but not computed.
    Md2,
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// The algorithm of a signature, from an AlgorithmIdentifier (RFC 5280 section 4.1.1.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2).
    RsaPkcs1(HashAlgorithm),
    /// RSASSA-PSS (RFC 8017 section 8.1) with its parameters (RFC 4055 section 3.1).
    RsaPss {
        /// Hash of the message.
        hash: HashAlgorithm,
        /// Hash inside the mask generation function MGF1.
        mgf_hash: HashAlgorithm,
        /// Bytes of salt.
        salt_length: usize,
    },
    /// ECDSA (RFC 5758 section 3.2).
    Ecdsa(HashAlgorithm),
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// Another algorithm, or one whose parameters could not be read: the dotted OID.
    Other(String),
}

/// Whether a key made a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureCheck {
    /// It did.
    Valid,
    /// It did not: another key did, or the bytes were changed.
    Invalid,
    /// Unknown: this algorithm or parameter is not supported here.
    Unsupported(String),
}

impl SignatureCheck {
    /// Whether the key made the signature.
    pub fn is_valid(&self) -> bool {
        *self == Self::Valid
    }
}

/// Checks a signature over `message` (for a certificate the DER of its tbsCertificate). `signature` holds the octets
/// of the BIT STRING: for RSA the number, for ECDSA the DER of its two numbers, for Ed25519 64 bytes.
pub fn verify(key: &PublicKey, algorithm: &SignatureAlgorithm, message: &[u8], signature: &[u8]) -> SignatureCheck {
    match (algorithm, &key.kind) {
        (SignatureAlgorithm::Other(oid), _) => SignatureCheck::Unsupported(name_of_other(oid)),
        (_, Kind::Unreadable) => SignatureCheck::Unsupported("unreadable public key".to_owned()),
        (SignatureAlgorithm::RsaPkcs1(hash), Kind::Rsa { modulus, exponent }) => {
            with_rsa_key(key, modulus, exponent, |key| verify_pkcs1(key, *hash, message, signature))
        }
        (SignatureAlgorithm::RsaPss { hash, mgf_hash, salt_length }, Kind::Rsa { modulus, exponent }) => {
            if hash != mgf_hash {
                return SignatureCheck::Unsupported(format!("RSASSA-PSS with {hash} and MGF1 with {mgf_hash}"));
            }
            with_rsa_key(key, modulus, exponent, |key| verify_pss(key, *hash, *salt_length, message, signature))
        }
        (SignatureAlgorithm::Ecdsa(hash), Kind::Ec { curve, point }) => {
            verify_ecdsa(curve, point, *hash, message, signature)
        }
        (SignatureAlgorithm::Ed25519, Kind::Ed25519 { point }) => verify_ed25519(point, message, signature),
        // A key of another kind cannot have made the signature.
        _ => SignatureCheck::Invalid,
    }
}

/// The name of an algorithm that is known by name alone (RFC 8410, RFC 5758 section 3.1, GB/T 32918).
fn name_of_other(oid: &str) -> String {
    match oid {
        "1.3.101.113" => "Ed448".to_owned(),
        "1.2.840.10040.4.3" => "DSA with SHA-1".to_owned(),
        "2.16.840.1.101.3.4.3.1" => "DSA with SHA-224".to_owned(),
        "2.16.840.1.101.3.4.3.2" => "DSA with SHA-256".to_owned(),
        "1.2.156.10197.1.501" => "SM2 with SM3".to_owned(),
        "1.2.840.113549.1.1.10" => "RSASSA-PSS with parameters that are not known here".to_owned(),
        _ => format!("signature algorithm {oid}"),
    }
}

impl SignatureAlgorithm {
    /// From the DER of an AlgorithmIdentifier; `None` if the bytes are not one.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let parts = elements(single(der, tag::SEQUENCE)?.content)?;
        let (oid, parameters) = parts.split_first()?;
        let oid = oid_text(single(oid.raw, tag::OID)?.content);
        Some(match oid.as_str() {
            "1.2.840.113549.1.1.10" => pss_parameters(parameters.first()).unwrap_or(Self::Other(oid)),
            "1.3.101.112" => Self::Ed25519,
            _ => ALGORITHMS.iter().find(|(known, _)| *known == oid).map_or(Self::Other(oid), |(_, it)| it.clone()),
        })
    }

    /// The hash function, if the algorithm names one.
    pub fn hash(&self) -> Option<HashAlgorithm> {
        match self {
            Self::RsaPkcs1(hash) | Self::RsaPss { hash, .. } | Self::Ecdsa(hash) => Some(*hash),
            Self::Ed25519 | Self::Other(_) => None,
        }
    }
}

/// Signature algorithms without parameters (RFC 3279 section 2.2, RFC 4055 section 5, RFC 5758).
const ALGORITHMS: &[(&str, SignatureAlgorithm)] = &[
    ("1.2.840.113549.1.1.2", SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Md2)),
    ("1.2.840.113549.1.1.4", SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Md5)),
    ("1.2.840.113549.1.1.5", SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha1)),
    // sha1WithRSASignature of the OIW, which old Microsoft tools wrote.
    ("1.3.14.3.2.29", SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha1)),
    ("1.2.840.113549.1.1.14", SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha224)),
    ("1.2.840.113549.1.1.11", SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha256)),
    ("1.2.840.113549.1.1.12", SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha384)),
    ("1.2.840.113549.1.1.13", SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha512)),
    ("1.2.840.10045.4.1", SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha1)),
    ("1.2.840.10045.4.3.1", SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha224)),
    ("1.2.840.10045.4.3.2", SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha256)),
    ("1.2.840.10045.4.3.3", SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha384)),
    ("1.2.840.10045.4.3.4", SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha512)),
];

/// OpenSSL's names: `sha256WithRSAEncryption`, `ecdsa-with-SHA384`, `RSASSA-PSS sha256`, `ed25519`, or the dotted OID.
impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RsaPkcs1(hash) => write!(f, "{hash}WithRSAEncryption"),
            Self::RsaPss { hash, .. } => write!(f, "RSASSA-PSS {hash}"),
            Self::Ecdsa(hash) => write!(f, "ecdsa-with-{}", hash.to_string().to_uppercase()),
            Self::Ed25519 => f.write_str("ed25519"),
            Self::Other(oid) => f.write_str(oid),
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md2 => "md2",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        })
    }
}

impl HashAlgorithm {
    /// The digest of `message`; `None` for MD2.
    fn digest(self, message: &[u8]) -> Option<Vec<u8>> {
        Some(match self {
            Self::Md2 => return None,
            Self::Md5 => Md5::digest(message).to_vec(),
            Self::Sha1 => Sha1::digest(message).to_vec(),
            Self::Sha224 => Sha224::digest(message).to_vec(),
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        })
    }

    fn from_algorithm_identifier(der: &[u8]) -> Option<Self> {
        let parts = elements(single(der, tag::SEQUENCE)?.content)?;
        Some(match oid_text(single(parts.first()?.raw, tag::OID)?.content).as_str() {
            "1.2.840.113549.2.5" => Self::Md5,
            "1.3.14.3.2.26" => Self::Sha1,
            "2.16.840.1.101.3.4.2.4" => Self::Sha224,
            "2.16.840.1.101.3.4.2.1" => Self::Sha256,
            "2.16.840.1.101.3.4.2.2" => Self::Sha384,
            "2.16.840.1.101.3.4.2.3" => Self::Sha512,
            _ => return None,
        })
    }

    fn unsupported(self) -> SignatureCheck {
        SignatureCheck::Unsupported(format!("hash {self}"))
    }
}

/// Reads RSASSA-PSS-params (RFC 4055 section 3.1). Each field may be absent; the defaults are SHA-1, MGF1 with SHA-1, 20
/// bytes of salt, and trailer field 1.
fn pss_parameters(parameters: Option<&Element<'_>>) -> Option<SignatureAlgorithm> {
    let (mut hash, mut mgf_hash, mut salt_length) = (HashAlgorithm::Sha1, HashAlgorithm::Sha1, 20);
    for field in elements(single(parameters?.raw, tag::SEQUENCE)?.content)? {
        match (field.universal, field.tag) {
            (false, 0) => hash = HashAlgorithm::from_algorithm_identifier(field.content)?,
            (false, 1) => mgf_hash = mgf1_hash(field.content)?,
            (false, 2) => salt_length = small_integer(field.content).filter(|length| *length <= PSS_SALT_LIMIT)?,
            (false, 3) => small_integer(field.content).filter(|trailer| *trailer == 1).map(|_| ())?,
            _ => return None,
        }
    }
    Some(SignatureAlgorithm::RsaPss { hash, mgf_hash, salt_length })
}

fn mgf1_hash(der: &[u8]) -> Option<HashAlgorithm> {
    let parts = elements(single(der, tag::SEQUENCE)?.content)?;
    let [function, hash] = parts.as_slice() else { return None };
    let is_mgf1 = oid_text(single(function.raw, tag::OID)?.content) == "1.2.840.113549.1.1.8";
    HashAlgorithm::from_algorithm_identifier(hash.raw).filter(|_| is_mgf1)
}

fn small_integer(der: &[u8]) -> Option<usize> {
    let content = single(der, tag::INTEGER)?.content;
    let fits = content.len() <= 4 && content.first().is_some_and(|byte| *byte < 0x80);
    fits.then(|| content.iter().fold(0, |value, byte| (value << 8) | usize::from(*byte)))
}

fn with_rsa_key(
    key: &PublicKey,
    modulus: &[u8],
    exponent: &[u8],
    check: impl FnOnce(&RsaPublicKey) -> SignatureCheck,
) -> SignatureCheck {
    let bits = key.bits().unwrap_or_default();
    if !RSA_BITS.contains(&bits) {
        return SignatureCheck::Unsupported(format!("RSA modulus of {bits} bits"));
    }
    let (n, e) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
    match RsaPublicKey::new_with_max_size(n, e, 16_384) {
        Ok(key) => check(&key),
        Err(error) => SignatureCheck::Unsupported(format!("RSA key: {error}")),
    }
}

fn verify_pkcs1(key: &RsaPublicKey, hash: HashAlgorithm, message: &[u8], signature: &[u8]) -> SignatureCheck {
    let padding = match hash {
        HashAlgorithm::Md2 => return hash.unsupported(),
        HashAlgorithm::Md5 => Pkcs1v15Sign::new::<Md5>(),
        HashAlgorithm::Sha1 => Pkcs1v15Sign::new::<Sha1>(),
        HashAlgorithm::Sha224 => Pkcs1v15Sign::new::<Sha224>(),
        HashAlgorithm::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
        HashAlgorithm::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
        HashAlgorithm::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
    };
    let digest = hash.digest(message).unwrap_or_default();
    judge(key.verify(padding, &digest, signature))
}

fn verify_pss(
    key: &RsaPublicKey,
    hash: HashAlgorithm,
    salt: usize,
    message: &[u8],
    signature: &[u8],
) -> SignatureCheck {
    let padding = match hash {
        HashAlgorithm::Md2 => return hash.unsupported(),
        HashAlgorithm::Md5 => Pss::new_with_salt::<Md5>(salt),
        HashAlgorithm::Sha1 => Pss::new_with_salt::<Sha1>(salt),
        HashAlgorithm::Sha224 => Pss::new_with_salt::<Sha224>(salt),
        HashAlgorithm::Sha256 => Pss::new_with_salt::<Sha256>(salt),
        HashAlgorithm::Sha384 => Pss::new_with_salt::<Sha384>(salt),
        HashAlgorithm::Sha512 => Pss::new_with_salt::<Sha512>(salt),
    };
    let digest = hash.digest(message).unwrap_or_default();
    judge(key.verify(padding, &digest, signature))
}

fn verify_ecdsa(curve: &Curve, point: &[u8], hash: HashAlgorithm, message: &[u8], signature: &[u8]) -> SignatureCheck {
    let Some(digest) = hash.digest(message) else { return hash.unsupported() };
    let malformed = || SignatureCheck::Unsupported(format!("EC point not on {curve}"));
    match curve {
        Curve::P256 => {
            let Ok(key) = p256::ecdsa::VerifyingKey::from_sec1_bytes(point) else { return malformed() };
            let Ok(signature) = p256::ecdsa::Signature::from_der(signature) else { return SignatureCheck::Invalid };
            judge(key.verify_prehash(&widen(digest, 32), &signature))
        }
        Curve::P384 => {
            let Ok(key) = p384::ecdsa::VerifyingKey::from_sec1_bytes(point) else { return malformed() };
            let Ok(signature) = p384::ecdsa::Signature::from_der(signature) else { return SignatureCheck::Invalid };
            judge(key.verify_prehash(&widen(digest, 48), &signature))
        }
        Curve::P521 => {
            let Ok(key) = p521::ecdsa::VerifyingKey::from_sec1_bytes(point) else { return malformed() };
            let Ok(signature) = p521::ecdsa::Signature::from_der(signature) else { return SignatureCheck::Invalid };
            judge(key.verify_prehash(&widen(digest, 66), &signature))
        }
        Curve::Other(_) => SignatureCheck::Unsupported(format!("EC curve {curve}")),
    }
}

/// Puts zeros before a digest that is shorter than the field. The number is the same, but the verifiers refuse digests
/// of less than half the size.
fn widen(digest: Vec<u8>, field_bytes: usize) -> Vec<u8> {
    let mut wide = vec![0; field_bytes.saturating_sub(digest.len())];
    wide.extend(digest);
    wide
}

fn verify_ed25519(point: &[u8], message: &[u8], signature: &[u8]) -> SignatureCheck {
    let key = <[u8; 32]>::try_from(point).ok().and_then(|bytes| ed25519_dalek::VerifyingKey::from_bytes(&bytes).ok());
    let Some(key) = key else { return SignatureCheck::Unsupported("Ed25519 point not on the curve".to_owned()) };
    let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else { return SignatureCheck::Invalid };
    judge(ed25519_dalek::Verifier::verify(&key, message, &signature))
}

fn judge<E>(result: Result<(), E>) -> SignatureCheck {
    if result.is_ok() { SignatureCheck::Valid } else { SignatureCheck::Invalid }
}
