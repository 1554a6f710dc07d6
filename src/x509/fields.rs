//! In: the DER of one certificate, whole or damaged. Out: its fields as plain values, with a line for each that cannot
//! be read. Bounded: a small multiple of the DER. Left to others: what the values mean.

use std::ops::Range;

use x509_parser::asn1_rs::FromDer;
use x509_parser::time::ASN1Time;

use super::defect::Defect;
use super::der::{Element, Reader, cause, elements, tag};
use super::extensions::Extensions;
use super::hex::serial_text;
use super::key::{Curve, PublicKey};
use super::name::Name;
use super::signature::SignatureAlgorithm;
use crate::capture::Timestamp;

/// Bytes of the longest certificate that is read. What is kept of one takes a few times as much; TLS stacks mostly limit a
/// whole chain to 100 KiB.
const LONGEST: usize = 128 * 1024;

/// The fields of a certificate (RFC 5280 section 4.1). Those that could not be read keep their default.
pub(super) struct Fields {
    /// Whether names, dates and key could all be read, and the frame around them is whole.
    pub(super) readable: bool,
    pub(super) problems: Vec<String>,
    pub(super) defects: Vec<Defect>,
    pub(super) version: u8,
    pub(super) serial_hex: String,
    pub(super) issuer: Name,
    pub(super) subject: Name,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    pub(super) public_key: PublicKey,
    pub(super) extensions: Extensions,
    /// Where the signed part lies in the DER.
    pub(super) tbs: Range<usize>,
    pub(super) signature_algorithm: SignatureAlgorithm,
    pub(super) signature: Vec<u8>,
}

impl Fields {
    /// The fields of the certificate that is all of `der`.
    pub(super) fn read(der: &[u8]) -> Self {
        let mut fields = Self {
            readable: true,
            problems: Vec::new(),
            defects: Vec::new(),
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
            signature: Vec::new(),
        };
        let read = match der.len() {
            length if length > LONGEST => Err(format!("of {length} bytes: more than {LONGEST} are not read")),
            _ => fields.read_certificate(der),
        };
        if let Err(problem) = read {
            fields.refuse(problem);
        }
        fields
    }

    fn refuse(&mut self, problem: String) {
        self.readable = false;
        self.defects.push(Defect::Unreadable(problem.clone()));
        self.problems.push(problem);
    }

    /// Reads `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }`. An error is damage to this
    /// frame; damage inside a field is noted, and the next field read.
    fn read_certificate(&mut self, der: &[u8]) -> Result<(), String> {
        let mut outer = Reader::new(der);
        let certificate = outer.expect(tag::SEQUENCE, "certificate")?;
        if !outer.rest().is_empty() {
            let count = outer.rest().len();
            self.problems.push(outer.trouble("after the certificate", outer.rest(), &format!("{count} more bytes")));
            self.defects.push(Defect::TrailingBytes(count));
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
            let why = "differs from the algorithm inside the signed part";
            self.problems.push(body.trouble("signatureAlgorithm", algorithm.raw, why));
            // Only the one inside is signed.
            if let Some(inner) = SignatureAlgorithm::from_der(&inner) {
                let outer = std::mem::replace(&mut self.signature_algorithm, inner);
                let (inner, outer) = (self.signature_algorithm.to_string(), outer.to_string());
                self.defects.push(Defect::AlgorithmsDiffer { inner, outer });
            }
        }
        let signature = body.expect(tag::BIT_STRING, "signatureValue")?;
        match signature.content.split_first() {
            Some((0, octets)) => self.signature = octets.to_vec(),
            // No algorithm makes such a signature; an empty one is invalid with every key.
            _ => self.problems.push(body.trouble("signatureValue", signature.raw, "not a whole number of bytes")),
        }
        if !body.rest().is_empty() {
            self.problems.push(body.trouble("after the signature", body.rest(), "surplus bytes"));
        }
        Ok(())
    }

    /// Reads the fields of tbsCertificate in order, and returns the DER of the signature algorithm named there.
    fn read_tbs(&mut self, mut tbs: Reader<'_>) -> Result<Vec<u8>, String> {
        if let Some(version) = tbs.context(0) {
            match version.content {
                [2, 1, value @ 0..=2] => self.version = value.saturating_add(1),
                _ => self.problems.push(tbs.trouble("version", version.raw, "not 1, 2 or 3")),
            }
        }
        self.serial_hex = serial_text(tbs.expect(tag::INTEGER, "serialNumber")?.content);
        if self.serial_hex.starts_with('-') {
            self.defects.push(Defect::NegativeSerial(self.serial_hex.clone()));
        }
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
        if self.public_key.curve().is_some_and(Curve::is_explicit) {
            self.defects.push(Defect::ExplicitCurve);
        }
        // issuerUniqueID and subjectUniqueID, which nothing uses (RFC 5280 section 4.1.2.8).
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
        self.not_before = self.read_time(&mut validity, "notBefore")?;
        self.not_after = self.read_time(&mut validity, "notAfter")?;
        Ok(())
    }

    /// Reads a time, and notes a form that RFC 5280 forbids.
    fn read_time(&mut self, validity: &mut Reader<'_>, field: &'static str) -> Result<Timestamp, String> {
        let mut ahead = *validity;
        let time = read_time(validity, field)?;
        let element = ahead.next(field)?;
        if !is_zulu(element.content) {
            let text = String::from_utf8_lossy(element.content).into_owned();
            self.defects.push(Defect::Time { field, text });
        }
        Ok(time)
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
                self.defects.extend(self.extensions.doubled().map(Defect::DoubledExtension));
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

/// Reads a UTCTime or GeneralizedTime, also in forms that RFC 5280 forbids but that occur: with an offset, or without
/// seconds.
fn read_time(reader: &mut Reader<'_>, what: &str) -> Result<Timestamp, String> {
    let element = reader.next(what)?;
    let (_, time) =
        ASN1Time::from_der(element.raw).map_err(|error| reader.trouble(what, element.raw, &cause(&error)))?;
    Ok(Timestamp::from_seconds(time.timestamp()))
}

/// Whether a time is in the one form that RFC 5280 section 4.1.2.5 allows: twelve digits as UTCTime, or fourteen as
/// GeneralizedTime, and a Z.
fn is_zulu(text: &[u8]) -> bool {
    let digits = text.strip_suffix(b"Z");
    digits.is_some_and(|digits| matches!(digits.len(), 12 | 14) && digits.iter().all(u8::is_ascii_digit))
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
