//! In: nothing. Out: what the outer headers of a packet say, for decoding the inner ones. Bounded: nothing is kept.
//! Left to others: filling it.

use crate::capture::{Cut, FrameRef};

/// Most nested headers of a frame: a tunnel in a tunnel in tagged Ethernet has nine.
pub const MOST_HEADERS: u8 = 16;

/// What the headers read so far say about the bytes inside them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'f> {
    /// The frame; for reassembled packets, the frame that completed them.
    pub(super) at: &'f FrameRef,
    /// How much of the frame was kept, if it was truncated.
    pub(super) cut: Option<Cut>,
    /// Sender's address on the innermost link.
    pub(super) source_mac: Option<[u8; 6]>,
    /// Headers read so far.
    pub(super) headers: u8,
}
