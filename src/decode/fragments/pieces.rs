//! In: pieces of one packet, in any order. Out: the packet, once no hole is left. Bounded: the bytes that arrived,
//! however far apart; the caller limits the number of pieces. Left to others: matching pieces to packets, timeouts.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Memory of a piece besides its bytes: a tree entry and an allocation.
const OVERHEAD: usize = 64;

/// The bytes received, by offset; no two pieces overlap.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pieces: BTreeMap<usize, Vec<u8>>,
    /// Bytes in all pieces, including those lent out.
    bytes: usize,
}

impl Pieces {
    /// Approximate memory use.
    pub(super) fn cost(&self) -> usize {
        self.bytes + self.pieces.len() * OVERHEAD
    }

    /// Number of pieces; adjacent ones that arrived in order count as one.
    pub(super) fn count(&self) -> usize {
        self.pieces.len()
    }

    /// Fills holes with a piece. True if it conflicts with bytes received before, which are kept.
    pub(super) fn insert(&mut self, start: usize, piece: &[u8]) -> bool {
        let end = start + piece.len();
        let mut conflict = false;
        let mut holes = Vec::new();
        let mut at = start;
        let before = self.pieces.range(..start).next_back();
        for (&from, there) in before.into_iter().chain(self.pieces.range(start..end)) {
            let shared = (from + there.len()).min(end);
            if shared <= at {
                continue;
            }
            if from > at {
                holes.push(at..from);
                at = from;
            }
            conflict |= there.get(at - from..shared - from) != piece.get(at - start..shared - start);
            at = shared;
        }
        holes.push(at..end);
        for hole in holes {
            if let Some(bytes) = piece.get(hole.start - start..hole.end - start).filter(|bytes| !bytes.is_empty()) {
                self.put(hole.start, bytes);
            }
        }
        conflict
    }

    /// Whether a complete packet has exactly these bytes at this offset.
    pub(super) fn holds(&self, start: usize, piece: &[u8]) -> bool {
        let whole = self.pieces.get(&0);
        whole.and_then(|bytes| bytes.get(start..)).is_some_and(|bytes| bytes.starts_with(piece))
    }

    /// Lends the first `total` bytes if all of them arrived.
    pub(super) fn take(&mut self, total: usize) -> Option<Vec<u8>> {
        if self.bytes < total {
            return None;
        }
        let mut reached = 0;
        for (start, bytes) in &self.pieces {
            if *start == reached {
                reached += bytes.len();
            }
        }
        if reached < total {
            return None;
        }
        let mut whole = Vec::with_capacity(reached);
        std::mem::take(&mut self.pieces).into_values().for_each(|bytes| whole.extend(bytes));
        whole.truncate(total);
        self.bytes = total;
        Some(whole)
    }

    /// Takes back the bytes lent by [`take`](Self::take).
    pub(super) fn put_back(&mut self, bytes: Vec<u8>) {
        self.pieces = BTreeMap::from([(0, bytes)]);
    }

    /// Puts bytes into a hole, appending to the piece that ends there if there is one.
    fn put(&mut self, start: usize, bytes: &[u8]) {
        self.bytes += bytes.len();
        if let Some((from, before)) = self.pieces.range_mut(..start).next_back()
            && from + before.len() == start
        {
            return before.extend_from_slice(bytes);
        }
        if let Entry::Vacant(hole) = self.pieces.entry(start) {
            hole.insert(bytes.to_vec());
        }
    }
}
