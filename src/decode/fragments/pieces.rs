//! In: pieces of one packet, in any order. Out: all of it, once there is no hole. Bounded: as many bytes as the farthest
//! piece reaches to; how many pieces is for the caller. Left to others: what belongs together, time.

use std::ops::Range;

/// The bytes that came, each where it belongs.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    bytes: Vec<u8>,
    /// Length of `bytes`, also while they are lent.
    length: usize,
    /// What of `bytes` came: sorted, apart from each other.
    came: Vec<Range<usize>>,
}

impl Pieces {
    /// Bytes held, holes included.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// How many stretches of bytes there are without a hole in them.
    pub(super) fn count(&self) -> usize {
        self.came.len()
    }

    /// Puts a piece into the holes it covers. True when other bytes had come in its place before: those stay.
    pub(super) fn insert(&mut self, start: usize, piece: &[u8]) -> bool {
        let end = start + piece.len();
        if self.length < end {
            self.bytes.resize(end, 0);
            self.length = end;
        }
        let mut conflict = false;
        let mut at = start;
        for range in &self.came {
            let (from, to) = (range.start.clamp(at, end), range.end.clamp(at, end));
            copy(&mut self.bytes, piece, start, at..from);
            conflict |= self.bytes.get(from..to) != piece.get(from - start..to - start);
            at = to;
        }
        copy(&mut self.bytes, piece, start, at..end);
        self.note(start..end);
        conflict
    }

    /// Whether this piece came before, byte for byte.
    pub(super) fn holds(&self, start: usize, piece: &[u8]) -> bool {
        self.bytes.get(start..).is_some_and(|bytes| bytes.starts_with(piece))
    }

    /// Lends the first `total` bytes if all of them came.
    pub(super) fn take(&mut self, total: usize) -> Option<Vec<u8>> {
        let whole = matches!(self.came.first(), Some(range) if range.start == 0 && range.end >= total);
        whole.then(|| {
            self.bytes.truncate(total);
            std::mem::take(&mut self.bytes)
        })
    }

    /// Takes back what was lent.
    pub(super) fn put_back(&mut self, bytes: Vec<u8>) {
        self.bytes = bytes;
    }

    /// Adds a range, joined with those that it touches.
    fn note(&mut self, mut new: Range<usize>) {
        if new.is_empty() {
            return;
        }
        let first = self.came.partition_point(|range| range.end < new.start);
        let last = self.came.partition_point(|range| range.start <= new.end);
        if let Some(touched) = self.came.get(first..last)
            && let (Some(low), Some(high)) = (touched.first(), touched.last())
        {
            new = new.start.min(low.start)..new.end.max(high.end);
        }
        self.came.splice(first..last, [new]);
    }
}

/// Copies the part of a piece that belongs in this range; the piece begins at `start`.
fn copy(bytes: &mut [u8], piece: &[u8], start: usize, range: Range<usize>) {
    let part = piece.get(range.start - start..range.end - start);
    if let (Some(to), Some(from)) = (bytes.get_mut(range), part) {
        to.copy_from_slice(from);
    }
}
