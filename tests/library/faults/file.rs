//! In: frames. Out: the bytes of a capture file in one of the formats that libpcap knows. Left to others: its contents.
//!
//! pcap is draft-ietf-opsawg-pcap, pcapng draft-ietf-opsawg-pcapng.

use super::frame::Frame;

/// How a capture is written.
#[derive(Clone, Copy)]
pub(crate) struct Format {
    pub(crate) container: Container,
    pub(crate) big_endian: bool,
    /// The longest frame kept whole.
    pub(crate) snap: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    /// pcap with microseconds.
    Pcap,
    /// pcap with nanoseconds.
    PcapNanos,
    /// pcapng with nanoseconds.
    Pcapng,
}

impl Format {
    pub(crate) const PLAIN: Self = Self { container: Container::PcapNanos, big_endian: false, snap: 262_144 };

    /// The file. Frames with no link-layer header are written as raw IP.
    pub(crate) fn write(self, frames: &[Frame]) -> Vec<u8> {
        let raw = frames.iter().all(|frame| frame.link.is_empty());
        let link_type = if raw { 101 } else { 1 };
        match self.container {
            Container::Pcap => self.pcap(0xa1b2_c3d4, 1_000, link_type, frames),
            Container::PcapNanos => self.pcap(0xa1b2_3c4d, 1, link_type, frames),
            Container::Pcapng => self.pcapng(link_type, frames),
        }
    }

    fn pcap(self, magic: u32, unit: i64, link_type: u16, frames: &[Frame]) -> Vec<u8> {
        let mut out = [self.long(magic), self.words(&[2, 4])].concat();
        out.extend([self.long(0), self.long(0), self.size(self.snap), self.long(link_type.into())].concat());
        for frame in frames {
            let (seconds, nanos) = (frame.time.div_euclid(1_000_000_000), frame.time.rem_euclid(1_000_000_000));
            let data = frame.bytes();
            let kept = &data[..data.len().min(self.snap)];
            out.extend(self.long(u32::try_from(seconds).unwrap()));
            out.extend(self.long(u32::try_from(nanos / unit).unwrap()));
            out.extend([self.size(kept.len()), self.size(data.len())].concat());
            out.extend_from_slice(kept);
        }
        out
    }

    fn pcapng(self, link_type: u16, frames: &[Frame]) -> Vec<u8> {
        let section = [self.long(0x1a2b_3c4d), self.words(&[1, 0]), vec![0xff; 8]].concat();
        // if_tsresol (9) is ten to the minus nine, then the end of options.
        let options = [self.words(&[9, 1]), vec![9, 0, 0, 0], self.words(&[0, 0])].concat();
        let interface = [self.words(&[link_type, 0]), self.size(self.snap), options].concat();
        let mut out = [self.block(0x0a0d_0d0a, &section), self.block(1, &interface)].concat();
        for frame in frames {
            let time = u64::try_from(frame.time).unwrap();
            let (high, low) = (u32::try_from(time >> 32).unwrap(), u32::try_from(time & 0xffff_ffff).unwrap());
            let data = frame.bytes();
            let kept = &data[..data.len().min(self.snap)];
            let head =
                [self.long(0), self.long(high), self.long(low), self.size(kept.len()), self.size(data.len())].concat();
            let padding = vec![0; kept.len().next_multiple_of(4) - kept.len()];
            out.extend(self.block(6, &[head.as_slice(), kept, &padding].concat()));
        }
        out
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let length = self.size(body.len() + 12);
        [self.long(kind), length.clone(), body.to_vec(), length].concat()
    }

    fn size(self, value: usize) -> Vec<u8> {
        self.long(u32::try_from(value).unwrap())
    }

    fn long(self, value: u32) -> Vec<u8> {
        if self.big_endian { value.to_be_bytes().to_vec() } else { value.to_le_bytes().to_vec() }
    }

    fn words(self, values: &[u16]) -> Vec<u8> {
        let word = |value: &u16| if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        values.iter().flat_map(word).collect()
    }
}
