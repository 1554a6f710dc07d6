//! In: the buffer of one compressed stream. Out: what the decoder of any format needs: bytes, whether more will come,
//! and errors in words. Bounded: `MAX_PROBLEMS`. Left to others: the formats.

use crate::capture::buffer::Buffer;

/// Most problems kept of one stream.
const MAX_PROBLEMS: usize = 16;

/// The result of one decoding step.
pub(super) enum Progress {
    /// This many bytes were written.
    Wrote(usize),
    /// Nothing can be written until this many bytes of input are there; at the end of the input, everything has been
    /// written.
    Needs(usize),
}

/// Where and why a compressed stream cannot be decoded further.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: u64,
    pub(super) why: String,
}

/// The input of a decoder.
pub(super) struct Input<'b> {
    pub(super) buffer: &'b mut Buffer,
    /// No more bytes will come.
    pub(super) at_end: bool,
    pub(super) problems: &'b mut Vec<String>,
}

impl Input<'_> {
    /// The bytes at hand.
    pub(super) fn unread(&self) -> &[u8] {
        self.buffer.unread()
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.buffer.consume(count);
    }

    /// A fault at the next byte.
    pub(super) fn fault(&self, why: impl Into<String>) -> Fault {
        Fault { at: self.buffer.offset(), why: why.into() }
    }

    /// The fault of a file that ends before `what` does.
    pub(super) fn ends_inside(&self, what: &str) -> Fault {
        let at = self.buffer.offset() + u64::try_from(self.unread().len()).unwrap_or_default();
        Fault { at, why: format!("the file ends inside {what}") }
    }

    /// Notes that the checksum of `what`, which ends here, does not match.
    pub(super) fn checksum_differs(&mut self, what: &str) {
        if self.problems.len() < MAX_PROBLEMS {
            let at = self.buffer.offset();
            self.problems.push(format!(
                "compressed offset {at}: the checksum does not match; what the {what} holds may be wrong"
            ));
        }
    }
}
