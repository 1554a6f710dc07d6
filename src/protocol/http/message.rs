//! One direction of an HTTP/1.x connection: where its messages start and end (RFC 9112 sections 6 and 7).
//!
//! In: bytes in order, in pieces of any size, and gaps. Out: one [`Step`] at a time: a head, a piece of a body, an end.
//! Bounded: one head or one line is held. Left to others: the framing of a body, which depends on the request, and the
//! body itself.

use super::head::{self, Framing, Head, MAX_HEAD};
use crate::capture::FrameRef;
use crate::flow::Side;

/// Longer lines are not accepted as chunk sizes or trailer fields.
const MAX_LINE: usize = 16 * 1024;
/// Most lines of an unreadable head at which parsing is tried again.
const MOST_STARTS: usize = 64;
/// Bytes kept of an endless line while a message is searched for: enough for a start line.
const SOUGHT_TAIL: usize = 8 * 1024;

/// What was read next.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// A head, and the frame of its first byte. [`MessageReader::expect`] must be called with the framing of its body.
    Head(Head, FrameRef),
    /// A piece of the body, without the framing of chunks.
    Body(&'a [u8]),
    /// The message is complete.
    End,
    /// The framing is lost, for this reason; the next head that parses will be searched for.
    Broken(&'static str),
    /// All bytes have been read.
    Idle,
}

/// The effect of a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gapped {
    /// This many bytes of the body are missing.
    pub(super) hole: u64,
    /// Whether the body continues after the gap, ended in it, or lost its framing.
    pub(super) body: BodyAfterGap,
    /// Whether heads may be missing.
    pub(super) lost: bool,
}

/// The state of the body after a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyAfterGap {
    /// There is no body, or it continues.
    Open,
    /// It ends within the gap.
    Ended,
    /// Its end cannot be found.
    Broken,
}

/// The messages of one direction.
#[derive(Debug)]
pub(super) struct MessageReader {
    side: Side,
    state: State,
    /// The head or line that is being read.
    buffer: Vec<u8>,
    /// The frame of the first byte of `buffer`.
    first: Option<FrameRef>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Seek,
    End,
    Length(u64),
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailer,
    UntilClose,
    Deaf,
}

impl MessageReader {
    /// Bytes held for a head or a line.
    pub(super) fn held(&self) -> usize {
        self.buffer.capacity()
    }

    pub(super) fn new(side: Side) -> Self {
        Self { side, state: State::Head, buffer: Vec::new(), first: None }
    }

    /// Sets the framing of the body after the head just returned.
    pub(super) fn expect(&mut self, framing: Framing) {
        self.state = match framing {
            Framing::Nothing | Framing::Length(0) => State::End,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::ChunkSize,
            Framing::UntilClose => State::UntilClose,
        };
    }

    /// Reads from `input` and removes what was read.
    pub(super) fn step<'a>(&mut self, input: &mut &'a [u8], at: FrameRef) -> Step<'a> {
        loop {
            if self.state == State::End {
                self.state = State::Head;
                return Step::End;
            }
            if input.is_empty() || self.state == State::Deaf {
                return Step::Idle;
            }
            let step = match self.state {
                State::Head => self.head(input, at),
                State::Seek => self.seek(input, at),
                State::Length(left) => Some(self.body(input, left, State::End, State::Length)),
                State::ChunkData(left) => Some(self.body(input, left, State::ChunkEnd, State::ChunkData)),
                State::UntilClose => Some(Step::Body(std::mem::take(input))),
                State::ChunkSize | State::ChunkEnd | State::Trailer => self.chunk_line(input, at),
                State::End | State::Deaf => None,
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// Skips bytes that are missing from the capture.
    pub(super) fn gap(&mut self, missing: u64) -> Gapped {
        let goes_on = |hole| Gapped { hole, body: BodyAfterGap::Open, lost: false };
        let (after, gapped) = match self.state {
            State::Length(left) if missing < left => (State::Length(left - missing), goes_on(missing)),
            State::Length(left) => {
                let lost = missing > left;
                let after = if lost { State::Seek } else { State::Head };
                (after, Gapped { hole: left, body: BodyAfterGap::Ended, lost })
            }
            State::ChunkData(left) if missing < left => (State::ChunkData(left - missing), goes_on(missing)),
            State::ChunkData(left) if missing == left => (State::ChunkEnd, goes_on(missing)),
            State::ChunkData(left) => (State::Seek, Gapped { hole: left, body: BodyAfterGap::Broken, lost: true }),
            State::ChunkSize | State::ChunkEnd => {
                (State::Seek, Gapped { hole: 0, body: BodyAfterGap::Broken, lost: true })
            }
            State::Trailer => (State::Seek, Gapped { hole: 0, body: BodyAfterGap::Ended, lost: true }),
            State::UntilClose => (State::UntilClose, goes_on(missing)),
            State::Head | State::Seek | State::End => {
                (State::Seek, Gapped { hole: 0, body: BodyAfterGap::Open, lost: true })
            }
            State::Deaf => (State::Deaf, goes_on(0)),
        };
        self.state = after;
        self.buffer.clear();
        gapped
    }

    /// The complete lines of a head that has begun, and the frame of its first byte.
    pub(super) fn cut_head(&mut self) -> Option<(Head, FrameRef)> {
        if self.state != State::Head {
            return None;
        }
        let head = head::parse_cut(self.side, &self.buffer)?;
        self.buffer.clear();
        Some((head, self.first?))
    }

    /// Whether a head is incomplete.
    pub(super) fn is_inside_head(&self) -> bool {
        self.state == State::Head && !self.buffer.is_empty()
    }

    /// Whether the next byte may start something other than this message.
    pub(super) fn is_between_messages(&self) -> bool {
        let begins = self.state == State::Head && self.buffer.is_empty();
        begins || matches!(self.state, State::End | State::Seek | State::Deaf)
    }

    /// Whether the body being read ends with the connection.
    pub(super) fn ends_with_connection(&self) -> bool {
        self.state == State::UntilClose
    }

    /// The connection stops being HTTP here, or ends.
    pub(super) fn stop(&mut self) {
        self.state = State::Deaf;
        self.buffer = Vec::new();
    }

    fn head<'a>(&mut self, input: &mut &'a [u8], at: FrameRef) -> Option<Step<'a>> {
        if self.buffer.is_empty() {
            // Empty lines before a message must be ignored (RFC 9112 section 2.2).
            let blank = input.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
            *input = input.get(blank..)?;
            self.first = Some(at);
        }
        let held = self.buffer.len();
        let taken = input.get(..input.len().min(MAX_HEAD.saturating_sub(held)))?;
        self.buffer.extend_from_slice(taken);
        let Some(end) = head::end_of_head(&self.buffer, held.saturating_sub(2)) else {
            *input = input.get(taken.len()..)?;
            return (self.buffer.len() >= MAX_HEAD).then(|| self.broken("a head of more than 64 KiB"));
        };
        *input = input.get(end.saturating_sub(held)..)?;
        self.buffer.truncate(end);
        let found = self.parse_head();
        let first = self.first.unwrap_or(at);
        Some(match found {
            Some(head) => {
                self.buffer.clear();
                self.buffer.shrink_to(SOUGHT_TAIL);
                Step::Head(head, first)
            }
            None => self.broken("a head that is not HTTP/1.x"),
        })
    }

    /// The head in the buffer, which other bytes may precede.
    fn parse_head(&self) -> Option<Head> {
        let line_starts = [0].into_iter().chain(memchr::memchr_iter(b'\n', &self.buffer).map(|at| at + 1));
        let lines = line_starts.filter_map(|at| self.buffer.get(at..));
        head::parse(self.side, &self.buffer).or_else(|| {
            lines.take(MOST_STARTS).find_map(|rest| {
                let line = rest.split(|octet| *octet == b'\n').next()?;
                let start = head::start_in_line(self.side, line)?;
                head::parse(self.side, rest.get(start..)?)
            })
        })
    }

    fn broken<'a>(&mut self, why: &'static str) -> Step<'a> {
        self.state = State::Seek;
        self.buffer = Vec::new();
        Step::Broken(why)
    }

    /// Moves `input` up to the end of its first line into the buffer; whether the line is complete.
    fn take_line(&mut self, input: &mut &[u8], at: FrameRef) -> bool {
        if self.buffer.is_empty() {
            self.first = Some(at);
        }
        let newline = memchr::memchr(b'\n', input);
        let (line, rest) = input.split_at_checked(newline.map_or(input.len(), |at| at + 1)).unwrap_or((input, &[]));
        self.buffer.extend_from_slice(line);
        *input = rest;
        newline.is_some()
    }

    fn seek<'a>(&mut self, input: &mut &'a [u8], at: FrameRef) -> Option<Step<'a>> {
        if !self.take_line(input, at) {
            if self.buffer.len() > MAX_HEAD {
                self.buffer.drain(..self.buffer.len() - SOUGHT_TAIL);
            }
            return None;
        }
        match head::start_in_line(self.side, &self.buffer) {
            Some(start) => {
                self.buffer.drain(..start);
                if start > 0 {
                    self.first = Some(at);
                }
                self.state = State::Head;
            }
            None => self.buffer.clear(),
        }
        None
    }

    fn body<'a>(&mut self, input: &mut &'a [u8], left: u64, end: State, on: fn(u64) -> State) -> Step<'a> {
        let (piece, rest) =
            usize::try_from(left).ok().and_then(|left| input.split_at_checked(left)).unwrap_or((input, &[]));
        let left = left.saturating_sub(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        self.state = if left == 0 { end } else { on(left) };
        *input = rest;
        Step::Body(piece)
    }

    /// A line of the chunked framing (RFC 9112 section 7.1).
    fn chunk_line<'a>(&mut self, input: &mut &'a [u8], at: FrameRef) -> Option<Step<'a>> {
        if !self.take_line(input, at) {
            return (self.buffer.len() > MAX_LINE).then(|| self.broken("a chunk size that is none"));
        }
        let line = std::mem::take(&mut self.buffer);
        let line = line.trim_ascii();
        match self.state {
            State::ChunkSize => match chunk_size(line) {
                Some(0) => self.state = State::Trailer,
                Some(size) => self.state = State::ChunkData(size),
                None => return Some(self.broken("a chunk size that is none")),
            },
            State::ChunkEnd if line.is_empty() => self.state = State::ChunkSize,
            State::ChunkEnd => return Some(self.broken("a chunk that is longer than its size")),
            _ if line.is_empty() => self.state = State::End,
            _ => {}
        }
        None
    }
}

/// Parses hexadecimal digits, possibly followed by chunk extensions.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|octet| *octet == b';').next()?.trim_ascii();
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok().filter(|_| !digits.starts_with(b"+"))
}
