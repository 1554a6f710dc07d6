//! Faults that lose nothing: the same bytes in other segments, another order, or more than once.
//!
//! In: the frames of a capture. Out: the frames with the fault. Choices are fixed, so that a failure can be repeated.
//! Times keep increasing: a frame that is moved gets the time of its new place.

use std::collections::{BTreeMap, BTreeSet};

use etherparse::TcpHeader;

use super::frame::{Direction, Frame, Segment};

/// Cuts the data of every segment into segments of at most `size` bytes.
pub(crate) fn recut(frames: &[Frame], size: usize) -> Vec<Frame> {
    let cut = |frame: &Frame| -> Vec<Frame> {
        let Some(segment) = frame.data().filter(|segment| segment.payload.len() > size) else {
            return vec![frame.clone()];
        };
        let length = segment.payload.len();
        let part = |from| frame.with(segment.part(from, length.min(from + size)));
        (0..length).step_by(size).map(part).collect()
    };
    frames.iter().flat_map(cut).collect()
}

/// Swaps neighbours of one direction that have nothing from the other side between them. The first `skip` candidates
/// stay in place, so that 0 and 1 swap different pairs.
pub(crate) fn swap(frames: &[Frame], skip: usize) -> Vec<Frame> {
    let mut out = frames.to_vec();
    let mut before: BTreeMap<Direction, (usize, Direction, usize)> = BTreeMap::new();
    for (index, frame) in frames.iter().enumerate() {
        let Some(segment) = frame.segment().filter(|segment| segment.closes() || !segment.payload.is_empty()) else {
            continue;
        };
        let direction = segment.direction();
        let key = connection(direction);
        if segment.payload.is_empty() {
            before.remove(&key);
            continue;
        }
        match before.get(&key).copied() {
            Some((first, from, 0)) if from == direction => {
                out.swap(first, index);
                (out[first].time, out[index].time) = (frames[first].time, frame.time);
                before.remove(&key);
            }
            Some((_, from, left)) if from == direction => {
                before.insert(key, (index, direction, left - 1));
            }
            _ => {
                before.insert(key, (index, direction, skip));
            }
        }
    }
    out
}

/// Records the end of each direction (FIN with no data) before the last data of the same side.
pub(crate) fn close_overtakes(frames: &[Frame]) -> Vec<Frame> {
    let mut out = frames.to_vec();
    let mut last: BTreeMap<Direction, (usize, Direction)> = BTreeMap::new();
    for (index, frame) in frames.iter().enumerate() {
        let Some(segment) = frame.segment() else { continue };
        let direction = segment.direction();
        let key = connection(direction);
        if !segment.payload.is_empty() {
            last.insert(key, (index, direction));
        } else if segment.tcp.fin
            && let Some((first, _)) = last.remove(&key).filter(|(_, from)| *from == direction)
        {
            out.swap(first, index);
            (out[first].time, out[index].time) = (frames[first].time, frame.time);
        }
    }
    out
}

/// Writes every frame twice, as a switch port that mirrors both directions does.
pub(crate) fn duplicate(frames: &[Frame]) -> Vec<Frame> {
    frames.iter().flat_map(|frame| [frame.clone(), frame.clone()]).collect()
}

/// Repeats every segment with data some frames later: a needless retransmission.
pub(crate) fn repeat_later(frames: &[Frame]) -> Vec<Frame> {
    let mut out = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        out.push(frame.clone());
        let old = index.checked_sub(3).and_then(|old| frames[old].data());
        out.extend(old.map(|segment| Frame { time: frame.time, ..frames[index - 3].with(segment.clone()) }));
    }
    out
}

/// Sends the data of every segment as two that overlap, the later part first on odd segments, and then again together
/// with up to 20 bytes of what came before it.
pub(crate) fn overlap(frames: &[Frame]) -> Vec<Frame> {
    let mut before: BTreeMap<Direction, Segment> = BTreeMap::new();
    let mut out = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        let Some(segment) = frame.data().filter(|segment| segment.payload.len() > 3) else {
            out.push(frame.clone());
            continue;
        };
        let length = segment.payload.len();
        let (third, two_thirds) = (length / 3, length - length / 3);
        let parts = [segment.part(0, two_thirds), segment.part(third, length)].map(|part| frame.with(part));
        out.extend(if index % 2 == 0 { parts.to_vec() } else { parts.into_iter().rev().collect() });
        let known = before.insert(segment.direction(), segment.clone());
        let known = known.filter(|known| known.end() == segment.first()).map(|known| known.payload).unwrap_or_default();
        let tail = &known[known.len() - known.len().min(20)..];
        let mut again = segment.clone();
        again.tcp.sequence_number = again.tcp.sequence_number.wrapping_sub(u32::try_from(tail.len()).unwrap());
        again.payload = [tail, &segment.payload].concat();
        out.push(frame.with(again));
    }
    out
}

/// Adds after every segment with data an empty one with a changed header, which lies far outside of any window, so that
/// no receiver accepts it (RFC 9293 section 3.10.7.4).
pub(crate) fn stray(frames: &[Frame], change: impl Fn(&mut TcpHeader)) -> Vec<Frame> {
    let opening: BTreeSet<Direction> = clients(frames).into_iter().collect();
    let mut out = Vec::new();
    for frame in frames {
        out.push(frame.clone());
        let Some(mut stray) = frame.data().cloned() else { continue };
        stray.tcp.sequence_number = stray.tcp.sequence_number.wrapping_add(1 << 30);
        stray.payload.clear();
        (stray.tcp.psh, stray.tcp.fin) = (false, false);
        change(&mut stray.tcp);
        // Between these ports a SYN of the server opens no connection.
        if !stray.tcp.syn || opening.contains(&stray.direction()) {
            out.push(frame.with(stray));
        }
    }
    out
}

/// Numbers the bytes as if SYN took no sequence number, as some programs do that write captures of what they relay.
pub(crate) fn without_syn(frames: &[Frame]) -> Vec<Frame> {
    let mut opened = BTreeSet::new();
    let renumber = |frame: &Frame| {
        let Some(segment) = frame.segment() else { return frame.clone() };
        let (direction, mut out) = (segment.direction(), segment.clone());
        let counted = |opened: &BTreeSet<Direction>, direction| u32::from(opened.contains(&direction));
        out.tcp.acknowledgment_number =
            segment.tcp.acknowledgment_number.wrapping_sub(counted(&opened, (direction.1, direction.0)));
        if segment.tcp.syn {
            opened.insert(direction);
        } else {
            out.tcp.sequence_number = segment.tcp.sequence_number.wrapping_sub(counted(&opened, direction));
        }
        frame.with(out)
    };
    frames.iter().map(renumber).collect()
}

/// Which side's data is recorded late.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Late {
    Client,
    Server,
}

/// Records the data of one side behind the packet of the other side that acknowledges it, as happens where a capture
/// takes the directions from two queues.
pub(crate) fn behind_ack(frames: &[Frame], late: Late) -> Vec<Frame> {
    let clients = clients(frames);
    let mut waiting: BTreeMap<usize, Vec<Frame>> = BTreeMap::new();
    let mut order = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        let data = frame.data().filter(|segment| clients.contains(&segment.direction()) == (late == Late::Client));
        let acknowledged = data.and_then(|data| {
            (index + 1..frames.len())
                .find(|at| frames[*at].segment().is_some_and(|segment| acknowledges(segment, data)))
        });
        match acknowledged {
            Some(at) => waiting.entry(at).or_default().push(frame.clone()),
            None => order.push(frame.clone()),
        }
        order.extend(waiting.remove(&index).unwrap_or_default());
    }
    for (frame, place) in order.iter_mut().zip(frames) {
        frame.time = place.time;
    }
    order
}

/// Puts a copy with a damaged byte and the checksum of the undamaged one before every segment with data.
pub(crate) fn corrupt_first(frames: &[Frame]) -> Vec<Frame> {
    let with_copy = |frame: &Frame| -> Vec<Frame> {
        let Some(segment) = frame.data() else { return vec![frame.clone()] };
        let mut damaged = segment.clone();
        let middle = damaged.payload.len() / 2;
        damaged.payload[middle] ^= 0x5a;
        damaged.tcp.checksum = segment.checksum();
        damaged.stale = true;
        vec![frame.with(damaged), frame.clone()]
    };
    frames.iter().flat_map(with_copy).collect()
}

/// Puts every frame into an additional VLAN.
pub(crate) fn tag(frames: &[Frame]) -> Vec<Frame> {
    let tag = |frame: &Frame| {
        let mut tagged = frame.clone();
        // An outer tag is one of IEEE 802.1ad.
        let outer = if frame.link.get(12..14) == Some(&[0x81, 0x00]) {
            [0x88, 0xa8, 0x00, 0x64]
        } else {
            [0x81, 0x00, 0xa0, 0x0a]
        };
        tagged.link.splice(12..12, outer);
        tagged
    };
    frames.iter().map(tag).collect()
}

/// Removes the link layer, and every frame that is not an IP packet.
pub(crate) fn raw_ip(frames: &[Frame]) -> Vec<Frame> {
    let ip = frames.iter().filter(|frame| frame.is_ip());
    ip.map(|frame| Frame { link: Vec::new(), ..frame.clone() }).collect()
}

/// The directions from a client to its server.
pub(crate) fn clients(frames: &[Frame]) -> Vec<Direction> {
    frames.iter().filter_map(Frame::segment).filter(|segment| segment.opens()).map(Segment::direction).collect()
}

/// Whether a segment of the other side acknowledges all of this data.
pub(crate) fn acknowledges(segment: &Segment, data: &Segment) -> bool {
    let (from, to) = segment.direction();
    (to, from) == data.direction()
        && segment.tcp.ack
        && segment.tcp.acknowledgment_number.wrapping_sub(data.end()) < 0x8000_0000
}

/// The same value for both directions of a connection.
fn connection((from, to): Direction) -> Direction {
    if from <= to { (from, to) } else { (to, from) }
}
