//! In: a device's events. Out: which of them to tell where there is no room for all, and in what words. Bounded: by the
//! number asked for.

use std::collections::BTreeMap;

use super::scope::Scope;
use super::words::{clean, date_and_clock, shorten};
use crate::report::{Device, Event, EventKind, Finding, frames};

/// How many events of a kind rank before the repetitions of all kinds.
const FIRST_OF_A_KIND: usize = 2;

/// Indices of the events worth showing, the most telling first: those that the headline cites, then by kind, and of each
/// kind the first ones before all repetitions.
pub(in crate::render) fn most_telling(device: &Device, headline: Option<&Finding>, most: usize) -> Vec<usize> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ranked: Vec<(usize, usize)> = Vec::with_capacity(device.events.len());
    for (index, event) in device.events.iter().enumerate() {
        let nth = seen.entry(event.kind.as_str()).or_default();
        *nth += 1;
        let repeated = if *nth > FIRST_OF_A_KIND { 10 } else { 0 };
        let rank = if cited(event, headline) { 0 } else { rank(event.kind) + repeated };
        ranked.push((rank, index));
    }
    ranked.sort_unstable();
    ranked.into_iter().take(most).map(|(_, index)| index).collect()
}

pub(in crate::render) fn cited(event: &Event, headline: Option<&Finding>) -> bool {
    let Some(finding) = headline else { return false };
    event.frame.is_some() && finding.evidence.iter().any(|e| e.frame == event.frame && e.capture == event.capture)
}

fn rank(kind: EventKind) -> usize {
    match kind {
        EventKind::Absent | EventKind::Fetch => 1,
        EventKind::Handshake | EventKind::Ldap => 2,
        EventKind::Dhcp | EventKind::Connect | EventKind::Lldp => 3,
        _ => 4,
    }
}

/// What happened, and where another device took a step that is absent here.
pub(in crate::render) fn told(scope: &Scope<'_>, event: &Event) -> String {
    let Some(elsewhere) = &event.elsewhere else { return event.summary.clone() };
    let frames = frames(elsewhere.first_frame, elsewhere.last_frame);
    let whose = match elsewhere.capture == event.capture {
        true => format!("another {}", scope.thing),
        false => format!("the {} in {}", scope.thing, scope.capture(&elsewhere.capture)),
    };
    format!("{} ({whose} made one, {frames})", event.summary)
}

/// The date of an event.
pub(in crate::render) fn date(event: &Event) -> Option<String> {
    event.time.as_deref().map(|time| shorten(&date_and_clock(time).0, 10))
}

/// The short upper-case tag of a kind of event.
pub(in crate::render) fn tag(kind: &str) -> String {
    match kind {
        "absent" => String::new(),
        "connect" => "TCP".to_owned(),
        "handshake" => "TLS".to_owned(),
        other => clean(other).to_uppercase().chars().take(6).collect(),
    }
}

/// The tags of these events, each once.
pub(in crate::render) fn tags(events: &[Event]) -> Vec<String> {
    let mut kinds: Vec<String> = Vec::new();
    for event in events {
        let tag = tag(event.kind.as_str());
        if !tag.is_empty() && !kinds.contains(&tag) {
            kinds.push(tag);
        }
    }
    kinds
}
