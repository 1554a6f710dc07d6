//! Stage 2: frames become TCP segments, UDP datagrams and address bindings.
//!
//! In: one [`Frame`] after the other. Out: the [`Packet`]s in it, which borrow its bytes: mostly one, several where the
//! link bundles them, none where nothing in it matters. Bounded: fragments of IP packets by [`Limits`], headers one
//! inside another by [`MOST_HEADERS`]; a frame that is no fragment allocates nothing. Left to others: order, loss and
//! what the payload means. What is not read is counted by its reason, with the first frame ([`Decoder::finish`]).

mod bytes;
mod fragments;
mod inner;
mod ip;
mod link;
mod neighbour;
mod segment;
mod tally;
mod transport;
mod tunnel;
mod usb;

use std::net::{IpAddr, SocketAddr};

use crate::capture::{Cut, Frame, FrameRef, LinkType};
use crate::limits::Limits;

use fragments::Fragments;
use inner::Inner;
use ip::IpPacket;
use tally::Tally;

pub use segment::{Checksum, Flags, Segment};
pub use tally::{Anomaly, Count, Counts, Unread};

/// Headers one inside another that are taken off before a frame is given up: a tunnel in a tunnel in tagged Ethernet
/// has nine.
pub const MOST_HEADERS: u8 = 16;

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
type Sink<'s> = dyn FnMut(Packet<'_>) + 's;

/// What is known of the bytes at hand from the headers around them.
#[derive(Clone, Copy, Debug)]
struct Context<'f> {
    /// The frame, or the one that completed the fragments.
    at: &'f FrameRef,
    /// How much of the frame the capture kept, where it is not all.
    cut: Option<Cut>,
    /// Sender's address on the innermost link.
    source_mac: Option<[u8; 6]>,
    /// Headers taken off so far.
    headers: u8,
}

/// Decodes the frames of one capture, in file order.
#[derive(Debug)]
pub struct Decoder {
    fragments: Fragments,
    tally: Tally,
}

impl Decoder {
    /// A decoder for one capture.
    pub fn new(limits: &Limits) -> Self {
        Self { fragments: Fragments::new(limits), tally: Tally::default() }
    }

    /// Decodes one frame and gives its packets to `sink`.
    pub fn decode(&mut self, frame: &Frame<'_>, sink: &mut dyn FnMut(Packet<'_>)) {
        let mut context = Context { at: &frame.at, cut: frame.cut(), source_mac: None, headers: 1 };
        // Most frames are Ethernet with IP in it and nothing else: they need no loop.
        let mut inner = match frame.link_type {
            LinkType::ETHERNET => link::open_ethernet(frame.data, &mut context),
            other => link::open(other, frame.data, &mut context),
        };
        if let Some(Inner::Ip(bytes)) = inner {
            context.headers += 1;
            inner = self.ip(bytes, &mut context, sink);
        }
        match inner {
            Some(Inner::Nothing) => {}
            Some(inner) => self.walk(inner, context, sink),
            None => self.tally.unread(Unread::Damaged, *context.at),
        }
    }

    /// The capture is over: what was not read, and what was odd.
    pub fn finish(mut self) -> Counts {
        self.fragments.finish(&mut self.tally);
        self.tally.counts()
    }

    /// Takes off one header after the other.
    fn walk(&mut self, mut inner: Inner<'_>, mut context: Context<'_>, sink: &mut Sink<'_>) {
        loop {
            context.headers += 1;
            if context.headers > MOST_HEADERS {
                return self.tally.unread(Unread::Nested, *context.at);
            }
            let next = match inner {
                Inner::Link(link, bytes) => link::open(link, bytes, &mut context),
                Inner::EtherType(number, bytes) => link::open_ethertype(number, bytes, &context),
                Inner::Llc(bytes) => link::open_llc(bytes),
                Inner::Ppp(bytes) => link::open_ppp(bytes),
                Inner::Ip(bytes) => self.ip(bytes, &mut context, sink),
                Inner::Arp(bytes) => neighbour::arp(bytes, &context, sink),
                Inner::Several(several) => return self.each(several, context, sink),
                Inner::Other(number, bytes) => return self.other(number, bytes, &context, sink),
                Inner::Unread(why) => return self.tally.unread(why, *context.at),
                Inner::Nothing => return,
            };
            match next {
                Some(next) => inner = next,
                None => return self.tally.unread(Unread::Damaged, *context.at),
            }
        }
    }

    /// Packets that one frame bundles.
    fn each(&mut self, mut several: inner::Several<'_>, context: Context<'_>, sink: &mut Sink<'_>) {
        let mut of_this = context;
        while let Some(inner) = several.next(&mut of_this) {
            self.walk(inner, of_this, sink);
            of_this = context;
        }
    }

    /// An EtherType that this stage does not decode.
    fn other(&mut self, ether_type: u16, payload: &[u8], context: &Context<'_>, sink: &mut Sink<'_>) {
        let at = *context.at;
        match context.source_mac {
            Some(source_mac) if [ETHERTYPE_LLDP, ETHERTYPE_EAPOL].contains(&ether_type) => {
                sink(Packet::Link(LinkFrame { at, source_mac, ether_type, payload }));
            }
            _ if link::SILENT_ETHERTYPES.contains(&ether_type) => {}
            _ => self.tally.unread(Unread::EtherType(ether_type), at),
        }
    }

    /// An IP packet, or the packet that this fragment completes.
    fn ip<'a>(&mut self, bytes: &'a [u8], context: &mut Context<'_>, sink: &mut Sink<'_>) -> Option<Inner<'a>> {
        let packet = IpPacket::read(bytes, context);
        let packet = packet.as_ref()?;
        if packet.bad_checksum {
            self.tally.anomaly(Anomaly::IpChecksum, *context.at);
        }
        let Some(place) = packet.fragment else {
            let inner = transport::open(packet, context, sink);
            // What a tunnel carries was not sent by the card that sent the tunnel's packet.
            context.source_mac = None;
            return inner;
        };
        if let Some(whole) = self.fragments.add(packet, place, *context.at, &mut self.tally) {
            // All of it is there, whatever was cut off this frame.
            let mut context = Context { cut: None, ..*context };
            let inner = IpPacket::whole(packet, whole.protocol, &whole.bytes)
                .and_then(|packet| transport::open(&packet, &context, sink));
            context.source_mac = None;
            self.walk(inner.unwrap_or(Inner::Unread(Unread::Damaged)), context, sink);
            self.fragments.put_back(whole);
        }
        Some(Inner::Nothing)
    }
}
