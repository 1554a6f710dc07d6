//! In: the number of a cipher suite, and the body of a ServerKeyExchange. Out: how the two sides agree on keys, what the
//! server signs with, and the group that it chose. Bounded: nothing is kept. Left to others: whether the client minds.
//!
//! Only suites before TLS 1.3 say it (RFC 5246 appendix C, RFC 8422 section 2); those of TLS 1.3 name a cipher alone.

use super::message::Cursor;
use super::names::{Version, cipher_suite};
use crate::capture::FrameRef;

/// How a cipher suite agrees on keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// The client encrypts the secret to the server's RSA key; nothing is signed.
    Rsa,
    /// Diffie-Hellman over a prime, signed with this kind of key.
    Dhe(Signer),
    /// Diffie-Hellman over a curve, signed with this kind of key.
    Ecdhe(Signer),
    /// Anything else: static Diffie-Hellman, pre-shared keys, Kerberos, SRP.
    Other,
}

/// The kind of key with which a server signs its part of the key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signer {
    /// RSA.
    Rsa,
    /// An elliptic curve.
    Ecdsa,
    /// DSA.
    Dss,
    /// None: an anonymous exchange.
    Nobody,
}

impl Agreement {
    /// How this suite agrees on keys; `None` for suites of TLS 1.3, for signalling values and for unknown numbers.
    pub fn of(suite: u16) -> Option<Self> {
        let name = cipher_suite(suite);
        let (exchange, _) = name.strip_prefix("TLS_")?.split_once("_WITH_")?;
        Some(match exchange {
            "RSA" | "RSA_EXPORT" | "RSA_EXPORT1024" => Self::Rsa,
            "DHE_RSA" | "DHE_RSA_EXPORT" => Self::Dhe(Signer::Rsa),
            "DHE_DSS" | "DHE_DSS_EXPORT" => Self::Dhe(Signer::Dss),
            "DH_anon" | "DH_anon_EXPORT" => Self::Dhe(Signer::Nobody),
            "ECDHE_RSA" => Self::Ecdhe(Signer::Rsa),
            "ECDHE_ECDSA" => Self::Ecdhe(Signer::Ecdsa),
            "ECDH_anon" => Self::Ecdhe(Signer::Nobody),
            _ => Self::Other,
        })
    }

    /// The kind of key with which the server signs; `None` where it signs nothing.
    pub fn signer(self) -> Option<Signer> {
        match self {
            Self::Dhe(signer) | Self::Ecdhe(signer) => Some(signer),
            Self::Rsa | Self::Other => None,
        }
    }
}

/// A ServerKeyExchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServerKeyExchange {
    /// Frame of its first byte.
    pub at: FrameRef,
    /// The group that the server chose.
    pub group: Group,
    /// The signature scheme, which only TLS 1.2 names (RFC 5246 section 7.4.3).
    pub signature: Option<u16>,
}

/// The group of a Diffie-Hellman exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// A prime of this many bits.
    Prime(u32),
    /// A named curve, by its number in the registry (RFC 8422 section 5.1.1).
    Curve(u16),
    /// A curve whose parameters are written out.
    Explicit,
}

/// Reads a ServerKeyExchange (RFC 5246 section 7.4.3, RFC 8422 section 5.4) of a handshake with this suite.
pub(super) fn server_key_exchange(
    body: &[u8],
    suite: u16,
    version: Version,
    at: FrameRef,
) -> Option<ServerKeyExchange> {
    let mut bytes = Cursor(body);
    let (group, signer) = match Agreement::of(suite)? {
        Agreement::Dhe(signer) => {
            let prime = bytes.vector16()?;
            let (_generator, _public) = (bytes.vector16()?, bytes.vector16()?);
            (Group::Prime(bits(prime)), signer)
        }
        Agreement::Ecdhe(signer) => match bytes.take(1)? {
            [NAMED_CURVE] => {
                let curve = bytes.u16()?;
                let _public = bytes.vector8()?;
                (Group::Curve(curve), signer)
            }
            _ => return Some(ServerKeyExchange { at, group: Group::Explicit, signature: None }),
        },
        Agreement::Rsa | Agreement::Other => return None,
    };
    let signs = signer != Signer::Nobody && version >= Version::TLS_1_2;
    Some(ServerKeyExchange { at, group, signature: bytes.u16().filter(|_| signs) })
}

/// `named_curve` of ECCurveType (RFC 8422 section 5.4).
const NAMED_CURVE: u8 = 3;

/// The length of a big-endian number in bits.
fn bits(number: &[u8]) -> u32 {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let significant = number.get(zeros..).unwrap_or_default();
    let leading = significant.first().map_or(0, |byte| byte.leading_zeros());
    u32::try_from(significant.len()).unwrap_or(u32::MAX).saturating_mul(8).saturating_sub(leading)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Timestamp;

    #[test]
    fn suites_say_how_keys_are_agreed_on_and_what_signs() {
        // IANA's registry of cipher suites.
        for (suite, expected) in [
            (0x002f, Some(Agreement::Rsa)),
            (0x0033, Some(Agreement::Dhe(Signer::Rsa))),
            (0x0032, Some(Agreement::Dhe(Signer::Dss))),
            (0xc009, Some(Agreement::Ecdhe(Signer::Ecdsa))),
            (0xc02f, Some(Agreement::Ecdhe(Signer::Rsa))),
            (0xc031, Some(Agreement::Other)),
            (0x1301, None),
            (0x00ff, None),
        ] {
            assert_eq!(Agreement::of(suite), expected, "{suite:#06x}");
        }
    }

    #[test]
    fn the_group_of_a_key_exchange() {
        let at = FrameRef { capture: 0, number: 1, offset: 0, length: 0, time: Timestamp::default() };
        let read = |body: &[u8], suite, version| {
            server_key_exchange(body, suite, version, at).map(|it| (it.group, it.signature))
        };
        // RFC 8422 section 5.4: curve type, curve, point; then the scheme and the signature.
        let curve = [3, 0, 0x17, 2, 4, 4, 4, 1, 0, 0];
        assert_eq!(read(&curve, 0xc02f, Version::TLS_1_2), Some((Group::Curve(0x17), Some(0x0401))));
        assert_eq!(read(&curve, 0xc013, Version::TLS_1_0), Some((Group::Curve(0x17), None)));
        // RFC 5246 section 7.4.3: p, g and Ys. The prime is 0x00ff07, which has 16 bits.
        let prime = [0, 3, 0, 0xff, 7, 0, 1, 2, 0, 1, 5, 4, 1, 0, 0];
        assert_eq!(read(&prime, 0x0033, Version::TLS_1_2), Some((Group::Prime(16), Some(0x0401))));
        assert_eq!(read(&prime[..9], 0x0033, Version::TLS_1_2), None);
        assert_eq!(read(&[1, 0, 0], 0xc02f, Version::TLS_1_2), Some((Group::Explicit, None)));
        assert_eq!(read(&prime, 0x002f, Version::TLS_1_2), None, "RSA key exchange has no such message");
    }
}
