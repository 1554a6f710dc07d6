//! In: both directions of an OpenVPN connection over TCP. Out: the bytes of the TLS handshake in its control channel.
//! Bounded: one packet of 64 KiB per direction. Left to others: TLS. The data channel is skipped.
//!
//! OpenVPN's protocol is described in its source (ssl_pkt.h). Over TCP, each packet follows its length in two bytes:
//! opcode and key ID in one byte, session ID; with tls-auth an HMAC and a replay counter; acknowledgements; packet ID;
//! TLS. With tls-crypt everything is encrypted, and nothing can be read.

use super::Side;
use crate::capture::FrameRef;
use crate::flow::{Both, Piece};

/// Length of a reset without tls-auth: opcode, session ID, number of acknowledgements, packet ID.
const RESET: usize = 14;
/// Bytes that tls-auth adds: an HMAC with MD5, SHA-1 or SHA-2, and eight bytes of replay counter and time.
const AUTH: [usize; 7] = [0, 16 + 8, 20 + 8, 28 + 8, 32 + 8, 48 + 8, 64 + 8];
const CONTROL: u8 = 4;
const RESET_CLIENT: u8 = 7;
const RESET_SERVER: u8 = 8;

/// The control channel of one connection.
#[derive(Debug, Default)]
pub(super) struct OpenVpn {
    sides: Both<Packets>,
    /// Bytes that tls-auth adds to each packet.
    auth: usize,
}

#[derive(Debug, Default)]
struct Packets {
    /// The length and the part received of a packet.
    packet: Vec<u8>,
    /// ID of the next control packet; retransmissions are skipped.
    next: u32,
    lost: bool,
}

/// Whether a client whose first bytes are these speaks OpenVPN; `None` if there are too few.
pub(super) fn starts_like_openvpn(bytes: &[u8]) -> Option<bool> {
    match bytes {
        [] => None,
        [0] => None,
        [0, length] => (!is_reset(usize::from(*length))).then_some(false),
        [0, length, code, ..] => {
            Some(is_reset(usize::from(*length)) && [RESET_CLIENT, RESET_SERVER].contains(&(code >> 3)))
        }
        _ => Some(false),
    }
}

fn is_reset(length: usize) -> bool {
    // The server's reset acknowledges the client's: one packet ID and one session ID more.
    AUTH.iter().any(|auth| [RESET + auth, RESET + 12 + auth].contains(&length))
}

impl OpenVpn {
    /// Bytes held of incomplete packets.
    pub(super) fn held(&self) -> usize {
        self.sides.client.packet.len() + self.sides.server.packet.len()
    }

    /// Takes the next piece of one direction, and returns the TLS bytes in it.
    pub(super) fn push(&mut self, side: Side, piece: Piece<'_>, at: FrameRef, mut sink: impl FnMut(&[u8], FrameRef)) {
        let packets = self.sides.of_mut(side);
        let Piece::Bytes(mut bytes) = piece else {
            packets.lost = true;
            return;
        };
        while !bytes.is_empty() && !packets.lost {
            let length = match *packets.packet.as_slice() {
                [high, low, ..] => 2 + (usize::from(high) << 8 | usize::from(low)),
                _ => 2,
            };
            let want = length.saturating_sub(packets.packet.len()).max(1);
            let (now, later) = bytes.split_at_checked(want).unwrap_or((bytes, &[]));
            packets.packet.extend_from_slice(now);
            bytes = later;
            if packets.packet.len() > 2 && packets.packet.len() >= length {
                let packet = std::mem::take(&mut packets.packet);
                if let Some(content) = Self::content(&mut self.auth, packets, &packet) {
                    sink(content, at);
                }
            }
        }
    }

    /// The TLS bytes in a packet of the first key.
    fn content<'a>(auth: &mut usize, packets: &mut Packets, packet: &'a [u8]) -> Option<&'a [u8]> {
        let packet = packet.get(2..)?;
        let code = packet.first()?;
        if code >> 3 == RESET_CLIENT {
            *auth = packet.len().saturating_sub(RESET);
        }
        if code >> 3 != CONTROL || code & 7 != 0 {
            return None;
        }
        let rest = packet.get(9 + *auth..)?;
        let (acknowledged, rest) = rest.split_first()?;
        let session = if *acknowledged > 0 { 8 } else { 0 };
        let rest = rest.get(4 * usize::from(*acknowledged) + session..)?;
        let (number, content) = rest.split_at_checked(4)?;
        let number = u32::from_be_bytes(number.try_into().ok()?);
        if number < packets.next {
            return None;
        }
        packets.next = number.checked_add(1)?;
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Timestamp;

    fn at() -> FrameRef {
        FrameRef { capture: 0, number: 1, offset: 0, length: 0, time: Timestamp::default() }
    }

    /// A packet of the client: opcode, session ID, the bytes of tls-auth, then the rest.
    fn packet(code: u8, auth: usize, rest: &[u8]) -> Vec<u8> {
        let body = [&[code << 3][..], &[7; 8], &vec![9; auth], rest].concat();
        [&u16::try_from(body.len()).unwrap().to_be_bytes()[..], &body].concat()
    }

    #[test]
    fn the_control_channel_comes_out_in_order_and_once() {
        for auth in AUTH {
            let reset = packet(RESET_CLIENT, auth, &[0, 0, 0, 0, 0]);
            assert_eq!(starts_like_openvpn(&reset), Some(true));
            let first = packet(CONTROL, auth, &[&[1, 0, 0, 0, 0][..], &[8; 8], &[0, 0, 0, 1], b"hel"].concat());
            let second = packet(CONTROL, auth, &[&[0, 0, 0, 0, 2][..], b"lo"].concat());
            let data = packet(6, 0, &[3; 100]);
            let stream = [&reset[..], &first, &data, &first, &second].concat();
            for size in [stream.len(), 5, 1] {
                let (mut vpn, mut out) = (OpenVpn::default(), Vec::new());
                for part in stream.chunks(size) {
                    vpn.push(Side::Client, Piece::Bytes(part), at(), |bytes, _| out.extend_from_slice(bytes));
                }
                assert_eq!(out, b"hello", "tls-auth of {auth} bytes, pieces of {size}");
            }
        }
        assert_eq!(starts_like_openvpn(&[0, 14, 0x16, 3, 1]), Some(false));
        assert_eq!(starts_like_openvpn(&[0, 15]), Some(false));
        assert_eq!(starts_like_openvpn(&[0]), None);
    }
}
