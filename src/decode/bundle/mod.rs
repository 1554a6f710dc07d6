//! Framings that put several packets into one frame, one file each.
//!
//! In: the bytes of a bundle. Out: those of its packets, one after the other. Bounded: each packet takes bytes of its
//! own, or one of a bounded number of places, so that every bundle comes to an end. Left to others: what a packet is.

mod amsdu;
mod ncm;
mod rndis;

pub(super) use amsdu::Amsdu;
pub(super) use ncm::Ncm;
pub(super) use rndis::Rndis;
