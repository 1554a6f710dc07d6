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
    decoder: Decoder,
    connections: Connections,
}

/// The stages behind the decoder.
#[derive(Debug)]
struct Connections {
    flows: FlowTable<Conversation>,
    undecrypted: BTreeMap<Undecrypted, (u64, FrameRef)>,
    limits: Limits,
    keys: Arc<KeyLog>,
    outputs: Outputs,
    last: Option<FrameRef>,
}

/// What is left to report of a recording at its end.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Records that stayed encrypted although there are secrets, in words.
    pub(crate) problems: Vec<String>,
    pub(crate) flows: u64,
    pub(crate) flows_dropped: u64,
}

impl Pipeline {
    pub(crate) fn new(capture: u32, limits: Limits, keys: Arc<KeyLog>) -> Self {
        let decoder = Decoder::new(&limits);
        let connections = Connections {
            flows: FlowTable::new(Conversation::begin),
            undecrypted: BTreeMap::new(),
            limits,
            keys,
            outputs: Outputs::default(),
            last: None,
        };
        Self { reader: CaptureReader::new(capture), decoder, connections }
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

    /// Reads a file to its end, with a second thread that turns its bytes into frames. Returns the number of bytes, and
    /// how reading ended.
    pub(crate) fn read_ahead(&mut self, read: impl Read + Send, evidence: &mut Evidence) -> (u64, Result<(), Broken>) {
        let Self { reader, decoder, connections } = self;
        let (read, bytes, ended) = read_ahead(std::mem::replace(reader, CaptureReader::new(u32::MAX)), read, |batch| {
            connections.secrets(batch.secrets());
            batch.frames().for_each(|frame| connections.frame(decoder, &frame, evidence));
        });
        *reader = read;
        (bytes, ended)
    }

    fn read_frames(&mut self, evidence: &mut Evidence) -> Result<(), CaptureError> {
        let Self { reader, decoder, connections } = self;
        while reader.advance()? {
            connections.secrets(&reader.take_secrets());
            if let Some(frame) = &reader.frame() {
                connections.frame(decoder, frame, evidence);
            }
        }
        Ok(())
    }

    /// Goes on with another capture; connections that are open stay open.
    pub(crate) fn continue_with(&mut self, capture: u32) {
        self.reader = CaptureReader::new(capture);
    }

    /// Ends the file and returns its summary.
    pub(crate) fn finish_capture(&mut self, evidence: &mut Evidence) -> Result<CaptureSummary, CaptureError> {
        self.reader.end();
        self.read_frames(evidence)?;
        let reader = std::mem::replace(&mut self.reader, CaptureReader::new(u32::MAX));
        let mut summary = reader.finish()?;
        let next = Decoder::new(&self.connections.limits);
        let counts = std::mem::replace(&mut self.decoder, next).finish();
        summary.problems.extend(counts.unread.iter().map(|(why, count)| count.in_words(why)));
        summary.notes.extend(counts.anomalies.iter().map(|(what, count)| count.in_words(what)));
        Ok(summary)
    }

    /// Ends the recording, and with it the connections that are still open.
    pub(crate) fn finish(self, evidence: &mut Evidence) -> Finished {
        self.connections.finish(evidence)
    }
}

impl Connections {
    /// Adds the key logs that the capture holds before the next frame.
    fn secrets(&mut self, secrets: &[Secrets]) {
        for secrets in secrets {
            Arc::make_mut(&mut self.keys).add(&secrets.0);
        }
    }

    fn frame(&mut self, decoder: &mut Decoder, frame: &Frame<'_>, evidence: &mut Evidence) {
        decoder.decode(frame, &mut |packet| self.packet(&packet, evidence));
        self.last = Some(frame.at);
    }

    #[inline]
    fn packet(&mut self, packet: &Packet<'_>, evidence: &mut Evidence) {
        match packet {
            Packet::Tcp(segment) => self.segment(segment, evidence),
            Packet::Udp(datagram) => evidence.datagram(datagram),
            Packet::Binding(binding) => evidence.binding(*binding),
            Packet::Link(frame) => evidence.link_frame(frame),
        }
    }

    /// Puts a segment into its connection, and gives the exchanges and connections that it completes to the evidence.
    fn segment(&mut self, segment: &Segment<'_>, evidence: &mut Evidence) {
        let Self { flows, limits, keys, outputs, .. } = self;
        let context = Context { limits, keys };
        flows.segment(
            segment,
            limits,
            &mut |conversation, side, piece, at| conversation.push(side, piece, at, context, outputs),
            Conversation::is_settled,
        );
        if !outputs.is_empty()
            && let Some(talk) = flows.of(segment).map(talk_of)
        {
            outputs.drain().for_each(|said| evidence.said(talk, said));
        }
        while let Some(mut flow) = self.flows.next_ended() {
            self.end(&mut flow, None, evidence);
            self.flows.take_back(flow);
        }
    }

    /// Ends a connection: delivers what is still held, tells how each side ended, and hands it over.
    fn end(&mut self, flow: &mut Flow<Conversation>, capture_end: Option<FrameRef>, evidence: &mut Evidence) {
        let Self { undecrypted, limits, keys, outputs, .. } = self;
        let context = Context { limits, keys };
        flow.finish(&mut |conversation, side, piece, at| conversation.push(side, piece, at, context, outputs));
        for side in [Side::Client, Side::Server] {
            let (how, at) = flow.end_of(side);
            flow.conversation.end(side, how, at, outputs);
        }
        let talk = talk_of(flow);
        let mut conversation = std::mem::take(&mut flow.conversation);
        let (swapped, sealed) = (conversation.is_swapped(), conversation.is_sealed());
        let (silent, other) = (conversation.is_silent(), conversation.is_other());
        let handshake = conversation.finish(capture_end.unwrap_or(flow.last), keys, outputs);
        outputs.drain().for_each(|said| evidence.said(talk, said));
        if let Some((why, at)) = handshake.as_ref().and_then(|tls| tls.undecrypted) {
            undecrypted.entry(why).or_insert((0, at)).0 += 1;
        }
        evidence.connection(talk, &Connection { flow, swapped, sealed, silent, other }, handshake);
        outputs.take_back(conversation);
    }

    fn finish(mut self, evidence: &mut Evidence) -> Finished {
        for mut flow in self.flows.finish() {
            if let Some(last) = self.last {
                flow.note_capture_end(last.time);
            }
            self.end(&mut flow, self.last, evidence);
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

/// The client and server of a connection: the side that speaks like a client is the client, whatever the ports are.
fn talk_of(flow: &Flow<Conversation>) -> Talk {
    let swapped = flow.conversation.is_swapped();
    let (client, server) = if swapped { (flow.server, flow.client) } else { (flow.client, flow.server) };
    Talk { stream: flow.stream, client, server }
}
