//! In: the bytes of one file. Out: frames, and a summary of the file and of what could not be read. Bounded: the buffer
//! by the longest record; the summary by its own limits. Left to others: opening files, decoding frames.

use super::buffer::Buffer;
use super::compression::{Compression, Layers};
use super::extras::Secrets;
use super::format::{self, Format};
use super::netmon::NetMon;
use super::pcap::Pcap;
use super::pcapng::PcapNg;
use super::record::{Fit, Record, Step, array};
use super::summary::{CaptureError, CaptureSummary};
use super::{Frame, FrameRef, LinkType};

/// Enough bytes for the file header of every format.
const HEADER: usize = NetMon::HEADER;

#[derive(Debug)]
enum Container {
    Pcap(Pcap),
    PcapNg(PcapNg),
    NetMon(NetMon),
}

/// Where and why reading broke off, while the next record is searched for.
#[derive(Debug)]
struct Gap {
    at: u64,
    why: String,
}

/// Reads the frames of one capture file from its bytes.
///
/// Bytes go in by [`space`](Self::space) and [`commit`](Self::commit), frames come out of
/// [`next_frame`](Self::next_frame) until it wants more bytes. After the last byte comes [`end`](Self::end), after the
/// last frame [`finish`](Self::finish). The file may be compressed; offsets then count decompressed bytes.
#[derive(Debug)]
pub struct CaptureReader {
    capture: u32,
    layers: Layers,
    buffer: Buffer,
    container: Option<Container>,
    gap: Option<Gap>,
    wanted: usize,
    /// The current frame, which is the last one counted: its record and the record's length.
    current: Option<(Record, usize)>,
    /// Link type of the last packet: usually all have the same.
    link_type: Option<LinkType>,
    /// No more bytes of the file will come.
    ended: bool,
    /// No more bytes will come into the buffer.
    at_end: bool,
    summary: CaptureSummary,
}

impl CaptureReader {
    /// A reader for the capture with this index in the investigation.
    pub fn new(capture: u32) -> Self {
        Self {
            capture,
            layers: Layers::default(),
            buffer: Buffer::new(),
            container: None,
            gap: None,
            wanted: HEADER,
            current: None,
            link_type: None,
            ended: false,
            at_end: false,
            summary: CaptureSummary::default(),
        }
    }

    /// Room to write the next bytes of the file into; never empty.
    pub fn space(&mut self) -> &mut [u8] {
        self.current = None;
        if self.layers.is_empty() { self.buffer.space(self.wanted) } else { self.layers.space() }
    }

    /// Marks `count` bytes of [`space`](Self::space) as written.
    pub fn commit(&mut self, count: usize) {
        self.summary.bytes += u64::try_from(count).unwrap_or_default();
        if self.layers.is_empty() {
            self.buffer.commit(count);
        } else {
            self.layers.commit(count);
        }
    }

    /// No more bytes will come. Frames may still be left.
    pub fn end(&mut self) {
        self.ended = true;
        self.layers.end();
    }

    /// The format, known after the first bytes.
    pub fn format(&self) -> Option<Format> {
        self.summary.format
    }

    /// Takes the TLS key logs found since the last call. In a capture they precede the packets that need them, so call
    /// this between [`advance`](Self::advance) and the use of [`frame`](Self::frame) (D-PROTOCOL-05).
    pub fn take_secrets(&mut self) -> Vec<Secrets> {
        match &mut self.container {
            Some(Container::PcapNg(pcapng)) => std::mem::take(&mut pcapng.extras.secrets),
            _ => Vec::new(),
        }
    }

    /// The next frame; `None` when more bytes are needed.
    ///
    /// # Errors
    /// Only before the first frame, if the bytes are not a capture at all.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        Ok(if self.advance()? { self.frame() } else { None })
    }

    /// Goes to the next frame; false when more bytes are needed.
    ///
    /// # Errors
    /// Only before the first frame, if the bytes are not a capture at all.
    #[inline(always)]
    pub fn advance(&mut self) -> Result<bool, CaptureError> {
        if let Some(Container::Pcap(pcap)) = &mut self.container
            && self.gap.is_none()
            && let Some((record, length)) = pcap.whole(self.buffer.unread())
        {
            self.take(record, length);
            return Ok(true);
        }
        self.look_further()
    }

    /// The rest of [`advance`](Self::advance): everything but a complete record of a classic pcap file.
    fn look_further(&mut self) -> Result<bool, CaptureError> {
        loop {
            let step = match &mut self.container {
                None => self.open()?,
                Some(_) if self.gap.is_some() => self.look_for_record(),
                Some(Container::Pcap(pcap)) => pcap.record(self.buffer.unread(), self.at_end),
                Some(Container::PcapNg(pcapng)) => pcapng.block(self.buffer.unread()),
                Some(Container::NetMon(netmon)) => {
                    netmon.record(self.buffer.unread(), self.buffer.offset(), self.at_end)
                }
            };
            match step {
                Step::Packet(record, length) => {
                    self.take(record, length);
                    return Ok(true);
                }
                Step::Skip(length) => self.buffer.consume(length),
                Step::Needs(bytes) => {
                    self.wanted = bytes;
                    if !self.refill() && !self.look_past_cut() {
                        self.current = None;
                        return Ok(false);
                    }
                }
                Step::Damaged(why) => self.gap = Some(Gap { at: self.buffer.offset(), why }),
            }
        }
    }

    /// Decompresses more bytes; false if there are none, and at the end of the file notes that no more will come.
    fn refill(&mut self) -> bool {
        if self.layers.fill(&mut self.buffer, self.wanted) {
            return true;
        }
        let news = self.ended && !self.at_end;
        self.at_end = self.ended;
        news
    }

    /// Handles a record that extends past the end of the file: unless a complete record starts inside it, its length is
    /// right and the file is truncated.
    fn look_past_cut(&mut self) -> bool {
        let left = self.buffer.unread().len();
        if !self.at_end || self.gap.is_some() || left == 0 || self.container.is_none() {
            return false;
        }
        let found = (1..left).any(|at| self.fit(at) == Fit::Yes);
        if found {
            let why = format!("a record claims {} bytes, more than the file has", self.wanted);
            self.gap = Some(Gap { at: self.buffer.offset(), why });
        }
        found
    }

    /// Searches for the next record after damage (D-CAPTURE-03).
    fn look_for_record(&mut self) -> Step {
        let here = self.gap.as_ref().is_some_and(|gap| gap.at == self.buffer.offset());
        let unread = self.buffer.unread().len();
        for at in usize::from(here)..unread {
            match self.fit(at) {
                Fit::No => {}
                Fit::Yes => {
                    self.buffer.consume(at);
                    self.close_gap(true);
                    return Step::Skip(0);
                }
                Fit::Needs(bytes) => {
                    self.buffer.consume(at);
                    return Step::Needs(bytes);
                }
            }
        }
        self.buffer.consume(unread);
        Step::Needs(1)
    }

    fn fit(&self, at: usize) -> Fit {
        let bytes = self.buffer.unread().get(at..).unwrap_or_default();
        match &self.container {
            Some(Container::Pcap(pcap)) => pcap.fit(bytes, self.at_end),
            Some(Container::PcapNg(pcapng)) => pcapng.fit(bytes, self.at_end),
            Some(Container::NetMon(netmon)) => {
                let offset = self.buffer.offset().saturating_add(u64::try_from(at).unwrap_or_default());
                netmon.fit(bytes, offset, self.at_end)
            }
            None => Fit::No,
        }
    }

    fn close_gap(&mut self, found: bool) {
        let Some(Gap { at, why }) = self.gap.take() else { return };
        let now = self.buffer.offset();
        let lost = now.saturating_sub(at);
        let then = match found {
            true => format!("{lost} bytes skipped, reading went on at offset {now}"),
            false => format!("nothing after it could be read ({lost} bytes lost)"),
        };
        self.summary.problem(format!("offset {at}: {why}; {then}"));
    }

    /// Recognizes compressions, then the format, by their first bytes.
    fn open(&mut self) -> Result<Step, CaptureError> {
        let bytes = self.buffer.unread();
        let Some(magic) = array(bytes, 0) else {
            return Ok(Step::Needs(HEADER));
        };
        if let Some(kind) = Compression::of_magic(magic) {
            let input = std::mem::replace(&mut self.buffer, Buffer::new());
            if !self.layers.add(kind, input, self.ended) {
                return Err(CaptureError::Header("it is compressed more than twice over; decompress it first".into()));
            }
            self.summary.compression = self.layers.in_words();
            return Ok(Step::Needs(HEADER));
        }
        let Some(format) = Format::of_magic(magic) else {
            if bytes.len() < format::TELLING && !self.at_end {
                return Ok(Step::Needs(format::TELLING));
            }
            return Err(unreadable(bytes));
        };
        let header = match format {
            Format::Pcap => Pcap::HEADER,
            Format::PcapNg => 12,
            Format::NetMon => NetMon::HEADER,
        };
        if bytes.len() < header {
            return Ok(Step::Needs(header));
        }
        let mut length = 0;
        self.container = Some(match format {
            Format::PcapNg => Container::PcapNg(PcapNg::default()),
            Format::Pcap => {
                let damaged = || CaptureError::Header("the pcap file header cannot be read".into());
                let (pcap, header) = Pcap::header(bytes).ok_or_else(damaged)?;
                if bytes.len() < header {
                    return Ok(Step::Needs(header));
                }
                self.summary.link_types.insert(pcap.link_type);
                length = header;
                Container::Pcap(pcap)
            }
            Format::NetMon => {
                let netmon = NetMon::header(bytes).map_err(CaptureError::Header)?;
                length = NetMon::HEADER;
                Container::NetMon(netmon)
            }
        });
        self.summary.format = Some(format);
        Ok(Step::Skip(length))
    }

    #[inline(always)]
    fn take(&mut self, record: Record, length: usize) {
        // Consuming only moves an index: the record's bytes stay where they are until the next refill.
        self.buffer.consume(length);
        if self.link_type != Some(record.link_type) {
            self.link_type = Some(record.link_type);
            self.summary.link_types.insert(record.link_type);
        }
        if let Some(cut) = self.summary.count(&record) {
            let at = self.place(&record, length);
            self.summary.first_cut.get_or_insert((at, cut));
        }
        self.current = Some((record, length));
    }

    /// The position of the record consumed last.
    fn place(&self, record: &Record, length: usize) -> FrameRef {
        FrameRef {
            capture: self.capture,
            number: self.summary.packets,
            offset: self.buffer.offset().saturating_sub(u64::try_from(length).unwrap_or_default()),
            length: u32::try_from(length).unwrap_or(u32::MAX),
            time: record.time,
        }
    }

    /// The current frame, until bytes are added or [`advance`](Self::advance) is called again.
    pub fn frame(&self) -> Option<Frame<'_>> {
        let (record, length) = self.current.as_ref()?;
        let data = self.buffer.consumed(*length).get(record.data.clone()).unwrap_or_default();
        let at = self.place(record, *length);
        Some(Frame { at, link_type: record.link_type, data, wire_len: record.wire_len })
    }

    /// The summary; call after the last frame.
    ///
    /// # Errors If the file has no capture header at all.
    pub fn finish(mut self) -> Result<CaptureSummary, CaptureError> {
        let broken = self.layers.problems();
        let there = self.buffer.offset() + u64::try_from(self.buffer.unread().len()).unwrap_or_default();
        let begun = match &self.container {
            None => false,
            Some(Container::PcapNg(pcapng)) => pcapng.begun || self.summary.packets > 0,
            Some(_) => true,
        };
        if !begun {
            let damage = self.gap.map(|gap| gap.why);
            return Err(match (self.summary.bytes, broken.first().cloned().or(damage)) {
                (0, _) => CaptureError::Empty,
                (_, Some(problem)) => CaptureError::Header(problem),
                _ if there == 0 => CaptureError::Empty,
                _ => start_of(self.buffer.unread(), there),
            });
        }
        self.close_gap(false);
        let left = self.buffer.unread().len();
        if left > 0 {
            let (at, wanted) = (self.buffer.offset(), self.wanted);
            self.summary.problem(format!(
                "offset {at}: the file ends inside its last record ({left} of {wanted} bytes are there)"
            ));
        }
        broken.into_iter().for_each(|problem| self.summary.problem(problem));
        self.tell_extras();
        self.summary.close();
        Ok(self.summary)
    }

    /// Reports what the format holds besides frames.
    fn tell_extras(&mut self) {
        let summary = &mut self.summary;
        match &mut self.container {
            Some(Container::PcapNg(pcapng)) => {
                pcapng.end_section();
                let extras = std::mem::take(&mut pcapng.extras);
                extras.losses.into_iter().for_each(|loss| summary.problem(loss));
                if extras.secrets_dropped {
                    summary
                        .problem("the file carries more key-log secrets than are kept; the later ones are not".into());
                }
                if extras.untimed > 0 {
                    let count = extras.untimed;
                    summary
                        .notes
                        .push(format!("{count} packets have no time of their own and stand at that of the one before"));
                }
                summary.names = extras.names;
            }
            Some(Container::NetMon(netmon)) => {
                netmon.verdict().into_iter().for_each(|problem| summary.problem(problem));
                if netmon.is_local_time() {
                    let note = "times are in the time zone of the computer that captured, which the file does not name; they are taken for UTC";
                    summary.notes.push(note.into());
                }
            }
            _ => {}
        }
    }
}

/// Why a file that starts with these bytes, `length` in all, is not a capture.
fn start_of(bytes: &[u8], length: u64) -> CaptureError {
    let known = array(bytes, 0).is_some_and(format::is_known);
    if known { CaptureError::HeaderCut(length) } else { unreadable(bytes) }
}

fn unreadable(start: &[u8]) -> CaptureError {
    match format::named(start) {
        Some((name, advice)) => CaptureError::Unread { name, advice },
        None => CaptureError::Unrecognized(format::describe(start)),
    }
}
