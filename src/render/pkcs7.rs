//! In: the certificates of a report. Out: all of them in one PKCS#7 file (`.p7b`), which Windows imports. Bounded: by the
//! report. Left to others: files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::report::CertsReport;

/// 1.2.840.113549.1.7.2, `id-signedData` (RFC 5652 section 5.1).
const SIGNED_DATA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.7.1, `id-data` (RFC 5652 section 4).
const DATA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// `[0]`, constructed: the content of a `ContentInfo`, and the certificates of a `SignedData`.
const CONTEXT_0: u8 = 0xa0;

/// A `SignedData` that nobody signed, in DER: the certificates and nothing else (RFC 2315 section 9, degenerate case).
pub fn certs_pkcs7(report: &CertsReport) -> Vec<u8> {
    let read = report.certificates.iter().filter_map(|entry| STANDARD.decode(&entry.certificate.der).ok());
    let mut certificates: Vec<Vec<u8>> = read.collect();
    // DER orders a SET OF by the encodings (X.690 section 11.6).
    certificates.sort();
    let version = element(INTEGER, &[&[1]]);
    let nobody = element(SET, &[]);
    let content = element(SEQUENCE, &[DATA]);
    let certificates: Vec<&[u8]> = certificates.iter().map(Vec::as_slice).collect();
    let certificates = element(CONTEXT_0, &certificates);
    let signed = element(SEQUENCE, &[&version, &nobody, &content, &certificates, &nobody]);
    element(SEQUENCE, &[SIGNED_DATA, &element(CONTEXT_0, &[&signed])])
}

/// An element of DER with these parts for content.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let octets = length.to_be_bytes();
    let significant = octets.iter().position(|octet| *octet != 0).map_or(&[][..], |first| &octets[first..]);
    let mut out = vec![tag];
    match significant {
        [] => out.push(0),
        [short] if *short < 0x80 => out.push(*short),
        long => {
            out.push(0x80 | u8::try_from(long.len()).unwrap_or_default());
            out.extend(long);
        }
    }
    parts.iter().for_each(|part| out.extend(*part));
    out
}
