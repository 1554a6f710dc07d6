//! In: unread bytes of a classic pcap file. Out: one record at a time. Bounded: a record has at most `MAX_RECORD`
//! bytes. Left to others: buffering, numbering.
//!
//! Format: draft-ietf-opsawg-pcap. Both byte orders, micro- and nanoseconds, and the variants that Wireshark knows
//! (wiretap/libpcap.c): longer record headers (Kuznetzov's three patches, Nokia), old files with the two lengths
//! swapped, AIX, Ixia. A record header is four numbers, so it is parsed here without a crate.

use super::record::{Fit, MAX_RECORD, Order, Record, Step, size};
use super::{LinkType, Timestamp};

/// Bytes awaited (or the end of the file) before the first record is read, because some variants are recognized only by
/// their first records.
const LOOK: usize = 4096;
/// Records looked at to recognize a variant.
const LOOK_RECORDS: usize = 3;
/// The link type field holds the length of the frame check sequence (draft-ietf-opsawg-pcap, section 4, bit "f").
const FCS_PRESENT: u32 = 0x0400_0000;
/// A record found after damage must lie within this many seconds of the last good one.
const DAYS: i64 = 30 * 86_400;

/// The state of the file, from its header on.
#[derive(Clone, Debug)]
pub(super) struct Pcap {
    order: Order,
    nanoseconds: bool,
    lengths: Lengths,
    /// Length of a record header, once known.
    head: Option<usize>,
    modified: bool,
    snaplen: u32,
    /// Length of the frame check sequence at the end of each frame.
    fcs: u32,
    pub(super) link_type: LinkType,
    last_seconds: Option<i64>,
}

/// Which of the two lengths of a record comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    WireFirst,
    /// Version 2.3: the smaller one is the captured length.
    Either,
}

struct Head {
    seconds: i64,
    fraction: u32,
    captured: u32,
    wire: u32,
}

impl Pcap {
    pub(super) const HEADER: usize = 24;

    /// Whether a file of this format starts with these bytes.
    pub(super) fn is_magic(magic: [u8; 4]) -> bool {
        Self::of_magic(magic).is_some()
    }

    /// Byte order, whether times are in nanoseconds, whether record headers are longer, bytes after the file header.
    fn of_magic(magic: [u8; 4]) -> Option<(Order, bool, bool, usize)> {
        let variant = |magic| match magic {
            0xa1b2_c3d4 => Some((false, false, 0)),
            0xa1b2_3c4d => Some((true, false, 0)),
            0xa1b2_cd34 => Some((false, true, 0)),
            // Ixia's lcap, hardware and software: the total length of all records follows the header.
            0x1c00_01ac => Some((true, false, 4)),
            0x1c00_01ab => Some((false, false, 4)),
            _ => None,
        };
        let big = variant(u32::from_be_bytes(magic)).map(|found| (Order::BIG, found));
        let found = big.or_else(|| variant(u32::from_le_bytes(magic)).map(|found| (Order::LITTLE, found)));
        found.map(|(order, (nanoseconds, modified, extra))| (order, nanoseconds, modified, extra))
    }

    /// Reads the file header of [`HEADER`](Self::HEADER) bytes; returns its length.
    pub(super) fn header(bytes: &[u8]) -> Option<(Self, usize)> {
        let (order, mut nanoseconds, modified, extra) = Self::of_magic(super::record::array(bytes, 0)?)?;
        let version = (order.u16(bytes, 4), order.u16(bytes, 6));
        let mut network = order.u32(bytes, 20);
        let lengths = match version {
            (2, 0..=2) | (543, _) => Lengths::WireFirst,
            (2, 3) => Lengths::Either,
            _ => Lengths::CapturedFirst,
        };
        let standard = !nanoseconds && !modified && extra == 0;
        // AIX writes version 2.2, nanoseconds, and interface types of RFC 1573 as link types.
        let aix = match network {
            6 => Some(1),
            9 => Some(6),
            15 => Some(10),
            24 => Some(0),
            _ => None,
        };
        if let Some(real) = aix.filter(|_| standard && version == (2, 2)) {
            (network, nanoseconds) = (real, true);
        }
        // Only version 2.4 has variants that must be recognized by their records.
        let told = version != (2, 4) || !(standard || modified);
        let fcs = if network & FCS_PRESENT == 0 { 0 } else { (network >> 28) * 2 };
        let pcap = Self {
            order,
            nanoseconds,
            lengths,
            head: told.then_some(16),
            modified,
            snaplen: order.u32(bytes, 16),
            fcs,
            link_type: LinkType(u16::try_from(network & 0xffff).ok()?),
            last_seconds: None,
        };
        Some((pcap, Self::HEADER + extra))
    }

    /// The record at the start of `bytes` and its length; `None` if it is incomplete or not a record.
    #[inline]
    pub(super) fn whole(&mut self, bytes: &[u8]) -> Option<(Record, usize)> {
        let head = self.head?;
        let read = self.head_of(bytes.first_chunk()?);
        let length = head + size(read.captured);
        if read.captured > MAX_RECORD || length > bytes.len() {
            return None;
        }
        self.last_seconds = Some(read.seconds);
        Some((self.record_of(&read, head), length))
    }

    /// Reads the record at the start of `bytes`; with `at_end` no more bytes follow.
    pub(super) fn record(&mut self, bytes: &[u8], at_end: bool) -> Step {
        if let Some((record, length)) = self.whole(bytes) {
            return Step::Packet(record, length);
        }
        let Some(head) = self.head else {
            if bytes.len() < LOOK && !at_end {
                return Step::Needs(LOOK);
            }
            self.head = Some(self.likeliest(bytes.get(..LOOK).unwrap_or(bytes)));
            return Step::Skip(0);
        };
        let Some(start) = bytes.first_chunk().filter(|_| bytes.len() >= head) else {
            return Step::Needs(head);
        };
        let captured = self.head_of(start).captured;
        if captured > MAX_RECORD {
            return Step::Damaged(format!("the record claims {captured} bytes of data"));
        }
        Step::Needs(head + size(captured))
    }

    /// Whether a record may begin here: its header and the next are plausible after those before.
    pub(super) fn fit(&self, bytes: &[u8], at_end: bool) -> Fit {
        let head = self.head.unwrap_or(16);
        let mut at = 0;
        for _ in 0..2 {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(start) = rest.first_chunk().filter(|_| rest.len() >= head) else {
                let over = at_end && at > 0 && rest.is_empty();
                return if over { Fit::Yes } else { Fit::needs(at + head, at_end) };
            };
            let read = self.head_of(start);
            let near = self.last_seconds.is_none_or(|last| (read.seconds - last).abs() <= DAYS);
            let units = if self.nanoseconds { 1_000_000_000 } else { 1_000_000 };
            let fits = near && read.fraction < units && read.captured > 0 && read.captured <= read.wire;
            if !fits || read.captured > self.snaplen.clamp(65_535, 262_144) || read.wire > MAX_RECORD {
                return Fit::No;
            }
            at += head + size(read.captured);
        }
        if at <= bytes.len() { Fit::Yes } else { Fit::needs(at, at_end) }
    }

    /// The four numbers that every record header begins with, however long it is.
    fn head_of(&self, bytes: &[u8; 16]) -> Head {
        let [seconds, fraction, first, second] = [0, 4, 8, 12].map(|at| self.order.u32(bytes, at));
        let swapped = match self.lengths {
            Lengths::CapturedFirst => false,
            Lengths::WireFirst => true,
            Lengths::Either => first > second,
        };
        let (captured, wire) = if swapped { (second, first) } else { (first, second) };
        Head { seconds: seconds.into(), fraction, captured, wire }
    }

    fn record_of(&self, read: &Head, head: usize) -> Record {
        let (scale, digits) = if self.nanoseconds { (1, 9) } else { (1_000, 6) };
        let nanos = read.seconds * 1_000_000_000 + i64::from(read.fraction) * scale;
        // The frame check sequence is not part of the frame's content.
        let wire_len = read.wire.saturating_sub(self.fcs);
        let kept = if self.fcs == 0 { read.captured } else { read.captured.min(wire_len) };
        Record {
            time: Timestamp::from_nanos(nanos, digits),
            timed: true,
            wire_len,
            link_type: self.link_type,
            data: head..head + size(kept),
        }
    }

    /// The record header length with the fewest oddities in the first records, as Wireshark chooses it
    /// (`libpcap_try_variants`); of equals the first.
    fn likeliest(&self, bytes: &[u8]) -> usize {
        let candidates: &[usize] = if self.modified { &[24, 28] } else { &[16, 24, 20] };
        candidates.iter().copied().min_by_key(|&head| self.oddities(bytes, head)).unwrap_or(16)
    }

    fn oddities(&self, bytes: &[u8], head: usize) -> usize {
        let (mut at, mut odd) = (0, 0);
        for _ in 0..LOOK_RECORDS {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(start) = rest.first_chunk().filter(|_| rest.len() >= head) else {
                // A record truncated by the end of the file counts as an oddity, one that only extends past the bytes
                // looked at does not.
                odd += usize::from(bytes.len() < LOOK && (at > bytes.len() || !rest.is_empty()));
                break;
            };
            let read = self.head_of(start);
            odd += usize::from(read.fraction >= 1_000_000);
            odd += usize::from(read.captured > self.snaplen);
            odd += usize::from(read.captured > read.wire);
            odd += usize::from(read.wire > 128 << 20);
            odd += match head {
                // Interface index, EtherType or Linux's number in its place, packet type.
                24 | 28 => {
                    let protocol = self.order.u16(rest, 20);
                    let known = protocol >= 0x600 || matches!(protocol, 0..=0x17 | 0x60 | 0x200 | 0x400);
                    usize::from(self.order.u32(rest, 16) > 10_000)
                        + usize::from(!known)
                        + usize::from(rest.get(22).is_some_and(|&kind| kind > 4))
                }
                // Four undocumented bytes; observed values are 0xXfbfYZ0W, and editcap writes zeros.
                20 => usize::from(!matches!(self.order.u32(rest, 16) & 0x0fff_00f0, 0 | 0x0fbf_0000)),
                _ => 0,
            };
            if read.captured > MAX_RECORD {
                odd += 1;
                break;
            }
            at += head + size(read.captured);
        }
        odd
    }
}
