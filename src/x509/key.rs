//! In: the DER of a SubjectPublicKeyInfo. Out: a public key that can be named, compared and, in `signature`, used.
//! Bounded: a copy of the DER and of the numbers in it. Left to others: the arithmetic, and whether to trust the key.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use super::der::{elements, oid_text, single, tag};
use super::digest::Digest;

/// The public key of a certificate (RFC 5280 section 4.1.2.7).
///
/// RSA keys are equal when modulus and exponent are, however the algorithm's parameters are written; other keys when
/// their DER is. The default value stands for a key that could not be read.
#[derive(Clone, Default)]
pub struct PublicKey {
    spki: Vec<u8>,
    /// The digest of `spki`, computed when first asked for.
    sha256: OnceLock<Digest>,
    pub(super) kind: Kind,
}

/// What the key is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing that could be read.
    #[default]
    Unreadable,
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// A point in SEC 1 form.
    Ec { curve: Curve, point: Vec<u8> },
    /// 32 bytes (RFC 8032).
    Ed25519 { point: Vec<u8> },
    /// DSA, which nothing here verifies.
    Dsa,
    /// Any other algorithm, as a dotted OID.
    Other(String),
}

/// A named elliptic curve (RFC 5480 section 2.1.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Curve {
    /// secp256r1.
    P256,
    /// secp384r1.
    P384,
    /// secp521r1.
    P521,
    /// Another curve: its dotted OID, or `explicit` for parameters written out.
    Other(String),
}

/// What stands for the name of a curve whose parameters are written out.
const EXPLICIT: &str = "explicit";

impl PublicKey {
    /// From exactly the DER of a SubjectPublicKeyInfo; `None` if the bytes are not one. An unknown algorithm, or key bits
    /// that do not fit the algorithm, still give a key, which verifies no signature.
    pub fn from_spki_der(der: &[u8]) -> Option<Self> {
        let parts = elements(single(der, tag::SEQUENCE)?.content)?;
        let [algorithm, bits] = parts.as_slice() else { return None };
        let algorithm = elements(single(algorithm.raw, tag::SEQUENCE)?.content)?;
        let (oid, parameters) = algorithm.split_first()?;
        let oid = oid_text(single(oid.raw, tag::OID)?.content);
        // The first octet of a BIT STRING counts unused bits: always none here.
        let (0, bits) = single(bits.raw, tag::BIT_STRING)?.content.split_first().map(|(n, bits)| (*n, bits))? else {
            return None;
        };
        let kind = match oid.as_str() {
            // rsaEncryption, id-RSASSA-PSS (RFC 4055), and X.509's own rsa.
            "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" | "2.5.8.1.1" => rsa(bits).unwrap_or_default(),
            "1.2.840.10045.2.1" => {
                let curve = parameters.first().and_then(|p| single(p.raw, tag::OID)).map(|p| oid_text(p.content));
                Kind::Ec { curve: Curve::from_oid(curve), point: bits.to_vec() }
            }
            "1.3.101.112" => Kind::Ed25519 { point: bits.to_vec() },
            "1.2.840.10040.4.1" => Kind::Dsa,
            _ => Kind::Other(oid),
        };
        Some(Self { spki: der.to_vec(), sha256: OnceLock::new(), kind })
    }

    /// How long checking a signature with it takes, in units of a check with RSA 2048 and the exponent 65537, at least
    /// one. The time grows with the cube of the length of the modulus, and with the length of the exponent.
    pub fn cost_of_a_check(&self) -> usize {
        match &self.kind {
            Kind::Rsa { modulus, exponent } => {
                let (length, exponent) = (modulus.len().div_ceil(256).max(1), exponent.len().div_ceil(3).max(1));
                length.saturating_pow(3).saturating_mul(exponent)
            }
            _ => 1,
        }
    }

    /// The DER of the SubjectPublicKeyInfo; empty for a key that could not be read.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// SHA-256 of [`PublicKey::spki_der`].
    pub fn spki_sha256(&self) -> Digest {
        *self.sha256.get_or_init(|| Digest::of(&self.spki))
    }

    /// Length of the RSA modulus, or of the curve's field; `None` for other keys.
    pub fn bits(&self) -> Option<u32> {
        match &self.kind {
            Kind::Rsa { modulus, .. } => {
                let leading = modulus.first().map_or(0, |byte| byte.leading_zeros());
                u32::try_from(modulus.len()).ok()?.checked_mul(8)?.checked_sub(leading)
            }
            Kind::Ec { curve: Curve::P256, .. } => Some(256),
            Kind::Ec { curve: Curve::P384, .. } => Some(384),
            Kind::Ec { curve: Curve::P521, .. } => Some(521),
            Kind::Ed25519 { .. } => Some(256),
            Kind::Ec { .. } | Kind::Dsa | Kind::Other(_) | Kind::Unreadable => None,
        }
    }

    /// Whether it is an RSA key.
    pub fn is_rsa(&self) -> bool {
        matches!(self.kind, Kind::Rsa { .. })
    }

    /// Whether it is an Ed25519 key.
    pub fn is_ed25519(&self) -> bool {
        matches!(self.kind, Kind::Ed25519 { .. })
    }

    /// The curve of an elliptic curve key.
    pub fn curve(&self) -> Option<&Curve> {
        match &self.kind {
            Kind::Ec { curve, .. } => Some(curve),
            _ => None,
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Rsa { .. }, Kind::Rsa { .. }) => self.kind == other.kind,
            _ => self.spki == other.spki,
        }
    }
}
impl Eq for PublicKey {}
impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.kind {
            Kind::Rsa { modulus, exponent } => (modulus, exponent).hash(state),
            _ => self.spki.hash(state),
        }
    }
}

/// `RSA 2048`, `EC P-256`, `Ed25519`, `DSA`, or the dotted OID.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Rsa { .. } => write!(f, "RSA {}", self.bits().unwrap_or_default()),
            Kind::Ec { curve, .. } => write!(f, "EC {curve}"),
            Kind::Ed25519 { .. } => f.write_str("Ed25519"),
            Kind::Dsa => f.write_str("DSA"),
            Kind::Other(oid) => f.write_str(oid),
            Kind::Unreadable => f.write_str("unreadable"),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self}, {})", self.spki_sha256())
    }
}

impl Curve {
    /// Whether its parameters are written out in place of a name.
    pub(super) fn is_explicit(&self) -> bool {
        matches!(self, Self::Other(name) if name == EXPLICIT)
    }

    fn from_oid(oid: Option<String>) -> Self {
        match oid.as_deref() {
            Some("1.2.840.10045.3.1.7") => Self::P256,
            Some("1.3.132.0.34") => Self::P384,
            Some("1.3.132.0.35") => Self::P521,
            _ => Self::Other(oid.unwrap_or_else(|| EXPLICIT.to_owned())),
        }
    }
}

/// Curves that are known by name alone: RFC 5639 section 4.1, and GB/T 32918.
const NAMED: &[(&str, &str)] = &[
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.8", "brainpoolP256t1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.12", "brainpoolP384t1"),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"),
    ("1.3.36.3.3.2.8.1.1.14", "brainpoolP512t1"),
    ("1.2.156.10197.1.301", "SM2"),
];

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Other(oid) => NAMED.iter().find(|(known, _)| known == oid).map_or(oid.as_str(), |(_, name)| *name),
        })
    }
}

/// RSAPublicKey of RFC 8017, appendix A.1.1.
fn rsa(bits: &[u8]) -> Option<Kind> {
    let numbers = elements(single(bits, tag::SEQUENCE)?.content)?;
    let [modulus, exponent] = numbers.as_slice() else { return None };
    let modulus = significant(single(modulus.raw, tag::INTEGER)?.content);
    let exponent = significant(single(exponent.raw, tag::INTEGER)?.content);
    Some(Kind::Rsa { modulus, exponent })
}

fn significant(integer: &[u8]) -> Vec<u8> {
    integer.iter().copied().skip_while(|byte| *byte == 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An RSA key of 16 bits, with parameters NULL or none.
    fn small_rsa(null: bool) -> PublicKey {
        let oid = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
        let parameters: &[u8] = if null { &[5, 0] } else { &[] };
        let algorithm = [&[0x30, if null { 13 } else { 11 }][..], &oid, parameters].concat();
        let bits = [3, 11, 0, 0x30, 8, 2, 3, 0, 0xc5, 0x11, 2, 1, 3];
        let length = u8::try_from(algorithm.len() + bits.len()).unwrap();
        PublicKey::from_spki_der(&[&[0x30, length][..], &algorithm, &bits].concat()).unwrap()
    }

    #[test]
    fn rsa_keys_compare_by_their_numbers() {
        assert_ne!(small_rsa(true).spki_der(), small_rsa(false).spki_der());
        assert_eq!(small_rsa(true), small_rsa(false));
        assert_eq!(small_rsa(true).to_string(), "RSA 16");
    }

    #[test]
    fn what_is_no_key_is_refused_or_verifies_nothing() {
        assert!(PublicKey::from_spki_der(b"").is_none());
        assert!(PublicKey::from_spki_der(&[0x30, 0]).is_none());
        // A MD5 OID in the place of a key algorithm.
        let odd = [0x30, 0x0f, 0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 5, 3, 1, 0];
        assert_eq!(PublicKey::from_spki_der(&odd).unwrap().to_string(), "1.2.840.113549.2.5");
    }
}
