//! In: the bodies of one direction's handshake records. Out: whole handshake messages.
//! Bounded: `Limits::handshake_message_bytes` per message. Left to others: what a message says.
//!
//! RFC 8446 section 4: a message may span records, and a record may hold several. A gap inside a message leaves a hole;
//! one over the four header bytes loses the framing until the next record.

use std::ops::Range;

use crate::capture::FrameRef;
use crate::flow::Piece;

/// One handshake message.
#[derive(Debug)]
pub(super) struct Message {
    /// HandshakeType.
    pub(super) kind: u8,
    /// The body, without the four header bytes; zeros stand where bytes are missing.
    pub(super) body: Vec<u8>,
    /// Where bytes are missing.
    pub(super) holes: Vec<Range<usize>>,
    /// Frame of the first byte.
    pub(super) first: FrameRef,
    /// Frame of the last byte.
    pub(super) last: FrameRef,
    /// Bytes that the header claims.
    pub(super) length: usize,
}

/// One direction's handshake layer.
#[derive(Debug, Default)]
pub(super) struct Messages {
    header: Vec<u8>,
    current: Option<Message>,
    lost: bool,
}

impl Messages {
    /// A record begins: after a loss a message may start here.
    pub(super) fn record_begins(&mut self) {
        self.lost = false;
    }

    /// The message that was under way when the framing was lost or the stream ended; what came of it.
    pub(super) fn take_unfinished(&mut self) -> Option<Message> {
        self.header.clear();
        self.lost = true;
        let mut message = self.current.take()?;
        let have = message.body.len();
        if have < message.length {
            message.holes.push(have..message.length);
        }
        Some(message)
    }

    /// Bytes kept of the message under way.
    pub(super) fn held(&self) -> usize {
        self.current.as_ref().map_or(0, |message| message.body.len())
    }

    pub(super) fn push(&mut self, piece: Piece<'_>, at: FrameRef, limit: usize, sink: &mut impl FnMut(Message)) {
        match piece {
            Piece::Bytes(bytes) => self.bytes(bytes, at, limit, sink),
            Piece::Gap { missing, .. } => self.gap(missing, at, limit, sink),
        }
    }

    fn bytes(&mut self, mut bytes: &[u8], at: FrameRef, limit: usize, sink: &mut impl FnMut(Message)) {
        while !bytes.is_empty() && !self.lost {
            match &mut self.current {
                Some(message) => {
                    let (now, later) =
                        bytes.split_at_checked(message.length - message.filled()).unwrap_or((bytes, &[]));
                    // Behind what was skipped nothing is kept.
                    let skipped = message.filled() > message.body.len();
                    let room = if skipped { 0 } else { limit.saturating_sub(message.body.len()) };
                    let kept = now.get(..room.min(now.len())).unwrap_or_default();
                    message.body.extend_from_slice(kept);
                    message.skip(now.len() - kept.len());
                    message.last = at;
                    bytes = later;
                    self.deliver_if_whole(sink);
                }
                None => bytes = self.header(bytes, at, sink),
            }
        }
    }

    fn header<'a>(&mut self, bytes: &'a [u8], at: FrameRef, sink: &mut impl FnMut(Message)) -> &'a [u8] {
        let (now, later) = bytes.split_at_checked(4 - self.header.len()).unwrap_or((bytes, &[]));
        self.header.extend_from_slice(now);
        if let [kind, high, middle, low] = *self.header.as_slice() {
            self.header.clear();
            let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            // Not what it claims, which may never come.
            let body = Vec::with_capacity(length.min(later.len()));
            let empty = Message { kind, body, holes: Vec::new(), first: at, last: at, length };
            self.current = Some(empty);
            self.deliver_if_whole(sink);
        }
        later
    }

    fn gap(&mut self, missing: u64, at: FrameRef, limit: usize, sink: &mut impl FnMut(Message)) {
        let missing = usize::try_from(missing).unwrap_or(usize::MAX);
        match &mut self.current {
            Some(message) if missing <= message.length - message.filled() && message.filled() + missing <= limit => {
                let from = message.body.len();
                message.body.resize(from + missing, 0);
                message.holes.push(from..from + missing);
                message.last = at;
                self.deliver_if_whole(sink);
            }
            _ => {
                if let Some(message) = self.take_unfinished() {
                    sink(message);
                }
                self.lost = true;
            }
        }
    }

    fn deliver_if_whole(&mut self, sink: &mut impl FnMut(Message)) {
        if self.current.as_ref().is_some_and(|message| message.filled() >= message.length)
            && let Some(message) = self.current.take()
        {
            sink(message);
        }
    }
}

impl Message {
    /// Bytes passed so far: those kept, and those skipped beyond the limit.
    fn filled(&self) -> usize {
        let skipped = self.holes.last().filter(|hole| hole.end > self.body.len());
        skipped.map_or(self.body.len(), |hole| hole.end)
    }

    fn skip(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        let from = self.filled();
        match self.holes.last_mut().filter(|hole| hole.end == from && from > self.body.len()) {
            Some(hole) => hole.end += count,
            None => self.holes.push(from..from + count),
        }
    }

    /// Whether every byte is there.
    pub(super) fn is_whole(&self) -> bool {
        self.holes.is_empty()
    }
}
