//! In: a device's events. Out: lanes and the lines of a ladder, first to last. Bounded: about [`EVENTS`] events are drawn;
//! what is left out between two of them is folded, and of a fold at most [`FOLDED`] are listed. Left to others: the drawing.

use super::arrow::{Arrow, CLOCK, Tone, Way};
use super::certificates::names;
use super::lanes::Lanes;
use super::messages;
use super::parting::{Parting, Spot};
use crate::render::shared::Scope;
use crate::render::shared::story::{date, most_telling, tag, tags, told};
use crate::render::shared::words::{date_and_clock, shorten};
use crate::report::{Device, Event, EventDetail, EventKind, Fetch, Finding, Handshake, Outcome};

/// The most events drawn; the text tells as many.
const EVENTS: usize = 12;

/// The most events listed in one fold.
const FOLDED: usize = 200;

/// The longest words on one arrow.
const WORDS: usize = 300;

/// One line, from top to bottom.
pub(super) enum Line {
    /// From here on another capture or another day.
    Place(String),
    /// What was said.
    Arrow(Arrow),
    /// What was said where two stories part, and how they differ.
    Parting(Arrow, String),
    /// What is left out: how many events of which kinds, and the events.
    Fold(String, Vec<Arrow>),
}

/// What a story must tell, and what it tells in full.
#[derive(Clone, Copy)]
pub(super) struct Focus<'a> {
    /// The finding that the story explains.
    pub(super) headline: Option<&'a Finding>,
    /// The one handshake that is drawn message by message; without it the first.
    pub(super) handshake: Option<&'a Handshake>,
    /// Where the story parts from another one.
    pub(super) parting: Option<&'a Parting<'a>>,
}

/// Lanes and lines of a device's story.
pub(super) fn lines(scope: &Scope<'_>, device: &Device, focus: Focus<'_>) -> (Lanes, Vec<Line>) {
    let Focus { headline, handshake, parting } = focus;
    let mut kept = most_telling(device, headline, EVENTS);
    let spot = parting.map(|parting| (parting, parting.spot(device)));
    kept.extend(spot.map(|(_, spot)| spot.index()).filter(|index| *index < device.events.len()));
    kept.sort_unstable();
    kept.dedup();
    let told = kept.iter().filter_map(|index| device.events.get(*index));
    let teller = Teller {
        scope,
        device,
        lanes: Lanes::of(scope, device, told),
        in_full: handshake.or(device.handshakes.first()),
        headline,
        several: device.events.iter().any(|event| device.events.first().is_some_and(|f| f.capture != event.capture)),
    };
    let mut lines = Vec::new();
    let mut place = (None, device.events.iter().find_map(date));
    let mut next = 0;
    kept.push(device.events.len());
    for index in kept {
        match device.events.get(next..index).unwrap_or_default() {
            [] => {}
            left_out => lines.push(teller.fold(left_out)),
        }
        let parts_at = |at: Spot| spot.and_then(|(parting, spot)| (spot == at).then_some(parting));
        lines.extend(parts_at(Spot::Before(index)).map(|parting| Line::Parting(parting.gap(), parting.words())));
        if let Some(event) = device.events.get(index) {
            lines.extend(teller.place(&mut place, event));
            let mut arrows = teller.arrows(event).into_iter();
            if let Some(parting) = parts_at(Spot::At(index)) {
                lines.extend(arrows.next().map(|arrow| Line::Parting(arrow, parting.words())));
            }
            lines.extend(arrows.map(Line::Arrow));
        }
        next = index + 1;
    }
    (teller.lanes, lines)
}

struct Teller<'a> {
    scope: &'a Scope<'a>,
    device: &'a Device,
    lanes: Lanes,
    /// The one handshake that is drawn message by message.
    in_full: Option<&'a Handshake>,
    headline: Option<&'a Finding>,
    /// Whether the events come from more than one capture, so that a change must be named.
    several: bool,
}

impl Teller<'_> {
    fn place<'e>(&self, place: &mut (Option<&'e str>, Option<String>), event: &'e Event) -> Option<Line> {
        let mut words = Vec::new();
        if self.several && place.0 != Some(event.capture.as_str()) {
            place.0 = Some(&event.capture);
            words.push(self.scope.capture(&event.capture));
        }
        let day = date(event).filter(|day| place.1.as_ref() != Some(day));
        if day.is_some() {
            words.extend(day.clone());
            place.1 = day;
        }
        (!words.is_empty()).then(|| Line::Place(words.join(", ")))
    }

    fn fold(&self, events: &[Event]) -> Line {
        let kinds = tags(events).join(", ");
        let kinds = if kinds.is_empty() { kinds } else { format!(" ({kinds})") };
        let mut arrows: Vec<Arrow> = events.iter().take(FOLDED).map(|event| self.whole(event)).collect();
        if events.len() > FOLDED {
            let text = format!("… {} more, which the JSON report holds", events.len() - FOLDED);
            arrows.push(Arrow::remark(Tone::Plain, text));
        }
        Line::Fold(format!("{} more{kinds}", events.len()), arrows)
    }

    /// An event as one arrow.
    fn whole(&self, event: &Event) -> Arrow {
        let failed = |h: &Handshake| !matches!(h.outcome, Outcome::Completed | Outcome::Undetermined);
        let (way, tone) = match event.kind {
            EventKind::Absent => (Way::Absent, Tone::Warn),
            EventKind::Connect => (Way::Lost, Tone::Bad),
            EventKind::Lldp => (Way::In, Tone::Plain),
            EventKind::Dhcp if is_answer(event) => (Way::In, Tone::Plain),
            EventKind::Dhcp => (Way::Out, Tone::Plain),
            EventKind::Handshake if self.handshake(event).is_some_and(failed) => (Way::Both, Tone::Bad),
            _ => (Way::Both, Tone::Plain),
        };
        let lane = self.lanes.find(event);
        Arrow {
            time: event.time.as_deref().map(|time| shorten(&date_and_clock(time).1, CLOCK)),
            frame: event.frame,
            lane,
            way: if lane.is_some() { way } else { Way::Nowhere },
            tone,
            tag: tag(event.kind.as_str()),
            text: shorten(&told(self.scope, event), WORDS),
            note: None,
        }
    }

    /// An event as all its arrows.
    fn arrows(&self, event: &Event) -> Vec<Arrow> {
        let Some(lane) = self.lanes.find(event) else { return vec![self.whole(event)] };
        if let Some(handshake) = self.handshake(event).filter(|h| self.in_full.is_some_and(|full| full.id == h.id)) {
            let mut arrows = messages::arrows(self.scope, handshake, lane, self.headline);
            if handshake.repeats > 0 {
                let text = format!("{} more handshakes were like this one", handshake.repeats);
                arrows.push(Arrow::remark(Tone::Plain, text));
            }
            if !arrows.is_empty() {
                return arrows;
            }
        }
        match self.fetch(event) {
            Some(fetch) => self.download(event, fetch, lane),
            None => vec![self.whole(event)],
        }
    }

    /// A fetch as request and answer.
    fn download(&self, event: &Event, fetch: &Fetch, lane: usize) -> Vec<Arrow> {
        let asked = match (&fetch.method, &fetch.url) {
            (method, Some(url)) => format!("{} {url}", method.as_deref().unwrap_or(fetch.via.as_str())),
            (_, None) => event.summary.clone(),
        };
        let names = names(self.scope, &fetch.certificates);
        // An LDAP result of 0 is success.
        let status = fetch.status.filter(|status| *status != 0);
        let status = status.map(|status| format!("{status}: ")).unwrap_or_default();
        let answer = match (&fetch.problem, fetch.certificates.len()) {
            (Some(problem), _) => format!("{status}{problem}"),
            (None, 0) => format!("{status}no certificate"),
            (None, 1) => format!("{status}one certificate, {names}"),
            (None, n) => format!("{status}{n} certificates, {names}"),
        };
        let bad = fetch.problem.is_some() || fetch.certificates.is_empty();
        let request = Arrow { way: Way::Out, text: shorten(&asked, WORDS), ..self.whole(event) };
        let answered = fetch.status.is_some() || fetch.last_frame.is_some();
        let answer = Arrow {
            frame: fetch.last_frame,
            lane: Some(lane),
            way: if answered { Way::In } else { Way::Nowhere },
            ..Arrow::remark(if bad { Tone::Bad } else { Tone::Plain }, shorten(&answer, WORDS))
        };
        vec![request, answer]
    }

    fn handshake(&self, event: &Event) -> Option<&Handshake> {
        let same = |h: &&Handshake| Some(h.frame) == event.frame && h.capture == event.capture;
        self.device.handshakes.iter().find(same).filter(|_| event.kind == EventKind::Handshake)
    }

    fn fetch(&self, event: &Event) -> Option<&Fetch> {
        let same = |f: &&Fetch| Some(f.frame) == event.frame && f.capture == event.capture;
        self.device.fetches.iter().find(same).filter(|_| event.kind == EventKind::Fetch)
    }
}

/// Whether a DHCP message comes from a server (RFC 2131 section 3.1).
fn is_answer(event: &Event) -> bool {
    let Some(EventDetail::Dhcp(dhcp)) = &event.detail else { return false };
    matches!(dhcp.message.as_str(), "ACK" | "OFFER" | "NAK")
}
