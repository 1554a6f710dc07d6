//! In: the segments of one connection. Out: [`Piece`]s of each direction, and how the connection went by TCP alone: its
//! opening, stalls, resets, acknowledgments of data that the capture lacks. Bounded: `MAX_STALLS`, `MAX_LATE`,
//! `MAX_AHEAD`, and the bytes that a [`Stream`] may hold. Left to others: finding the connection of a segment.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::flight::{Flight, Undelivered};
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

/// Most bytes that a capture is taken to lose at once: a window without scaling (RFC 7323 section 2).
const MAX_LOST: u64 = 1 << 16;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stall {
    /// The last frame with progress before it.
    pub after: FrameRef,
    /// The first frame with progress after it; `None` if the capture ended first.
    pub until: Option<FrameRef>,
    /// How long, in nanoseconds.
    pub nanos: i64,
}

/// What was seen of TCP's opening handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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

/// The first RST of a side.
#[derive(Clone, Copy, Debug)]
struct Reset {
    at: FrameRef,
    sequence: u32,
    /// New data, a FIN or a RST of the other side came after it, or new data or a FIN of its own.
    went_on: bool,
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
    /// Whether packets of each side were seen.
    pub seen: Both<bool>,
    /// Whether each side sent anything but RSTs without an acknowledgment, which a host sends that has no such connection
    /// (RFC 9293 section 3.10.7.1).
    lived: Both<bool>,
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
    flights: Both<Option<Flight>>,
    resets: Both<Option<Reset>>,
    /// Whether new data or a FIN of either side came after each side's FIN.
    went_on: Both<bool>,
    /// Where the server's bytes start if the client acknowledges a later SYN-ACK than the first, with another number.
    other_start: Option<u32>,
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
            seen: Both::default(),
            lived: Both::default(),
            late: VecDeque::new(),
            conversation,
            streams,
            counted: 0,
            highest: Both::default(),
            acknowledged: Both::default(),
            ahead: Both::default(),
            flights: Both::default(),
            resets: Both::default(),
            went_on: Both::default(),
            other_start: None,
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
        if !self.owns(segment, side) {
            return;
        }
        self.last = segment.at;
        *self.seen.of_mut(side) = true;
        *self.lived.of_mut(side) |= segment.flags.ack || !segment.flags.rst;
        if segment.flags.rst && !self.is_believed(segment, side) {
            return;
        }
        if self.is_another_start(segment, side) {
            return;
        }
        self.choose_start(segment, side);
        if side == Side::Client {
            self.client_mac = self.client_mac.or(segment.source_mac);
        }
        self.note_opening(segment);
        self.note_sending(segment, side);
        let progress = self.is_progress(segment, side);
        if progress {
            self.note_progress(segment.at);
        }
        self.note_acknowledgment(segment, side, sink);
        if segment.flags.rst {
            // The payload of a reset is diagnostic text (RFC 9293 section 3.5.3), not data.
            return self.note_reset(segment, side);
        }
        if progress && (segment.carries_data() || segment.flags.fin) {
            self.note_going_on(segment, side);
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
            if self.fin_of(side).is_none() {
                self.streams.of_mut(side).forget_fin();
            }
            let conversation = &mut self.conversation;
            self.streams.of_mut(side).finish(&mut |piece, at| sink(conversation, side, piece, at));
            self.forget_reached(side);
            let ahead = self.ahead.of_mut(side);
            let behind = self.streams.of(side).behind();
            // No acknowledgment exceeds a window; one that does belongs to another connection.
            ahead.retain(|(to, _)| behind.is_some_and(|behind| follows(*to, behind)));
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

    /// For each side, its last flight if that was sent again and again and never acknowledged, although the capture has
    /// acknowledgments of the other side (D-FLOW-11).
    pub fn undelivered(&self) -> Both<Option<Undelivered>> {
        let of = |side: Side| {
            let (_, acknowledged) = (*self.acknowledged.of(side.other()))?;
            self.flights.of(side).and_then(|flight| flight.undelivered(acknowledged))
        };
        Both { client: of(Side::Client), server: of(Side::Server) }
    }

    /// Whether one side sends what it sent in a connection that the other side no longer has: the start is not in the
    /// capture, and the other side answers with nothing but RSTs, or not at all although it is sent again (D-FLOW-12).
    pub fn is_dead(&self) -> bool {
        let is_gone = |side: Side| {
            let in_vain = self.flights.of(side.other()).as_ref().is_some_and(Flight::was_sent_again);
            !self.lived.of(side) && (*self.seen.of(side) || in_vain)
        };
        !self.opened && (is_gone(Side::Client) || is_gone(Side::Server))
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
        if nanos >= STALL_NANOS
            && self.reset_of(Side::Client).or(self.reset_of(Side::Server)).is_none()
            && !self.has_both_fins()
            && self.stalls.len() < MAX_STALLS
        {
            self.stalls.push(Stall { after: self.progress, until: None, nanos });
        }
    }

    /// The later of two frames that have different bytes for the same place, if nothing shows which is right.
    pub fn conflict(&self) -> Option<FrameRef> {
        self.streams.client.conflict().or(self.streams.server.conflict())
    }

    /// The first RST of each side. A RST whose number is beyond everything that its side sent, and after which the
    /// connection goes on, came from elsewhere: its receiver did not accept it (RFC 5961 section 3.2).
    pub fn reset(&self) -> Both<Option<&FrameRef>> {
        Both { client: self.reset_of(Side::Client), server: self.reset_of(Side::Server) }
    }

    fn reset_of(&self, side: Side) -> Option<&FrameRef> {
        let counts = |reset: &&Reset| !reset.went_on || self.has_sent(side, reset.sequence);
        self.resets.of(side).as_ref().filter(counts).map(|reset| &reset.at)
    }

    /// Whether a side sent everything before this number, by its segments or by the other side's acknowledgment.
    fn has_sent(&self, side: Side, to: u32) -> bool {
        let sent = [*self.highest.of(side), self.acknowledged.of(side.other()).map(|(to, _)| to)];
        sent.into_iter().flatten().any(|sent| is_at_or_after(sent, to))
    }

    /// The first FIN of each side. A FIN with missing bytes before it, which the receiver did not acknowledge and after
    /// which the connection goes on, came from elsewhere.
    pub fn fin(&self) -> Both<Option<&FrameRef>> {
        Both { client: self.fin_of(Side::Client), server: self.fin_of(Side::Server) }
    }

    fn fin_of(&self, side: Side) -> Option<&FrameRef> {
        let stream = self.streams.of(side);
        let acknowledged = || {
            let to = self.acknowledged.of(side.other()).map(|(to, _)| to);
            to.zip(stream.fin_number()).is_some_and(|(to, fin)| is_at_or_after(to, fin))
        };
        stream.fin().filter(|_| !self.went_on.of(side) || stream.bytes_before_fin() == 0 || acknowledged())
    }

    /// How a side's direction ended, and where.
    pub fn end_of(&self, side: Side) -> (StreamEnd, FrameRef) {
        match (self.reset_of(side).or(self.reset_of(side.other())), self.fin_of(side)) {
            (_, Some(at)) => (StreamEnd::Fin, *at),
            (Some(at), None) => (StreamEnd::Reset, *at),
            (None, None) => (StreamEnd::CaptureEnd, self.last),
        }
    }

    /// Whether both sides sent FIN, or one sent RST, with nothing missing before it, so that more is unlikely.
    pub fn is_over(&self) -> bool {
        let reset = |side| self.resets.of(side).as_ref().is_some_and(|reset| self.has_sent(side, reset.sequence));
        reset(Side::Client) || reset(Side::Server) || self.has_both_fins()
    }

    fn has_both_fins(&self) -> bool {
        self.fin_of(Side::Client).is_some() && self.fin_of(Side::Server).is_some()
    }

    /// Whether a segment belongs to this connection. A late segment of an earlier connection between the same ports, or a
    /// copy whose numbers a firewall replaced, has another sequence number and another acknowledgment number (RFC 9293
    /// sections 3.4.1 and 3.10.7.3) (D-FLOW-08).
    fn owns(&self, segment: &Segment<'_>, side: Side) -> bool {
        match self.syn.filter(|_| self.streams.of(side).is_at_start()) {
            Some(_) if segment.opens() => true,
            Some(syn) => self.owns_at_start(segment, side, syn),
            None => {
                self.highest.of(side).is_none_or(|highest| is_near(segment.sequence, highest))
                    || segment.flags.syn
                    || !segment.flags.ack
                    || self.acknowledged.of(side).is_none_or(|(to, _)| is_near(segment.acknowledges, to))
            }
        }
    }

    /// Whether a segment belongs to the connection that this SYN opened, before any byte of its side has come.
    fn owns_at_start(&self, segment: &Segment<'_>, side: Side, syn: u32) -> bool {
        if side == Side::Client {
            return follows(segment.sequence, syn);
        }
        // A RST that refuses a SYN acknowledges it.
        let answered = self.opening.syn_ack.is_some() || *self.highest.of(Side::Client) != Some(syn.wrapping_add(1));
        let answers = match segment.flags.ack {
            true => follows(segment.acknowledges, syn),
            false => answered || !segment.flags.rst,
        };
        let mut starts = [self.streams.server.next(), self.other_start].into_iter().flatten().peekable();
        let begins = starts.peek().is_none() || starts.any(|start| follows(segment.sequence, start.wrapping_sub(1)));
        answers && (begins || segment.flags.syn)
    }

    /// Notes a SYN-ACK with another number than the first. The one that the client acknowledges counts (D-FLOW-09).
    fn is_another_start(&mut self, segment: &Segment<'_>, side: Side) -> bool {
        let stream = &self.streams.server;
        let start = segment.sequence.wrapping_add(1);
        let another = side == Side::Server
            && segment.flags.syn
            && stream.is_at_start()
            && stream.next().is_some_and(|next| next != start);
        if another {
            self.other_start = Some(start);
        }
        another
    }

    /// Starts the server's bytes at the other SYN-ACK if the client's acknowledgment, or the server's own segment, is closer
    /// to it.
    fn choose_start(&mut self, segment: &Segment<'_>, side: Side) {
        let Some((other, next)) = self.other_start.zip(self.streams.server.next()) else { return };
        let number = match side {
            Side::Client if segment.flags.ack => segment.acknowledges,
            Side::Client => return,
            Side::Server => segment.sequence,
        };
        let is_closer = number.wrapping_sub(other) < number.wrapping_sub(next);
        if follows(number, other) && is_closer && self.streams.server.is_at_start() {
            self.streams.server.start_at(other);
            self.highest.server = Some(other);
            self.other_start = None;
        }
    }

    /// Receivers accept a reset only within their window (RFC 9293 section 3.10.7.4; D-FLOW-01).
    fn is_believed(&self, reset: &Segment<'_>, side: Side) -> bool {
        let received = self.acknowledged.of(side.other()).map(|(to, _)| to).or(*self.highest.of(side));
        received.is_none_or(|to| is_near(reset.sequence, to))
    }

    fn note_reset(&mut self, segment: &Segment<'_>, side: Side) {
        // A side that sends RST did not accept the other side's RST, nor a FIN farther ahead than a capture loses bytes.
        let other = side.other();
        if let Some(reset) = self.resets.of_mut(other) {
            reset.went_on = true;
        }
        *self.went_on.of_mut(other) |= self.streams.of(other).bytes_before_fin() > MAX_LOST;
        let known = self.resets.of(side).as_ref().map(|reset| reset.sequence);
        let is_better = |known: u32| !self.has_sent(side, known) && self.has_sent(side, segment.sequence);
        if known.is_none_or(is_better) {
            *self.resets.of_mut(side) = Some(Reset { at: segment.at, sequence: segment.sequence, went_on: false });
        }
    }

    /// Notes new data or a FIN, by which the connection goes on.
    fn note_going_on(&mut self, segment: &Segment<'_>, side: Side) {
        for side in [Side::Client, Side::Server] {
            *self.went_on.of_mut(side) |= self.streams.of(side).fin().is_some();
            if let Some(reset) = self.resets.of_mut(side) {
                reset.went_on = true;
            }
        }
        // A side that sends more data did not reset the connection: the RST was forged or stray.
        let behind = |reset: &mut Reset| (1..0x8000_0000).contains(&end_of(segment).wrapping_sub(reset.sequence));
        self.resets.of_mut(side).take_if(|reset| segment.carries_data() && behind(reset));
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

    /// Notes data that begins a flight, or that is sent again because nobody acknowledged it.
    fn note_sending(&mut self, segment: &Segment<'_>, side: Side) {
        if !segment.carries_data() {
            return;
        }
        let (sequence, flight) = (segment.sequence, self.flights.of_mut(side));
        // Without the other side's acknowledgments the first bytes seen count as unacknowledged.
        let acknowledged = self.acknowledged.of(side.other()).map(|(to, _)| to);
        let from = acknowledged.or(flight.as_ref().map(Flight::from));
        if from.is_some_and(|from| from != sequence) {
            return;
        }
        let is_new = self.highest.of(side).is_none_or(|highest| highest == sequence);
        match flight {
            Some(flight) if !is_new => flight.sent_again(segment.at),
            flight => *flight = Some(Flight::begun(sequence, segment.at)),
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

    fn note_acknowledgment(
        &mut self,
        segment: &Segment<'_>,
        side: Side,
        sink: &mut impl FnMut(&mut C, Side, Piece<'_>, FrameRef),
    ) {
        // What follows from the acknowledged bytes comes with data. A bare acknowledgment may be recorded before a better
        // copy.
        if segment.flags.ack && segment.carries_data() {
            let (conversation, sender) = (&mut self.conversation, side.other());
            let stream = self.streams.of_mut(sender);
            stream.acknowledge(segment.acknowledges, &mut |piece, at| sink(conversation, sender, piece, at));
        }
        let known = self.acknowledged.of_mut(side);
        let to = segment.acknowledges;
        if segment.flags.ack && known.is_none_or(|(known, _)| known != to && is_at_or_after(to, known)) {
            *known = Some((to, segment.at));
            if let Some(flight) = self.flights.of_mut(side.other()) {
                flight.acknowledged();
            }
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
        if segment.flags.rst {
            return self.resets.of(side).is_none();
        }
        let end = end_of(segment);
        let highest = self.highest.of_mut(side);
        let Some(known) = *highest else {
            *highest = Some(end);
            return true;
        };
        let new = end.wrapping_sub(known).wrapping_sub(1) < 0x8000_0000 - 1;
        // A bare FIN farther ahead than a capture loses bytes may come from elsewhere.
        let is_far = u64::from(segment.sequence.wrapping_sub(known)) > MAX_LOST;
        if new && !segment.carries_data() && segment.flags.fin && is_far {
            return self.streams.of(side).fin().is_none();
        }
        if new {
            *highest = Some(end);
        }
        new
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

/// Whether a sequence number equals another or comes after it within a window.
fn follows(sequence: u32, start: u32) -> bool {
    sequence.wrapping_sub(start) < WINDOW
}

/// Whether two sequence numbers are at most a window apart, whichever comes first.
fn is_near(sequence: u32, other: u32) -> bool {
    follows(sequence, other) || follows(other, sequence)
}

/// Whether a sequence number equals another or comes after it (RFC 9293 section 3.4).
fn is_at_or_after(sequence: u32, other: u32) -> bool {
    sequence.wrapping_sub(other) < 0x8000_0000
}
