//! Framings that put several packets into one frame, one file each.
//!
//! In: the bytes of a bundle. Out: its packets, one after the other. Bounded: each packet consumes bytes of the bundle
//! or one of a bounded number of table entries, so iteration always ends. Left to others: reading the packets.

mod amsdu;
mod ncm;
mod rndis;

pub(super) use amsdu::Amsdu;
pub(super) use ncm::Ncm;
pub(super) use rndis::Rndis;
