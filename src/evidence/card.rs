//! In: what a network card says of itself and of its addresses. Out: the same, kept until its addresses' devices are
//! known. Bounded: `MAX_ADDRESSES` addresses and `MAX_EVENTS` events of a card; names by the collectors.

use std::net::IpAddr;

use super::event::{Event, Fact};
use super::recognition::Recognition;
use crate::capture::FrameRef;

const MAX_ADDRESSES: usize = 8;
const MAX_EVENTS: usize = 64;

/// What a network card said by DHCP or LLDP, kept until the device with its address is known.
#[derive(Debug, Default)]
pub(super) struct Card {
    /// Its addresses, each with whether a DHCP server bound it.
    pub(super) addresses: Vec<(IpAddr, bool)>,
    pub(super) at: Option<FrameRef>,
    pub(super) events: Vec<Event>,
    pub(super) recognition: Recognition,
    /// The vendor class in the client's last message; servers do not repeat it.
    pub(super) vendor_class: Option<String>,
    pub(super) names: Vec<(String, FrameRef)>,
}

impl Card {
    /// Adds a step to what the card's device did; the same step again adds nothing.
    pub(super) fn tell(&mut self, at: FrameRef, fact: Fact) {
        if self.events.len() < MAX_EVENTS && !self.events.iter().any(|event| event.fact == fact) {
            self.events.push(Event { at, server: None, fact });
        }
    }

    pub(super) fn bind(&mut self, address: IpAddr, leased: bool, at: FrameRef) {
        self.at.get_or_insert(at);
        if let Some((_, by_dhcp)) = self.addresses.iter_mut().find(|(known, _)| *known == address) {
            *by_dhcp |= leased;
        } else if self.addresses.len() < MAX_ADDRESSES {
            self.addresses.push((address, leased));
        }
    }

    /// The addresses that are this card's own (D-EVIDENCE-15).
    pub(super) fn own_addresses(&self) -> impl Iterator<Item = IpAddr> {
        let old = self.addresses.iter().filter(|(address, _)| address.is_ipv4()).count();
        let leased = self.addresses.iter().any(|(_, leased)| *leased);
        self.addresses.iter().filter_map(move |(address, by_dhcp)| {
            let own = if address.is_ipv4() { *by_dhcp || (old == 1 && !leased) } else { old <= 1 || leased };
            own.then_some(*address)
        })
    }
}
