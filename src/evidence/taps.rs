//! In: devices of several captures. Out: one handshake where two taps recorded the same one, reported for the device
//! nearer to the client, with what one tap lacks filled in from the other. Bounded: by the handshakes kept. Left to
//! others: blame.
//!
//! A handshake is known by its client's and server's random values, wherever it was recorded and whatever addresses were
//! translated on the way. Clocks of two taps differ: a frame taken over from the other tap gets its time moved by the
//! difference that the ClientHello shows, so that frames of both can be put in order.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Evidence;
use super::fetch::Fetch;
use super::handshake::Handshake;
use super::outcome::Outcome;
use crate::capture::FrameRef;
use crate::flow::{Side, Undelivered};
use crate::protocol::tls;

/// Two recordings of one fetch at two taps are at most this far apart (two seconds, in nanoseconds).
const SAME_FETCH_NANOS: i64 = 2_000_000_000;

/// A handshake by the indices of its device and of itself.
pub(super) type Place = (usize, usize);

impl Evidence {
    /// Joins handshakes that were recorded at several taps (D-EVIDENCE-16).
    pub fn join_taps(&mut self) {
        let twins = self.sightings();
        let waits = self.waits(&twins);
        let mut gone: Vec<Place> = Vec::new();
        let mut pairs: BTreeMap<(usize, usize), i64> = BTreeMap::new();
        for places in twins {
            let Some(base) = self.nearest(&places, &waits) else { continue };
            for twin in places.into_iter().filter(|twin| *twin != base) {
                if let Some(offset) = self.join(base, twin) {
                    gone.push(twin);
                    pairs.entry((base.0, twin.0)).or_insert(offset);
                }
            }
        }
        self.remove(gone);
        for ((base, twin), offset) in pairs {
            self.join_devices(base, twin, offset);
        }
    }

    /// The handshakes with one random value of the client, where there are several.
    pub(super) fn sightings(&mut self) -> Vec<Vec<Place>> {
        let mut seen: BTreeMap<[u8; 32], Vec<Place>> = BTreeMap::new();
        for at in self.with_equal_hellos() {
            let Some(device) = self.devices.held(at) else { continue };
            for (index, handshake) in device.handshakes.iter().enumerate() {
                let hello = handshake.tls.client_hello.as_ref();
                if let Some(hello) = hello.filter(|hello| hello.random != [0; 32]) {
                    seen.entry(hello.random).or_default().push((at, index));
                }
            }
        }
        seen.into_values().filter(|places| places.len() > 1).collect()
    }

    /// The devices with a hello whose random value may be that of another one: part of a hash of it is.
    fn with_equal_hellos(&mut self) -> BTreeSet<usize> {
        self.hellos.sort_unstable();
        let pairs = self.hellos.windows(2).filter_map(|pair| match pair {
            [(one, first), (other, second)] if one == other => Some([*first, *second]),
            _ => None,
        });
        let devices = pairs.flatten().filter_map(|index| usize::try_from(index).ok());
        devices.map(|index| self.now_at(index)).collect()
    }

    /// The device that has taken over the handshakes of another one.
    fn now_at(&self, mut index: usize) -> usize {
        while let Some(into) = self.moved.get(&index).filter(|into| **into != index) {
            index = *into;
        }
        index
    }

    /// The handshake at a place.
    pub(super) fn handshake_at(&self, (device, handshake): Place) -> Option<Handshake> {
        self.devices.held(device)?.handshakes.get(handshake).cloned()
    }

    /// Removes handshakes that were joined with others.
    pub(super) fn remove(&mut self, mut gone: Vec<Place>) {
        gone.sort_unstable();
        for (device, handshake) in gone.into_iter().rev() {
            let Some(device) = self.devices.get_mut(device) else { continue };
            let joined = device.handshakes.remove(handshake);
            let count = 1 + joined.repeats;
            device.handshakes_total = device.handshakes_total.saturating_sub(count);
            self.handshakes = self.handshakes.saturating_sub(count);
        }
    }

    /// How long each device waited for its ServerHello on average, in nanoseconds.
    fn waits(&self, twins: &[Vec<Place>]) -> BTreeMap<usize, i64> {
        let mut waits: BTreeMap<usize, (i64, i64)> = BTreeMap::new();
        for (at, index) in twins.iter().flatten() {
            let tls = self.handshake_at((*at, *index)).map(|handshake| handshake.tls);
            let hellos = tls.as_ref().and_then(|tls| tls.client_hello.as_ref().zip(tls.server_hello.as_ref()));
            if let Some((asked, answered)) = hellos {
                let (sum, count) = waits.entry(*at).or_default();
                *sum = sum.saturating_add(answered.at.time.since(asked.at.time));
                *count += 1;
            }
        }
        waits.into_iter().map(|(at, (sum, count))| (at, sum / count.max(1))).collect()
    }

    /// The sighting nearest to the client: the farther a tap is from the server, the longer it sees the client wait,
    /// whatever its clock says. Where that is not known, the sighting with the most facts about the client.
    fn nearest(&self, places: &[Place], waits: &BTreeMap<usize, i64>) -> Option<Place> {
        let all_waited = places.iter().all(|(at, _)| waits.contains_key(at));
        let nearness = |place: &Place| {
            let device = self.devices.held(place.0)?;
            let waited = waits.get(&place.0).filter(|_| all_waited);
            let known = (device.recognition.is_lync_phone(), device.mac.is_some(), device.events.len());
            Some((waited, known, std::cmp::Reverse(*place)))
        };
        places.iter().max_by_key(|place| nearness(place)).copied()
    }

    /// Completes the first sighting from the second, and returns how far the first tap's clock is ahead in nanoseconds, or
    /// `None` if they are not the same handshake.
    fn join(&mut self, base: Place, twin: Place) -> Option<i64> {
        let other = self.handshake_at(twin)?;
        let own = self.devices.get_mut(base.0)?.handshakes.get_mut(base.1)?;
        if own.first.capture == other.first.capture || !same_server_random(own, &other) {
            return None;
        }
        let hello = |handshake: &Handshake| handshake.tls.client_hello.as_ref().map(|hello| hello.at.time);
        let offset = hello(own)?.since(hello(&other)?);
        own.fill_from(other, offset);
        self.devices.rest(|_| {});
        Some(offset)
    }

    /// What else the device did at the other tap.
    fn join_devices(&mut self, base: usize, twin: usize, offset: i64) {
        let Some([own, other]) = self.devices.pair_mut(base, twin) else { return };
        // A translated address may hide several devices.
        let same = own.address == other.address;
        let fetched = |fetch: &Fetch| own.fetches.iter().any(|known| is_same_fetch(known, fetch, offset));
        if !(same || other.handshakes.is_empty() && other.fetches.iter().all(fetched)) {
            return;
        }
        other.fetches.retain(|fetch| !fetched(fetch));
        other.fetches.iter_mut().for_each(|fetch| {
            fetch.request = moved(fetch.request, offset);
            fetch.last = fetch.last.map(|at| moved(at, offset));
        });
        if !same {
            other.addresses.clear();
        }
        // Connections of another recording tell nothing of what this one lacks.
        other.connected.clear();
        other.events.clear();
        other.refused.clear();
        self.merge(base, twin);
    }
}

pub(super) fn same_server_random(a: &Handshake, b: &Handshake) -> bool {
    match (&a.tls.server_hello, &b.tls.server_hello) {
        (Some(a), Some(b)) => a.random == b.random,
        // A ServerHello that one tap lost cannot contradict.
        _ => true,
    }
}

pub(super) fn is_same_fetch(a: &Fetch, b: &Fetch, offset: i64) -> bool {
    let apart = moved(b.request, offset).time.since(a.request.time);
    (&a.url, &a.method, a.status, a.server.port()) == (&b.url, &b.method, b.status, b.server.port())
        && apart.unsigned_abs() <= SAME_FETCH_NANOS.unsigned_abs()
}

/// A frame of the other tap with its time by the first tap's clock.
fn moved(at: FrameRef, offset: i64) -> FrameRef {
    FrameRef { time: at.time.moved(offset), ..at }
}

impl Handshake {
    /// Takes over from another sighting what this one lacks.
    pub(super) fn fill_from(&mut self, other: Handshake, offset: i64) {
        self.also_seen.push((other.stream, other.first));
        self.also_seen.extend(other.also_seen.iter().copied());
        let shift = |at: FrameRef| moved(at, offset);
        let take = |own: &mut Option<FrameRef>, other: Option<FrameRef>| *own = own.or(other.map(shift));
        let (own, tls) = (&mut self.tls, other.tls);
        for side in [Side::Client, Side::Server] {
            let (mine, theirs) = (own.certificates.of_mut(side), tls.certificates.of(side));
            let better =
                theirs.as_ref().is_some_and(|list| list.complete) && !mine.as_ref().is_some_and(|l| l.complete);
            if better && let Some(list) = theirs {
                let (first, last) = (shift(list.first), shift(list.last));
                *mine = Some(tls::CertificateList { first, last, ..list.clone() });
                match side {
                    Side::Client => self.client_sent.clone_from(&other.client_sent),
                    Side::Server => self.sent.clone_from(&other.sent),
                }
            }
            take(own.finished.of_mut(side), *tls.finished.of(side));
            take(own.change_cipher_spec.of_mut(side), *tls.change_cipher_spec.of(side));
            take(own.encrypted_alert.of_mut(side), *tls.encrypted_alert.of(side));
            if own.data.of(side).records == 0 {
                let data = *tls.data.of(side);
                let (first, last) = (data.first.map(shift), data.last.map(shift));
                *own.data.of_mut(side) = tls::Data { first, last, ..data };
            }
            // The other tap has the bytes that this one lost.
            if !tls.holes.iter().any(|hole| hole.side == side) {
                own.holes.retain(|hole| hole.side != side);
            }
        }
        // What only the other tap saw of the server's flight did not come as far as here.
        if own.server_hello.is_none() && self.ending.undelivered.is_none() {
            let moved = |flight: Undelivered| Undelivered {
                first: shift(flight.first),
                again_from: shift(flight.again_from),
                last: shift(flight.last),
                acknowledged: shift(flight.acknowledged),
                ..flight
            };
            self.ending.undelivered = other.ending.undelivered.map(|(side, flight)| (side, moved(flight)));
        }
        take(&mut own.server_hello_done, tls.server_hello_done);
        take(&mut own.client_key_exchange, tls.client_key_exchange);
        own.server_hello =
            own.server_hello.take().or(tls.server_hello.map(|h| tls::ServerHello { at: shift(h.at), ..h }));
        let exchange = tls.server_key_exchange.map(|it| tls::ServerKeyExchange { at: shift(it.at), ..it });
        own.server_key_exchange = own.server_key_exchange.take().or(exchange);
        own.certificate_request = own
            .certificate_request
            .take()
            .or(tls.certificate_request.map(|r| tls::CertificateRequest { at: shift(r.at), ..r }));
        for alert in tls.alerts {
            if !own.alerts.iter().any(|known| (known.from, known.code) == (alert.from, alert.code)) {
                own.alerts.push(tls::Alert { at: shift(alert.at), ..alert });
            }
        }
        if self.history.is_uncertain() && !other.history.is_uncertain() {
            self.history = other.history;
        }
        if self.ending.outcome == Outcome::Incomplete && other.ending.outcome != Outcome::Incomplete {
            self.ending = other.ending;
            self.ending.at = self.ending.at.map(shift);
        }
        self.two_sided |= other.two_sided;
        self.opened |= other.opened;
        self.conflict = self.conflict.filter(|_| other.conflict.is_some());
    }
}
