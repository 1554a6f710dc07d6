//! In: the segments of one side with data, and what the other side acknowledges. Out: its last flight, and how often that
//! was sent again without being acknowledged. Bounded: one flight of each side. Left to others: what was in it.

use crate::capture::FrameRef;

/// Copies recorded closer together than this (a millisecond, in nanoseconds) are one segment, seen at several interfaces.
/// Senders wait longer before they send again (RFC 6298 section 2.4 asks for a second, stacks use 30 ms and more).
const COPIES_NANOS: i64 = 1_000_000;
/// A flight that was sent again this often and never acknowledged was not delivered (docs/verdict.md, step 6).
const UNDELIVERED: u32 = 2;

/// What a side sent after everything before it was acknowledged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    /// Sequence number of its first byte.
    from: u32,
    first: FrameRef,
    again: u32,
    again_from: FrameRef,
    last: FrameRef,
}

/// A flight that was sent again at least twice and never acknowledged, in whole or from some byte on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Undelivered {
    /// The first frame of the flight; where the capture lacks it, the first that sent a part of it again.
    pub first: FrameRef,
    /// The first frame that sent it again.
    pub again_from: FrameRef,
    /// The last frame that sent it again.
    pub last: FrameRef,
    /// How often its first byte that is not acknowledged was sent again.
    pub again: u32,
    /// The frame in which the receiver acknowledged the last byte before that one.
    pub acknowledged: FrameRef,
}

impl Flight {
    /// A flight that begins in this frame, with this sequence number.
    pub(super) fn begun(from: u32, at: FrameRef) -> Self {
        Self { from, first: at, again: 0, again_from: at, last: at }
    }

    /// Sequence number of its first byte.
    pub(super) fn from(&self) -> u32 {
        self.from
    }

    /// Whether its first byte that is not acknowledged was sent again.
    pub(super) fn was_sent_again(&self) -> bool {
        self.again > 0
    }

    /// Notes that its first byte that is not acknowledged was sent again.
    pub(super) fn sent_again(&mut self, at: FrameRef) {
        if at.time.since(self.last.time) >= COPIES_NANOS {
            if self.again == 0 {
                self.again_from = at;
            }
            self.again = self.again.saturating_add(1);
        }
        self.last = at;
    }

    /// Notes that some of it was acknowledged.
    pub(super) fn acknowledged(&mut self) {
        self.again = 0;
    }

    /// The flight, if it was not delivered; `acknowledged` is the receiver's last acknowledgment of anything new.
    pub(super) fn undelivered(&self, acknowledged: FrameRef) -> Option<Undelivered> {
        let Self { first, again, again_from, last, .. } = *self;
        (again >= UNDELIVERED).then_some(Undelivered { first, again_from, last, again, acknowledged })
    }
}
