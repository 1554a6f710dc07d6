//! Finds certificates in the body of a message, whatever its declared type.
//!
//! In: the decoded bytes of a body, possibly truncated, and its Content-Type. Out: the complete certificates in it, in
//! order and without duplicates, and how each was wrapped. Bounded: `MAX_NESTING` nested wrappings, `MAX_CERTIFICATES`
//! certificates, no entity expansion, time linear in the body. Left to others: content encodings, and what the
//! certificates say.

use std::collections::HashSet;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memmem;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::pkcs7;

/// A certificate found in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundCertificate {
    /// The certificate exactly as sent.
    pub der: Vec<u8>,
    /// Its form: "DER", "PEM", "PKCS#7", "PKCS#7 in PEM", and these "in base64", "in XML", "in SOAP" or "in multipart".
    pub how: &'static str,
}

/// Most nested wrappings: no server goes deeper than escaped XML in SOAP in multipart.
const MAX_NESTING: u8 = 3;

/// More real certificates than a body of 1 MiB can hold; the smallest have about 250 bytes.
const MAX_CERTIFICATES: usize = 4096;

/// The certificates in `body`: X.509 in DER (one or several in a row), PEM, PKCS#7 in DER, BER or PEM, any of these as
/// base64, in the text of XML, or in the parts of a multipart message (RFC 2046; the boundary is taken from
/// `content_type`, else from the first line).
pub fn certificates_in(body: &[u8], content_type: Option<&str>) -> Vec<FoundCertificate> {
    let mut search = Search::default();
    let text;
    let body = match utf16(body) {
        Some(decoded) => {
            text = decoded;
            text.as_bytes()
        }
        None => body,
    };
    search.look(body, content_type, Wrapping::None, 0);
    search.found
}

/// Whether a body with this start is worth keeping: a certificate, PKCS#7, PEM, base64 of these, XML with a declaration
/// or a SOAP envelope. 64 bytes are enough for all but an envelope without a declaration, which may come a little
/// later.
pub(super) fn may_hold_certificates(start: &[u8]) -> bool {
    let start = trim_start(start);
    let der = match start {
        // A SEQUENCE that starts with another (a certificate) or with the identifier of signedData.
        [0x30, 0x82, _, _, rest @ ..]
        | [0x30, 0x81, _, rest @ ..]
        | [0x30, 0x83, _, _, _, rest @ ..]
        | [0x30, 0x80, rest @ ..] => rest.starts_with(&[0x30]) || rest.starts_with(&[0x06, 0x09, 0x2A, 0x86, 0x48]),
        _ => false,
    };
    let xml = start.starts_with(b"<")
        && (start.starts_with(b"<?xml")
            || memmem::find(start, b":Envelope").is_some()
            || memmem::find(start, b"<Envelope").is_some());
    let utf16_xml = start.starts_with(&[0xFF, 0xFE, b'<', 0]) || start.starts_with(&[0xFE, 0xFF, 0, b'<']);
    // "MI" is base64 of 30 8x, a SEQUENCE with a long length.
    der || xml || utf16_xml || start.starts_with(b"MI") || memmem::find(start, b"-----BEGIN ").is_some()
}

/// The innermost wrapping of a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrapping {
    None,
    Base64,
    Xml,
    Soap,
    Multipart,
}

/// The form of the certificate itself.
#[derive(Clone, Copy)]
enum Form {
    Der,
    Pem,
    Pkcs7,
    PemPkcs7,
}

#[derive(Default)]
struct Search {
    found: Vec<FoundCertificate>,
    /// The certificates found, to recognize duplicates.
    known: HashSet<Vec<u8>>,
}

impl Search {
    /// Searches one layer, unwrapped according to what its bytes are.
    fn look(&mut self, bytes: &[u8], content_type: Option<&str>, wrapping: Wrapping, depth: u8) {
        let text = trim_start(bytes);
        if self.der(bytes, Form::Der, Form::Pkcs7, wrapping) || depth > MAX_NESTING {
            return;
        }
        if let Some(boundary) = boundary(text, content_type) {
            return self.multipart(text, &boundary, depth);
        }
        if text.starts_with(b"<") {
            let before = self.found.len();
            self.xml(text, wrapping, depth);
            if self.found.len() > before {
                return;
            }
        }
        if self.pem(text, wrapping) || self.base64(text, wrapping) {
            return;
        }
        // After a hole, XML starts in the middle of some text.
        if !text.starts_with(b"<") && memchr::memchr(b'<', text).is_some() {
            self.xml(text, wrapping, depth);
        }
    }

    /// A PKCS#7 message, or consecutive certificates.
    fn der(&mut self, bytes: &[u8], single: Form, message: Form, wrapping: Wrapping) -> bool {
        if let Some(certificates) = pkcs7::certificates(bytes) {
            certificates.into_iter().for_each(|der| self.add(der, message, wrapping));
            return true;
        }
        let mut rest = bytes;
        while let Some((certificate, after)) =
            pkcs7::looks_like_certificate(rest).and_then(|n| rest.split_at_checked(n))
        {
            self.add(certificate.to_vec(), single, wrapping);
            rest = after;
        }
        rest.len() < bytes.len()
    }

    /// Every PEM block (RFC 7468) of certificates; the last may lack its end.
    fn pem(&mut self, text: &[u8], wrapping: Wrapping) -> bool {
        const LABELS: [&[u8]; 5] = [b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE", b"PKCS7", b"CMS"];
        let mut rest = text;
        let mut any = false;
        while let Some(begin) = memmem::find(rest, b"-----BEGIN ") {
            rest = rest.get(begin + 11..).unwrap_or_default();
            let Some(label_end) = memmem::find(rest, b"-----") else { break };
            let Some((label, after)) = rest.split_at_checked(label_end) else { break };
            rest = after.get(5..).unwrap_or_default();
            let block = rest.get(..memmem::find(rest, b"-----").unwrap_or(rest.len())).unwrap_or_default();
            if LABELS.contains(&label) {
                any = true;
                for der in decode_base64(block) {
                    self.der(&der, Form::Pem, Form::PemPkcs7, wrapping);
                }
            }
        }
        any
    }

    /// Text that is entirely base64 of something that starts with a long SEQUENCE.
    fn base64(&mut self, text: &[u8], wrapping: Wrapping) -> bool {
        if !text.starts_with(b"MI") {
            return false;
        }
        // Text in XML is expected to be base64, so only the XML is named.
        let wrapping = if wrapping == Wrapping::None { Wrapping::Base64 } else { wrapping };
        let before = self.found.len();
        for der in decode_base64(text) {
            self.der(&der, Form::Der, Form::Pkcs7, wrapping);
        }
        self.found.len() > before
    }

    /// Every text between two tags, with character references resolved and CDATA joined.
    fn xml(&mut self, bytes: &[u8], wrapping: Wrapping, depth: u8) {
        let document = String::from_utf8_lossy(bytes);
        let mut reader = Reader::from_str(&document);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        let mut inside = if wrapping == Wrapping::Soap { Wrapping::Soap } else { Wrapping::Xml };
        let mut text = String::new();
        loop {
            let at = reader.buffer_position();
            match reader.read_event() {
                Ok(Event::Text(part)) => text.push_str(&part),
                Ok(Event::CData(part)) => text.push_str(&part),
                Ok(Event::GeneralRef(reference)) => text.push(match reference.as_ref() {
                    "lt" => '<',
                    "gt" => '>',
                    "amp" => '&',
                    "quot" => '"',
                    "apos" => '\'',
                    _ => reference.resolve_char_ref().ok().flatten().unwrap_or(char::REPLACEMENT_CHARACTER),
                }),
                Ok(Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::DocType(_)) => {}
                Ok(tag @ (Event::Start(_) | Event::End(_) | Event::Empty(_))) => {
                    self.text_node(&text, inside, depth);
                    text.clear();
                    if matches!(&tag, Event::Start(start) if start.local_name().as_ref() == "Envelope") {
                        inside = Wrapping::Soap;
                    }
                }
                Ok(Event::Eof) => break,
                Err(_) => {
                    // A truncated body may end inside CDATA; its text is still used.
                    let rest = usize::try_from(at).ok().and_then(|at| document.get(at..));
                    text.push_str(rest.and_then(|rest| rest.strip_prefix("<![CDATA[")).unwrap_or_default());
                    break;
                }
            }
        }
        self.text_node(&text, inside, depth);
    }

    fn text_node(&mut self, text: &str, wrapping: Wrapping, depth: u8) {
        let text = text.trim();
        // Shorter text cannot hold a certificate, and there is much of it.
        if text.len() >= 64 && (text.starts_with("MI") || text.starts_with('<') || text.starts_with("-----BEGIN ")) {
            self.look(text.as_bytes(), None, wrapping, depth + 1);
        }
    }

    fn multipart(&mut self, text: &[u8], boundary: &[u8], depth: u8) {
        let delimiter = [b"--", boundary].concat();
        let mut starts: Vec<usize> = memmem::find_iter(text, &delimiter)
            .filter(|at| *at == 0 || at.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'\n'))
            .collect();
        starts.push(text.len());
        for pair in starts.windows(2) {
            let &[start, end] = pair else { continue };
            let part = text.get(start + delimiter.len()..end).unwrap_or_default();
            // "--" after the delimiter closes the message.
            let Some(line_end) = memchr::memchr(b'\n', part).filter(|_| !part.starts_with(b"--")) else { continue };
            let part = part.get(line_end + 1..).unwrap_or_default();
            let (head, content) = split_head(part);
            let head = String::from_utf8_lossy(head);
            let content_type = part_header(&head, "content-type");
            let base64 =
                part_header(&head, "content-transfer-encoding").is_some_and(|e| e.eq_ignore_ascii_case("base64"));
            let pieces = if base64 { decode_base64(content) } else { vec![content.to_vec()] };
            pieces.iter().for_each(|piece| self.look(piece, content_type, Wrapping::Multipart, depth + 1));
        }
    }

    fn add(&mut self, der: Vec<u8>, form: Form, wrapping: Wrapping) {
        if self.found.len() < MAX_CERTIFICATES && self.known.insert(der.clone()) {
            self.found.push(FoundCertificate { der, how: how(form, wrapping) });
        }
    }
}

fn how(form: Form, wrapping: Wrapping) -> &'static str {
    match (form, wrapping) {
        (Form::Der, Wrapping::None) => "DER",
        (Form::Der, Wrapping::Base64) => "DER in base64",
        (Form::Der, Wrapping::Xml) => "DER in XML",
        (Form::Der, Wrapping::Soap) => "DER in SOAP",
        (Form::Der, Wrapping::Multipart) => "DER in multipart",
        (Form::Pem, Wrapping::None | Wrapping::Base64) => "PEM",
        (Form::Pem, Wrapping::Xml) => "PEM in XML",
        (Form::Pem, Wrapping::Soap) => "PEM in SOAP",
        (Form::Pem, Wrapping::Multipart) => "PEM in multipart",
        (Form::Pkcs7, Wrapping::None) => "PKCS#7",
        (Form::Pkcs7, Wrapping::Base64) => "PKCS#7 in base64",
        (Form::Pkcs7 | Form::PemPkcs7, Wrapping::Xml) => "PKCS#7 in XML",
        (Form::Pkcs7 | Form::PemPkcs7, Wrapping::Soap) => "PKCS#7 in SOAP",
        (Form::Pkcs7 | Form::PemPkcs7, Wrapping::Multipart) => "PKCS#7 in multipart",
        (Form::PemPkcs7, Wrapping::None | Wrapping::Base64) => "PKCS#7 in PEM",
    }
}

/// The pieces of base64 in a text, in either alphabet, with white space anywhere, possibly truncated.
///
/// Padding or any other character that is no digit ends a piece; the next one starts after it.
fn decode_base64(text: &[u8]) -> Vec<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let mut pieces = Vec::new();
    let mut digits = Vec::with_capacity(text.len());
    for octet in text.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).chain(Some(b'=')) {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => digits.push(octet),
            b'-' => digits.push(b'+'),
            b'_' => digits.push(b'/'),
            _ => {
                // A single leftover digit holds no byte: the text was truncated after it.
                if digits.len() % 4 == 1 {
                    digits.pop();
                }
                pieces.extend(LENIENT.decode(&digits).ok().filter(|piece| !piece.is_empty()));
                digits.clear();
            }
        }
    }
    pieces
}

/// The boundary of a multipart message: the parameter of its type, else the first line if that looks like a delimiter.
fn boundary(text: &[u8], content_type: Option<&str>) -> Option<Vec<u8>> {
    let declared = content_type.filter(|kind| starts_with_ignoring_case(kind.trim_start(), "multipart/"));
    if let Some(value) = declared.and_then(|kind| parameter(kind, "boundary")).filter(|value| !value.is_empty()) {
        let delimiter = [b"--", value.as_bytes()].concat();
        return memmem::find(text, &delimiter).map(|_| value.into_bytes());
    }
    let line = text.split(|octet| *octet == b'\n').next()?.trim_ascii_end();
    let value = line.strip_prefix(b"--").filter(|value| !value.is_empty() && value.len() <= 70)?;
    // PEM starts with hyphens too, but a delimiter is followed by header fields.
    let next = text.get(line.len()..)?.trim_ascii_start();
    let is_head = next.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"content-"));
    (is_head && !line.starts_with(b"-----BEGIN")).then(|| value.to_vec())
}

/// A parameter of a header field value, quoted or not (RFC 9110 section 5.6.6).
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once(';') {
        rest = after.trim_start();
        let Some((key, after)) = rest.split_once('=') else { break };
        let after = after.trim_start();
        let (text, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_at(after.find(';').unwrap_or(after.len())),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(text.trim_end().to_owned());
        }
        rest = next;
    }
    None
}

/// Header fields and content of a part; a part may have no header fields.
fn split_head(part: &[u8]) -> (&[u8], &[u8]) {
    if let Some(content) = part.strip_prefix(b"\r\n").or_else(|| part.strip_prefix(b"\n")) {
        return (&[], content);
    }
    let crlf = memmem::find(part, b"\r\n\r\n").map(|at| (at, 4));
    let lf = memmem::find(part, b"\n\n").map(|at| (at, 2));
    let Some((at, blank)) = [crlf, lf].into_iter().flatten().min() else { return (part, &[]) };
    (part.get(..at).unwrap_or_default(), part.get(at + blank..).unwrap_or_default())
}

fn part_header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// The bytes without leading white space and UTF-8 byte order mark.
fn trim_start(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start()
}

/// Text in UTF-16, which Windows tools write, recognized by its byte order mark.
fn utf16(bytes: &[u8]) -> Option<String> {
    let (rest, read): (_, fn([u8; 2]) -> u16) = match bytes {
        [0xFF, 0xFE, rest @ ..] => (rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => (rest, u16::from_be_bytes),
        _ => return None,
    };
    let units: Vec<u16> = rest.as_chunks().0.iter().map(|unit| read(*unit)).collect();
    Some(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &[u8] = include_bytes!("../../tests/data/protocol/root.der");
    const ISSUING: &[u8] = include_bytes!("../../tests/data/protocol/issuing.der");
    const P7B: &[u8] = include_bytes!("../../tests/data/protocol/chain.p7b");
    const PEM: &[u8] = include_bytes!("../../tests/data/protocol/chain.pem");
    const SOAP: &[u8] = include_bytes!("../../tests/data/protocol/soap.xml");
    const RELATED: &[u8] = include_bytes!("../../tests/data/protocol/related.mime");

    /// Asserts that exactly the issuing and the root certificate are found, in that order, in these forms.
    #[track_caller]
    fn assert_chain(body: &[u8], content_type: Option<&str>, how: [&str; 2]) {
        let found = certificates_in(body, content_type);
        let forms: Vec<_> = found.iter().map(|certificate| certificate.how).collect();
        assert_eq!(forms, how);
        assert!(found[0].der == ISSUING && found[1].der == ROOT);
    }

    #[test]
    fn every_form_whatever_the_declared_type() {
        let html = Some("text/html");
        assert_chain(&[ISSUING, ROOT].concat(), html, ["DER"; 2]);
        assert_chain(PEM, html, ["PEM"; 2]);
        assert_chain(P7B, html, ["PKCS#7"; 2]);
        assert_chain(include_bytes!("../../tests/data/protocol/chain-p7b.pem"), None, ["PKCS#7 in PEM"; 2]);
        assert_chain(SOAP, html, ["PKCS#7 in SOAP"; 2]);
        assert_eq!(certificates_in(include_bytes!("../../tests/data/protocol/trusted.pem"), None)[0].der, ISSUING);
        let mut ber = certificates_in(include_bytes!("../../tests/data/protocol/signed-indefinite.ber"), None);
        ber.sort_by_key(|certificate| certificate.der != ISSUING);
        assert_eq!(ber.iter().map(|found| &found.der[..]).collect::<Vec<_>>(), [ISSUING, ROOT]);
    }

    #[test]
    fn base64_as_the_whole_body() {
        let soap = String::from_utf8(SOAP.to_vec()).unwrap();
        let base64 = soap.split("<Chain>").nth(1).unwrap().split("</Chain>").next().unwrap();
        assert_chain(base64.as_bytes(), None, ["PKCS#7 in base64"; 2]);
        let single_line = base64.replace(['\r', '\n'], "");
        assert_chain(single_line.replace('+', "-").replace('/', "_").as_bytes(), None, ["PKCS#7 in base64"; 2]);
        // PEM without its first and last lines, two pieces one after the other.
        let pem = String::from_utf8(PEM.to_vec()).unwrap();
        let naked: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        assert_chain(naked.as_bytes(), None, ["DER in base64"; 2]);
    }

    #[test]
    fn xml_with_references_cdata_escapes_and_utf16() {
        let soap = String::from_utf8(SOAP.to_vec()).unwrap();
        assert_chain(soap.replace("\r\n", "&#xD;\n").as_bytes(), None, ["PKCS#7 in SOAP"; 2]);
        let cdata = soap.replace("<Chain>", "<Chain><![CDATA[").replace("</Chain>", "]]></Chain>");
        assert_chain(cdata.as_bytes(), None, ["PKCS#7 in SOAP"; 2]);
        let (head, tail) = (cdata.find("]]>").unwrap(), cdata.find("Envelope").unwrap());
        assert_chain(&cdata.as_bytes()[..head], None, ["PKCS#7 in SOAP"; 2]);
        assert!(certificates_in(&cdata.as_bytes()[..tail], None).is_empty());
        let escaped =
            format!("<string>{}</string>", soap.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
        assert_chain(escaped.as_bytes(), None, ["PKCS#7 in SOAP"; 2]);
        let wide: Vec<u8> = [0xFF, 0xFE].into_iter().chain(soap.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_chain(&wide, None, ["PKCS#7 in SOAP"; 2]);
        let pem = format!("<a><b>{}</b>", String::from_utf8(PEM.to_vec()).unwrap());
        assert_chain(pem.as_bytes(), None, ["PEM in XML"; 2]);
    }

    #[test]
    fn multipart_parts_with_their_own_encodings() {
        let declared = Some("multipart/related; type=\"text/xml\"; boundary=\"=_part 1\"");
        assert_chain(RELATED, declared, ["DER in multipart"; 2]);
        assert_chain(RELATED, Some("application/octet-stream"), ["DER in multipart"; 2]);
        let soap = [b"--b\r\nContent-Type: application/xop+xml\r\n\r\n", SOAP, b"\r\n--b--"].concat();
        assert_chain(&soap, None, ["PKCS#7 in SOAP"; 2]);
        // Cut inside the closing delimiter, or after the first certificate.
        assert_chain(&RELATED[..RELATED.len() - 6], declared, ["DER in multipart"; 2]);
        let cut = RELATED.windows(8).rposition(|window| window == b"=_part 1").unwrap() - 10;
        assert_eq!(certificates_in(&RELATED[..cut], declared).len(), 1);
    }

    #[test]
    fn of_a_cut_body_the_whole_certificates_remain() {
        for body in [P7B, PEM, SOAP, RELATED] {
            let mut most = 0;
            for end in 0..body.len() {
                let found = certificates_in(&body[..end], None);
                assert!(found.len() >= most && found.iter().all(|one| one.der == ISSUING || one.der == ROOT), "{end}");
                most = found.len();
            }
            assert_eq!(most, 2);
        }
        // After a hole the body starts in the middle of some text.
        let hole = [b"abc</Chain><Chain>", &SOAP[SOAP.windows(3).position(|w| w == b"MII").unwrap()..]].concat();
        assert_chain(&hole, None, ["PKCS#7 in XML"; 2]);
    }

    #[test]
    fn what_is_worth_keeping() {
        for body in [ROOT, P7B, PEM, SOAP, include_bytes!("../../tests/data/protocol/signed-indefinite.ber")] {
            assert!(may_hold_certificates(&body[..body.len().min(64)]));
        }
        assert!(may_hold_certificates(b"\r\n<s:Envelope xmlns:s='x'>"));
        for body in [&b"<!DOCTYPE html><html>"[..], b"\x89PNG\r\n", b"MZ\x90", b"", b"0"] {
            assert!(!may_hold_certificates(body));
        }
    }

    #[test]
    fn hostile_nesting_ends() {
        let mut body = SOAP.to_vec();
        for _ in 0..6 {
            body = [b"--b\r\nContent-Type: multipart/mixed\r\n\r\n".as_slice(), &body].concat();
        }
        certificates_in(&body, None);
        certificates_in(&b"-----BEGIN CERTIFICATE-----".repeat(20_000), None);
        certificates_in(&b"<a>&lt;".repeat(100_000), None);
        certificates_in(&[0x30, 0x80].repeat(500_000), None);
    }
}
