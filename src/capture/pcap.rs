//! In: unread bytes of a classic pcap file. Out: one record at a time. Bounded: a record claims at most `MAX_RECORD`
//! bytes. Left to others: buffering, numbering.
//!
//! Format: draft-ietf-opsawg-pcap. Both byte orders, micro- and nanoseconds, and Kuznetzov's longer record header.

use pcap_parser::nom::{Err as NomErr, IResult};
use pcap_parser::{LegacyPcapBlock, PcapError, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified};

use super::{LinkType, Timestamp};

/// No link carries larger frames; a larger claim is damage.
pub(super) const MAX_RECORD: u32 = 16 << 20;

/// What the file header said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pcap {
    big_endian: bool,
    nanoseconds: bool,
    modified: bool,
    pub(super) link_type: LinkType,
}

/// One step through a file of records.
pub(super) enum Step<T> {
    /// A record, and how many bytes it takes.
    Record(T, usize),
    /// The record needs this many bytes in all before it can be read.
    Needs(usize),
    /// The bytes are no record: why.
    Damaged(String),
}

/// One record: its time, length on the wire, and where its data stands within the bytes given.
pub(super) struct Record {
    pub(super) time: Timestamp,
    pub(super) wire_len: u32,
    pub(super) link_type: LinkType,
    pub(super) data: std::ops::Range<usize>,
}

impl Pcap {
    pub(super) const HEADER: usize = 24;

    /// Reads the file header, 24 bytes.
    pub(super) fn header(bytes: &[u8]) -> Option<Self> {
        let (_, header) = pcap_parser::parse_pcap_header(bytes).ok()?;
        // The upper bits of the field tell of a frame check sequence at the end of frames; IP lengths leave it out.
        let link_type = LinkType(u16::try_from(header.network.0 & 0xffff).ok()?);
        Some(Self {
            big_endian: header.is_bigendian(),
            nanoseconds: header.is_nanosecond_precision(),
            modified: header.is_modified_format(),
            link_type,
        })
    }

    /// Reads the record at the start of `bytes`.
    pub(super) fn record(&self, bytes: &[u8]) -> Step<Record> {
        let head = if self.modified { 24 } else { 16 };
        let Some(length) = bytes.get(8..12).and_then(|b| <[u8; 4]>::try_from(b).ok()) else {
            return Step::Needs(head);
        };
        let length = if self.big_endian { u32::from_be_bytes(length) } else { u32::from_le_bytes(length) };
        if length > MAX_RECORD {
            return Step::Damaged(format!("the record claims {length} bytes of data"));
        }
        let whole = head + usize::try_from(length).unwrap_or(usize::MAX);
        match self.parse(bytes) {
            Ok((_, block)) => Step::Record(self.record_of(&block, head), whole),
            Err(NomErr::Incomplete(_)) => Step::Needs(whole),
            Err(_) => Step::Damaged("the record header cannot be read".into()),
        }
    }

    fn parse<'a>(&self, bytes: &'a [u8]) -> IResult<&'a [u8], LegacyPcapBlock<'a>, PcapError<&'a [u8]>> {
        match (self.modified, self.big_endian) {
            (true, _) => parse_pcap_frame_modified(bytes),
            (_, true) => parse_pcap_frame_be(bytes),
            _ => parse_pcap_frame(bytes),
        }
    }

    fn record_of(&self, block: &LegacyPcapBlock<'_>, head: usize) -> Record {
        let (scale, digits) = if self.nanoseconds { (1, 9) } else { (1_000, 6) };
        let nanos = i64::from(block.ts_sec) * 1_000_000_000 + i64::from(block.ts_usec) * scale;
        Record {
            time: Timestamp::from_nanos(nanos, digits),
            wire_len: block.origlen,
            link_type: self.link_type,
            data: head..head + block.data.len(),
        }
    }
}
