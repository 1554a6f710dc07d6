//! In: DER bytes. Out: their elements one after the other, each with its place, and in words what cannot be read.
//! Bounded: slices of the input only, no recursion. Left to others: what the elements mean.

use x509_parser::asn1_rs::{Any, Class, FromDer};
use x509_parser::nom;

/// The universal tag numbers (X.680, 8.4) that certificates use.
pub(super) mod tag {
    pub(in crate::x509) const INTEGER: u32 = 2;
    pub(in crate::x509) const BIT_STRING: u32 = 3;
    pub(in crate::x509) const OID: u32 = 6;
    pub(in crate::x509) const UTF8_STRING: u32 = 12;
    pub(in crate::x509) const SEQUENCE: u32 = 16;
    pub(in crate::x509) const SET: u32 = 17;
    pub(in crate::x509) const NUMERIC_STRING: u32 = 18;
    pub(in crate::x509) const PRINTABLE_STRING: u32 = 19;
    pub(in crate::x509) const TELETEX_STRING: u32 = 20;
    pub(in crate::x509) const IA5_STRING: u32 = 22;
    pub(in crate::x509) const VISIBLE_STRING: u32 = 26;
    pub(in crate::x509) const UTC_TIME: u32 = 23;
    pub(in crate::x509) const UNIVERSAL_STRING: u32 = 28;
    pub(in crate::x509) const BMP_STRING: u32 = 30;
}

/// One DER element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    /// Tag number.
    pub(super) tag: u32,
    /// Whether the tag is of the universal class; otherwise context-specific, application or private.
    pub(super) universal: bool,
    /// Tag, length and content.
    pub(super) raw: &'a [u8],
    /// Content alone.
    pub(super) content: &'a [u8],
}

/// Reads the elements of `rest` in order; offsets in messages count from the start of `whole`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    whole: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Over a whole DER value.
    pub(super) fn new(whole: &'a [u8]) -> Self {
        Self { whole, rest: whole }
    }

    /// Over the content of an element, counting offsets as this reader does.
    pub(super) fn inside(&self, element: Element<'a>) -> Self {
        Self { whole: self.whole, rest: element.content }
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The offset at which `part`, a slice of the whole, begins.
    pub(super) fn offset_of(&self, part: &[u8]) -> usize {
        part.as_ptr().addr().saturating_sub(self.whole.as_ptr().addr()).min(self.whole.len())
    }

    /// A message: `what`, which begins at `part`, cannot be read, and why.
    pub(super) fn trouble(&self, what: &str, part: &[u8], why: &str) -> String {
        format!("{what} at byte {}: {why}", self.offset_of(part))
    }

    /// The next element, whatever it is.
    pub(super) fn next(&mut self, what: &str) -> Result<Element<'a>, String> {
        if self.rest.is_empty() {
            return Err(self.trouble(what, self.rest, "missing"));
        }
        let (rest, any) = Any::from_der(self.rest).map_err(|error| self.trouble(what, self.rest, &cause(&error)))?;
        let length = self.rest.len().saturating_sub(rest.len());
        let raw = self.rest.get(..length).unwrap_or_default();
        self.rest = rest;
        Ok(Element { tag: any.tag().0, universal: any.class() == Class::Universal, raw, content: any.data })
    }

    /// The next element, which must have this universal tag.
    pub(super) fn expect(&mut self, tag: u32, what: &str) -> Result<Element<'a>, String> {
        let start = self.rest;
        let element = self.next(what)?;
        if element.universal && element.tag == tag {
            Ok(element)
        } else {
            Err(self.trouble(what, start, &format!("tag {} instead of {tag}", element.tag)))
        }
    }

    /// The next element if it has this context-specific tag; nothing is consumed otherwise.
    pub(super) fn context(&mut self, tag: u32) -> Option<Element<'a>> {
        let mut ahead = *self;
        let element = ahead.next("").ok().filter(|element| !element.universal && element.tag == tag)?;
        *self = ahead;
        Some(element)
    }
}

/// All elements of the content of a constructed value; `None` if some bytes of it are not part of an element.
pub(super) fn elements(content: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut reader = Reader::new(content);
    let mut found = Vec::new();
    while !reader.rest().is_empty() {
        found.push(reader.next("").ok()?);
    }
    Some(found)
}

/// The element that `bytes` consist of, if it has this universal tag.
pub(super) fn single(bytes: &[u8], tag: u32) -> Option<Element<'_>> {
    let mut reader = Reader::new(bytes);
    let element = reader.expect(tag, "").ok()?;
    reader.rest().is_empty().then_some(element)
}

/// The dotted form of the content octets of an object identifier (X.690, 8.19). Arcs beyond 128 bits and truncated ones
/// are shown as `?`.
pub(super) fn oid_text(content: &[u8]) -> String {
    let mut text = String::new();
    let mut arc: Option<u128> = Some(0);
    for byte in content {
        arc = arc.and_then(|arc| arc.checked_mul(128)).map(|arc| arc | u128::from(byte & 0x7f));
        if byte & 0x80 == 0 {
            if text.is_empty() {
                let first = arc.map_or(0, |arc| (arc / 40).min(2));
                text.push_str(&format!("{first}."));
                arc = arc.map(|arc| arc - 40 * first);
            } else {
                text.push('.');
            }
            text.push_str(&arc.map_or("?".to_owned(), |arc| arc.to_string()));
            arc = Some(0);
        }
    }
    if content.last().is_none_or(|byte| byte & 0x80 != 0) {
        text.push('?');
    }
    text
}

/// A parser's error in a few words.
pub(super) fn cause<E: std::fmt::Debug>(error: &nom::Err<E>) -> String {
    match error {
        nom::Err::Incomplete(nom::Needed::Size(count)) => format!("{count} more bytes needed"),
        nom::Err::Incomplete(nom::Needed::Unknown) => "more bytes needed".to_owned(),
        nom::Err::Error(error) | nom::Err::Failure(error) => format!("{error:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oids_are_written_with_dots() {
        // X.690, 8.19.5: {2 999 3} is 06 03 88 37 03.
        assert_eq!(oid_text(&[0x88, 0x37, 0x03]), "2.999.3");
        assert_eq!(oid_text(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b]), "1.2.840.113549.1.1.11");
        assert_eq!(oid_text(&[0x55, 0x04, 0x03]), "2.5.4.3");
        assert_eq!(oid_text(&[]), "?");
        assert_eq!(oid_text(&[0x55, 0x84]), "2.5?");
        assert!(oid_text(&[0xff; 40]).ends_with('?'));
    }

    #[test]
    fn messages_say_where() {
        let der = [0x30, 0x03, 0x02, 0x05, 0x01];
        let mut outer = Reader::new(&der);
        let sequence = outer.expect(tag::SEQUENCE, "list").unwrap();
        let message = outer.inside(sequence).next("number").unwrap_err();
        assert!(message.starts_with("number at byte 2: "), "{message}");
        assert!(elements(&[0x05, 0x00, 0x30]).is_none());
    }
}
