//! In: frames. Out: capture files that no program at hand writes. Left to others: reading them.
//!
//! pcapng is draft-ietf-opsawg-pcapng; its sections are named where a block or an option is written.

use super::read::Frame;

/// Writes numbers in one byte order.
#[derive(Clone, Copy)]
pub(crate) struct Order(pub(crate) bool);

pub(crate) const LITTLE: Order = Order(false);
pub(crate) const BIG: Order = Order(true);

impl Order {
    pub(crate) fn u16(self, value: u16) -> Vec<u8> {
        if self.0 { value.to_be_bytes().to_vec() } else { value.to_le_bytes().to_vec() }
    }

    pub(crate) fn u32(self, value: usize) -> Vec<u8> {
        let value = u32::try_from(value).unwrap();
        if self.0 { value.to_be_bytes().to_vec() } else { value.to_le_bytes().to_vec() }
    }

    pub(crate) fn u64(self, value: u64) -> Vec<u8> {
        if self.0 { value.to_be_bytes().to_vec() } else { value.to_le_bytes().to_vec() }
    }

    pub(crate) fn block(self, kind: usize, body: &[u8]) -> Vec<u8> {
        let length = self.u32(body.len() + 12);
        [self.u32(kind), length.clone(), body.to_vec(), length].concat()
    }

    /// Section 3.5: code, length, value, padding; then the end of options.
    pub(crate) fn options(self, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let one = |(code, value): &(u16, Vec<u8>)| {
            [self.u16(*code), self.u16(u16::try_from(value.len()).unwrap()), padded(value)].concat()
        };
        let end = if options.is_empty() { Vec::new() } else { vec![0; 4] };
        [options.iter().flat_map(one).collect(), end].concat()
    }

    /// Section 4.1.
    pub(crate) fn section(self) -> Vec<u8> {
        self.block(0x0a0d_0d0a, &[self.u32(0x1a2b_3c4d), self.u16(1), self.u16(0), vec![0xff; 8]].concat())
    }

    /// Section 4.2.
    pub(crate) fn interface(self, link_type: u16, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
        self.block(1, &[self.u16(link_type), self.u16(0), self.u32(262_144), self.options(options)].concat())
    }

    /// Section 4.3.
    pub(crate) fn packet(self, interface: usize, ticks: u64, data: &[u8], options: &[(u16, Vec<u8>)]) -> Vec<u8> {
        self.block(6, &[self.u32(interface), self.timed(ticks, data), self.options(options)].concat())
    }

    /// Appendix A: the obsolete packet block.
    pub(crate) fn old_packet(self, interface: u16, lost: u16, ticks: u64, data: &[u8]) -> Vec<u8> {
        self.block(2, &[self.u16(interface), self.u16(lost), self.timed(ticks, data)].concat())
    }

    fn timed(self, ticks: u64, data: &[u8]) -> Vec<u8> {
        let (high, low) = (ticks >> 32, ticks & 0xffff_ffff);
        let half = |half: u64| self.u32(usize::try_from(half).unwrap());
        [half(high), half(low), self.u32(data.len()), self.u32(data.len()), padded(data)].concat()
    }

    /// Section 4.4.
    pub(crate) fn simple_packet(self, data: &[u8]) -> Vec<u8> {
        self.block(3, &[self.u32(data.len()), padded(data)].concat())
    }
}

fn padded(value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    value.resize(value.len().next_multiple_of(4), 0);
    value
}

/// Nanoseconds in units of 10^-n (`n` itself) or 2^-n seconds (`0x80 | n`), section 4.2, `if_tsresol`; rounded up, so
/// that the time read, rounded down, is the same where the unit is a nanosecond or less.
pub(crate) fn ticks(nanos: i64, resolution: u8) -> u64 {
    let nanos = i128::from(nanos);
    let n = u32::from(resolution & 0x7f);
    let ticks = match resolution & 0x80 {
        0 if n >= 9 => nanos * 10_i128.pow(n - 9),
        0 => nanos / 10_i128.pow(9 - n),
        _ => ((nanos << n) + 999_999_999) / 1_000_000_000,
    };
    u64::try_from(ticks).unwrap()
}

/// A pcap file of Kuznetzov's kind (1999-10-29) or, with `extra` empty, a plain one, with microseconds.
pub(crate) fn pcap(order: Order, magic: usize, network: usize, extra: &[u8], frames: &[Frame]) -> Vec<u8> {
    let mut out = [order.u32(magic), order.u16(2), order.u16(4), vec![0; 8], order.u32(262_144)].concat();
    out.extend(order.u32(network));
    for frame in frames {
        let micros = usize::try_from(frame.time / 1_000).unwrap();
        out.extend([order.u32(micros / 1_000_000), order.u32(micros % 1_000_000)].concat());
        out.extend([order.u32(frame.data.len()), order.u32(frame.data.len())].concat());
        out.extend([extra, &frame.data].concat());
    }
    out
}

/// A Network Monitor file of a version from 2.1 on, whose frames have a tail each (wiretap/netmon.c,
/// `netmonrec_2_1_trlr` and its successors). Frames whose number is in `elsewhere` are resolved names instead of
/// packets. The first frame is at offset `first`; `hole` unused bytes come before the last one.
pub(crate) fn netmon(minor: u8, first: usize, hole: usize, elsewhere: &[u64], frames: &[Frame]) -> Vec<u8> {
    let o = LITTLE;
    let start = frames[0].time / 1_000_000_000 * 1_000_000_000;
    let mut body = vec![0; first - 64];
    let mut table = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        if index + 1 == frames.len() {
            body.extend(vec![0xee; hole]);
        }
        table.extend(o.u32(64 + body.len()));
        body.extend(o.u64(u64::try_from((frame.time - start) / 1_000).unwrap()));
        body.extend([o.u32(frame.data.len()), o.u32(frame.data.len()), frame.data.clone()].concat());
        body.extend(o.u16(if elsewhere.contains(&frame.number) { 0xfffe } else { 1 }));
        // The process, then the time in UTC in units of 100 ns since 1601, and the time zone.
        let utc = o.u64(u64::try_from(frame.time / 100 + 116_444_736_000_000_000).unwrap());
        let tail = [vec![0; 4], utc, vec![0]].concat();
        body.extend(
            &tail[..match minor {
                1 => 0,
                2 => 4,
                _ => 13,
            }],
        );
    }
    let at = time::OffsetDateTime::from_unix_timestamp_nanos(start.into()).unwrap();
    let month = u16::from(u8::from(at.month()));
    let clock = [at.hour(), at.minute(), at.second()].map(u16::from);
    let day = (u16::from(at.weekday().number_days_from_sunday()), u16::from(at.day()));
    let began = [u16::try_from(at.year()).unwrap(), month, day.0, day.1, clock[0], clock[1], clock[2], 0];
    let mut head =
        [b"GMBU".to_vec(), vec![minor, 2], o.u16(1), began.iter().flat_map(|v| o.u16(*v)).collect()].concat();
    head.extend([o.u32(64 + body.len()), o.u32(table.len()), vec![0; 32]].concat());
    [head, body, table].concat()
}
