//! The end of the text: what the captures withheld, and how many devices have which verdict.
//!
//! In: the report's captures, limits and verdicts. Out: a line each. Bounded: [`PROBLEMS`] lines for one capture. Left to
//! others: what counts as a problem.

use super::line::{Line, Role, wrap};
use super::page::{Page, View};
use crate::render::shared::dropped;
use crate::render::shared::many::tally;
use crate::render::shared::words::shorten;
use crate::report::Capture;

/// The most problems listed for one capture.
const PROBLEMS: usize = 10;

/// What could not be read, and what was dropped.
pub(super) fn withheld(view: &View<'_>) -> Page {
    let mut page = Page::default();
    let mut say = |text: &str| {
        for (index, text) in wrap(&shorten(text, 600), view.room(2), view.room(4)).iter().enumerate() {
            page.push(match index {
                0 => Line::at(0, Role::Warning, "!").push(Role::Plain, " ").push(Role::Plain, text),
                _ => Line::at(4, Role::Plain, text),
            });
        }
    };
    for capture in &view.scope.report.captures {
        problems(capture, &mut say);
    }
    dropped(view.scope.report).iter().for_each(|line| say(line));
    page
}

fn problems(capture: &Capture, say: &mut impl FnMut(&str)) {
    let path = shorten(&capture.path, 120);
    for problem in capture.problems.iter().take(PROBLEMS) {
        say(&format!("{path}: {problem}"));
    }
    if capture.problems.len() > PROBLEMS {
        say(&format!("{path}: … {} more problems", capture.problems.len() - PROBLEMS));
    }
    for note in &capture.notes {
        say(&format!("{path}: {note}"));
    }
    if capture.cut_packets > 0 {
        let (cut, all) = (capture.cut_packets, capture.packets);
        say(&format!("{path}: of {cut} of {all} packets the capture kept less than was on the wire"));
    }
}

/// `3 devices: 1 fails, 2 ok`, if there is more than one.
pub(super) fn count(view: &View<'_>) -> Page {
    let report = view.scope.report;
    if report.totals.devices < 2 {
        return Page::default();
    }
    Page::one(Line::at(0, Role::Strong, &tally(report)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{ok, sample, sample_text};

    #[test]
    fn devices_are_counted_last() {
        let mut report = sample();
        report.devices.push(ok("10.20.30.51"));
        report.devices.push(ok("10.20.30.52"));
        let text = sample_text(&report);
        assert_eq!(text.lines().last(), Some("3 devices: 1 fails, 2 ok"));
        assert!(text.contains("\n\n✓ 10.20.30.51"), "blocks stand apart: {text}");
        assert!(!sample_text(&sample()).contains("1 devices"));
    }

    #[test]
    fn a_capture_full_of_problems_is_cut_short() {
        let mut report = sample();
        report.captures[0].problems = (0..500).map(|n| format!("block {n} is damaged")).collect();
        let text = sample_text(&report);
        assert_eq!(text.matches("is damaged").count(), PROBLEMS);
        assert!(text.ends_with("! captures/pin.pcapng: … 490 more problems\n"), "{text}");
    }
}
