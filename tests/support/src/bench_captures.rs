//! Captures for benchmarks, made from the repository's recordings.
//!
//! In: `captures/usb-full-chain.pcapng` (a sign-in that works), `captures/usb-sign-in.pcapng` (one that fails), and for
//! `phones` the recordings that [`SESSIONS`] names. Out: a pcap of about the given size with times in nanoseconds. Bounded:
//! by the recordings; packets are written as they are made. The same arguments give the same bytes. Left to others: what
//! the kinds are for (`benches/bin/bench_captures.rs`).

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufWriter, Write};

use chaingap::capture::CaptureReader;

use crate::project;

/// Where Ethernet, IPv4 without options and TCP with 12 bytes of options end in the recordings.
const IP: usize = 14;
const TCP: usize = 34;
const SERVER: [u8; 4] = [10, 20, 30, 10];
const SEGMENT: usize = 1460;
const RECORD: usize = 16 * 1024;

/// The kinds of captures.
pub const KINDS: [&str; 12] = [
    "voice",
    "bulk",
    "bulk80",
    "disorder",
    "handshakes",
    "devices",
    "chains",
    "syns",
    "hellos",
    "mix",
    "phones",
    "phones-expired",
];

/// What the devices of `phones` do, in turn: recordings, each with how often it is repeated. The first fails for a missing
/// intermediate certificate; the second works; the third tries three times and fails; the fourth signs in with PIN and
/// fetches the certificates before; the server of the fifth has an expired certificate.
pub const SESSIONS: [(&str, u32); 5] = [
    ("usb-sign-in.pcapng", 1),
    ("usb-full-chain.pcapng", 1),
    ("usb-sign-in.pcapng", 3),
    ("pin-sign-in.pcapng", 1),
    ("expired.pcap", 1),
];

/// Writes a capture of a kind and of about this many bytes; false if there is no such kind. `devices` is the number of
/// addresses of the kinds `phones`, which recur after that; other kinds have a number of their own.
pub fn make(kind: &str, size: u64, out: &str, devices: Option<u32>) -> std::io::Result<bool> {
    if !KINDS.contains(&kind) {
        return Ok(false);
    }
    let mut pcap = Pcap::create(out)?;
    if let "phones" | "phones-expired" = kind {
        // The recordings are of November 2026; the certificates of the first four end in 2044.
        pcap.nanos = if kind == "phones" { NOVEMBER_2026 } else { YEAR_2045 };
        let mut phones = Phones::new(&SESSIONS, devices.unwrap_or(u32::MAX))?;
        while pcap.written < size {
            phones.packet(&mut pcap)?;
        }
        phones.finish(&mut pcap)?;
        pcap.file.flush()?;
        return Ok(true);
    }
    let addresses = if ["devices", "syns", "hellos"].contains(&kind) { 5_000 } else { 128 };
    let (mut voice, mut handshakes) = (Voice::new(), Handshakes::new(addresses)?);
    match kind {
        "syns" => handshakes.recorded.iter_mut().for_each(|frames| frames.truncate(1)),
        "hellos" => handshakes.recorded.iter_mut().for_each(up_to_hello),
        "chains" => handshakes.own_certificates = true,
        _ => {}
    }
    let mut bulk = match kind {
        "bulk80" => Bulk::http(),
        "disorder" => Bulk::tls(true)?,
        _ => Bulk::tls(false)?,
    };
    let (mut by_voice, mut by_bulk) = (0, 0);
    while pcap.written < size {
        let before = pcap.written;
        match kind {
            "voice" => voice.packet(&mut pcap)?,
            "handshakes" | "devices" | "chains" | "syns" | "hellos" => handshakes.sign_in(&mut pcap)?,
            "mix" if by_voice * 100 <= before * 80 => {
                voice.packet(&mut pcap)?;
                by_voice += pcap.written - before;
            }
            "mix" if by_bulk * 100 <= before * 19 => {
                bulk.step(&mut pcap)?;
                by_bulk += pcap.written - before;
            }
            "mix" => handshakes.sign_in(&mut pcap)?,
            _ => bulk.step(&mut pcap)?,
        }
    }
    pcap.file.flush()?;
    Ok(true)
}

/// Writes a capture of so many devices, each of which does what the next of these recordings shows, as often as is said; the
/// recordings are of TCP over IPv4 and Ethernet.
pub fn make_phones(sessions: &[(&str, u32)], devices: u32, out: &str) -> std::io::Result<()> {
    let mut pcap = Pcap::create(out)?;
    pcap.nanos = NOVEMBER_2026;
    let mut phones = Phones { recurs: false, ..Phones::new(sessions, devices)? };
    while phones.begun < devices {
        phones.packet(&mut pcap)?;
    }
    phones.finish(&mut pcap)?;
    pcap.file.flush()
}

/// A pcap being written: nanoseconds, Ethernet; ten microseconds between packets.
struct Pcap {
    file: BufWriter<File>,
    written: u64,
    nanos: u64,
}

impl Pcap {
    fn create(path: &str) -> std::io::Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let words: [u32; 6] = [0xa1b2_3c4d, 0x0004_0002, 0, 0, 262_144, 1];
        for word in words {
            file.write_all(&word.to_le_bytes())?;
        }
        Ok(Self { file, written: 24, nanos: 1_767_225_600_000_000_000 })
    }

    fn packet(&mut self, frame: &[u8]) -> std::io::Result<()> {
        self.nanos += 10_000;
        let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let (seconds, nanos) = (self.nanos / 1_000_000_000, self.nanos % 1_000_000_000);
        let mut head = [0; 16];
        let words = [u32::try_from(seconds).unwrap_or(0), u32::try_from(nanos).unwrap_or(0), length, length];
        head.chunks_exact_mut(4).zip(words).for_each(|(to, word)| to.copy_from_slice(&word.to_le_bytes()));
        self.file.write_all(&head)?;
        self.file.write_all(frame)?;
        self.written += 16 + u64::from(length);
        Ok(())
    }
}

/// RTP of 200 calls in turn: 20 ms of G.711 a packet (RFC 3551 section 4.5.14).
struct Voice {
    frame: Vec<u8>,
    sent: u32,
}

impl Voice {
    fn new() -> Self {
        let mut frame = vec![0xD5; 214];
        frame[..IP].copy_from_slice(&[2, 21, 93, 32, 48, 11, 2, 21, 93, 32, 48, 77, 8, 0]);
        frame[IP..TCP]
            .copy_from_slice(&[0x45, 0xB8, 0, 200, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 20, 31, 0, 10, 20, 32, 9]);
        frame[TCP..42].copy_from_slice(&[0x40, 0, 0x40, 0, 0, 180, 0, 0]);
        frame[42..54].copy_from_slice(&[0x80, 8, 0, 0, 0, 0, 0, 0, 1, 2, 3, 0]);
        Self { frame, sent: 0 }
    }

    fn packet(&mut self, pcap: &mut Pcap) -> std::io::Result<()> {
        let (call, number) = (self.sent % 200, self.sent / 200);
        let low = |value: u32| value.to_be_bytes()[3];
        self.frame[IP + 15] = low(call);
        self.frame[TCP + 1] = low(call * 2);
        self.frame[53] = low(call);
        self.frame[44..46].copy_from_slice(&number.to_be_bytes()[2..]);
        self.frame[46..50].copy_from_slice(&(number * 160).to_be_bytes());
        ip_checksum(&mut self.frame);
        self.sent = self.sent.wrapping_add(1);
        pcap.packet(&self.frame)
    }
}

/// Sixteen connections that carry bulk data from server to client.
struct Bulk {
    connections: Vec<Connection>,
    next: usize,
    disorder: bool,
}

struct Connection {
    /// The frames before the bulk.
    opening: Vec<Vec<u8>>,
    /// A segment of the server and an acknowledgment of the client, whose numbers advance.
    segment: Vec<u8>,
    acknowledgment: Vec<u8>,
    sequence: u32,
    /// Bytes until the next TLS record begins; `None` where there are no records.
    until_record: Option<usize>,
    sent: u64,
}

impl Bulk {
    fn tls(disorder: bool) -> std::io::Result<Self> {
        let recorded = frames_of("usb-full-chain.pcapng", 443)?;
        // Up to the first byte of application data, which the bulk replaces.
        let opening: Vec<_> = recorded.iter().take_while(|frame| payload(frame).first() != Some(&23)).collect();
        let connections = (0..16).map(|which| {
            let move_to = |frame: &&Vec<u8>| moved(frame, [10, 20, 33, which], 40_000 + u16::from(which));
            Connection::after(opening.iter().map(move_to).collect(), Some(0))
        });
        Ok(Self { connections: connections.collect(), next: 0, disorder })
    }

    fn http() -> Self {
        let connections = (0..16).map(|which| {
            let (client, port) = ([10, 20, 33, which], 41_000 + u16::from(which));
            let request =
                b"GET /RequestHandler/Files/UCPhone/firmware.nbt HTTP/1.1\r\nHost: lyncpool.contoso.test\r\n\r\n";
            let answer =
                b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 68719476736\r\n\r\n";
            let mut opening = vec![
                segment((client, port), true, (999, 0), 0x02, b""),
                segment((client, port), false, (1999, 1000), 0x12, b""),
                segment((client, port), true, (1000, 2000), 0x10, b""),
                segment((client, port), true, (1000, 2000), 0x18, request),
            ];
            let asked = 1000 + u32::try_from(request.len()).unwrap_or(0);
            opening.push(segment((client, port), false, (2000, asked), 0x18, answer));
            Connection::after(opening, None)
        });
        Self { connections: connections.collect(), next: 0, disorder: false }
    }

    /// The next two segments of a connection and their acknowledgment.
    fn step(&mut self, pcap: &mut Pcap) -> std::io::Result<()> {
        let count = self.connections.len();
        let connection = &mut self.connections[self.next % count];
        self.next += 1;
        for frame in connection.opening.drain(..) {
            pcap.packet(&frame)?;
        }
        let first = connection.next_segment();
        let second = connection.next_segment();
        connection.sent += 2;
        if self.disorder && connection.sent.is_multiple_of(100) {
            pcap.packet(&second)?;
            pcap.packet(&first)?;
        } else {
            pcap.packet(&first)?;
            pcap.packet(&second)?;
        }
        let sequence = connection.sequence;
        pcap.packet(connection.acknowledge(sequence))
    }
}

impl Connection {
    fn after(opening: Vec<Vec<u8>>, until_record: Option<usize>) -> Self {
        let last = |from_server: bool| opening.iter().rfind(|frame| (frame[IP + 12..IP + 16] == SERVER) == from_server);
        let (server, client) = (last(true).cloned().unwrap_or_default(), last(false).cloned().unwrap_or_default());
        let sequence = end_of(&server);
        let mut segment = server[..header_end(&server)].to_vec();
        segment[TCP + 8..TCP + 12].copy_from_slice(&end_of(&client).to_be_bytes());
        segment[TCP + 13] = 0x10;
        segment.resize(header_end(&server) + SEGMENT, 0xA5);
        let mut acknowledgment = client[..header_end(&client)].to_vec();
        acknowledgment[TCP + 4..TCP + 8].copy_from_slice(&end_of(&client).to_be_bytes());
        acknowledgment[TCP + 13] = 0x10;
        lengths(&mut segment);
        lengths(&mut acknowledgment);
        Self { opening, segment, acknowledgment, sequence, until_record, sent: 0 }
    }

    fn next_segment(&mut self) -> Vec<u8> {
        let start = header_end(&self.segment);
        self.segment[TCP + 4..TCP + 8].copy_from_slice(&self.sequence.to_be_bytes());
        let mut frame = self.segment.clone();
        if let Some(until) = &mut self.until_record {
            // Record headers: application data, TLS 1.0, 16 KiB.
            let header = [23, 3, 1, 0x40, 0];
            for (index, byte) in frame[start..].iter_mut().enumerate() {
                let at = (index + RECORD + header.len() - *until) % (RECORD + header.len());
                if at < header.len() {
                    *byte = header[at];
                }
            }
            *until = (*until + RECORD + header.len() - SEGMENT % (RECORD + header.len())) % (RECORD + header.len());
        }
        self.sequence = self.sequence.wrapping_add(u32::try_from(SEGMENT).unwrap_or(0));
        tcp_checksum(&mut frame);
        frame
    }

    fn acknowledge(&mut self, to: u32) -> &[u8] {
        self.acknowledgment[TCP + 8..TCP + 12].copy_from_slice(&to.to_be_bytes());
        tcp_checksum(&mut self.acknowledgment);
        &self.acknowledgment
    }
}

/// The recorded sign-ins in turn.
struct Handshakes {
    recorded: [Vec<Vec<u8>>; 2],
    own_certificates: bool,
    addresses: u32,
    made: u32,
}

impl Handshakes {
    fn new(addresses: u32) -> std::io::Result<Self> {
        let recorded = [frames_of("usb-full-chain.pcapng", 443)?, frames_of("usb-sign-in.pcapng", 443)?];
        Ok(Self { recorded, own_certificates: false, addresses, made: 0 })
    }

    fn sign_in(&mut self, pcap: &mut Pcap) -> std::io::Result<()> {
        let device = self.made % self.addresses;
        let recorded = &self.recorded[usize::from(device % 2 == 1)];
        let [_, _, high, low] = device.to_be_bytes();
        let port = 1024 + u16::try_from(self.made / self.addresses % 64_000).unwrap_or(0);
        let mut certificate = false;
        for frame in recorded {
            let mut frame = moved(frame, [10, 64, high, low], port);
            if self.own_certificates && !certificate {
                certificate = renumber(&mut frame, self.made);
            }
            let start = header_end(&frame);
            // Record, ClientHello, version; then the random value, whose last bytes are made unique.
            if is_hello(&frame) {
                frame[start + 39..start + 43].copy_from_slice(&self.made.to_be_bytes());
                tcp_checksum(&mut frame);
            }
            pcap.packet(&frame)?;
        }
        self.made = self.made.wrapping_add(1);
        Ok(())
    }
}

/// 2026-11-24T00:00:00Z and 2045-01-01T00:00:00Z in nanoseconds.
const NOVEMBER_2026: u64 = 1_795_478_400_000_000_000;
const YEAR_2045: u64 = 2_366_841_600_000_000_000;
/// Sessions of `phones` that are under way at once, so that their packets alternate.
const AT_ONCE: usize = 16;

/// Devices that sign in, as the sessions say in turn.
struct Phones {
    /// The frames of each session, and how often it is repeated.
    sessions: Vec<(Vec<Vec<u8>>, u32)>,
    devices: u32,
    begun: u32,
    hellos: u32,
    /// Whether the devices begin again when each of them has done what it does.
    recurs: bool,
    under_way: VecDeque<VecDeque<Vec<u8>>>,
}

impl Phones {
    fn new(sessions: &[(&str, u32)], devices: u32) -> std::io::Result<Self> {
        let recorded = sessions.iter().map(|(capture, times)| Ok((frames_with_server(capture)?, *times)));
        let sessions = recorded.collect::<std::io::Result<_>>()?;
        Ok(Self { sessions, devices, begun: 0, hellos: 0, recurs: true, under_way: VecDeque::new() })
    }

    /// The frames of the next session.
    fn session(&mut self) -> VecDeque<Vec<u8>> {
        let (device, round) = (self.begun % self.devices, self.begun / self.devices);
        self.begun = self.begun.wrapping_add(1);
        let (recorded, times) = &self.sessions[usize::try_from(device).unwrap_or(0) % self.sessions.len()];
        let [_, high, middle, low] = device.to_be_bytes();
        let mut frames = VecDeque::new();
        for again in 0..*times {
            for frame in recorded {
                let port_at = if frame[IP + 12..IP + 16] == SERVER { TCP + 2 } else { TCP };
                let port = u32::from(u16::from_be_bytes([frame[port_at], frame[port_at + 1]]));
                let port = 1024 + (port + 97 * (round * times + again)) % 64_000;
                let mut frame = moved(frame, [10, 64 + high, middle, low], u16::try_from(port).unwrap_or(1024));
                let start = header_end(&frame);
                let random = is_hello(&frame).then(|| frame.get_mut(start + 39..start + 43)).flatten();
                if let Some(end) = random {
                    end.copy_from_slice(&self.hellos.to_be_bytes());
                    self.hellos = self.hellos.wrapping_add(1);
                    tcp_checksum(&mut frame);
                }
                frames.push_back(frame);
            }
        }
        frames
    }

    fn packet(&mut self, pcap: &mut Pcap) -> std::io::Result<()> {
        while self.under_way.len() < AT_ONCE && (self.begun < self.devices || self.recurs) {
            let session = self.session();
            self.under_way.push_back(session);
        }
        self.next_packet(pcap)
    }

    fn next_packet(&mut self, pcap: &mut Pcap) -> std::io::Result<()> {
        let Some(mut session) = self.under_way.pop_front() else { return Ok(()) };
        if let Some(frame) = session.pop_front() {
            pcap.packet(&frame)?;
        }
        if !session.is_empty() {
            self.under_way.push_back(session);
        }
        Ok(())
    }

    /// Writes the sessions that are under way to their end.
    fn finish(&mut self, pcap: &mut Pcap) -> std::io::Result<()> {
        while !self.under_way.is_empty() {
            self.next_packet(pcap)?;
        }
        Ok(())
    }
}

/// Overwrites the end of the serial number of the first certificate in the frame, if there is one.
fn renumber(frame: &mut [u8], number: u32) -> bool {
    // Version 3, then the serial number (RFC 5280 section 4.1).
    const VERSION: [u8; 6] = [0xA0, 3, 2, 1, 2, 2];
    let Some(at) = frame.windows(VERSION.len()).position(|bytes| bytes == VERSION) else { return false };
    let end = at + VERSION.len() + 1 + usize::from(frame[at + VERSION.len()]);
    let Some(last) = frame.get_mut(end - 4..end) else { return false };
    last.copy_from_slice(&number.to_be_bytes());
    tcp_checksum(frame);
    true
}

/// Whether the frame begins with a ClientHello.
pub(crate) fn is_hello(frame: &[u8]) -> bool {
    matches!(payload(frame), [22, 3, _, _, _, 1, ..])
}

fn up_to_hello(frames: &mut Vec<Vec<u8>>) {
    let hello = frames.iter().position(|frame| is_hello(frame));
    frames.truncate(hello.map_or(0, |at| at + 1));
}

/// The frames of a recording's TCP connection with a port of the server.
pub(crate) fn frames_of(capture: &str, port: u16) -> std::io::Result<Vec<Vec<u8>>> {
    let of_port = |frame: &Vec<u8>| [&frame[TCP..TCP + 2], &frame[TCP + 2..TCP + 4]].contains(&&port.to_be_bytes()[..]);
    let mut frames = frames_with_server(capture)?;
    frames.retain(of_port);
    Ok(frames)
}

/// The frames of a recording's TCP connections with the server.
fn frames_with_server(capture: &str) -> std::io::Result<Vec<Vec<u8>>> {
    let bytes = std::fs::read(project("captures").join(capture))?;
    let (mut reader, mut rest, mut frames) = (CaptureReader::new(0), bytes.as_slice(), Vec::new());
    while !rest.is_empty() {
        let space = reader.space();
        let count = space.len().min(rest.len());
        space[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        reader.commit(count);
        while let Some(frame) = reader.next_frame().map_err(std::io::Error::other)? {
            let data = frame.data;
            let is_tcp = data.len() >= TCP + 20 && data[12..14] == [8, 0] && data[IP + 9] == 6;
            if is_tcp && (data[IP + 12..IP + 16] == SERVER || data[IP + 16..IP + 20] == SERVER) {
                frames.push(data.to_vec());
            }
        }
    }
    Ok(frames)
}

/// The frame with another client and adjusted checksums.
pub(crate) fn moved(frame: &[u8], client: [u8; 4], port: u16) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let from_server = frame[IP + 12..IP + 16] == SERVER;
    let (address, port_at) = if from_server { (IP + 16, TCP + 2) } else { (IP + 12, TCP) };
    frame[address..address + 4].copy_from_slice(&client);
    frame[port_at..port_at + 2].copy_from_slice(&port.to_be_bytes());
    ip_checksum(&mut frame);
    tcp_checksum(&mut frame);
    frame
}

/// A segment without options between a client and the server's port 80 (RFC 9293 section 3.1).
fn segment(
    (client, port): ([u8; 4], u16),
    from_client: bool,
    (sequence, acknowledges): (u32, u32),
    flags: u8,
    payload: &[u8],
) -> Vec<u8> {
    let (from, to) = if from_client { (client, SERVER) } else { (SERVER, client) };
    let (from_port, to_port) = if from_client { (port, 80) } else { (80_u16, port) };
    let mut frame = vec![2, 21, 93, 32, 48, 16, 2, 21, 93, 32, 48, 80, 8, 0, 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0];
    frame.extend(from.iter().chain(&to));
    frame.extend(from_port.to_be_bytes().iter().chain(&to_port.to_be_bytes()));
    frame.extend(sequence.to_be_bytes().iter().chain(&acknowledges.to_be_bytes()));
    frame.extend([0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]);
    frame.extend_from_slice(payload);
    lengths(&mut frame);
    tcp_checksum(&mut frame);
    frame
}

pub(crate) fn header_end(frame: &[u8]) -> usize {
    TCP + usize::from(frame[TCP + 12] >> 4) * 4
}

fn payload(frame: &[u8]) -> &[u8] {
    &frame[header_end(frame)..]
}

/// Sequence number after a segment.
fn end_of(frame: &[u8]) -> u32 {
    let sequence = u32::from_be_bytes([frame[TCP + 4], frame[TCP + 5], frame[TCP + 6], frame[TCP + 7]]);
    let syn = u32::from(frame[TCP + 13] & 2 != 0);
    sequence.wrapping_add(u32::try_from(payload(frame).len()).unwrap_or(0)).wrapping_add(syn)
}

fn lengths(frame: &mut [u8]) {
    let total = u16::try_from(frame.len() - IP).unwrap_or(u16::MAX);
    frame[IP + 2..IP + 4].copy_from_slice(&total.to_be_bytes());
    ip_checksum(frame);
}

fn ip_checksum(frame: &mut [u8]) {
    frame[IP + 10..IP + 12].fill(0);
    let sum = ones_complement(&frame[IP..TCP], 0);
    frame[IP + 10..IP + 12].copy_from_slice(&sum.to_be_bytes());
}

pub(crate) fn tcp_checksum(frame: &mut [u8]) {
    frame[TCP + 16..TCP + 18].fill(0);
    // The pseudo-header: both addresses, the protocol and the length.
    let length = u32::try_from(frame.len() - TCP).unwrap_or(0);
    let pseudo = frame[IP + 12..IP + 20].chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])));
    let start = pseudo.sum::<u32>() + 6 + length;
    let sum = ones_complement(&frame[TCP..], start);
    frame[TCP + 16..TCP + 18].copy_from_slice(&sum.to_be_bytes());
}

/// RFC 1071.
fn ones_complement(bytes: &[u8], start: u32) -> u16 {
    let words = bytes.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)])));
    let mut sum = words.sum::<u32>() + start;
    while sum >> 16 != 0 {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}
