//! In: nothing. Out: a frame, and the reference to it that every fact carries. Bounded: frames borrow their bytes. Left
//! to others: reading files.

use super::{LinkType, Timestamp};

/// Where a fact was captured: enough to find the frame in the file, in Wireshark and in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameRef {
    /// Index of the capture within the investigation, in the order given.
    pub capture: u32,
    /// Frame number, counted from 1 as in Wireshark.
    pub number: u64,
    /// Offset of the frame's record in the file, or in the decompressed bytes of a compressed file.
    pub offset: u64,
    /// Length of that record in bytes.
    pub length: u32,
    /// Time of capture.
    pub time: Timestamp,
}

impl FrameRef {
    /// Its position among the frames of one recording, which may be split over several consecutive files.
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
    /// The link-layer header that `data` starts with.
    pub link_type: LinkType,
    /// The bytes kept, link-layer header first.
    pub data: &'a [u8],
    /// Length on the wire; more than `data` has if the capture truncated the frame.
    pub wire_len: u32,
}

/// How much of a truncated frame was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cut {
    /// Bytes in the capture.
    pub kept: u32,
    /// Bytes on the wire.
    pub of: u32,
}

impl Cut {
    /// For a frame with this many captured bytes; `None` if nothing was cut off.
    pub(super) fn of(kept: usize, wire_len: u32) -> Option<Self> {
        let kept = u32::try_from(kept).unwrap_or(u32::MAX);
        (kept < wire_len).then_some(Self { kept, of: wire_len })
    }
}

impl Frame<'_> {
    /// How much was kept, if the frame was truncated.
    pub fn cut(&self) -> Option<Cut> {
        Cut::of(self.data.len(), self.wire_len)
    }
}
