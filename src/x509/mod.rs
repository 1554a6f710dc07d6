//! Stage 6a: certificates, their names, keys and signatures.
//!
//! In: the DER of certificates, as a server sent them or a store holds them, whole or damaged. Out: [`Certificate`]
//! with its [`Name`]s, [`PublicKey`] and extensions, and whether a key made its signature. Bounded: what is kept is a
//! small multiple of the DER; no recursion deeper than the structure of RFC 5280; RSA keys up to 16,384 bits. Left to
//! others: which certificates to trust, paths, dates judged against a clock (`trust`), and everything about where a
//! certificate was seen.

mod certificate;
mod constraints;
mod defect;
mod der;
mod digest;
mod extensions;
mod fields;
mod hex;
mod host;
mod key;
mod name;
mod permitted;
mod profile;
mod signature;
#[cfg(test)]
mod tests;
mod trust_settings;

pub use certificate::Certificate;
pub use constraints::{IpSubnet, NameConstraints, Subtrees};
pub use defect::Defect;
pub use digest::Digest;
pub use extensions::{AuthorityKeyId, BasicConstraints, KeyUsage};
pub use host::HostRules;
pub use key::{Curve, PublicKey};
pub use name::Name;
pub use profile::Departure;
pub use signature::{HashAlgorithm, SignatureAlgorithm, SignatureCheck, verify};
pub use trust_settings::TrustSettings;

pub(crate) use hex::hex;
