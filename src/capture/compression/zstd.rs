//! In: the bytes of a Zstandard file. Out: what its frames hold, one after the other. Bounded: one block of input, and
//! a window to look back, of the bytes that it is made with at most. Left to others: buffering.
//!
//! Format: RFC 8878. Frames, frames to be skipped and blocks are told apart here, so that every fault has its offset;
//! ruzstd decodes the blocks. It holds a window's length back until a frame ends: a frame that breaks off is ended for
//! it, so that what it held still comes out.

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
    /// A frame may begin.
    Between,
    /// So many bytes of a frame are to be skipped.
    Skip(u32),
    /// Within a frame; whether a checksum ends it.
    Blocks { checksum: bool },
    /// The frame is read; what is left of it comes out.
    Drain { checksum: bool },
}

pub(super) struct Zstd {
    state: State,
    frame: FrameDecoder,
    /// Said once what was decoded before it is out.
    fault: Option<Fault>,
}

impl fmt::Debug for Zstd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zstd").finish_non_exhaustive()
    }
}

impl Zstd {
    /// Grants frames a window of so many bytes at most.
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

    /// Reads the start of a frame; says how many bytes that needs.
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

    /// Decodes a block once it is there whole; says how many bytes that needs.
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

    /// Ends a frame that broke off, so that its last window comes out before the fault is told.
    fn give_up(&mut self, fault: Fault) {
        // It cannot fail: the block is whole and empty.
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
