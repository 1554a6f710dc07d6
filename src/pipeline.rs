//! The wiring: bytes of a capture go in, evidence comes out. The hot loop, readable from top to bottom.
//!
//! In: the bytes of one capture. Out: facts, given to the investigation's [`Evidence`]. Bounded: by every stage.
//! Left to others: judgement.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use crate::capture::{Broken, CaptureError, CaptureReader, CaptureSummary, Frame, FrameRef, Secrets, read_ahead};
use crate::decode::{Decoder, Packet, Segment};
use crate::evidence::{Connection, Evidence, Talk};
use crate::flow::{Flow, FlowTable, Side};
use crate::limits::Limits;
use crate::protocol::tls::{KeyLog, Undecrypted};
use crate::protocol::{Context, Conversation, Outputs};

/// One recording on its way through the stages: a capture, or several that continue one another.
#[derive(Debug)]
pub(crate) struct Pipeline {
    reader: CaptureReader,
    stages: Stages,
}

/// The stages behind the capture file.
#[derive(Debug)]
struct Stages {
    decoder: Decoder,
    flows: FlowTable<Conversation>,
    undecrypted: BTreeMap<Undecrypted, (u64, FrameRef)>,
    limits: Limits,
    keys: Arc<KeyLog>,
    outputs: Outputs,
    last: Option<FrameRef>,
}

/// What one recording was.
#[derive(Debug)]
pub(crate) struct Finished {
    /// What stayed encrypted although there are secrets, in words.
    pub(crate) problems: Vec<String>,
    pub(crate) flows: u64,
    pub(crate) flows_dropped: u64,
}

impl Pipeline {
    pub(crate) fn new(capture: u32, limits: Limits, keys: Arc<KeyLog>) -> Self {
        let stages = Stages {
            decoder: Decoder::new(&limits),
            flows: FlowTable::new(Conversation::begin),
            undecrypted: BTreeMap::new(),
            limits,
            keys,
            outputs: Outputs::default(),
            last: None,
        };
        Self { reader: CaptureReader::new(capture), stages }
    }

    /// Room for the next bytes of the file.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        self.reader.space()
    }

    /// Takes the bytes that were written into [`space`](Self::space).
    pub(crate) fn advance(&mut self, count: usize, evidence: &mut Evidence) -> Result<(), CaptureError> {
        self.reader.commit(count);
        self.read_frames(evidence)
    }

    /// Takes a file to its end, its bytes read and made frames on a thread of their own: the number of bytes, and how it
    /// ended.
    pub(crate) fn read_ahead(&mut self, read: impl Read + Send, evidence: &mut Evidence) -> (u64, Result<(), Broken>) {
        let Self { reader, stages } = self;
        let (read, bytes, ended) = read_ahead(std::mem::replace(reader, CaptureReader::new(u32::MAX)), read, |batch| {
            stages.secrets(batch.secrets());
            batch.frames().for_each(|frame| stages.frame(&frame, evidence));
        });
        *reader = read;
        (bytes, ended)
    }

    fn read_frames(&mut self, evidence: &mut Evidence) -> Result<(), CaptureError> {
        let Self { reader, stages } = self;
        while reader.advance()? {
            stages.secrets(&reader.take_secrets());
            if let Some(frame) = reader.frame() {
                stages.frame(&frame, evidence);
            }
        }
        Ok(())
    }

    /// Goes on with another capture; connections that are open stay open.
    pub(crate) fn continue_with(&mut self, capture: u32) {
        self.reader = CaptureReader::new(capture);
    }

    /// The file is over: what it was.
    pub(crate) fn finish_capture(&mut self, evidence: &mut Evidence) -> Result<CaptureSummary, CaptureError> {
        self.reader.end();
        self.read_frames(evidence)?;
        let reader = std::mem::replace(&mut self.reader, CaptureReader::new(u32::MAX));
        let mut summary = reader.finish()?;
        let next = Decoder::new(&self.stages.limits);
        let counts = std::mem::replace(&mut self.stages.decoder, next).finish();
        summary.problems.extend(counts.unread.iter().map(|(why, count)| count.in_words(why)));
        summary.notes.extend(counts.anomalies.iter().map(|(what, count)| count.in_words(what)));
        Ok(summary)
    }

    /// The recording is over: its open connections end with it.
    pub(crate) fn finish(self, evidence: &mut Evidence) -> Finished {
        self.stages.finish(evidence)
    }
}

impl Stages {
    /// Takes key logs that stand before the next frame.
    fn secrets(&mut self, secrets: &[Secrets]) {
        for secrets in secrets {
            Arc::make_mut(&mut self.keys).add(&secrets.0);
        }
    }

    fn frame(&mut self, frame: &Frame<'_>, evidence: &mut Evidence) {
        let Self { decoder, flows, undecrypted, limits, keys, outputs, last } = self;
        let context = Context { limits, keys };
        *last = Some(frame.at);
        decoder.decode(frame, &mut |packet| match &packet {
            Packet::Tcp(segment) => {
                take_segment(flows, segment, context, outputs, evidence);
                while let Some(mut flow) = flows.next_ended() {
                    let why = end_flow(&mut flow, None, context, outputs, evidence);
                    count_undecrypted(undecrypted, why);
                    flows.take_back(flow);
                }
            }
            Packet::Udp(datagram) => evidence.datagram(datagram),
            Packet::Binding(binding) => evidence.binding(*binding),
            Packet::Link(frame) => evidence.link_frame(frame),
        });
    }

    fn finish(mut self, evidence: &mut Evidence) -> Finished {
        for mut flow in self.flows.finish() {
            if let Some(last) = self.last {
                flow.note_capture_end(last.time);
            }
            let context = Context { limits: &self.limits, keys: &self.keys };
            let why = end_flow(&mut flow, self.last, context, &mut self.outputs, evidence);
            count_undecrypted(&mut self.undecrypted, why);
        }
        if let Some(last) = self.last {
            evidence.finish_recording(last);
        }
        let in_words = |(why, (count, first)): (&Undecrypted, &(u64, FrameRef))| {
            let whose = if *count == 1 { "1 handshake".into() } else { format!("{count} handshakes") };
            let (why, first) = (why.as_str(), first.number);
            format!("records of {whose} stay encrypted, from frame {first} on: {why}")
        };
        let mut problems: Vec<_> = self.undecrypted.iter().map(in_words).collect();
        if let Some((count, first)) = self.outputs.curtailed() {
            let (whose, number) =
                (if count == 1 { "1 connection".into() } else { format!("{count} connections") }, first.number);
            let most = self.limits.messages_bytes >> 20;
            problems.push(format!(
                "messages of {whose} were not kept, from frame {number} on: more than {most} MiB were under way at once"
            ));
        }
        Finished { flows: self.flows.seen(), flows_dropped: self.flows.dropped(), problems }
    }
}

/// Puts a segment into its connection, and what that makes whole into the evidence.
fn take_segment(
    flows: &mut FlowTable<Conversation>,
    segment: &Segment<'_>,
    context: Context<'_>,
    outputs: &mut Outputs,
    evidence: &mut Evidence,
) {
    let flow = flows.segment(
        segment,
        context.limits,
        &mut |conversation, side, piece, at| conversation.push(side, piece, at, context, outputs),
        Conversation::is_settled,
    );
    if !outputs.is_empty()
        && let Some(talk) = flow.map(talk_of)
    {
        outputs.drain().for_each(|said| evidence.said(talk, said));
    }
}

/// Who talks to whom: the side that speaks like a client is the client, whatever the ports said.
fn talk_of(flow: &Flow<Conversation>) -> Talk {
    let swapped = flow.conversation.is_swapped();
    let (client, server) = if swapped { (flow.server, flow.client) } else { (flow.client, flow.server) };
    Talk { stream: flow.stream, client, server }
}

fn count_undecrypted(all: &mut BTreeMap<Undecrypted, (u64, FrameRef)>, one: Option<(Undecrypted, FrameRef)>) {
    if let Some((why, at)) = one {
        all.entry(why).or_insert((0, at)).0 += 1;
    }
}

/// Ends a connection: delivers what is still held, tells how each side ended, and hands it over. Gives why its records
/// stayed encrypted although there are secrets.
fn end_flow(
    flow: &mut Flow<Conversation>,
    capture_end: Option<FrameRef>,
    context: Context<'_>,
    outputs: &mut Outputs,
    evidence: &mut Evidence,
) -> Option<(Undecrypted, FrameRef)> {
    flow.finish(&mut |conversation, side, piece, at| conversation.push(side, piece, at, context, outputs));
    for side in [Side::Client, Side::Server] {
        let (how, at) = flow.end_of(side);
        flow.conversation.end(side, how, at, outputs);
    }
    let talk = talk_of(flow);
    let conversation = std::mem::take(&mut flow.conversation);
    let (swapped, sealed) = (conversation.is_swapped(), conversation.is_sealed());
    let handshake = conversation.finish(capture_end.unwrap_or(flow.last), context.keys, outputs);
    outputs.drain().for_each(|said| evidence.said(talk, said));
    let undecrypted = handshake.as_ref().and_then(|tls| tls.undecrypted);
    evidence.connection(talk, &Connection { flow, swapped, sealed }, handshake);
    undecrypted
}
