//! Fragments against a reassembler that keeps a map of single bytes, and against their limits.
//!
//! In: fragments as generated. Out: the same packets at the same fragment. Bounded: small packets. Left to others:
//! fragments with real headers (`tests/library/links.rs`).

use std::collections::BTreeMap;

use etherparse::ip_number;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::super::tally::Counts;
use super::*;

/// Reassembly byte by byte: the first copy counts, and a packet is complete once every byte up to the end is there.
#[derive(Default)]
struct Naive {
    bytes: BTreeMap<usize, u8>,
    total: Option<usize>,
}

impl Naive {
    /// Whether other bytes were there before.
    fn add(&mut self, start: usize, data: &[u8], more: bool) -> bool {
        let mut conflict = false;
        for (at, byte) in (start..).zip(data) {
            conflict |= self.bytes.entry(at).or_insert(*byte) != byte;
        }
        if !more && self.total.is_none() {
            self.total = Some(start + data.len());
        }
        conflict
    }

    fn whole(&self) -> Option<Vec<u8>> {
        (0..self.total?).map(|at| self.bytes.get(&at).copied()).collect()
    }
}

/// The pool with its counts, fed with one fragment a call, one frame each.
struct Pool {
    fragments: Fragments,
    tally: Tally,
    frame: u64,
}

impl Pool {
    fn new(limits: &Limits) -> Self {
        Self { fragments: Fragments::new(limits), tally: Tally::default(), frame: 0 }
    }

    fn add(&mut self, identification: u32, start: usize, data: &[u8], more: bool, nanos: i64) -> Option<Vec<u8>> {
        self.frame += 1;
        let time = Timestamp::from_nanos(nanos, 9);
        let at = FrameRef { capture: 0, number: self.frame, offset: 0, length: 0, time };
        let packet = IpPacket {
            source: IpAddr::from([10, 0, 0, 1]),
            destination: IpAddr::from([10, 0, 0, 2]),
            hops: 64,
            protocol: ip_number::UDP,
            payload: data,
            missing: 0,
            bad_checksum: false,
            fragment: None,
        };
        let whole = self.fragments.add(&packet, Place { identification, offset: start, more }, at, &mut self.tally)?;
        let bytes = whole.bytes.clone();
        self.fragments.put_back(whole);
        Some(bytes)
    }

    fn finish(mut self) -> Counts {
        self.fragments.finish(&mut self.tally);
        self.tally.counts()
    }
}

/// What the pool should say that it holds.
fn held(pool: &Pool) -> usize {
    pool.fragments.waiting.values().map(|waiting| waiting.pieces.cost()).sum()
}

fn count(counts: &Counts, why: Unread) -> u64 {
    counts.unread.iter().filter(|(each, _)| *each == why).map(|(_, count)| count.packets).sum()
}

proptest! {
    #[test]
    fn any_fragments_make_what_single_bytes_make(
        parts in vec((0..300usize, vec(0..3u8, 0..120), proptest::bool::weighted(0.8)), 1..40),
    ) {
        let (mut pool, mut naive) = (Pool::new(&Limits::default()), Naive::default());
        let mut conflicts = 0;
        for (start, data, more) in parts {
            conflicts += u64::from(naive.add(start, &data, more));
            let whole = pool.add(7, start, &data, more, 0);
            prop_assert_eq!(&whole, &naive.whole());
            prop_assert_eq!(pool.fragments.bytes, held(&pool));
            if whole.is_some() {
                break;
            }
        }
        let counts = pool.finish();
        prop_assert_eq!(counts.anomalies.iter().map(|(_, count)| count.packets).sum::<u64>(), conflicts);
        prop_assert_eq!(count(&counts, Unread::FragmentsMissing), u64::from(naive.whole().is_none()));
    }

    #[test]
    fn a_packet_in_any_order_and_twice_comes_once(
        packet in vec(any::<u8>(), 1..3000),
        cuts in vec(any::<Index>(), 0..20),
        order in vec(any::<Index>(), 60),
    ) {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(packet.len())).collect();
        cuts.extend([0, packet.len()]);
        cuts.sort_unstable();
        cuts.dedup();
        let parts: Vec<_> = cuts.windows(2).map(|pair| (pair[0], pair[1])).collect();
        // Some in disorder and repeated, then all of them.
        let disorder = order.iter().map(|index| parts[index.index(parts.len())]);
        let mut pool = Pool::new(&Limits::default());
        let mut wholes = Vec::new();
        for (start, end) in disorder.chain(parts.iter().copied()) {
            wholes.extend(pool.add(1, start, &packet[start..end], end < packet.len(), 0));
        }
        prop_assert_eq!(wholes, vec![packet]);
        let counts = pool.finish();
        prop_assert!(counts.unread.is_empty() && counts.anomalies.is_empty(), "{:?}", counts);
    }
}

#[test]
fn an_identification_used_again_is_another_packet() {
    let mut pool = Pool::new(&Limits::default());
    for round in [b"first wave", b"next wave!"] {
        assert_eq!(pool.add(5, 0, &round[..8], true, 0), None);
        assert_eq!(pool.add(5, 8, &round[8..], false, 0).as_deref(), Some(&round[..]));
        // The mirror's second copy.
        assert_eq!(pool.add(5, 8, &round[8..], false, 0), None);
    }
    assert!(pool.finish().unread.is_empty());
}

#[test]
fn fragments_that_wait_too_long_are_not_joined() {
    let limits = Limits::default();
    let mut pool = Pool::new(&limits);
    assert_eq!(pool.add(5, 0, b"12345678", true, 0), None);
    assert_eq!(pool.add(5, 8, b"late", false, limits.fragment_nanos + 1), None);
    let counts = pool.finish();
    assert_eq!(count(&counts, Unread::FragmentsMissing), 2);
    assert_eq!(counts.unread[0].1.first, 1);
}

#[test]
fn what_waits_is_bounded_and_what_is_dropped_is_counted() {
    let limits = Limits { fragmented_packets: 16, fragment_bytes: 5_000, ..Limits::default() };
    let mut pool = Pool::new(&limits);
    for identification in 0..1000 {
        let start = if identification % 2 == 0 { 60_000 } else { 8 };
        assert_eq!(pool.add(identification, start, &[1; 500], true, 0), None);
        assert!(pool.fragments.waiting.len() <= limits.fragmented_packets);
        assert!(pool.fragments.bytes <= limits.fragment_bytes);
        assert_eq!(pool.fragments.bytes, held(&pool));
        assert_eq!(pool.fragments.order.len(), pool.fragments.waiting.len());
    }
    let counts = pool.finish();
    let dropped = count(&counts, Unread::FragmentsDropped);
    assert_eq!(dropped + count(&counts, Unread::FragmentsMissing), 1000);
    assert!(dropped >= 1000 - 10);
}

#[test]
fn a_packet_in_too_many_pieces_is_given_up() {
    let mut pool = Pool::new(&Limits::default());
    for start in (0..60_000).step_by(16) {
        assert_eq!(pool.add(1, start, &[0; 8], true, 0), None);
    }
    assert!(count(&pool.finish(), Unread::FragmentsDropped) > 0);
}

#[test]
fn a_fragment_far_from_the_start_costs_what_it_brings() {
    let mut pool = Pool::new(&Limits::default());
    for identification in 0..100 {
        assert_eq!(pool.add(identification, 65_000, &[0; 8], true, 0), None);
    }
    assert!(pool.fragments.bytes < 100 * 100, "{}", pool.fragments.bytes);
}

#[test]
fn nothing_reaches_beyond_the_longest_packet() {
    let mut pool = Pool::new(&Limits::default());
    assert_eq!(pool.add(1, 65_528, &[0; 1480], false, 0), None);
    assert_eq!(count(&pool.finish(), Unread::Damaged), 1);
}
