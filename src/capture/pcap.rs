//! In: unread bytes of a classic pcap file. Out: one record at a time. Bounded: a record claims at most `MAX_RECORD`
//! bytes. Left to others: buffering, numbering.
//!
//! Format: draft-ietf-opsawg-pcap. Both byte orders, micro- and nanoseconds, and the relatives that Wireshark knows
//! (wiretap/libpcap.c): longer record headers (Kuznetzov's three patches, Nokia), old files with the two lengths the
//! other way round, AIX, Ixia. Four numbers make a record, so they are read here.

use super::record::{Fit, MAX_RECORD, Order, Record, Step, size};
use super::{LinkType, Timestamp};

/// Before the first record is read, so much of the file is awaited (or its end): some relatives are told by what their
/// first records look like.
const LOOK: usize = 4096;
/// Records looked at to tell them.
const LOOK_RECORDS: usize = 3;
/// The frame check sequence's length is there (draft-ietf-opsawg-pcap, section 4, bit "f").
const FCS_PRESENT: u32 = 0x0400_0000;
/// A record found after damage lies within so many seconds of the last good one.
const DAYS: i64 = 30 * 86_400;

/// What the file header said.
#[derive(Clone, Debug)]
pub(super) struct Pcap {
    order: Order,
    nanoseconds: bool,
    lengths: Lengths,
    /// Bytes of a record's header, once told.
    head: Option<usize>,
    modified: bool,
    snaplen: u32,
    /// Bytes of frame check sequence at the end of each frame.
    fcs: u32,
    pub(super) link_type: LinkType,
    last_seconds: Option<i64>,
}

/// Which of the two lengths of a record comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    WireFirst,
    /// Version 2.3: the smaller is the captured one.
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

    /// Whether these four bytes open such a file.
    pub(super) fn is_magic(magic: [u8; 4]) -> bool {
        Self::of_magic(magic).is_some()
    }

    /// Byte order, whether times are in nanoseconds, whether records have longer headers, bytes after the file header.
    fn of_magic(magic: [u8; 4]) -> Option<(Order, bool, bool, usize)> {
        let variant = |magic| match magic {
            0xa1b2_c3d4 => Some((false, false, 0)),
            0xa1b2_3c4d => Some((true, false, 0)),
            0xa1b2_cd34 => Some((false, true, 0)),
            // Ixia's lcap, of hardware and software: the length of all records follows the header.
            0x1c00_01ac => Some((true, false, 4)),
            0x1c00_01ab => Some((false, false, 4)),
            _ => None,
        };
        let big = variant(u32::from_be_bytes(magic)).map(|found| (Order::BIG, found));
        let found = big.or_else(|| variant(u32::from_le_bytes(magic)).map(|found| (Order::LITTLE, found)));
        found.map(|(order, (nanoseconds, modified, extra))| (order, nanoseconds, modified, extra))
    }

    /// Reads the file header, [`HEADER`](Self::HEADER) bytes, and says how long it is.
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
        // AIX writes version 2.2, nanoseconds, and its own numbers for the link (RFC 1573's).
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
        // Only files of version 2.4 have relatives that must be told by their records.
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

    /// The record at the start of `bytes`, and how long it is; `None` where it is not whole, or not a record.
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

    /// Reads the record at the start of `bytes`; `at_end` where there are no more.
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

    /// Whether a record may begin here: its header and the next one's are like those before.
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

    /// Every record begins with these four numbers, however long its header is.
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
        // The frame check sequence is no part of what the frame carries.
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

    /// The length of record headers that leaves the fewest oddities in the first records (Wireshark's way,
    /// `libpcap_try_variants`); of equals the first.
    fn likeliest(&self, bytes: &[u8]) -> usize {
        let candidates: &[usize] = if self.modified { &[24, 28] } else { &[16, 24, 20] };
        candidates.iter().copied().min_by_key(|&head| self.oddities(bytes, head)).unwrap_or(16)
    }

    fn oddities(&self, bytes: &[u8], head: usize) -> usize {
        let (mut at, mut odd) = (0, 0);
        for _ in 0..LOOK_RECORDS {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(start) = rest.first_chunk().filter(|_| rest.len() >= head) else {
                // A record that the file cuts speaks against the format; one that only reaches out of the look does not.
                odd += usize::from(bytes.len() < LOOK && (at > bytes.len() || !rest.is_empty()));
                break;
            };
            let read = self.head_of(start);
            odd += usize::from(read.fraction >= 1_000_000);
            odd += usize::from(read.captured > self.snaplen);
            odd += usize::from(read.captured > read.wire);
            odd += usize::from(read.wire > 128 << 20);
            odd += match head {
                // Interface index, Ethertype or Linux's number in its place, kind of packet.
                24 | 28 => {
                    let protocol = self.order.u16(rest, 20);
                    let known = protocol >= 0x600 || matches!(protocol, 0..=0x17 | 0x60 | 0x200 | 0x400);
                    usize::from(self.order.u32(rest, 16) > 10_000)
                        + usize::from(!known)
                        + usize::from(rest.get(22).is_some_and(|&kind| kind > 4))
                }
                // Four bytes that nobody explains; those seen are 0xXfbfYZ0W, and editcap writes zeros.
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
