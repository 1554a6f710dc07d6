//! In: nothing. Out: a frame, and the reference to it that every fact carries. Bounded: a frame borrows its bytes.
//! Left to others: reading files.

use super::{LinkType, Timestamp};

/// Where a fact was captured: enough to find the frame in the file, in Wireshark and in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRef {
    /// Index of the capture within the investigation, in the order given.
    pub capture: u32,
    /// Frame number, from 1, as Wireshark counts.
    pub number: u64,
    /// Byte offset in the file of the record that holds the frame; in a compressed file, of what is decompressed.
    pub offset: u64,
    /// Bytes of that record in the file.
    pub length: u32,
    /// Instant of capture.
    pub time: Timestamp,
}

impl FrameRef {
    /// Its place among the frames of one recording, which may be rotated over several files in their order.
    pub fn place(&self) -> (u32, u64) {
        (self.capture, self.number)
    }

    /// Whether it was captured before another frame: by number within one capture, by time between captures.
    pub fn is_before(&self, other: &Self) -> bool {
        if self.capture == other.capture { self.number < other.number } else { self.time < other.time }
    }
}

/// One packet as captured, with its link-layer header.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Where it is.
    pub at: FrameRef,
    /// What its first bytes are.
    pub link_type: LinkType,
    /// The bytes kept, link-layer header first.
    pub data: &'a [u8],
    /// How many bytes it had on the wire; more than `data` where the capture cut it.
    pub wire_len: u32,
}

/// How much of a frame was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Bytes in the capture.
    pub kept: u32,
    /// Bytes on the wire.
    pub of: u32,
}

impl Cut {
    /// Of a frame of which so many bytes were kept; `None` where those are all that were on the wire.
    pub(super) fn of(kept: usize, wire_len: u32) -> Option<Self> {
        let kept = u32::try_from(kept).unwrap_or(u32::MAX);
        (kept < wire_len).then_some(Self { kept, of: wire_len })
    }
}

impl Frame<'_> {
    /// How much was kept, where the capture does not hold all of it.
    pub fn cut(&self) -> Option<Cut> {
        Cut::of(self.data.len(), self.wire_len)
    }
}
