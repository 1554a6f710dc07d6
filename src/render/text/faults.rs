//! The text of many devices: their sum, the faults by server, an example of each fault, then the other devices by address.
//!
//! In: a report. Out: its first blocks. Bounded: [`FAULTS`] faults, [`LINES`] lines of examples, [`ROWS`] rows of other
//! devices. Left to others: what concerns no device, and what was withheld.

use super::device::{Title, whole};
use super::line::{Line, Role, wrap};
use super::page::{Page, TextStyle, View};
use super::sign::{mark, role};
use crate::render::shared::many::{Row, examples, extent, faults, headline, others, subject_of, tally, turn};
use crate::render::shared::words::{date_and_clock, seconds, shorten};
use crate::render::shared::{Scope, subject};
use crate::report::{Device, Fault, Report, Severity};

/// The most faults listed, with a few lines each.
const FAULTS: usize = 12;

/// The most lines that examples take in full; at least one is shown, the others take a line each.
const LINES: usize = 64;

/// The most examples, in full or not.
const EXAMPLES: usize = 12;

/// The most rows of other devices.
const ROWS: usize = 12;

/// The most ranges in one row.
const RANGES: usize = 8;

/// The blocks before what concerns no device.
pub(super) fn blocks(view: &View<'_>, style: &TextStyle) -> Vec<Page> {
    let report = view.scope.report;
    let faults = faults(report);
    let examples = examples(report, &faults);
    let mut blocks = vec![sum(view)];
    blocks.extend(faults.iter().take(FAULTS).map(|fault| of_fault(view, fault)));
    if let Some(more) = faults.len().checked_sub(FAULTS).filter(|more| *more > 0) {
        let text = format!("… {more} more faults, which --format json lists");
        blocks.push(Page::one(Line::at(0, Role::Dim, &text)));
    }
    blocks.extend(in_full(view, style, &examples));
    let rows = others(report, view.scope.index, &examples, RANGES);
    blocks.push(beside(view, &rows, !examples.is_empty()));
    blocks
}

/// How many devices there are, with which verdicts, and what was read.
fn sum(view: &View<'_>) -> Page {
    let report = view.scope.report;
    let mut page = Page::one(Line::at(0, Role::Strong, &tally(report)));
    let names: Vec<String> = report.captures.iter().take(3).map(|capture| view.capture(&capture.path)).collect();
    let more = report.captures.len().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let text = format!("{}{more}{}", names.join(", "), time_of(report).unwrap_or_default());
    page.push(Line::at(2, Role::Plain, &shorten(&text, view.room(2))));
    page
}

/// `, 2026-01-15 12:00:00 to 12:20:00 UTC`: the time that the captures cover.
fn time_of(report: &Report) -> Option<String> {
    let first = report.captures.iter().filter_map(|capture| capture.first_time.as_deref()).min()?;
    let last = report.captures.iter().filter_map(|capture| capture.last_time.as_deref()).max()?;
    let (day, until) = (date_and_clock(first).0, date_and_clock(last).0);
    let until = if until == day { String::new() } else { format!("{until} ") };
    Some(format!(", {day} {} to {until}{} UTC", seconds(first), seconds(last)))
}

/// A fault: its server, what is missing, how many devices, since when.
fn of_fault(view: &View<'_>, fault: &Fault) -> Page {
    let scope = scope_of(view, fault);
    let mut page = Page::default();
    let mark = if fault.severity == Severity::Error { "✗" } else { "!" };
    let tag = format!("{} · {} · {}", shorten(&fault.code, 10), fault.severity.as_str(), fault.proof.as_str());
    let (subject, summary) = (subject_of(fault), headline(&fault.summary, 400));
    let title = Title { mark, role: role(fault.severity), subject, summary: &summary, tag: Some(tag) };
    let extent = extent(&scope, fault).join(", ");
    title.print(&mut page, view, Some(&extent));
    if let Some(line) = &fault.timeline {
        let room = view.room(2);
        wrap(&turn(fault, line), room, room).iter().for_each(|text| page.push(Line::at(2, Role::Strong, text)));
    }
    page
}

/// The report as seen from the example of a fault.
fn scope_of<'a>(view: &View<'a>, fault: &Fault) -> Scope<'a> {
    let report = view.scope.report;
    let example = fault.example.as_ref();
    let device = example.and_then(|example| report.devices.iter().find(|device| device.id == example.device));
    Scope::of(report, view.scope.index, device)
}

/// The examples of the faults: in full while there is room, then a line each.
fn in_full(view: &View<'_>, style: &TextStyle, examples: &[(&Device, Vec<&Fault>)]) -> Vec<Page> {
    let mut lines = 0;
    let mut blocks: Vec<Page> = Vec::new();
    for (device, _) in examples.iter().take(EXAMPLES) {
        let own = View::of(view.scope.report, view.scope.index, style, Some(device));
        let mut page = Page::one(Line::at(0, Role::Dim, "for example"));
        page.lines.extend(whole(&own, device, own.scope.findings(device)).lines);
        if blocks.is_empty() || lines + page.lines.len() <= LINES {
            lines += page.lines.len();
            blocks.push(page);
        } else {
            lines = LINES;
            blocks.push(Page::one(brief(&own, device)));
        }
    }
    if let Some(more) = examples.len().checked_sub(EXAMPLES).filter(|more| *more > 0) {
        blocks.push(Page::one(Line::at(0, Role::Dim, &format!("… {more} more examples"))));
    }
    blocks
}

/// A device in one line.
fn brief(view: &View<'_>, device: &Device) -> Line {
    let (mark, role) = mark(device.verdict.status);
    let line = Line::at(0, role, mark).push(Role::Strong, &format!(" {}", subject(device))).push(Role::Plain, "  ");
    let room = view.room(line.width());
    line.push(Role::Plain, &headline(&device.verdict.summary, room))
}

/// The devices that are no examples, those of one fault in one row.
fn beside(view: &View<'_>, rows: &[Row<'_>], has_examples: bool) -> Page {
    let mut page = Page::default();
    if rows.is_empty() {
        return page;
    }
    let whose = if has_examples { "the other devices" } else { "the devices" };
    page.push(Line::at(0, Role::Dim, &format!("{whose}; --device ADDRESS shows one of them in full")));
    for row in rows.iter().take(ROWS) {
        let (_, role) = mark(row.verdict);
        let line = Line::at(0, role, row.mark()).push(Role::Strong, &format!(" {}", row.devices));
        let room = view.room(line.width() + 2);
        page.push(line.push(Role::Plain, "  ").push(Role::Plain, &row.in_words(room)));
        let room = view.room(4);
        wrap(&row.places.join(", "), room, room).iter().for_each(|text| page.push(Line::at(4, Role::Dim, text)));
    }
    if let Some(more) = rows.len().checked_sub(ROWS).filter(|more| *more > 0) {
        page.push(Line::at(0, Role::Dim, &format!("… {more} more kinds")));
    }
    page
}
