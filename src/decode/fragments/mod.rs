//! In: IP fragments in any order. Out: the payload of a packet as soon as it is complete. Bounded by [`Limits`]:
//! incomplete packets, their bytes and their age; [`MOST_PIECES`] separate pieces of one packet. Left to others:
//! headers.
//!
//! RFC 791 section 3.2, RFC 8200 section 4.5. Where fragments overlap, the bytes that came first count, and a
//! difference is an anomaly. A complete packet is kept for a while, so that a mirror's second copy of its fragments
//! does not look like another, incomplete packet.

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

/// The longest payload of an IP packet.
const LONGEST: usize = 65_535;
/// Most separate pieces of one packet: the longest packet, in reversed fragments of 576 octets, has fewer.
const MOST_PIECES: usize = 128;

/// What the fragments of one packet have in common. In IPv6 only the first fragment has the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: Option<IpNumber>,
    identification: u32,
}

/// A packet whose fragments are being collected.
#[derive(Debug)]
struct Waiting {
    /// Tells packets with the same key apart.
    serial: u64,
    first: FrameRef,
    protocol: Option<IpNumber>,
    pieces: Pieces,
    /// Length of the payload, once the last fragment arrived.
    total: Option<usize>,
    done: bool,
}

/// The payload of a reassembled packet.
#[derive(Debug)]
pub(super) struct Whole {
    key: Key,
    serial: u64,
    /// Its protocol.
    pub(super) protocol: IpNumber,
    /// All of it.
    pub(super) bytes: Vec<u8>,
}

/// Packets of which fragments were seen.
#[derive(Debug)]
pub(super) struct Fragments {
    waiting: HashMap<Key, Waiting>,
    /// By serial, that is, by the arrival of their first fragment.
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

    /// Takes a fragment; returns the payload if it completes one.
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
            // The identification is being reused.
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

    /// Takes back what [`add`](Self::add) returned, to recognize duplicates of its fragments.
    pub(super) fn put_back(&mut self, whole: Whole) {
        if let Some(waiting) = self.waiting.get_mut(&whole.key).filter(|waiting| waiting.serial == whole.serial) {
            let before = waiting.pieces.cost();
            waiting.pieces.put_back(whole.bytes);
            self.bytes += waiting.pieces.cost() - before;
        }
    }

    /// The capture is over: packets still incomplete lack fragments.
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

    /// Drops packets that are too long incomplete, counted from their first fragment (RFC 8200 section 4.5).
    fn expire(&mut self, now: Timestamp, tally: &mut Tally) {
        while let Some(key) = self.oldest()
            && self.waiting.get(&key).is_none_or(|oldest| now.since(oldest.first.time) > self.most_nanos)
        {
            self.give_up(key, Unread::FragmentsMissing, tally);
        }
    }

    /// Drops the oldest other packets while there are too many.
    fn make_room(&mut self, kept: Key, tally: &mut Tally) {
        while self.waiting.len() > self.most_packets || self.bytes > self.most_bytes {
            let Some(key) = self.order.values().copied().find(|key| *key != kept) else { return };
            self.give_up(key, Unread::FragmentsDropped, tally);
        }
    }

    fn oldest(&self) -> Option<Key> {
        self.order.first_key_value().map(|(_, key)| *key)
    }

    /// Forgets a packet, and counts it as unread unless it was complete.
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
