//! Segments that do not belong to the connection between whose ends they pass, and checksums that network cards leave
//! wrong.
//!
//! In: the samples. Out: failed tests where such a segment changes what is said (RFC 9293 section 3.10.7, RFC 5961 section
//! 3.2; docs/verdict.md, step 10). Left to others: segments out of any window (`disorder::stray`), damaged copies beside
//! right ones (`copies`).

use etherparse::TcpHeader;

use chaingap::evidence::Outcome;

use super::disorder::clients;
use super::frame::{Direction, Frame, Segment};
use super::samples::{SAMPLES, Sample};
use super::stream::connections;
use super::{report, same, same_after};
use support::share;

const MILLISECOND: i64 = 1_000_000;

/// Applies a fault to the share of the samples, and to a share of the recordings in which TLS 1.3 worked: there the order
/// of the two sides decides what an encrypted record is.
fn same_also_in_tls_1_3(what: &str, fault: impl Fn(&[Frame]) -> Vec<Frame>) {
    same_after(what, &fault);
    let works = |sample: &&Sample| {
        let mut handshakes = sample.before.devices.iter().flat_map(|device| &device.handshakes);
        handshakes.any(|it| it.version.as_deref() == Some("TLS 1.3") && it.outcome == Outcome::Completed)
    };
    let of = |sample: &'static Sample| {
        let lines = same::differences(&sample.before, &sample.report_after(&fault));
        lines.into_iter().map(move |line| format!("{}: {line}", sample.name))
    };
    let samples: Vec<&Sample> = SAMPLES.iter().filter(works).collect();
    assert!(samples.len() >= 5, "only {} recordings in which TLS 1.3 works", samples.len());
    report(what, &share(what, samples).flat_map(of).collect::<Vec<_>>());
}

/// A segment between the same ends as this one, with other flags and numbers.
fn other(segment: &Segment, payload: &[u8], change: impl Fn(&mut TcpHeader)) -> Segment {
    let mut other = segment.clone();
    other.payload = payload.to_vec();
    (other.tcp.psh, other.tcp.fin, other.tcp.rst, other.tcp.syn) = (false, false, false, false);
    change(&mut other.tcp);
    other
}

/// Where segments of an earlier connection turn up.
#[derive(Clone, Copy, Debug)]
enum Behind {
    Syn,
    SynAck,
    Data,
}

/// Segments of an earlier connection between the same ports, as one of its sides may still send them.
fn earlier_connection(
    frames: &[Frame],
    (behind, by_client): (Behind, bool),
    payload: &[u8],
    flag: impl Fn(&mut TcpHeader),
) -> Vec<Frame> {
    let clients = clients(frames);
    let mut out = Vec::new();
    for frame in frames {
        out.push(frame.clone());
        let Some(segment) = frame.segment() else { continue };
        let is_there = match behind {
            Behind::Syn => segment.opens(),
            Behind::SynAck => segment.tcp.syn && segment.tcp.ack,
            Behind::Data => !segment.payload.is_empty(),
        };
        if !is_there {
            continue;
        }
        let sender =
            if clients.contains(&segment.direction()) == by_client { segment.clone() } else { turned(segment) };
        let stray = other(&sender, payload, |tcp| {
            tcp.ack = true;
            tcp.sequence_number = tcp.sequence_number.wrapping_sub(0x3000_0000);
            tcp.acknowledgment_number = tcp.acknowledgment_number.wrapping_add(0x5000_0000);
            flag(tcp);
        });
        out.push(frame.with(stray));
    }
    out
}

/// A segment of the other side of its connection, with its numbers the other way round.
fn turned(segment: &Segment) -> Segment {
    let (from, to) = segment.direction();
    let mut out = segment.readdressed(|address| if address == from { to } else { from });
    let numbers = (segment.tcp.acknowledgment_number, segment.tcp.sequence_number);
    (out.tcp.sequence_number, out.tcp.acknowledgment_number) = numbers;
    out
}

#[test]
fn segments_of_an_earlier_connection() {
    for behind in [Behind::Syn, Behind::SynAck, Behind::Data] {
        for by_client in [false, true] {
            let place = (behind, by_client);
            let what = |what: &str| format!("{what}, behind {behind:?}, of the client: {by_client}");
            same_also_in_tls_1_3(&what("an old FIN"), |frames| {
                earlier_connection(frames, place, &[], |tcp| tcp.fin = true)
            });
            same_also_in_tls_1_3(&what("an old RST"), |frames| {
                earlier_connection(frames, place, &[], |tcp| tcp.rst = true)
            });
            same_also_in_tls_1_3(&what("old data"), |frames| {
                earlier_connection(frames, place, &[0x17, 3, 3, 0, 1, 0], |tcp| tcp.psh = true)
            });
            same_also_in_tls_1_3(&what("an old acknowledgment"), |frames| {
                earlier_connection(frames, place, &[], |_| ())
            });
        }
    }
    // RFC 9293 section 3.10.7.3: without an acknowledgment a RST does not refuse a SYN.
    same_also_in_tls_1_3("a RST of nothing", |frames| {
        earlier_connection(frames, (Behind::Syn, false), &[], |tcp| (tcp.rst, tcp.ack) = (true, false))
    });
}

/// The first flight of each server, sent twice in a connection that its client no longer has. The client answers with
/// RSTs (RFC 9293 section 3.10.7.1), or not at all.
fn dead_connections(frames: &[Frame], port: Option<u16>, answered: bool, before: bool) -> Vec<Frame> {
    let Some((start, end)) = frames.first().zip(frames.last()).map(|(first, last)| (first.time, last.time)) else {
        return Vec::new();
    };
    let base = if before { start - 2_000 * MILLISECOND } else { end + 60_000 * MILLISECOND };
    let mut old = Vec::new();
    for connection in connections(frames) {
        let (client, server) = connection.client.direction;
        let moved = |address: std::net::SocketAddr| match (address == client, port) {
            (true, Some(port)) => std::net::SocketAddr::new(address.ip(), port),
            _ => address,
        };
        let is_of =
            |frame: &Frame, direction: Direction| frame.data().is_some_and(|segment| segment.direction() == direction);
        let Some(first) = frames.iter().position(|frame| is_of(frame, (server, client))) else { continue };
        let answer = frames[first..].iter().position(|frame| is_of(frame, (client, server)));
        let end = answer.map_or(frames.len(), |answer| first + answer);
        let flight = frames[first..end].iter().filter(|frame| is_of(frame, (server, client)));
        for (frame, after) in flight.flat_map(|frame| [0, 400].map(|after| (frame, after))) {
            let segment = frame.data().unwrap().readdressed(moved);
            let reset = turned(&other(&segment, &[], |_| ()));
            let time = base + after * MILLISECOND;
            old.push(Frame { time, ..frame.with(segment) });
            let mut reset = frame.with(other(&reset, &[], |tcp| (tcp.rst, tcp.ack) = (true, false)));
            reset.time = time + MILLISECOND / 10;
            old.extend(answered.then_some(reset));
        }
    }
    old.sort_by_key(|frame| frame.time);
    if before { [&old, frames].concat() } else { [frames, &old].concat() }
}

#[test]
fn the_segments_of_a_dead_connection_are_no_handshake() {
    for port in [None, Some(50_999)] {
        for answered in [false, true] {
            for before in [false, true] {
                let what = format!("a dead connection, {port:?}, answered: {answered}, before: {before}");
                same_after(&what, |frames| dead_connections(frames, port, answered, before));
            }
        }
    }
}

/// After the first data of each direction of a connection a segment whose number lies a million bytes ahead.
fn far_ahead(frames: &[Frame], by_client: bool, flag: impl Fn(&mut TcpHeader)) -> Vec<Frame> {
    let clients = clients(frames);
    let mut seen = std::collections::BTreeSet::new();
    let mut out = Vec::new();
    for frame in frames {
        out.push(frame.clone());
        let Some(segment) = frame.data() else { continue };
        let direction = segment.direction();
        if clients.contains(&direction) == by_client && seen.insert((direction, segment.tcp.acknowledgment_number)) {
            let far = other(segment, &[], |tcp| {
                tcp.sequence_number = tcp.sequence_number.wrapping_add(1_000_000);
                flag(tcp);
            });
            out.push(frame.with(far));
        }
    }
    out
}

#[test]
fn ends_a_million_bytes_ahead() {
    for by_client in [false, true] {
        same_also_in_tls_1_3("a far RST", |frames| far_ahead(frames, by_client, |tcp| tcp.rst = true));
        same_also_in_tls_1_3("a far FIN", |frames| far_ahead(frames, by_client, |tcp| tcp.fin = true));
    }
}

/// Where another SYN-ACK turns up.
#[derive(Clone, Copy, Debug)]
enum Place {
    Before,
    Behind,
    BehindAcknowledgment,
}

/// Another SYN-ACK for each, with another initial number, as a proxy that answers SYNs itself sends it.
fn two_syn_acks(frames: &[Frame], place: Place) -> Vec<Frame> {
    let (mut out, mut waiting): (Vec<Frame>, Vec<Frame>) = (Vec::new(), Vec::new());
    for frame in frames {
        let segment = frame.segment();
        let another = segment.filter(|segment| segment.tcp.syn && segment.tcp.ack).map(|answer| {
            let mut another = answer.clone();
            another.tcp.sequence_number = another.tcp.sequence_number.wrapping_add(424_242);
            frame.with(another)
        });
        let acknowledged = |syn_ack: &Frame| {
            let client = syn_ack.segment().map(|it| (it.direction().1, it.direction().0));
            segment.is_some_and(|segment| Some(segment.direction()) == client && segment.tcp.ack)
        };
        let now: Vec<Frame> = waiting.extract_if(.., |syn_ack| acknowledged(syn_ack)).collect();
        match (another, place) {
            (Some(another), Place::Before) => out.extend([another, frame.clone()]),
            (Some(another), Place::Behind) => out.extend([frame.clone(), another]),
            (another, _) => {
                waiting.extend(another);
                out.push(frame.clone());
            }
        }
        out.extend(now.into_iter().map(|syn_ack| Frame { time: frame.time, ..syn_ack }));
    }
    out
}

#[test]
fn a_second_syn_ack_with_another_number() {
    for place in [Place::Before, Place::Behind, Place::BehindAcknowledgment] {
        same_also_in_tls_1_3(&format!("another SYN-ACK, {place:?}"), |frames| two_syn_acks(frames, place));
    }
}

/// Gives some of the segments with data, chosen by their index among these, a checksum that does not fit.
fn left_to_the_card(frames: &[Frame], chosen: impl Fn(usize) -> bool) -> Vec<Frame> {
    let mut count = 0;
    let with_checksum = |frame: &Frame| {
        let Some(segment) = frame.data() else { return frame.clone() };
        count += 1;
        if !chosen(count - 1) {
            return frame.clone();
        }
        let mut segment = segment.clone();
        segment.tcp.checksum = segment.checksum() ^ 0x1234;
        segment.stale = true;
        frame.with(segment)
    };
    frames.iter().map(with_checksum).collect()
}

#[test]
fn half_of_the_checksums_are_wrong() {
    for half in [0, 1] {
        same_also_in_tls_1_3("every second", |frames| left_to_the_card(frames, |index| index % 2 == half));
        same_also_in_tls_1_3("pairs", |frames| left_to_the_card(frames, |index| index / 2 % 2 == half));
    }
    // Halves without a pattern: bits of multiples of a prime.
    for prime in [2_654_435_761_usize, 40_503, 104_729] {
        same_also_in_tls_1_3(&format!("half by {prime}"), |frames| {
            left_to_the_card(frames, |index| (index + 1).wrapping_mul(prime) >> 7 & 1 == 1)
        });
    }
}

#[test]
fn one_checksum_is_wrong() {
    const PARTS: usize = 24;
    for part in share("one checksum", 0..PARTS) {
        same_also_in_tls_1_3(&format!("segment {part} of {PARTS}"), |frames| {
            let count = frames.iter().filter(|frame| frame.data().is_some()).count();
            let one = if count <= PARTS { part } else { part * count / PARTS };
            left_to_the_card(frames, |index| index == one)
        });
    }
}
