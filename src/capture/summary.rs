//! In: what reading a file found. Out: the facts about the file that reports show. Bounded: at most `MAX_PROBLEMS`
//! problems in words, further ones are counted. Left to others: what the facts mean.

use std::collections::BTreeSet;

use super::extras::Names;
use super::record::Record;
use super::{Cut, Format, FrameRef, LinkType, Timestamp};

const MAX_PROBLEMS: usize = 64;

/// Why a capture cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The file, or what it decompresses to, is empty.
    #[error("the file is empty")]
    Empty,
    /// The first bytes belong to no known capture format.
    #[error("not a capture file: {0}")]
    Unrecognized(String),
    /// The first bytes belong to a known format that is not supported.
    #[error("{name}, which is not read; {advice}")]
    Unread {
        /// The format.
        name: &'static str,
        /// How to convert it.
        advice: &'static str,
    },
    /// The file header is truncated.
    #[error("the file ends within its header, after {0} bytes")]
    HeaderCut(u64),
    /// The file header is damaged.
    #[error("{0}")]
    Header(String),
}

/// What was learned about a file.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CaptureSummary {
    /// Container format; `None` until the first bytes are read.
    pub format: Option<Format>,
    /// `gzip`, `zstd`, or nested (`gzip in zstd`); `None` for an uncompressed file. Frame offsets in a compressed
    /// capture count decompressed bytes.
    pub compression: Option<String>,
    /// Link types of its packets.
    pub link_types: BTreeSet<LinkType>,
    /// Packets read.
    pub packets: u64,
    /// Bytes read of the file, before decompression.
    pub bytes: u64,
    /// Time of the earliest and the latest packet.
    pub times: Option<(Timestamp, Timestamp)>,
    /// Packets that the capture truncated.
    pub cut_packets: u64,
    /// The first truncated packet.
    pub first_cut: Option<(FrameRef, Cut)>,
    /// Names of addresses (pcapng's name resolution blocks).
    pub names: Names,
    /// What could not be read, where, and how much was lost; and losses that interfaces report.
    pub problems: Vec<String>,
    /// Remarks about the file that are no problems.
    pub notes: Vec<String>,
    /// Number of problems beyond those in words.
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

    /// Counts a packet. Returns how much of it was kept if it was truncated.
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
