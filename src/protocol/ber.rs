//! A reader of BER and DER, one element at a time (ITU-T X.690 section 8.1).
//!
//! In: bytes that may be truncated anywhere. Out: elements that borrow from them, and whether each is complete.
//! Bounded: no recursion; at most `MAX_DEPTH` nested indefinite lengths; lengths that do not fit memory are malformed.
//! Left to others: what a tag means.

/// How deeply elements may be nested, in this reader and in the code that uses it.
pub(super) const MAX_DEPTH: usize = 32;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
/// `[0]`, constructed, context-specific.
pub(super) const CONTEXT_0: u8 = 0xA0;

/// One tag, length and content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// The first identifier octet: class, constructed bit and number (31: the number follows, and is not kept).
    pub(super) tag: u8,
    /// Header, content and, for an indefinite length, the end-of-contents octets, as far as they are there.
    pub(super) whole: &'a [u8],
    /// The content, as far as it is there.
    pub(super) content: &'a [u8],
    /// Whether the element is complete.
    pub(super) complete: bool,
}

impl<'a> Element<'a> {
    /// The elements inside a constructed element.
    pub(super) fn children(&self) -> Elements<'a> {
        Elements { rest: self.content }
    }

    /// The element itself if it has this tag.
    pub(super) fn tagged(self, tag: u8) -> Option<Self> {
        (self.tag == tag).then_some(self)
    }

    /// The value of a non-negative INTEGER or ENUMERATED that fits.
    pub(super) fn unsigned(&self) -> Option<u32> {
        if !self.complete || self.content.is_empty() || self.content.first()? & 0x80 != 0 {
            return None;
        }
        self.content.iter().try_fold(0u32, |value, octet| value.checked_mul(256)?.checked_add(u32::from(*octet)))
    }
}

/// Consecutive elements, up to the end of the bytes, end-of-contents octets or something malformed.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let element = first(self.rest)?;
        self.rest = self.rest.get(element.whole.len()..)?;
        Some(element)
    }
}

/// The first element of `bytes`; `None` at end-of-contents octets, if there are no bytes, or if they are malformed.
pub(super) fn first(bytes: &[u8]) -> Option<Element<'_>> {
    let Header::Read { tag, size, length } = header(bytes) else { return None };
    if tag == 0 {
        return None;
    }
    let rest = bytes.get(size..)?;
    let (inside, trailer) = match length {
        Some(length) => (length, 0),
        None => match indefinite_length(rest) {
            Some(length) => (length, 2),
            None => (usize::MAX, 0),
        },
    };
    let complete = inside <= rest.len();
    let content = rest.get(..inside).unwrap_or(rest);
    let whole = bytes.get(..size + content.len() + trailer)?;
    Some(Element { tag, whole, content, complete })
}

/// Identifier and length octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// The tag, the length of the header, and the length of the content (`None`: indefinite).
    Read { tag: u8, size: usize, length: Option<usize> },
    /// The bytes end inside the header.
    Cut,
    /// The bytes do not start a header.
    Malformed,
}

/// Reads the header at the start of `bytes`.
pub(super) fn header(bytes: &[u8]) -> Header {
    let Some((&tag, mut rest)) = bytes.split_first() else { return Header::Cut };
    if tag & 0x1F == 0x1F {
        // A tag number of several octets ends with the first whose top bit is clear. Five octets hold any 32-bit
        // number.
        let Some(last) = rest.iter().take(5).position(|octet| octet & 0x80 == 0) else {
            return if rest.len() < 5 { Header::Cut } else { Header::Malformed };
        };
        rest = rest.get(last + 1..).unwrap_or_default();
    }
    let Some((&short, rest)) = rest.split_first() else { return Header::Cut };
    let octets = usize::from(short & 0x7F);
    let used = bytes.len() - rest.len();
    match short {
        0..=0x7F => Header::Read { tag, size: used, length: Some(octets) },
        // Only a constructed element can have an indefinite length.
        0x80 if tag & 0x20 != 0 => Header::Read { tag, size: used, length: None },
        0x81..=0x88 => {
            let Some(long) = rest.get(..octets) else { return Header::Cut };
            let length = long.iter().try_fold(0usize, |length, octet| {
                length.checked_mul(256)?.checked_add(usize::from(*octet)).filter(|length| *length < usize::MAX / 2)
            });
            match length {
                Some(length) => Header::Read { tag, size: used + octets, length: Some(length) },
                None => Header::Malformed,
            }
        }
        _ => Header::Malformed,
    }
}

/// The number of bytes before the end-of-contents octets that close an indefinite length opened just before `bytes`.
///
/// Elements of known length are skipped; those of indefinite length are only counted, so nothing recurses.
fn indefinite_length(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut open) = (0usize, 1usize);
    loop {
        let Header::Read { tag, size, length } = header(bytes.get(at..)?) else { return None };
        match (tag, length) {
            (0, Some(0)) if open == 1 => return Some(at),
            (0, Some(0)) => open -= 1,
            (0, _) => return None,
            (_, Some(length)) => at = at.checked_add(length)?,
            (_, None) if open < MAX_DEPTH => open += 1,
            (_, None) => return None,
        }
        at = at.checked_add(size)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_short_long_and_indefinite() {
        // X.690 section 8.1.3: short form, long form 201 = 81 C9, indefinite form closed by 00 00.
        assert_eq!(header(&[0x04, 0x26]), Header::Read { tag: 4, size: 2, length: Some(38) });
        assert_eq!(header(&[0x04, 0x81, 0xC9]), Header::Read { tag: 4, size: 3, length: Some(201) });
        assert_eq!(header(&[0x30, 0x80]), Header::Read { tag: 0x30, size: 2, length: None });
        assert_eq!(header(&[0x30, 0x82, 0x01]), Header::Cut);
        assert_eq!(header(&[0x04, 0x80]), Header::Malformed);
        assert_eq!(header(&[0x04, 0x88, 255, 255, 255, 255, 255, 255, 255, 255]), Header::Malformed);
        // A tag number of two octets: [127] is BF 7F, [201] is BF 81 49.
        assert_eq!(header(&[0xBF, 0x81, 0x49, 0x05]), Header::Read { tag: 0xBF, size: 4, length: Some(5) });
    }

    #[test]
    fn an_indefinite_length_ends_at_its_own_end_of_contents() {
        // X.690 section 8.6.4.2: a constructed BIT STRING of indefinite length, here with a sibling after it.
        let bytes = [0x23, 0x80, 0x03, 0x03, 0x00, 0x0A, 0x3B, 0x03, 0x02, 0x04, 0x50, 0x00, 0x00, 0x05, 0x00];
        let elements: Vec<_> = Elements { rest: &bytes }.collect();
        assert_eq!(elements.iter().map(|e| (e.tag, e.whole.len())).collect::<Vec<_>>(), [(0x23, 13), (0x05, 2)]);
        assert_eq!(elements[0].children().map(|e| e.content.len()).collect::<Vec<_>>(), [3, 2]);
        // Without the closing octets it is incomplete, and its children can still be read.
        let cut = first(&bytes[..11]).unwrap();
        assert!(!cut.complete);
        assert_eq!(cut.children().count(), 2);
    }

    #[test]
    fn nothing_recurses_and_every_cut_is_seen() {
        let deep = [0x30, 0x80].repeat(100_000);
        assert!(!first(&deep).unwrap().complete);
        let bytes = [0x30, 0x82, 0x00, 0x03, 0x02, 0x01, 0x05];
        for end in 4..bytes.len() {
            assert!(!first(&bytes[..end]).unwrap().complete);
        }
        assert_eq!(first(&bytes).unwrap().children().next().unwrap().unsigned(), Some(5));
    }
}
