//! In: nothing. Out: the types by which the format readers answer [`CaptureReader`](super::CaptureReader), and numbers
//! in a file's byte order. Bounded: a record has at most [`MAX_RECORD`] bytes of data.

use super::{LinkType, Timestamp};

/// No link carries larger frames; a larger claim is damage.
pub(super) const MAX_RECORD: u32 = 16 << 20;

/// One packet: its time, its length on the wire, and the range of its data within the bytes given.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) time: Timestamp,
    /// Whether the time is the packet's own.
    pub(super) timed: bool,
    pub(super) wire_len: u32,
    pub(super) link_type: LinkType,
    pub(super) data: std::ops::Range<usize>,
}

/// One step through a file.
#[derive(Debug)]
pub(super) enum Step {
    /// A packet, in a record of this many bytes.
    Packet(Record, usize),
    /// This many bytes without a packet.
    Skip(usize),
    /// This many bytes are needed first.
    Needs(usize),
    /// The bytes are not a record, for this reason.
    Damaged(String),
}

/// Whether a record may begin at a place, asked while looking for the next one after damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Yes,
    No,
    /// This many bytes are needed first.
    Needs(usize),
}

impl Fit {
    /// The answer for a record that needs this many bytes: more may come, or at the end none will.
    pub(super) fn needs(bytes: usize, at_end: bool) -> Self {
        if at_end { Self::No } else { Self::Needs(bytes) }
    }
}

/// The byte order of a file; numbers read past the end of the bytes are zero.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Order {
    pub(super) big_endian: bool,
}

impl Order {
    pub(super) const LITTLE: Self = Self { big_endian: false };
    pub(super) const BIG: Self = Self { big_endian: true };

    pub(super) fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let value = array(bytes, at).unwrap_or_default();
        if self.big_endian { u16::from_be_bytes(value) } else { u16::from_le_bytes(value) }
    }

    pub(super) fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let value = array(bytes, at).unwrap_or_default();
        if self.big_endian { u32::from_be_bytes(value) } else { u32::from_le_bytes(value) }
    }

    pub(super) fn u64(self, bytes: &[u8], at: usize) -> u64 {
        let value = array(bytes, at).unwrap_or_default();
        if self.big_endian { u64::from_be_bytes(value) } else { u64::from_le_bytes(value) }
    }
}

/// The bytes at an offset, if there are enough.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// A length in a file as a length in memory.
pub(super) fn size(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
