//! Bodies that did not come whole: what a Content-Range field says, and the bytes that came, to be joined with others.
//!
//! In: header fields, and the bytes of one answer. Out: a [`Part`]. Bounded: the bytes are those that `kept` keeps. Left to
//! others: which parts belong together.

use super::kept::{Contents, KeptBody, MAX_BODY};
use crate::protocol::body::FoundCertificate;

/// Consecutive bytes of a body that one answer brought only in part: it was asked for a range, or was cut off
/// (RFC 9110 sections 14.4 and 15.3.7.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Offset of its first byte in the whole body.
    pub offset: u64,
    /// Bytes of the whole body.
    pub total: u64,
    /// What tells one version of the file from another.
    pub version: FileVersion,
    /// The content codings of the whole body, in the order of application.
    pub codings: Vec<String>,
    /// The bytes, as sent but without chunk framing.
    pub bytes: Vec<u8>,
}

impl Part {
    /// `None` where nothing came, more than the range holds, or the whole body is longer than any that is read.
    pub(super) fn new(range: ContentRange, version: FileVersion, codings: Vec<String>, bytes: Vec<u8>) -> Option<Self> {
        let length = u64::try_from(bytes.len()).ok()?;
        let readable = usize::try_from(range.total).is_ok_and(|total| total <= MAX_BODY);
        let fits = length > 0 && length - 1 <= range.last - range.first;
        (readable && fits).then_some(Self { offset: range.first, total: range.total, version, codings, bytes })
    }
}

/// The validators of a file (RFC 9110 section 8.8), as sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileVersion {
    /// The ETag field.
    pub etag: Option<String>,
    /// The Last-Modified field.
    pub last_modified: Option<String>,
}

impl FileVersion {
    /// Whether two answers may be about one version: no validator that both have differs.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let agree = |one: &Option<String>, other: &Option<String>| {
            one.as_ref().zip(other.as_ref()).is_none_or(|(one, other)| one == other)
        };
        agree(&self.etag, &other.etag) && agree(&self.last_modified, &other.last_modified)
    }
}

/// The certificates in a body that was put together from parts, and what kept it from being read to its end.
pub fn certificates_in_parts(
    bytes: &[u8],
    codings: &[String],
    content_type: Option<&str>,
) -> (Vec<FoundCertificate>, Option<String>) {
    let mut body = KeptBody::new(codings.to_vec(), true);
    body.push(bytes);
    let Contents { certificates, trouble, nothing, .. } = body.contents(content_type);
    let problem = trouble.or_else(|| certificates.is_empty().then(|| nothing.to_owned()));
    (certificates, problem)
}

/// What an answer says of the file that it brings.
#[derive(Debug)]
pub(super) struct FileHead {
    /// The range of it, where that is a part.
    pub(super) range: Option<ContentRange>,
    pub(super) version: FileVersion,
}

/// The value of a Content-Range field (RFC 9110 section 14.4): `bytes 0-499/1234`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ContentRange {
    pub(super) first: u64,
    /// Inclusive.
    pub(super) last: u64,
    pub(super) total: u64,
}

impl ContentRange {
    /// `None` where the field is not of this form; a range of a body of unknown length (`bytes 0-499/*`) is not, since
    /// nothing tells when all of it is there.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (unit, range) = value.trim().split_once(' ')?;
        let (range, total) = range.trim().split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let number = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse().ok())?;
        let (first, last, total) = (number(first)?, number(last)?, number(total)?);
        (unit.eq_ignore_ascii_case("bytes") && first <= last && last < total).then_some(Self { first, last, total })
    }

    /// The range of a whole body; `None` if it is empty.
    pub(super) fn whole(total: u64) -> Option<Self> {
        Some(Self { first: 0, last: total.checked_sub(1)?, total })
    }
}

/// What to report of a partial answer in which no certificate stands whole.
pub(super) fn unfulfilled(content_type: Option<&str>) -> &'static str {
    let several = content_type.is_some_and(|kind| kind.trim().to_ascii_lowercase().starts_with("multipart/byteranges"));
    match several {
        true => "several parts of the file came in one answer (206, multipart/byteranges), which are not joined",
        false => "only a part of the file came (206)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_writes_them() {
        let range = |first, last, total| Some(ContentRange { first, last, total });
        // The examples of RFC 9110 section 14.4.
        assert_eq!(ContentRange::parse("bytes 42-1233/1234"), range(42, 1233, 1234));
        assert_eq!(ContentRange::parse("bytes 0-499/1234"), range(0, 499, 1234));
        for unusable in ["bytes 42-1233/*", "bytes */1234", "bytes 5-4/9", "bytes 0-9/9", "lines 0-1/2", "bytes +0-1/2"]
        {
            assert_eq!(ContentRange::parse(unusable), None, "{unusable}");
        }
    }

    #[test]
    fn versions_differ_only_by_what_both_answers_tell() {
        let version = |etag: Option<&str>, modified: Option<&str>| FileVersion {
            etag: etag.map(str::to_owned),
            last_modified: modified.map(str::to_owned),
        };
        assert!(version(Some("\"a\""), None).agrees_with(&version(None, Some("Mon, 30 Nov 2026 00:00:00 GMT"))));
        assert!(!version(Some("\"a\""), None).agrees_with(&version(Some("\"b\""), None)));
        assert!(!version(None, Some("x")).agrees_with(&version(Some("\"b\""), Some("y"))));
    }
}
