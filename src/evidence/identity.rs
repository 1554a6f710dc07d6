//! In: what network cards said, and the devices behind addresses. Out: devices that keep their identity over a change of
//! address. Bounded: by both. Left to others: the same device in another recording.
//!
//! A network card is identity only where DHCP, ARP, neighbour discovery or LLDP binds it to an address: behind a router
//! all phones share one. Several addresses of a card are one device where a DHCP server gave it each of them, or where it
//! has one IPv4 address and IPv6 ones beside it; a router that answers ARP for others has more.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::card::Card;
use super::device::Device;
use super::event::{Event, EventKind};
use super::facts::{Evidence, settle};
use crate::capture::FrameRef;

impl Evidence {
    /// Ends a recording: gives what network cards said to the devices that own them.
    pub fn finish_recording(&mut self, last: FrameRef) {
        let (recording, limit) = (self.recording(last), self.limits.events_per_device);
        let mut cards: Vec<_> = self.cards.drain().filter(|((owner, _), _)| *owner == recording).collect();
        cards.sort_by_key(|((_, mac), _)| *mac);
        let mut owners: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for ((_, mac), card) in &cards {
            for (address, _) in &card.addresses {
                *owners.entry(*address).or_default() += 1;
                let known = self.known((recording, *address)).and_then(|index| self.devices.get_mut(index));
                if let Some(device) = known.filter(|device| !device.only_connected) {
                    device.adopt(*mac, card, limit);
                }
                self.devices.rest(|device| settle(device, recording));
            }
        }
        // Those at rest are settled.
        self.devices.open_mut().for_each(|device| settle(device, recording));
        for (_, card) in &cards {
            let own = card.own_addresses().filter(|address| owners.get(address) == Some(&1));
            let own: Vec<usize> = own.filter_map(|address| self.known((recording, address))).collect();
            if own.len() < 2 {
                continue;
            }
            let held = own.into_iter().filter_map(|index| Some((index, self.devices.held(index)?)));
            let held = held.filter(|(_, device)| !device.only_connected);
            let mut devices: Vec<_> = held.map(|(index, device)| (device.frames.0.place(), index)).collect();
            devices.sort_unstable();
            let devices: Vec<usize> = devices.into_iter().map(|(_, index)| index).collect();
            if let [first, others @ ..] = devices.as_slice() {
                others.iter().for_each(|other| self.merge(*first, *other));
            }
        }
        self.devices.rest(|_| {});
    }

    fn known(&self, address: (u32, IpAddr)) -> Option<usize> {
        usize::try_from(*self.index.get(&address)?).ok()
    }

    /// Merges the second device into the first; the second is no longer reported.
    pub(super) fn merge(&mut self, into: usize, from: usize) {
        let device = if into == from { None } else { self.take_away(from) };
        let Some(device) = device else { return };
        if !device.handshakes.is_empty() {
            self.moved.insert(from, into);
        }
        if let Some(into) = self.devices.get_mut(into) {
            into.absorb(device, self.limits.events_per_device);
        }
        self.devices.rest(|_| {});
    }

    /// Takes a device away, so that it is no longer reported.
    pub(super) fn take_away(&mut self, index: usize) -> Option<Device> {
        let device = self.devices.get_mut(index)?;
        let mut gone = Device::new(device.recording, device.frames.0, device.address);
        gone.merged = true;
        Some(std::mem::replace(device, gone))
    }
}

impl Device {
    /// Takes over what a network card with this device's address said.
    pub(super) fn adopt(&mut self, mac: [u8; 6], card: &Card, limit: usize) {
        let Some(at) = card.at else { return };
        match self.mac {
            Some((known, _)) if known != mac => self.shared_address = true,
            _ => self.mac = Some((mac, at)),
        }
        self.recognition.merge(&card.recognition);
        self.recognition.card(mac, at);
        // A DHCP ACK repeats what the client asked for, so the other messages add nothing to the story.
        let answered = card.events.iter().any(Event::is_dhcp_ack);
        let telling = |event: &&Event| !answered || event.fact.kind() != EventKind::Dhcp || event.is_dhcp_ack();
        for event in card.events.iter().filter(telling) {
            self.tell(event.clone(), limit);
        }
        for (name, at) in &card.names {
            self.name(name, *at, |naming| naming.by_dhcp = true);
        }
        let first = card.events.iter().map(|event| event.at).min_by_key(|at| at.place());
        if let Some(first) = first.filter(|first| first.is_before(&self.frames.0)) {
            self.frames.0 = first;
        }
    }

    /// Takes over everything that another device did.
    fn absorb(&mut self, other: Device, event_limit: usize) {
        for address in other.addresses {
            if !self.addresses.iter().any(|(known, ..)| *known == address.0) {
                self.addresses.push(address);
            }
        }
        if other.frames.0.is_before(&self.frames.0) {
            self.frames.0 = other.frames.0;
        }
        if self.frames.1.is_before(&other.frames.1) {
            self.frames.1 = other.frames.1;
        }
        self.mac = self.mac.or(other.mac);
        self.recognition.merge(&other.recognition);
        for (name, naming) in other.names {
            let known = self.names.entry(name).or_default();
            known.addresses.extend(naming.addresses);
            known.addresses.sort_unstable();
            known.addresses.dedup();
            known.at = known.at.or(naming.at);
            known.is_srv_target |= naming.is_srv_target;
            known.by_dhcp |= naming.by_dhcp;
        }
        self.fetches.extend(other.fetches);
        self.fetches.sort_by_key(|fetch| fetch.request.place());
        self.handshakes.extend(other.handshakes);
        self.handshakes.sort_by_key(|handshake| handshake.first.place());
        self.handshakes_total += other.handshakes_total;
        self.refused.extend(other.refused);
        self.refused_beyond += other.refused_beyond;
        self.without_tls.extend(other.without_tls);
        if let Some((at, what)) = other.unreadable {
            self.cannot_read(at, what);
        }
        self.dropped_incomplete += other.dropped_incomplete;
        self.services.extend(other.services);
        self.http_errors.extend(other.http_errors);
        self.time_asked = match (self.time_asked, other.time_asked) {
            (Some((at, count)), Some((later, more))) => {
                Some((if later.is_before(&at) { later } else { at }, count + more))
            }
            (asked, None) => asked,
            (None, asked) => asked,
        };
        self.time_answers.extend(other.time_answers);
        self.time_answers.sort_by_key(|(at, _)| at.place());
        self.kerberos = self.kerberos.or(other.kerberos);
        for (server, last) in other.connected {
            if self.connected.get(&server).is_none_or(|known| known.place() < last.place()) {
                self.note_connected(server, last);
            }
        }
        self.connected_beyond |= other.connected_beyond;
        self.shared_address |= other.shared_address;
        for event in other.events {
            self.tell(event, event_limit);
        }
    }
}
