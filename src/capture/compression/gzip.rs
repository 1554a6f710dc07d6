//! In: the bytes of a gzip file. Out: the content of its members, one after the other. Bounded: a header has at most
//! `MAX_HEADER` bytes. Left to others: buffering.
//!
//! Format: RFC 1952. A member with a wrong checksum is delivered and reported. Zeros or other bytes after the last
//! member do not affect what came before.

use std::fmt;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::input::{Fault, Input, Progress};
use crate::capture::record::Order;

/// File name and comment must end within this many bytes of a header.
const MAX_HEADER: usize = 64 * 1024;

enum State {
    Header,
    Body,
    Trailer,
}

pub(super) struct Gzip {
    state: State,
    inflate: Decompress,
    crc: Crc,
    members: u64,
    /// Reported once the output before it has been taken.
    fault: Option<Fault>,
}

impl Default for Gzip {
    fn default() -> Self {
        Self { state: State::Header, inflate: Decompress::new(false), crc: Crc::new(), members: 0, fault: None }
    }
}

impl fmt::Debug for Gzip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gzip").field("members", &self.members).finish_non_exhaustive()
    }
}

enum Header {
    Whole(usize),
    Needs,
    Not(&'static str),
}

impl Gzip {
    pub(super) fn decode(&mut self, input: &mut Input<'_>, out: &mut [u8]) -> Result<Progress, Fault> {
        loop {
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            match self.state {
                State::Header => match self.header(input)? {
                    Some(needs) => return Ok(needs),
                    None => self.state = State::Body,
                },
                State::Body => {
                    if let Some(progress) = self.body(input, out)? {
                        return Ok(progress);
                    }
                }
                State::Trailer => {
                    if input.unread().len() < 8 {
                        return if input.at_end {
                            Err(input.ends_inside("its checksum"))
                        } else {
                            Ok(Progress::Needs(8))
                        };
                    }
                    self.trailer(input);
                }
            }
        }
    }

    /// Skips a member's header, or says what is needed first.
    fn header(&self, input: &mut Input<'_>) -> Result<Option<Progress>, Fault> {
        if self.members > 0 {
            // Tapes and downloads are padded with zeros.
            let zeros = input.unread().iter().take_while(|&&byte| byte == 0).count();
            input.consume(zeros);
            if input.unread().is_empty() {
                return Ok(Some(Progress::Needs(1)));
            }
        }
        match header(input.unread()) {
            Header::Whole(length) => {
                input.consume(length);
                Ok(None)
            }
            Header::Needs if input.at_end && self.members > 0 && input.unread().len() < 3 => {
                Err(input.fault("what follows the last member is no gzip"))
            }
            Header::Needs if input.at_end => Err(input.ends_inside("a header")),
            Header::Needs => Ok(Some(Progress::Needs(input.unread().len() + 1))),
            Header::Not(_) if self.members > 0 => Err(input.fault("what follows the last member is no gzip")),
            Header::Not(why) => Err(input.fault(why)),
        }
    }

    /// Inflates; `None` if there is nothing to report yet.
    fn body(&mut self, input: &mut Input<'_>, out: &mut [u8]) -> Result<Option<Progress>, Fault> {
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let result = self.inflate.decompress(input.unread(), out, FlushDecompress::None);
        let taken = usize::try_from(self.inflate.total_in() - before.0).unwrap_or(usize::MAX);
        let wrote = usize::try_from(self.inflate.total_out() - before.1).unwrap_or(usize::MAX);
        self.crc.update(out.get(..wrote).unwrap_or_default());
        input.consume(taken);
        match result {
            Ok(Status::StreamEnd) => self.state = State::Trailer,
            Ok(Status::Ok | Status::BufError) if wrote == 0 && taken == 0 => {
                return if input.at_end { Err(input.ends_inside("a member")) } else { Ok(Some(Progress::Needs(1))) };
            }
            Ok(Status::Ok | Status::BufError) => {}
            Err(_) => self.fault = Some(input.fault("the compressed data is damaged")),
        }
        Ok((wrote > 0).then_some(Progress::Wrote(wrote)))
    }

    /// Compares checksum and length (RFC 1952, section 2.3.1) and resets for the next member.
    fn trailer(&mut self, input: &mut Input<'_>) {
        let order = Order::LITTLE;
        let expected = (order.u32(input.unread(), 0), order.u32(input.unread(), 4));
        if expected != (self.crc.sum(), self.crc.amount()) {
            input.checksum_differs("member");
        }
        input.consume(8);
        self.members += 1;
        self.crc.reset();
        self.inflate.reset(false);
        self.state = State::Header;
    }
}

/// The length of the header at the start (RFC 1952, section 2.3).
fn header(bytes: &[u8]) -> Header {
    match bytes {
        [0x1f, 0x8b, 8, ..] => {}
        [0x1f, 0x8b, _, ..] => return Header::Not("the compression method is unknown"),
        [] | [0x1f] | [0x1f, 0x8b] => return Header::Needs,
        _ => return Header::Not("there is no gzip header"),
    }
    let Some(&flags) = bytes.get(3) else { return Header::Needs };
    let mut at = 10;
    if flags & 4 != 0 {
        if bytes.len() < at + 2 {
            return Header::Needs;
        }
        at += 2 + usize::from(Order::LITTLE.u16(bytes, at));
    }
    // File name and comment, each terminated by a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            let text = bytes.get(at..).unwrap_or_default();
            match text.iter().position(|&byte| byte == 0) {
                Some(end) => at += end + 1,
                None if bytes.len() > MAX_HEADER => return Header::Not("the header has no end"),
                None => return Header::Needs,
            }
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    if bytes.len() < at { Header::Needs } else { Header::Whole(at) }
}
