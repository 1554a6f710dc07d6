//! Single LDAP messages (RFC 4511 section 4).
//!
//! In: the bytes of one LDAPMessage, possibly truncated. Out: its messageID and the parts of interest. Bounded: filters
//! are read `MAX_DEPTH` levels deep, and their text has at most `MAX_FILTER` bytes. Left to others: matching answers to
//! requests.

use std::fmt::Write;

use crate::protocol::ber::{self, Element, Elements, Header, INTEGER, MAX_DEPTH, OCTET_STRING, SEQUENCE};

const MAX_FILTER: usize = 4096;

const SEARCH_REQUEST: u8 = 0x63;
const SEARCH_ENTRY: u8 = 0x64;
const SEARCH_DONE: u8 = 0x65;
const BIND_RESPONSE: u8 = 0x61;
const ABANDON: u8 = 0x50;
const EXTENDED_REQUEST: u8 = 0x77;
const EXTENDED_RESPONSE: u8 = 0x78;
/// Tags of every protocolOp, `[APPLICATION n]`.
const OPERATIONS: [u8; 21] = [
    0x60, 0x61, 0x42, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x4A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F, 0x50, 0x73, 0x77,
    0x78, 0x79,
];
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

/// An LDAP message and its messageID (RFC 4511 section 4.1.1).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) id: u32,
    pub(super) operation: Operation,
}

/// A SearchRequest (RFC 4511 section 4.5.1).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SearchRequest {
    /// The base object's DN.
    pub(super) base: String,
    /// The filter as text (RFC 4515).
    pub(super) filter: String,
    /// The names of the attributes asked for.
    pub(super) attributes: Vec<String>,
}

/// The protocolOp of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Search(SearchRequest),
    /// SearchResultEntry, with the values of caCertificate.
    Entry {
        dn: String,
        certificates: Vec<Vec<u8>>,
    },
    /// SearchResultDone.
    Done {
        code: u32,
    },
    /// BindResponse.
    Bound {
        code: u32,
    },
    /// ExtendedRequest for TLS.
    StartTls,
    /// ExtendedResponse.
    Extended {
        code: u32,
    },
    /// AbandonRequest for this messageID.
    Abandon {
        id: u32,
    },
    /// Anything else.
    Other,
}

/// Whether an LDAPMessage can start with these bytes; `None` while there are too few to tell.
///
/// ```text
/// LDAPMessage ::= SEQUENCE { messageID INTEGER, protocolOp CHOICE { bindRequest [APPLICATION 0], … }, … }
/// ```
pub(super) fn begins(bytes: &[u8]) -> Option<bool> {
    let (SEQUENCE, size, length) = part(bytes)? else { return Some(false) };
    let inside = bytes.get(size..)?;
    let (INTEGER, size, id @ 1..=4) = part(inside)? else { return Some(false) };
    let operation = inside.get(size + id..)?;
    if operation.is_empty() {
        return None;
    }
    let (tag, header, content) = part(operation)?;
    let used = size + id + header;
    Some(OPERATIONS.contains(&tag) && used.checked_add(content).is_some_and(|used| used <= length))
}

/// Tag, header length and content length of an element. The tag is one that LDAP does not use if the element is
/// malformed or has an indefinite length.
fn part(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    match ber::header(bytes) {
        Header::Read { tag, size, length: Some(length) } => Some((tag, size, length)),
        Header::Read { .. } | Header::Malformed => Some((0, 0, 0)),
        Header::Cut => None,
    }
}

/// Reads a message. Of a truncated one only the complete parts are returned.
pub(super) fn parse(bytes: &[u8]) -> Option<Message> {
    let mut fields = ber::first(bytes)?.tagged(SEQUENCE)?.children();
    let id = fields.next()?.tagged(INTEGER)?.unsigned()?;
    let operation = fields.next()?;
    let read = match operation.tag {
        SEARCH_REQUEST if operation.complete => search(operation),
        SEARCH_ENTRY => entry(operation),
        SEARCH_DONE => code(operation).map(|code| Operation::Done { code }),
        BIND_RESPONSE => code(operation).map(|code| Operation::Bound { code }),
        EXTENDED_RESPONSE => code(operation).map(|code| Operation::Extended { code }),
        EXTENDED_REQUEST => {
            let name = operation.children().next();
            name.filter(|name| name.tag == 0x80 && name.content == START_TLS).map(|_| Operation::StartTls)
        }
        // The messageID is the content of the operation itself, not an INTEGER in it.
        ABANDON => operation.unsigned().map(|id| Operation::Abandon { id }),
        _ => None,
    };
    Some(Message { id, operation: read.unwrap_or(Operation::Other) })
}

/// The messageID of a message of which only the start is there.
pub(super) fn id(bytes: &[u8]) -> Option<u32> {
    ber::first(bytes)?.tagged(SEQUENCE)?.children().next()?.tagged(INTEGER)?.unsigned()
}

/// Whether an attribute description names caCertificate, whatever its options (RFC 4523 section 4.2).
pub(super) fn is_ca_certificate(description: &str) -> bool {
    description.split(';').next().is_some_and(|kind| kind.eq_ignore_ascii_case("cACertificate"))
}

/// The resultCode that opens an LDAPResult.
fn code(operation: Element<'_>) -> Option<u32> {
    operation.children().next()?.tagged(0x0A)?.unsigned()
}

/// `SEQUENCE { baseObject, scope, derefAliases, sizeLimit, timeLimit, typesOnly, filter, attributes }`
fn search(operation: Element<'_>) -> Option<Operation> {
    let mut fields = operation.children();
    let base = text(fields.next()?.tagged(OCTET_STRING)?.content);
    let condition = fields.nth(5)?;
    let mut written = String::new();
    write_filter(condition, 0, &mut written);
    let attributes = fields.next()?.tagged(SEQUENCE)?.children().map(|name| text(name.content)).collect();
    Some(Operation::Search(SearchRequest { base, filter: written, attributes }))
}

/// `SEQUENCE { objectName, attributes SEQUENCE OF SEQUENCE { type, vals SET OF value } }`
fn entry(operation: Element<'_>) -> Option<Operation> {
    let mut fields = operation.children();
    let dn = fields.next()?.tagged(OCTET_STRING).filter(|dn| dn.complete)?;
    let mut certificates = Vec::new();
    for attribute in fields.next().iter().flat_map(Element::children) {
        let mut parts = attribute.children();
        let Some(kind) = parts.next().and_then(|kind| kind.tagged(OCTET_STRING)) else { continue };
        if is_ca_certificate(&text(kind.content)) {
            // Directories store a single zero byte if there is no certificate yet.
            let values = parts.next().into_iter().flat_map(|values| values.children());
            let whole = values.filter(|value| value.complete && value.content.starts_with(&[SEQUENCE]));
            certificates.extend(whole.map(|value| value.content.to_vec()));
        }
    }
    Some(Operation::Entry { dn: text(dn.content), certificates })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Writes a Filter as in RFC 4515, with `…` for parts too deep or too long.
fn write_filter(filter: Element<'_>, depth: usize, out: &mut String) {
    if depth >= MAX_DEPTH || out.len() > MAX_FILTER {
        out.push('…');
        return;
    }
    out.push('(');
    match filter.tag {
        0xA0..=0xA2 => {
            out.push(match filter.tag {
                0xA0 => '&',
                0xA1 => '|',
                _ => '!',
            });
            for part in filter.children() {
                write_filter(part, depth + 1, out);
                if out.ends_with('…') {
                    break;
                }
            }
        }
        0xA3 => write_assertion(filter.children(), "=", out),
        0xA4 => write_substrings(filter.children(), out),
        0xA5 => write_assertion(filter.children(), ">=", out),
        0xA6 => write_assertion(filter.children(), "<=", out),
        0xA8 => write_assertion(filter.children(), "~=", out),
        0x87 => {
            write_value(filter.content, out);
            out.push_str("=*");
        }
        0xA9 => write_extensible(filter, out),
        _ => out.push('?'),
    }
    out.push(')');
}

/// `SEQUENCE { attributeDesc, assertionValue }`
fn write_assertion(mut parts: Elements<'_>, relation: &str, out: &mut String) {
    write_value(parts.next().map_or(&[], |part| part.content), out);
    out.push_str(relation);
    write_value(parts.next().map_or(&[], |part| part.content), out);
}

/// `SEQUENCE { type, substrings SEQUENCE OF CHOICE { initial [0], any [1], final [2] } }`
fn write_substrings(mut parts: Elements<'_>, out: &mut String) {
    write_value(parts.next().map_or(&[], |part| part.content), out);
    out.push('=');
    for (at, substring) in parts.next().iter().flat_map(Element::children).enumerate() {
        // An asterisk follows `initial` and each `any`; one more comes first if there is no `initial`.
        if at == 0 && substring.tag != 0x80 {
            out.push('*');
        }
        write_value(substring.content, out);
        if substring.tag != 0x82 {
            out.push('*');
        }
    }
}

/// `SEQUENCE { matchingRule [1], type [2], matchValue [3], dnAttributes [4] }`
fn write_extensible(filter: Element<'_>, out: &mut String) {
    let part = |tag: u8| filter.children().find(|part| part.tag == tag).map(|part| part.content);
    write_value(part(0x82).unwrap_or_default(), out);
    if part(0x84).is_some_and(|flag| flag != [0]) {
        out.push_str(":dn");
    }
    if let Some(rule) = part(0x81) {
        out.push(':');
        write_value(rule, out);
    }
    out.push_str(":=");
    write_value(part(0x83).unwrap_or_default(), out);
}

/// Writes a value, escaping the octets that RFC 4515 section 3 requires and unprintable ones.
fn write_value(bytes: &[u8], out: &mut String) {
    for chunk in bytes.get(..bytes.len().min(MAX_FILTER)).unwrap_or_default().utf8_chunks() {
        for character in chunk.valid().chars() {
            if matches!(character, '*' | '(' | ')' | '\\') || character.is_control() {
                let mut octets = [0; 4];
                for octet in character.encode_utf8(&mut octets).bytes() {
                    let _ = write!(out, "\\{octet:02x}");
                }
            } else {
                out.push(character);
            }
        }
        for octet in chunk.invalid() {
            let _ = write!(out, "\\{octet:02x}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_read_as_they_were_written() {
        let examples = include_str!("../../../tests/data/protocol/ldap-filters.txt");
        assert_eq!(examples.lines().count(), 17);
        for line in examples.lines() {
            let (hex, expected) = line.split_once(' ').unwrap();
            let octet = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(octet).collect();
            let Operation::Search(SearchRequest { filter, attributes, .. }) = parse(&bytes).unwrap().operation else {
                panic!("{expected}")
            };
            assert_eq!((filter.as_str(), attributes), (expected, vec!["1.1".to_owned()]));
        }
    }

    #[test]
    fn deep_and_long_filters_end() {
        let mut filter = vec![0x87, 1, b'a'];
        for _ in 0..100 {
            let length = u8::try_from(filter.len() >> 8).unwrap();
            let low = u8::try_from(filter.len() & 0xFF).unwrap();
            filter = [&[0xA2, 0x82, length, low][..], &filter].concat();
        }
        let mut out = String::new();
        write_filter(ber::first(&filter).unwrap(), 0, &mut out);
        assert!(out.contains('…') && out.len() < 200);
    }

    #[test]
    fn which_connections_speak_ldap() {
        let client = include_bytes!("../../../tests/data/protocol/ldap-client.ber");
        assert_eq!(begins(client), Some(true));
        for short in 0..7 {
            assert_eq!(begins(&client[..short]), None, "{short}");
        }
        // An SSLv2 hello, a TLS record, HTTP, a certificate.
        for other in
            [&[0x80, 0x2E, 1, 0, 2][..], &[0x16, 3, 1, 0, 5], b"GET / HTTP", &[0x30, 0x82, 1, 0, 0x30, 0x81, 9]]
        {
            assert_eq!(begins(other), Some(false));
        }
        // 30 0C 02 01 01 60 07 02 01 03 04 00 80 00: an anonymous simple bind.
        assert_eq!(begins(&[0x30, 0x0C, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0]), Some(true));
    }
}
