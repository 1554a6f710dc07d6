//! Stage 2: frames become TCP segments, UDP datagrams and address bindings.
//!
//! In: one [`Frame`]. Out: one [`Packet`] that borrows its bytes. Bounded: nothing is kept or allocated. Left to others:
//! order, loss and what the payload means. What cannot be decoded is named, so that it can be counted.

mod segment;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use etherparse::{
    ArpHardwareId, EtherType, LaxIpPayloadSlice, LaxNetSlice, LaxSlicedPacket, LinkSlice, TransportSlice, UdpSlice,
};

use crate::capture::{Frame, FrameRef, LinkType};

pub use segment::{Checksum, Flags, Segment};

/// What a frame holds.
#[derive(Debug)]
pub enum Packet<'a> {
    /// A TCP segment.
    Tcp(Segment<'a>),
    /// A UDP datagram.
    Udp(Datagram<'a>),
    /// An ARP packet that binds an address to a network card.
    Binding(Binding),
    /// A frame of a protocol of the link itself.
    Link(LinkFrame<'a>),
    /// Nothing that a later stage wants.
    Irrelevant,
    /// Something that may matter and that is not read: why.
    Unread(Unread),
}

/// A UDP datagram.
#[derive(Debug)]
pub struct Datagram<'a> {
    /// Where it was captured.
    pub at: FrameRef,
    /// Sender.
    pub source: SocketAddr,
    /// Receiver.
    pub destination: SocketAddr,
    /// Sender's address on the link.
    pub source_mac: Option<[u8; 6]>,
    /// The bytes kept of the payload.
    pub payload: &'a [u8],
}

/// A frame of a protocol of the link itself that tells of a device: LLDP or EAPOL.
#[derive(Debug)]
pub struct LinkFrame<'a> {
    /// Where it was captured.
    pub at: FrameRef,
    /// The sender.
    pub source_mac: [u8; 6],
    /// [`ETHERTYPE_LLDP`] or [`ETHERTYPE_EAPOL`].
    pub ether_type: u16,
    /// What follows the EtherType.
    pub payload: &'a [u8],
}

/// Link Layer Discovery Protocol (IEEE 802.1AB).
pub const ETHERTYPE_LLDP: u16 = 0x88CC;
/// EAP over LAN (IEEE 802.1X).
pub const ETHERTYPE_EAPOL: u16 = 0x888E;

/// An address and the network card that says it owns it (RFC 826).
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Where it was captured.
    pub at: FrameRef,
    /// The card.
    pub mac: [u8; 6],
    /// The address.
    pub address: IpAddr,
}

/// Why a frame was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unread {
    /// Frames of this link type.
    LinkType(LinkType),
    /// An EtherType.
    EtherType(u16),
    /// A fragment of an IP packet.
    Fragment,
    /// Headers that are cut or damaged.
    Damaged,
}

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LinkType(link) => write!(f, "of link type {link} ({}), which is not read", link.0),
            Self::EtherType(number) => write!(f, "of EtherType {number:#06x}, which is not read"),
            Self::Fragment => f.write_str("that are IP fragments, which are not put together"),
            Self::Damaged => f.write_str("whose headers are cut or damaged"),
        }
    }
}

/// EtherTypes that carry nothing for this program: spanning tree's neighbours, loop tests and the like.
const SILENT_ETHERTYPES: [u16; 4] = [0x9000, 0x8899, 0x88e1, 0x893a];

/// Decodes one frame.
pub fn decode<'a>(frame: &Frame<'a>) -> Packet<'a> {
    match frame.link_type {
        LinkType::ETHERNET => match LaxSlicedPacket::from_ethernet(frame.data) {
            Ok(packet) => of_sliced(frame, &packet),
            Err(_) => Packet::Unread(Unread::Damaged),
        },
        LinkType::RAW | LinkType(12 | 14 | 228 | 229) => match LaxSlicedPacket::from_ip(frame.data) {
            Ok(packet) => of_sliced(frame, &packet),
            Err(_) => Packet::Unread(Unread::Damaged),
        },
        other => Packet::Unread(Unread::LinkType(other)),
    }
}

fn of_sliced<'a>(frame: &Frame<'a>, packet: &LaxSlicedPacket<'a>) -> Packet<'a> {
    let source_mac = match &packet.link {
        Some(LinkSlice::Ethernet2(ethernet)) => Some(ethernet.source()),
        _ => None,
    };
    let (addresses, ip, claimed) = match &packet.net {
        Some(LaxNetSlice::Ipv4(ip)) => {
            let header = ip.header();
            let addresses = (IpAddr::V4(header.source_addr()), IpAddr::V4(header.destination_addr()));
            // A length of zero is what segmentation offload leaves behind: then the frame's own length counts.
            let claimed = match header.total_len() {
                0 => None,
                total => Some(usize::from(total).saturating_sub(header.slice().len())),
            };
            (addresses, ip.payload(), claimed)
        }
        Some(LaxNetSlice::Ipv6(ip)) => {
            let header = ip.header();
            let addresses = (IpAddr::V6(header.source_addr()), IpAddr::V6(header.destination_addr()));
            let claimed = match header.payload_length() {
                0 => None,
                total => Some(usize::from(total).saturating_sub(ip.extensions().slice().len())),
            };
            (addresses, ip.payload(), claimed)
        }
        Some(LaxNetSlice::Arp(arp)) => return binding(frame, arp),
        None => return without_ip(frame, packet, source_mac),
    };
    if ip.fragmented {
        return Packet::Unread(Unread::Fragment);
    }
    let missing = match claimed {
        Some(claimed) => u32::try_from(claimed.saturating_sub(ip.payload.len())).unwrap_or(u32::MAX),
        None => frame.cut().map_or(0, |cut| cut.of - cut.kept),
    };
    transport(frame, packet, addresses, ip, missing, source_mac)
}

fn transport<'a>(
    frame: &Frame<'a>,
    packet: &LaxSlicedPacket<'a>,
    (source, destination): (IpAddr, IpAddr),
    ip: &LaxIpPayloadSlice<'a>,
    missing: u32,
    source_mac: Option<[u8; 6]>,
) -> Packet<'a> {
    match &packet.transport {
        Some(TransportSlice::Tcp(tcp)) => {
            Packet::Tcp(Segment::new(frame, source, destination, source_mac, tcp, missing))
        }
        Some(TransportSlice::Udp(udp)) => Packet::Udp(datagram(frame.at, source, destination, source_mac, udp)),
        Some(_) => Packet::Irrelevant,
        None if ip.ip_number == etherparse::ip_number::UDP => match UdpSlice::from_slice_lax(ip.payload) {
            Ok(udp) => Packet::Udp(datagram(frame.at, source, destination, source_mac, &udp)),
            Err(_) => Packet::Unread(Unread::Damaged),
        },
        None if ip.ip_number == etherparse::ip_number::TCP => Packet::Unread(Unread::Damaged),
        None => Packet::Irrelevant,
    }
}

fn datagram<'a>(
    at: FrameRef,
    source: IpAddr,
    destination: IpAddr,
    source_mac: Option<[u8; 6]>,
    udp: &UdpSlice<'a>,
) -> Datagram<'a> {
    Datagram {
        at,
        source: SocketAddr::new(source, udp.source_port()),
        destination: SocketAddr::new(destination, udp.destination_port()),
        source_mac,
        payload: udp.payload(),
    }
}

fn binding<'a>(frame: &Frame<'a>, arp: &etherparse::ArpPacketSlice<'a>) -> Packet<'a> {
    if arp.hw_addr_type() != ArpHardwareId::ETHERNET || arp.proto_addr_type() != EtherType::IPV4 {
        return Packet::Irrelevant;
    }
    let (mac, address) = (<[u8; 6]>::try_from(arp.sender_hw_addr()), <[u8; 4]>::try_from(arp.sender_protocol_addr()));
    match (mac, address) {
        // An address of zero is a probe for one not yet owned (RFC 5227 section 2.1.1).
        (Ok(mac), Ok(address)) if address != [0; 4] => {
            Packet::Binding(Binding { at: frame.at, mac, address: IpAddr::V4(Ipv4Addr::from(address)) })
        }
        _ => Packet::Irrelevant,
    }
}

fn without_ip<'a>(frame: &Frame<'a>, packet: &LaxSlicedPacket<'a>, source_mac: Option<[u8; 6]>) -> Packet<'a> {
    if packet.stop_err.is_some() {
        return Packet::Unread(Unread::Damaged);
    }
    match packet.ether_payload() {
        Some(payload) if [ETHERTYPE_LLDP, ETHERTYPE_EAPOL].contains(&payload.ether_type.0) => {
            let (at, ether_type, payload) = (frame.at, payload.ether_type.0, payload.payload);
            source_mac.map_or(Packet::Irrelevant, |source_mac| {
                Packet::Link(LinkFrame { at, source_mac, ether_type, payload })
            })
        }
        // Values up to 1500 are lengths of IEEE 802.3 frames.
        Some(payload) if payload.ether_type.0 > 1500 && !SILENT_ETHERTYPES.contains(&payload.ether_type.0) => {
            Packet::Unread(Unread::EtherType(payload.ether_type.0))
        }
        _ => Packet::Irrelevant,
    }
}
