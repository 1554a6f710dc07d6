//! In: lanes and lines. Out: the ladder: a list in which every line has its words and, beneath them, its arrow across the
//! lanes. Bounded: by the lines. Left to others: colours and sizes, which the style sheet sets.
//!
//! Places across the lanes are per cent of the width, so that the ladder fits whatever room it is given: a whole page, a
//! phone's screen, or half a page beside another ladder. Its words are text of the page, not of the drawing: they wrap, can
//! be selected and found, and are read aloud in order.

use maud::{Markup, html};

use super::arrow::{Arrow, Tone, Way};
use super::lanes::Lane;
use super::steps::{Focus, Line, lines};
use crate::render::shared::Scope;
use crate::report::Device;

/// The ladder of one device, or nothing if it has no events.
pub(super) fn ladder(scope: &Scope<'_>, device: &Device, focus: Focus<'_>, id: &str) -> Markup {
    if device.events.is_empty() {
        return html! {};
    }
    let (lanes, lines) = lines(scope, device, focus);
    let lanes = lanes.list;
    let is_absent = |line: &Line| matches!(line, Line::Arrow(a) | Line::Parting(a, _) if a.way == Way::Absent);
    let absent = lines.iter().any(is_absent);
    html! {
        section aria-labelledby={ (id) "-story" } {
            h3 id={ (id) "-story" } { "What happened" }
            p.hint {
                "Time runs downwards; an arrow is what one side sent to the other."
                @if absent { " The dashed arrow is a step that is not in this capture." }
            }
            div.ladder.(class(lanes.len())) {
                div.heads {
                    @for lane in &lanes { div { b { (lane.title) } " " span { (lane.note) } } }
                }
                div.rungs {
                    (rails(lanes.len()))
                    ol { @for line in &lines { (draw(line, &lanes)) } }
                }
            }
        }
    }
}

/// The style sheet's class for this number of lanes.
fn class(lanes: usize) -> &'static str {
    match lanes {
        0..=2 => "lanes2",
        3 => "lanes3",
        4 => "lanes4",
        5 => "lanes5",
        6 => "lanes6",
        _ => "lanes7",
    }
}

/// The vertical lines, drawn once behind all.
fn rails(lanes: usize) -> Markup {
    html! {
        svg.rails aria-hidden="true" {
            @for lane in 0..lanes { @let x = middle(lane, lanes); line x1=(x) x2=(x) y1="0" y2="100%" {} }
        }
    }
}

/// The middle of a lane, in per cent of the width.
fn middle(lane: usize, lanes: usize) -> String {
    per_cent((2 * lane + 1) * 500 / lanes.max(1))
}

fn draw(line: &Line, lanes: &[Lane]) -> Markup {
    html! {
        @match line {
            Line::Place(words) => li.place { (words) },
            Line::Arrow(arrow) => li.(tone(arrow)) { (rung(arrow, lanes, None)) },
            Line::Parting(arrow, part) => li.(tone(arrow)).parting { (rung(arrow, lanes, Some(part))) },
            Line::Fold(count, arrows) => li.fold {
                details {
                    summary { "… " (count) }
                    ul { @for arrow in arrows {
                        li {
                            @if let Some(time) = &arrow.time { span.time { (time) } " " }
                            @if let Some(frame) = arrow.frame { span.frame { "frame " (frame) } " " }
                            (words(arrow))
                        }
                    } }
                }
            },
        }
    }
}

/// A line's time and words, and beneath them its arrow (D-RENDER-02).
fn rung(arrow: &Arrow, lanes: &[Lane], part: Option<&str>) -> Markup {
    html! {
        div.when {
            @if let Some(time) = &arrow.time { span.time { (time) } " " }
            @if let Some(frame) = arrow.frame { span.frame { "frame " (frame) } }
        }
        div.said {
            @if let Some(part) = part { p.part { (part) } }
            p { (words(arrow)) }
            @if let Some(note) = &arrow.note { br; p.note { (note) } }
        }
        (picture(arrow, lanes))
    }
}

fn words(arrow: &Arrow) -> Markup {
    html! { @if !arrow.tag.is_empty() { b.tag { (arrow.tag) } " " } (arrow.text) }
}

fn tone(arrow: &Arrow) -> &'static str {
    match (arrow.way, arrow.tone) {
        (Way::Absent, _) => "absent",
        (_, Tone::Plain) => "plain",
        (_, Tone::Warn) => "warn",
        (_, Tone::Bad) => "bad",
    }
}

/// The arrow, from lane to lane.
fn picture(arrow: &Arrow, lanes: &[Lane]) -> Markup {
    let Some(lane) = arrow.lane.filter(|lane| arrow.way != Way::Nowhere && *lane < lanes.len()) else {
        return html! {};
    };
    let (near, far) = (middle(0, lanes.len()), middle(lane, lanes.len()));
    let (own, other) = (name(lanes, 0), name(lanes, lane));
    let title = match arrow.way {
        Way::In => format!("from {other} to {own}"),
        Way::Both => format!("{own} and {other}, both ways"),
        Way::Absent => format!("absent: from {own} to {other}"),
        Way::Lost => format!("from {own} to {other}, in vain"),
        Way::Out | Way::Nowhere => format!("from {own} to {other}"),
    };
    html! {
        svg.arrow role="img" {
            title { (title) }
            line x1=(near) x2=(far) y1="8" y2="8" {}
            @if matches!(arrow.way, Way::In | Way::Both) { (shape(&near, "head", "M1 8l9-5v10z")) }
            @if matches!(arrow.way, Way::Out | Way::Both | Way::Absent) { (shape(&far, "head", "M-1 8l-9-5v10z")) }
            @if arrow.way == Way::Lost { (shape(&far, "cross", "M-13 3l10 10m0-10l-10 10")) }
            @if arrow.way == Way::Absent {
                (shape(&before(lane, lanes.len()), "gap", "M-12 0h24v16h-24z"))
                (shape(&before(lane, lanes.len()), "cross", "M-5 3l10 10m0-10l-10 10"))
            }
        }
    }
}

/// A shape beside a place given in per cent.
fn shape(x: &str, class: &str, path: &str) -> Markup {
    html! { svg x=(x) overflow="visible" { path.(class) d=(path) {} } }
}

/// Half a lane before a lane, where no line is.
fn before(lane: usize, lanes: usize) -> String {
    per_cent(lane * 1000 / lanes.max(1))
}

/// Tenths of a per cent, so that integers suffice.
fn per_cent(tenths: usize) -> String {
    format!("{}.{}%", tenths / 10, tenths % 10)
}

fn name(lanes: &[Lane], lane: usize) -> String {
    lanes.get(lane).map_or_else(String::new, |lane| match lane.note.is_empty() {
        true => lane.title.clone(),
        false => format!("{} {}", lane.title, lane.note),
    })
}

#[cfg(test)]
mod tests {
    use crate::render::html::html;
    use crate::render::sample::{event, sample};
    use crate::report::{Alert, Event, Fetch, Outcome, Party, Report, Via};

    /// The lines of the ladder as words, with where their arrows go.
    fn rungs(report: &Report) -> Vec<String> {
        let page = html(report);
        let ladder = page.split_once("<div class=\"rungs\">").unwrap().1.split_once("</ol>").unwrap().0;
        let text = |html: &str| {
            let pieces: Vec<&str> = html.split('<').filter_map(|piece| Some(piece.split_once('>')?.1)).collect();
            pieces.concat().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        ladder.split("<li class").skip(1).map(|line| text(&format!("<li class{line}"))).collect()
    }

    #[test]
    fn every_message_has_its_frame_and_goes_from_lane_to_lane() {
        let mut report = sample();
        let handshake = &mut report.devices[0].handshakes[0];
        handshake.alerts =
            vec![Alert { from: Party::Client, level: "fatal".into(), code: 48, name: "unknown_ca".into(), frame: 15 }];
        handshake.chain.path[0].capture = Some("captures/usb.pcapng".into());
        handshake.chain.path[0].frame = Some(11);
        assert_eq!(
            rungs(&report),
            [
                "12:00:01.113 frame 1DHCP lease, vendor class MS-UC-Clientfrom phone 10.20.30.50 to DHCP / DNS",
                "no certificate fetch on port 80 (the phone in pin.pcapng made one, frames 14–22)absent: from phone \
                 10.20.30.50 to port 80 no fetch seen",
                "12:00:02.020 frame 9TLS ClientHello (up to TLS 1.0, no server name)from phone 10.20.30.50 to port 443 \
                 10.20.30.10",
                "frame 11ServerHello (TLS 1.0), Certificate (lyncpool.contoso.test), ServerHelloDonefrom port 443 \
                 10.20.30.10 to phone 10.20.30.50",
                "frame 15alert: fatal unknown_ca (48)from phone 10.20.30.50 to port 443 10.20.30.10",
            ]
        );
    }

    #[test]
    fn a_download_is_a_request_and_an_answer() {
        let mut report = sample();
        let device = &mut report.devices[0];
        device.events[1] = Event {
            server: Some("10.20.30.10:80".into()),
            ..event("fetch", 4, "12:00:01.500", "POST http://lyncpool.contoso.test/CertProv/")
        };
        device.fetches = vec![Fetch {
            capture: "captures/usb.pcapng".into(),
            stream: Some(0),
            frame: 4,
            time: "2026-01-15T12:00:01.500Z".into(),
            via: Via::Http,
            server: "10.20.30.10:80".into(),
            method: Some("POST".into()),
            url: Some("http://lyncpool.contoso.test/CertProv/".into()),
            status: Some(200),
            content_type: None,
            certificates: vec!["b".repeat(64), "c".repeat(64)],
            problem: None,
            last_frame: Some(6),
        }];
        let lines = rungs(&report);
        assert!(lines[1].contains("POST http://lyncpool.contoso.test/CertProv/from phone"), "{lines:#?}");
        assert!(
            lines[2]
                .starts_with("frame 6200: 2 certificates, Northwind Policy CA 1, Northwind Global Root G1from port 80"),
            "{lines:#?}"
        );
    }

    #[test]
    fn what_is_not_drawn_is_folded_and_can_be_unfolded() {
        let mut report = sample();
        let dns = (0..300).map(|n| event("dns", 100 + n, "12:00:01.200", "A lyncpool.contoso.test"));
        report.devices[0].events.splice(1..1, dns);
        let page = html(&report);
        assert!(page.contains("<summary>… 291 more (DNS)</summary>"), "{page}");
        assert!(page.contains("… 91 more, which the JSON report holds"));
    }

    #[test]
    fn a_handshake_that_worked_ends_without_a_fault() {
        let mut report = sample();
        let handshake = &mut report.devices[0].handshakes[0];
        handshake.history = "CsxnKIFifDdEe".into();
        handshake.outcome = Outcome::Completed;
        let lines = rungs(&report);
        assert!(lines.iter().any(|line| line.starts_with("application data, both ways")), "{lines:#?}");
        assert!(!html(&report).contains("<li class=\"bad\">"));
    }
}
