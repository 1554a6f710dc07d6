//! In: segments of all connections. Out: the connection that each belongs to, and those that are over. Bounded:
//! `Limits::flows` connections with `Limits::stream_bytes`, and `Limits::ended_flows` keys of ended ones. Left to
//! others: the conversations.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::SocketAddr;

use foldhash::quality::RandomState;

use super::connection::Flow;
use super::side::{Both, Side};
use super::stream::{Piece, Stream};
use crate::capture::{FrameRef, Timestamp};
use crate::decode::Segment;
use crate::limits::Limits;

/// The two endpoints, lower one first, so that both directions have the same key: address, address, ports. Whole words,
/// because a key is built, hashed and compared for every segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key([u64; 2], [u64; 2], u64);

impl Key {
    #[inline(always)]
    fn of(segment: &Segment<'_>) -> Self {
        let (a, b) = (endpoint(&segment.source), endpoint(&segment.destination));
        let ([a, b, c], [d, e, f]) = if a <= b { (a, b) } else { (b, a) };
        Self([a, b], [d, e], c << 32 | f)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self([a, b], [c, d], ports) = *self;
        [a, b, c, d, ports].into_iter().for_each(|word| state.write_u64(word));
    }
}

/// The address in two words, and the port with a bit for the IP version.
fn endpoint(socket: &SocketAddr) -> [u64; 3] {
    match socket {
        SocketAddr::V4(socket) => [0, socket.ip().to_bits().into(), socket.port().into()],
        SocketAddr::V6(socket) => {
            let [a, b, c, d, e, f, g, h] = socket.ip().segments();
            let word = |groups: [u16; 4]| groups.iter().fold(0, |word, group| word << 16 | u64::from(*group));
            [word([a, b, c, d]), word([e, f, g, h]), 1 << 16 | u64::from(socket.port())]
        }
    }
}

/// Most finished connections, and most buffers of stream starts, kept for reuse.
const SPARE: usize = 32;

/// Buffers of finished connections, reused for new ones: allocating them anew is a large share of the cost of a short
/// connection (D-FLOW-07).
#[derive(Debug)]
struct Spare<C> {
    flows: Vec<Box<Flow<C>>>,
    /// Buffers of stream starts that are no longer compared.
    rooms: Vec<Vec<u8>>,
}

impl<C> Spare<C> {
    /// Makes a new connection.
    fn begin(&mut self, segment: &Segment<'_>, stream: u64, begin: fn(bool) -> C) -> Box<Flow<C>> {
        let mut within = || Stream::within(self.rooms.pop().unwrap_or_default());
        let streams = Both { client: within(), server: within() };
        let flow = Flow::begun_by(segment, stream, streams, begin(segment.flags.syn));
        match self.flows.pop() {
            Some(mut spare) => {
                *spare = flow;
                spare
            }
            None => Box::new(flow),
        }
    }

    /// Ends comparisons in a connection and takes its buffers for them.
    fn settle(&mut self, flow: &mut Flow<C>) {
        for stream in [&mut flow.streams.client, &mut flow.streams.server] {
            self.rooms.extend(stream.settle().filter(|_| self.rooms.len() < SPARE));
        }
    }

    /// Takes a finished connection.
    fn take_back(&mut self, mut flow: Box<Flow<C>>) {
        self.settle(&mut flow);
        if self.flows.len() < SPARE {
            self.flows.push(flow);
        }
    }
}

/// Ended connections, each with the sequence number of its SYN, remembered so that their late segments do not look like
/// new connections.
///
/// They are many, and looked up only for a segment that belongs to no open connection. So they are kept apart from the
/// open ones, which are few enough for the processor's cache, and by a 64-bit hash of their keys: a collision is less
/// likely than a memory error. They are forgotten half at a time, because finding the oldest for each new one would
/// cost a search (D-FLOW-05).
#[derive(Debug, Default)]
struct Ended {
    hash: RandomState,
    newer: HashMap<u64, Option<u32>, RandomState>,
    older: HashMap<u64, Option<u32>, RandomState>,
}

impl Ended {
    /// Remembers one. Of at most `most` remembered, the latest half always stays.
    fn add(&mut self, key: Key, syn: Option<u32>, most: usize) {
        if self.newer.len() >= most / 2 {
            std::mem::swap(&mut self.newer, &mut self.older);
            self.newer.clear();
        }
        self.newer.insert(self.hash.hash_one(key), syn);
    }

    /// Whether a segment that belongs to no open connection is a late segment of one of these; a SYN with another
    /// number opens a new one.
    fn has_late(&mut self, key: Key, segment: &Segment<'_>) -> bool {
        let key = self.hash.hash_one(key);
        let Some(syn) = self.newer.get(&key).or_else(|| self.older.get(&key)) else { return false };
        let another = segment.opens() && *syn != Some(segment.sequence);
        if another {
            self.newer.remove(&key);
            self.older.remove(&key);
        }
        !another
    }
}

/// All connections of one capture.
#[derive(Debug)]
pub struct FlowTable<C> {
    begin: fn(bool) -> C,
    /// The hash is keyed differently in each run, so that no capture can provoke collisions. The order of entries never
    /// shows.
    open: HashMap<Key, Box<Flow<C>>, RandomState>,
    /// Open connections that have been closed, in that order: time, key, stream number.
    ending: VecDeque<(Timestamp, Key, u64)>,
    ended: Ended,
    out: VecDeque<Box<Flow<C>>>,
    /// Number of open connections with another in `next`.
    followed: usize,
    spare: Spare<C>,
    /// Bytes kept for all open connections.
    kept_bytes: usize,
    streams: u64,
    dropped: u64,
}

impl<C> FlowTable<C> {
    /// An empty table. `begin` makes the conversation of a new connection; its argument is whether the start was seen.
    pub fn new(begin: fn(bool) -> C) -> Self {
        Self {
            begin,
            open: HashMap::default(),
            ending: VecDeque::new(),
            ended: Ended::default(),
            out: VecDeque::new(),
            spare: Spare { flows: Vec::new(), rooms: Vec::new() },
            kept_bytes: 0,
            followed: 0,
            streams: 0,
            dropped: 0,
        }
    }

    /// Takes one segment. Bytes that are now in order go to `sink` with the connection's conversation; `settled` says
    /// whether a conversation no longer needs copies compared.
    pub fn segment(
        &mut self,
        segment: &Segment<'_>,
        limits: &Limits,
        sink: &mut impl FnMut(&mut C, Side, Piece<'_>, FrameRef),
        settled: impl Fn(&C) -> bool,
    ) {
        self.expire(segment.at.time, limits);
        let key = Key::of(segment);
        if segment.opens() && self.is_used_again(&key, segment) && self.is_to_follow(&key, segment, limits, sink) {
            return;
        }
        if self.followed > 0 && self.open.get(&key).is_some_and(|flow| flow.is_followed_by(segment)) {
            self.close(key, limits);
        }
        if self.open.len() >= limits.flows && !self.open.contains_key(&key) {
            self.make_room(segment.at.time, limits);
        }
        let flow = match self.open.get_mut(&key) {
            Some(flow) => flow,
            None if self.ended.has_late(key, segment) => return,
            None => {
                self.streams += 1;
                self.open.entry(key).or_insert(self.spare.begin(segment, self.streams - 1, self.begin))
            }
        };
        if segment.opens() {
            flow.syn.get_or_insert(segment.sequence);
        } else if segment.flags.syn && flow.first.place() == segment.at.place() {
            // A SYN-ACK recorded before the SYN that it answers.
            flow.syn.get_or_insert(segment.acknowledges.wrapping_sub(1));
        }
        let side = if segment.source == flow.client { Side::Client } else { Side::Server };
        let was_over = flow.is_over();
        let crowded = self.kept_bytes > limits.stream_bytes;
        flow.segment(segment, side, if crowded { 0 } else { limits.out_of_order_bytes }, sink);
        if segment.carries_data() {
            if crowded || settled(&flow.conversation) {
                self.spare.settle(flow);
            }
            let kept = flow.kept_bytes();
            self.kept_bytes = (self.kept_bytes + kept).saturating_sub(flow.counted);
            flow.counted = kept;
        }
        if !was_over && flow.is_over() {
            self.ending.push_back((segment.at.time, key, flow.stream));
        }
    }

    /// The open connection of a segment.
    pub fn of(&self, segment: &Segment<'_>) -> Option<&Flow<C>> {
        self.open.get(&Key::of(segment)).map(Box::as_ref)
    }

    /// The next finished connection.
    pub fn next_ended(&mut self) -> Option<Box<Flow<C>>> {
        self.out.pop_front()
    }

    /// Takes back a connection from [`next_ended`](Self::next_ended), for reuse.
    pub fn take_back(&mut self, flow: Box<Flow<C>>) {
        self.spare.take_back(flow);
    }

    /// Ends every connection: the capture is over.
    pub fn finish(&mut self) -> Vec<Box<Flow<C>>> {
        let mut flows: Vec<_> = self.out.drain(..).collect();
        for mut flow in std::mem::take(&mut self.open).into_values() {
            flows.extend(flow.next.take());
            flows.push(flow);
        }
        flows.sort_by_key(|flow| flow.stream);
        flows
    }

    /// Connections seen so far.
    pub fn seen(&self) -> u64 {
        self.streams
    }

    /// Connections forgotten before their end because there were too many.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether a SYN opens a new connection between the ports of an open one.
    fn is_used_again(&self, key: &Key, segment: &Segment<'_>) -> bool {
        self.open.get(key).is_some_and(|flow| flow.syn.is_none_or(|syn| syn != segment.sequence))
    }

    /// Takes the SYN of a new connection between the ports of an open one. False if the open one is over, so that the
    /// new one can begin; otherwise the new one is kept in `next` until a segment belongs to it (D-FLOW-02).
    fn is_to_follow(
        &mut self,
        key: &Key,
        segment: &Segment<'_>,
        limits: &Limits,
        sink: &mut impl FnMut(&mut C, Side, Piece<'_>, FrameRef),
    ) -> bool {
        let Some(flow) = self.open.get_mut(key).filter(|flow| !flow.is_over()) else {
            self.close(*key, limits);
            return false;
        };
        if flow.next.as_ref().is_none_or(|next| next.syn != Some(segment.sequence)) {
            self.streams += 1;
            let mut next = self.spare.begin(segment, self.streams - 1, self.begin);
            next.syn = Some(segment.sequence);
            match flow.next.replace(next) {
                // The earlier SYN was never answered.
                Some(unanswered) => self.out.push_back(unanswered),
                None => self.followed += 1,
            }
        }
        if let Some(next) = &mut flow.next {
            next.segment(segment, Side::Client, 0, sink);
        }
        true
    }

    fn close(&mut self, key: Key, limits: &Limits) {
        if let Some(mut flow) = self.open.remove(&key) {
            self.kept_bytes = self.kept_bytes.saturating_sub(flow.counted);
            self.ended.add(key, flow.syn, limits.ended_flows);
            if let Some(next) = flow.next.take() {
                self.followed -= 1;
                self.open.insert(key, next);
            }
            self.out.push_back(flow);
        }
    }

    /// Drops connections that ended long enough ago that no late segment is expected, and the oldest when too many are
    /// waiting.
    fn expire(&mut self, now: Timestamp, limits: &Limits) {
        while let Some(&(at, key, stream)) = self.ending.front() {
            if now.since(at) < limits.linger_nanos && self.ending.len() <= limits.lingering_flows {
                break;
            }
            self.ending.pop_front();
            if self.open.get(&key).is_some_and(|flow| flow.stream == stream && flow.is_over()) {
                self.close(key, limits);
            }
        }
    }

    /// Drops idle connections, or if there are none an eighth of all: those that have been silent longest.
    fn make_room(&mut self, now: Timestamp, limits: &Limits) {
        let idle = |flow: &Flow<C>| now.since(flow.last.time) >= limits.idle_nanos || flow.is_over();
        let mut open: Vec<_> = self.open.iter().map(|(key, flow)| (flow.last.number, idle(flow), *key)).collect();
        open.sort_unstable();
        let at_least = (limits.flows / 8).max(1);
        for (index, (_, idle, key)) in open.into_iter().enumerate() {
            if !idle && index >= at_least {
                continue;
            }
            if let Some(flow) = self.open.get(&key) {
                self.dropped += u64::from(!flow.is_over());
            }
            self.close(key, limits);
        }
    }
}
