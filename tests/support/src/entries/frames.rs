//! Blocks of pcapng, frames of any link, segments of a connection.
//!
//! In: bytes that are taken for lists of blocks, frames or segments. Out: a panic where reading a file in small pieces
//! tells anything else than reading it whole, or where a connection's bytes are not those that a naive reassembly gives.
//! Left to others: what the payloads mean.

use chaingap::capture::{CaptureReader, Cut, Frame, FrameRef, LinkType};
use chaingap::decode::{Decoder, Packet};
use chaingap::flow::{FlowTable, Piece, Side};
use chaingap::limits::Limits;

use super::Input;
use super::streams::place;

/// A section header and blocks whose lengths fit, unless the input says otherwise.
pub(super) fn pcapng(data: &[u8]) {
    let file = pcapng_file(data);
    let whole = read_capture(&file, usize::MAX);
    let bytewise = read_capture(&file, 1);
    assert_eq!(whole, bytewise, "byte by byte");
}

fn pcapng_file(data: &[u8]) -> Vec<u8> {
    let mut input = Input(data);
    let big = input.byte() & 1 == 1;
    let word = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let mut file = Vec::new();
    let mut block = |kind: u32, lie: u32, body: &[u8]| {
        let padded = body.len().next_multiple_of(4);
        let total = u32::try_from(padded + 12).unwrap().wrapping_add(lie);
        file.extend(word(kind));
        file.extend(word(total));
        file.extend_from_slice(body);
        file.resize(file.len() + padded - body.len(), 0);
        file.extend(word(total));
    };
    let section =
        [&word(0x1a2b_3c4d)[..], &[if big { 0 } else { 1 }, if big { 1 } else { 0 }, 0, 0], &[0xff; 8]].concat();
    block(0x0a0d_0d0a, 0, &section);
    while !input.is_empty() {
        const KINDS: [u32; 13] = [1, 2, 3, 4, 5, 6, 9, 10, 0x0bad, 0x4000_0bad, 0x0a0d_0d0a, 0x8000_0001, 0];
        let control = input.byte();
        let kind = KINDS[usize::from(control & 0x3f) % KINDS.len()];
        let lie = if control & 0x80 != 0 { u32::from(input.short()) << (control & 0x10) } else { 0 };
        let length = if control & 0x40 != 0 { input.short() } else { u16::from(input.byte()) };
        block(kind, lie, input.take(usize::from(length)));
    }
    file
}

/// Everything that a reader reports about a file given in pieces of this length.
fn read_capture(file: &[u8], piece: usize) -> String {
    let (mut reader, mut told, mut rest) = (CaptureReader::new(0), String::new(), file);
    loop {
        match reader.next_frame() {
            Ok(Some(frame)) => {
                assert!(frame.data.len() <= file.len());
                told.push_str(&format!("{:?} {:?} {} {:?}\n", frame.at, frame.link_type, frame.wire_len, frame.data));
            }
            Ok(None) if rest.is_empty() => break,
            Ok(None) => {
                let space = reader.space();
                let count = space.len().min(piece).min(rest.len());
                let (now, later) = rest.split_at(count);
                space[..count].copy_from_slice(now);
                rest = later;
                reader.commit(count);
                if rest.is_empty() {
                    reader.end();
                }
            }
            Err(error) => return format!("{told}{error}"),
        }
    }
    format!("{told}{:?}", reader.finish())
}

/// Frames of one link type, one after the other: the type, then each frame's length and bytes. The highest bits of the
/// length say how much of the frame the capture cut.
pub(super) fn decode(data: &[u8]) {
    let mut input = Input(data);
    let link_type = LinkType(input.short());
    let limits = crate::limits(|limits| (limits.fragmented_packets, limits.fragment_bytes) = (8, 20_000));
    let mut decoder = Decoder::new(&limits);
    let mut number = 0;
    while !input.is_empty() {
        let length = input.short();
        let data = input.take(usize::from(length & 0x1fff));
        number += 1;
        let at =
            FrameRef { number, time: place().time.moved(i64::try_from(number).unwrap() * 1_000_000_000), ..place() };
        let wire_len = u32::try_from(data.len()).unwrap() + 64 * u32::from(length >> 13);
        decoder.decode(&Frame { at, link_type, data, wire_len }, &mut |packet| match packet {
            Packet::Tcp(segment) => drop((segment.checksum(), format!("{segment:?}"))),
            Packet::Udp(datagram) => assert!(datagram.payload.len() <= 65_535),
            Packet::Binding(binding) => drop(format!("{binding:?}")),
            Packet::Link(frame) => drop(format!("{frame:?}")),
        });
    }
    let counts = decoder.finish();
    let words: Vec<_> = counts.unread.iter().map(|(why, count)| count.in_words(why)).collect();
    let odd: Vec<_> = counts.anomalies.iter().map(|(what, count)| count.in_words(what)).collect();
    assert!(words.iter().chain(&odd).all(|line| !line.chars().any(char::is_control)), "{words:?} {odd:?}");
}

/// The script of frames, for seeds.
pub fn write_frames(link_type: LinkType, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut out = link_type.0.to_be_bytes().to_vec();
    for frame in frames.iter().filter(|frame| frame.len() < 0x2000) {
        out.extend(u16::try_from(frame.len()).unwrap().to_be_bytes());
        out.extend_from_slice(frame);
    }
    out
}

/// Bytes of a direction that segments may lie in.
const SPACE: usize = 6_000;

/// Segments of one connection: the client's initial sequence number, then for each segment where it begins, how long
/// it is and what is wrong with it. Sound copies of a byte agree.
pub(super) fn reassembly(data: &[u8]) {
    let mut input = Input(data);
    let base = u32::from(input.short()) << 16 | u32::from(input.short());
    let mut connection = Connection::new(base);
    let mut naive = Naive { sound: vec![false; SPACE], damaged: vec![false; SPACE], cut: vec![false; SPACE] };
    while !input.is_empty() {
        let control = input.byte();
        let start = usize::from(input.short()) % SPACE;
        let length = (usize::from(input.byte()) * if control & 0x10 == 0 { 1 } else { 8 }).min(SPACE - start);
        let (bad, kept) = (control & 3 == 3, if control & 3 == 2 { length / 2 } else { length });
        connection.segment(start, length, kept, bad, control & 0x20 != 0);
        naive.segment(start, length, kept, bad);
    }
    naive.compare(connection.finish());
}

/// The byte at a place in sound copies, or in damaged ones.
fn byte_at(place: usize, bad: bool) -> u8 {
    let sound = u8::try_from((place * 7 + place / 256) % 251).unwrap();
    if bad { !sound } else { sound }
}

/// What arrived, in order: bytes, or how many are missing.
type Received = Vec<Result<Vec<u8>, u64>>;

/// One connection through the decoder and the table.
struct Connection {
    base: u32,
    number: u64,
    decoder: Decoder,
    flows: FlowTable<Received>,
    limits: Limits,
}

impl Connection {
    fn new(base: u32) -> Self {
        let limits = Limits::default();
        let (decoder, flows) = (Decoder::new(&limits), FlowTable::new(|_| Vec::new()));
        let mut new = Self { base, number: 0, decoder, flows, limits };
        new.send(base.wrapping_sub(1), 0x02, &[], 0, false);
        new
    }

    /// A segment of which the capture kept this many bytes.
    fn segment(&mut self, start: usize, length: usize, kept: usize, bad: bool, fin: bool) {
        let bytes: Vec<u8> = (start..start + length).map(|place| byte_at(place, bad)).collect();
        let sequence = self.base.wrapping_add(u32::try_from(start).unwrap());
        // FIN is only at the end of the stream.
        let flags = if fin && start + length == SPACE { 0x11 } else { 0x10 };
        self.send(sequence, flags, &bytes, length - kept, bad);
    }

    /// A raw IPv4 packet (RFC 791, RFC 9293) with a sound checksum, or with one that is off by one; the capture lacks
    /// this many bytes of its end.
    fn send(&mut self, sequence: u32, flags: u8, payload: &[u8], cut: usize, bad: bool) {
        let (source, destination) = ([192, 0, 2, 1], [192, 0, 2, 2]);
        let mut tcp =
            [&40_000_u16.to_be_bytes()[..], &443_u16.to_be_bytes(), &sequence.to_be_bytes(), &[0; 4]].concat();
        tcp.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend_from_slice(payload);
        let length = u16::try_from(tcp.len()).unwrap().to_be_bytes();
        let pseudo = [&source[..], &destination, &[0, 6], &length, &tcp].concat();
        let sum = internet_checksum(&pseudo).wrapping_add(u16::from(bad));
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
        let total = u16::try_from(20 + tcp.len()).unwrap().to_be_bytes();
        let mut packet = vec![0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, 6, 0, 0];
        packet.extend(source.iter().chain(&destination));
        let sum = internet_checksum(&packet);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        packet.extend(tcp);
        self.number += 1;
        let at = FrameRef { number: self.number, ..place() };
        let wire_len = u32::try_from(packet.len()).unwrap();
        let frame = Frame { at, link_type: LinkType::RAW, data: &packet[..packet.len() - cut], wire_len };
        let Self { decoder, flows, limits, .. } = self;
        decoder.decode(&frame, &mut |packet| {
            let Packet::Tcp(segment) = packet else { panic!("{packet:?}") };
            flows.segment(&segment, limits, &mut receive, |_| false);
        });
    }

    fn finish(mut self) -> Received {
        let mut flows = self.flows.finish();
        assert_eq!(flows.len(), 1, "one connection");
        let mut flow = flows.remove(0);
        flow.finish(&mut receive);
        flow.conversation
    }
}

fn receive(received: &mut Received, side: Side, piece: Piece<'_>, _: FrameRef) {
    assert_eq!(side, Side::Client);
    received.push(match piece {
        Piece::Bytes(bytes) => Ok(bytes.to_vec()),
        Piece::Gap { missing, cut } => {
            assert!(cut.is_none_or(|Cut { kept, of }| kept < of), "{cut:?}");
            Err(missing)
        }
    });
}

/// RFC 1071.
fn internet_checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap()
}

/// Which bytes arrived, each marked by itself.
struct Naive {
    sound: Vec<bool>,
    damaged: Vec<bool>,
    /// Cut off before they arrived, if they ever did: the first copy counts.
    cut: Vec<bool>,
}

impl Naive {
    fn segment(&mut self, start: usize, length: usize, kept: usize, bad: bool) {
        let marks = if bad { &mut self.damaged } else { &mut self.sound };
        marks[start..start + kept].fill(true);
        for place in start + kept..start + length {
            self.cut[place] |= !self.sound[place];
        }
    }

    /// Every byte that arrived intact is in its place once, and every other one is a gap or the damaged copy.
    fn compare(&self, received: Received) {
        let mut place = 0;
        for part in received {
            match part {
                Ok(bytes) => {
                    for byte in bytes {
                        let sound = byte == byte_at(place, false);
                        assert!(sound || self.damaged[place], "{byte:#x} at {place} was never sent");
                        assert!(sound == self.sound[place] || self.cut[place], "the sound copy wins at {place}");
                        place += 1;
                    }
                }
                Err(missing) => {
                    for _ in 0..missing {
                        assert!(!self.sound[place] || self.cut[place], "the byte at {place} arrived");
                        place += 1;
                    }
                }
            }
        }
        assert!(!self.sound[place..].contains(&true), "bytes after {place} arrived");
    }
}
