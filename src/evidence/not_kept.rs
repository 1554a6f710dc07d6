//! In: addresses for which there is no room. Out: how many they are. Bounded: `MAX_COUNTED`; beyond it, only that there are
//! more. Left to others: why there is no room.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::quality::RandomState;

/// Addresses told apart: a million of them take 9 MiB, and one in four thousand millions counts as another one.
const MAX_COUNTED: usize = 1 << 20;

/// Addresses of devices that are not kept.
#[derive(Debug, Default)]
pub(super) struct NotKept {
    known: HashSet<u32, RandomState>,
    more: bool,
}

impl NotKept {
    /// Notes an address of a recording.
    pub(super) fn note(&mut self, address: (u32, IpAddr)) {
        let [a, b, c, d, ..] = foldhash::quality::FixedState::default().hash_one(address).to_le_bytes();
        let part = u32::from_le_bytes([a, b, c, d]);
        if self.known.len() < MAX_COUNTED {
            self.known.insert(part);
        } else {
            self.more |= !self.known.contains(&part);
        }
    }

    /// How many there are, and whether there are more.
    pub(super) fn count(&self) -> (u64, bool) {
        (u64::try_from(self.known.len()).unwrap_or(u64::MAX), self.more)
    }
}
