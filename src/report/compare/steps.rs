//! Two stories as one list of steps.
//!
//! In: two devices of a report. Out: what each did, step beside step, in the order of the good one; a step that only
//! the bad one took comes after the last step that it took before. Left to others: TLS (`servers`), and what follows
//! from it.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{CompareStep, StepSide};
use super::names::Names;
use super::servers::{self, Difference, Ground, Service};
use crate::diagnosis::SKEW;
use crate::report::model::{Device, Event, EventDetail, EventKind, Fetch, Report};

/// Both stories.
pub(super) struct Told<'a> {
    pub(super) steps: Vec<CompareStep>,
    /// The services with which both began TLS.
    pub(super) shared: Vec<(Service<'a>, Service<'a>)>,
    /// Those of the good one only, and those of the bad one only.
    pub(super) alone: (Vec<Service<'a>>, Vec<Service<'a>>),
    /// Whether anything before TLS is shared: a lookup, a lease, a fetch.
    pub(super) common_ground: bool,
}

/// What one device did of one kind about one subject.
struct Item {
    kind: String,
    subject: String,
    frame: u64,
    side: StepSide,
    facts: Facts,
}

/// What is compared between two items.
enum Facts {
    /// Answers, options: anything that is a set of words.
    Words(BTreeSet<String>),
    Fetch {
        certificates: BTreeSet<String>,
        problem: Option<String>,
        before_tls: bool,
    },
}

/// Aligns the stories of two devices.
pub(super) fn tell<'a>(report: &'a Report, good: &'a Device, bad: &'a Device) -> Told<'a> {
    let names = Names::of(report);
    let (ours, theirs) = (items(good), items(bad));
    let dhcp = (has_dhcp(&ours), has_dhcp(&theirs));
    let mut rows = Rows::default();
    rows.clock(good, bad);
    let mut theirs: Vec<Option<Item>> = theirs.into_iter().map(Some).collect();
    let pairs = pair(&ours, &theirs);
    let common_ground = !pairs.is_empty();
    for (index, item) in ours.into_iter().enumerate() {
        let other = pairs.get(&index).and_then(|at| theirs.get_mut(*at)?.take());
        let differences = match &other {
            Some(other) => differences(&names, &item, other),
            None => absent("bad", &item, dhcp.1),
        };
        rows.push(Some(item), other, differences);
    }
    for item in theirs.into_iter().flatten() {
        let differences = absent("good", &item, dhcp.0);
        rows.push(None, Some(item), differences);
    }
    let (shared, alone) = services(good, bad);
    rows.servers(&names, &shared, &alone);
    Told { steps: rows.in_order(), shared, alone, common_ground }
}

fn has_dhcp(items: &[Item]) -> bool {
    items.iter().any(|item| item.kind == "dhcp")
}

/// The items that are the same step, as indices of the good one's and the bad one's.
fn pair(ours: &[Item], theirs: &[Option<Item>]) -> BTreeMap<usize, usize> {
    let path = |item: &Item| match item.kind.as_str() {
        // The same fetch from another host: `POST http://host/path`.
        "fetch" => item
            .subject
            .split_once("://")
            .and_then(|(_, rest)| rest.split_once('/'))
            .map(|(_, path)| path.to_ascii_lowercase()),
        _ => None,
    };
    let same = |a: &Item, b: &Item| a.kind == b.kind && a.subject.eq_ignore_ascii_case(&b.subject);
    let alike = |a: &Item, b: &Item| a.kind == b.kind && path(a).is_some() && path(a) == path(b);
    let mut out = BTreeMap::new();
    let mut taken = BTreeSet::new();
    let grounds: [Ground<'_, Item>; 2] = [&same, &alike];
    for ground in grounds {
        for (index, item) in ours.iter().enumerate() {
            if out.contains_key(&index) {
                continue;
            }
            let other = theirs
                .iter()
                .enumerate()
                .find(|(at, other)| !taken.contains(at) && other.as_ref().is_some_and(|other| ground(item, other)));
            if let Some((at, _)) = other {
                taken.insert(at);
                out.insert(index, at);
            }
        }
    }
    out
}

/// Everything before and beside TLS, by first frame.
fn items(device: &Device) -> Vec<Item> {
    let mut out: Vec<Item> = Vec::new();
    for event in &device.events {
        let elsewhere =
            matches!(event.kind, EventKind::Fetch | EventKind::Handshake | EventKind::Connect | EventKind::Absent);
        if elsewhere || servers::refused_tunnel(event).is_some() {
            continue;
        }
        let (subject, words) = facts(device, event);
        let known = out.iter_mut().find(|item| item.kind == event.kind.as_str() && item.subject == subject);
        match known {
            Some(Item { side, facts: Facts::Words(known), .. }) => {
                side.count += 1;
                side.last_frame = event.frame;
                known.extend(words);
            }
            _ => out.push(Item {
                kind: event.kind.as_str().into(),
                subject,
                frame: event.frame.unwrap_or_default(),
                side: StepSide {
                    capture: event.capture.clone(),
                    frame: event.frame,
                    time: event.time.clone(),
                    count: 1,
                    summary: event.summary.clone(),
                    ..StepSide::default()
                },
                facts: Facts::Words(words),
            }),
        }
    }
    out.extend(fetches(device));
    out
}

/// The subject of an event, and its facts. The address that DHCP grants is a fact only if it is not the device's own.
fn facts(device: &Device, event: &Event) -> (String, BTreeSet<String>) {
    match &event.detail {
        Some(EventDetail::Dhcp(dhcp)) => {
            let own = device.addresses.iter().any(|known| dhcp.lease.as_ref() == Some(&known.address));
            let lease = dhcp.lease_in_words().filter(|_| !own);
            (dhcp.subject(), lease.into_iter().chain(dhcp.servers_in_words()).collect())
        }
        Some(EventDetail::Dns(dns)) => (dns.subject(), dns.result().into_iter().collect()),
        Some(EventDetail::Http(request)) => (request.subject(), BTreeSet::from([request.result()])),
        Some(EventDetail::Ldap(_) | EventDetail::Lldp(_)) | None => (event.summary.clone(), BTreeSet::new()),
    }
}

/// Fetches: one item for each address, with the attempt that brought certificates, else the last.
fn fetches(device: &Device) -> Vec<Item> {
    let first_tls = device.handshakes.iter().map(|handshake| handshake.frame).min();
    let mut groups: Vec<(String, Vec<&Fetch>)> = Vec::new();
    for fetch in &device.fetches {
        let subject = format!("{} {}", or_empty(&fetch.method), or_empty(&fetch.url));
        match groups.iter_mut().find(|(known, _)| *known == subject) {
            Some((_, group)) => group.push(fetch),
            None => groups.push((subject, vec![fetch])),
        }
    }
    let items = groups.into_iter().filter_map(|(subject, group)| {
        let brought = group.iter().find(|fetch| !fetch.certificates.is_empty() && fetch.problem.is_none());
        let fetch = *brought.or(group.last())?;
        let end = fetch.last_frame.unwrap_or(fetch.frame);
        Some(Item {
            kind: "fetch".into(),
            frame: fetch.frame,
            side: StepSide {
                capture: fetch.capture.clone(),
                frame: Some(fetch.frame),
                last_frame: fetch.last_frame,
                time: Some(fetch.time.clone()),
                count: u64::try_from(group.len()).unwrap_or(u64::MAX),
                summary: match &fetch.problem {
                    Some(problem) => format!("{subject}: {problem}"),
                    None => subject.clone(),
                },
                certificates: fetch.certificates.clone(),
                ..StepSide::default()
            },
            subject,
            facts: Facts::Fetch {
                certificates: fetch.certificates.iter().cloned().collect(),
                problem: fetch.problem.clone(),
                before_tls: first_tls.is_none_or(|first| end < first),
            },
        })
    });
    items.collect()
}

fn or_empty(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or_default()
}

/// What differs between two items that are the same step.
fn differences(names: &Names<'_>, good: &Item, bad: &Item) -> Vec<Difference> {
    match (&good.facts, &bad.facts) {
        (Facts::Words(one), Facts::Words(other)) => {
            if one == other {
                return Vec::new();
            }
            let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
                let only: Vec<_> = a.difference(b).map(String::as_str).collect();
                if only.is_empty() { "nothing more".to_owned() } else { only.join(", ") }
            };
            let words = format!("the good one is told {}; the bad one {}", only(one, other), only(other, one));
            // Whether another answer to a web request or about the time matters is for people to judge.
            let parts = matches!(good.kind.as_str(), "dhcp" | "dns" | "lldp");
            vec![Difference { words, parts }]
        }
        (
            Facts::Fetch { certificates: one, problem: good_problem, before_tls: good_before },
            Facts::Fetch { certificates: other, problem: bad_problem, before_tls: bad_before },
        ) => {
            let mut out = Vec::new();
            if one != other || good_problem.is_some() != bad_problem.is_some() {
                let got = |certificates: &BTreeSet<String>, problem: &Option<String>| match problem {
                    Some(problem) => problem.clone(),
                    None if certificates.is_empty() => "no certificate".into(),
                    None => names.subjects(certificates.iter()),
                };
                let words = (got(one, good_problem), got(other, bad_problem));
                out.push(Difference::parts(format!("the good one gets {}; the bad one: {}", words.0, words.1)));
            }
            if good_before != bad_before {
                let which = if *good_before { "bad" } else { "good" };
                out.push(Difference::parts(format!("the {which} one asks only after its first handshake")));
            }
            out
        }
        _ => Vec::new(),
    }
}

/// What is said of a step that one of the two did not take. `dhcp` tells whether its trace holds any DHCP of it, and so
/// began early enough.
fn absent(which: &str, item: &Item, dhcp: bool) -> Vec<Difference> {
    vec![match item.kind.as_str() {
        "fetch" => Difference::parts(format!("the {which} one never asks for it")),
        "dhcp" if dhcp => Difference::parts(format!("not in the {which} trace")),
        "dhcp" => Difference::aside(format!("the {which} trace holds no DHCP")),
        "dns" => Difference::aside(format!("the {which} one does not ask for this name")),
        _ => Difference::aside(format!("not in the {which} trace")),
    }]
}

/// Services of both, and of one only.
type Services<'a> = (Vec<(Service<'a>, Service<'a>)>, (Vec<Service<'a>>, Vec<Service<'a>>));

fn services<'a>(good: &'a Device, bad: &'a Device) -> Services<'a> {
    let (ours, theirs) = (servers::services(good), servers::services(bad));
    let pairs: BTreeMap<usize, usize> = servers::pairs(&ours, &theirs).into_iter().collect();
    let mut theirs: Vec<Option<Service<'a>>> = theirs.into_iter().map(Some).collect();
    let (mut shared, mut alone) = (Vec::new(), Vec::new());
    for (index, service) in ours.into_iter().enumerate() {
        match pairs.get(&index).and_then(|at| theirs.get_mut(*at)?.take()) {
            Some(other) => shared.push((service, other)),
            None => alone.push(service),
        }
    }
    (shared, (alone, theirs.into_iter().flatten().collect()))
}

/// How far a clock is off: `5 s ahead`, `7481 days behind`.
fn off(seconds: i64) -> String {
    let side = if seconds < 0 { "behind" } else { "ahead" };
    match seconds.unsigned_abs() {
        0 => "right".into(),
        days if days >= 2 * 86_400 => format!("{} days {side}", days / 86_400),
        seconds => format!("{seconds} s {side}"),
    }
}

/// Steps under construction, each with the first frames of both.
#[derive(Default)]
struct Rows {
    rows: Vec<(Option<u64>, Option<u64>, CompareStep)>,
}

impl Rows {
    fn push(&mut self, good: Option<Item>, bad: Option<Item>, differences: Vec<Difference>) {
        let Some(item) = good.as_ref().or(bad.as_ref()) else { return };
        let (kind, subject) = (item.kind.clone(), item.subject.clone());
        let frames = (good.as_ref().map(|item| item.frame), bad.as_ref().map(|item| item.frame));
        self.add(kind, subject, frames, (good.map(|item| item.side), bad.map(|item| item.side)), differences);
    }

    fn add(
        &mut self,
        kind: String,
        subject: String,
        frames: (Option<u64>, Option<u64>),
        sides: (Option<StepSide>, Option<StepSide>),
        differences: Vec<Difference>,
    ) {
        let step = CompareStep {
            kind,
            subject,
            good: sides.0,
            bad: sides.1,
            differs: !differences.is_empty(),
            parts: differences.iter().any(|difference| difference.parts),
            differences: differences.into_iter().map(|difference| difference.words).collect(),
        };
        self.rows.push((frames.0, frames.1, step));
    }

    /// Adds the devices' own clocks, if one of them is off.
    fn clock(&mut self, good: &Device, bad: &Device) {
        let offset = |device: &Device| device.clock.as_ref().map(|clock| clock.offset_s);
        let (one, other) = (offset(good), offset(bad));
        let is_off = |offset: Option<i64>| offset.is_some_and(|seconds| seconds.unsigned_abs() > SKEW.unsigned_abs());
        if !is_off(one) && !is_off(other) {
            return;
        }
        let side = |device: &Device| {
            device.clock.as_ref().map(|clock| StepSide {
                capture: clock.frames.first().map(|place| place.capture.clone()).unwrap_or_default(),
                frame: clock.frames.first().map(|place| place.frame),
                count: 1,
                summary: format!("{}, by {}", off(clock.offset_s), clock.basis),
                ..StepSide::default()
            })
        };
        let apart = one.unwrap_or_default().abs_diff(other.unwrap_or_default()) > SKEW.unsigned_abs();
        let words = |offset: Option<i64>| offset.map_or("not known".into(), off);
        let difference = apart.then(|| {
            Difference::parts(format!("the good one's clock is {}, the bad one's {}", words(one), words(other)))
        });
        let sides = (side(good), side(bad));
        self.add(
            "clock".into(),
            "the device's own clock".into(),
            (Some(0), Some(0)),
            sides,
            difference.into_iter().collect(),
        );
    }

    fn servers(
        &mut self,
        names: &Names<'_>,
        shared: &[(Service<'_>, Service<'_>)],
        alone: &(Vec<Service<'_>>, Vec<Service<'_>>),
    ) {
        let kind = || "handshake".to_owned();
        for (good, bad) in shared {
            let differences = servers::differences(names, good, bad);
            let frames = (Some(good.frame()), Some(bad.frame()));
            self.add(kind(), good.subject(), frames, (Some(good.side()), Some(bad.side())), differences);
        }
        // A server that only one of the two reached matters if it failed there, or if they share no server at all.
        let never = |service: &Service<'_>, which: &str| {
            let words = format!("the {which} one never connects to it");
            vec![Difference { words, parts: !service.works() || shared.is_empty() }]
        };
        for service in &alone.0 {
            let sides = (Some(service.side()), None);
            self.add(kind(), service.subject(), (Some(service.frame()), None), sides, never(service, "bad"));
        }
        for service in &alone.1 {
            let sides = (None, Some(service.side()));
            self.add(kind(), service.subject(), (None, Some(service.frame())), sides, never(service, "good"));
        }
    }

    /// The steps in the order of the good one; one that only the bad one took comes after the last step that it took
    /// before.
    fn in_order(self) -> Vec<CompareStep> {
        let (mut ours, mut theirs): (Vec<_>, Vec<_>) = self.rows.into_iter().partition(|(good, ..)| good.is_some());
        ours.sort_by_key(|(good, ..)| *good);
        theirs.sort_by_key(|(_, bad, _)| *bad);
        for row in theirs {
            let before = ours.iter().rposition(|(_, bad, _)| bad.is_some_and(|bad| Some(bad) < row.1));
            let after = ours.iter().position(|(_, bad, _)| bad.is_some_and(|bad| Some(bad) > row.1));
            ours.insert(before.map(|at| at + 1).or(after).unwrap_or(ours.len()), row);
        }
        ours.into_iter().map(|(_, _, step)| step).collect()
    }
}
