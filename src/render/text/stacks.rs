//! TLS stacks as text: a line for each, or all that is known of one.
//!
//! In: a [`StacksReport`]. Out: lines. Bounded: by the data. Left to others: which stacks.

use super::line::{Line, Role, wrap};
use super::page::{NARROWEST, Page, TextStyle, print};
use crate::render::shared::words::{shorten, width};
use crate::report::{StackEntry, StackMeasured, StackVerdict, StacksReport};

/// Columns of the widest answer: `certificate_unknown after`.
const ANSWER: usize = 34;

/// Each stack in a line: its name in the data, name and version, and how many defects it refuses.
pub fn stacks_text(report: &StacksReport, style: &TextStyle) -> String {
    let widest = |text: fn(&StackEntry) -> String| {
        report.stacks.iter().map(|stack| width(&text(stack))).max().unwrap_or_default() + 2
    };
    let (id, name) = (widest(|stack| stack.id.clone()), widest(title));
    let mut page = Page::default();
    for stack in &report.stacks {
        let line = Line::at(0, Role::Strong, &stack.id).pad(id).push(Role::Plain, &title(stack)).pad(id + name);
        page.push(line.push(Role::Plain, &summary(stack, report.defects.len())));
    }
    print(&[page], style.color)
}

fn title(stack: &StackEntry) -> String {
    format!("{} {}", stack.name, stack.versions)
}

fn summary(stack: &StackEntry, defects: usize) -> String {
    let refused = stack.answers.iter().filter(|answer| answer.answer == StackVerdict::Refuses).count();
    match stack.answers.len() {
        0 => format!("documented only, {} of {defects} defects", stack.documented.len()),
        all => format!("refuses {refused} of {all} defects, as recorded"),
    }
}

/// All that is known of each stack: what it refuses and how, what it accepts, what is only documented.
pub fn stack_text(report: &StacksReport, style: &TextStyle) -> String {
    let room = style.width.max(NARROWEST);
    let pages: Vec<Page> = report.stacks.iter().map(|stack| of(report, stack, room)).collect();
    print(&pages, style.color)
}

fn of(report: &StacksReport, stack: &StackEntry, room: usize) -> Page {
    let mut page =
        Page::one(Line::at(0, Role::Strong, &title(stack)).push(Role::Plain, &format!("  {}", stack.program)));
    if let Some(tls) = &stack.tls {
        page.push(Line::at(
            0,
            Role::Dim,
            &format!("{}; measured with {tls}: {}", summary(stack, report.defects.len()), stack.captures.join(", ")),
        ));
    }
    for refuses in [true, false] {
        let answers = stack.answers.iter().filter(|it| (it.answer == StackVerdict::Refuses) == refuses);
        let mut answers = answers.peekable();
        if answers.peek().is_some() {
            page.push(Line::default());
            page.push(Line::at(0, Role::Strong, if refuses { "refuses" } else { "accepts" }));
        }
        for answer in answers {
            let told = if refuses { in_words(answer) } else { String::new() };
            row(&mut page, report, answer, &told, room);
        }
    }
    if !stack.documented.is_empty() {
        page.push(Line::default());
        page.push(Line::at(0, Role::Strong, "not measured"));
    }
    for each in &stack.documented {
        row(&mut page, report, &each.answer, &in_words(&each.answer), room);
        let source = format!("{}: {}", each.provenance.as_str(), each.source);
        wrap(&source, room - 9, room - 9).iter().for_each(|part| page.push(Line::at(9, Role::Dim, part)));
    }
    page
}

/// What a stack does, as a word or two.
fn in_words(answer: &StackMeasured) -> String {
    let how = match (&answer.alert, answer.how) {
        (Some(alert), _) => alert.clone(),
        (None, Some(how)) => format!("{}s", how.as_str()),
        (None, None) => answer.answer.as_str().to_owned(),
    };
    if answer.after { format!("{how} after the handshake") } else { how }
}

fn row(page: &mut Page, report: &StacksReport, answer: &StackMeasured, told: &str, room: usize) {
    let defect = report.defects.iter().find(|defect| defect.id == answer.defect);
    let (code, words) = defect.map_or(("", answer.defect.as_str()), |defect| (&defect.code, &defect.words));
    let column = if told.is_empty() { 9 } else { 9 + ANSWER };
    let mut line = Line::at(2, Role::Plain, code).pad(9).push(Role::Plain, &shorten(told, ANSWER - 2));
    for part in wrap(words, room.saturating_sub(column).max(20), room.saturating_sub(column).max(20)) {
        page.push(std::mem::take(&mut line).pad(column).push(Role::Plain, &part));
    }
}
