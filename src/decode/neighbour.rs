//! In: ARP packets and messages of IPv6 neighbour discovery. Out: which network card claims which address. Bounded:
//! borrows, allocates nothing. Left to others: believing it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{ArpHardwareId, ArpPacketSlice, EtherType};

use super::bytes::{array, u8_at};
use super::context::Context;
use super::inner::Inner;
use super::ip::IpPacket;
use super::packet::{Binding, Packet, Sink};

/// Reads an ARP packet (RFC 826): its sender claims the sender address.
pub(super) fn arp<'a>(bytes: &'a [u8], context: &Context<'_>, sink: &mut Sink<'_>) -> Option<Inner<'a>> {
    let arp = ArpPacketSlice::from_slice(bytes).ok()?;
    if arp.hw_addr_type() == ArpHardwareId::ETHERNET
        && arp.proto_addr_type() == EtherType::IPV4
        && let Some(mac) = array(arp.sender_hw_addr(), 0)
        && let Some(address) = array::<4>(arp.sender_protocol_addr(), 0)
        // A zero address means a probe for an address not yet owned (RFC 5227 section 2.1.1).
        && address != [0; 4]
    {
        sink(Packet::Binding(Binding { at: *context.at, mac, address: IpAddr::V4(Ipv4Addr::from(address)) }));
    }
    Some(Inner::Nothing)
}

/// Octets before the options of a neighbour message (RFC 4861 sections 4.3, 4.4).
const OPTIONS: usize = 24;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
const SOURCE_LINK_ADDRESS: u8 = 1;
const TARGET_LINK_ADDRESS: u8 = 2;

/// Reads an ICMPv6 message: a solicitation names its sender's card, an advertisement the target's.
pub(super) fn discovery(packet: &IpPacket<'_>, context: &Context<'_>, sink: &mut Sink<'_>) {
    // With any other hop limit it may come from another link (RFC 4861 section 7.1).
    if packet.hops != 255 {
        return;
    }
    let (address, wanted) = match packet.payload.first() {
        Some(&SOLICITATION) => (Some(packet.source), SOURCE_LINK_ADDRESS),
        Some(&ADVERTISEMENT) => {
            (array::<16>(packet.payload, 8).map(|target| IpAddr::V6(Ipv6Addr::from(target))), TARGET_LINK_ADDRESS)
        }
        _ => return,
    };
    let options = packet.payload.get(OPTIONS..).unwrap_or_default();
    if let Some(address) = address.filter(|address| !address.is_unspecified())
        && let Some(mac) = link_address(options, wanted)
    {
        sink(Packet::Binding(Binding { at: *context.at, mac, address }));
    }
}

/// The address in the option of this type (RFC 4861 section 4.6.1); lengths are in units of eight octets.
fn link_address(mut options: &[u8], wanted: u8) -> Option<[u8; 6]> {
    loop {
        let (kind, length) = (u8_at(options, 0)?, usize::from(u8_at(options, 1)?) * 8);
        if length == 0 {
            return None;
        }
        if kind == wanted && length == 8 {
            return array(options, 2);
        }
        options = options.get(length..)?;
    }
}
