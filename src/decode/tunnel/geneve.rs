//! In: payload of Geneve's port. Out: what it carries. Left to others: options, which are skipped.

use super::super::bytes::{be16, u8_at};
use super::super::inner::Inner;

/// Header: version and length of options in units of four octets, flags, EtherType, network identifier (RFC 8926
/// section 3.4).
pub(super) fn open(bytes: &[u8]) -> Option<Inner<'_>> {
    let first = u8_at(bytes, 0)?;
    if first >> 6 != 0 {
        return Some(Inner::Nothing);
    }
    let options = usize::from(first & 0x3f) * 4;
    Some(Inner::of_ethertype(be16(bytes, 2)?, bytes.get(8 + options..)?))
}
