//! MPLS label stacks.
//!
//! In: bytes from the first label on. Out: the payload below the stack, recognized by its first bytes because MPLS does
//! not name its type (RFC 4928 section 3). Bounded: each label takes bytes. Left to others: operation and maintenance.

use super::super::bytes::{be16, be32, u8_at};
use super::super::inner::Inner;
use super::ethernet;

/// Bottom-of-stack bit of a label stack entry: label 20 bits, traffic class 3, bottom of stack 1, time to live 8 (RFC
/// 3032 section 2.1).
const BOTTOM: u32 = 0x100;

/// Skips the labels.
pub(in super::super) fn labels(mut bytes: &[u8]) -> Option<Inner<'_>> {
    loop {
        let entry = be32(bytes, 0)?;
        bytes = bytes.get(4..)?;
        if entry & BOTTOM != 0 {
            return Some(below(bytes));
        }
    }
}

fn below(bytes: &[u8]) -> Inner<'_> {
    match u8_at(bytes, 0).map(|first| first >> 4) {
        // Checked because a pseudowire without a control word starts with Ethernet addresses, which may begin with the
        // same nibble.
        Some(4 | 6) if is_ip(bytes) => Inner::Ip(bytes),
        // A control word (RFC 4385 section 3) before Ethernet (RFC 4448).
        Some(0) if bytes.get(4..).is_some_and(ethernet::is_likely) => {
            Inner::ethernet(bytes.get(4..).unwrap_or_default())
        }
        _ if ethernet::is_likely(bytes) => Inner::ethernet(bytes),
        // An associated channel (RFC 5586), or a pseudowire of another type.
        _ => Inner::Nothing,
    }
}

/// Whether the lengths in the IP header are plausible.
fn is_ip(bytes: &[u8]) -> bool {
    match u8_at(bytes, 0) {
        Some(first @ 0x45..=0x4f) => {
            let length = be16(bytes, 2).map_or(0, usize::from);
            length == 0 || length >= usize::from(first & 0xf) * 4
        }
        Some(first) => first >> 4 == 6 && bytes.len() >= 40,
        None => false,
    }
}
