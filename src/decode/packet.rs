//! In: nothing. Out: the types of packets that this stage passes on. Bounded: they borrow the frame's bytes. Left to
//! others: decoding.

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
    /// A frame of a link-layer protocol.
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
    /// The captured bytes of the payload.
    pub payload: &'a [u8],
}

/// A frame of a link-layer protocol that tells about a device: LLDP or EAPOL.
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

/// An address and the network card that claims it (RFC 826, RFC 4861).
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Where it was captured.
    pub at: FrameRef,
    /// The card.
    pub mac: [u8; 6],
    /// The address.
    pub address: IpAddr,
}

/// Receives the packets of a frame.
pub(super) type Sink<'s> = dyn FnMut(Packet<'_>) + 's;
