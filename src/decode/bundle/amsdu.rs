//! In: the payload of an IEEE 802.11 data frame that holds an A-MSDU. Out: the sender and the bytes of each MSDU.
//! Bounded: an MSDU takes at least its header. Left to others: logical link control.

use super::super::bytes::{array, be16};

/// The remaining MSDUs, each of destination, source, length, data and padding to four octets (IEEE 802.11 section
/// 9.3.2.2).
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Amsdu<'a>(&'a [u8]);

impl<'a> Amsdu<'a> {
    pub(in super::super) fn new(payload: &'a [u8]) -> Self {
        Self(payload)
    }

    /// The source address of the next MSDU, and its data.
    pub(in super::super) fn next(&mut self) -> Option<([u8; 6], &'a [u8])> {
        let (header, rest) = self.0.split_first_chunk::<14>()?;
        let length = usize::from(be16(header, 12)?);
        self.0 = rest.get((14 + length).next_multiple_of(4) - 14..).unwrap_or_default();
        Some((array(header, 6)?, rest.get(..length).unwrap_or(rest)))
    }
}
