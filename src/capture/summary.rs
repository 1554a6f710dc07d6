//! In: what reading a file found. Out: the facts about the file that reports show. Bounded: at most `MAX_PROBLEMS`
//! problems in words; what is beyond is counted. Left to others: what the facts mean.

use std::collections::BTreeSet;

use super::extras::Names;
use super::record::Record;
use super::{Cut, Format, FrameRef, LinkType, Timestamp};

const MAX_PROBLEMS: usize = 64;

/// Why nothing more can be read of a capture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// There is not a single byte, or not one in what is compressed.
    #[error("the file is empty")]
    Empty,
    /// The first bytes are those of no capture format.
    #[error("not a capture file: {0}")]
    Unrecognized(String),
    /// The first bytes are those of a format that is known and not read; what it is, and what to do.
    #[error("{name}, which is not read; {advice}")]
    Unread {
        /// The format.
        name: &'static str,
        /// How to convert it.
        advice: &'static str,
    },
    /// The file header is cut.
    #[error("the file ends within its header, after {0} bytes")]
    HeaderCut(u64),
    /// The file header is damaged.
    #[error("{0}")]
    Header(String),
}

/// What a file was found to be.
#[derive(Clone, Debug, Default)]
pub struct CaptureSummary {
    /// Container format; `None` before the first bytes.
    pub format: Option<Format>,
    /// `gzip`, `zstd`, or one in the other (`gzip in zstd`); `None` for a file that is not compressed. The offsets of a
    /// compressed capture's frames count decompressed bytes.
    pub compression: Option<String>,
    /// Link types of its packets.
    pub link_types: BTreeSet<LinkType>,
    /// Packets read.
    pub packets: u64,
    /// Bytes of the file read, as they are in the file.
    pub bytes: u64,
    /// Time of the earliest and the latest packet.
    pub times: Option<(Timestamp, Timestamp)>,
    /// Packets of which less was kept than was on the wire.
    pub cut_packets: u64,
    /// The first cut packet.
    pub first_cut: Option<(FrameRef, Cut)>,
    /// Names that the file gives to addresses (pcapng's name resolution blocks).
    pub names: Names,
    /// What could not be read, where, and how much was lost; and what the interfaces say they lost.
    pub problems: Vec<String>,
    /// What to know of the file that is no loss.
    pub notes: Vec<String>,
    /// Problems beyond those in words.
    pub more_problems: u64,
}

impl CaptureSummary {
    pub(super) fn problem(&mut self, text: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(text);
        } else {
            self.more_problems += 1;
        }
    }

    pub(super) fn close(&mut self) {
        if self.more_problems > 0 {
            self.problems.push(format!("… and {} more problems of this kind", self.more_problems));
        }
    }

    /// Counts a packet; how much of it was kept, where that is not all.
    pub(super) fn count(&mut self, record: &Record) -> Option<Cut> {
        self.packets += 1;
        if record.timed {
            let (first, last) = self.times.get_or_insert((record.time, record.time));
            if record.time < *first {
                *first = record.time;
            } else if record.time > *last {
                *last = record.time;
            }
        }
        let cut = Cut::of(record.data.len(), record.wire_len);
        self.cut_packets += u64::from(cut.is_some());
        cut
    }
}
