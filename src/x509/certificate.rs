//! In: the DER of one certificate, whole or damaged. Out: its fields as plain values, with a line for each that cannot
//! be read. Bounded: a small multiple of the DER. Left to others: dates against a clock, trust, paths.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::ops::Range;
use std::sync::OnceLock;

use sha1::{Digest as _, Sha1};
use x509_parser::asn1_rs::FromDer;
use x509_parser::time::ASN1Time;

use super::constraints::NameConstraints;
use super::der::{Element, Reader, cause, elements, tag};
use super::digest::Digest;
use super::extensions::{AuthorityKeyId, BasicConstraints, Extensions, KeyUsage};
use super::hex::{hex, serial_text};
use super::key::PublicKey;
use super::name::Name;
use super::signature::{SignatureAlgorithm, SignatureCheck, verify};
use crate::capture::Timestamp;

/// An X.509 certificate (RFC 5280 section 4.1). Two are equal when their DER is.
///
/// Reading one never fails: what cannot be parsed is still evidence, with its DER, its digest and
/// [`Certificate::problems`] that say what is wrong and at which byte. Fields that stand before or beside the damage
/// keep their values; the others are empty, their dates the epoch.
///
/// Text is as it stands in the certificate; only the `Display` of a [`Name`] and [`Name::short`] escape what could
/// upset a terminal.
pub struct Certificate {
    der: Vec<u8>,
    sha256: Digest,
    readable: bool,
    problems: Vec<String>,
    version: u8,
    serial_hex: String,
    issuer: Name,
    subject: Name,
    not_before: Timestamp,
    not_after: Timestamp,
    public_key: PublicKey,
    extensions: Extensions,
    /// Where the signed part lies in `der`.
    tbs: Range<usize>,
    signature_algorithm: SignatureAlgorithm,
    /// Whether the algorithm inside the signed part is the one outside.
    algorithms_agree: bool,
    signature: Vec<u8>,
    self_signed: OnceLock<bool>,
    /// In hex; few certificates are ever asked for it.
    sha1: OnceLock<String>,
}

/// Purposes that allow a TLS server: serverAuth, anyExtendedKeyUsage, and the server gated cryptography of Microsoft
/// and Netscape, which old CA certificates carry instead.
const SERVER_AUTH: &[&str] = &["1.3.6.1.5.5.7.3.1", "2.5.29.37.0", "1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1"];

/// Purposes that allow a TLS client: clientAuth, anyExtendedKeyUsage.
const CLIENT_AUTH: &[&str] = &["1.3.6.1.5.5.7.3.2", "2.5.29.37.0"];

/// Bytes of the longest certificate that is read. What is kept of one takes some times as much; a stack's own limit for all of
/// a chain is mostly 100 KiB.
const LONGEST: usize = 128 * 1024;
/// What an attribute of a distinguished name and a name of another kind take beside their bytes.
const ATTRIBUTE: usize = 640;
const NAME: usize = 160;

impl Certificate {
    /// From DER. Never fails; see [`Certificate::is_readable`] and [`Certificate::problems`].
    pub fn from_der(der: &[u8]) -> Self {
        let mut certificate = Self {
            der: der.to_vec(),
            sha256: Digest::of(der),
            readable: true,
            problems: Vec::new(),
            version: 1,
            serial_hex: String::new(),
            issuer: Name::default(),
            subject: Name::default(),
            not_before: Timestamp::default(),
            not_after: Timestamp::default(),
            public_key: PublicKey::default(),
            extensions: Extensions::default(),
            tbs: 0..0,
            signature_algorithm: SignatureAlgorithm::Other(String::new()),
            algorithms_agree: true,
            signature: Vec::new(),
            self_signed: OnceLock::new(),
            sha1: OnceLock::new(),
        };
        let read = match der.len() {
            length if length > LONGEST => Err(format!("of {length} bytes: more than {LONGEST} are not read")),
            _ => certificate.read(der),
        };
        if let Err(problem) = read {
            certificate.refuse(problem);
        }
        certificate
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
        self.readable
    }

    /// What is wrong with the encoding, one line each with the byte where it begins; empty for most certificates.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Bytes that it takes in memory, about: many short names take far more than their DER.
    pub fn weight(&self) -> usize {
        let attributes = self.subject.attributes() + self.issuer.attributes();
        3 * self.der.len() + ATTRIBUTE * attributes + NAME * self.extensions.names()
    }

    /// 1 to 3.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// Who holds the key.
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// Who signed, by name.
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// The serial number in lower-case hex, whole bytes without a sign byte; `-` before a negative one.
    pub fn serial_hex(&self) -> &str {
        &self.serial_hex
    }

    /// First second of validity. Dates beyond the range of [`Timestamp`] (such as the year 9999) become its end.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Last second of validity.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Whether an instant is within its validity, both ends included (RFC 5280 section 4.1.2.5).
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&at)
    }

    /// The subject's key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// How the issuer signed.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.signature_algorithm.clone()
    }

    /// DNS names of the subjectAltName, in order.
    pub fn dns_names(&self) -> &[String] {
        &self.extensions.dns_names
    }

    /// IP addresses of the subjectAltName, in order.
    pub fn ip_addresses(&self) -> &[IpAddr] {
        &self.extensions.ip_addresses
    }

    /// E-mail addresses of the subjectAltName, in order.
    pub fn email_addresses(&self) -> &[String] {
        &self.extensions.email_addresses
    }

    /// URIs of the subjectAltName, in order.
    pub fn uris(&self) -> &[String] {
        &self.extensions.uris
    }

    /// Directory names of the subjectAltName, in order.
    pub fn directory_names(&self) -> &[Name] {
        &self.extensions.directory_names
    }

    /// The subjectAltName as text: DNS names, IP addresses, e-mail addresses, URIs.
    pub fn names(&self) -> Vec<String> {
        let mut names = self.extensions.dns_names.clone();
        names.extend(self.extensions.ip_addresses.iter().map(IpAddr::to_string));
        names.extend_from_slice(&self.extensions.email_addresses);
        names.extend_from_slice(&self.extensions.uris);
        names
    }

    /// The last, that is most specific, common name of the subject.
    pub fn common_name(&self) -> Option<&str> {
        self.subject.common_name()
    }

    /// Basic constraints, where there are any.
    pub fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.extensions.basic_constraints
    }

    /// Key usage, where it is restricted.
    pub fn key_usage(&self) -> Option<KeyUsage> {
        self.extensions.key_usage
    }

    /// Extended key usage as dotted OIDs in order, where it is restricted (RFC 5280 section 4.2.1.12).
    pub fn extended_key_usage(&self) -> Option<&[String]> {
        self.extensions.extended_key_usage.as_deref()
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

    /// Subject key identifier (RFC 5280 section 4.2.1.2).
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.extensions.subject_key_id.as_deref()
    }

    /// Authority key identifier.
    pub fn authority_key_id(&self) -> Option<&AuthorityKeyId> {
        self.extensions.authority_key_id.as_ref()
    }

    /// Where the issuer's certificate can be fetched: caIssuers URIs of the authority information access (RFC 5280
    /// section 4.2.2.1).
    pub fn ca_issuers(&self) -> &[String] {
        &self.extensions.ca_issuers
    }

    /// Name constraints.
    pub fn name_constraints(&self) -> Option<&NameConstraints> {
        self.extensions.name_constraints.as_ref()
    }

    /// Critical extensions that nothing here understands, or that cannot be read: dotted OIDs.
    pub fn unknown_critical_extensions(&self) -> &[String] {
        &self.extensions.unknown_critical
    }

    /// Whether subject and issuer are the same name (RFC 5280 section 7.1).
    pub fn is_self_issued(&self) -> bool {
        self.readable && self.subject == self.issuer
    }

    /// Whether it is self-issued and its own key made its signature. Computed once.
    pub fn is_self_signed(&self) -> bool {
        *self.self_signed.get_or_init(|| self.is_self_issued() && self.verify_signed_by(&self.public_key).is_valid())
    }

    /// Whether it may issue certificates: what the basic constraints say; before version 3, which has none, only if it
    /// is self-issued.
    pub fn is_ca(&self) -> bool {
        match self.basic_constraints() {
            Some(constraints) => constraints.ca,
            None => self.version < 3 && self.is_self_issued(),
        }
    }

    /// Whether `key` signed this certificate.
    pub fn verify_signed_by(&self, key: &PublicKey) -> SignatureCheck {
        if !self.readable {
            return SignatureCheck::Unsupported("unreadable certificate".to_owned());
        }
        if !self.algorithms_agree {
            return SignatureCheck::Invalid;
        }
        verify(key, &self.signature_algorithm, self.der.get(self.tbs.clone()).unwrap_or_default(), &self.signature)
    }

    fn refuse(&mut self, problem: String) {
        self.readable = false;
        self.problems.push(problem);
    }

    /// Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }. `Err` where the frame itself
    /// is broken; damage inside a field is noted and the next field read.
    fn read(&mut self, der: &[u8]) -> Result<(), String> {
        let mut outer = Reader::new(der);
        let certificate = outer.expect(tag::SEQUENCE, "certificate")?;
        if !outer.rest().is_empty() {
            let count = outer.rest().len();
            self.problems.push(outer.trouble("after the certificate", outer.rest(), &format!("{count} more bytes")));
        }
        let mut body = outer.inside(certificate);
        let tbs = body.expect(tag::SEQUENCE, "tbsCertificate")?;
        let start = body.offset_of(tbs.raw);
        self.tbs = start..start.saturating_add(tbs.raw.len());
        let inner = self.read_tbs(body.inside(tbs)).unwrap_or_else(|problem| {
            self.refuse(problem);
            Vec::new()
        });
        let algorithm = body.expect(tag::SEQUENCE, "signatureAlgorithm")?;
        self.signature_algorithm = SignatureAlgorithm::from_der(algorithm.raw)
            .ok_or_else(|| body.trouble("signatureAlgorithm", algorithm.raw, "not an algorithm"))?;
        if !inner.is_empty() && inner != algorithm.raw {
            // The same algorithm with other parameters, such as NULL and none, is odd but harmless.
            self.algorithms_agree = SignatureAlgorithm::from_der(&inner).as_ref() == Some(&self.signature_algorithm);
            let why = "differs from the algorithm inside the signed part";
            self.problems.push(body.trouble("signatureAlgorithm", algorithm.raw, why));
        }
        let signature = body.expect(tag::BIT_STRING, "signatureValue")?;
        match signature.content.split_first() {
            Some((0, octets)) => self.signature = octets.to_vec(),
            // No key makes such a signature: it stays empty and checks as invalid.
            _ => self.problems.push(body.trouble("signatureValue", signature.raw, "not a whole number of bytes")),
        }
        if !body.rest().is_empty() {
            self.problems.push(body.trouble("after the signature", body.rest(), "surplus bytes"));
        }
        Ok(())
    }

    /// The fields of tbsCertificate in order; gives the DER of the signature algorithm named there.
    fn read_tbs(&mut self, mut tbs: Reader<'_>) -> Result<Vec<u8>, String> {
        if let Some(version) = tbs.context(0) {
            match version.content {
                [2, 1, value @ 0..=2] => self.version = value.saturating_add(1),
                _ => self.problems.push(tbs.trouble("version", version.raw, "not 1, 2 or 3")),
            }
        }
        self.serial_hex = serial_text(tbs.expect(tag::INTEGER, "serialNumber")?.content);
        let algorithm = tbs.expect(tag::SEQUENCE, "signature")?.raw.to_vec();
        self.issuer = self.read_name(&mut tbs, "issuer")?;
        let validity = tbs.expect(tag::SEQUENCE, "validity")?;
        if let Err(problem) = self.read_validity(tbs.inside(validity)) {
            self.refuse(problem);
        }
        self.subject = self.read_name(&mut tbs, "subject")?;
        let key = tbs.expect(tag::SEQUENCE, "subjectPublicKeyInfo")?;
        match PublicKey::from_spki_der(key.raw) {
            Some(it) => self.public_key = it,
            None => self.refuse(tbs.trouble("subjectPublicKeyInfo", key.raw, "not a public key")),
        }
        // issuerUniqueID and subjectUniqueID: of no use to anybody.
        let _ = (tbs.context(1), tbs.context(2));
        if let Some(extensions) = tbs.context(3) {
            self.read_extensions(&tbs, extensions);
        }
        if !tbs.rest().is_empty() {
            self.problems.push(tbs.trouble("after the extensions", tbs.rest(), "surplus bytes"));
        }
        Ok(algorithm)
    }

    fn read_name(&mut self, tbs: &mut Reader<'_>, what: &str) -> Result<Name, String> {
        let element = tbs.expect(tag::SEQUENCE, what)?;
        let name = Name::from_der(element.raw);
        if name.is_none() {
            self.refuse(tbs.trouble(what, element.raw, "not a distinguished name"));
        }
        Ok(name.unwrap_or_default())
    }

    fn read_validity(&mut self, mut validity: Reader<'_>) -> Result<(), String> {
        self.not_before = read_time(&mut validity, "notBefore")?;
        self.not_after = read_time(&mut validity, "notAfter")?;
        Ok(())
    }

    fn read_extensions(&mut self, tbs: &Reader<'_>, wrapper: Element<'_>) {
        let mut inside = tbs.inside(wrapper);
        let list = inside.expect(tag::SEQUENCE, "extensions").map(|list| (list, elements(list.content)));
        match list {
            Ok((_, Some(extensions))) => {
                for extension in extensions {
                    if let Err(problem) = self.extensions.add(tbs, extension) {
                        self.problems.push(problem);
                    }
                }
            }
            Ok((list, None)) => self.refuse(tbs.trouble("extensions", list.raw, "not a list")),
            Err(problem) => self.refuse(problem),
        }
        if self.version < 3 {
            let why = format!("in a certificate of version {}", self.version);
            self.problems.push(tbs.trouble("extensions", wrapper.raw, &why));
        }
    }
}

/// UTCTime or GeneralizedTime; also the forms that RFC 5280 forbids but that occur, with an offset or no seconds.
fn read_time(reader: &mut Reader<'_>, what: &str) -> Result<Timestamp, String> {
    let element = reader.next(what)?;
    let (_, time) =
        ASN1Time::from_der(element.raw).map_err(|error| reader.trouble(what, element.raw, &cause(&error)))?;
    Ok(Timestamp::from_seconds(time.timestamp()))
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
        write!(f, "Certificate({}, {})", self.subject, self.sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_forms_that_occur() {
        for (tag, text, expected) in [
            (0x17, "370116130016Z", "2037-01-16T13:00:16Z"),
            (0x17, "500101000000Z", "1950-01-01T00:00:00Z"),
            (0x17, "370116130016+0000", "2037-01-16T13:00:16Z"),
            (0x17, "3701161300Z", "2037-01-16T13:00:00Z"),
            (0x18, "20500101000000Z", "2050-01-01T00:00:00Z"),
            (0x18, "20370116130016.5Z", "2037-01-16T13:00:16Z"),
        ] {
            let der = [&[tag, u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat();
            let read = read_time(&mut Reader::new(&der), "notAfter");
            assert_eq!(read, Ok(Timestamp::parse_rfc3339(expected).unwrap()), "{text}");
        }
    }

    #[test]
    fn dates_beyond_the_clock_are_its_end() {
        let der = [&[0x18, 15][..], b"99991231235959Z"].concat();
        let end = read_time(&mut Reader::new(&der), "notAfter").unwrap();
        assert!(end > Timestamp::parse_rfc3339("2262-01-01T00:00:00Z").unwrap());
    }
}
