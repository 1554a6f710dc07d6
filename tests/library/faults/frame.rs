//! In: the bytes of a frame. Out: a frame whose TCP segment can be changed, and its bytes again with lengths and
//! checksums that fit. Left to others: what to change.

use std::net::{IpAddr, SocketAddr};

use etherparse::{Ipv4Header, Ipv6Header, NetHeaders, PacketHeaders, TcpHeader, TransportHeader};

/// One frame of a capture.
#[derive(Clone)]
pub(crate) struct Frame {
    /// Nanoseconds since 1970.
    pub(crate) time: i64,
    /// Ethernet header with its VLAN tags; empty where the link is raw IP.
    pub(crate) link: Vec<u8>,
    pub(crate) body: Body,
}

/// What a frame holds.
#[derive(Clone)]
pub(crate) enum Body {
    Tcp(Box<Segment>),
    /// Anything else, from the network layer on.
    Other(Vec<u8>),
}

/// A TCP segment in its IP packet.
#[derive(Clone)]
pub(crate) struct Segment {
    ip: Ip,
    pub(crate) tcp: TcpHeader,
    pub(crate) payload: Vec<u8>,
    /// Whether to keep the checksum of the header, right or wrong, instead of computing it.
    pub(crate) stale: bool,
}

#[derive(Clone)]
enum Ip {
    V4(Ipv4Header),
    V6(Ipv6Header),
}

/// One direction of a connection: sender, then receiver.
pub(crate) type Direction = (SocketAddr, SocketAddr);

impl Frame {
    pub(crate) fn read(time: i64, link_type: u16, data: &[u8]) -> Self {
        let (link, net) = data.split_at(if link_type == 1 { ethernet_length(data) } else { 0 });
        let ip = match link.last_chunk() {
            None | Some([0x08, 0x00] | [0x86, 0xdd]) => PacketHeaders::from_ip_slice(net).ok(),
            Some(_) => None,
        };
        let segment = ip.and_then(|packet| {
            let ip = match packet.net? {
                NetHeaders::Ipv4(ip, _) => Ip::V4(ip),
                NetHeaders::Ipv6(ip, _) => Ip::V6(ip),
                NetHeaders::Arp(_) => return None,
            };
            let Some(TransportHeader::Tcp(tcp)) = packet.transport else { return None };
            Some(Segment { ip, tcp, payload: packet.payload.slice().to_vec(), stale: false })
        });
        let body = segment.map_or_else(|| Body::Other(net.to_vec()), |segment| Body::Tcp(Box::new(segment)));
        let frame = Self { time, link: link.to_vec(), body };
        if frame.segment().is_some() {
            let written = frame.bytes();
            assert_eq!(written, data[..written.len()], "reading a frame and writing it changes nothing");
        }
        frame
    }

    /// The frame as on the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = self.link.clone();
        match &self.body {
            Body::Tcp(segment) => segment.write(&mut out),
            Body::Other(net) => out.extend_from_slice(net),
        }
        out
    }

    pub(crate) fn segment(&self) -> Option<&Segment> {
        match &self.body {
            Body::Tcp(segment) => Some(segment),
            Body::Other(_) => None,
        }
    }

    /// The same frame with another segment in it.
    pub(crate) fn with(&self, segment: Segment) -> Self {
        Self { time: self.time, link: self.link.clone(), body: Body::Tcp(Box::new(segment)) }
    }

    /// The segment, if it carries bytes.
    pub(crate) fn data(&self) -> Option<&Segment> {
        self.segment().filter(|segment| !segment.payload.is_empty())
    }

    /// Whether it is an IP packet.
    pub(crate) fn is_ip(&self) -> bool {
        matches!(self.link.last_chunk(), None | Some([0x08, 0x00] | [0x86, 0xdd]))
    }
}

impl Segment {
    pub(crate) fn direction(&self) -> Direction {
        let (source, destination): (IpAddr, IpAddr) = match &self.ip {
            Ip::V4(ip) => (ip.source.into(), ip.destination.into()),
            Ip::V6(ip) => (ip.source.into(), ip.destination.into()),
        };
        let (from, to) = (self.tcp.source_port, self.tcp.destination_port);
        (SocketAddr::new(source, from), SocketAddr::new(destination, to))
    }

    /// The same segment from other addresses to others.
    pub(crate) fn readdressed(&self, map: impl Fn(SocketAddr) -> SocketAddr) -> Self {
        let mut out = self.clone();
        let (from, to) = self.direction();
        let (from, to) = (map(from), map(to));
        match (&mut out.ip, from.ip(), to.ip()) {
            (Ip::V4(ip), IpAddr::V4(from), IpAddr::V4(to)) => {
                (ip.source, ip.destination) = (from.octets(), to.octets());
            }
            (Ip::V6(ip), IpAddr::V6(from), IpAddr::V6(to)) => {
                (ip.source, ip.destination) = (from.octets(), to.octets());
            }
            _ => panic!("an address of the other family"),
        }
        (out.tcp.source_port, out.tcp.destination_port) = (from.port(), to.port());
        out
    }

    /// Whether it opens a connection.
    pub(crate) fn opens(&self) -> bool {
        self.tcp.syn && !self.tcp.ack
    }

    /// Whether it ends a direction.
    pub(crate) fn closes(&self) -> bool {
        self.tcp.fin || self.tcp.rst
    }

    /// Sequence number of its first byte of data.
    pub(crate) fn first(&self) -> u32 {
        self.tcp.sequence_number.wrapping_add(u32::from(self.tcp.syn))
    }

    /// Sequence number after its last byte of data.
    pub(crate) fn end(&self) -> u32 {
        self.first().wrapping_add(u32::try_from(self.payload.len()).unwrap())
    }

    /// A segment with the bytes `from..to` of this one's data. Only the one with the last byte ends the direction.
    pub(crate) fn part(&self, from: usize, to: usize) -> Self {
        let mut part = self.clone();
        part.payload = self.payload[from..to].to_vec();
        part.tcp.sequence_number = self.tcp.sequence_number.wrapping_add(u32::try_from(from).unwrap());
        part.tcp.fin &= to == self.payload.len();
        part.tcp.psh &= to == self.payload.len();
        part
    }

    /// The checksum that fits.
    pub(crate) fn checksum(&self) -> u16 {
        match &self.ip {
            Ip::V4(ip) => self.tcp.calc_checksum_ipv4(ip, &self.payload).unwrap(),
            Ip::V6(ip) => self.tcp.calc_checksum_ipv6(ip, &self.payload).unwrap(),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut tcp = self.tcp.clone();
        if !self.stale {
            tcp.checksum = self.checksum();
        }
        let length = tcp.header_len() + self.payload.len();
        match &self.ip {
            Ip::V4(ip) => {
                let mut ip = ip.clone();
                ip.set_payload_len(length).unwrap();
                ip.header_checksum = ip.calc_header_checksum();
                out.extend_from_slice(&ip.to_bytes());
            }
            Ip::V6(ip) => {
                let mut ip = ip.clone();
                ip.set_payload_length(length).unwrap();
                out.extend_from_slice(&ip.to_bytes());
            }
        }
        out.extend_from_slice(&tcp.to_bytes());
        out.extend_from_slice(&self.payload);
    }
}

/// Length of an Ethernet header with its IEEE 802.1Q tags.
fn ethernet_length(data: &[u8]) -> usize {
    let mut length = 14;
    while matches!(data.get(length - 2..length), Some([0x81, 0x00] | [0x88, 0xa8])) {
        length += 4;
    }
    length.min(data.len())
}
