//! In: events of the client's records before the server's hello was read. Out: the same events, once it was. Bounded:
//! `MAX_HELD` bytes and events. Left to others: when to hold and replay them.
//!
//! Each direction is ordered independently, and the server's may come late: its hello is then read after records of the
//! client that need its keys.

use super::record::{ContentType, Event};
use crate::capture::{Cut, FrameRef};
use crate::flow::Piece;

/// Room for a client's Finished and the data sent right after it.
const MAX_HELD: usize = 64 * 1024;

#[derive(Debug)]
enum Part {
    Whole([u8; 5], Vec<u8>),
    Begin([u8; 5]),
    Bytes(ContentType, Vec<u8>),
    Gap(ContentType, u64, Option<Cut>),
    End(ContentType, usize),
    Lost(u64, Option<Cut>),
}

/// The events held.
#[derive(Debug, Default)]
pub(super) struct Held {
    parts: Vec<(Part, FrameRef)>,
    bytes: usize,
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes > MAX_HELD || self.parts.len() > MAX_HELD / 16
    }

    pub(super) fn push(&mut self, event: &Event<'_>, at: &FrameRef) {
        let part = match *event {
            Event::Whole(header, body) => Part::Whole(header, body.to_vec()),
            Event::Begin(header) => Part::Begin(header),
            Event::Body(kind, Piece::Bytes(bytes)) => Part::Bytes(kind, bytes.to_vec()),
            Event::Body(kind, Piece::Gap { missing, cut }) => Part::Gap(kind, missing, cut),
            Event::End { kind, length } => Part::End(kind, length),
            Event::Lost { missing, cut } => Part::Lost(missing, cut),
            Event::Foreign(_) => Part::Lost(0, None),
            // Nothing of SSL 2.0 is decrypted.
            Event::Sslv2(_) => return,
        };
        if let Part::Whole(_, bytes) | Part::Bytes(_, bytes) = &part {
            self.bytes += bytes.len();
        }
        self.parts.push((part, *at));
    }

    /// Passes all events on.
    pub(super) fn replay(self, mut sink: impl FnMut(&Event<'_>, &FrameRef)) {
        for (part, at) in &self.parts {
            let event = match part {
                Part::Whole(header, body) => Event::Whole(*header, body),
                Part::Begin(header) => Event::Begin(*header),
                Part::Bytes(kind, bytes) => Event::Body(*kind, Piece::Bytes(bytes)),
                Part::Gap(kind, missing, cut) => Event::Body(*kind, Piece::Gap { missing: *missing, cut: *cut }),
                Part::End(kind, length) => Event::End { kind: *kind, length: *length },
                Part::Lost(missing, cut) => Event::Lost { missing: *missing, cut: *cut },
            };
            sink(&event, at);
        }
    }
}
