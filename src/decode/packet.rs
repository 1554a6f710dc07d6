//! In: nothing. Out: the types in which packets leave this stage. Bounded: they borrow the frame's bytes.
//! Left to others: making them.

use std::net::{IpAddr, SocketAddr};

use super::segment::Segment;
use crate::capture::FrameRef;

/// What a frame holds.
#[derive(Debug)]
pub enum Packet<'a> {
    /// A TCP segment.
    Tcp(Segment<'a>),
    /// A UDP datagram.
    Udp(Datagram<'a>),
    /// A packet that binds an address to a network card.
    Binding(Binding),
    /// A frame of a protocol of the link itself.
    Link(LinkFrame<'a>),
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

/// An address and the network card that says it owns it (RFC 826, RFC 4861).
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Where it was captured.
    pub at: FrameRef,
    /// The card.
    pub mac: [u8; 6],
    /// The address.
    pub address: IpAddr,
}

/// Where the packets of a frame go.
pub(super) type Sink<'s> = dyn FnMut(Packet<'_>) + 's;
