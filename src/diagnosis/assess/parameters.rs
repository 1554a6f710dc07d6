//! In: both hellos and the server's key exchange. Out: the parameters in clear that clients refuse, typed and in words.
//! Bounded: a handful. Left to others: whether this client refused them.

use std::fmt;

use crate::evidence::Handshake;
use crate::protocol::tls::{ClientHello, Group, ServerHello, Version, cipher_suite, group, signature_scheme};

/// A parameter that the server chose and that clients refuse, whatever its certificates are.
///
/// `Display` is what the client refuses, as the object of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusable {
    /// A Diffie-Hellman prime of this many bits, fewer than 2,048.
    ShortPrime(u32),
    /// The server does not answer the client's signal of secure renegotiation (RFC 5746 section 3.4).
    NoSecureRenegotiation,
    /// A version that the client did not offer.
    Version(Version),
    /// A cipher suite that the client did not offer.
    Suite(u16),
    /// A curve that the client did not offer, by its number in the registry.
    Curve(u16),
    /// A curve whose parameters are written out, which no client of today accepts (RFC 8422 section 5.4).
    ExplicitCurve,
    /// A signature scheme that the client did not offer.
    SignatureScheme(u16),
}

/// Bits below which clients call a prime short: OpenSSL above security level 1, as distributions configure it, refuses
/// it.
const SHORT: u32 = 2048;

impl Refusable {
    pub(super) fn of(handshake: &Handshake) -> Vec<Self> {
        let tls = &handshake.tls;
        let Some((offered, chosen)) = tls.client_hello.as_ref().zip(tls.server_hello.as_ref()) else {
            return Vec::new();
        };
        let mut out = of_hellos(offered, chosen);
        if let Some(exchange) = &tls.server_key_exchange {
            match exchange.group {
                Group::Prime(bits) if bits < SHORT => out.push(Self::ShortPrime(bits)),
                Group::Curve(curve) if !offered.groups.is_empty() && !offered.groups.contains(&curve) => {
                    out.push(Self::Curve(curve));
                }
                Group::Explicit => out.push(Self::ExplicitCurve),
                Group::Prime(_) | Group::Curve(_) => {}
            }
            let scheme = exchange.signature.zip(offered.signature_algorithms.as_ref());
            let scheme = scheme.filter(|(scheme, offered)| !offered.contains(scheme));
            out.extend(scheme.map(|(scheme, _)| Self::SignatureScheme(scheme)));
        }
        out
    }
}

fn of_hellos(offered: &ClientHello, chosen: &ServerHello) -> Vec<Refusable> {
    let mut out = Vec::new();
    let is_offered = match offered.versions.as_slice() {
        [] => chosen.version <= offered.version,
        versions => versions.contains(&chosen.version),
    };
    if !is_offered {
        out.push(Refusable::Version(chosen.version));
    }
    let suite = chosen.cipher_suite.filter(|suite| !offered.cipher_suites.contains(suite));
    out.extend(suite.map(Refusable::Suite));
    if offered.renegotiation_info && !chosen.renegotiation_info && !chosen.version.is_1_3() {
        out.push(Refusable::NoSecureRenegotiation);
    }
    out
}

impl fmt::Display for Refusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortPrime(bits) => write!(f, "the server's Diffie-Hellman prime of {bits} bits, which is short"),
            Self::NoSecureRenegotiation => {
                f.write_str("a server without secure renegotiation (renegotiation_info is absent from its hello)")
            }
            Self::Version(version) => write!(f, "{version}, which the server chose and the client did not offer"),
            Self::Suite(suite) => {
                write!(f, "{}, which the server chose and the client did not offer", cipher_suite(*suite))
            }
            Self::Curve(curve) => {
                write!(f, "the curve {}, which the server chose and the client did not offer", group(*curve))
            }
            Self::ExplicitCurve => f.write_str("a curve that the server writes out as explicit parameters"),
            Self::SignatureScheme(scheme) => {
                let scheme = signature_scheme(*scheme);
                write!(f, "the signature scheme {scheme}, which the server used and the client did not offer")
            }
        }
    }
}
