//! A comparison as text: what follows first, then both stories side by side, then what to do.
//!
//! In: a [`Comparison`]. Out: lines; two columns where the page is wide enough, else one below the other. Bounded: by
//! the comparison; a cell holds at most [`CELL`] lines. Left to others: every judgement.

use std::collections::BTreeMap;

use super::finding::{causes, labelled, paragraph, remedies};
use super::line::{Line, Role, wrap};
use super::page::{NARROWEST, Page, TextStyle, print, room};
use super::sign::mark;
use crate::render::shared::finding::tag;
use crate::render::shared::step::{frames, times, told_alike};
use crate::render::shared::words::{date_and_clock, name_of, shorten, width};
use crate::render::shared::{file_name, signed_in, story};
use crate::report::{Certificate, CompareSide, CompareStep, Comparison, Finding, Outcome, Severity, StepSide};

/// On pages narrower than this, the two are shown one below the other.
const TWO_COLUMNS: usize = 76;

/// On pages wider than this, columns grow no more.
const WIDEST: usize = 170;

/// The most lines of one cell.
const CELL: usize = 10;

/// The most steps that are shown; a phone takes a dozen.
const STEPS: usize = 60;

/// Column of the kind of a step, behind its mark.
const KIND: usize = 2;

/// Renders a comparison. Wherever text comes from a capture, what a terminal would obey appears as `\u{..}`.
pub fn compare_text(comparison: &Comparison, style: &TextStyle) -> String {
    let width = style.width.max(NARROWEST);
    let finding = comparison.finding.as_ref().and_then(|id| comparison.findings.iter().find(|f| f.id == *id));
    let mut head = Page::default();
    verdict(&mut head, comparison, finding, width);
    head.blank();
    let names = label(&comparison.good.capture, &comparison.bad.capture);
    side(&mut head, "good", &comparison.good, &names.0, width);
    side(&mut head, "bad", &comparison.bad, &names.1, width);
    let mut table = Page::default();
    Table::of(comparison, width.min(WIDEST)).print(&mut table);
    let mut foot = Page::default();
    advice(&mut foot, comparison, finding, width);
    print(&[head, table, foot], style.color)
}

/// What follows, with the finding that it explains.
fn verdict(page: &mut Page, comparison: &Comparison, finding: Option<&Finding>, width_: usize) {
    let (mark, role) = match (comparison.comparable, comparison.agree, finding) {
        (false, ..) => ("?", Role::Warning),
        (_, true, None) => ("✓", Role::Good),
        (.., Some(finding)) if finding.severity == Severity::Error => ("✗", Role::Bad),
        _ => ("!", Role::Warning),
    };
    let mut line = Line::at(0, role, mark).push(Role::Plain, " ");
    let mut lines = Vec::new();
    for text in wrap(&comparison.conclusion, room(width_, 2), room(width_, 2)) {
        lines.push(std::mem::take(&mut line).pad(2).push(role, &text));
    }
    if let Some(finding) = finding.filter(|_| comparison.comparable) {
        let tag = tag(finding);
        let column = width_.saturating_sub(width(&tag));
        match lines.last_mut().filter(|line| line.width() + 2 <= column) {
            Some(line) => *line = std::mem::take(line).column(column).push(role, &tag),
            None => lines.push(Line::default().column(column).push(role, &tag)),
        }
    }
    lines.into_iter().for_each(|line| page.push(line));
}

/// File names, or paths where both files have the same name.
fn label<'a>(good: &'a str, bad: &'a str) -> (String, String) {
    let same = good != bad && file_name(good) == file_name(bad);
    let name = |path: &'a str| shorten(if same { path } else { file_name(path) }, 60);
    (name(good), name(bad))
}

/// The device's address, and its verdict.
fn side(page: &mut Page, which: &str, side: &CompareSide, capture: &str, width: usize) {
    let (mark, role) = mark(side.verdict.status);
    let line = Line::at(KIND, Role::Dim, &format!("{which:<4} ")).push(role, mark);
    let mut words = vec![capture.to_owned()];
    words.extend(side.first_time.as_ref().map(|time| format!("{} UTC", shorten(&date_and_clock(time).0, 10))));
    words.extend(signed_in(&side.sign_in).map(str::to_owned));
    let mut line = line.push(Role::Strong, &format!(" {}", shorten(&side.address, 45)));
    let indent = KIND + 7;
    let text = format!("{}: {}", words.join(", "), shorten(&side.verdict.summary, 400));
    if line.width() + 2 + NARROWEST / 2 > width {
        page.push(std::mem::take(&mut line));
        line = line.pad(indent);
    } else {
        line = line.push(Role::Plain, "  ");
    }
    for text in wrap(&text, room(width, line.width()), room(width, indent)) {
        page.push(std::mem::take(&mut line).pad(indent).push(Role::Plain, &text));
    }
}

/// The steps as a table.
struct Table<'a> {
    comparison: &'a Comparison,
    two_columns: bool,
    /// Columns of the frames and of the text, good and bad.
    at: [(usize, usize); 2],
    /// How many columns a cell's text may take.
    room: usize,
    frames: usize,
}

impl<'a> Table<'a> {
    fn of(comparison: &'a Comparison, width_: usize) -> Self {
        let sides = || comparison.steps.iter().flat_map(|step| step.good.iter().chain(&step.bad));
        let kind = comparison.steps.iter().map(|step| width(&story::tag(&step.kind))).max().unwrap_or(0).max(4);
        let frames = sides().map(|side| width(&frames(side))).max().unwrap_or(0).max(5);
        let first = KIND + kind + 2;
        let text = frames + 2;
        let half = width_.saturating_sub(first + 3) / 2;
        let two_columns = width_ >= TWO_COLUMNS && half >= text + NARROWEST / 2;
        let column = if two_columns { half } else { width_.saturating_sub(first) };
        let second = if two_columns { first + column + 3 } else { first };
        let room = column.saturating_sub(text).max(NARROWEST / 4);
        Self { comparison, two_columns, at: [(first, first + text), (second, second + text)], room, frames }
    }

    fn print(&self, page: &mut Page) {
        let [(first, first_text), (second, second_text)] = self.at;
        let address = |side: &CompareSide| shorten(&side.address, self.room.saturating_sub(6));
        let (good, bad) = (address(&self.comparison.good), address(&self.comparison.bad));
        if self.two_columns {
            let frame = format!("{:>1$}", "frame", self.frames);
            let line = Line::at(first, Role::Dim, &frame).pad(first_text).push(Role::Dim, "good  ");
            let line = line.push(Role::Strong, &good).pad(second).push(Role::Dim, &frame).pad(second_text);
            page.push(line.push(Role::Dim, "bad  ").push(Role::Strong, &bad));
        }
        for (index, step) in self.comparison.steps.iter().take(STEPS).enumerate() {
            self.step(page, step, self.comparison.parting == Some(index));
        }
        if let Some(more) = self.comparison.steps.len().checked_sub(STEPS).filter(|more| *more > 0) {
            page.push(Line::at(first, Role::Dim, &format!("… {more} more steps")));
        }
    }

    fn step(&self, page: &mut Page, step: &CompareStep, is_parting: bool) {
        let (mark, role) = match (is_parting, step.parts) {
            (true, _) => ("▶", Role::Bad),
            (_, true) => ("≠", Role::Warning),
            _ => ("", Role::Plain),
        };
        let start = || {
            let line = Line::at(0, role, mark).pad(KIND);
            line.push(if step.parts { role } else { Role::Dim }, &story::tag(&step.kind))
        };
        let good = self.cell(step.good.as_ref(), None, step);
        let bad = self.cell(step.bad.as_ref(), step.good.as_ref(), step);
        if self.two_columns {
            let [(first, first_text), (second, second_text)] = self.at;
            let mut line = start();
            for row in 0..good.lines.len().max(bad.lines.len()).max(1) {
                line = line.pad(first);
                line = good.row(line, row, first_text, self.frames);
                line = line.pad(second);
                line = bad.row(line, row, second_text, self.frames);
                page.push(std::mem::take(&mut line));
            }
        } else {
            page.push(start());
            for (which, cell) in [("good", &good), ("bad", &bad)] {
                let [(first, text), _] = self.at;
                let mut line = Line::at(KIND, Role::Dim, which);
                for row in 0..cell.lines.len().max(1) {
                    line = cell.row(line.pad(first), row, text, self.frames);
                    page.push(std::mem::take(&mut line));
                }
            }
        }
        self.differences(page, step);
    }

    /// What the cells do not show by themselves.
    fn differences(&self, page: &mut Page, step: &CompareStep) {
        let (Some(good), Some(bad)) = (&step.good, &step.bad) else { return };
        let column = self.at[0].0;
        let wide = self.at[1].1 + self.room - column;
        let shown = |words: &&String| {
            let ends = |side: &StepSide| side.ending.as_ref().is_some_and(|ending| words.contains(ending.as_str()));
            !(ends(good) && ends(bad))
        };
        for words in step.differences.iter().filter(shown) {
            let mut line = Line::at(column, if step.parts { Role::Warning } else { Role::Dim }, "≠ ");
            for text in wrap(&shorten(words, 400), wide.saturating_sub(2), wide.saturating_sub(2)) {
                let role = if step.parts { Role::Warning } else { Role::Dim };
                page.push(std::mem::take(&mut line).pad(column + 2).push(role, &text));
            }
        }
    }

    /// One side of a step. `beside` is the other, where this one may say that it is the same.
    fn cell(&self, side: Option<&StepSide>, beside: Option<&StepSide>, step: &CompareStep) -> Cell {
        let Some(side) = side else {
            let words = step.differences.first().map_or("", String::as_str);
            let role = if step.parts { Role::Warning } else { Role::Dim };
            return Cell { frames: "····".into(), lines: self.fold(role, words) };
        };
        let mut cell = Cell { frames: frames(side), lines: Vec::new() };
        if beside.is_some_and(|beside| !step.differs && told_alike(beside, side)) {
            cell.lines = self.fold(Role::Dim, "the same");
            return cell;
        }
        let strong = if matches!(step.kind.as_str(), "handshake" | "fetch") { Role::Strong } else { Role::Plain };
        cell.lines = self.fold(strong, &side.summary);
        if let Some(history) = &side.history {
            let letters: Vec<String> = history.chars().map(String::from).collect();
            let spaced = letters.join(" ");
            let fits = width(&spaced) <= self.room;
            cell.lines.extend(self.fold(Role::Plain, if fits { &spaced } else { history }));
        }
        if !side.certificates.is_empty() {
            let verb = if step.kind == "handshake" { "server sends" } else { "gets" };
            cell.lines.extend(self.fold(Role::Plain, &format!("{verb} {}", self.names(&side.certificates, step))));
        }
        if let Some(ending) = &side.ending {
            let role = if side.outcome == Some(Outcome::Completed) { Role::Good } else { Role::Bad };
            cell.lines.extend(self.fold(role, ending));
        }
        if side.count > 1 {
            cell.lines.extend(self.fold(Role::Dim, &times(&step.kind, side)));
        }
        cell.lines.truncate(CELL);
        cell
    }

    fn names(&self, shas: &[String], step: &CompareStep) -> String {
        let certificates: &BTreeMap<String, Certificate> = &self.comparison.certificates;
        let name = |sha: &String| name_of(certificates, sha);
        match shas {
            [only] if step.kind == "handshake" => format!("{} alone", name(only)),
            _ => shas.iter().map(name).collect::<Vec<_>>().join(", "),
        }
    }

    /// Text in lines of a cell; words that are longer are cut, after a slash or a dot where there is one.
    fn fold(&self, role: Role, text: &str) -> Vec<(Role, String)> {
        let text = shorten(text, 300);
        if width(&text) <= self.room {
            return vec![(role, text)];
        }
        let words: Vec<String> = text.split(' ').flat_map(|word| pieces(word, self.room)).collect();
        wrap(&words.join(" "), self.room, self.room).into_iter().map(|line| (role, line)).collect()
    }
}

/// A word in pieces of at most `most` characters.
fn pieces(word: &str, most: usize) -> Vec<String> {
    let mut rest: Vec<char> = word.chars().collect();
    let mut out = Vec::new();
    while rest.len() > most {
        let mut fits = rest.iter().take(most);
        let end = fits.rposition(|c| matches!(c, '/' | '.')).map_or(0, |at| at + 1);
        let end = if end > most / 3 { end } else { most };
        let tail = rest.split_off(end);
        out.push(std::mem::replace(&mut rest, tail).into_iter().collect());
    }
    out.push(rest.into_iter().collect());
    out
}

/// Frames and lines of one side of a step.
struct Cell {
    frames: String,
    lines: Vec<(Role, String)>,
}

impl Cell {
    /// Adds one of its rows to a line that ends where this cell begins.
    fn row(&self, line: Line, row: usize, text: usize, frames: usize) -> Line {
        let line = match row {
            0 => line.push(Role::Plain, &format!("{:>frames$}", self.frames)),
            _ => line,
        };
        match self.lines.get(row) {
            Some((role, words)) => line.pad(text).push(*role, words),
            None => line,
        }
    }
}

/// What to do, what stays open, and what the captures do not show.
fn advice(page: &mut Page, comparison: &Comparison, finding: Option<&Finding>, width: usize) {
    if let Some(finding) = finding.filter(|_| comparison.comparable) {
        remedies(page, width, &finding.remedies);
        let open: Vec<_> = finding.excluded.iter().filter(|cause| !cause.excluded).collect();
        if !open.is_empty() {
            paragraph(page, width, "not ruled out", Role::Plain, &causes(&open));
        }
        if let Some(filter) = &finding.filter {
            page.push(labelled("Wireshark").push(Role::Plain, filter));
        }
    }
    for caveat in &comparison.caveats {
        paragraph(page, width, "not shown", Role::Dim, &shorten(caveat, 400));
    }
}
