//! The body of one answer, if it is worth keeping, and the certificates in it.
//!
//! In: the pieces of a body as they arrive, and the holes. Out: certificates, and what was wrong in plain words.
//! Bounded: `MAX_BODY` bytes before and after decoding; a body whose start is of no interest is only counted. Left to
//! others: where the body ends, and whether certificates were expected in it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{ErrorKind, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::protocol::body::{FoundCertificate, certificates_in, may_hold_certificates};

/// Most bytes kept of a body, before and after decoding: a few hundred certificates.
pub(super) const MAX_BODY: usize = 1024 * 1024;
/// Bytes of a body of unknown kind after which it is kept or dropped.
const SNIFFED: usize = 1024;
const MAX_HOLES: usize = 256;
pub(super) const MAX_CODINGS: usize = 3;

/// A body that is being received.
#[derive(Debug)]
pub(super) struct KeptBody {
    policy: Policy,
    bytes: Vec<u8>,
    /// Offsets in `bytes` at which bytes are missing.
    holes: Vec<usize>,
    codings: Vec<String>,
    /// Bytes received.
    pub(super) seen: u64,
    /// Bytes missing from the capture.
    pub(super) missing: u64,
    overflows: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Keep,
    /// To be decided when [`SNIFFED`] bytes are there.
    Sniff,
    Skip,
}

/// The result of reading a body.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) certificates: Vec<FoundCertificate>,
    /// Why it could not be read to its end.
    pub(super) trouble: Option<String>,
    /// What to report if certificates were expected and none was found.
    pub(super) nothing: &'static str,
    /// The bytes received, where all of them were kept.
    pub(super) bytes: Vec<u8>,
    /// The codings that were applied to them.
    pub(super) codings: Vec<String>,
}

impl KeptBody {
    /// `codings` in the order of application; with `keep`, the body is kept whatever its start is.
    pub(super) fn new(codings: Vec<String>, keep: bool) -> Self {
        let policy = if keep { Policy::Keep } else { Policy::Sniff };
        Self { policy, bytes: Vec::new(), holes: Vec::new(), codings, seen: 0, missing: 0, overflows: false }
    }

    pub(super) fn push(&mut self, piece: &[u8]) {
        self.seen = self.seen.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if self.policy == Policy::Skip {
            return;
        }
        let room = MAX_BODY - self.bytes.len();
        self.overflows |= piece.len() > room;
        self.bytes.extend_from_slice(piece.get(..room).unwrap_or(piece));
        if self.policy == Policy::Sniff && self.bytes.len() >= SNIFFED {
            let start = self.bytes.get(..SNIFFED).unwrap_or_default();
            let keep = may_hold_certificates(&decode(start, &self.applied(), SNIFFED).0);
            self.policy = if keep { Policy::Keep } else { Policy::Skip };
            if !keep {
                self.bytes = Vec::new();
                self.holes = Vec::new();
            }
        }
    }

    pub(super) fn hole(&mut self, missing: u64) {
        self.missing = self.missing.saturating_add(missing);
        if self.policy != Policy::Skip && self.holes.last() != Some(&self.bytes.len()) && self.holes.len() < MAX_HOLES {
            self.holes.push(self.bytes.len());
        }
    }

    /// The codings that were declared, or else gzip where the body begins like it (RFC 1952 section 2.3.1): servers send
    /// files that they store compressed without saying so (D-PROTOCOL-18).
    fn applied(&self) -> Cow<'_, [String]> {
        match self.bytes.as_slice() {
            [0x1f, 0x8b, 8, ..] if self.codings.is_empty() => Cow::Owned(vec!["gzip".to_owned()]),
            _ => Cow::Borrowed(&self.codings),
        }
    }

    /// Bytes held at present.
    pub(super) fn held(&self) -> usize {
        self.bytes.len()
    }

    /// The certificates in it. After a hole only complete ones are found, and none if the body is compressed.
    pub(super) fn contents(self, content_type: Option<&str>) -> Contents {
        if self.policy == Policy::Skip {
            return Contents { nothing: "no certificate in the body", ..Contents::default() };
        }
        let start = self.bytes.get(..self.holes.first().copied().unwrap_or(self.bytes.len())).unwrap_or_default();
        let codings = self.applied();
        let (decoded, mut trouble) = decode(start, &codings, MAX_BODY);
        let mut certificates = certificates_in(&decoded, content_type);
        if codings.is_empty() && !self.holes.is_empty() {
            let ends = self.holes.iter().skip(1).copied().chain([self.bytes.len()]);
            let mut known: HashSet<_> = certificates.iter().map(|one| one.der.clone()).collect();
            for (begin, end) in self.holes.iter().zip(ends) {
                let behind = certificates_in(self.bytes.get(*begin..end).unwrap_or_default(), None);
                certificates.extend(behind.into_iter().filter(|one| known.insert(one.der.clone())));
            }
        }
        if !self.holes.is_empty() {
            // The hole is the problem to report, not the decoder's error at it.
            trouble = None;
        }
        if self.overflows && trouble.is_none() {
            trouble = Some("the body is longer than 1 MiB; the rest was not looked at".to_owned());
        }
        let nothing = nothing_in(&decoded, content_type);
        let kept = self.holes.is_empty() && !self.overflows;
        Contents {
            certificates,
            trouble,
            nothing,
            bytes: if kept { self.bytes } else { Vec::new() },
            codings: self.codings,
        }
    }
}

/// Describes a body without a certificate.
fn nothing_in(body: &[u8], content_type: Option<&str>) -> &'static str {
    let start = body.get(..body.len().min(512)).unwrap_or_default().trim_ascii_start().to_ascii_lowercase();
    let declared = content_type.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"));
    let holds = |needle: &[u8]| memchr::memmem::find(body, needle).is_some();
    if body.is_empty() {
        "the body is empty"
    } else if start.starts_with(b"<!doctype html") || start.starts_with(b"<html") {
        "body is HTML, no certificate in it"
    } else if start.starts_with(b"<") && holds(b"Envelope") && holds(b"Fault") {
        "body is a SOAP fault, no certificate in it"
    } else if start.starts_with(b"<?xml") || (start.starts_with(b"<") && !declared) {
        "body is XML, no certificate in it"
    } else if declared {
        "body is HTML, no certificate in it"
    } else {
        "no certificate in the body"
    }
}

/// Undoes the codings, last applied first, up to `limit` bytes. Also returns what was wrong.
fn decode<'a>(body: &'a [u8], codings: &[String], limit: usize) -> (Cow<'a, [u8]>, Option<String>) {
    let mut decoded = Cow::Borrowed(body);
    if body.is_empty() {
        return (decoded, None);
    }
    if codings.len() > MAX_CODINGS {
        return (Cow::Borrowed(&[]), Some(format!("body is encoded more than {MAX_CODINGS} times")));
    }
    for coding in codings.iter().rev() {
        let (next, trouble) = match coding.as_str() {
            "gzip" | "x-gzip" => inflate(MultiGzDecoder::new(&*decoded), limit),
            // The coding deflate is the zlib format (RFC 9110 section 8.4.1.2), but some servers omit the zlib wrapper.
            "deflate" if has_zlib_header(&decoded) => inflate(ZlibDecoder::new(&*decoded), limit),
            "deflate" => inflate(DeflateDecoder::new(&*decoded), limit),
            _ => return (Cow::Borrowed(&[]), Some(format!("body is encoded with {coding:?}, which is not read"))),
        };
        let trouble = match trouble {
            Some(Ended::Damaged) => Some(format!("{coding} body damaged after {} decoded bytes", next.len())),
            Some(Ended::Cut) => Some(format!("{coding} body ends after {} decoded bytes, before its end", next.len())),
            Some(Ended::Limit) => Some("the decoded body is longer than 1 MiB; the rest was not looked at".to_owned()),
            None => None,
        };
        decoded = Cow::Owned(next);
        if trouble.is_some() {
            return (decoded, trouble);
        }
    }
    (decoded, None)
}

fn has_zlib_header(bytes: &[u8]) -> bool {
    matches!(bytes, [first, second, ..] if first & 0x0F == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0)
}

enum Ended {
    Damaged,
    Cut,
    Limit,
}

/// Everything a decoder yields, up to `limit` bytes, and the error that stopped it.
fn inflate(mut decoder: impl Read, limit: usize) -> (Vec<u8>, Option<Ended>) {
    let mut decoded = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match decoder.read(&mut piece) {
            Ok(0) => return (decoded, None),
            Ok(count) => decoded.extend_from_slice(piece.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return (decoded, Some(Ended::Cut)),
            Err(_) => return (decoded, Some(Ended::Damaged)),
        }
        if decoded.len() > limit {
            decoded.truncate(limit);
            return (decoded, Some(Ended::Limit));
        }
    }
}
