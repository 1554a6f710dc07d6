//! In: both directions of a connection whose protocol is not read here. Out: the point where it switches to TLS.
//! Bounded: the eleven bytes by which a hello is recognized, and `SEARCHED_BYTES` of a connection. Left to others: what
//! follows.
//!
//! STARTTLS in mail, directory, chat and file protocols (RFC 2595, 3207, 4217, 6120), the TLS requests of databases and
//! remote desktops, and proxies such as SOCKS have one thing in common: the rest of the connection is TLS, and a hello
//! is at the start of a segment. Nothing else is checked here, so none of these protocols needs a parser.

use super::Side;
use super::tls;
use crate::capture::FrameRef;
use crate::flow::{Both, Piece};

/// Connections that switch to TLS do so early. Mail servers may list a hundred capabilities, but not more than this.
const SEARCHED_BYTES: usize = 256 * 1024;

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
        let start = self.starts.of_mut(side);
        let Piece::Bytes(bytes) = piece else {
            start.clear();
            return None;
        };
        self.searched = self.searched.saturating_add(bytes.len());
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

    /// Whether too much was searched for a switch to TLS to be likely.
    pub(super) fn is_hopeless(&self) -> bool {
        self.searched > SEARCHED_BYTES
    }
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
    fn what_only_begins_like_one_is_none() {
        let mut upgrade = Upgrade::default();
        for bytes in [&[22, 3][..], &[22], &[22, 3, 1, 0, 200, 9, 9], &HELLO[..8], b"QUIT\r\n"] {
            assert!(upgrade.push(Side::Client, Piece::Bytes(bytes), at(1)).is_none(), "{bytes:?}");
        }
        // The last piece was no hello, so the next one is examined from its start.
        assert!(upgrade.push(Side::Client, Piece::Bytes(HELLO), at(2)).is_some());
    }
}
