//! The wiring: bytes of a capture go in, evidence comes out. The hot loop, readable from top to bottom.
//!
//! In: the bytes of one capture. Out: facts, given to the investigation's [`Evidence`]. Bounded: by every stage.
//! Left to others: judgement.

use crate::capture::{CaptureError, CaptureReader, CaptureSummary, FrameRef};
use crate::decode::{Decoder, Packet, Segment};
use crate::evidence::{Connection, Evidence, Talk};
use crate::flow::{Flow, FlowTable, Side};
use crate::limits::Limits;
use crate::protocol::{Conversation, Outputs};

/// One recording on its way through the stages: a capture, or several that continue one another.
#[derive(Debug)]
pub(crate) struct Pipeline {
    reader: CaptureReader,
    decoder: Decoder,
    flows: FlowTable<Conversation>,
    limits: Limits,
    outputs: Outputs,
    last: Option<FrameRef>,
}

/// What one recording was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finished {
    pub(crate) flows: u64,
    pub(crate) flows_dropped: u64,
}

impl Pipeline {
    pub(crate) fn new(capture: u32, limits: Limits) -> Self {
        Self {
            reader: CaptureReader::new(capture),
            decoder: Decoder::new(&limits),
            flows: FlowTable::new(Conversation::begin),
            limits,
            outputs: Outputs::default(),
            last: None,
        }
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

    fn read_frames(&mut self, evidence: &mut Evidence) -> Result<(), CaptureError> {
        let Self { reader, decoder, flows, limits, outputs, last } = self;
        while let Some(frame) = reader.next_frame()? {
            *last = Some(frame.at);
            decoder.decode(&frame, &mut |packet| match packet {
                Packet::Tcp(segment) => {
                    take_segment(flows, &segment, limits, outputs, evidence);
                    while let Some(flow) = flows.next_ended() {
                        end_flow(flow, None, limits, outputs, evidence);
                    }
                }
                Packet::Udp(datagram) => evidence.datagram(&datagram),
                Packet::Binding(binding) => evidence.binding(binding),
                Packet::Link(frame) => evidence.link_frame(&frame),
            });
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
        let counts = std::mem::replace(&mut self.decoder, Decoder::new(&self.limits)).finish();
        summary.problems.extend(counts.unread.iter().map(|(why, count)| count.in_words(why)));
        summary.notes.extend(counts.anomalies.iter().map(|(what, count)| count.in_words(what)));
        Ok(summary)
    }

    /// The recording is over: its open connections end with it.
    pub(crate) fn finish(mut self, evidence: &mut Evidence) -> Finished {
        for mut flow in self.flows.finish() {
            if let Some(last) = self.last {
                flow.note_capture_end(last.time);
            }
            end_flow(flow, self.last, &self.limits, &mut self.outputs, evidence);
        }
        if let Some(last) = self.last {
            evidence.finish_recording(last);
        }
        Finished { flows: self.flows.seen(), flows_dropped: self.flows.dropped() }
    }
}

/// Puts a segment into its connection, and what that makes whole into the evidence.
fn take_segment(
    flows: &mut FlowTable<Conversation>,
    segment: &Segment<'_>,
    limits: &Limits,
    outputs: &mut Outputs,
    evidence: &mut Evidence,
) {
    let flow = flows.segment(
        segment,
        limits,
        &mut |conversation, side, piece, at| conversation.push(side, piece, at, limits, outputs),
        Conversation::is_settled,
    );
    if let Some(talk) = flow.map(talk_of).filter(|_| !outputs.is_empty()) {
        outputs.drain().for_each(|said| evidence.said(talk, said));
    }
}

/// Who talks to whom: the side that speaks like a client is the client, whatever the ports said.
fn talk_of(flow: &Flow<Conversation>) -> Talk {
    let swapped = flow.conversation.is_swapped();
    let (client, server) = if swapped { (flow.server, flow.client) } else { (flow.client, flow.server) };
    Talk { stream: flow.stream, client, server }
}

/// Ends a connection: delivers what is still held, tells how each side ended, and hands it over.
fn end_flow(
    mut flow: Flow<Conversation>,
    capture_end: Option<FrameRef>,
    limits: &Limits,
    outputs: &mut Outputs,
    evidence: &mut Evidence,
) {
    flow.finish(&mut |conversation, side, piece, at| conversation.push(side, piece, at, limits, outputs));
    for side in [Side::Client, Side::Server] {
        let (how, at) = flow.end_of(side);
        flow.conversation.end(side, how, at, outputs);
    }
    let talk = talk_of(&flow);
    let conversation = std::mem::take(&mut flow.conversation);
    let (swapped, sealed) = (conversation.is_swapped(), conversation.is_sealed());
    let handshake = conversation.finish(capture_end.unwrap_or(flow.last), outputs);
    outputs.drain().for_each(|said| evidence.said(talk, said));
    evidence.connection(talk, &Connection { flow: &flow, swapped, sealed }, handshake);
}
