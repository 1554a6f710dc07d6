//! In: an IP packet. Out: its segment, datagram or binding, or what a tunnel carries. Bounded: borrows, allocates
//! nothing. Left to others: streams, and the content of datagrams.

use std::net::SocketAddr;

use etherparse::{TcpSlice, UdpSlice, ip_number};

use super::bytes::be16;
use super::context::Context;
use super::inner::Inner;
use super::ip::IpPacket;
use super::packet::{Datagram, Packet, Sink};
use super::segment::Segment;
use super::{neighbour, tunnel};

/// Passes the packet to `sink`, or says what is inside it; `None` if its header is truncated or damaged.
#[inline(always)]
pub(super) fn open<'a>(packet: &IpPacket<'a>, context: &Context<'_>, sink: &mut Sink<'_>) -> Option<Inner<'a>> {
    match packet.protocol {
        ip_number::TCP => {
            let tcp = TcpSlice::from_slice(packet.payload).ok()?;
            let addresses = (packet.source, packet.destination);
            sink(Packet::Tcp(Segment::new(context, addresses, &tcp, packet.missing)));
            Some(Inner::Nothing)
        }
        ip_number::UDP => udp(packet, context, sink),
        ip_number::IPV6_ICMP => {
            neighbour::discovery(packet, context, sink);
            Some(Inner::Nothing)
        }
        other => tunnel::open_ip(other.0, packet.payload),
    }
}

fn udp<'a>(packet: &IpPacket<'a>, context: &Context<'_>, sink: &mut Sink<'_>) -> Option<Inner<'a>> {
    let ports = (be16(packet.payload, 0)?, be16(packet.payload, 2)?);
    // Most traffic of phones is voice: rejecting it by its ports comes first because it is cheap.
    let tunnel = tunnel::of_ports(ports);
    if tunnel.is_none() && !is_wanted(ports.0) && !is_wanted(ports.1) {
        return Some(Inner::Nothing);
    }
    let udp = UdpSlice::from_slice_lax(packet.payload).ok()?;
    if let Some(open) = tunnel {
        return open(udp.payload());
    }
    sink(Packet::Udp(Datagram {
        at: *context.at,
        source: SocketAddr::new(packet.source, ports.0),
        destination: SocketAddr::new(packet.destination, ports.1),
        source_mac: context.source_mac,
        payload: udp.payload(),
    }));
    Some(Inner::Nothing)
}

/// Whether later stages may read datagrams of this port: DNS, DHCP, Kerberos, NTP, LDAP, QUIC, RADIUS.
fn is_wanted(port: u16) -> bool {
    matches!(port, 53 | 67 | 68 | 88 | 123 | 389 | 443 | 1645 | 1646 | 1812 | 1813)
}
