//! In: parts of bodies, as answers bring them. Out: the whole body, once the parts of one file make it up. Bounded:
//! `MAX_FILES` files under way, each of at most the length that `protocol/http` reads, and `MAX_BYTES` of all. Left to
//! others: what is in the body.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use crate::capture::FrameRef;
use crate::protocol::http::{FileVersion, Part};

/// Files that are under way at once; a device asks for a handful of certificates. The one that waits longest is dropped.
const MAX_FILES: usize = 64;
/// Parts of one file; a client that asks for more is not one that fetches certificates.
const MAX_PARTS: usize = 256;
/// Bytes of all their parts; files of certificates have a few thousand.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Who asked which server for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) recording: u32,
    pub(super) client: IpAddr,
    pub(super) server: SocketAddr,
    pub(super) url: String,
}

/// Files of which some bytes are there (D-EVIDENCE-19).
#[derive(Debug, Default)]
pub(super) struct Parts {
    files: VecDeque<File>,
    bytes: usize,
}

/// A body that was put together.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) bytes: Vec<u8>,
    pub(super) codings: Vec<String>,
    /// The requests for its parts.
    pub(super) requests: Vec<FrameRef>,
    /// The last frame of the last answer.
    pub(super) last: FrameRef,
}

#[derive(Debug)]
struct File {
    asked: Asked,
    total: u64,
    version: FileVersion,
    codings: Vec<String>,
    /// Offset, bytes, frame of the request and last frame of the answer, by offset.
    parts: Vec<(usize, Vec<u8>, FrameRef, FrameRef)>,
}

impl Parts {
    /// Adds a part; returns the whole body if it was the last one that lacked.
    pub(super) fn add(&mut self, asked: &Asked, part: Part, request: FrameRef, last: FrameRef) -> Option<Whole> {
        let offset = usize::try_from(part.offset).ok()?;
        let same = |file: &File| file.asked == *asked && file.is_of(&part);
        let mut file = match self.files.iter().position(same) {
            Some(known) => self.files.remove(known)?,
            None => File {
                asked: asked.clone(),
                total: part.total,
                version: part.version,
                codings: part.codings,
                parts: Vec::new(),
            },
        };
        self.bytes = self.bytes.saturating_sub(file.held());
        let place = file.parts.partition_point(|(other, ..)| *other <= offset);
        file.parts.insert(place, (offset, part.bytes, request, last));
        if let Some(whole) = file.whole() {
            return Some(whole);
        }
        if file.parts.len() < MAX_PARTS {
            self.bytes += file.held();
            self.files.push_back(file);
        }
        while self.files.len() > MAX_FILES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.files.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(oldest.held());
        }
        None
    }
}

impl File {
    /// Whether the part may be one of this version of the file: nothing that both tell differs, nor any byte.
    fn is_of(&self, part: &Part) -> bool {
        let Ok(offset) = usize::try_from(part.offset) else { return false };
        let alike = |(other, bytes, ..): &(usize, Vec<u8>, FrameRef, FrameRef)| {
            let (first, second) = (offset.max(*other), (offset + part.bytes.len()).min(other + bytes.len()));
            first >= second
                || part.bytes.get(first - offset..second - offset) == bytes.get(first - other..second - other)
        };
        self.total == part.total
            && self.codings == part.codings
            && self.version.agrees_with(&part.version)
            && self.parts.iter().all(alike)
    }

    fn held(&self) -> usize {
        self.parts.iter().map(|(_, bytes, ..)| bytes.len()).sum()
    }

    /// The body, if its parts leave no gap.
    fn whole(&self) -> Option<Whole> {
        let mut body: Vec<u8> = Vec::new();
        for (offset, bytes, ..) in &self.parts {
            body.extend_from_slice(bytes.get(body.len().checked_sub(*offset)?..).unwrap_or_default());
        }
        let last = self.parts.iter().map(|(.., last)| *last).max_by_key(FrameRef::place)?;
        let is_whole = usize::try_from(self.total).is_ok_and(|total| body.len() == total);
        let requests = self.parts.iter().map(|(_, _, request, _)| *request).collect();
        is_whole.then(|| Whole { bytes: body, codings: self.codings.clone(), requests, last })
    }
}
