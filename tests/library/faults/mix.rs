//! Several recordings in one capture, each with faults that spare the bytes that decide.
//!
//! In: recordings, and a source of numbers that a seed fixes. Out: frames. Left to others: what is true of a mixture.

use std::collections::VecDeque;

use super::disorder::{self, Late};
use super::frame::Frame;
use super::loss;

/// In nanoseconds, as frames count time.
const MILLISECOND: i64 = 1_000_000;

/// Numbers that look random and are the same for the same seed: SplitMix64, by Sebastiano Vigna.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// Faults that a recording must be spared.
#[derive(Clone, Copy)]
pub(crate) struct Spared {
    /// Lost segments, even outside the bytes that decide.
    pub(crate) loss: bool,
    /// Frames recorded late.
    pub(crate) delay: bool,
}

/// A recording's frames with some faults, one after the other, and what they are.
pub(crate) fn disturbed(frames: &[Frame], spared: Spared, random: &mut Random) -> (Vec<Frame>, String) {
    let mut done = Vec::new();
    let mut frames = frames.to_vec();
    if let Some(size) = random.pick(&[None, None, Some(7), Some(33), Some(64), Some(100), Some(400)]) {
        frames = disorder::recut(&frames, size);
        done.push(format!("cut at {size}"));
    }
    if !spared.loss && random.below(2) == 0 {
        let expendable = loss::expendable(&frames);
        if !expendable.is_empty() {
            let lost = random.pick(&expendable);
            frames = loss::without(&frames, lost);
            done.push(format!("frame {} lost", lost + 1));
        }
    }
    // Repetition comes before disorder: a copy may then overtake the original.
    let (what, repeated) = match random.below(7) {
        0 => ("twice", disorder::duplicate(&frames)),
        1 => ("again later", disorder::repeat_later(&frames)),
        2 => ("overlaps", disorder::overlap(&frames)),
        3 => ("damaged copies", disorder::corrupt_first(&frames)),
        _ => ("", frames),
    };
    done.push(what.into());
    let (what, disordered) = match random.below(8) {
        _ if spared.delay => ("", repeated),
        0 => ("neighbours exchanged", in_bursts(&repeated, |frames| disorder::swap(frames, 0))),
        1 => ("other neighbours exchanged", in_bursts(&repeated, |frames| disorder::swap(frames, 1))),
        2 => ("FIN first", in_bursts(&repeated, disorder::close_overtakes)),
        3 => ("server late", in_bursts(&repeated, |frames| disorder::behind_ack(frames, Late::Server))),
        4 => ("client late", in_bursts(&repeated, |frames| disorder::behind_ack(frames, Late::Client))),
        _ => ("", repeated),
    };
    done.push(what.into());
    let (what, tagged) = match random.below(4) {
        0 => ("VLAN", disorder::tag(&disordered)),
        _ => ("", disordered),
    };
    done.push(what.into());
    done.retain(|what| !what.is_empty());
    (tagged, done.join(", "))
}

/// Applies a fault to each burst between pauses of a second: no queue holds a frame for longer, and silences stay.
fn in_bursts(frames: &[Frame], fault: impl Fn(&[Frame]) -> Vec<Frame>) -> Vec<Frame> {
    frames.chunk_by(|a, b| b.time - a.time < 1_000 * MILLISECOND).flat_map(fault).collect()
}

/// Puts recordings into one capture. They end within two seconds of the end of the first, whose times stay, so that the
/// capture does not go on after any of them for long enough to show a silence that its recording does not.
pub(crate) fn together(parts: Vec<Vec<Frame>>, random: &mut Random) -> Vec<Frame> {
    let last = parts.first().map_or(0, |first| end(first));
    let mut queues: Vec<VecDeque<Frame>> = Vec::new();
    for (index, mut part) in parts.into_iter().enumerate() {
        // Handshakes take milliseconds, and most are to overlap.
        let early = if index == 0 { 0 } else { MILLISECOND * random.pick(&[0, 0, 1, 3, 10, 30, 100, 700, 2_000]) };
        let shift = if index == 0 { 0 } else { last - end(&part) - early };
        part.iter_mut().for_each(|frame| frame.time += shift);
        queues.push(part.into());
    }
    let mut out = Vec::new();
    loop {
        let head = |queue: &VecDeque<Frame>| queue.front().map(|frame| frame.time);
        let next = queues.iter().enumerate().filter_map(|(index, queue)| Some((head(queue)?, index))).min();
        let Some((_, index)) = next else { return out };
        out.extend(queues[index].pop_front());
    }
}

/// When a recording ends.
pub(crate) fn end(frames: &[Frame]) -> i64 {
    frames.iter().map(|frame| frame.time).max().unwrap_or_default()
}
