//! In: the bytes of a Zstandard file. Out: the content of its frames, one after the other. Bounded: one block of input,
//! and a window of at most the size given. Left to others: buffering.
//!
//! Format: RFC 8878. Frames, skippable frames and blocks are parsed here, so that every fault has its offset; ruzstd
//! decodes the blocks. It holds back a window of output until a frame ends, so a frame that breaks off is ended
//! artificially to release that output.

use std::fmt;
use std::io::Read;

use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::input::{Fault, Input, Progress};
use crate::capture::record::{Order, size};

/// The window that `zstd -d` itself grants without being asked for more: 2^27 bytes.
pub(super) const MAX_WINDOW: u64 = 128 << 20;
/// The window that every decoder should grant (RFC 8878, section 3.1.1.1.2): 2^23 bytes.
pub(super) const LEAST_WINDOW: u64 = 8 << 20;
/// Block_Maximum_Size (RFC 8878, section 3.1.1.2.4).
const MAX_BLOCK: usize = 128 * 1024;
/// The last block of a frame, empty and raw, with a checksum of zeros.
const LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

#[derive(Clone, Copy)]
enum State {
    /// Between frames.
    Between,
    /// This many bytes of a skippable frame are left.
    Skip(u32),
    /// Inside a frame, which may end with a checksum.
    Blocks { checksum: bool },
    /// All blocks are decoded; the rest of the output is being written.
    Drain { checksum: bool },
}

pub(super) struct Zstd {
    state: State,
    frame: FrameDecoder,
    /// Reported once the output before it has been written.
    fault: Option<Fault>,
}

impl fmt::Debug for Zstd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zstd").finish_non_exhaustive()
    }
}

impl Zstd {
    /// A decoder that grants frames a window of at most this many bytes.
    pub(super) fn new(max_window: u64) -> Self {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(max_window);
        Self { state: State::Between, frame, fault: None }
    }

    pub(super) fn decode(&mut self, input: &mut Input<'_>, out: &mut [u8]) -> Result<Progress, Fault> {
        loop {
            let needs = match self.state {
                State::Between => self.begin(input)?,
                State::Skip(left) => skip(&mut self.state, left, input),
                State::Blocks { checksum } => {
                    let wrote = self.frame.read(out).unwrap_or_default();
                    if wrote > 0 {
                        return Ok(Progress::Wrote(wrote));
                    }
                    self.block(input, checksum)
                }
                State::Drain { checksum } => {
                    let wrote = self.frame.read(out).unwrap_or_default();
                    if wrote > 0 {
                        return Ok(Progress::Wrote(wrote));
                    }
                    self.drained(input, checksum)?;
                    None
                }
            };
            match needs {
                None => {}
                Some(_) if input.at_end && matches!(self.state, State::Between) => return Ok(Progress::Needs(1)),
                Some(_) if input.at_end => self.give_up(input.fault("the file ends inside a frame")),
                Some(bytes) => return Ok(Progress::Needs(bytes)),
            }
        }
    }

    /// Reads a frame header; returns the number of bytes needed if there are too few.
    fn begin(&mut self, input: &mut Input<'_>) -> Result<Option<usize>, Fault> {
        let bytes = input.unread();
        if bytes.is_empty() {
            return Ok(Some(1));
        }
        // The longest header: magic, descriptor, window, dictionary, content size.
        const HEADER: usize = 18;
        if bytes.len() < HEADER && !input.at_end {
            return Ok(Some(HEADER));
        }
        if matches!(bytes, [0x50..=0x5f, 0x2a, 0x4d, 0x18, _, _, _, _, ..]) {
            self.state = State::Skip(Order::LITTLE.u32(bytes, 4));
            input.consume(8);
            return Ok(None);
        }
        let mut rest = bytes;
        match self.frame.reset(&mut rest) {
            Ok(()) => {}
            Err(FrameDecoderError::WindowSizeTooBig { requested, max }) => {
                return Err(input.fault(format!(
                    "a frame wants a window of {requested} bytes, more than the {max} that it gets; decompress it with zstd -d --long=31 first"
                )));
            }
            Err(FrameDecoderError::DictNotProvided { dict_id }) => {
                return Err(input.fault(format!("a frame needs the dictionary {dict_id}, which is not here")));
            }
            Err(_) => return Err(input.fault("there is no zstd frame")),
        }
        let checksum = bytes.get(4).is_some_and(|descriptor| descriptor & 4 != 0);
        input.consume(bytes.len() - rest.len());
        self.state = State::Blocks { checksum };
        Ok(None)
    }

    /// Decodes a block; returns the number of bytes needed if it is incomplete.
    fn block(&mut self, input: &mut Input<'_>, checksum: bool) -> Option<usize> {
        let bytes = input.unread();
        let [low, middle, high, ..] = *bytes else { return Some(3) };
        let head = size(u32::from_le_bytes([low, middle, high, 0]));
        let (last, kind, length) = (head & 1 == 1, (head >> 1) & 3, head >> 3);
        if length > MAX_BLOCK || kind == 3 {
            self.give_up(input.fault("the compressed data is damaged"));
            return None;
        }
        let content = if kind == 1 { 1 } else { length };
        let trailer = if last && checksum { 4 } else { 0 };
        let whole = 3 + content + trailer;
        let Some(block) = bytes.get(..whole) else { return Some(whole) };
        match self.frame.decode_blocks(block, BlockDecodingStrategy::UptoBlocks(1)) {
            Ok(_) => {
                input.consume(whole);
                if last {
                    self.state = State::Drain { checksum };
                }
            }
            Err(_) => {
                self.give_up(input.fault("the compressed data is damaged"));
            }
        }
        None
    }

    /// Ends a frame that broke off, so that its last window is written before the fault is reported.
    fn give_up(&mut self, fault: Fault) {
        // This cannot fail: the block is complete and empty.
        let _ = self.frame.decode_blocks(&LAST_BLOCK[..], BlockDecodingStrategy::UptoBlocks(1));
        self.fault = Some(fault);
        self.state = State::Drain { checksum: false };
    }

    fn drained(&mut self, input: &mut Input<'_>, checksum: bool) -> Result<(), Fault> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if checksum && self.frame.get_checksum_from_data() != self.frame.get_calculated_checksum() {
            input.checksum_differs("frame");
        }
        self.state = State::Between;
        Ok(())
    }
}

fn skip(state: &mut State, left: u32, input: &mut Input<'_>) -> Option<usize> {
    if left == 0 {
        *state = State::Between;
        return None;
    }
    let there = u32::try_from(input.unread().len()).unwrap_or(u32::MAX).min(left);
    input.consume(size(there));
    *state = State::Skip(left - there);
    (there == 0).then_some(1)
}
