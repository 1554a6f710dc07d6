//! In: a file's bytes, from a reader. Out: its frames in batches, in file order, while a second thread reads,
//! decompresses and finds the next ones. Bounded: three batches of `BATCH` bytes and one record each. Left to others:
//! when a second processor is worth it.

use std::io::{ErrorKind, Read};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;

use super::extras::Secrets;
use super::{CaptureError, CaptureReader, Frame, FrameRef, LinkType};

/// Bytes of frames after which a batch is handed over: small enough to stay in the second-level cache.
const BATCH: usize = 512 * 1024;

/// Consecutive frames of the file.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// TLS key logs found before the first of them.
    secrets: Vec<Secrets>,
    bytes: Vec<u8>,
    frames: Vec<Placed>,
}

/// A frame in a batch. Its bytes begin where those of the frame before end.
#[derive(Debug)]
struct Placed {
    at: FrameRef,
    link_type: LinkType,
    wire_len: u32,
    end: usize,
}

/// Why reading ended early.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The reader failed.
    Read(std::io::Error),
    /// The bytes are not a capture.
    Capture(CaptureError),
}

impl Batch {
    /// The key logs found before the first frame.
    pub(crate) fn secrets(&self) -> &[Secrets] {
        &self.secrets
    }

    /// The frames.
    pub(crate) fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        let mut start = 0;
        self.frames.iter().map(move |placed| {
            let data = self.bytes.get(start..placed.end).unwrap_or_default();
            start = placed.end;
            Frame { at: placed.at, link_type: placed.link_type, data, wire_len: placed.wire_len }
        })
    }

    fn push(&mut self, frame: &Frame<'_>) {
        self.bytes.extend_from_slice(frame.data);
        let (at, link_type, wire_len) = (frame.at, frame.link_type, frame.wire_len);
        self.frames.push(Placed { at, link_type, wire_len, end: self.bytes.len() });
    }

    fn clear(&mut self) {
        self.secrets.clear();
        self.bytes.clear();
        self.frames.clear();
    }
}

/// Reads to the end on another thread and passes what it finds to `take` on this one. Returns the reader, which may
/// still hold frames that only the end of the file reveals, the number of bytes read, and how reading ended.
pub(crate) fn read_ahead(
    mut reader: CaptureReader,
    read: impl Read + Send,
    mut take: impl FnMut(&Batch),
) -> (CaptureReader, u64, Result<(), Broken>) {
    thread::scope(|scope| {
        let (give, batches) = sync_channel(1);
        let (give_back, spare) = channel();
        let reading = scope.spawn(move || {
            let (mut filling, mut bytes) = (Filling { batch: Batch::default(), give, spare }, 0);
            let ended = filling.fill(&mut reader, read, &mut bytes);
            filling.hand_over();
            (reader, bytes, ended)
        });
        for batch in batches {
            take(&batch);
            // The other thread may have finished and need no more buffers.
            give_back.send(batch).unwrap_or_default();
        }
        reading.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// The batch being filled, and the other thread's ends of the channels.
struct Filling {
    batch: Batch,
    give: SyncSender<Batch>,
    spare: Receiver<Batch>,
}

impl Filling {
    fn fill(&mut self, reader: &mut CaptureReader, mut read: impl Read, bytes: &mut u64) -> Result<(), Broken> {
        loop {
            match read.read(reader.space()) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    *bytes += u64::try_from(count).unwrap_or_default();
                    reader.commit(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(Broken::Read(error)),
            }
            while reader.advance().map_err(Broken::Capture)? {
                let secrets = reader.take_secrets();
                if !secrets.is_empty() {
                    self.hand_over();
                    self.batch.secrets = secrets;
                }
                if let Some(frame) = reader.frame() {
                    self.batch.push(&frame);
                }
                if self.batch.bytes.len() + self.batch.frames.len() * size_of::<Placed>() >= BATCH {
                    self.hand_over();
                }
            }
        }
    }

    fn hand_over(&mut self) {
        let mut next = self.spare.try_recv().unwrap_or_default();
        next.clear();
        // The send fails only if the receiving thread panicked, and the scope propagates that.
        self.give.send(std::mem::replace(&mut self.batch, next)).unwrap_or_default();
    }
}
