//! Stage 6a: the DER of a certificate becomes facts that can be compared, checked and shown.
//!
//! In: DER bytes of certificates, as a server sent them or a store holds them, whole or damaged. Out: [`Certificate`]
//! with its [`Name`]s, [`PublicKey`], extensions and the answer to "did this key sign it?". Bounded: what is kept is a
//! small multiple of the DER; no recursion deeper than the structure of RFC 5280; RSA keys up to 16,384 bits. Left to
//! others: which certificates to trust, paths, dates judged against a clock (`trust`), and everything about where a
//! certificate was seen.

mod certificate;
mod constraints;
mod der;
mod extensions;
mod host;
mod key;
mod name;
mod signature;
#[cfg(test)]
mod tests;

use std::fmt;

use sha2::Digest as _;

pub use certificate::Certificate;
pub use constraints::{IpSubnet, NameConstraints, Subtrees};
pub use extensions::{AuthorityKeyId, BasicConstraints, KeyUsage};
pub use host::HostRules;
pub use key::{Curve, PublicKey};
pub use name::Name;
pub use signature::{HashAlgorithm, SignatureAlgorithm, SignatureCheck, verify};

/// SHA-256 of some DER: how certificates and keys are named everywhere in the program. Shown as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// From the 32 bytes of a digest made elsewhere.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From 64 hexadecimal digits, in either case, with or without colons between the bytes.
    pub fn parse_hex(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| *c != ':').collect();
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            let pair = digits.get(2 * at..2 * at + 2).filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()))?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Lower-case hexadecimal, two digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
    let digits: Vec<u8> = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    String::from_utf8(digits).unwrap_or_default()
}
