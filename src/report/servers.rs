//! In: the handshakes of all devices, in any order. Out: for each server when handshakes completed and when not, which
//! tells whether a fault began or ended within the captures. Bounded: [`PARTS`] counts a server. Left to others: faults.

use std::collections::BTreeMap;

use super::fault::Timeline;
use crate::capture::{CaptureSummary, Timestamp};
use crate::evidence::{Handshake, Outcome, endpoint};

/// Parts into which the time of the captures is divided.
const PARTS: usize = 48;

/// Fewer handshakes that completed before a fault, or after it, show nothing: they may be those of one device that is
/// another than those affected.
const ENOUGH: u64 = 2;

/// The time that the captures cover.
pub(super) struct Span {
    from: Timestamp,
    to: Timestamp,
}

impl Span {
    pub(super) fn of(captures: &[(String, CaptureSummary)]) -> Option<Self> {
        let times = || captures.iter().filter_map(|(_, summary)| summary.times);
        let (from, to) = (times().map(|(first, _)| first).min()?, times().map(|(_, last)| last).max()?);
        Some(Self { from, to })
    }

    /// The part that an instant falls into.
    fn part(&self, at: Timestamp) -> usize {
        let whole = u128::try_from(self.to.since(self.from)).unwrap_or(0).saturating_add(1);
        let since = u128::try_from(at.since(self.from)).unwrap_or(0);
        let parts = u128::try_from(PARTS).unwrap_or(1);
        usize::try_from(since.saturating_mul(parts) / whole).unwrap_or(PARTS).min(PARTS - 1)
    }
}

/// The servers by name, else by endpoint.
#[derive(Default)]
pub(super) struct Servers(BTreeMap<String, Vec<Part>>);

/// What happened with one server in one part of the time.
#[derive(Clone, Copy, Default)]
struct Part {
    failed: u64,
    completed: u64,
    /// When the first and the last of those that completed began.
    times: Option<(Timestamp, Timestamp)>,
}

impl Servers {
    /// Counts a handshake, with the repetitions that were counted in its place.
    pub(super) fn add(&mut self, handshake: &Handshake, span: &Span) {
        let key = handshake.server_name().map_or_else(|| endpoint(handshake.server), str::to_owned);
        let parts = self.0.entry(key).or_insert_with(|| vec![Part::default(); PARTS]);
        let counted = [(handshake.first.time, 1), (handshake.repeated_until.time, handshake.repeats)];
        for (at, count) in counted.into_iter().filter(|(_, count)| *count > 0) {
            let Some(part) = parts.get_mut(span.part(at)) else { continue };
            if handshake.ending.outcome == Outcome::Completed {
                let (first, last) = part.times.unwrap_or((at, at));
                part.times = Some((first.min(at), last.max(at)));
                part.completed += count;
            } else {
                part.failed += count;
            }
        }
    }

    /// The time line of a fault that was seen between two instants; `None` if it neither began nor ended within the
    /// captures, or if handshakes with its server completed meanwhile.
    pub(super) fn timeline(
        &self,
        server: String,
        span: &Span,
        (first, last): (Timestamp, Timestamp),
    ) -> Option<Timeline> {
        let parts = self.0.get(&server)?;
        let (mut before, mut after) = (0, 0);
        for part in parts {
            let Some((from, to)) = part.times else { continue };
            match (to < first, from > last) {
                (true, _) => before += part.completed,
                (_, true) => after += part.completed,
                _ => return None,
            }
        }
        (before >= ENOUGH || after >= ENOUGH).then(|| Timeline {
            from: span.from.to_string(),
            to: span.to.to_string(),
            completed_before: before,
            completed_after: after,
            completed: parts.iter().map(|part| part.completed).collect(),
            failed: parts.iter().map(|part| part.failed).collect(),
        })
    }
}
