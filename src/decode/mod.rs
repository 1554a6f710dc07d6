//! Stage 2: frames become TCP segments, UDP datagrams and address bindings.
//!
//! In: one [`Frame`] after the other. Out: the [`Packet`]s in it, which borrow its bytes: usually one, several if the
//! link bundles them, none if nothing in it matters. Bounded: IP fragments by [`Limits`], nested headers by
//! [`MOST_HEADERS`]; a frame that is not a fragment allocates nothing. Left to others: order, loss and what the payload
//! means. What is not read is counted by its reason, with the first frame ([`Decoder::finish`]).

mod bundle;
mod bytes;
mod context;
mod fragments;
mod inner;
mod ip;
mod link;
mod neighbour;
mod packet;
mod segment;
mod tally;
mod transport;
mod tunnel;
mod usb;

use crate::capture::{Frame, LinkType};
use crate::limits::Limits;

use context::Context;
use fragments::Fragments;
use inner::Inner;
use ip::IpPacket;
use packet::Sink;
use tally::Tally;

pub use context::MOST_HEADERS;
pub use packet::{Binding, Datagram, ETHERTYPE_EAPOL, ETHERTYPE_LLDP, LinkFrame, Packet};
pub use segment::{Checksum, Flags, Segment};
pub use tally::{Anomaly, Count, Counts, Unread};

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

    /// Decodes one frame and passes its packets to `sink`.
    pub fn decode(&mut self, frame: &Frame<'_>, sink: &mut dyn FnMut(Packet<'_>)) {
        let mut context = Context { at: &frame.at, cut: frame.cut(), source_mac: None, headers: 1 };
        // Most frames are plain IP over Ethernet and need no loop.
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

    /// The counts of what was not read and of anomalies; call at the end of the capture.
    pub fn finish(mut self) -> Counts {
        self.fragments.finish(&mut self.tally);
        self.tally.counts()
    }

    /// Reads one header after the other.
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

    /// Decodes each of the packets that one frame bundles.
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
            // The network card that sent the tunnel's packet did not send what is inside.
            context.source_mac = None;
            return inner;
        };
        if let Some(whole) = self.fragments.add(packet, place, *context.at, &mut self.tally) {
            // The reassembled packet is complete, even if this frame was truncated.
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
