//! In: one direction's bytes and gaps. Out: TLS records, their bodies in pieces as they arrive. Bounded: five bytes of
//! a header, and a record of SSL 2.0 of at most 32 KiB. Left to others: what bodies mean.
//!
//! Records are RFC 8446 section 5.1 (and RFC 5246 section 6.2.1); the SSLv2-format hello is RFC 5246 appendix E.2, the
//! records of SSL 2.0 draft-hickman-netscape-ssl-00 section 1.1. A gap inside a body is passed on, because its length
//! is known from the header. A gap over a header loses the framing, which is found again when a later piece starts with
//! a plausible header.

use crate::capture::{Cut, FrameRef};
use crate::flow::Piece;

/// 2^14 bytes, and the expansion that TLS 1.2 allows for encryption (RFC 5246 section 6.2.3).
const MAX_RECORD: usize = (1 << 14) + 2048;
/// The version in the records of TLCP (GB/T 38636), which are otherwise those of TLS.
const TLCP: (u8, u8) = (1, 1);

/// The content type of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ContentType(pub(super) u8);

impl ContentType {
    pub(super) const CHANGE_CIPHER_SPEC: Self = Self(20);
    pub(super) const ALERT: Self = Self(21);
    pub(super) const HANDSHAKE: Self = Self(22);
    pub(super) const APPLICATION_DATA: Self = Self(23);
    /// RFC 6520.
    pub(super) const HEARTBEAT: Self = Self(24);
}

/// What a direction yields.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// A record that is complete within the piece: its header (content type, version, length) and its body.
    Whole([u8; 5], &'a [u8]),
    /// The header of a record that is not.
    Begin([u8; 5]),
    /// A part of the body of a record.
    Body(ContentType, Piece<'a>),
    /// The last byte of a record.
    End { kind: ContentType, length: usize },
    /// A record of SSL 2.0, without its header: also the SSLv2-format ClientHello of later versions.
    Sslv2(&'a [u8]),
    /// The direction starts with these bytes, which are not a record.
    Foreign(&'a [u8]),
    /// The framing is lost here because this many bytes are missing.
    Lost { missing: u64, cut: Option<Cut> },
}

/// One direction's record layer.
#[derive(Debug, Default)]
pub(super) struct Records {
    state: State,
    header: Vec<u8>,
    /// Whether the first bytes were read.
    begun: bool,
    /// Whether the direction starts with SSL 2.0.
    sslv2: bool,
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
        /// Length of the record, header included.
        length: usize,
        header: usize,
    },
    Lost,
}

impl Records {
    pub(super) fn push(&mut self, piece: Piece<'_>, at: &FrameRef, sink: &mut impl FnMut(&Event<'_>, &FrameRef)) {
        match piece {
            Piece::Bytes(bytes) => self.bytes(bytes, at, sink),
            Piece::Gap { missing, cut } => self.gap(missing, cut, at, sink),
        }
    }

    fn bytes(&mut self, mut bytes: &[u8], at: &FrameRef, sink: &mut impl FnMut(&Event<'_>, &FrameRef)) {
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
                    sink(&Event::Body(kind, Piece::Bytes(now)), at);
                    self.end_of_body(at, sink);
                    later
                }
                State::Sslv2 { length, header } => {
                    let (length, header) = (*length, *header);
                    let want = length.saturating_sub(self.header.len());
                    let (now, later) = bytes.split_at_checked(want).unwrap_or((bytes, &[]));
                    self.header.extend_from_slice(now);
                    self.end_of_sslv2(length, header, at, sink);
                    later
                }
                State::Lost => return,
            };
        }
    }

    fn header<'a>(&mut self, bytes: &'a [u8], at: &FrameRef, sink: &mut impl FnMut(&Event<'_>, &FrameRef)) -> &'a [u8] {
        let (header, later) = gather::<5>(&mut self.header, bytes);
        let Some(header) = header else { return later };
        let [kind, major, minor, high, low] = header;
        self.sslv2 |= !self.begun && is_sslv2_hello(&header);
        let first = !std::mem::replace(&mut self.begun, true);
        // After a hello in SSL 2.0 format, most connections continue with TLS.
        if self.sslv2 && !plausible(kind, major, minor, 0) {
            // The header has two bytes, or three if padding follows the data.
            let (own, mask) = if kind & 0x80 == 0 { (3, 0x3f) } else { (2, 0x7f) };
            let length = own + (usize::from(kind & mask) << 8 | usize::from(major));
            self.header.extend(header);
            self.state = State::Sslv2 { length, header: own };
            self.end_of_sslv2(length, own, at, sink);
            return later;
        }
        let length = usize::from(high) << 8 | usize::from(low);
        // Some servers put a whole flight into one record, longer than the most that one may hold
        // (D-PROTOCOL-14).
        let longest = if ContentType(kind) == ContentType::HANDSHAKE { usize::MAX } else { MAX_RECORD };
        if !plausible(kind, major, minor, 0) || length > longest {
            self.state = State::Lost;
            if first {
                sink(&Event::Foreign(&[&header, later].concat()), at);
            } else {
                sink(&Event::Lost { missing: 0, cut: None }, at);
            }
            return &[];
        }
        if let Some((body, later)) = later.split_at_checked(length) {
            sink(&Event::Whole(header, body), at);
            return later;
        }
        self.state = State::Body { kind: ContentType(kind), length, left: length };
        sink(&Event::Begin(header), at);
        later
    }

    fn end_of_sslv2(
        &mut self,
        length: usize,
        header: usize,
        at: &FrameRef,
        sink: &mut impl FnMut(&Event<'_>, &FrameRef),
    ) {
        if self.header.len() >= length {
            // In a record shorter than the five bytes read, the rest would belong to the next; SSL 2.0 has no such
            // records.
            let record = std::mem::take(&mut self.header);
            self.state = State::Header;
            sink(&Event::Sslv2(record.get(header..length).unwrap_or_default()), at);
        }
    }

    fn end_of_body(&mut self, at: &FrameRef, sink: &mut impl FnMut(&Event<'_>, &FrameRef)) {
        if let State::Body { kind, length, left: 0 } = self.state {
            self.state = State::Header;
            sink(&Event::End { kind, length }, at);
        }
    }

    fn gap(&mut self, missing: u64, cut: Option<Cut>, at: &FrameRef, sink: &mut impl FnMut(&Event<'_>, &FrameRef)) {
        self.begun = true;
        match &mut self.state {
            State::Body { kind, left, .. } if u64::try_from(*left).is_ok_and(|left| missing <= left) => {
                *left -= usize::try_from(missing).unwrap_or_default();
                sink(&Event::Body(*kind, Piece::Gap { missing, cut }), at);
                self.end_of_body(at, sink);
            }
            State::Body { kind, length, left } => {
                let (kind, length, rest) = (*kind, *length, u64::try_from(*left).unwrap_or_default());
                if rest > 0 {
                    sink(&Event::Body(kind, Piece::Gap { missing: rest, cut }), at);
                }
                // The end of the record is missing, but its position is known.
                sink(&Event::End { kind, length }, at);
                self.lose(missing, cut, at, sink);
            }
            State::Lost => {}
            State::Header | State::Sslv2 { .. } => self.lose(missing, cut, at, sink),
        }
    }

    fn lose(&mut self, missing: u64, cut: Option<Cut>, at: &FrameRef, sink: &mut impl FnMut(&Event<'_>, &FrameRef)) {
        self.header.clear();
        self.state = State::Lost;
        sink(&Event::Lost { missing, cut }, at);
    }
}

/// The first `N` bytes of `begun` followed by `bytes`, once there are enough, and the bytes after them.
pub(super) fn gather<'a, const N: usize>(begun: &mut Vec<u8>, bytes: &'a [u8]) -> (Option<[u8; N]>, &'a [u8]) {
    // Nearly always there are enough at once, and nothing is copied.
    if let Some((header, later)) = bytes.split_first_chunk().filter(|_| begun.is_empty()) {
        return (Some(*header), later);
    }
    let (now, later) = bytes.split_at_checked(N - begun.len()).unwrap_or((bytes, &[]));
    begun.extend_from_slice(now);
    let header = begun.first_chunk().copied();
    if header.is_some() {
        begun.clear();
    }
    (header, later)
}

fn plausible(kind: u8, major: u8, minor: u8, length: usize) -> bool {
    (20..=24).contains(&kind) && matches!((major, minor), (3, 0..=4) | TLCP) && length <= MAX_RECORD
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

/// Whether the first five bytes are those of an SSLv2-format ClientHello, or of SSL 2.0's ServerHello (session id hit,
/// certificate type) or Error.
fn is_sslv2_hello(bytes: &[u8]) -> bool {
    let record = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let client = matches!(bytes, [_, _, 1, 3, 0..=4, ..] | [_, _, 1, 0, 2, ..]);
    record && (client || matches!(bytes, [_, _, 4, 0..=1, 0..=1, ..] | [0x80, 3, 0, 0, 1..=6, ..]))
}

/// Whether bytes within a connection start a hello: a ClientHello in either format, or a ServerHello. `None` if there
/// are too few to tell.
pub(super) fn starts_with_hello(bytes: &[u8]) -> Option<bool> {
    if bytes.first().is_some_and(|first| first & 0x80 != 0) {
        return starts_with_sslv2_hello(bytes);
    }
    // Record: type, version, length; message: type, length; version.
    let allowed = |index: usize, byte: u8| match index {
        0 => byte == 22,
        1 => byte == 3,
        2 => byte <= 4,
        3 => usize::from(byte) <= MAX_RECORD >> 8,
        5 => matches!(byte, 1 | 2),
        6 => byte == 0,
        9 => matches!(byte, 3 | 0x7f),
        _ => true,
    };
    if !bytes.iter().take(11).enumerate().all(|(index, byte)| allowed(index, *byte)) {
        return Some(false);
    }
    let [_, _, _, high, low, ..] = bytes else { return None };
    let record = usize::from(*high) << 8 | usize::from(*low);
    // A record too short for a message header: nothing more can be checked.
    let want = if record < 6 { 6 } else { 11 };
    (bytes.len() >= want).then_some(record > 0 && record <= MAX_RECORD)
}

/// RFC 5246 appendix E.2: the lengths of the parts must add up to that of the record.
fn starts_with_sslv2_hello(bytes: &[u8]) -> Option<bool> {
    let allowed = |index: usize, byte: u8| match index {
        2 => byte == 1,
        3 => byte == 3 || byte == 0,
        4 => byte <= 4,
        _ => true,
    };
    if !bytes.iter().take(5).enumerate().all(|(index, byte)| allowed(index, *byte)) {
        return Some(false);
    }
    let [high, low, _, _, _, specs @ ..] = bytes.get(..11)? else { return None };
    let word = |at: usize| match specs.get(at..at + 2) {
        Some([high, low]) => usize::from(*high) << 8 | usize::from(*low),
        _ => 0,
    };
    let (specs, id, challenge) = (word(0), word(2), word(4));
    let length = usize::from(high & 0x7f) << 8 | usize::from(*low);
    Some(specs > 0 && specs % 3 == 0 && (16..=32).contains(&challenge) && length == 9 + specs + id + challenge)
}

/// Whether a direction that starts with these bytes speaks TLS; `None` if there are too few to tell.
pub(super) fn starts_like_tls(bytes: &[u8]) -> Option<bool> {
    if bytes.len() < 6 {
        let hopeless = !matches!(bytes.first(), None | Some(20..=23 | 0x80..=0xff));
        return if hopeless { Some(false) } else { None };
    }
    // Unless it is encrypted, a handshake record starts with a message type of RFC 8446 section 4.
    let clear = !matches!(bytes, [22, _, _, _, _, kind, ..] if !matches!(kind, 0..=4 | 11..=16 | 20 | 22));
    let overlong = matches!(bytes, [22, 3, 0..=4, _, _, 1 | 2, ..]);
    Some(is_sslv2_hello(bytes) || ((looks_like_header(bytes) || overlong) && clear))
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
            records.push(*piece, &at(), &mut |event, _| match *event {
                Event::Whole(_, bytes) => out.push(String::from_utf8_lossy(bytes).into_owned()),
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
