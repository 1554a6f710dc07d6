//! The certificates of a store.
//!
//! In: the bytes of a file. Out: the certificates that can be read, each once, and in words what was left out. Bounded: by
//! the file. Left to others: what the store is for.

use std::collections::HashSet;

use super::contents::{Contents, contents, plural};
use crate::trust::rules::Purpose;
use crate::x509::{Certificate, Digest, TrustSettings};

/// What a file of certificates holds.
#[derive(Debug, Default)]
pub struct StoreContents {
    /// The certificates that can be read, in their order, each once.
    pub certificates: Vec<Certificate>,
    /// The trust settings that stand behind them (OpenSSL's `TRUSTED CERTIFICATE`), by the digests of the certificates.
    pub settings: Vec<(Digest, TrustSettings)>,
    /// What was left out, and why: a line each, in the order of the file, then lines that count what is no certificate.
    pub problems: Vec<String>,
}

/// Reads certificates from the bytes of one file, whatever its kind:
///
/// - text with PEM blocks (RFC 7468) anywhere in it, also quoted as in CSV or JSON: `CERTIFICATE`,
///   `X509 CERTIFICATE`, OpenSSL's `TRUSTED CERTIFICATE`, and `PKCS7` or `CMS` with the certificates inside;
/// - one or more certificates in DER, one after the other;
/// - PKCS#7 or CMS signed data in DER or BER;
/// - either of these two as base64 without PEM lines;
/// - a serialized certificate store of Windows (`.sst`).
///
/// Texts may be UTF-8 or UTF-16, with or without a byte order mark.
pub fn read_certificates(bytes: &[u8]) -> StoreContents {
    let Contents { items, notes, .. } = contents(bytes);
    let mut store = StoreContents::default();
    let (mut seen, mut duplicates) = (HashSet::new(), 0);
    for item in items {
        if let (Ok(certificate), Some(settings)) = (&item.certificate, item.settings) {
            store.add_settings(certificate, settings);
        }
        let place = if item.place.is_empty() { String::new() } else { format!("{}: ", item.place) };
        match item.certificate {
            Ok(certificate) if !certificate.is_readable() => {
                let why = certificate.problems().join("; ");
                store.problems.push(format!("{place}certificate cannot be read: {why}"));
            }
            Ok(certificate) if seen.insert(certificate.sha256()) => store.certificates.push(certificate),
            Ok(_) => duplicates += 1,
            Err(why) => store.problems.push(format!("{place}{why}")),
        }
    }
    store.problems.extend(notes);
    if duplicates > 0 {
        store.problems.push(format!("{duplicates} {} skipped", plural(duplicates, "duplicate")));
    }
    store
}

impl StoreContents {
    /// Keeps the settings of a certificate, and mentions those that decide nothing about servers.
    fn add_settings(&mut self, certificate: &Certificate, settings: TrustSettings) {
        let others = settings.beside(Purpose::Server.oid());
        if !others.is_empty() {
            let (name, others) = (certificate.subject().short(), others.join("; "));
            self.problems.push(format!("\"{name}\": trust settings that decide nothing about servers: {others}"));
        }
        self.settings.push((certificate.sha256(), settings));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = include_str!("../../../tests/data/x509/certificates.pem");
    const DER: &[u8] = include_bytes!("../../../tests/data/protocol/root.der");
    const P7B: &[u8] = include_bytes!("../../../tests/data/protocol/chain.p7b");
    const BER: &[u8] = include_bytes!("../../../tests/data/protocol/signed-indefinite.ber");
    const P7B_PEM: &[u8] = include_bytes!("../../../tests/data/protocol/chain-p7b.pem");

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
        for text in [format!("\u{feff}{block}"), block.clone()] {
            let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert_eq!(subjects(&wide), want);
            assert_eq!(subjects(text.as_bytes()), want);
        }
        let bare: String = block.lines().filter(|line| !line.starts_with('-')).collect();
        assert_eq!(subjects(bare.as_bytes()), want);
    }

    #[test]
    fn binary_kinds() {
        assert_eq!(subjects(DER).len(), 1);
        let longer = read_certificates(&[DER, b"junk"].concat());
        assert_eq!(longer.certificates.len(), 1);
        assert_eq!(longer.problems, [format!("4 bytes after the last certificate, at byte {}", DER.len())]);
        assert_eq!(subjects(&[DER, include_bytes!("../../../tests/data/protocol/issuing.der")].concat()).len(), 2);
        assert!(subjects(P7B).len() > 1);
        assert_eq!(subjects(P7B_PEM), subjects(P7B));
        assert!(!subjects(BER).is_empty());
        assert_eq!(subjects(include_bytes!("../../../tests/data/protocol/trusted.pem")).len(), 1);
    }

    /// Made after the published format by `tests/data/protocol/make-sst.py`.
    #[test]
    fn serialized_stores() {
        const STORE: &[u8] = include_bytes!("../../../tests/data/protocol/chain.sst");
        assert_eq!(subjects(STORE), subjects(P7B));
        for end in 8..STORE.len() {
            let cut = read_certificates(&STORE[..end]);
            assert_eq!(cut.problems, ["the store is cut: its end is missing"], "cut at {end}");
            assert!(cut.certificates.len() <= subjects(P7B).len());
        }
    }

    #[test]
    fn duplicates_and_other_blocks_are_counted() {
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let contents = read_certificates(format!("{0}{key}{0}{0}", pem("root")).as_bytes());
        assert_eq!(contents.certificates.len(), 1);
        let told = "a private key is in this file too, and not read; keep it out of files that you pass on";
        assert_eq!(contents.problems, [told, "2 duplicates skipped"]);
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
    fn what_holds_no_certificate_says_what_it_is() {
        let key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let request = include_bytes!("../../../tests/data/protocol/request.der");
        for (bytes, kind) in [
            (&b""[..], "it is an empty file"),
            (b"hello", "neither PEM, DER nor PKCS#7"),
            (b"0\x03\x02\x01\x05", "neither PEM, DER nor PKCS#7"),
            (&[0xff, 0xfe, 0], "neither PEM, DER nor PKCS#7"),
            (b"-----BEGIN ", "its first line has no end"),
            (key, "it is a private key"),
            (request, "it is a certificate request"),
            (&DER[..DER.len() - 1], "it is a DER file whose end is missing"),
        ] {
            let contents = read_certificates(bytes);
            assert!(contents.certificates.is_empty());
            assert_eq!(contents.problems.len(), 1, "{bytes:?}");
            assert!(contents.problems[0].contains(kind), "{:?}", contents.problems);
            assert!(!contents.problems[0].contains("AAAA"));
        }
    }
}
