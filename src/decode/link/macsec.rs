//! MACsec (IEEE 802.1AE) without encryption.
//!
//! In: bytes after EtherType 0x88e5. Out: the protected data without the integrity check value, or that it is
//! encrypted. Left to others: verifying the check value, which needs a key.

use super::super::Unread;
use super::super::bytes::{at_most, be16, u8_at};
use super::super::context::Context;
use super::super::inner::Inner;

/// Bits of the tag control information (section 9.5).
const EXPLICIT_CHANNEL: u8 = 0x20;
const ENCRYPTED_OR_CHANGED: u8 = 0x0c;
/// Octets of the integrity check value in the standard's cipher suites (section 14).
const CHECK_VALUE: usize = 16;

/// Header: tag control information, short length, packet number, secure channel if explicit; then the protected data.
pub(super) fn frame<'a>(bytes: &'a [u8], context: &Context<'_>) -> Option<Inner<'a>> {
    let control = u8_at(bytes, 0)?;
    if control & ENCRYPTED_OR_CHANGED != 0 {
        return Some(Inner::Unread(Unread::Encrypted("MACsec")));
    }
    let short = usize::from(u8_at(bytes, 1)? & 0x3f);
    let data = bytes.get(if control & EXPLICIT_CHANNEL == 0 { 6 } else { 14 }..)?;
    let data = match short {
        // The check value is at the end of the frame, so a truncated frame has lost it.
        0 if context.cut.is_none() => at_most(data, data.len().saturating_sub(CHECK_VALUE)),
        0 => data,
        short => at_most(data, short),
    };
    Some(Inner::of_ethertype(be16(data, 0)?, data.get(2..)?))
}
