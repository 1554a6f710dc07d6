//! In: segments of one direction in any order. Out: its bytes in order, each run with its frame, and gaps. Bounded:
//! `limit` bytes held, `COMPARED` bytes kept for comparing copies. Left to others: what the bytes mean.
//!
//! Sequence numbers (RFC 9293) are unwrapped to 64-bit offsets from the first byte. Of several copies of the same
//! bytes, the first with a valid checksum wins, else the first. A side whose checksums were never valid offloads them
//! to its network card, so an invalid one means nothing there.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::capture::{Cut, FrameRef};
use crate::decode::{Checksum, Segment};

/// Bytes kept from the start of a stream, to compare later copies with. A handshake fits.
const COMPARED: usize = 32 * 1024;
/// Memory counted for a held run besides its bytes. Without it, runs of one byte, or of none if truncated, could fill
/// memory.
const RUN: usize = 192;
/// Segments farther ahead than this are ignored: windows are smaller in practice (RFC 7323 section 2 allows more).
pub(super) const WINDOW: u32 = 1 << 24;

/// What a direction yields, in stream order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes.
    Bytes(&'a [u8]),
    /// This many bytes are not in the capture.
    Gap {
        /// How many bytes.
        missing: u64,
        /// How much of the frame was kept, if it was truncated; `None` if a whole segment is missing.
        cut: Option<Cut>,
    },
}

/// One direction of a TCP connection.
#[derive(Debug, Default)]
pub struct Stream {
    /// Sequence number of the byte at `offset`, once known.
    next: Option<u32>,
    /// Bytes delivered or given up as missing so far.
    offset: u64,
    held: BTreeMap<u64, Held>,
    held_bytes: usize,
    /// Copies with an invalid checksum, used only if no better one arrives.
    doubtful: BTreeMap<u64, Held>,
    doubtful_bytes: usize,
    fin: Option<(u64, FrameRef)>,
    /// The capture was synthesized by a program whose SYN takes no sequence number.
    without_syn: bool,
    /// The start of what was delivered, to compare copies with.
    compared: Vec<u8>,
    /// A gap was delivered before `compared` was full, so nothing more is added to it.
    displaced: bool,
    /// The caller no longer needs comparisons or checksums.
    settled: bool,
    valid_seen: bool,
    /// The first copy that differs from bytes already taken, with no checksum to decide which is right.
    conflict: Option<FrameRef>,
}

#[derive(Debug)]
struct Held {
    bytes: Vec<u8>,
    at: FrameRef,
    /// Bytes missing after those captured.
    missing: u32,
    cut: Option<Cut>,
}

impl Stream {
    /// Takes a segment, and passes the bytes that are now in order to `sink`. At most `limit` bytes after a hole are
    /// held; beyond that the missing bytes count as lost.
    pub fn push(&mut self, segment: &Segment<'_>, limit: usize, sink: &mut impl FnMut(Piece<'_>, FrameRef)) {
        let first = segment.sequence.wrapping_add(u32::from(segment.flags.syn));
        if segment.flags.syn && self.next.is_none() {
            self.next = Some(first);
            self.valid_seen |= segment.checksum() == Checksum::Valid;
        }
        let length = u64::try_from(segment.payload.len()).unwrap_or_default();
        if !segment.carries_data() && !segment.flags.fin {
            return;
        }
        let next = *self.next.get_or_insert(first);
        let Some(start) = self.unwrap(first, next).or_else(|| self.without_syn(segment)) else {
            // Before the first byte seen: the capture starts mid-stream with segments out of order.
            return;
        };
        let wire = length + u64::from(segment.missing);
        // A keep-alive repeats one acknowledged byte with an arbitrary value (RFC 9293 section 3.8.4).
        if wire == 1 && start.saturating_add(1) == self.offset {
            return;
        }
        let end = start.saturating_add(wire);
        // Data after a FIN, or a FIN beyond any window, shows that the FIN was not this side's.
        if self.fin.is_some_and(|(known, _)| end > known) {
            self.fin = None;
        }
        if segment.flags.fin && end.saturating_sub(self.offset) < u64::from(WINDOW) {
            // A FIN with nothing missing before it is this side's, whatever FIN came earlier.
            self.fin.take_if(|(known, _)| start <= self.offset && end < *known);
            self.fin.get_or_insert((end, segment.at));
        }
        if wire > 0 {
            self.take(segment, start, limit, sink);
            self.drain(sink);
            while self.held_bytes > limit {
                self.give_up_hole(sink);
            }
        }
    }

    /// The frame of the first FIN, whether or not all bytes before it arrived.
    pub fn fin(&self) -> Option<&FrameRef> {
        self.fin.as_ref().map(|(_, at)| at)
    }

    /// The sequence number after the FIN.
    pub(super) fn fin_number(&self) -> Option<u32> {
        let (end, _) = self.fin?;
        let ahead = u32::try_from(end.saturating_sub(self.offset) & 0xffff_ffff).unwrap_or_default();
        self.next.map(|next| next.wrapping_add(ahead).wrapping_add(1))
    }

    /// How many bytes are missing before the FIN; 0 if there is no FIN.
    pub(super) fn bytes_before_fin(&self) -> u64 {
        self.fin.map_or(0, |(end, _)| end.saturating_sub(self.offset))
    }

    /// Drops a FIN that did not come from this side.
    pub(super) fn forget_fin(&mut self) {
        self.fin = None;
    }

    /// The sequence number of the next byte in order, if known.
    pub(super) fn next(&self) -> Option<u32> {
        self.next
    }

    /// Whether nothing but a SYN has come.
    pub(super) fn is_at_start(&self) -> bool {
        self.offset == 0 && self.held.is_empty() && self.doubtful.is_empty() && self.fin.is_none()
    }

    /// Starts again after another SYN.
    pub(super) fn start_at(&mut self, next: u32) {
        self.next = Some(next);
    }

    /// Takes the copies with a wrong checksum up to an acknowledgment: the receiver had no other, so their checksums were
    /// left to the network card, or belong to segments that the card merged (docs/verdict.md, step 10;
    /// D-FLOW-10).
    pub(super) fn acknowledge(&mut self, to: u32, sink: &mut impl FnMut(Piece<'_>, FrameRef)) {
        let Some(to) = self.next.filter(|_| !self.doubtful.is_empty()).and_then(|next| self.unwrap(to, next)) else {
            return;
        };
        while let Some(copy) = self.doubtful.first_entry().filter(|copy| copy.key() + copy.get().length() <= to) {
            let (start, copy) = copy.remove_entry();
            self.doubtful_bytes -= copy.bytes.len() + RUN;
            self.hold(&copy.bytes, start, (copy.missing, copy.cut), copy.at);
        }
        self.drain(sink);
    }

    /// The sequence number after the bytes in order and the FIN, if known.
    pub fn behind(&self) -> Option<u32> {
        // A program that gives SYN no number may acknowledge one for it nevertheless.
        let numbers = u32::from(self.fin.is_some()) + u32::from(self.without_syn);
        self.next.map(|next| next.wrapping_add(numbers))
    }

    /// The frame of a copy that differs from another, if nothing shows which one the receiver took.
    pub fn conflict(&self) -> Option<FrameRef> {
        self.conflict
    }

    /// Bytes held and kept.
    pub fn kept_bytes(&self) -> usize {
        self.held_bytes + self.doubtful_bytes + self.compared.len()
    }

    /// A new stream that keeps its start in this buffer.
    pub fn within(room: Vec<u8>) -> Self {
        Self { compared: room, ..Self::default() }
    }

    /// Ends comparisons, and returns the buffer of the stream's start, emptied.
    pub fn settle(&mut self) -> Option<Vec<u8>> {
        self.settled = true;
        if self.compared.capacity() == 0 {
            return None;
        }
        self.compared.clear();
        Some(std::mem::take(&mut self.compared))
    }

    /// Delivers everything still held, with gaps where bytes are missing; missing bytes at the end are known from the
    /// FIN.
    pub fn finish(&mut self, sink: &mut impl FnMut(Piece<'_>, FrameRef)) {
        while !self.held.is_empty() || !self.doubtful.is_empty() {
            self.give_up_hole(sink);
        }
        if let Some((end, at)) = self.fin {
            self.skip_to(end, at, sink);
        }
    }

    fn unwrap(&self, sequence: u32, next: u32) -> Option<u64> {
        let ahead = sequence.wrapping_sub(next);
        if ahead < 0x8000_0000 {
            self.offset.checked_add(u64::from(ahead))
        } else {
            self.offset.checked_sub(u64::from(next.wrapping_sub(sequence)))
        }
    }

    /// Proxies that write captures may forget that SYN takes a sequence number (RFC 9293 section 3.4): the first data
    /// then starts at the SYN's number. A single byte there is a keep-alive.
    fn without_syn(&mut self, segment: &Segment<'_>) -> Option<u64> {
        let next = self.next.filter(|next| segment.sequence.wrapping_add(1) == *next)?;
        let first = self.offset == 0 && self.held.is_empty() && self.doubtful.is_empty();
        let says = segment.payload.len() > 1 || segment.flags.fin;
        (first && says && !segment.flags.syn).then(|| {
            self.next = Some(next.wrapping_sub(1));
            self.without_syn = true;
            0
        })
    }

    fn take(&mut self, segment: &Segment<'_>, start: u64, limit: usize, sink: &mut impl FnMut(Piece<'_>, FrameRef)) {
        let in_order = start == self.offset && self.held.is_empty() && self.doubtful.is_empty();
        if self.settled && in_order {
            // The hot path of a long connection: no computation, copy or allocation.
            self.deliver(segment.payload, (segment.missing, segment.cut), segment.at, sink);
            return;
        }
        let checksum = segment.checksum();
        self.valid_seen |= checksum == Checksum::Valid;
        if checksum == Checksum::Invalid && self.valid_seen {
            if start >= self.offset
                && self.doubtful_bytes < limit
                && let Entry::Vacant(place) = self.doubtful.entry(start)
            {
                self.doubtful_bytes += segment.payload.len() + RUN;
                place.insert(Held::of(segment));
            }
            return;
        }
        self.compare(segment, start);
        if in_order {
            self.deliver(segment.payload, (segment.missing, segment.cut), segment.at, sink);
        } else {
            self.hold(segment.payload, start, (segment.missing, segment.cut), segment.at);
        }
    }

    /// Holds what a copy adds to the bytes delivered and held.
    fn hold(&mut self, bytes: &[u8], start: u64, (missing, cut): (u32, Option<Cut>), at: FrameRef) {
        let (mut start, mut bytes) = (start, bytes);
        if start < self.offset {
            let known = usize::try_from(self.offset - start).unwrap_or(usize::MAX);
            if known >= bytes.len() {
                return;
            }
            bytes = bytes.get(known..).unwrap_or_default();
            start = self.offset;
        }
        // Fills only the holes between held runs: the first copy stays.
        while !bytes.is_empty() || missing > 0 {
            let before = self.held.range(..=start).next_back().map(|(at, held)| at + held.length());
            if let Some(end) = before.filter(|end| *end > start) {
                let known = usize::try_from(end - start).unwrap_or(usize::MAX);
                if known >= bytes.len() {
                    return;
                }
                bytes = bytes.get(known..).unwrap_or_default();
                start = end;
                continue;
            }
            let room = self
                .held
                .range(start + 1..)
                .next()
                .map_or(usize::MAX, |(at, _)| usize::try_from(at - start).unwrap_or(usize::MAX));
            let take = bytes.len().min(room);
            let (now, later) = bytes.split_at_checked(take).unwrap_or((bytes, &[]));
            // Bytes that the next run holds are not missing.
            let unfilled = u32::try_from(room - now.len()).unwrap_or(u32::MAX);
            let missing_now = if later.is_empty() { missing.min(unfilled) } else { 0 };
            self.held_bytes += now.len() + RUN;
            let held = Held { bytes: now.to_vec(), at, missing: missing_now, cut };
            self.held.insert(start, held);
            start += u64::try_from(now.len()).unwrap_or_default();
            bytes = later;
            if later.is_empty() {
                return;
            }
        }
    }

    /// Delivers held runs that are now in order.
    fn drain(&mut self, sink: &mut impl FnMut(Piece<'_>, FrameRef)) {
        while let Some(entry) = self.held.first_entry() {
            if *entry.key() > self.offset {
                break;
            }
            let (start, held) = entry.remove_entry();
            self.held_bytes -= held.bytes.len() + RUN;
            let known = usize::try_from(self.offset - start).unwrap_or(usize::MAX);
            if let Some(bytes) = held.bytes.get(known..) {
                self.deliver(bytes, (held.missing, held.cut), held.at, sink);
            }
        }
        let offset = self.offset;
        if self.doubtful.first_key_value().is_some_and(|(start, _)| *start < offset) {
            self.doubtful.retain(|start, held| start + held.length() > offset);
            self.doubtful_bytes = self.doubtful.values().map(|held| held.bytes.len() + RUN).sum();
        }
    }

    /// Gives up the bytes before the first held run: delivers a doubtful copy if there is one, else a gap.
    fn give_up_hole(&mut self, sink: &mut impl FnMut(Piece<'_>, FrameRef)) {
        let first_held = self.held.first_key_value().map(|(start, held)| (*start, held.at));
        let doubtful = self.doubtful.first_key_value().map(|(start, _)| *start);
        if let Some(start) = doubtful.filter(|start| first_held.is_none_or(|(held, _)| *start < held)) {
            if let Some(copy) = self.doubtful.remove(&start) {
                self.doubtful_bytes -= copy.bytes.len() + RUN;
                self.skip_to(start, copy.at, sink);
                let known = usize::try_from(self.offset.saturating_sub(start)).unwrap_or(usize::MAX);
                let room = first_held.map_or(usize::MAX, |(held, _)| {
                    usize::try_from(held.saturating_sub(self.offset)).unwrap_or(usize::MAX)
                });
                let bytes = copy.bytes.get(known..).unwrap_or_default();
                self.deliver(bytes.get(..bytes.len().min(room)).unwrap_or_default(), (0, None), copy.at, sink);
            }
        } else if let Some((start, at)) = first_held {
            self.skip_to(start, at, sink);
        }
        self.drain(sink);
    }

    fn skip_to(&mut self, start: u64, at: FrameRef, sink: &mut impl FnMut(Piece<'_>, FrameRef)) {
        let missing = start.saturating_sub(self.offset);
        if missing > 0 {
            self.settle_comparison(missing);
            self.advance(missing);
            sink(Piece::Gap { missing, cut: None }, at);
        }
    }

    fn deliver(
        &mut self,
        bytes: &[u8],
        (missing, cut): (u32, Option<Cut>),
        at: FrameRef,
        sink: &mut impl FnMut(Piece<'_>, FrameRef),
    ) {
        if !self.settled && !self.displaced && self.compared.len() < COMPARED {
            let room = COMPARED - self.compared.len();
            self.compared.extend_from_slice(bytes.get(..bytes.len().min(room)).unwrap_or_default());
        }
        self.advance(u64::try_from(bytes.len()).unwrap_or_default());
        if !bytes.is_empty() {
            sink(Piece::Bytes(bytes), at);
        }
        if missing > 0 {
            self.settle_comparison(u64::from(missing));
            self.advance(u64::from(missing));
            sink(Piece::Gap { missing: u64::from(missing), cut }, at);
        }
    }

    /// After a gap, positions in the kept start no longer equal stream offsets, so nothing more is added to it.
    fn settle_comparison(&mut self, missing: u64) {
        if missing > 0 && self.compared.len() < COMPARED {
            self.displaced = true;
            self.compared = Vec::new();
        }
    }

    fn advance(&mut self, count: u64) {
        self.offset += count;
        let count = u32::try_from(count & 0xffff_ffff).unwrap_or_default();
        self.next = self.next.map(|next| next.wrapping_add(count));
    }

    /// Compares a copy with what is already taken.
    fn compare(&mut self, segment: &Segment<'_>, start: u64) {
        let new = start >= self.offset && self.held.is_empty();
        if new || self.conflict.is_some() || self.settled {
            return;
        }
        let differs = |known_start: u64, known: &[u8]| {
            let from = start.max(known_start);
            let slice = |base: u64, bytes: &[u8]| {
                let skip = usize::try_from(from - base).unwrap_or(usize::MAX);
                bytes.get(skip..).unwrap_or_default().to_vec()
            };
            let (new, old) = (slice(start, segment.payload), slice(known_start, known));
            new.iter().zip(&old).any(|(a, b)| a != b)
        };
        let overlaps_start = start < self.offset && start < u64::try_from(self.compared.len()).unwrap_or_default();
        let end = start.saturating_add(u64::try_from(segment.payload.len()).unwrap_or_default());
        // Held runs do not overlap one another, so those that overlap this segment are the last before its end.
        let mut overlapping =
            self.held.range(..end).rev().take_while(|(at, held)| at.saturating_add(held.length()) > start);
        let conflict =
            (overlaps_start && differs(0, &self.compared)) || overlapping.any(|(at, held)| differs(*at, &held.bytes));
        if conflict {
            self.conflict = Some(segment.at);
        }
    }
}

impl Held {
    fn of(segment: &Segment<'_>) -> Self {
        Self { bytes: segment.payload.to_vec(), at: segment.at, missing: segment.missing, cut: segment.cut }
    }

    fn length(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or_default() + u64::from(self.missing)
    }
}
