//! A preflight as text: for each profile one verdict line, the chain, what is wrong and what to add.
//!
//! In: a [`PreflightReport`]. Out: lines. Bounded: by the chain and the profiles. Left to others: judgement.

use super::line::{Line, Role, wrap};
use super::page::TextStyle;
use super::sign::role;
use crate::render::shared::finding::tag;
use crate::render::shared::words::shorten;
use crate::report::{PreflightProfile, PreflightReport, Prospect, StackVerdict, StepFrom};

/// Column at which the lines of a profile begin.
const INDENT: usize = 4;
/// What goes before a line about the file.
const NOTE: &str = "in the file  ";

/// Renders a preflight.
pub fn preflight_text(report: &PreflightReport, style: &TextStyle) -> String {
    let mut lines = Vec::new();
    for profile in &report.profiles {
        verdict(&mut lines, profile);
        path(&mut lines, profile, report);
        findings(&mut lines, profile, style.width.max(40));
        lines.push(Line::default());
    }
    stacks(&mut lines, report, style.width.max(40));
    lines.pop();
    let room = style.width.max(40).saturating_sub(NOTE.len());
    for problem in &report.problems {
        for (at, part) in wrap(problem, room, room).iter().enumerate() {
            let head = if at == 0 { NOTE } else { "" };
            lines.push(Line::at(0, Role::Dim, head).pad(NOTE.len()).push(Role::Plain, part));
        }
    }
    lines.iter().map(|line| format!("{}\n", line.print(style.color))).collect()
}

fn verdict(lines: &mut Vec<Line>, profile: &PreflightProfile) {
    let (mark, role) = match (profile.usb, profile.pin) {
        (Prospect::Works, _) => ("✓", Role::Good),
        (_, Prospect::Works | Prospect::WorksIfFetched) => ("!", Role::Warning),
        (Prospect::Fails, _) => ("✗", Role::Bad),
        _ => ("?", Role::Warning),
    };
    let words = match (profile.usb, profile.pin) {
        (Prospect::Works, _) => "would work, with nothing fetched before",
        (Prospect::WorksIfFetched, _) => "would work if the device can download what is missing",
        (Prospect::Undecided, _) => "cannot be told from these certificates",
        (Prospect::Fails, Prospect::WorksIfFetched) => {
            "would fail over USB, and work after a PIN sign-in if the web service hands out what is missing"
        }
        (Prospect::Fails, _) => "would not work",
    };
    lines.push(
        Line::default()
            .push(role, mark)
            .push(Role::Strong, &format!(" {}", shorten(&profile.name, 60)))
            .push(Role::Plain, &format!("  {words}")),
    );
}

fn path(lines: &mut Vec<Line>, profile: &PreflightProfile, report: &PreflightReport) {
    let complete = !profile.chain.missing.is_empty();
    let steps = if complete { &profile.chain.completed_path } else { &profile.chain.path };
    for step in steps {
        let certificate = step.sha256.as_ref().and_then(|sha| report.certificates.get(sha));
        let is_root = certificate.is_some_and(|certificate| certificate.subject == certificate.issuer);
        let place = match (step.from, &step.source) {
            (StepFrom::Sent, _) => "in the chain".to_owned(),
            (StepFrom::Anchor, Some(source)) => format!("trusted ({})", shorten(source, 60)),
            (StepFrom::Installed, _) if is_root => "installed on the device, but not as trusted".to_owned(),
            (StepFrom::Installed, _) => "installed on the device".to_owned(),
            (_, Some(source)) => format!("MISSING; it is in {}", shorten(source, 60)),
            (_, None) => "MISSING".to_owned(),
        };
        let name = certificate.map_or(&step.subject, |certificate| &certificate.subject);
        lines.push(Line::at(INDENT, Role::Plain, &shorten(name, 60)).column(INDENT + 62).push(Role::Dim, &place));
    }
    for missing in profile.chain.missing.iter().filter(|missing| missing.candidates.is_empty()) {
        let line = Line::at(INDENT, Role::Plain, &shorten(&missing.subject, 60)).column(INDENT + 62);
        lines.push(line.push(Role::Bad, "MISSING; not in any file given"));
    }
}

/// What goes before the first line about stacks.
const STACKS: &str = "stacks  ";

/// Which TLS stacks would refuse the chain, those together that refuse it for one reason in one way.
fn stacks(lines: &mut Vec<Line>, report: &PreflightReport, width: usize) {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for stack in report.stacks.iter().filter(|stack| stack.answer == StackVerdict::Refuses) {
        let how = stack.alert.clone().unwrap_or_else(|| "no alert".to_owned());
        let after = if stack.after { " after the handshake" } else { "" };
        let why = stack.why.as_deref().unwrap_or_default();
        let reason = format!("({how}{after}, {}): {why}", stack.basis.as_str());
        let title = format!("{} {}", stack.name, stack.versions);
        match groups.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, titles)) => titles.push(title),
            None => groups.push((reason, vec![title])),
        }
    }
    let refused: usize = groups.iter().map(|(_, titles)| titles.len()).sum();
    let rest = match report.stacks.len().saturating_sub(refused) {
        _ if groups.is_empty() => return,
        0 => "none of the measured stacks would accept it".to_owned(),
        1 => "the other one would accept it".to_owned(),
        more => format!("the other {more} would accept it"),
    };
    let refuse = |(reason, titles): &(String, Vec<String>)| format!("{} would refuse it {reason}", titles.join(", "));
    let room = width.saturating_sub(STACKS.len());
    for (at, text) in groups.iter().map(refuse).chain([rest]).enumerate() {
        for (row, part) in wrap(&text, room, room.saturating_sub(2)).iter().enumerate() {
            let head = if at == 0 && row == 0 { STACKS } else { "" };
            let column = STACKS.len() + if row == 0 { 0 } else { 2 };
            lines.push(Line::at(0, Role::Dim, head).pad(column).push(Role::Plain, part));
        }
    }
    lines.push(Line::default());
}

fn findings(lines: &mut Vec<Line>, profile: &PreflightProfile, width: usize) {
    let room = width.saturating_sub(INDENT + 2);
    for finding in &profile.findings {
        let text = format!("{}  {}", tag(finding), finding.summary);
        for (at, part) in wrap(&text, room, room).iter().enumerate() {
            let role = if at == 0 { role(finding.severity) } else { Role::Plain };
            lines.push(Line::at(if at == 0 { INDENT } else { INDENT + 2 }, role, part));
        }
        for remedy in &finding.remedies {
            for (at, part) in remedy.lines().enumerate() {
                let command = part.starts_with(' ');
                let parts = if command { vec![part.trim().to_owned()] } else { wrap(part, room - 2, room - 2) };
                for (row, text) in parts.iter().enumerate() {
                    let mark = if at == 0 && row == 0 { "→ " } else { "  " };
                    let column = if command { INDENT + 6 } else { INDENT + 2 };
                    lines.push(Line::at(column, Role::Plain, &format!("{mark}{text}")));
                }
            }
        }
    }
}
