//! The story of a device, one event a line.
//!
//! In: a device's events in order, and the finding that is its headline. Out: at most [`LINES`] lines with time, frame,
//! kind and summary, or twice as many on a narrow page. Bounded: by that; what is folded is counted in `… 5 more`. Left to others: which events there are.

use super::line::{Line, Role, wrap};
use super::page::{Page, View};
use crate::render::shared::story::{date, most_telling, tag, tags, told};
use crate::render::shared::words::{date_and_clock, shorten, width};
use crate::report::{Device, Event, EventKind, Finding};

/// The most lines that a timeline takes.
pub(super) const LINES: usize = 12;

/// Columns of a summary below which the timeline may take twice as many lines.
const NARROW: usize = 60;

/// Characters of a summary that are shown on any page: a handshake's letters and its end are never cut.
const SUMMARY: usize = 160;

/// The timeline of a device, or nothing if it has no events.
pub(super) fn timeline(page: &mut Page, view: &View<'_>, device: &Device, headline: Option<&Finding>) {
    if device.events.is_empty() {
        return;
    }
    let shape = Shape::of(view, device);
    let mut kept = most_telling(device, headline, LINES);
    let mut rows = shape.rows(device, &kept);
    // On a narrow page an event takes two or three lines.
    let most = if view.room(shape.summary) < NARROW { 2 * LINES } else { LINES };
    while rows.len() > most && kept.len() > 1 {
        kept.pop();
        rows = shape.rows(device, &kept);
    }
    page.blank();
    for row in rows {
        page.push(row);
    }
}

/// The columns of one device's timeline.
struct Shape<'a> {
    view: &'a View<'a>,
    /// Whether the events come from more than one capture, so that a change must be named.
    several_captures: bool,
    frame: usize,
    kind: usize,
    summary: usize,
}

impl<'a> Shape<'a> {
    fn of(view: &'a View<'a>, device: &Device) -> Self {
        let widest = |f: fn(&Event) -> usize| device.events.iter().map(f).max().unwrap_or(0);
        let clock = widest(|event| event.time.as_deref().map_or(0, |time| width(&date_and_clock(time).1)));
        let digits = widest(|event| event.frame.map_or(0, |frame| width(&frame.to_string()))).max(3);
        let tag = widest(|event| width(&tag(event.kind.as_str())));
        let first = device.events.first().map(|event| &event.capture);
        let frame = if clock == 0 { 2 } else { 2 + clock.min(15) + 2 };
        let kind = frame + "frame ".len() + digits + 3;
        Self {
            view,
            several_captures: device.events.iter().any(|event| Some(&event.capture) != first),
            frame,
            kind,
            summary: kind + tag + 2,
        }
    }

    /// The lines for the events kept, in their order, and a count wherever others are left out.
    fn rows(&self, device: &Device, kept: &[usize]) -> Vec<Line> {
        let mut order: Vec<usize> = kept.to_vec();
        order.sort_unstable();
        order.push(device.events.len());
        let mut rows = Vec::new();
        let mut place = Place { capture: None, date: device.events.iter().find_map(date) };
        let mut next = 0;
        for index in order {
            match device.events.get(next..index).unwrap_or_default() {
                [] => {}
                // A count of one would take as much room as what it counts.
                [only] => self.event(&mut rows, &mut place, only),
                left_out => rows.push(self.count(left_out)),
            }
            if let Some(event) = device.events.get(index) {
                self.event(&mut rows, &mut place, event);
            }
            next = index + 1;
        }
        rows
    }

    fn event<'e>(&self, rows: &mut Vec<Line>, place: &mut Place<'e>, event: &'e Event) {
        self.place(rows, place, event);
        let mut line = Line::default();
        if let Some(time) = &event.time {
            line = Line::at(2, Role::Plain, &shorten(&date_and_clock(time).1, 15));
        }
        let absent = event.kind == EventKind::Absent;
        let digits = self.kind - self.frame - "frame ".len() - 3;
        line = match event.frame {
            Some(frame) => {
                line.column(self.frame).push(Role::Dim, "frame ").push(Role::Plain, &format!("{frame:>digits$}"))
            }
            None if absent => line.column(self.kind - 3 - 4).push(Role::Warning, "····"),
            None => line,
        };
        let role =
            if matches!(event.kind, EventKind::Fetch | EventKind::Handshake) { Role::Strong } else { Role::Plain };
        line = line.column(self.kind).push(role, &tag(event.kind.as_str()));
        let room = self.view.room(self.summary);
        let text = shorten(&told(&self.view.scope, event), (room * 2).max(SUMMARY));
        let role = if absent { Role::Warning } else { Role::Plain };
        for text in wrap(&text, room, room) {
            rows.push(std::mem::take(&mut line).pad(self.summary).push(role, &text));
        }
    }

    /// A line of its own where the capture or the date changes: frames and times mean nothing without them.
    fn place<'e>(&self, rows: &mut Vec<Line>, place: &mut Place<'e>, event: &'e Event) {
        let mut words = Vec::new();
        if self.several_captures && place.capture != Some(event.capture.as_str()) {
            place.capture = Some(&event.capture);
            words.push(self.view.capture(&event.capture));
        }
        if let Some(date) = date(event)
            && place.date.as_ref() != Some(&date)
        {
            words.push(date.clone());
            place.date = Some(date);
        }
        if !words.is_empty() {
            rows.push(Line::at(2, Role::Dim, &words.join(", ")));
        }
    }

    fn count(&self, left_out: &[Event]) -> Line {
        let kinds = tags(left_out);
        let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
        let text = format!("… {} more{kinds}", left_out.len());
        Line::at(self.summary, Role::Dim, &shorten(&text, self.view.room(self.summary)))
    }
}

/// The capture and the date of the line before.
struct Place<'e> {
    capture: Option<&'e str>,
    date: Option<String>,
}

#[cfg(test)]
mod tests {
    use crate::render::sample::{event, sample, sample_text};

    fn timeline_lines(text: &str) -> Vec<&str> {
        text.lines().skip_while(|line| !line.is_empty()).skip(1).take_while(|line| !line.is_empty()).collect()
    }

    #[test]
    fn shows_time_frame_kind_and_summary() {
        let text = sample_text(&sample());
        assert!(text.contains("  12:00:01.113  frame   1   DHCP  lease, vendor class MS-UC-Client\n"), "{text}");
        assert!(text.contains("  12:00:02.020  frame   9   TLS   10.20.30.10:443"), "{text}");
    }

    #[test]
    fn an_absent_step_stands_without_a_frame_and_says_where_it_was_seen() {
        let text = sample_text(&sample());
        let line = text.lines().find(|line| line.contains("····")).unwrap();
        assert!(line.contains("no certificate fetch on port 80"), "{line}");
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("(the phone in pin.pcapng made one, frames 14–22)"), "{text}");

        let mut told = sample();
        told.devices[0].events[1].summary = "no fetch; pin.pcapng shows one in frames 14–22".into();
        assert!(!sample_text(&told).contains("made one"));
    }

    #[test]
    fn folds_repetitions_and_keeps_what_decides() {
        let mut report = sample();
        let mut events = vec![report.devices[0].events[0].clone()];
        events.extend((0..500).map(|n| event("dns", 100 + n, "12:00:01.200", "A lyncpool.contoso.test")));
        events.extend((0..300).map(|n| event("http", 700 + n, "12:00:01.300", "GET /RequestHandler/Files/x.nbt")));
        events.extend(report.devices[0].events.drain(1..));
        report.devices[0].events = events;
        let text = sample_text(&report);
        let lines = timeline_lines(&text);
        assert!(lines.len() <= 12, "{text}");
        assert!(lines.iter().any(|line| line.contains("more (DNS, HTTP)") || line.contains("more (DNS)")), "{text}");
        assert!(text.contains("frame    9   TLS") || text.contains("frame   9   TLS"), "{text}");
        assert!(text.contains("no certificate fetch"), "{text}");
    }

    #[test]
    fn names_the_capture_and_the_date_where_they_change() {
        let mut report = sample();
        let mut later = event("handshake", 3, "12:00:00.000", "10.20.30.10:443 completed");
        later.capture = "captures/later.pcapng".into();
        later.time = Some("2026-01-17T12:00:00.000Z".into());
        report.devices[0].events.push(later);
        let text = sample_text(&report);
        assert!(text.contains("\n  usb.pcapng\n"), "{text}");
        assert!(text.contains("\n  later.pcapng, 2026-01-17\n"), "{text}");
    }

    #[test]
    fn a_narrow_page_keeps_the_letters_and_the_end_of_a_handshake() {
        let text = crate::render::text(&sample(), &crate::render::TextStyle { color: false, width: 60 });
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("TLS 1.0 CsxnL client: fatal unknown_ca, frame 15"), "{text}");
        assert!(words.contains("(the phone in pin.pcapng made one, frames 14–22)"), "{text}");
    }
}
