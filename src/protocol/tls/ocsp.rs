//! In: an OCSP response stapled to a handshake. Out: the status of each certificate it names. Bounded: `MAX_ANSWERS`.
//! Left to others: its signature and its dates.
//!
//! OCSPResponse and BasicOCSPResponse are RFC 6960 section 4.2.1; the CertificateStatus that carries them RFC 6066
//! section 8, and in TLS 1.3 an extension of the certificate's entry (RFC 8446 section 4.4.2.1).

use crate::capture::FrameRef;
use crate::protocol::ber::{self, CONTEXT_0, INTEGER, OCTET_STRING, SEQUENCE};

/// Most answers read: a response names one certificate, rarely more.
pub(super) const MAX_ANSWERS: usize = 16;
const ENUMERATED: u8 = 0x0A;

/// A responder's answer about one certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OcspAnswer {
    /// Position in the server's list of the certificate it was stapled to; 0 is the leaf.
    pub certificate: usize,
    /// Serial number of the certificate that the answer is about, as the content of a DER INTEGER.
    pub serial: Vec<u8>,
    /// Whether the certificate it was stapled to has that serial number.
    pub serial_matches: bool,
    /// The status.
    pub status: OcspStatus,
    /// Frame of the message's first byte.
    pub at: FrameRef,
}

/// CertStatus (RFC 6960 section 4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OcspStatus {
    /// Not revoked.
    Good,
    /// Revoked, permanently or on hold.
    Revoked,
    /// The responder does not know the certificate.
    Unknown,
}

/// The response in a CertificateStatus: it follows `ocsp(1)` and a length of three bytes.
pub(super) fn of_certificate_status(body: &[u8]) -> Option<&[u8]> {
    let [1, high, middle, low, rest @ ..] = body else { return None };
    rest.get(..usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low))
}

/// The answers in a response stapled to this certificate.
pub(super) fn answers(response: &[u8], position: usize, certificate: Option<&[u8]>, at: FrameRef) -> Vec<OcspAnswer> {
    let own = certificate.and_then(serial_of);
    let statuses = statuses(response).unwrap_or_default();
    let answer = |(serial, status): (&[u8], OcspStatus)| OcspAnswer {
        certificate: position,
        serial: serial.to_vec(),
        serial_matches: own == Some(serial),
        status,
        at,
    };
    statuses.into_iter().take(MAX_ANSWERS).map(answer).collect()
}

/// Serial numbers and statuses of a successful basic response.
///
/// ```text
/// OCSPResponse      ::= SEQUENCE { responseStatus ENUMERATED, [0] { SEQUENCE { OID, OCTET STRING } } }
/// BasicOCSPResponse ::= SEQUENCE { tbsResponseData, signatureAlgorithm, signature, certs }
/// ResponseData      ::= SEQUENCE { version [0], responderID [1] or [2], producedAt, SEQUENCE OF SingleResponse, … }
/// SingleResponse    ::= SEQUENCE { SEQUENCE { algorithm, nameHash, keyHash, serial INTEGER }, status [0], [1] or [2], … }
/// ```
fn statuses(response: &[u8]) -> Option<Vec<(&[u8], OcspStatus)>> {
    let mut outer = ber::first(response)?.tagged(SEQUENCE)?.children();
    outer.next()?.tagged(ENUMERATED).filter(|status| status.content == [0])?;
    let bytes = outer.next()?.tagged(CONTEXT_0)?.children().next()?.tagged(SEQUENCE)?.children().nth(1)?;
    let basic = ber::first(bytes.tagged(OCTET_STRING)?.content)?.tagged(SEQUENCE)?;
    let data = basic.children().next()?.tagged(SEQUENCE)?;
    let responses = data.children().find(|field| field.tag == SEQUENCE)?;
    Some(responses.children().filter_map(single).collect())
}

fn single(response: ber::Element<'_>) -> Option<(&[u8], OcspStatus)> {
    let mut fields = response.children();
    let serial = fields.next()?.children().nth(3)?.tagged(INTEGER)?.content;
    let status = match fields.next()?.tag & 0x1F {
        0 => OcspStatus::Good,
        1 => OcspStatus::Revoked,
        _ => OcspStatus::Unknown,
    };
    Some((serial, status))
}

/// The serial number of a certificate (RFC 5280 section 4.1): it follows the version, which version 1 omits.
fn serial_of(certificate: &[u8]) -> Option<&[u8]> {
    let tbs = ber::first(certificate)?.tagged(SEQUENCE)?.children().next()?;
    let serial = tbs.children().find(|field| field.tag != CONTEXT_0)?;
    serial.tagged(INTEGER).map(|serial| serial.content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Timestamp;

    const LEAF: &[u8] = include_bytes!("../../../tests/data/protocol/ocsp-leaf.der");
    const ROOT: &[u8] = include_bytes!("../../../tests/data/protocol/root.der");

    /// Responses of openssl's responder to the question after serial number f1e2d3c4.
    const RESPONSES: [(&[u8], OcspStatus); 3] = [
        (include_bytes!("../../../tests/data/protocol/ocsp-good.der"), OcspStatus::Good),
        (include_bytes!("../../../tests/data/protocol/ocsp-revoked.der"), OcspStatus::Revoked),
        (include_bytes!("../../../tests/data/protocol/ocsp-unknown.der"), OcspStatus::Unknown),
    ];

    #[test]
    fn a_responders_answers_about_a_certificate() {
        let at = FrameRef { capture: 0, number: 1, offset: 0, length: 0, time: Timestamp::default() };
        for (response, status) in RESPONSES {
            let found = answers(response, 0, Some(LEAF), at);
            assert_eq!(found.len(), 1);
            assert_eq!((found[0].serial.as_slice(), found[0].status), (&[0, 0xf1, 0xe2, 0xd3, 0xc4][..], status));
            assert!(found[0].serial_matches);
            assert!(!answers(response, 0, Some(ROOT), at)[0].serial_matches, "another certificate's");
            for length in 0..response.len() {
                answers(&response[..length], 0, Some(LEAF), at);
            }
        }
        // tryLater (RFC 6960 section 4.2.1): no answer.
        assert!(answers(&[0x30, 3, 0x0a, 1, 3], 0, Some(LEAF), at).is_empty());
    }
}
