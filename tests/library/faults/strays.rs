//! Segments that do not belong to the connection between whose ends they pass, and checksums that network cards leave
//! wrong.
//!
//! In: the samples. Out: failed tests where such a segment changes what is said (RFC 9293 section 3.10.7, RFC 5961 section
//! 3.2; docs/verdict.md, step 10). Left to others: segments out of any window (`disorder::stray`), damaged copies beside
//! right ones (`copies`).

use etherparse::TcpHeader;

use super::disorder::clients;
use super::frame::{Frame, Segment};
use super::same_after;

/// A segment between the same ends as this one, with other flags and numbers.
fn other(segment: &Segment, payload: &[u8], change: impl Fn(&mut TcpHeader)) -> Segment {
    let mut other = segment.clone();
    other.payload = payload.to_vec();
    (other.tcp.psh, other.tcp.fin, other.tcp.rst, other.tcp.syn) = (false, false, false, false);
    change(&mut other.tcp);
    other
}

/// Segments of an earlier connection between the same ports, as its server may still send them: after the SYN, or after
/// the SYN-ACK and so before any byte of the server.
fn earlier_connection(
    frames: &[Frame],
    behind_syn_ack: bool,
    payload: &[u8],
    flag: impl Fn(&mut TcpHeader),
) -> Vec<Frame> {
    let mut out = Vec::new();
    for frame in frames {
        let answer = frame.segment().filter(|segment| segment.tcp.syn && segment.tcp.ack);
        let old = answer.map(|answer| {
            let stray = other(answer, payload, |tcp| {
                tcp.sequence_number = tcp.sequence_number.wrapping_sub(0x3000_0000);
                tcp.acknowledgment_number = tcp.acknowledgment_number.wrapping_add(0x5000_0000);
                flag(tcp);
            });
            frame.with(stray)
        });
        let (before, after) = if behind_syn_ack { (None, old) } else { (old, None) };
        out.extend(before.into_iter().chain([frame.clone()]).chain(after));
    }
    out
}

#[test]
fn segments_of_an_earlier_connection() {
    for behind in [false, true] {
        same_after("an old FIN", |frames| earlier_connection(frames, behind, &[], |tcp| tcp.fin = true));
        same_after("an old RST", |frames| earlier_connection(frames, behind, &[], |tcp| tcp.rst = true));
        same_after("old data", |frames| {
            earlier_connection(frames, behind, &[0x17, 3, 3, 0, 1, 0], |tcp| tcp.psh = true)
        });
        same_after("an old acknowledgment", |frames| earlier_connection(frames, behind, &[], |_| ()));
    }
    // RFC 9293 section 3.10.7.3: without an acknowledgment a RST does not refuse a SYN.
    same_after("a RST of nothing", |frames| {
        earlier_connection(frames, false, &[], |tcp| (tcp.rst, tcp.ack) = (true, false))
    });
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
        same_after("a far RST", |frames| far_ahead(frames, by_client, |tcp| tcp.rst = true));
        same_after("a far FIN", |frames| far_ahead(frames, by_client, |tcp| tcp.fin = true));
    }
}

/// Another SYN-ACK before or after each, with another initial number, as a proxy that answers SYNs itself sends it.
fn two_syn_acks(frames: &[Frame], first: bool) -> Vec<Frame> {
    let with_another = |frame: &Frame| -> Vec<Frame> {
        let Some(answer) = frame.segment().filter(|segment| segment.tcp.syn && segment.tcp.ack) else {
            return vec![frame.clone()];
        };
        let mut another = answer.clone();
        another.tcp.sequence_number = another.tcp.sequence_number.wrapping_add(424_242);
        let another = frame.with(another);
        if first { vec![another, frame.clone()] } else { vec![frame.clone(), another] }
    };
    frames.iter().flat_map(with_another).collect()
}

#[test]
fn a_second_syn_ack_with_another_number() {
    same_after("the other first", |frames| two_syn_acks(frames, true));
    same_after("the other second", |frames| two_syn_acks(frames, false));
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
        same_after("every second", |frames| left_to_the_card(frames, |index| index % 2 == half));
        same_after("pairs", |frames| left_to_the_card(frames, |index| index / 2 % 2 == half));
    }
}

#[test]
fn one_checksum_is_wrong() {
    for one in support::share("one checksum", 0..24) {
        same_after(&format!("segment {one}"), |frames| left_to_the_card(frames, |index| index == one));
    }
}
