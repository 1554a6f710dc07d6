//! MACsec (IEEE 802.1AE) where it protects integrity only.
//!
//! In: bytes after EtherType 0x88e5. Out: what is inside, without the check value; or that it is encrypted. Left to
//! others: checking the check value, for which nobody has the key.

use super::super::Unread;
use super::super::bytes::{at_most, be16, u8_at};
use super::super::context::Context;
use super::super::inner::Inner;

/// Bits of the tag control information (section 9.5).
const EXPLICIT_CHANNEL: u8 = 0x20;
const ENCRYPTED_OR_CHANGED: u8 = 0x0c;
/// Octets of the check value in the suites that the standard has (section 14).
const CHECK_VALUE: usize = 16;

/// Tag control, short length, packet number, channel where it is explicit; then the data that was protected.
pub(super) fn frame<'a>(bytes: &'a [u8], context: &Context<'_>) -> Option<Inner<'a>> {
    let control = u8_at(bytes, 0)?;
    if control & ENCRYPTED_OR_CHANGED != 0 {
        return Some(Inner::Unread(Unread::Encrypted("MACsec")));
    }
    let short = usize::from(u8_at(bytes, 1)? & 0x3f);
    let data = bytes.get(if control & EXPLICIT_CHANNEL == 0 { 6 } else { 14 }..)?;
    let data = match short {
        // The check value ends the frame; a frame that was cut has lost it.
        0 if context.cut.is_none() => at_most(data, data.len().saturating_sub(CHECK_VALUE)),
        0 => data,
        short => at_most(data, short),
    };
    Some(Inner::of_ethertype(be16(data, 0)?, data.get(2..)?))
}
