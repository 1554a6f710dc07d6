//! Other hosts with the same words: IP addresses, network cards and ports of the hosts of a capture are changed, so that
//! several recordings fit into one.
//!
//! In: frames. Out: the same frames from and to other hosts. Addresses are changed in headers, and where packets that are
//! no TCP segments carry them: ARP, neighbour discovery, DHCP with its options, DNS answers. What is said inside TCP stays:
//! names, certificates, and an address in an HTTP header.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use etherparse::{IpNumber, NetHeaders, NetSlice, PacketHeaders, SlicedPacket, TransportHeader};

use super::frame::{Body, Frame, Segment};
use super::samples::{Recording, SAMPLES};

/// The first port that Linux gives to clients; those below belong to services.
const EPHEMERAL: u16 = 32_768;

/// Which hosts move.
#[derive(Clone, Copy)]
pub(crate) enum Who<'a> {
    /// All.
    Everybody,
    /// These; the servers that they talk to stay where they are.
    Only(&'a [IpAddr]),
}

/// Where the hosts of a capture move to.
pub(crate) struct Moves {
    addresses: Vec<(IpAddr, IpAddr)>,
    cards: Vec<([u8; 6], [u8; 6])>,
    /// Added to the ports of clients.
    ports: u16,
}

impl Moves {
    /// Moves hosts of a capture to the place of this number, 1 to 250. Different places have no address in common, and
    /// within a place the order of addresses stays.
    pub(crate) fn to(place: u8, frames: &[Frame], who: Who<'_>) -> Self {
        let moves = |address: &IpAddr| match who {
            Who::Everybody => true,
            Who::Only(hosts) => hosts.contains(address),
        };
        let hosts: BTreeSet<_> = frames.iter().flat_map(addresses).filter(is_host).filter(moves).collect();
        let new = |(index, old): (usize, IpAddr)| {
            // Always three digits, so that no address is the beginning of another one as text.
            let host = 101 + u8::try_from(index).unwrap();
            let new = match old {
                IpAddr::V4(_) => Ipv4Addr::new(10, 77, place, host).into(),
                IpAddr::V6(_) => Ipv6Addr::new(0xfd77, 0, 0, place.into(), 0, 0, 0, 0x100 + u16::from(host)).into(),
            };
            (old, new)
        };
        let of_a_host = |frame: &&Frame| match who {
            Who::Everybody => true,
            Who::Only(hosts) => addresses(frame).first().is_some_and(|source| hosts.contains(source)),
        };
        let senders = frames.iter().filter(of_a_host).filter_map(|frame| frame.link.get(6..12)?.first_chunk().copied());
        let cards: BTreeSet<[u8; 6]> = senders.collect();
        let other_card = |old: [u8; 6]| {
            let [a, b, c, d, e, f] = old;
            // The first three octets name the maker.
            (old, [a, b, c, d.wrapping_add(place), e, f])
        };
        Self {
            addresses: hosts.into_iter().enumerate().map(new).collect(),
            cards: cards.into_iter().map(other_card).collect(),
            ports: u16::from(place) * 97,
        }
    }

    /// The frames with the hosts where they moved to.
    pub(crate) fn apply(&self, frames: &[Frame]) -> Vec<Frame> {
        frames.iter().map(|frame| self.frame(frame)).collect()
    }

    /// The recording with the hosts where they moved to.
    pub(crate) fn recording(&self, recording: &Recording) -> Recording {
        Recording { name: recording.name.clone(), frames: self.apply(&recording.frames) }
    }

    /// Where an address moved to.
    pub(crate) fn address(&self, old: IpAddr) -> IpAddr {
        self.addresses.iter().find(|(from, _)| *from == old).map_or(old, |(_, to)| *to)
    }

    /// Where a port of a client moved to; those of services stay.
    fn port(&self, old: u16) -> u16 {
        let place = old.checked_sub(EPHEMERAL);
        place.map_or(old, |place| EPHEMERAL + (place + self.ports) % (u16::MAX - EPHEMERAL + 1))
    }

    fn socket(&self, old: SocketAddr) -> SocketAddr {
        SocketAddr::new(self.address(old.ip()), self.port(old.port()))
    }

    fn frame(&self, frame: &Frame) -> Frame {
        let body = match &frame.body {
            Body::Tcp(segment) => Body::Tcp(Box::new(segment.readdressed(|old| self.socket(old)))),
            Body::Other(net) if frame.is_ip() => Body::Other(self.packet(net)),
            Body::Other(net) => Body::Other(self.replaced(net)),
        };
        Frame { time: frame.time, link: self.replaced(&frame.link), body }
    }

    /// An IP packet other than a TCP segment, with checksums as right or wrong as they were.
    fn packet(&self, old: &[u8]) -> Vec<u8> {
        let mut new = self.replaced(old);
        let packet = SlicedPacket::from_ip(old).ok().and_then(|packet| packet.net);
        let (number, start, length, addresses) = match &packet {
            Some(NetSlice::Ipv4(ip)) => {
                let (header, payload) = (ip.header().slice().len(), ip.payload());
                adjust(&mut new, 10, old, 0..header);
                (payload.ip_number, header, payload.payload.len(), 12..20)
            }
            Some(NetSlice::Ipv6(ip)) => {
                let (header, payload) = (ip.header().slice().len(), ip.payload());
                (payload.ip_number, header + ip.extensions().slice().len(), payload.payload.len(), 8..40)
            }
            _ => return new,
        };
        let body = start..start + length;
        if number == IpNumber::UDP {
            for at in [start, start + 2] {
                let port = self.port(u16::from_be_bytes([old[at], old[at + 1]]));
                new[at..at + 2].copy_from_slice(&port.to_be_bytes());
            }
        }
        match number {
            // 0 means that there is no checksum.
            IpNumber::UDP if old[start + 6..start + 8] != [0, 0] => {
                adjust(&mut new, start + 6, old, body);
                adjust(&mut new, start + 6, old, addresses);
            }
            IpNumber::ICMP => adjust(&mut new, start + 2, old, body),
            IpNumber::IPV6_ICMP => {
                adjust(&mut new, start + 2, old, body);
                adjust(&mut new, start + 2, old, addresses);
            }
            _ => {}
        }
        new
    }

    /// Bytes with every address of a host that moves replaced by its new one, wherever it is.
    fn replaced(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        let mut at = 0;
        while at < out.len() {
            match self.here(&out[at..]) {
                Some(new) => {
                    out[at..at + new.len()].copy_from_slice(&new);
                    at += new.len();
                }
                None => at += 1,
            }
        }
        out
    }

    /// The replacement of the address that these bytes begin with.
    fn here(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let cards = self.cards.iter().find(|(old, _)| bytes.starts_with(old)).map(|(_, new)| new.to_vec());
        cards.or_else(|| {
            let begins = |(old, _): &&(IpAddr, IpAddr)| bytes.starts_with(&octets(*old));
            self.addresses.iter().find(begins).map(|(_, new)| octets(*new))
        })
    }
}

/// Adjusts a checksum to what changed in `range`, as RFC 1624 says: HC' = ~(~HC + ~m + m').
fn adjust(new: &mut [u8], checksum: usize, old: &[u8], range: std::ops::Range<usize>) {
    let before = !u16::from_be_bytes([new[checksum], new[checksum + 1]]);
    // The field itself is not part of its sum.
    let (was, mut is) = (&old[range.clone()], new[range.clone()].to_vec());
    if let Some(at) = checksum.checked_sub(range.start).filter(|_| range.contains(&checksum)) {
        is[at..at + 2].copy_from_slice(&was[at..at + 2]);
    }
    let after = !add(add(before, !sum(was)), sum(&is));
    new[checksum..checksum + 2].copy_from_slice(&after.to_be_bytes());
}

/// One's complement sum of 16-bit words.
fn sum(bytes: &[u8]) -> u16 {
    let word = |pair: &[u8]| u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
    bytes.chunks(2).map(word).fold(0, add)
}

fn add(a: u16, b: u16) -> u16 {
    let (sum, carry) = a.overflowing_add(b);
    sum + u16::from(carry)
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// Source and destination of an IP packet, sender and target of an ARP packet.
fn addresses(frame: &Frame) -> Vec<IpAddr> {
    if let Some(segment) = frame.segment() {
        let (from, to) = segment.direction();
        return vec![from.ip(), to.ip()];
    }
    let Body::Other(net) = &frame.body else { return Vec::new() };
    let v4 = |at: usize| net.get(at..at + 4).and_then(|octets| octets.first_chunk::<4>()).map(|o| IpAddr::from(*o));
    let v6 = |at: usize| net.get(at..at + 16).and_then(|octets| octets.first_chunk::<16>()).map(|o| IpAddr::from(*o));
    let found = match (frame.link.last_chunk(), net.first().map(|octet| octet >> 4)) {
        (Some([0x08, 0x06]), _) => [v4(14), v4(24)],
        (None | Some([0x08, 0x00]), Some(4)) => [v4(12), v4(16)],
        (None | Some([0x86, 0xdd]), Some(6)) => [v6(8), v6(24)],
        _ => [None, None],
    };
    found.into_iter().flatten().collect()
}

/// Whether it is the address of a single host: neither unspecified, multicast nor broadcast.
fn is_host(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !address.is_unspecified() && !address.is_broadcast() && !address.is_multicast(),
        IpAddr::V6(address) => !address.is_unspecified() && !address.is_multicast(),
    }
}

/// The text of a report about moved hosts, with their recorded addresses.
fn moved_back(moves: &Moves, frames: &[Frame], mut text: String) -> String {
    let ends = |segment: &Segment| [segment.direction().0, segment.direction().1];
    let sockets: BTreeSet<_> = frames.iter().filter_map(Frame::segment).flat_map(ends).collect();
    for old in sockets {
        let new = moves.socket(old);
        text = text.replace(&format!("{}:{}\"", new.ip(), new.port()), &format!("{}:{}\"", old.ip(), old.port()));
    }
    for (old, new) in &moves.addresses {
        text = text.replace(&new.to_string(), &old.to_string());
    }
    for (old, new) in &moves.cards {
        text = text.replace(&card_as_text(*new), &card_as_text(*old));
    }
    text
}

fn card_as_text(card: [u8; 6]) -> String {
    card.map(|octet| format!("{octet:02x}")).join(":")
}

/// Whether the checksums of an IP packet other than a TCP segment are right.
fn checksums_fit(frame: &Frame) -> bool {
    let Body::Other(net) = &frame.body else { return true };
    let Some(packet) = PacketHeaders::from_ip_slice(net).ok().filter(|_| frame.is_ip()) else { return true };
    let payload = packet.payload.slice();
    match (packet.net, packet.transport) {
        (Some(NetHeaders::Ipv4(ip, _)), transport) => {
            ip.header_checksum == ip.calc_header_checksum()
                && match transport {
                    Some(TransportHeader::Udp(udp)) => {
                        udp.checksum == 0 || udp.checksum == udp.calc_checksum_ipv4(&ip, payload).unwrap()
                    }
                    _ => true,
                }
        }
        (Some(NetHeaders::Ipv6(ip, _)), Some(TransportHeader::Udp(udp))) => {
            udp.checksum == udp.calc_checksum_ipv6(&ip, payload).unwrap()
        }
        (Some(NetHeaders::Ipv6(ip, _)), Some(TransportHeader::Icmpv6(icmp))) => {
            icmp.checksum == icmp.icmp_type.calc_checksum(ip.source, ip.destination, payload).unwrap()
        }
        _ => true,
    }
}

#[test]
fn readdressing_changes_nothing_but_addresses() {
    let mut failures = Vec::new();
    for sample in support::share("readdressing", SAMPLES.iter()) {
        let frames: Vec<_> = sample.captures.iter().flat_map(|recording| recording.frames.clone()).collect();
        let moves = Moves::to(7, &frames, Who::Everybody);
        let moved: Vec<_> = sample.captures.iter().map(|recording| moves.recording(recording)).collect();
        for (before, after) in sample.captures.iter().zip(&moved) {
            for (number, (before, after)) in (1..).zip(before.frames.iter().zip(&after.frames)) {
                assert_eq!(before.bytes().len(), after.bytes().len());
                assert_eq!(checksums_fit(before), checksums_fit(after), "{} frame {number}", sample.name);
                let bytes = after.bytes();
                let said = after.segment().map_or(0, |segment| segment.payload.len());
                let headers = &bytes[..bytes.len() - said];
                let mut old = moves.addresses.iter().map(|(old, _)| octets(*old));
                let stays = |old: Vec<u8>| headers.windows(old.len()).any(|window| window == old);
                assert!(!old.any(stays), "{} frame {number} holds an old address", sample.name);
            }
        }
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let before = lines(&serde_json::to_string_pretty(&sample.report_of(&sample.captures)).unwrap());
        let after = serde_json::to_string_pretty(&sample.report_of(&moved)).unwrap();
        let after = lines(&moved_back(&moves, &frames, after));
        let different = before.iter().zip(&after).find(|(before, after)| before != after);
        failures.extend(different.map(|(before, after)| format!("{}: {before} became {after}", sample.name)));
        assert_eq!(before.len(), after.len(), "{}", sample.name);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
