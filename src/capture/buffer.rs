//! In: bytes in pieces. Out: the longest contiguous run not yet consumed, and its offset in the file. Bounded: `KEEP`
//! bytes, or twice the bytes read so far of a longer record. Left to others: what the bytes mean.

/// 128 KiB: large enough that refills cost almost nothing, small enough to stay in the second-level cache.
const KEEP: usize = 128 * 1024;

#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
}

impl Buffer {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; KEEP], start: 0, end: 0, offset: 0 }
    }

    /// Bytes not yet consumed.
    pub(super) fn unread(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Offset in the file of the first byte not yet consumed.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += u64::try_from(count).unwrap_or_default();
    }

    /// The last `count` consumed bytes, valid until the next [`space`](Self::space).
    pub(super) fn consumed(&self, count: usize) -> &[u8] {
        self.bytes.get(self.start.saturating_sub(count)..self.start).unwrap_or_default()
    }

    /// Room for at least one more byte. For a record of `wanted` bytes that does not fit, the buffer doubles only when
    /// it is full, so that a claimed length alone allocates nothing.
    pub(super) fn space(&mut self, wanted: usize) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        let mut grow = self.start == 0 && self.end == self.bytes.len();
        if self.start > 0 && (self.end == self.bytes.len() || self.bytes.len() - self.start < wanted) {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            // Otherwise a nearly full buffer would be moved again for every few bytes.
            grow = self.end > self.bytes.len() - self.bytes.len() / 4;
        }
        if grow {
            self.bytes.resize(self.bytes.len().saturating_mul(2), 0);
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// Marks `count` bytes of the last [`space`](Self::space) as written.
    pub(super) fn commit(&mut self, count: usize) {
        self.end = self.end.saturating_add(count).min(self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_takes_no_room_until_the_bytes_are_there() {
        let mut buffer = Buffer::new();
        for filled in [KEEP, 2 * KEEP, 4 * KEEP] {
            assert_eq!(buffer.bytes.len(), filled, "as much as was needed");
            let room = buffer.space(64 << 20).len();
            buffer.commit(room);
            assert_eq!(buffer.unread().len(), filled);
            buffer.space(64 << 20);
        }
    }
}
