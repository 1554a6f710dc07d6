//! In: the values of a device that are its own, one after the other. Out: the same in a few bytes, and back. Bounded: about
//! seven bytes for a frame that did not come before. Left to others: which values those are (`own`).
//!
//! Frames are written as differences to the frame before: numbers, offsets and times of one device lie close together.
//! Which values are equal is written apart from the values: it is the same for devices that did the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::own::Visitor;
use crate::capture::{FrameRef, Timestamp};

/// Frames looked back to: a handshake has about a dozen, each of them named several times.
const FRAMES: usize = 32;
/// Random values and session ids looked back to: a server repeats the client's session id.
const BYTES: usize = 4;
/// The code of a frame that is written in full; up to [`FRAMES`], how many frames back it was; 0 for another frame of the
/// same capture.
const OTHER_CAPTURE: u8 = 255;

/// A frame, an address and bytes in the place of a device's own.
const NO_TIME: i64 = 0;

fn no_frame() -> FrameRef {
    FrameRef { capture: 0, number: 0, offset: 0, length: 0, time: Timestamp::from_nanos(NO_TIME, 0) }
}

/// What writer and reader remember alike.
#[derive(Debug)]
struct Before {
    frames: Vec<FrameRef>,
    bytes: Vec<Vec<u8>>,
    address: Option<IpAddr>,
    count: u64,
    stream: u64,
}

impl Before {
    fn new() -> Self {
        Self { frames: Vec::with_capacity(FRAMES), bytes: Vec::new(), address: None, count: 0, stream: 0 }
    }

    fn clear(&mut self) {
        self.frames.clear();
        self.bytes.clear();
        (self.address, self.count, self.stream) = (None, 0, 0);
    }

    fn last(&self) -> FrameRef {
        self.frames.last().copied().unwrap_or_else(no_frame)
    }

    fn note_frame(&mut self, at: FrameRef) {
        if self.frames.len() == FRAMES {
            self.frames.remove(0);
        }
        self.frames.push(at);
    }

    fn note_bytes(&mut self, bytes: &[u8]) {
        if self.bytes.len() == BYTES {
            self.bytes.remove(0);
        }
        self.bytes.push(bytes.to_vec());
    }
}

/// Takes values out of a device.
#[derive(Debug)]
pub(super) struct Packer {
    equal: Vec<u8>,
    out: Vec<u8>,
    before: Before,
}

/// What was taken out of a device.
#[derive(Debug)]
pub(super) struct Taken {
    /// A byte for each value that may equal one before it: how far back that one is, or which form it has.
    pub(super) equal: Box<[u8]>,
    /// The values that equal none.
    pub(super) values: Box<[u8]>,
}

impl Packer {
    pub(super) fn new() -> Self {
        Self { equal: Vec::with_capacity(128), out: Vec::with_capacity(512), before: Before::new() }
    }

    /// What was taken since the last time.
    pub(super) fn take(&mut self) -> Taken {
        let taken = Taken { equal: self.equal.as_slice().into(), values: self.out.as_slice().into() };
        self.equal.clear();
        self.out.clear();
        self.before.clear();
        taken
    }

    fn put(&mut self, mut value: u64) {
        loop {
            let [low, ..] = value.to_le_bytes();
            value >>= 7;
            if value == 0 {
                self.out.push(low & 0x7F);
                return;
            }
            self.out.push(low | 0x80);
        }
    }

    fn put_signed(&mut self, value: i64) {
        // Small numbers of either sign become small numbers.
        let sign = value >> 63;
        self.put((value.wrapping_shl(1) ^ sign).cast_unsigned());
    }

    fn put_difference(&mut self, value: u64, before: u64) {
        self.put_signed(value.wrapping_sub(before).cast_signed());
    }
}

impl Visitor for Packer {
    fn frame(&mut self, at: &mut FrameRef) {
        let same = |known: &FrameRef| *known == *at && known.time.digits() == at.time.digits();
        let back = self.before.frames.iter().rev().position(same);
        if let Some(code) = back.and_then(|back| u8::try_from(back + 1).ok()) {
            self.equal.push(code);
            *at = no_frame();
            return;
        }
        let last = self.before.last();
        if (at.capture, at.time.digits()) == (last.capture, last.time.digits()) {
            self.equal.push(0);
        } else {
            self.equal.push(OTHER_CAPTURE);
            self.equal.extend(at.capture.to_le_bytes());
            self.equal.push(at.time.digits());
        }
        self.put_difference(at.number, last.number);
        self.put_difference(at.offset, last.offset.wrapping_add(last.length.into()));
        self.put(at.length.into());
        self.put_signed(at.time.nanos().wrapping_sub(last.time.nanos()));
        self.before.note_frame(*at);
        *at = no_frame();
    }

    fn count(&mut self, count: &mut u64) {
        self.put_difference(*count, self.before.count);
        self.before.count = std::mem::take(count);
    }

    fn stream(&mut self, stream: &mut u64) {
        self.put_difference(*stream, self.before.stream);
        self.before.stream = std::mem::take(stream);
    }

    fn signed(&mut self, value: &mut i64) {
        self.put_signed(std::mem::take(value));
    }

    fn address(&mut self, address: &mut IpAddr) {
        if self.before.address == Some(*address) {
            self.equal.push(0);
        } else {
            self.equal.push(1);
            match address {
                IpAddr::V4(address) => self.out.extend(address.octets()),
                IpAddr::V6(address) => self.out.extend(address.octets()),
            }
            self.before.address = Some(*address);
        }
        *address = match address {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
    }

    fn port(&mut self, port: &mut u16) {
        self.out.extend(std::mem::take(port).to_le_bytes());
    }

    fn bytes(&mut self, bytes: &mut [u8]) {
        if bytes.is_empty() {
            return;
        }
        let back = self.before.bytes.iter().rev().position(|known| known == bytes);
        if let Some(code) = back.and_then(|back| u8::try_from(back + 1).ok()) {
            self.equal.push(code);
        } else {
            self.equal.push(0);
            self.out.extend_from_slice(bytes);
            self.before.note_bytes(bytes);
        }
        bytes.fill(0);
    }
}

/// Puts values back into a device.
#[derive(Debug)]
pub(super) struct Unpacker<'p> {
    equal: &'p [u8],
    rest: &'p [u8],
    before: Before,
}

impl<'p> Unpacker<'p> {
    pub(super) fn new(equal: &'p [u8], values: &'p [u8]) -> Self {
        Self { equal, rest: values, before: Before::new() }
    }

    fn code(&mut self) -> u8 {
        let [code] = first(&mut self.equal);
        code
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        first(&mut self.rest)
    }

    fn get(&mut self) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.take();
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        value
    }

    fn get_signed(&mut self) -> i64 {
        let value = self.get();
        (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
    }

    fn get_difference(&mut self, before: u64) -> u64 {
        before.wrapping_add(self.get_signed().cast_unsigned())
    }
}

impl Visitor for Unpacker<'_> {
    fn frame(&mut self, at: &mut FrameRef) {
        let last = self.before.last();
        let (capture, digits) = match self.code() {
            0 => (last.capture, last.time.digits()),
            OTHER_CAPTURE => (u32::from_le_bytes(first(&mut self.equal)), self.code()),
            back => {
                *at = self.before.frames.iter().rev().nth(usize::from(back) - 1).copied().unwrap_or(last);
                return;
            }
        };
        let number = self.get_difference(last.number);
        let offset = self.get_difference(last.offset.wrapping_add(last.length.into()));
        let length = u32::try_from(self.get()).unwrap_or(u32::MAX);
        let nanos = last.time.nanos().wrapping_add(self.get_signed());
        *at = FrameRef { capture, number, offset, length, time: Timestamp::from_nanos(nanos, digits) };
        self.before.note_frame(*at);
    }

    fn count(&mut self, count: &mut u64) {
        *count = self.get_difference(self.before.count);
        self.before.count = *count;
    }

    fn stream(&mut self, stream: &mut u64) {
        *stream = self.get_difference(self.before.stream);
        self.before.stream = *stream;
    }

    fn signed(&mut self, value: &mut i64) {
        *value = self.get_signed();
    }

    fn address(&mut self, address: &mut IpAddr) {
        if self.code() == 0 {
            *address = self.before.address.unwrap_or(*address);
            return;
        }
        *address = match address {
            IpAddr::V4(_) => Ipv4Addr::from(self.take::<4>()).into(),
            IpAddr::V6(_) => Ipv6Addr::from(self.take::<16>()).into(),
        };
        self.before.address = Some(*address);
    }

    fn port(&mut self, port: &mut u16) {
        *port = u16::from_le_bytes(self.take());
    }

    fn bytes(&mut self, bytes: &mut [u8]) {
        if bytes.is_empty() {
            return;
        }
        match self.code() {
            0 => {
                let (taken, rest) = self.rest.split_at(bytes.len().min(self.rest.len()));
                bytes.iter_mut().zip(taken).for_each(|(to, from)| *to = *from);
                self.rest = rest;
                self.before.note_bytes(bytes);
            }
            back => {
                let known = self.before.bytes.iter().rev().nth(usize::from(back) - 1);
                let known = known.map(Vec::as_slice).unwrap_or_default();
                bytes.iter_mut().zip(known).for_each(|(to, from)| *to = *from);
            }
        }
    }
}

/// Takes bytes off the front; zeros where there are none.
fn first<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let Some((taken, rest)) = bytes.split_first_chunk() else { return [0; N] };
    *bytes = rest;
    *taken
}
