//! In: the segments of one connection. Out: [`Piece`]s of each direction, and how the connection went by TCP alone: its
//! opening, stalls, resets, acknowledgments of data that the capture lacks. Bounded: `MAX_STALLS`, `MAX_LATE`,
//! `MAX_AHEAD`, and the bytes that a [`Stream`] may hold. Left to others: finding the connection of a segment.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::side::{Both, Side};
use super::stream::{Piece, Stream, WINDOW};
use crate::capture::{FrameRef, Timestamp};
use crate::decode::Segment;

/// A pause at least this long without progress is a stall (ten seconds, in nanoseconds).
pub const STALL_NANOS: i64 = 10_000_000_000;
/// Most stalls remembered per connection.
const MAX_STALLS: usize = 4;
/// Most late segments remembered per connection; the latest are kept.
const MAX_LATE: usize = 16;
/// Most acknowledgments remembered of data that has not been seen yet, per side.
const MAX_AHEAD: usize = 4;

/// How one direction of a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// FIN: no more data.
    Fin,
    /// RST: the connection was reset.
    Reset,
    /// The capture ends first.
    CaptureEnd,
}

/// Ten seconds or more without progress.
#[derive(Clone, Copy, Debug)]
pub struct Stall {
    /// The last frame with progress before it.
    pub after: FrameRef,
    /// The first frame with progress after it; `None` if the capture ended first.
    pub until: Option<FrameRef>,
    /// How long, in nanoseconds.
    pub nanos: i64,
}

/// What was seen of TCP's opening handshake.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opening {
    /// First SYN of the client.
    pub syn: Option<FrameRef>,
    /// Its last retransmission.
    pub last_syn: Option<FrameRef>,
    /// Number of SYNs.
    pub syns: u32,
    /// First SYN-ACK of the server.
    pub syn_ack: Option<FrameRef>,
}

/// One TCP connection, with the caller's state of the conversation over it.
#[derive(Debug)]
pub struct Flow<C> {
    /// Number of the connection within its capture, from 0, like Wireshark's `tcp.stream`.
    pub stream: u64,
    /// The client's endpoint.
    pub client: SocketAddr,
    /// The server's endpoint.
    pub server: SocketAddr,
    /// Whether a SYN showed which end is the client; otherwise the port numbers decided.
    pub opened: bool,
    /// The opening handshake.
    pub opening: Opening,
    /// The client's address on the link.
    pub client_mac: Option<[u8; 6]>,
    /// First frame of the connection.
    pub first: FrameRef,
    /// Last frame of the connection.
    pub last: FrameRef,
    /// Last frame with progress.
    pub progress: FrameRef,
    /// Pauses of ten seconds or more.
    pub stalls: Vec<Stall>,
    /// First RST of each side.
    pub reset: Both<Option<FrameRef>>,
    /// Whether packets of each side were seen.
    pub seen: Both<bool>,
    /// Segments recorded after the frame in which the other side acknowledged them, each with that frame.
    pub late: VecDeque<(FrameRef, FrameRef)>,
    /// The caller's state.
    pub conversation: C,
    /// Sequence number of the client's first SYN.
    pub(super) syn: Option<u32>,
    pub(super) streams: Both<Stream>,
    /// Kept bytes that the table has counted for it.
    pub(super) counted: usize,
    highest: Both<Option<u32>>,
    acknowledged: Both<Option<(u32, FrameRef)>>,
    /// Acknowledgments that were recorded before the data they acknowledge, in order, by the side that sent the data.
    ahead: Both<VecDeque<(u32, FrameRef)>>,
    /// The sequence number of each side's RST.
    reset_sequence: Both<u32>,
    /// A new connection between the same ports, for which a SYN was seen while this one is open. Anybody can send a
    /// SYN, so this one continues until it is answered.
    pub(super) next: Option<Box<Self>>,
}

impl<C> Flow<C> {
    /// A connection of which this is the first segment seen.
    pub(super) fn begun_by(segment: &Segment<'_>, stream: u64, streams: Both<Stream>, conversation: C) -> Self {
        let client_sent = match (segment.flags.syn, segment.flags.ack) {
            (true, acknowledges) => !acknowledges,
            // Servers usually listen on the lower port.
            (false, _) => segment.source.port() > segment.destination.port(),
        };
        let (client, server) =
            if client_sent { (segment.source, segment.destination) } else { (segment.destination, segment.source) };
        Self {
            stream,
            client,
            server,
            opened: segment.flags.syn,
            syn: None,
            opening: Opening::default(),
            client_mac: None,
            first: segment.at,
            last: segment.at,
            progress: segment.at,
            stalls: Vec::new(),
            reset: Both::default(),
            seen: Both::default(),
            late: VecDeque::new(),
            conversation,
            streams,
            counted: 0,
            highest: Both::default(),
            acknowledged: Both::default(),
            ahead: Both::default(),
            reset_sequence: Both::default(),
            next: None,
        }
    }

    /// Whether a segment belongs to the new connection in `next`: it answers that connection's SYN, or continues from
    /// it.
    pub(super) fn is_followed_by(&self, segment: &Segment<'_>) -> bool {
        let Some((next, syn)) = self.next.as_ref().and_then(|next| Some((next, next.syn?.wrapping_add(1)))) else {
            return false;
        };
        match segment.source == next.client {
            true => segment.sequence == syn && !segment.flags.syn,
            false => segment.acknowledges == syn && segment.flags.ack && (segment.flags.syn || segment.flags.rst),
        }
    }

    /// Takes a segment of this connection; bytes that are now in order go to `sink`. At most `limit` bytes are held.
    pub(super) fn segment(
        &mut self,
        segment: &Segment<'_>,
        side: Side,
        limit: usize,
        sink: &mut impl FnMut(&mut C, Side, Piece<'_>, FrameRef),
    ) {
        self.last = segment.at;
        *self.seen.of_mut(side) = true;
        if segment.flags.rst && !self.is_believed(segment, side) {
            return;
        }
        if side == Side::Client {
            self.client_mac = self.client_mac.or(segment.source_mac);
        }
        self.note_opening(segment);
        let progress = self.is_progress(segment, side);
        if progress {
            self.note_progress(segment.at);
        }
        self.note_acknowledgment(segment, side);
        if segment.flags.rst {
            // The payload of a reset is diagnostic text (RFC 9293 section 3.5.3), not data.
            if self.reset.of(side).is_none() {
                *self.reset.of_mut(side) = Some(segment.at);
                *self.reset_sequence.of_mut(side) = segment.sequence;
            }
            return;
        }
        // A side that sends more data did not reset the connection: the RST was forged or stray.
        if progress && segment.carries_data() && self.reset.of(side).is_some() {
            let behind = end_of(segment).wrapping_sub(*self.reset_sequence.of(side));
            if (1..0x8000_0000).contains(&behind) {
                *self.reset.of_mut(side) = None;
            }
        }
        let conversation = &mut self.conversation;
        let stream = self.streams.of_mut(side);
        // A retransmission is no progress, but its bytes may be the ones used if the first copy was damaged.
        let mut taken = progress;
        stream.push(segment, limit, &mut |piece, at| {
            taken |= at.number == segment.at.number;
            sink(conversation, side, piece, at);
        });
        if taken {
            self.note_late(segment, side);
        }
        self.forget_reached(side);
    }

    /// Delivers what is still held, with gaps where bytes are missing; missing bytes at the end are known from
    /// acknowledgments.
    pub fn finish(&mut self, sink: &mut impl FnMut(&mut C, Side, Piece<'_>, FrameRef)) {
        for side in [Side::Client, Side::Server] {
            let conversation = &mut self.conversation;
            self.streams.of_mut(side).finish(&mut |piece, at| sink(conversation, side, piece, at));
            self.forget_reached(side);
            let ahead = self.ahead.of_mut(side);
            let behind = self.streams.of(side).behind();
            // No acknowledgment exceeds a window; one that does belongs to another connection.
            ahead.retain(|(to, _)| behind.is_some_and(|behind| to.wrapping_sub(behind) < WINDOW));
            let missing = behind.zip(ahead.back()).map_or(0, |(behind, (to, _))| to.wrapping_sub(behind));
            // A single missing sequence number is a FIN.
            if let Some((_, at)) = ahead.front().filter(|_| missing > 1) {
                sink(&mut self.conversation, side, Piece::Gap { missing: missing.into(), cut: None }, *at);
            }
        }
    }

    /// For each side, the first frame that acknowledges final bytes or a FIN of it that the capture lacks. Valid after
    /// [`finish`](Self::finish).
    pub fn unseen(&self) -> Both<Option<&FrameRef>> {
        let first = |side| self.ahead.of(side).front().map(|(_, at)| at);
        Both { client: first(Side::Client), server: first(Side::Server) }
    }

    /// Forgets acknowledgments whose data has arrived since.
    fn forget_reached(&mut self, side: Side) {
        let ahead = self.ahead.of_mut(side);
        while let Some((to, _)) = ahead.front()
            && self.streams.of(side).behind().is_some_and(|behind| is_at_or_after(behind, *to))
        {
            ahead.pop_front();
        }
    }

    /// Bytes held and kept for both directions.
    pub(super) fn kept_bytes(&self) -> usize {
        self.streams.client.kept_bytes() + self.streams.server.kept_bytes()
    }

    /// Notes a stall from the last progress to the end of the capture, if the connection is still open.
    pub fn note_capture_end(&mut self, end: Timestamp) {
        let nanos = end.since(self.progress.time);
        if nanos >= STALL_NANOS && !self.is_over() && self.stalls.len() < MAX_STALLS {
            self.stalls.push(Stall { after: self.progress, until: None, nanos });
        }
    }

    /// First FIN of each side.
    pub fn fin(&self) -> Both<Option<&FrameRef>> {
        Both { client: self.streams.client.fin(), server: self.streams.server.fin() }
    }

    /// The later of two frames that have different bytes for the same place, if nothing shows which is right.
    pub fn conflict(&self) -> Option<FrameRef> {
        self.streams.client.conflict().or(self.streams.server.conflict())
    }

    /// How a side's direction ended, and where.
    pub fn end_of(&self, side: Side) -> (StreamEnd, FrameRef) {
        match (self.reset.of(side).or(*self.reset.of(side.other())), self.streams.of(side).fin()) {
            (_, Some(at)) => (StreamEnd::Fin, *at),
            (Some(at), None) => (StreamEnd::Reset, at),
            (None, None) => (StreamEnd::CaptureEnd, self.last),
        }
    }

    /// Whether both sides sent FIN, or one sent RST.
    pub fn is_over(&self) -> bool {
        let reset = self.reset.client.is_some() || self.reset.server.is_some();
        reset || (self.streams.client.fin().is_some() && self.streams.server.fin().is_some())
    }

    /// Receivers accept a reset only within their window (RFC 9293 section 3.10.7.4; D-FLOW-01).
    fn is_believed(&self, reset: &Segment<'_>, side: Side) -> bool {
        let received = self.acknowledged.of(side.other()).map(|(to, _)| to).or(*self.highest.of(side));
        let apart = received.map_or(0, |to| reset.sequence.wrapping_sub(to));
        apart < WINDOW || apart.wrapping_neg() < WINDOW
    }

    fn note_opening(&mut self, segment: &Segment<'_>) {
        if !segment.flags.syn {
            return;
        }
        if segment.flags.ack {
            self.opening.syn_ack.get_or_insert(segment.at);
        } else {
            self.opening.syn.get_or_insert(segment.at);
            self.opening.last_syn = Some(segment.at);
            self.opening.syns += 1;
        }
    }

    /// Notes a segment recorded after its acknowledgment: captures that merge two directions may reorder them.
    fn note_late(&mut self, segment: &Segment<'_>, side: Side) {
        let end = end_of(segment);
        let first = self.ahead.of(side).iter().find(|(to, _)| is_at_or_after(*to, end)).copied();
        if let Some((to, at)) = first.or(*self.acknowledged.of(side.other()))
            && end != segment.sequence
            && is_at_or_after(to, end)
        {
            if self.late.len() == MAX_LATE {
                self.late.pop_front();
            }
            self.late.push_back((segment.at, at));
        }
    }

    fn note_acknowledgment(&mut self, segment: &Segment<'_>, side: Side) {
        let known = self.acknowledged.of_mut(side);
        let to = segment.acknowledges;
        if segment.flags.ack && known.is_none_or(|(known, _)| known != to && is_at_or_after(to, known)) {
            *known = Some((to, segment.at));
            let behind = self.streams.of(side.other()).behind();
            if behind.is_none_or(|behind| !is_at_or_after(behind, to)) {
                let ahead = self.ahead.of_mut(side.other());
                // The first ones show the order, the last one how much was sent.
                if ahead.len() == MAX_AHEAD {
                    ahead.pop_back();
                }
                ahead.push_back((to, segment.at));
            }
        }
    }

    /// Whether a segment has anything new.
    fn is_progress(&mut self, segment: &Segment<'_>, side: Side) -> bool {
        let end = end_of(segment);
        let highest = self.highest.of_mut(side);
        let new = match *highest {
            None => true,
            Some(known) => end.wrapping_sub(known).wrapping_sub(1) < 0x8000_0000 - 1,
        };
        if new {
            *highest = Some(end);
        }
        new || (segment.flags.rst && self.reset.of(side).is_none())
    }

    fn note_progress(&mut self, at: FrameRef) {
        let nanos = at.time.since(self.progress.time);
        if nanos >= STALL_NANOS && self.stalls.len() < MAX_STALLS {
            self.stalls.push(Stall { after: self.progress, until: Some(at), nanos });
        }
        self.progress = at;
    }
}

/// Sequence number after everything in a segment.
fn end_of(segment: &Segment<'_>) -> u32 {
    let length = u32::try_from(segment.payload.len()).unwrap_or(u32::MAX).saturating_add(segment.missing);
    let length = length.wrapping_add(u32::from(segment.flags.syn)).wrapping_add(u32::from(segment.flags.fin));
    segment.sequence.wrapping_add(length)
}

/// Whether a sequence number equals another or comes after it (RFC 9293 section 3.4).
fn is_at_or_after(sequence: u32, other: u32) -> bool {
    sequence.wrapping_sub(other) < 0x8000_0000
}
