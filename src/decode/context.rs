//! In: nothing. Out: what the headers around a packet told, for the headers within. Bounded: nothing is kept.
//! Left to others: filling it.

use crate::capture::{Cut, FrameRef};

/// Headers one inside another that are taken off before a frame is given up: a tunnel in a tunnel in tagged Ethernet
/// has nine.
pub const MOST_HEADERS: u8 = 16;

/// What is known of the bytes at hand from the headers around them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'f> {
    /// The frame, or the one that completed the fragments.
    pub(super) at: &'f FrameRef,
    /// How much of the frame the capture kept, where it is not all.
    pub(super) cut: Option<Cut>,
    /// Sender's address on the innermost link.
    pub(super) source_mac: Option<[u8; 6]>,
    /// Headers taken off so far.
    pub(super) headers: u8,
}
