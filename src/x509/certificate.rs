//! In: the DER of one certificate, whole or damaged. Out: what it says, and whether a key signed it. Bounded: a small
//! multiple of the DER. Left to others: reading the fields (`fields`), dates against the device's clock, trust, paths.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::OnceLock;

use sha1::{Digest as _, Sha1};

use super::constraints::NameConstraints;
use super::defect::Defect;
use super::digest::Digest;
use super::extensions::{AuthorityKeyId, BasicConstraints, KeyUsage};
use super::fields::Fields;
use super::hex::hex;
use super::key::PublicKey;
use super::name::Name;
use super::signature::{SignatureAlgorithm, SignatureCheck, verify};
use crate::capture::Timestamp;

/// An X.509 certificate (RFC 5280 section 4.1). Two are equal when their DER is.
///
/// Reading one never fails: what cannot be parsed is still evidence, with its DER, its digest and
/// [`Certificate::problems`] that say what is wrong and at which byte. Fields that are not damaged keep their values;
/// the others are empty, and dates the epoch.
///
/// Text is given as the certificate holds it; only the `Display` of a [`Name`] and [`Name::short`] escape characters that
/// a terminal would obey.
pub struct Certificate {
    der: Vec<u8>,
    sha256: Digest,
    fields: Fields,
    self_signed: OnceLock<bool>,
    /// In hexadecimal; computed when first asked for, as it is for few certificates.
    sha1: OnceLock<String>,
}

/// Purposes that allow a TLS server: serverAuth, anyExtendedKeyUsage, and the server gated cryptography of Microsoft
/// and Netscape, which old CA certificates carry instead.
const SERVER_AUTH: &[&str] = &["1.3.6.1.5.5.7.3.1", "2.5.29.37.0", "1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1"];

/// Purposes that allow a TLS client: clientAuth, anyExtendedKeyUsage.
const CLIENT_AUTH: &[&str] = &["1.3.6.1.5.5.7.3.2", "2.5.29.37.0"];

/// Bytes of memory for an attribute of a distinguished name, and for a name of another kind, beside their text.
const ATTRIBUTE: usize = 640;
const NAME: usize = 160;

impl Certificate {
    /// From DER. Never fails; see [`Certificate::is_readable`] and [`Certificate::problems`].
    pub fn from_der(der: &[u8]) -> Self {
        Self {
            der: der.to_vec(),
            sha256: Digest::of(der),
            fields: Fields::read(der),
            self_signed: OnceLock::new(),
            sha1: OnceLock::new(),
        }
    }

    /// The bytes it was read from.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of [`Certificate::der`].
    pub fn sha256(&self) -> Digest {
        self.sha256
    }

    /// SHA-1 of [`Certificate::der`] in lower-case hex: the thumbprint that Windows tools ask for.
    pub fn sha1_hex(&self) -> &str {
        self.sha1.get_or_init(|| hex(&Sha1::digest(&self.der)))
    }

    /// Whether names, dates and key could all be read, and the frame around them is whole.
    pub fn is_readable(&self) -> bool {
        self.fields.readable
    }

    /// What is wrong with the encoding, a line each, with the byte where the field begins; empty for most certificates.
    pub fn problems(&self) -> &[String] {
        &self.fields.problems
    }

    /// The rules of encoding that it breaks, for which strict stacks refuse it; empty for most certificates.
    pub fn defects(&self) -> &[Defect] {
        &self.fields.defects
    }

    /// About how many bytes it takes in memory: many short names take far more than their DER.
    pub fn weight(&self) -> usize {
        let attributes = self.fields.subject.attributes() + self.fields.issuer.attributes();
        3 * self.der.len() + ATTRIBUTE * attributes + NAME * self.fields.extensions.names()
    }

    /// The version, 1 to 3 (RFC 5280 section 4.1.2.1).
    pub fn version(&self) -> u8 {
        self.fields.version
    }

    /// The subject: the name of the holder of the key (RFC 5280 section 4.1.2.6).
    pub fn subject(&self) -> &Name {
        &self.fields.subject
    }

    /// The issuer: the subject of the certificate above (RFC 5280 section 4.1.2.4).
    pub fn issuer(&self) -> &Name {
        &self.fields.issuer
    }

    /// The serial number in lower-case hex, whole bytes without a sign byte; `-` before a negative one.
    pub fn serial_hex(&self) -> &str {
        &self.fields.serial_hex
    }

    /// The first second of validity. A date beyond the range of [`Timestamp`], such as the year 9999, becomes its end.
    pub fn not_before(&self) -> Timestamp {
        self.fields.not_before
    }

    /// The last second of validity.
    pub fn not_after(&self) -> Timestamp {
        self.fields.not_after
    }

    /// Whether an instant is within its validity, both ends included (RFC 5280 section 4.1.2.5).
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        (self.fields.not_before..=self.fields.not_after).contains(&at)
    }

    /// The subject's key.
    pub fn public_key(&self) -> &PublicKey {
        &self.fields.public_key
    }

    /// The algorithm with which the issuer signed, as the signed part names it.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.fields.signature_algorithm.clone()
    }

    /// DNS names of the subjectAltName, in order.
    pub fn dns_names(&self) -> &[String] {
        &self.fields.extensions.dns_names
    }

    /// IP addresses of the subjectAltName, in order.
    pub fn ip_addresses(&self) -> &[IpAddr] {
        &self.fields.extensions.ip_addresses
    }

    /// E-mail addresses of the subjectAltName, in order.
    pub fn email_addresses(&self) -> &[String] {
        &self.fields.extensions.email_addresses
    }

    /// URIs of the subjectAltName, in order.
    pub fn uris(&self) -> &[String] {
        &self.fields.extensions.uris
    }

    /// Directory names of the subjectAltName, in order.
    pub fn directory_names(&self) -> &[Name] {
        &self.fields.extensions.directory_names
    }

    /// The subjectAltName as text: DNS names, IP addresses, e-mail addresses, URIs.
    pub fn names(&self) -> Vec<String> {
        let mut names = self.fields.extensions.dns_names.clone();
        names.extend(self.fields.extensions.ip_addresses.iter().map(IpAddr::to_string));
        names.extend_from_slice(&self.fields.extensions.email_addresses);
        names.extend_from_slice(&self.fields.extensions.uris);
        names
    }

    /// The most specific, which is the last, common name of the subject.
    pub fn common_name(&self) -> Option<&str> {
        self.fields.subject.common_name()
    }

    /// Basic constraints, if it has them (RFC 5280 section 4.2.1.9).
    pub fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.fields.extensions.basic_constraints
    }

    /// Key usage, if it is restricted (RFC 5280 section 4.2.1.3).
    pub fn key_usage(&self) -> Option<KeyUsage> {
        self.fields.extensions.key_usage
    }

    /// Extended key usage, if it is restricted, as dotted OIDs in order (RFC 5280 section 4.2.1.12).
    pub fn extended_key_usage(&self) -> Option<&[String]> {
        self.fields.extensions.extended_key_usage.as_deref()
    }

    /// Whether the extended key usage allows a TLS server.
    pub fn permits_server_auth(&self) -> bool {
        self.permits(SERVER_AUTH)
    }

    /// Whether the extended key usage allows a TLS client.
    pub fn permits_client_auth(&self) -> bool {
        self.permits(CLIENT_AUTH)
    }

    fn permits(&self, purposes: &[&str]) -> bool {
        self.extended_key_usage().is_none_or(|usage| usage.iter().any(|oid| purposes.contains(&oid.as_str())))
    }

    /// The policies under which it was issued, as dotted OIDs in order (RFC 5280 section 4.2.1.4).
    pub fn policies(&self) -> &[String] {
        &self.fields.extensions.policies
    }

    /// Subject key identifier (RFC 5280 section 4.2.1.2).
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.fields.extensions.subject_key_id.as_deref()
    }

    /// Whether its authority key identifier is another than the subject key identifier of this certificate; `false` where
    /// one of them is absent (RFC 5280 section 4.2.1.1).
    pub fn names_other_key(&self, issuer: &Self) -> bool {
        let named = self.authority_key_id().and_then(|id| id.key_id.as_deref());
        named.zip(issuer.subject_key_id()).is_some_and(|(named, own)| named != own)
    }

    /// Whether its authority key identifier names, by issuer and serial number, another certificate than this one.
    pub fn names_other_certificate(&self, issuer: &Self) -> bool {
        self.authority_key_id().is_some_and(|id| {
            id.issuer.as_ref().is_some_and(|name| name != issuer.issuer())
                || id.serial_hex.as_ref().is_some_and(|serial| serial != issuer.serial_hex())
        })
    }

    /// Authority key identifier (RFC 5280 section 4.2.1.1).
    pub fn authority_key_id(&self) -> Option<&AuthorityKeyId> {
        self.fields.extensions.authority_key_id.as_ref()
    }

    /// Addresses from which the issuer's certificate can be fetched: the caIssuers URIs of the authority information
    /// access (RFC 5280 section 4.2.2.1).
    pub fn ca_issuers(&self) -> &[String] {
        &self.fields.extensions.ca_issuers
    }

    /// Name constraints (RFC 5280 section 4.2.1.10).
    pub fn name_constraints(&self) -> Option<&NameConstraints> {
        self.fields.extensions.name_constraints.as_ref()
    }

    /// The dotted OIDs of critical extensions that are not known here or cannot be read.
    pub fn unknown_critical_extensions(&self) -> &[String] {
        &self.fields.extensions.unknown_critical
    }

    /// Whether subject and issuer are the same name (RFC 5280 section 7.1).
    pub fn is_self_issued(&self) -> bool {
        self.fields.readable && self.fields.subject == self.fields.issuer
    }

    /// Whether it is self-issued and its own key made its signature. The answer is computed once.
    pub fn is_self_signed(&self) -> bool {
        *self
            .self_signed
            .get_or_init(|| self.is_self_issued() && self.verify_signed_by(&self.fields.public_key).is_valid())
    }

    /// Whether it is a CA certificate, by its basic constraints. Below version 3, where there are none, self-issued ones
    /// are.
    pub fn is_ca(&self) -> bool {
        match self.basic_constraints() {
            Some(constraints) => constraints.ca,
            None => self.fields.version < 3 && self.is_self_issued(),
        }
    }

    /// Whether `key` made the signature of this certificate, by the algorithm that the signed part names. That another one
    /// stands beside the signature is a [`Defect`].
    pub fn verify_signed_by(&self, key: &PublicKey) -> SignatureCheck {
        if !self.fields.readable {
            return SignatureCheck::Unsupported("unreadable certificate".to_owned());
        }
        verify(
            key,
            &self.fields.signature_algorithm,
            self.der.get(self.fields.tbs.clone()).unwrap_or_default(),
            &self.fields.signature,
        )
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
    }
}
impl Eq for Certificate {}
impl Hash for Certificate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sha256.hash(state);
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {})", self.fields.subject, self.sha256)
    }
}
