//! The certificates of a PKCS#7 or CMS signed message (RFC 2315, RFC 5652 section 5.1).
//!
//! In: bytes that start with a ContentInfo, in DER or BER, possibly truncated. Out: the exact bytes of each
//! certificate. Bounded: four levels, read without recursion. Left to others: signatures, and what the certificates
//! say.

use super::ber::{self, BIT_STRING, CONTEXT_0, Element, INTEGER, OID, SEQUENCE};

/// 1.2.840.113549.1.7.2, id-signedData.
const SIGNED_DATA: [u8; 9] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];

/// The certificates of a signedData message in their order; `None` if it is not such a message.
///
/// ```text
/// ContentInfo ::= SEQUENCE { contentType OID, content [0] SignedData }
/// SignedData  ::= SEQUENCE { version, digestAlgorithms, encapContentInfo, certificates [0], crls [1], signerInfos }
/// ```
/// Lengths may be indefinite. Of a truncated message, the complete certificates are returned.
pub fn certificates(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut content_info = ber::first(bytes)?.tagged(SEQUENCE)?.children();
    content_info.next()?.tagged(OID).filter(|oid| oid.content == SIGNED_DATA)?;
    let signed_data = content_info.next().and_then(|content| content.tagged(CONTEXT_0)?.children().next());
    let set = signed_data
        .and_then(|message| message.tagged(SEQUENCE))
        .and_then(|message| message.children().find(|field| field.tag == CONTEXT_0));
    // The set may also hold attribute certificates and others, under context-specific tags.
    let is_certificate = |element: &Element<'_>| element.tag == SEQUENCE && element.complete;
    Some(set.map_or_else(Vec::new, |set| {
        set.children().filter(is_certificate).map(|certificate| certificate.whole.to_vec()).collect()
    }))
}

/// The length of the X.509 certificate at the start of `bytes`, if they have the shape of a complete one.
///
/// Only the outline of RFC 5280 section 4.1 is checked. It distinguishes a certificate from a certificate request, a
/// revocation list and a key, which have the same outermost layer.
pub fn looks_like_certificate(bytes: &[u8]) -> Option<usize> {
    let certificate = ber::first(bytes)?.tagged(SEQUENCE).filter(|element| element.complete)?;
    let mut fields = certificate.children();
    let to_be_signed = fields.next()?.tagged(SEQUENCE)?;
    fields.next()?.tagged(SEQUENCE)?.children().next()?.tagged(OID)?;
    fields.next()?.tagged(BIT_STRING)?;
    if fields.next().is_some() {
        return None;
    }
    // version [0] (absent in version 1), serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
    let mut fields = to_be_signed.children().skip_while(|field| field.tag == CONTEXT_0);
    fields.next()?.tagged(INTEGER)?;
    let sequences = fields.take(5).filter(|field| field.tag == SEQUENCE).count();
    (sequences == 5).then_some(certificate.whole.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &[u8] = include_bytes!("../../tests/data/protocol/root.der");
    const ISSUING: &[u8] = include_bytes!("../../tests/data/protocol/issuing.der");
    const DER: &[u8] = include_bytes!("../../tests/data/protocol/chain.p7b");
    const BER: &[u8] = include_bytes!("../../tests/data/protocol/signed-indefinite.ber");

    #[test]
    fn certificates_come_out_byte_for_byte() {
        assert_eq!(certificates(DER).unwrap(), [ISSUING.to_vec(), ROOT.to_vec()]);
        let mut found = certificates(BER).unwrap();
        found.sort();
        let mut expected = [ISSUING.to_vec(), ROOT.to_vec()];
        expected.sort();
        assert_eq!(found, expected, "indefinite lengths");
    }

    #[test]
    fn other_messages_are_not_taken_for_signed_data() {
        assert_eq!(certificates(include_bytes!("../../tests/data/protocol/data-only.cms")), None);
        assert_eq!(certificates(ROOT), None);
        assert_eq!(certificates(b"<html>"), None);
    }

    #[test]
    fn of_a_cut_message_the_whole_certificates_remain() {
        for message in [DER, BER] {
            let whole = certificates(message).unwrap();
            for end in 0..message.len() {
                let found = certificates(&message[..end]).unwrap_or_default();
                assert_eq!(found, whole[..found.len()], "cut at {end}");
                let first_ends = message.windows(whole[0].len()).position(|w| w == whole[0]).unwrap() + whole[0].len();
                assert_eq!(!found.is_empty(), end >= first_ends, "cut at {end}");
            }
        }
    }

    #[test]
    fn the_outline_of_a_certificate() {
        assert_eq!(looks_like_certificate(&[ROOT, b"tail"].concat()), Some(ROOT.len()));
        assert_eq!(looks_like_certificate(&ROOT[..ROOT.len() - 1]), None);
        assert_eq!(looks_like_certificate(include_bytes!("../../tests/data/protocol/request.der")), None);
        assert_eq!(looks_like_certificate(DER), None);
    }
}
