//! In: IP fragments in any order. Out: the payload of a packet as soon as all of it is there. Bounded by [`Limits`]:
//! packets and bytes that wait, and how long; [`MOST_PIECES`] separate pieces of one packet. Left to others: headers.
//!
//! RFC 791 section 3.2, RFC 8200 section 4.5. Where fragments overlap, the bytes that came first count, and a difference
//! is an anomaly. A packet that is whole is kept a while, so that a mirror's second copy of its fragments does not look
//! like another packet of which some are missing.

mod pieces;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use etherparse::IpNumber;

use super::ip::{IpPacket, Place};
use super::tally::{Anomaly, Tally, Unread};
use crate::capture::{FrameRef, Timestamp};
use crate::limits::Limits;

use pieces::Pieces;

/// The most that an IP packet's payload may have.
const LONGEST: usize = 65_535;
/// Separate pieces of one packet: the longest one, in packets of 576 octets and in reverse, has fewer.
const MOST_PIECES: usize = 128;

/// What fragments of one packet have in common. IPv6 tells the protocol in the first fragment alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: Option<IpNumber>,
    identification: u32,
}

/// A packet on its way.
#[derive(Debug)]
struct Waiting {
    /// Which of the packets that had this key.
    serial: u64,
    first: FrameRef,
    protocol: Option<IpNumber>,
    pieces: Pieces,
    /// Length of the whole, once the last fragment came.
    total: Option<usize>,
    done: bool,
}

/// The payload of a packet that is whole.
#[derive(Debug)]
pub(super) struct Whole {
    key: Key,
    serial: u64,
    /// What it is.
    pub(super) protocol: IpNumber,
    /// All of it.
    pub(super) bytes: Vec<u8>,
}

/// Packets of which fragments were seen.
#[derive(Debug)]
pub(super) struct Fragments {
    waiting: HashMap<Key, Waiting>,
    /// By serial, so in the order in which they began.
    order: BTreeMap<u64, Key>,
    serial: u64,
    bytes: usize,
    most_packets: usize,
    most_bytes: usize,
    most_nanos: i64,
}

impl Fragments {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            waiting: HashMap::new(),
            order: BTreeMap::new(),
            serial: 0,
            bytes: 0,
            most_packets: limits.fragmented_packets,
            most_bytes: limits.fragment_bytes,
            most_nanos: limits.fragment_nanos,
        }
    }

    /// Takes a fragment; gives the payload that it completes.
    pub(super) fn add(
        &mut self,
        packet: &IpPacket<'_>,
        place: Place,
        at: FrameRef,
        tally: &mut Tally,
    ) -> Option<Whole> {
        self.expire(at.time, tally);
        let end = place.offset + packet.payload.len();
        if end > LONGEST {
            tally.unread(Unread::Damaged, at);
            return None;
        }
        let protocol = matches!(packet.source, IpAddr::V4(_)).then_some(packet.protocol);
        let identification = place.identification;
        let key = Key { source: packet.source, destination: packet.destination, protocol, identification };
        if let Some(done) = self.waiting.get(&key).filter(|waiting| waiting.done) {
            if done.pieces.holds(place.offset, packet.payload) {
                return None;
            }
            // The number is used again.
            self.forget(key);
        }
        self.begin(key, at);
        let waiting = self.waiting.get_mut(&key)?;
        let before = waiting.pieces.cost();
        if waiting.pieces.insert(place.offset, packet.payload) {
            tally.anomaly(Anomaly::FragmentConflict, at);
        }
        self.bytes += waiting.pieces.cost() - before;
        if place.offset == 0 {
            waiting.protocol.get_or_insert(packet.protocol);
        }
        if !place.more {
            waiting.total.get_or_insert(end + usize::try_from(packet.missing).unwrap_or(LONGEST));
        }
        if waiting.pieces.count() > MOST_PIECES {
            self.give_up(key, Unread::FragmentsDropped, tally);
        }
        self.make_room(key, tally);
        self.complete(key)
    }

    /// Takes back what [`add`](Self::add) gave, to know copies of its fragments by.
    pub(super) fn put_back(&mut self, whole: Whole) {
        if let Some(waiting) = self.waiting.get_mut(&whole.key).filter(|waiting| waiting.serial == whole.serial) {
            let before = waiting.pieces.cost();
            waiting.pieces.put_back(whole.bytes);
            self.bytes += waiting.pieces.cost() - before;
        }
    }

    /// The capture is over: what still waits lacks fragments.
    pub(super) fn finish(&mut self, tally: &mut Tally) {
        while let Some((_, key)) = self.order.pop_first() {
            self.give_up(key, Unread::FragmentsMissing, tally);
        }
    }

    fn begin(&mut self, key: Key, at: FrameRef) {
        if self.waiting.contains_key(&key) {
            return;
        }
        self.serial += 1;
        let (serial, protocol) = (self.serial, key.protocol);
        let waiting = Waiting { serial, first: at, protocol, pieces: Pieces::default(), total: None, done: false };
        self.waiting.insert(key, waiting);
        self.order.insert(serial, key);
    }

    fn complete(&mut self, key: Key) -> Option<Whole> {
        let waiting = self.waiting.get_mut(&key)?;
        let (total, protocol) = (waiting.total?, waiting.protocol?);
        let before = waiting.pieces.cost();
        let bytes = waiting.pieces.take(total)?;
        self.bytes -= before - waiting.pieces.cost();
        waiting.done = true;
        Some(Whole { key, serial: waiting.serial, protocol, bytes })
    }

    /// Lets go of those that have waited too long since their first fragment (RFC 8200 section 4.5).
    fn expire(&mut self, now: Timestamp, tally: &mut Tally) {
        while let Some(key) = self.oldest()
            && self.waiting.get(&key).is_none_or(|oldest| now.since(oldest.first.time) > self.most_nanos)
        {
            self.give_up(key, Unread::FragmentsMissing, tally);
        }
    }

    /// Lets go of the oldest others while there are too many.
    fn make_room(&mut self, kept: Key, tally: &mut Tally) {
        while self.waiting.len() > self.most_packets || self.bytes > self.most_bytes {
            let Some(key) = self.order.values().copied().find(|key| *key != kept) else { return };
            self.give_up(key, Unread::FragmentsDropped, tally);
        }
    }

    fn oldest(&self) -> Option<Key> {
        self.order.first_key_value().map(|(_, key)| *key)
    }

    /// Forgets a packet; unless it was whole, it was not read.
    fn give_up(&mut self, key: Key, why: Unread, tally: &mut Tally) {
        if let Some(waiting) = self.forget(key).filter(|waiting| !waiting.done) {
            tally.unread(why, waiting.first);
        }
    }

    fn forget(&mut self, key: Key) -> Option<Waiting> {
        let waiting = self.waiting.remove(&key)?;
        self.order.remove(&waiting.serial);
        self.bytes -= waiting.pieces.cost();
        Some(waiting)
    }
}
