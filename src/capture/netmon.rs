//! In: unread bytes of a Network Monitor file (`.cap`, versions 1.x and 2.x). Out: one frame at a time. Bounded: a
//! frame has at most `MAX_FRAME` bytes; of the frame table only a count and a sum are kept. Left to others: buffering,
//! numbering.
//!
//! Format: Microsoft's "Network Monitor capture file format" as Wireshark reads it (wiretap/netmon.c). The frame table
//! comes after the frames, so it cannot guide a reader of a stream: frames are read one after the other, as programs
//! write them, gaps are searched for the next frame, and the table finally shows whether all were found.

use super::record::{Fit, Order, Record, Step, size};
use super::{LinkType, Timestamp};

/// Bytes awaited (or the end of the file) before the first frame is located by its looks.
const LOOK: usize = 4096;
/// Consecutive frames that must look right when a frame is searched for.
const FRAMES: usize = 3;
/// The largest packet that Wireshark accepts.
const MAX_FRAME: u32 = 262_144;
/// A frame found after damage must lie within this many nanoseconds of the start of the capture.
const YEAR: u64 = 366 * 86_400 * 1_000_000_000;
/// 100-nanosecond units from 1601 to 1970.
const FILETIME_EPOCH: i64 = 116_444_736_000_000_000;

/// The state of the file.
#[derive(Debug)]
pub(super) struct NetMon {
    major: u8,
    minor: u8,
    network: u16,
    start: i64,
    table: u64,
    table_length: u64,
    begun: bool,
    /// Frames read, and the sum of their offsets.
    read: (u64, u64),
    /// The frame table so far: number of entries, their sum, whether they ascend.
    listed: (u64, u64),
    ascending: bool,
    last_listed: u32,
}

struct Head {
    /// Nanoseconds since the start of the capture.
    delta: i64,
    wire: u32,
    captured: u32,
}

impl NetMon {
    pub(super) const HEADER: usize = 64;

    /// Whether a file of this format starts with these bytes.
    pub(super) fn is_magic(magic: [u8; 4]) -> bool {
        matches!(&magic, b"RTSS" | b"GMBU")
    }

    /// Reads the file header.
    pub(super) fn header(bytes: &[u8]) -> Result<Self, String> {
        let (minor, major) = (bytes.get(4).copied().unwrap_or_default(), bytes.get(5).copied().unwrap_or_default());
        if !matches!(major, 1 | 2) {
            return Err(format!("Network Monitor's file version {major}.{minor} is not known"));
        }
        let order = Order::LITTLE;
        Ok(Self {
            major,
            minor,
            network: order.u16(bytes, 6),
            start: system_time(bytes),
            table: u64::from(order.u32(bytes, 24)),
            table_length: u64::from(order.u32(bytes, 28)),
            begun: false,
            read: (0, 0),
            listed: (0, 0),
            ascending: true,
            last_listed: 0,
        })
    }

    /// Whether its times are in the local time zone of the capturing computer, which the file does not name.
    pub(super) fn is_local_time(&self) -> bool {
        !self.has_utc()
    }

    fn has_utc(&self) -> bool {
        self.major == 2 && self.minor >= 3
    }

    fn head_len(&self) -> usize {
        if self.major == 1 { 8 } else { 16 }
    }

    /// Bytes after each frame: network (from 2.1), process (from 2.2), UTC time (from 2.3).
    fn tail_len(&self) -> usize {
        match (self.major, self.minor) {
            (1, _) | (2, 0) => 0,
            (2, 1) => 2,
            (2, 2) => 6,
            _ => 15,
        }
    }

    /// Reads the frame or table at the start of `bytes`, which is at `offset` in the file.
    pub(super) fn record(&mut self, bytes: &[u8], offset: u64, at_end: bool) -> Step {
        if !self.begun {
            if bytes.len() < LOOK && !at_end {
                return Step::Needs(LOOK);
            }
            self.begun = true;
            return Step::Skip(self.first(bytes.get(..LOOK).unwrap_or(bytes)));
        }
        if self.table > 0 && offset >= self.table {
            return self.behind_frames(bytes, offset, at_end);
        }
        let head_len = self.head_len();
        if bytes.len() < head_len {
            return Step::Needs(head_len);
        }
        let head = self.head(bytes);
        if head.captured > MAX_FRAME {
            return Step::Damaged(format!("the frame claims {} bytes of data", head.captured));
        }
        let data = head_len..head_len + size(head.captured);
        let whole = data.end + self.tail_len();
        let end = offset.saturating_add(u64::try_from(whole).unwrap_or(u64::MAX));
        if self.table > 0 && end > self.table {
            return Step::Damaged(format!("the frame claims {} bytes and reaches into the frame table", head.captured));
        }
        if bytes.len() < whole {
            return Step::Needs(whole);
        }
        self.read = (self.read.0 + 1, self.read.1.wrapping_add(offset));
        let network = if self.tail_len() > 0 { Order::LITTLE.u16(bytes, data.end) } else { self.network };
        let Some((link_type, skip)) = link_type(network, bytes.get(data.clone()).unwrap_or_default()) else {
            return Step::Skip(whole);
        };
        let skip = skip.min(size(head.captured));
        let record = Record {
            time: self.time(&head, bytes, data.end),
            timed: true,
            wire_len: head.wire.saturating_sub(u32::try_from(skip).unwrap_or_default()),
            link_type,
            data: data.start + skip..data.end,
        };
        Step::Packet(record, whole)
    }

    /// Whether a frame may begin here, `offset` bytes into the file: its header is plausible, and more frames or the
    /// table follow.
    pub(super) fn fit(&self, bytes: &[u8], offset: u64, at_end: bool) -> Fit {
        if self.table > 0 && offset >= self.table {
            return if offset == self.table { Fit::Yes } else { Fit::No };
        }
        self.fits(bytes, offset, FRAMES, at_end)
    }

    fn fits(&self, bytes: &[u8], offset: u64, frames: usize, at_end: bool) -> Fit {
        let (head_len, tail_len) = (self.head_len(), self.tail_len());
        let mut at = 0;
        for _ in 0..frames {
            let place = offset.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
            if at > 0 && self.table > 0 && place == self.table {
                return Fit::Yes;
            }
            let Some(rest) = bytes.get(at..).filter(|rest| rest.len() >= head_len) else {
                let over = at_end && at > 0 && bytes.len() == at;
                return if over { Fit::Yes } else { Fit::needs(at + head_len, at_end) };
            };
            let head = self.head(rest);
            let end = head_len + size(head.captured);
            let fits = head.captured > 0
                && head.captured <= head.wire
                && head.wire <= MAX_FRAME
                && head.delta.unsigned_abs() <= YEAR;
            if !fits {
                return Fit::No;
            }
            if tail_len > 0 {
                let Some(_) = rest.get(..end + tail_len) else {
                    return Fit::needs(at + end + tail_len, at_end);
                };
                if !is_network(Order::LITTLE.u16(rest, end)) {
                    return Fit::No;
                }
            }
            at += end + tail_len;
        }
        if at <= bytes.len() { Fit::Yes } else { Fit::needs(at, at_end) }
    }

    /// Distance of the first frame from the file header: programs pad the header to 128 bytes, Network Monitor 3 to 72.
    /// Chooses the distance at which the most consecutive frames are plausible.
    fn first(&self, bytes: &[u8]) -> usize {
        let places: &[usize] = if self.has_utc() { &[72, 128, 64] } else { &[128, 72, 64] };
        let likely = |place: usize, frames: usize| {
            let offset = u64::try_from(place).unwrap_or_default();
            let rest = bytes.get(place - Self::HEADER..).unwrap_or_default();
            // Frames that extend past the bytes at hand do not count against this distance.
            self.table == offset || matches!(self.fits(rest, offset, frames, false), Fit::Yes | Fit::Needs(_))
        };
        let found = (1..=FRAMES).rev().find_map(|frames| places.iter().find(|&&place| likely(place, frames)));
        found.map_or(128, |&place| place) - Self::HEADER
    }

    fn head(&self, bytes: &[u8]) -> Head {
        let order = Order::LITTLE;
        if self.major == 1 {
            let delta = i64::from(order.u32(bytes, 0)) * 1_000_000;
            return Head { delta, wire: order.u16(bytes, 4).into(), captured: order.u16(bytes, 6).into() };
        }
        // Microseconds times ten, as a signed number: a frame may precede the start.
        let delta = order.u64(bytes, 0).wrapping_mul(10).cast_signed().saturating_mul(100);
        Head { delta, wire: order.u32(bytes, 8), captured: order.u32(bytes, 12) }
    }

    fn time(&self, head: &Head, bytes: &[u8], tail: usize) -> Timestamp {
        if self.has_utc() {
            let units = Order::LITTLE.u64(bytes, tail + 6).cast_signed();
            return Timestamp::from_nanos(units.saturating_sub(FILETIME_EPOCH).saturating_mul(100), 7);
        }
        Timestamp::from_nanos(self.start.saturating_add(head.delta), if self.major == 1 { 3 } else { 6 })
    }

    /// Compares the frame table with the frames read; what follows it (comments, processes) is not used (D-CAPTURE-02).
    fn behind_frames(&mut self, bytes: &[u8], offset: u64, at_end: bool) -> Step {
        let in_table = offset < self.table.saturating_add(self.table_length);
        if bytes.is_empty() || (in_table && bytes.len() < 4 && !at_end) {
            return Step::Needs(4);
        }
        if !in_table || bytes.len() < 4 {
            return Step::Skip(bytes.len());
        }
        let entry = Order::LITTLE.u32(bytes, 0);
        self.listed = (self.listed.0 + 1, self.listed.1.wrapping_add(u64::from(entry)));
        self.ascending &= entry > self.last_listed;
        self.last_listed = entry;
        Step::Skip(4)
    }

    /// How the table contradicts the frames read, if it does; call after the last byte.
    pub(super) fn verdict(&self) -> Option<String> {
        let (read, listed) = (self.read.0, self.listed.0);
        if self.table == 0 || self.table_length == 0 {
            return Some("the file has no table of frames: writing it was not finished; its frames were read as they follow each other".into());
        }
        if self.listed.0 * 4 < self.table_length / 4 * 4 {
            return Some(format!(
                "offset {}: the table of frames is cut; frames were read as they follow each other",
                self.table
            ));
        }
        if self.read != self.listed {
            return Some(format!(
                "offset {}: the table of frames lists {listed} frames, and reading them as they follow each other gave {read}",
                self.table
            ));
        }
        let order =
            "the table of frames has them in another order than the file: frame numbers differ from other programs'";
        (!self.ascending).then(|| format!("offset {}: {order}", self.table))
    }
}

/// The start of the capture in nanoseconds, from eight 16-bit fields: year, month, day of the week, day, hour, minute,
/// second, millisecond. The file does not name the time zone; UTC is assumed.
fn system_time(bytes: &[u8]) -> i64 {
    let field = |index: usize| Order::LITTLE.u16(bytes, 8 + 2 * index);
    let part = |index: usize| u8::try_from(field(index)).unwrap_or_default();
    let month = time::Month::try_from(part(1)).unwrap_or(time::Month::January);
    let date = time::Date::from_calendar_date(i32::from(field(0)), month, part(3));
    let clock = time::Time::from_hms_milli(part(4), part(5), part(6), field(7));
    let at = date.ok().zip(clock.ok()).map(|(date, clock)| date.with_time(clock).assume_utc().unix_timestamp_nanos());
    at.and_then(|nanos| i64::try_from(nanos).ok()).unwrap_or_default()
}

/// Whether Network Monitor has a network of this number.
fn is_network(network: u16) -> bool {
    matches!(network, 0..=11 | 0xe000..=0xefff | 0xffe0 | 0xfffb..=0xffff)
}

/// The link type of a frame, and the length of Network Monitor's own header before it. `None` for frames that are not
/// packets and are not counted: reassembled payloads, lists of adapters, resolved names.
fn link_type(network: u16, data: &[u8]) -> Option<(LinkType, usize)> {
    Some(match network {
        0 | 1 => (LinkType::ETHERNET, 0),
        2 => (LinkType(6), 0),
        3 => (LinkType(10), 0),
        // 802.11 after a header with its length in bytes 1 and 2 (Wireshark's packet-netmon_802_11.c).
        6 => (LinkType(105), usize::from(Order::LITTLE.u16(data, 1)).max(32)),
        7..=9 => (LinkType::RAW, 0),
        0xfffc..=0xfffe => return None,
        0xe080 => (LinkType(105), 0),
        // A converted pcap file: its link type with the upper bits set.
        0xe000..=0xe07f | 0xe08b..=0xefff => (LinkType(network & 0x0fff), 0),
        4 | 5 | 10 | 11 => (LinkType(LinkType::NETMON + network), 0),
        _ => (LinkType(network), 0),
    })
}
