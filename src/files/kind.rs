//! What kind of file this is, for messages about a file that a command does not read.
//!
//! In: a file, or its first bytes. Out: the name of its kind, and what to do with such a file. Bounded: the first bytes,
//! of a text at most [`TEXT`]. Left to others: whether the file is sound.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::text::utf8;

/// How much of a text is looked at.
const TEXT: usize = 4096;

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kind {
    /// Its name with an article, to follow "it is".
    pub name: &'static str,
    /// What to do with it; empty where there is nothing to say.
    pub advice: &'static str,
}

const EMPTY: Kind = Kind { name: "an empty file", advice: "" };
const CERTIFICATES: Kind =
    Kind { name: "a file of certificates", advice: "preflight, --roots, --installed and --bundle read it" };
const PKCS12: Kind = Kind {
    name: "PKCS#12, which a password locks",
    advice: "export it: openssl pkcs12 -in FILE -nokeys -out FILE.pem",
};
const JAVA: Kind =
    Kind { name: "a Java keystore", advice: "export it: keytool -exportcert -rfc -keystore FILE -alias NAME" };
const PUBLIC_KEY: Kind = Kind { name: "a public key", advice: "its certificate is another file" };
const REQUEST: Kind = Kind { name: "a certificate request", advice: "take the certificate that the CA made of it" };
const REVOKED: Kind = Kind { name: "a list of revoked certificates", advice: "it is not read" };
const CAPTURE: Kind = Kind { name: "a capture", advice: "chaingap analyze reads it" };
const CUT: Kind = Kind::CUT;
const PAGE: Kind =
    Kind { name: "a web page", advice: "download the file itself; this may be an error or a login page" };

/// Binary files by their first bytes.
const MAGIC: &[(&[u8], Kind)] = &[
    (b"\0\0\0\0CERT", CERTIFICATES),
    (&[0xfe, 0xed, 0xfe, 0xed], JAVA),
    (&[0xce, 0xce, 0xce, 0xce], JAVA),
    // A private key of Microsoft's tools (PVK).
    (&[0x1e, 0xf1, 0xb5, 0xb0], PRIVATE_KEY),
    (&[0xd4, 0xc3, 0xb2, 0xa1], CAPTURE),
    (&[0xa1, 0xb2, 0xc3, 0xd4], CAPTURE),
    (&[0x4d, 0x3c, 0xb2, 0xa1], CAPTURE),
    (&[0xa1, 0xb2, 0x3c, 0x4d], CAPTURE),
    (&[0x0a, 0x0d, 0x0d, 0x0a], CAPTURE),
    (b"GMBU", CAPTURE),
    (b"RTSS", CAPTURE),
    (b"PK\x03\x04", Kind { name: "a ZIP archive", advice: "unpack it" }),
    (&[0x1f, 0x8b], Kind { name: "a file compressed by gzip", advice: "unpack it, unless it is a capture" }),
    (
        &[0x28, 0xb5, 0x2f, 0xfd],
        Kind { name: "a file compressed by zstd", advice: "unpack it, unless it is a capture" },
    ),
    (b"%PDF", Kind { name: "a PDF file", advice: "" }),
];

/// PEM texts by the end of the label of their first block.
const LABELS: &[(&str, Kind)] = &[
    ("PRIVATE KEY", PRIVATE_KEY),
    ("PUBLIC KEY", PUBLIC_KEY),
    ("CERTIFICATE REQUEST", REQUEST),
    ("CERTIFICATE", CERTIFICATES),
    ("PKCS7", CERTIFICATES),
    ("CMS", CERTIFICATES),
    ("CRL", REVOKED),
];

/// Other texts by words near their beginning, in lower case.
const WORDS: &[(&str, Kind)] = &[
    ("chaingap.expect/", Kind { name: "an expectation", advice: "chaingap check runs it" }),
    ("\"chaingap.", Kind { name: "a report of chaingap", advice: "chaingap merge sums reports" }),
    ("\ndescription = ", Kind { name: "a device profile", advice: "--profile reads it" }),
    ("client_random ", Kind { name: "a key log", advice: "--keylog reads it" }),
    ("_traffic_secret", Kind { name: "a key log", advice: "--keylog reads it" }),
    ("putty-user-key-file", PRIVATE_KEY),
    ("<!doctype html", PAGE),
    ("<html", PAGE),
    ("<?xml", Kind { name: "an XML file", advice: "" }),
];

const PRIVATE_KEY: Kind = Kind::PRIVATE_KEY;

impl Kind {
    /// A private key, which is never read nor shown.
    pub const PRIVATE_KEY: Self =
        Self { name: "a private key", advice: "it is not read; keep it where only the server can read it" };

    /// DER that ends before the length it begins with.
    pub const CUT: Self = Self { name: "a DER file whose end is missing", advice: "copy or export it again" };

    /// The kind of a whole file; `None` where nothing tells.
    pub fn of_file(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(EMPTY);
        }
        let is_cut = first(bytes).is_some_and(|element| element.tag == 0x30 && !element.whole);
        let kind = Self::of_start(bytes);
        if is_cut && kind.is_none_or(|kind| kind == CERTIFICATES) { Some(CUT) } else { kind }
    }

    /// The kind of a file that begins with these bytes; `None` where they do not tell.
    pub fn of_start(start: &[u8]) -> Option<Self> {
        let known = MAGIC.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, kind)| *kind);
        known.or_else(|| of_der(start)).or_else(|| of_text(start))
    }

    /// Name and advice in one sentence that goes on after "it is".
    pub fn in_words(&self) -> String {
        if self.advice.is_empty() { self.name.to_owned() } else { format!("{}; {}", self.name, self.advice) }
    }
}

fn of_text(start: &[u8]) -> Option<Kind> {
    let text = utf8(start.get(..start.len().min(TEXT)).unwrap_or_default());
    let text = String::from_utf8_lossy(&text);
    if let Some((_, block)) = text.split_once("-----BEGIN ") {
        let label = block.split("-----").next().unwrap_or_default();
        let known = LABELS.iter().find(|(end, _)| label.ends_with(end));
        return Some(known.map_or(Kind { name: "PEM of another kind", advice: "" }, |(_, kind)| *kind));
    }
    if let Some(kind) = of_base64(&text) {
        return Some(kind);
    }
    let text = text.to_lowercase();
    WORDS.iter().find(|(word, _)| text.contains(word)).map(|(_, kind)| *kind)
}

/// DER as base64 without PEM lines, as Windows writes it too.
fn of_base64(text: &str) -> Option<Kind> {
    let letters: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let whole = letters.get(..letters.len() - letters.len() % 4).unwrap_or_default();
    of_der(&STANDARD.decode(whole).ok()?)
}

/// Kinds of DER files, by their outermost elements.
fn of_der(bytes: &[u8]) -> Option<Kind> {
    let outer = first(bytes).filter(|element| element.tag == 0x30)?;
    let inner = first(outer.content)?;
    let second = first(inner.after);
    let third = second.as_ref().and_then(|element| first(element.after));
    let tag = |element: &Option<Element<'_>>| element.as_ref().map(|element| element.tag);
    Some(match (inner.tag, inner.content) {
        // Version 3 of a PFX (RFC 7292 section 4).
        (0x02, [3]) => PKCS12,
        // PrivateKeyInfo (RFC 5208 section 5), RSAPrivateKey (RFC 8017 appendix A.1.2), ECPrivateKey (RFC 5915 section 3).
        (0x02, [0] | [1]) if matches!(tag(&second), Some(0x30 | 0x02 | 0x04)) => PRIVATE_KEY,
        // signedData (RFC 5652 section 5.1).
        (0x06, [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02]) => CERTIFICATES,
        (0x30, content) => {
            let head = first(content)?;
            match (head.tag, tag(&second), tag(&third)) {
                // The version of a certificate, or of version 1 its serial number, is followed by sequences alone.
                (0xa0, ..) => CERTIFICATES,
                // EncryptedPrivateKeyInfo (RFC 5208 section 6), SubjectPublicKeyInfo (RFC 5280 section 4.1).
                (0x06, Some(0x04), _) => PRIVATE_KEY,
                (0x06, Some(0x03), _) => PUBLIC_KEY,
                // CertificationRequestInfo (RFC 2986 section 4.1): version 0, a name, a key.
                (0x02, Some(0x30), _) if head.content == [0] => REQUEST,
                // TBSCertList (RFC 5280 section 5.1): version 2 before the algorithm, or none.
                (0x02, Some(0x30), _) if head.content == [1] && is_list(&head) => REVOKED,
                (0x02, Some(0x30), _) => CERTIFICATES,
                (0x30, Some(0x30), Some(0x03)) => REVOKED,
                _ => return None,
            }
        }
        _ => return None,
    })
}

/// Whether algorithm, name and a time follow, as in a list of revoked certificates; in a certificate of version 1 the
/// dates are a sequence.
fn is_list(version: &Element<'_>) -> bool {
    let mut after = version.after;
    for _ in 0..2 {
        let Some(element) = first(after) else { return false };
        after = element.after;
    }
    first(after).is_some_and(|time| matches!(time.tag, 0x17 | 0x18))
}

/// One element of DER.
struct Element<'a> {
    tag: u8,
    /// Its content, as far as it is there.
    content: &'a [u8],
    /// What follows it.
    after: &'a [u8],
    /// Whether all of it is there.
    whole: bool,
}

/// The element at the start of `bytes`; an indefinite length reaches to their end.
fn first(bytes: &[u8]) -> Option<Element<'_>> {
    let (&tag, rest) = bytes.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0x80 => (rest.len(), rest),
        short @ ..0x80 => (usize::from(short), rest),
        long => {
            let (octets, rest) =
                rest.split_at_checked(usize::from(long & 0x7f)).filter(|(octets, _)| octets.len() <= 4)?;
            (octets.iter().fold(0_usize, |sum, octet| sum << 8 | usize::from(*octet)), rest)
        }
    };
    let (content, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    Some(Element { tag, content, after, whole: length <= rest.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &[u8] = include_bytes!("../../tests/data/protocol/root.der");

    fn name(bytes: &[u8]) -> &'static str {
        Kind::of_file(bytes).map_or("", |kind| kind.name)
    }

    #[test]
    fn files_by_their_first_bytes() {
        let certificates = "a file of certificates";
        for file in [
            ROOT,
            include_bytes!("../../tests/data/protocol/chain.p7b"),
            include_bytes!("../../tests/data/protocol/signed-indefinite.ber"),
            include_bytes!("../../tests/data/protocol/chain-p7b.pem"),
            include_bytes!("../../tests/data/protocol/trusted.pem"),
            b"\0\0\0\0CERT\0\0\0\0\0\0\0\0\0\0\0\0",
        ] {
            assert_eq!(name(file), certificates);
        }
        assert_eq!(name(include_bytes!("../../tests/data/protocol/request.der")), "a certificate request");
        assert_eq!(name(&ROOT[..ROOT.len() - 1]), "a DER file whose end is missing");
        assert_eq!(name(include_bytes!("../../captures/usb-sign-in.expect.toml")), "an expectation");
        assert_eq!(name(b""), "an empty file");
        assert_eq!(name(include_bytes!("../../captures/usb-sign-in.pcapng")), "a capture");
        assert_eq!(name(include_bytes!("../../captures/keys-compressed.keys")), "a key log");
        assert_eq!(name(b"\xef\xbb\xbf<!DOCTYPE HTML>"), "a web page");
        assert_eq!(name(b"hello"), "");
    }

    #[test]
    fn private_keys() {
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"] {
            assert_eq!(name(format!("-----BEGIN {label}-----\nAAAA\n").as_bytes()), "a private key");
        }
        // The Ed25519 key of RFC 8410 section 10.3.
        let key = [&[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20][..], &[7; 32]].concat();
        assert_eq!(name(&key), "a private key");
        // The start of an EncryptedPrivateKeyInfo with PBES2.
        assert_eq!(name(&[0x30, 0x0d, 0x30, 5, 6, 3, 0x2a, 3, 4, 4, 2, 1, 2]), "a private key");
    }
}
