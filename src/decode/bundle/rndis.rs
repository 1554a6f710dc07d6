//! In: the data of a bulk transfer. Out: the Ethernet frames of the RNDIS messages in it. Bounded: a message takes at
//! least its header. Left to others: control messages, which go over another pipe.

use super::super::bytes::{at_most, le32};

/// `REMOTE_NDIS_PACKET_MSG` (MS-RNDIS section 2.2.14).
const PACKET: usize = 1;
/// Octets of its header.
const HEADER: usize = 44;

/// The remaining messages.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Rndis<'a>(&'a [u8]);

impl<'a> Rndis<'a> {
    /// Recognizes a transfer that starts with a packet message. The type is only the number 1, so the lengths must be
    /// consistent too.
    pub(in super::super) fn of(data: &'a [u8]) -> Option<Self> {
        let (kind, length, offset, size) = (le32(data, 0)?, le32(data, 4)?, le32(data, 8)?, le32(data, 12)?);
        let end = offset.checked_add(8)?.checked_add(size)?;
        (kind == PACKET && length >= HEADER && offset >= HEADER - 8 && end <= length).then_some(Self(data))
    }

    /// The next frame. Header: message type, message length, data offset from the third field on, data length.
    pub(in super::super) fn next(&mut self) -> Option<&'a [u8]> {
        let message = Self::of(self.0)?.0;
        let (length, offset, size) = (le32(message, 4)?, le32(message, 8)?, le32(message, 12)?);
        self.0 = message.get(length..).unwrap_or_default();
        Some(at_most(message.get(offset + 8..)?, size))
    }
}
