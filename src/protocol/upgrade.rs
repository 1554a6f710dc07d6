//! In: both directions of a connection whose protocol is not read here. Out: the point where it switches to TLS.
//! Bounded: the eleven bytes by which a hello is recognized, and `SEARCHED_BYTES` of a connection, after which only the
//! start of each segment is looked at. Left to others: what follows.
//!
//! STARTTLS in mail, directory, chat and file protocols (RFC 2595, 3207, 4217, 6120), the TLS requests of databases and
//! remote desktops, and proxies such as SOCKS have one thing in common: the rest of the connection is TLS, and a hello
//! is at the start of a segment, or behind a short header at the start of the connection. Nothing else is checked here,
//! so none of these protocols needs a parser (D-PROTOCOL-17).

use super::Side;
use super::tls;
use crate::capture::FrameRef;
use crate::flow::{Both, Piece};

/// Most connections that switch to TLS do so early. Mail servers may list a hundred capabilities, but not more than this.
const SEARCHED_BYTES: usize = 256 * 1024;
/// A header before the ClientHello, in one segment with it, is no longer: the length that some protocols put first.
const MAX_HEADER: usize = 64;

/// Bytes, each run with its frame.
pub(super) type Held = Vec<(FrameRef, Vec<u8>)>;

/// A protocol that may switch to TLS.
#[derive(Debug, Default)]
pub(super) struct Upgrade {
    /// The possible start of a hello, per direction.
    starts: Both<Held>,
    searched: usize,
}

impl Upgrade {
    /// Takes the next piece of one direction. Returns the bytes held once they are the start of a hello.
    pub(super) fn push(&mut self, side: Side, piece: Piece<'_>, at: FrameRef) -> Option<Held> {
        let Piece::Bytes(bytes) = piece else {
            self.starts.of_mut(side).clear();
            return None;
        };
        if self.is_late() {
            // One that is cut over two segments is missed: nothing is kept of a long connection.
            return (tls::starts_with_hello(bytes) == Some(true)).then(|| vec![(at, bytes.to_vec())]);
        }
        let first = self.searched == 0;
        self.searched = self.searched.saturating_add(bytes.len());
        if first && let Some(hello) = behind_header(bytes) {
            return Some(vec![(at, hello.to_vec())]);
        }
        let start = self.starts.of_mut(side);
        if !start.is_empty() {
            start.push((at, bytes.to_vec()));
            let whole: Vec<u8> = start.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
            match tls::starts_with_hello(&whole) {
                Some(true) => return Some(std::mem::take(start)),
                Some(false) => start.clear(),
                None => return None,
            }
        }
        if tls::starts_with_hello(bytes) != Some(false) {
            start.push((at, bytes.to_vec()));
        }
        (tls::starts_with_hello(bytes) == Some(true)).then(|| std::mem::take(start))
    }

    /// Whether so much was searched that a switch to TLS is unlikely.
    pub(super) fn is_late(&self) -> bool {
        self.searched > SEARCHED_BYTES
    }
}

/// A ClientHello behind a short header. Its record holds it and nothing else, as nothing less would be certain here.
fn behind_header(bytes: &[u8]) -> Option<&[u8]> {
    let is_hello = |bytes: &&[u8]| match bytes {
        [22, 3, _, high, low, 1, 0, message_high, message_low, ..] => {
            let word = |high: &u8, low: &u8| u32::from(*high) << 8 | u32::from(*low);
            tls::starts_with_hello(bytes) == Some(true) && word(high, low) == word(message_high, message_low) + 4
        }
        _ => false,
    };
    let header = 1..=MAX_HEADER.min(bytes.len());
    header.filter_map(|length| bytes.get(length..)).find(is_hello)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Timestamp;

    fn at(number: u64) -> FrameRef {
        FrameRef { capture: 0, number, offset: 0, length: 0, time: Timestamp::default() }
    }

    /// The first bytes of a ClientHello: record and message headers, version (RFC 5246 sections 6.2.1 and 7.4).
    const HELLO: &[u8] = &[22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3, 1, 2, 3];

    #[test]
    fn a_hello_is_found_however_it_is_cut() {
        for size in [1, 2, 5, 10, 11, 14] {
            let mut upgrade = Upgrade::default();
            assert!(upgrade.push(Side::Server, Piece::Bytes(b"220 ready\r\n"), at(1)).is_none());
            assert!(upgrade.push(Side::Client, Piece::Bytes(b"STARTTLS\r\n"), at(2)).is_none());
            let mut numbers = 3..;
            let found = HELLO
                .chunks(size)
                .find_map(|part| upgrade.push(Side::Client, Piece::Bytes(part), at(numbers.next().unwrap())));
            let found = found.unwrap();
            assert_eq!(found[0].0.number, 3, "pieces of {size}");
            let bytes: Vec<u8> = found.into_iter().flat_map(|(_, bytes)| bytes).collect();
            assert!(HELLO.starts_with(&bytes) && bytes.len() >= 11, "pieces of {size}: {bytes:?}");
        }
    }

    #[test]
    fn a_hello_behind_a_header_in_one_segment_is_found() {
        // A length of four bytes before it, as some protocols have.
        let segment = [&[0, 0, 0, 205][..], HELLO].concat();
        let found = Upgrade::default().push(Side::Client, Piece::Bytes(&segment), at(1)).unwrap();
        assert_eq!(found, [(at(1), HELLO.to_vec())]);
        // A record longer than the message in it is none.
        let other = [&[0, 0, 0, 205][..], &HELLO[..4], &[201], &HELLO[5..]].concat();
        assert!(Upgrade::default().push(Side::Client, Piece::Bytes(&other), at(1)).is_none());
    }

    #[test]
    fn a_hello_is_found_however_much_was_said_before_it() {
        let mut upgrade = Upgrade::default();
        for number in 0..600 {
            assert!(upgrade.push(Side::Server, Piece::Bytes(&[b'x'; 1460]), at(number)).is_none());
        }
        assert!(upgrade.push(Side::Client, Piece::Bytes(HELLO), at(600)).is_some());
    }

    #[test]
    fn what_only_begins_like_one_is_none() {
        let mut upgrade = Upgrade::default();
        for bytes in [&[22, 3][..], &[22], &[22, 3, 1, 0, 200, 9, 9], &HELLO[..8], b"QUIT\r\n"] {
            assert!(upgrade.push(Side::Client, Piece::Bytes(bytes), at(1)).is_none(), "{bytes:?}");
        }
        // The last piece was no hello, so the next one is examined from its start.
        assert!(upgrade.push(Side::Client, Piece::Bytes(HELLO), at(2)).is_some());
    }
}
