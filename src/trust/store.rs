//! In: the bytes of a certificate store: PEM in any text, DER, PKCS#7. Out: the certificates in their order, each once,
//! and in words what could not be read. Bounded: a small multiple of the bytes, each of which is read a few times. Left
//! to others: which files to read, and what the store is for.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memmem;

use crate::protocol::pkcs7;
use crate::x509::Certificate;

/// Lenient, because text files may lack the padding or have bits set in it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// What a file of certificates holds.
#[derive(Debug, Default)]
pub struct StoreContents {
    /// The certificates that can be read, in their order, each once.
    pub certificates: Vec<Certificate>,
    /// What was left out, and why: a line each, in the order of the file, then a line that counts duplicates.
    pub problems: Vec<String>,
}

/// Reads certificates from the bytes of one file, whatever its kind:
///
/// - text with PEM blocks (RFC 7468) anywhere in it, also quoted as in CSV or JSON: `CERTIFICATE`,
///   `X509 CERTIFICATE`, OpenSSL's `TRUSTED CERTIFICATE`, and `PKCS7` or `CMS` with the certificates inside;
/// - one or more certificates in DER, one after the other;
/// - PKCS#7 or CMS signed data in DER or BER;
/// - either of these two as base64 without PEM lines.
pub fn read_certificates(bytes: &[u8]) -> StoreContents {
    let mut store = Builder::default();
    let text = narrow(bytes);
    if memmem::find(&text, BEGIN).is_some() {
        store.add_pem(&text);
    } else if !store.add_der(bytes, "") {
        let decoded = unarmour(&text).ok().filter(|decoded| !decoded.is_empty());
        if !decoded.is_some_and(|decoded| store.add_der(&decoded, "")) {
            store.contents.problems.push(format!("no certificate found: {}", other_kind(bytes)));
        }
    }
    store.finish()
}

/// What kind of file this is, since no certificate was found in it, and how to export those that it may hold.
fn other_kind(bytes: &[u8]) -> &'static str {
    match bytes {
        // A PFX of version 3 (RFC 7292 section 4); its length is written in three forms.
        [0x30, 0x82, _, _, 2, 1, 3, ..] | [0x30, 0x80, 2, 1, 3, ..] | [0x30, 0x83, _, _, _, 2, 1, 3, ..] => {
            "it is PKCS#12, which a password locks; export it: openssl pkcs12 -in FILE -nokeys -out FILE.pem"
        }
        [0xfe, 0xed, 0xfe, 0xed, ..] => {
            "it is a Java keystore; export it: keytool -exportcert -rfc -keystore FILE -alias NAME"
        }
        _ => "neither PEM, DER nor PKCS#7",
    }
}

#[derive(Default)]
struct Builder {
    contents: StoreContents,
    seen: HashSet<crate::x509::Digest>,
    duplicates: usize,
    /// PEM blocks of kinds that hold no certificate, by kind.
    others: BTreeMap<String, usize>,
}

impl Builder {
    fn finish(mut self) -> StoreContents {
        for (kind, count) in self.others {
            self.contents.problems.push(format!("{count} {} of type {kind} skipped", plural(count, "block")));
        }
        if self.duplicates > 0 {
            let count = self.duplicates;
            self.contents.problems.push(format!("{count} {} skipped", plural(count, "duplicate")));
        }
        self.contents
    }

    /// Adds every PEM block of `text`.
    fn add_pem(&mut self, text: &[u8]) {
        for begin in memmem::find_iter(text, BEGIN) {
            if let Err(why) = self.add_block(text.get(begin..).unwrap_or_default(), begin) {
                self.contents.problems.push(format!("PEM block at byte {begin}: {why}"));
            }
        }
    }

    /// Adds the block at the start of `text`, which is at byte `begin` of the file.
    fn add_block(&mut self, text: &[u8], begin: usize) -> Result<(), String> {
        let rest = text.get(BEGIN.len()..).unwrap_or_default();
        // The next block's first line bounds this one, so that a missing last line costs one block only.
        let rest = rest.get(..memmem::find(rest, BEGIN).unwrap_or(rest.len())).unwrap_or_default();
        let label_end = memmem::find(rest, DASHES).filter(|at| *at <= 64).ok_or("its first line has no end")?;
        let (label, body) = rest.split_at_checked(label_end).unwrap_or_default();
        let label = String::from_utf8_lossy(label).trim().to_owned();
        if !matches!(
            label.as_str(),
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" | "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA"
        ) {
            *self.others.entry(label.escape_debug().to_string()).or_default() += 1;
            return Ok(());
        }
        let body = body.get(DASHES.len()..).unwrap_or_default();
        let end = memmem::find(body, END).ok_or("its last line is missing")?;
        let der = unarmour(body.get(..end).unwrap_or_default())?;
        if !self.add_der(&der, &format!("PEM block at byte {begin}: ")) {
            return Err(format!("no certificate in its {} bytes", der.len()));
        }
        Ok(())
    }

    /// Adds the certificates of a PKCS#7 message, or certificates one after the other; false if it is neither. Each
    /// problem begins with `place`.
    fn add_der(&mut self, bytes: &[u8], place: &str) -> bool {
        if let Some(certificates) = pkcs7::certificates(bytes) {
            if certificates.is_empty() {
                self.contents.problems.push(format!("{place}PKCS#7 message without certificates"));
            }
            certificates.iter().for_each(|der| self.add(der, place));
            return true;
        }
        let mut rest = bytes;
        while let Some(length) = pkcs7::looks_like_certificate(rest) {
            let (der, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            self.add(der, place);
            rest = after;
        }
        // In a PEM block, OpenSSL's trust settings may follow a certificate; in a file of DER, nothing should.
        if place.is_empty() && rest.len() < bytes.len() && rest.iter().any(|byte| !byte.is_ascii_whitespace()) {
            let at = bytes.len() - rest.len();
            self.contents.problems.push(format!("{} bytes after the last certificate, at byte {at}", rest.len()));
        }
        rest.len() < bytes.len()
    }

    fn add(&mut self, der: &[u8], place: &str) {
        let certificate = Certificate::from_der(der);
        if !certificate.is_readable() {
            let why = certificate.problems().join("; ");
            self.contents.problems.push(format!("{place}certificate cannot be read: {why}"));
        } else if self.seen.insert(certificate.sha256()) {
            self.contents.certificates.push(certificate);
        } else {
            self.duplicates += 1;
        }
    }
}

/// Decodes base64 text. White space, the quotes and backslash escapes of CSV and JSON, and the `>` of quoted mail are
/// skipped; any other character outside the alphabet is an error.
fn unarmour(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut letters = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' | b'=' => letters.push(*byte),
            // A JSON string writes line ends as a backslash and a letter.
            b'\\' => drop(bytes.next()),
            b'"' | b'\'' | b',' | b'>' => {}
            _ if byte.is_ascii_whitespace() => {}
            _ => return Err(format!("not base64: byte {byte:#04x}")),
        }
    }
    BASE64.decode(letters).map_err(|error| format!("not base64: {error}"))
}

/// The text as ASCII. UTF-16, which some Windows tools write, is recognized by its byte order mark.
fn narrow(bytes: &[u8]) -> Cow<'_, [u8]> {
    let decode: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return Cow::Borrowed(bytes),
    };
    let (pairs, _) = bytes.as_chunks::<2>();
    Cow::Owned(pairs.iter().skip(1).map(|pair| u8::try_from(decode(*pair)).unwrap_or(b'?')).collect())
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = include_str!("../../tests/data/x509/certificates.pem");
    const DER: &[u8] = include_bytes!("../../tests/data/protocol/root.der");
    const P7B: &[u8] = include_bytes!("../../tests/data/protocol/chain.p7b");
    const BER: &[u8] = include_bytes!("../../tests/data/protocol/signed-indefinite.ber");
    const P7B_PEM: &[u8] = include_bytes!("../../tests/data/protocol/chain-p7b.pem");

    /// The text of the named certificate's PEM block.
    fn pem(name: &str) -> String {
        let start = PEM.find(&format!("# {name}\n")).unwrap();
        let (_, rest) = PEM[start..].split_once('\n').unwrap();
        rest.split("# ").next().unwrap().to_owned()
    }

    fn subjects(bytes: &[u8]) -> Vec<String> {
        let contents = read_certificates(bytes);
        assert!(contents.problems.is_empty(), "{:?}", contents.problems);
        contents.certificates.iter().map(|certificate| certificate.subject().short()).collect()
    }

    #[test]
    fn text_with_many_blocks() {
        let contents = read_certificates(PEM.as_bytes());
        assert_eq!(contents.certificates.len(), PEM.matches("BEGIN CERTIFICATE").count());
        assert!(contents.problems.is_empty());
    }

    #[test]
    fn quoted_blocks() {
        let block = pem("root");
        let want = ["Northwind Global Root G1"];
        assert_eq!(subjects(format!("name,pem\nx,\"'{}'\"\n", block.trim()).as_bytes()), want);
        assert_eq!(subjects(serde_json::to_string(&block).unwrap().as_bytes()), want);
        assert_eq!(subjects(block.replace('\n', "\r\n> ").as_bytes()), want);
        let wide: Vec<u8> = format!("\u{feff}{block}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(subjects(&wide), want);
        let bare: String = block.lines().filter(|line| !line.starts_with('-')).collect();
        assert_eq!(subjects(bare.as_bytes()), want);
    }

    #[test]
    fn binary_kinds() {
        assert_eq!(subjects(DER).len(), 1);
        let longer = read_certificates(&[DER, b"junk"].concat());
        assert_eq!(longer.certificates.len(), 1);
        assert_eq!(longer.problems, [format!("4 bytes after the last certificate, at byte {}", DER.len())]);
        assert_eq!(subjects(&[DER, include_bytes!("../../tests/data/protocol/issuing.der")].concat()).len(), 2);
        assert!(subjects(P7B).len() > 1);
        assert_eq!(subjects(P7B_PEM), subjects(P7B));
        assert!(!subjects(BER).is_empty());
        assert_eq!(subjects(include_bytes!("../../tests/data/protocol/trusted.pem")).len(), 1);
    }

    #[test]
    fn duplicates_and_other_blocks_are_counted() {
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let contents = read_certificates(format!("{0}{key}{0}{0}", pem("root")).as_bytes());
        assert_eq!(contents.certificates.len(), 1);
        assert_eq!(contents.problems, ["1 block of type PRIVATE KEY skipped", "2 duplicates skipped"]);
    }

    #[test]
    fn damage_costs_one_block() {
        let whole = pem("root");
        let unended = whole.replace("-----END CERTIFICATE-----", "");
        let odd = whole.replacen("MII", "M!I", 1);
        let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let contents = read_certificates(format!("{unended}{odd}{empty}{}", pem("ca")).as_bytes());
        assert_eq!(contents.certificates.len(), 1);
        assert_eq!(contents.problems.len(), 3, "{:?}", contents.problems);
        assert_eq!(contents.problems[0], "PEM block at byte 0: its last line is missing");
        assert!(contents.problems[1].ends_with("not base64: byte 0x21"));
        assert!(contents.problems[2].ends_with("no certificate in its 3 bytes"));
    }

    #[test]
    fn what_holds_no_certificate_says_so() {
        for bytes in [&b""[..], b"hello", b"0\x03\x02\x01\x05", &[0xff, 0xfe, 0], b"-----BEGIN "] {
            let contents = read_certificates(bytes);
            assert!(contents.certificates.is_empty());
            assert_eq!(contents.problems.len(), 1, "{bytes:?}");
        }
    }
}
