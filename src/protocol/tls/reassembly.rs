//! In: the bodies of one direction's handshake records. Out: complete handshake messages. Bounded:
//! `Limits::handshake_message_bytes` per message. Left to others: what a message says.
//!
//! RFC 8446 section 4: a message may span records, and a record may hold several. A gap inside a message leaves a hole;
//! one over the four header bytes loses the framing until the next record.

use std::borrow::Cow;
use std::ops::Range;

use super::record::gather;
use crate::capture::FrameRef;
use crate::flow::Piece;

/// The most bytes allocated at once for a message that arrives in pieces: a chain of two or three certificates.
const ROOM: usize = 4096;

/// One handshake message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// HandshakeType.
    pub(super) kind: u8,
    /// The body without the four header bytes; missing bytes are zeros.
    pub(super) body: Cow<'a, [u8]>,
    /// The ranges of missing bytes.
    pub(super) holes: Vec<Range<usize>>,
    /// Frame of the first byte.
    pub(super) first: FrameRef,
    /// Frame of the last byte.
    pub(super) last: FrameRef,
    /// The length in the header.
    pub(super) length: usize,
}

/// One direction's handshake layer.
#[derive(Debug, Default)]
pub(super) struct Messages {
    header: Vec<u8>,
    current: Option<Message<'static>>,
    lost: bool,
}

impl Messages {
    /// Notes the start of a record: after a loss of framing, a message may start here.
    pub(super) fn record_begins(&mut self) {
        self.lost = false;
    }

    /// Takes the incomplete message when the framing is lost or the stream ends.
    pub(super) fn take_unfinished(&mut self) -> Option<Message<'static>> {
        self.header.clear();
        self.lost = true;
        let mut message = self.current.take()?;
        let have = message.body.len();
        if have < message.length {
            message.holes.push(have..message.length);
        }
        Some(message)
    }

    /// Bytes held of the incomplete message.
    pub(super) fn held(&self) -> usize {
        match self.current.as_ref().map(|message| &message.body) {
            Some(Cow::Owned(body)) => body.capacity(),
            Some(Cow::Borrowed(_)) | None => 0,
        }
    }

    /// The next message that this piece completes, or that a gap ends; removes the bytes used from the piece.
    pub(super) fn next<'a>(&mut self, piece: &mut Piece<'a>, at: &FrameRef, limit: usize) -> Option<Message<'a>> {
        match *piece {
            Piece::Gap { missing, .. } => {
                *piece = Piece::Bytes(&[]);
                self.gap(missing, at, limit)
            }
            Piece::Bytes(mut bytes) => {
                while !bytes.is_empty() && !self.lost {
                    let message = self.bytes(&mut bytes, at, limit);
                    if message.is_some() {
                        *piece = Piece::Bytes(bytes);
                        return message;
                    }
                }
                *piece = Piece::Bytes(&[]);
                None
            }
        }
    }

    /// Takes bytes of a message; returns it if they complete it.
    fn bytes<'a>(&mut self, bytes: &mut &'a [u8], at: &FrameRef, limit: usize) -> Option<Message<'a>> {
        let Some(message) = &mut self.current else {
            let (header, later) = gather(&mut self.header, bytes);
            *bytes = later;
            let [kind, high, middle, low] = header?;
            let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            // Usually the message is complete: then nothing is copied.
            if let Some((body, later)) = later.split_at_checked(length).filter(|_| length <= limit) {
                *bytes = later;
                return Some(Message { body: Cow::Borrowed(body), ..Message::begun(kind, length, *at) });
            }
            self.current = Some(Message::begun(kind, length, *at));
            return None;
        };
        let (now, later) = bytes.split_at_checked(message.length - message.filled()).unwrap_or((bytes, &[]));
        *bytes = later;
        // After skipped bytes nothing more is kept.
        let skipped = message.filled() > message.body.len();
        let room = if skipped { 0 } else { limit.saturating_sub(message.body.len()) };
        let kept = now.get(..room.min(now.len())).unwrap_or_default();
        let body = message.body.to_mut();
        if body.is_empty() {
            // Allocate what most messages need at once, but only a few times the bytes received, because the rest may
            // never come.
            body.reserve(message.length.min(limit).min(ROOM).min(4 * now.len()));
        }
        body.extend_from_slice(kept);
        message.skip(now.len() - kept.len());
        message.last = *at;
        self.take_whole()
    }

    fn gap(&mut self, missing: u64, at: &FrameRef, limit: usize) -> Option<Message<'static>> {
        let missing = usize::try_from(missing).unwrap_or(usize::MAX);
        let inside = |message: &&mut Message<'_>| missing <= message.length - message.filled();
        match self.current.as_mut().filter(inside) {
            // After skipped bytes nothing more is kept, whatever the limit is now.
            Some(message) if message.filled() > message.body.len() => {
                message.skip(missing);
                message.last = *at;
                self.take_whole()
            }
            Some(message) if message.filled() + missing <= limit => {
                let from = message.body.len();
                message.body.to_mut().resize(from + missing, 0);
                message.holes.push(from..from + missing);
                message.last = *at;
                self.take_whole()
            }
            _ => {
                let unfinished = self.take_unfinished();
                self.lost = true;
                unfinished
            }
        }
    }

    fn take_whole(&mut self) -> Option<Message<'static>> {
        self.current.take_if(|message| message.filled() >= message.length)
    }
}

impl Message<'_> {
    fn begun(kind: u8, length: usize, at: FrameRef) -> Self {
        Self { kind, body: Cow::Borrowed(&[]), holes: Vec::new(), first: at, last: at, length }
    }

    /// Bytes received so far: those kept, and those skipped beyond the limit.
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

    /// Whether no byte is missing.
    pub(super) fn is_whole(&self) -> bool {
        self.holes.is_empty()
    }
}
