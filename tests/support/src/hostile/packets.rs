//! In: what a packet is to say. Out: a classic pcap file of raw IPv4 packets, made while it is read. Bounded: one packet
//! at a time. Left to others: what makes it hostile.

use std::io::Read;

/// Appends the next bytes, and says whether there are more.
type Next<'a> = dyn FnMut(&mut Vec<u8>) -> bool + 'a;

/// A capture that is made while it is read: each call appends the next records, or says that there are no more.
pub struct Made<'a> {
    next: Box<Next<'a>>,
    made: Vec<u8>,
    taken: usize,
    /// Bytes given so far.
    pub given: u64,
}

impl<'a> Made<'a> {
    /// Bytes of any format.
    pub fn bytes(start: &[u8], next: impl FnMut(&mut Vec<u8>) -> bool + 'a) -> Self {
        Self { next: Box::new(next), made: start.to_vec(), taken: 0, given: 0 }
    }

    /// A pcap file; `next` gives the packets of each step.
    pub fn pcap(mut next: impl FnMut(&mut Packets) -> bool + 'a) -> Self {
        let mut packets = Packets { out: Vec::new(), count: 0 };
        let record = move |out: &mut Vec<u8>| {
            let more = next(&mut packets);
            out.append(&mut packets.out);
            more
        };
        Self::bytes(&pcap_header(), record)
    }
}

/// The header of a pcap file of raw IP packets (draft-ietf-opsawg-pcap).
pub fn pcap_header() -> Vec<u8> {
    let head = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    let words = [0_u32, 0, 262_144, 101];
    head.into_iter().chain(words.iter().flat_map(|word| word.to_le_bytes())).collect()
}

impl Read for Made<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.taken == self.made.len() {
            self.made.clear();
            self.taken = 0;
            if !(self.next)(&mut self.made) && self.made.is_empty() {
                return Ok(0);
            }
        }
        let count = buffer.len().min(self.made.len() - self.taken);
        buffer[..count].copy_from_slice(&self.made[self.taken..self.taken + count]);
        self.taken += count;
        self.given += count as u64;
        Ok(count)
    }
}

/// Address and port.
pub type End = (u32, u16);

/// A server, and clients of any number.
pub const SERVER: End = (0xc000_0201, 443);
pub const WEB: End = (0xc000_0201, 80);

/// The client of this number: addresses first, then ports.
pub fn client(number: u64) -> End {
    (0x0a00_0000 | (number as u32 & 0x00ff_ffff), 1024 + (number >> 24) as u16)
}

/// TCP flags.
pub const SYN: u8 = 2;
pub const SYN_ACK: u8 = 0x12;
pub const ACK: u8 = 0x10;
pub const FIN: u8 = 0x11;

/// Packets, a tenth of a millisecond apart.
pub struct Packets {
    out: Vec<u8>,
    count: u64,
}

impl Packets {
    /// A segment.
    pub fn tcp(&mut self, from: End, to: End, sequence: u32, flags: u8, payload: &[u8]) {
        let packet = tcp_packet(from, to, sequence, flags, payload);
        self.record(&packet, packet.len());
    }

    /// A segment with a wrong checksum.
    pub fn damaged(&mut self, from: End, to: End, sequence: u32, flags: u8, payload: &[u8]) {
        let mut packet = tcp_packet(from, to, sequence, flags, payload);
        // Behind 20 bytes of IP and 16 of TCP.
        packet[36] ^= 0x55;
        self.record(&packet, packet.len());
    }

    /// A segment of which the capture kept the headers only.
    pub fn cut(&mut self, from: End, to: End, sequence: u32, length: usize) {
        let packet = tcp_packet(from, to, sequence, ACK, &vec![0; length]);
        self.record(&packet[..40], packet.len());
    }

    /// A UDP datagram without a checksum.
    pub fn udp(&mut self, from: End, to: End, payload: &[u8]) {
        let length = (8 + payload.len()) as u16;
        let head = [from.1.to_be_bytes(), to.1.to_be_bytes(), length.to_be_bytes(), [0, 0]].concat();
        let packet = ip_packet(from.0, to.0, 17, 0, 0, &[&head, payload].concat());
        self.record(&packet, packet.len());
    }

    /// A fragment: its place in units of eight bytes, and whether more follow.
    pub fn fragment(&mut self, from: End, to: End, id: u16, place: u16, more: bool, payload: &[u8]) {
        let packet = ip_packet(from.0, to.0, 6, id, place | u16::from(more) << 13, payload);
        self.record(&packet, packet.len());
    }

    fn record(&mut self, kept: &[u8], wire: usize) {
        self.count += 1;
        let micros = 1_700_000_000_000_000 + self.count * 100;
        for word in [(micros / 1_000_000) as u32, (micros % 1_000_000) as u32, kept.len() as u32, wire as u32] {
            self.out.extend(word.to_le_bytes());
        }
        self.out.extend_from_slice(kept);
    }
}

fn tcp_packet(from: End, to: End, sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut tcp = [from.1.to_be_bytes(), to.1.to_be_bytes()].concat();
    tcp.extend(sequence.to_be_bytes());
    tcp.extend([0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    tcp.extend_from_slice(payload);
    let pseudo =
        u64::from(from.0 >> 16) + u64::from(from.0 & 0xffff) + u64::from(to.0 >> 16) + u64::from(to.0 & 0xffff);
    let sum = checksum(pseudo + 6 + tcp.len() as u64, &tcp);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    ip_packet(from.0, to.0, 6, 0, 0, &tcp)
}

fn ip_packet(from: u32, to: u32, protocol: u8, id: u16, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend(((20 + payload.len()) as u16).to_be_bytes());
    packet.extend(id.to_be_bytes());
    packet.extend(fragment.to_be_bytes());
    packet.extend([64, protocol, 0, 0]);
    packet.extend(from.to_be_bytes());
    packet.extend(to.to_be_bytes());
    let sum = checksum(0, &packet);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

/// RFC 1071.
fn checksum(start: u64, bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0)));
    let mut sum = start + words.sum::<u64>();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
