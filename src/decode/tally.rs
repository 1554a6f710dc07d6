//! Counts of packets that were not read, and of packets read despite an anomaly, each with its first frame.
//!
//! In: a reason and its frame. Out: [`Counts`], in words by `Display`. Bounded: [`MOST_KINDS`] different reasons;
//! further ones are counted together. Left to others: the report.

use std::collections::BTreeMap;

use super::context::MOST_HEADERS;
use crate::capture::{FrameRef, LinkType};

const MOST_KINDS: usize = 48;

/// Why a packet was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unread {
    /// Frames of this link type.
    LinkType(LinkType),
    /// An EtherType.
    EtherType(u16),
    /// A protocol within PPP.
    PppProtocol(u16),
    /// Encrypted on this link.
    Encrypted(&'static str),
    /// A fragment of this link layer, which is not reassembled (D-DECODE-03).
    LinkFragment(&'static str),
    /// A frame that the receiver marked as received with errors.
    ReceiveError,
    /// A USB bulk transfer in an unknown framing.
    UsbTransfer,
    /// An IP packet of which fragments are missing.
    FragmentsMissing,
    /// An IP packet whose fragments were dropped because too many packets were incomplete.
    FragmentsDropped,
    /// Too many nested headers.
    Nested,
    /// Headers that are cut or damaged.
    Damaged,
    /// Further reasons.
    Further,
}

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LinkType(link) => write!(f, "of link type {link} ({}), which is not read", link.0),
            Self::EtherType(number) => write!(f, "of EtherType {number:#06x}, which is not read"),
            Self::PppProtocol(number) => write!(f, "of PPP protocol {number:#06x}, which is not read"),
            Self::Encrypted(link) => write!(f, "encrypted by {link}"),
            Self::LinkFragment(link) => write!(f, "that are {link} fragments, which are not put together"),
            Self::ReceiveError => f.write_str("that the receiver marked as received with errors"),
            Self::UsbTransfer => f.write_str("of USB bulk transfers that are neither RNDIS, CDC-NCM nor CDC-ECM"),
            Self::FragmentsMissing => f.write_str("that came in IP fragments of which some are missing"),
            Self::FragmentsDropped => f.write_str("whose IP fragments were dropped, as too many waited for others"),
            Self::Nested => write!(f, "with more than {} headers one inside another", MOST_HEADERS),
            Self::Damaged => f.write_str("whose headers are cut or damaged"),
            Self::Further => f.write_str("not read for further reasons"),
        }
    }
}

/// What was wrong with a packet that was read nevertheless (D-DECODE-01).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anomaly {
    /// The checksum of the IPv4 header is wrong.
    IpChecksum,
    /// Fragments overlap with different bytes.
    FragmentConflict,
}

impl std::fmt::Display for Anomaly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::IpChecksum => "with a wrong IPv4 header checksum, read all the same",
            Self::FragmentConflict => "that are IP fragments in conflict with earlier ones, which count",
        })
    }
}

/// How many packets, and the frame of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Number of the first one's frame.
    pub first: u64,
}

impl Count {
    /// `2 packets of …, first in frame 7`
    pub fn in_words(&self, what: impl std::fmt::Display) -> String {
        let packets = if self.packets == 1 { "1 packet".into() } else { format!("{} packets", self.packets) };
        format!("{packets} {what} (first: frame {})", self.first)
    }
}

/// The counts of one capture.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Not read, by reason.
    pub unread: Vec<(Unread, Count)>,
    /// Read despite an anomaly.
    pub anomalies: Vec<(Anomaly, Count)>,
}

/// The counts while frames are being read.
#[derive(Debug, Default)]
pub(super) struct Tally {
    unread: BTreeMap<Unread, Count>,
    anomalies: BTreeMap<Anomaly, Count>,
}

impl Tally {
    pub(super) fn unread(&mut self, why: Unread, at: FrameRef) {
        let room = self.unread.len() < MOST_KINDS || self.unread.contains_key(&why);
        count(&mut self.unread, if room { why } else { Unread::Further }, at);
    }

    pub(super) fn anomaly(&mut self, what: Anomaly, at: FrameRef) {
        count(&mut self.anomalies, what, at);
    }

    pub(super) fn counts(self) -> Counts {
        Counts { unread: self.unread.into_iter().collect(), anomalies: self.anomalies.into_iter().collect() }
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, Count>, key: K, at: FrameRef) {
    let count = counts.entry(key).or_insert(Count { packets: 0, first: at.number });
    count.packets += 1;
    count.first = count.first.min(at.number);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Timestamp;

    #[test]
    fn kinds_are_bounded_and_no_packet_is_lost() {
        let mut tally = Tally::default();
        for number in 0..1000 {
            let at = FrameRef {
                capture: 0,
                number: u64::from(number) + 1,
                offset: 0,
                length: 0,
                time: Timestamp::from_nanos(0, 9),
            };
            tally.unread(Unread::EtherType(number), at);
        }
        let counts = tally.counts();
        assert_eq!(counts.unread.len(), MOST_KINDS + 1);
        assert_eq!(counts.unread.iter().map(|(_, count)| count.packets).sum::<u64>(), 1000);
        assert_eq!(
            counts.unread[0].1.in_words(counts.unread[0].0),
            "1 packet of EtherType 0x0000, which is not read (first: frame 1)"
        );
    }
}
