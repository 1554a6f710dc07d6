//! In: a report, a width, and lines. Out: blocks of lines, printed one below the other. Bounded: by the lines. Left to
//! others: their content.

use super::line::Line;
use crate::render::shared::{Index, Scope};
use crate::report::{Device, Report};

/// The narrowest page that is laid out; a narrower terminal wraps its lines.
pub(super) const NARROWEST: usize = 40;

/// How the text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextStyle {
    /// Whether to write ANSI colours.
    pub color: bool,
    /// Columns to wrap at; less than 40 counts as 40. Commands and filters are never wrapped.
    pub width: usize,
}

/// What every part of a page needs: the report with its names, and the width.
pub(super) struct View<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) width: usize,
}

impl<'a> View<'a> {
    pub(super) fn of(report: &'a Report, index: &'a Index<'a>, style: &TextStyle, device: Option<&Device>) -> Self {
        Self { scope: Scope::of(report, index, device), width: style.width.max(NARROWEST) }
    }

    /// Columns from `column` to the right edge.
    pub(super) fn room(&self, column: usize) -> usize {
        room(self.width, column)
    }

    pub(super) fn capture(&self, path: &str) -> String {
        self.scope.capture(path)
    }
}

/// Lines of one block.
#[derive(Default)]
pub(super) struct Page {
    pub(super) lines: Vec<Line>,
}

impl Page {
    pub(super) fn one(line: Line) -> Self {
        Self { lines: vec![line] }
    }

    pub(super) fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// An empty line, to set apart what follows.
    pub(super) fn blank(&mut self) {
        self.lines.push(Line::default());
    }
}

/// Columns from `column` to the right edge of a page of this width.
pub(super) fn room(width: usize, column: usize) -> usize {
    width.saturating_sub(column).max(NARROWEST / 2)
}

/// The blocks, with an empty line around those that are longer than one line.
pub(super) fn print(blocks: &[Page], color: bool) -> String {
    let mut out = String::new();
    let mut before = 0;
    for block in blocks.iter().filter(|block| !block.lines.is_empty()) {
        if before > 1 || (before == 1 && block.lines.len() > 1) {
            out.push('\n');
        }
        before = block.lines.len();
        // Parts of a page may turn out empty: no two empty lines in a row, and none at the end.
        let mut empty = false;
        for line in block.lines.iter().map(|line| line.print(color)) {
            if line.is_empty() {
                empty = true;
                continue;
            }
            if std::mem::take(&mut empty) {
                out.push('\n');
            }
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}
