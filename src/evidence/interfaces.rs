//! In: devices of one recording. Out: one handshake where the recording shows the same one at several interfaces, as
//! `-i any` does on a router or firewall: before and after address translation. Bounded: by the handshakes kept. Left to
//! others: handshakes recorded at several taps, whose clocks differ (`taps`).

use std::collections::BTreeSet;

use super::device::Device;
use super::facts::Evidence;
use super::handshake::Handshake;
use super::taps::{Place, is_same_fetch, same_server_random};
use crate::protocol::tls::ClientHello;

/// The copies of a hello at two interfaces of one host are at most this far apart (one second, in nanoseconds).
const SAME_HELLO_NANOS: i64 = 1_000_000_000;

/// A random value that occurs more often is a broken client's: no host has that many interfaces.
const MAX_SIGHTINGS: usize = 64;

impl Evidence {
    /// Joins handshakes that one recording shows several times, each with the one whose ClientHello came first: the device
    /// is the address before translation (D-EVIDENCE-21).
    pub fn join_interfaces(&mut self) {
        let mut gone: Vec<Place> = Vec::new();
        let mut translated: BTreeSet<(usize, usize)> = BTreeSet::new();
        for mut places in self.sightings().into_iter().filter(|places| places.len() <= MAX_SIGHTINGS) {
            places.sort_by_cached_key(|place| self.handshake_at(*place).and_then(|it| Some(hello(&it)?.at.place())));
            let mut firsts: Vec<Place> = Vec::new();
            for place in places {
                let Some(first) = firsts.iter().copied().find(|first| self.is_copy(*first, place)) else {
                    firsts.push(place);
                    continue;
                };
                self.complete(first, place);
                gone.push(place);
                translated.insert((place.0, first.0));
            }
        }
        self.remove(gone);
        for (device, before) in &translated {
            self.forget_copies(*device, *before);
        }
        translated.into_iter().for_each(|(device, _)| self.hide_if_idle(device));
    }

    /// Whether the second handshake is the first one, recorded at another interface.
    fn is_copy(&self, first: Place, second: Place) -> bool {
        let recording = |place: Place| self.devices.held(place.0).map(|device| device.recording);
        let same = |(one, other): (Handshake, Handshake)| is_translated(&one, &other) && is_same(&one, &other);
        recording(first) == recording(second)
            && self.handshake_at(first).zip(self.handshake_at(second)).is_some_and(same)
    }

    /// Completes the first sighting from the second.
    fn complete(&mut self, first: Place, second: Place) {
        let Some(other) = self.handshake_at(second) else { return };
        let own = self.devices.get_mut(first.0).and_then(|device| device.handshakes.get_mut(first.1));
        if let Some(own) = own {
            own.fill_from(other, 0);
        }
        self.devices.rest(|_| {});
    }

    /// Forgets what a translated address did in the name of a device.
    fn forget_copies(&mut self, translated: usize, before: usize) {
        let Some([copy, device]) = self.devices.pair_mut(translated, before) else { return };
        copy.fetches.retain(|fetch| !device.fetches.iter().any(|known| is_same_fetch(known, fetch, 0)));
        copy.refused.retain(|refused| !device.refused.iter().any(|known| known.server == refused.server));
    }

    /// Hides an address for which nothing is left.
    fn hide_if_idle(&mut self, index: usize) {
        let is_idle =
            |device: &Device| device.handshakes_total == 0 && device.fetches.is_empty() && device.refused.is_empty();
        if self.devices.held(index).is_some_and(|device| is_idle(&device)) {
            self.take_away(index);
        }
    }
}

fn hello(handshake: &Handshake) -> Option<&ClientHello> {
    handshake.tls.client_hello.as_ref()
}

/// Whether two connections may be one before and after translation: of the client's address, or of the server's. Where both
/// ends differ, a proxy on the host passes the bytes of one connection on in another.
fn is_translated(one: &Handshake, other: &Handshake) -> bool {
    match one.server == other.server {
        true => one.client.ip() != other.client.ip(),
        false => one.client == other.client,
    }
}

/// Whether two handshakes are the same: the same hello, and the same answer, which passes the interfaces in the opposite
/// order. Where one has no answer, the second hello must have come at once, because some clients use a random value again.
fn is_same(one: &Handshake, other: &Handshake) -> bool {
    let Some((first, second)) = hello(one).zip(hello(other)) else { return false };
    let parts = |hello: &ClientHello| (hello.version, hello.besides);
    let same_hello = parts(first) == parts(second) && first.cipher_suites == second.cipher_suites;
    let same_passage = match (&one.tls.server_hello, &other.tls.server_hello) {
        (Some(outer), Some(inner)) => {
            same_server_random(one, other) && second.at.is_before(&inner.at) && inner.at.is_before(&outer.at)
        }
        _ => second.at.time.since(first.at.time) <= SAME_HELLO_NANOS && !one.last.is_before(&second.at),
    };
    same_hello && same_passage
}
