//! In: one direction's bytes and gaps. Out: TLS records, their bodies in pieces as they come.
//! Bounded: five bytes of a header, and an SSLv2-format hello of 32 KiB at most. Left to others: what bodies mean.
//!
//! Records are RFC 8446 section 5.1 (and RFC 5246 section 6.2.1); the SSLv2-format hello is RFC 5246 appendix E.2.
//! A gap inside a body is passed on, since the header told its length; a gap over a header loses the framing, which is
//! found again where a later piece starts with a plausible header.

use crate::capture::{Cut, FrameRef};
use crate::flow::Piece;

/// 2^14 bytes, and what TLS 1.2 allows encryption to add (RFC 5246 section 6.2.3).
const MAX_RECORD: usize = (1 << 14) + 2048;

/// What kind of record it is: the content type byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ContentType(pub(super) u8);

impl ContentType {
    pub(super) const CHANGE_CIPHER_SPEC: Self = Self(20);
    pub(super) const ALERT: Self = Self(21);
    pub(super) const HANDSHAKE: Self = Self(22);
    pub(super) const APPLICATION_DATA: Self = Self(23);
}

/// What a direction yields.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// A header.
    Begin(ContentType),
    /// A part of the body of a record that is not application data.
    Body(ContentType, Piece<'a>),
    /// The last byte of a record.
    End { kind: ContentType, length: usize },
    /// An SSLv2-format ClientHello, without its two length bytes.
    Sslv2Hello(&'a [u8]),
    /// The framing is lost here, for want of so many bytes.
    Lost { missing: u64, cut: Option<Cut> },
}

/// One direction's record layer.
#[derive(Debug, Default)]
pub(super) struct Records {
    state: State,
    header: Vec<u8>,
    /// Whether the first bytes of the direction are still to come.
    begun: bool,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Header,
    Body {
        kind: ContentType,
        length: usize,
        left: usize,
    },
    Sslv2 {
        length: usize,
    },
    Lost,
}

impl Records {
    pub(super) fn push(&mut self, piece: Piece<'_>, at: FrameRef, sink: &mut impl FnMut(Event<'_>, FrameRef)) {
        match piece {
            Piece::Bytes(bytes) => self.bytes(bytes, at, sink),
            Piece::Gap { missing, cut } => self.gap(missing, cut, at, sink),
        }
    }

    fn bytes(&mut self, mut bytes: &[u8], at: FrameRef, sink: &mut impl FnMut(Event<'_>, FrameRef)) {
        if matches!(self.state, State::Lost) {
            if !looks_like_header(bytes) {
                return;
            }
            self.state = State::Header;
        }
        while !bytes.is_empty() {
            bytes = match &mut self.state {
                State::Header => self.header(bytes, at, sink),
                State::Body { kind, left, .. } => {
                    let (now, later) = bytes.split_at_checked(*left).unwrap_or((bytes, &[]));
                    let kind = *kind;
                    *left -= now.len();
                    if kind != ContentType::APPLICATION_DATA {
                        sink(Event::Body(kind, Piece::Bytes(now)), at);
                    }
                    self.end_of_body(at, sink);
                    later
                }
                State::Sslv2 { length } => {
                    let want = *length - self.header.len();
                    let (now, later) = bytes.split_at_checked(want).unwrap_or((bytes, &[]));
                    self.header.extend_from_slice(now);
                    if self.header.len() == *length {
                        sink(Event::Sslv2Hello(self.header.get(2..).unwrap_or_default()), at);
                        self.header.clear();
                        self.state = State::Header;
                    }
                    later
                }
                State::Lost => return,
            };
        }
    }

    fn header<'a>(&mut self, bytes: &'a [u8], at: FrameRef, sink: &mut impl FnMut(Event<'_>, FrameRef)) -> &'a [u8] {
        let (now, later) = bytes.split_at_checked(5 - self.header.len()).unwrap_or((bytes, &[]));
        self.header.extend_from_slice(now);
        let [kind, major, minor, high, low] = *self.header.as_slice() else {
            return later;
        };
        if !self.begun && is_sslv2_hello(&self.header) {
            self.begun = true;
            self.state = State::Sslv2 { length: 2 + (usize::from(kind & 0x7f) << 8 | usize::from(major)) };
            return later;
        }
        self.begun = true;
        let length = usize::from(high) << 8 | usize::from(low);
        if !plausible(kind, major, minor, length) {
            self.header.clear();
            self.state = State::Lost;
            sink(Event::Lost { missing: 0, cut: None }, at);
            return &[];
        }
        self.header.clear();
        let kind = ContentType(kind);
        self.state = State::Body { kind, length, left: length };
        sink(Event::Begin(kind), at);
        self.end_of_body(at, sink);
        later
    }

    fn end_of_body(&mut self, at: FrameRef, sink: &mut impl FnMut(Event<'_>, FrameRef)) {
        if let State::Body { kind, length, left: 0 } = self.state {
            self.state = State::Header;
            sink(Event::End { kind, length }, at);
        }
    }

    fn gap(&mut self, missing: u64, cut: Option<Cut>, at: FrameRef, sink: &mut impl FnMut(Event<'_>, FrameRef)) {
        self.begun = true;
        match &mut self.state {
            State::Body { kind, left, .. } if u64::try_from(*left).is_ok_and(|left| missing <= left) => {
                *left -= usize::try_from(missing).unwrap_or_default();
                let kind = *kind;
                if kind != ContentType::APPLICATION_DATA {
                    sink(Event::Body(kind, Piece::Gap { missing, cut }), at);
                }
                self.end_of_body(at, sink);
            }
            State::Body { kind, length, left } => {
                let (kind, length, rest) = (*kind, *length, u64::try_from(*left).unwrap_or_default());
                if rest > 0 && kind != ContentType::APPLICATION_DATA {
                    sink(Event::Body(kind, Piece::Gap { missing: rest, cut }), at);
                }
                // Its end is not there, but it is known where that was.
                sink(Event::End { kind, length }, at);
                self.lose(missing, cut, at, sink);
            }
            State::Lost => {}
            State::Header | State::Sslv2 { .. } => self.lose(missing, cut, at, sink),
        }
    }

    fn lose(&mut self, missing: u64, cut: Option<Cut>, at: FrameRef, sink: &mut impl FnMut(Event<'_>, FrameRef)) {
        self.header.clear();
        self.state = State::Lost;
        sink(Event::Lost { missing, cut }, at);
    }
}

fn plausible(kind: u8, major: u8, minor: u8, length: usize) -> bool {
    (20..=24).contains(&kind) && major == 3 && minor <= 4 && length <= MAX_RECORD
}

fn looks_like_header(bytes: &[u8]) -> bool {
    match bytes {
        [kind, major, minor, high, low, ..] => {
            let length = usize::from(*high) << 8 | usize::from(*low);
            length > 0 && plausible(*kind, *major, *minor, length)
        }
        _ => false,
    }
}

/// Whether the first five bytes are those of an SSLv2-format ClientHello.
fn is_sslv2_hello(bytes: &[u8]) -> bool {
    matches!(bytes, [length, _, 1, 3, 0..=4, ..] | [length, _, 1, 0, 2, ..] if length & 0x80 != 0)
}

/// Whether a direction that starts with these bytes speaks TLS; `None` when there are too few to tell.
pub(super) fn starts_like_tls(bytes: &[u8]) -> Option<bool> {
    if bytes.len() < 6 {
        let hopeless = !matches!(bytes.first(), None | Some(20..=23 | 0x80..=0xff));
        return if hopeless { Some(false) } else { None };
    }
    // A handshake record starts with a message type of RFC 8446 section 4, unless it is encrypted.
    let clear = !matches!(bytes, [22, _, _, _, _, kind, ..] if !matches!(kind, 0..=4 | 11..=16 | 20 | 22));
    Some(is_sslv2_hello(bytes) || (looks_like_header(bytes) && clear))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Timestamp;

    fn at() -> FrameRef {
        FrameRef { capture: 0, number: 1, offset: 0, length: 0, time: Timestamp::default() }
    }

    /// The bodies of all records, and `!` where the framing was lost.
    fn bodies(pieces: &[Piece<'_>]) -> Vec<String> {
        let (mut records, mut out, mut current) = (Records::default(), Vec::new(), String::new());
        for piece in pieces {
            records.push(*piece, at(), &mut |event, _| match event {
                Event::Body(_, Piece::Bytes(bytes)) => current.push_str(&String::from_utf8_lossy(bytes)),
                Event::Body(_, Piece::Gap { missing, .. }) => {
                    current.push_str(&"_".repeat(missing.try_into().unwrap()))
                }
                Event::End { .. } => out.push(std::mem::take(&mut current)),
                Event::Lost { .. } => out.push("!".into()),
                _ => {}
            });
        }
        out
    }

    const TWO: &[u8] = b"\x16\x03\x01\x00\x03abc\x16\x03\x01\x00\x02de";

    #[test]
    fn records_come_out_however_the_bytes_are_cut() {
        let single: Vec<_> = TWO.chunks(1).map(Piece::Bytes).collect();
        assert_eq!(bodies(&single), ["abc", "de"]);
        assert_eq!(bodies(&[Piece::Bytes(TWO)]), ["abc", "de"]);
    }

    #[test]
    fn a_gap_within_a_body_keeps_the_framing() {
        let pieces = [Piece::Bytes(&TWO[..6]), Piece::Gap { missing: 2, cut: None }, Piece::Bytes(&TWO[8..])];
        assert_eq!(bodies(&pieces), ["a__", "de"]);
    }

    #[test]
    fn a_gap_over_a_header_loses_it_until_a_piece_starts_with_one() {
        let gap = Piece::Gap { missing: 5, cut: None };
        let pieces = [Piece::Bytes(&TWO[..6]), gap, Piece::Bytes(&TWO[11..]), Piece::Bytes(TWO)];
        assert_eq!(bodies(&pieces), ["a__", "!", "abc", "de"]);
    }
}
