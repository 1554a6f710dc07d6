//! In: the values of a device that are its own. Out: what of them is the same for devices that did the same, as bytes that
//! are only compared: which frames came before which, and which values are equal. Bounded: by the device. Left to others:
//! how far apart in time they are, and what day it was.

use std::net::IpAddr;

use super::own::Visitor;
use crate::capture::FrameRef;

/// Frames looked back to; one that is named again after more of them counts as another one, for any device alike.
const FRAMES: usize = 64;
/// A count is none, one, or more.
const MANY: u64 = 2;

/// Gathers the order of a device's frames.
#[derive(Debug, Default)]
pub(super) struct Order {
    frames: Vec<FrameRef>,
    addresses: Vec<IpAddr>,
    bytes: Vec<Vec<u8>>,
    out: Vec<u8>,
}

impl Order {
    /// What was gathered.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let ranks = |key: &dyn Fn(&FrameRef) -> (u32, i128)| {
            let mut sorted: Vec<_> = self.frames.iter().map(key).collect();
            sorted.sort_unstable();
            sorted.dedup();
            let rank = |at: &FrameRef| sorted.partition_point(|known| *known < key(at));
            self.frames.iter().map(rank).collect::<Vec<_>>()
        };
        let by_place = ranks(&|at| (at.capture, at.number.into()));
        let by_time = ranks(&|at| (0, at.time.nanos().into()));
        for rank in by_place.into_iter().chain(by_time) {
            self.put(rank);
        }
        for at in std::mem::take(&mut self.frames) {
            self.out.extend(at.capture.to_le_bytes());
        }
        self.out
    }

    fn put(&mut self, number: usize) {
        let [low, high, ..] = number.to_le_bytes();
        self.out.extend([low, high]);
    }
}

impl Visitor for Order {
    fn frame(&mut self, at: &mut FrameRef) {
        let back = self.frames.iter().rev().take(FRAMES).position(|known| known == at);
        self.put(back.map_or(0, |back| back + 1));
        if back.is_none() {
            self.frames.push(*at);
        }
    }

    fn count(&mut self, count: &mut u64) {
        let [few, ..] = (*count).min(MANY).to_le_bytes();
        self.out.push(few);
    }

    fn stream(&mut self, _stream: &mut u64) {}

    fn signed(&mut self, _value: &mut i64) {}

    fn address(&mut self, address: &mut IpAddr) {
        let known = self.addresses.iter().position(|known| known == address);
        self.put(known.unwrap_or(self.addresses.len()));
        if known.is_none() {
            self.addresses.push(*address);
        }
    }

    fn port(&mut self, _port: &mut u16) {}

    fn bytes(&mut self, bytes: &mut [u8]) {
        let known = self.bytes.iter().position(|known| known == bytes);
        self.put(known.unwrap_or(self.bytes.len()));
        if known.is_none() {
            self.bytes.push(bytes.to_vec());
        }
    }
}
