//! In: payload of CAPWAP's data port, between access points and their controller. Out: the radio's frame. Left to
//! others: fragments, encryption.

use super::super::Unread;
use super::super::bytes::be32;
use super::super::inner::Inner;
use crate::capture::LinkType;

/// Flags in the first word of the header (RFC 5415 section 4.3).
const ENCRYPTED: u32 = 0x0100_0000;
const NATIVE: u32 = 0x100;
const FRAGMENT: u32 = 0x80;
const KEEP_ALIVE: u32 = 0x08;
const IEEE_802_11: u32 = 1;

/// Header: preamble, header length in units of four octets, radio, binding, flags. The frame is in the radio's native
/// format or Ethernet.
pub(super) fn open(bytes: &[u8]) -> Option<Inner<'_>> {
    let word = be32(bytes, 0)?;
    if word & ENCRYPTED != 0 {
        return Some(Inner::Unread(Unread::Encrypted("CAPWAP")));
    }
    if word & FRAGMENT != 0 {
        return Some(Inner::Unread(Unread::LinkFragment("CAPWAP")));
    }
    let rest = bytes.get(usize::try_from(word >> 19 & 0x1f).ok()? * 4..)?;
    Some(match (word & KEEP_ALIVE != 0, word & NATIVE != 0, word >> 9 & 0x1f) {
        (true, ..) => Inner::Nothing,
        (_, false, _) => Inner::ethernet(rest),
        (_, true, IEEE_802_11) => Inner::Link(LinkType::IEEE802_11, rest),
        _ => Inner::Nothing,
    })
}
