//! In: the bytes of one file. Out: frames, and a summary of what the file is and what could not be read of it.
//! Bounded: the buffer; at most `MAX_PROBLEMS` problems in words. Left to others: opening files, decoding frames.

use std::collections::BTreeSet;

use super::buffer::Buffer;
use super::pcap::{Pcap, Record, Step};
use super::pcapng::PcapNg;
use super::{Cut, Frame, FrameRef, LinkType, Timestamp};

const MAX_PROBLEMS: usize = 64;

/// The container format of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Classic pcap.
    Pcap,
    /// pcapng.
    PcapNg,
}

impl Format {
    /// The name that reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pcap => "pcap",
            Self::PcapNg => "pcapng",
        }
    }

    /// Recognizes a capture by its first four bytes.
    pub fn of_magic(magic: [u8; 4]) -> Option<Self> {
        match magic {
            [0x0a, 0x0d, 0x0d, 0x0a] => Some(Self::PcapNg),
            [0xa1, 0xb2, 0xc3, 0xd4]
            | [0xd4, 0xc3, 0xb2, 0xa1]
            | [0xa1, 0xb2, 0x3c, 0x4d]
            | [0x4d, 0x3c, 0xb2, 0xa1] => Some(Self::Pcap),
            [0x34, 0xcd, 0xb2, 0xa1] => Some(Self::Pcap),
            _ => None,
        }
    }
}

/// Why nothing more can be read of a capture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// There is not a single byte.
    #[error("the file is empty")]
    Empty,
    /// The first bytes are those of no capture format.
    #[error("not a capture file: it starts with {0}")]
    Unrecognized(String),
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
    /// Link types of its packets.
    pub link_types: BTreeSet<LinkType>,
    /// Packets read.
    pub packets: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Time of the earliest and the latest packet.
    pub times: Option<(Timestamp, Timestamp)>,
    /// Packets of which less was kept than was on the wire.
    pub cut_packets: u64,
    /// The first cut packet.
    pub first_cut: Option<(FrameRef, Cut)>,
    /// What could not be read, where, and how much was lost.
    pub problems: Vec<String>,
}

#[derive(Debug)]
enum State {
    Start,
    Pcap(Pcap),
    PcapNg(PcapNg),
    /// Nothing after this can be read; the rest is only counted.
    Damaged {
        at: u64,
        why: String,
    },
}

/// Takes the bytes of one capture file, gives its frames.
///
/// Bytes go in by [`space`](Self::space) and [`commit`](Self::commit), frames come out of
/// [`next_frame`](Self::next_frame) until it wants more bytes.
#[derive(Debug)]
pub struct CaptureReader {
    capture: u32,
    buffer: Buffer,
    state: State,
    wanted: usize,
    summary: CaptureSummary,
}

impl CaptureReader {
    /// A reader for the capture of this index within the investigation.
    pub fn new(capture: u32) -> Self {
        Self {
            capture,
            buffer: Buffer::new(),
            state: State::Start,
            wanted: Pcap::HEADER,
            summary: CaptureSummary::default(),
        }
    }

    /// Room to write the next bytes of the file into; never empty.
    pub fn space(&mut self) -> &mut [u8] {
        self.buffer.space(self.wanted)
    }

    /// Says how many bytes of [`space`](Self::space) were written.
    pub fn commit(&mut self, count: usize) {
        self.buffer.commit(count);
        self.summary.bytes += u64::try_from(count).unwrap_or_default();
    }

    /// Whether more bytes can still change anything.
    pub fn is_damaged(&self) -> bool {
        matches!(self.state, State::Damaged { .. })
    }

    /// The next frame; `None` when more bytes are needed.
    ///
    /// # Errors
    /// Only before the first frame, when the bytes are no capture at all.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        loop {
            let step = match &mut self.state {
                State::Start => {
                    if !self.open()? {
                        return Ok(None);
                    }
                    continue;
                }
                State::Pcap(pcap) => match pcap.record(self.buffer.unread()) {
                    Step::Record(record, length) => Step::Record(Some(record), length),
                    Step::Needs(bytes) => Step::Needs(bytes),
                    Step::Damaged(why) => Step::Damaged(why),
                },
                State::PcapNg(pcapng) => pcapng.block(self.buffer.unread()),
                State::Damaged { .. } => {
                    let all = self.buffer.unread().len();
                    self.buffer.consume(all);
                    return Ok(None);
                }
            };
            match step {
                Step::Record(None, length) => self.buffer.consume(length),
                Step::Record(Some(record), length) => return Ok(Some(self.emit(record, length))),
                Step::Needs(bytes) => {
                    self.wanted = bytes;
                    return Ok(None);
                }
                Step::Damaged(why) => self.state = State::Damaged { at: self.buffer.offset(), why },
            }
        }
    }

    /// Call after the last byte.
    ///
    /// # Errors
    /// When the file held no capture header at all.
    pub fn finish(mut self) -> Result<CaptureSummary, CaptureError> {
        let total = self.summary.bytes;
        match &self.state {
            State::Start if total == 0 => return Err(CaptureError::Empty),
            State::Start => match describe_start(self.buffer.unread()) {
                Some(what) => return Err(CaptureError::Unrecognized(what)),
                None => return Err(CaptureError::HeaderCut(total)),
            },
            State::PcapNg(pcapng) if !pcapng.begun => return Err(CaptureError::HeaderCut(total)),
            State::Damaged { at, why } => {
                let lost = total.saturating_sub(*at);
                self.problem(format!("offset {at}: {why}; nothing after it could be read ({lost} bytes lost)"));
            }
            State::Pcap(_) | State::PcapNg(_) => {
                let (at, left) = (self.buffer.offset(), self.buffer.unread().len());
                if left > 0 {
                    let wanted = self.wanted;
                    self.problem(format!(
                        "offset {at}: the file ends inside its last record ({left} of {wanted} bytes are there)"
                    ));
                }
            }
        }
        Ok(self.summary)
    }

    fn problem(&mut self, text: String) {
        if self.summary.problems.len() < MAX_PROBLEMS {
            self.summary.problems.push(text);
        }
    }

    /// Looks at the first bytes; false when there are too few.
    fn open(&mut self) -> Result<bool, CaptureError> {
        let bytes = self.buffer.unread();
        let Some(magic) = bytes.get(..4).and_then(|b| <[u8; 4]>::try_from(b).ok()) else {
            return Ok(false);
        };
        let Some(format) = Format::of_magic(magic) else {
            return Err(CaptureError::Unrecognized(describe_start(bytes).unwrap_or_default()));
        };
        if bytes.len() < Pcap::HEADER {
            return Ok(false);
        }
        self.state = match format {
            Format::PcapNg => State::PcapNg(PcapNg::default()),
            Format::Pcap => {
                let pcap = Pcap::header(bytes)
                    .ok_or_else(|| CaptureError::Header("the pcap file header cannot be read".into()))?;
                self.buffer.consume(Pcap::HEADER);
                self.summary.link_types.insert(pcap.link_type);
                State::Pcap(pcap)
            }
        };
        self.summary.format = Some(format);
        Ok(true)
    }

    fn emit(&mut self, record: Record, length: usize) -> Frame<'_> {
        let offset = self.buffer.offset();
        // Consuming only moves an index: the record's bytes stay where they are until the next refill.
        self.buffer.consume(length);
        let summary = &mut self.summary;
        summary.packets += 1;
        summary.times = Some(match summary.times {
            None => (record.time, record.time),
            Some((first, last)) => (first.min(record.time), last.max(record.time)),
        });
        summary.link_types.insert(record.link_type);
        let at = FrameRef {
            capture: self.capture,
            number: summary.packets,
            offset,
            length: u32::try_from(length).unwrap_or(u32::MAX),
            time: record.time,
        };
        let data = self.buffer.consumed(length).get(record.data).unwrap_or_default();
        let frame = Frame { at, link_type: record.link_type, data, wire_len: record.wire_len };
        if let Some(cut) = frame.cut() {
            summary.cut_packets += 1;
            summary.first_cut.get_or_insert((at, cut));
        }
        frame
    }
}

/// What the first bytes look like, for the error line; `None` when they are the start of a capture.
fn describe_start(bytes: &[u8]) -> Option<String> {
    let magic = bytes.get(..4).and_then(|b| <[u8; 4]>::try_from(b).ok());
    if magic.is_some_and(|magic| Format::of_magic(magic).is_some()) {
        return None;
    }
    let start = bytes.get(..bytes.len().min(16)).unwrap_or_default();
    let text = start.iter().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace());
    Some(match start {
        [0x1f, 0x8b, ..] => "gzip's magic number; decompress it first".into(),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd's magic number; decompress it first".into(),
        [b'G', b'M', b'B', b'U', ..] => {
            "Network Monitor's magic number; convert it with: editcap -F pcapng IN.cap OUT.pcapng".into()
        }
        _ if text => format!("the text {:?}", String::from_utf8_lossy(start)),
        _ => start.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" "),
    })
}
