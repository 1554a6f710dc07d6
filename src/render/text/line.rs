//! Lines of text: safe to print, measured, wrapped, coloured.
//!
//! In: pieces of text, some of them from a capture and so from anybody. Out: lines in which no byte steers a terminal
//! but the colours put there on purpose. Bounded: by its input. Left to others: the content of the lines.
//!
//! Widths are counted in characters, which is off for East Asian wide characters and combining marks.

use anstyle::{AnsiColor, Style};

use crate::render::shared::words::{NAME, clean, shorten, width};

/// What a piece of text means, and so its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    Strong,
    Dim,
    Good,
    Warning,
    Bad,
}

impl Role {
    fn style(self) -> Style {
        let color = |color: AnsiColor| Style::new().bold().fg_color(Some(color.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Dim => Style::new().dimmed(),
            Self::Good => color(AnsiColor::Green),
            Self::Warning => color(AnsiColor::Yellow),
            Self::Bad => color(AnsiColor::Red),
        }
    }
}

/// One line under construction. Whatever is pushed is made safe first, so no caller can forget it.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    spans: Vec<(Role, String)>,
    width: usize,
}

impl Line {
    /// A line that begins with text at a column.
    pub(super) fn at(column: usize, role: Role, text: &str) -> Self {
        Self::default().column(column).push(role, text)
    }

    /// Appends text.
    pub(super) fn push(mut self, role: Role, text: &str) -> Self {
        let text = clean(text);
        self.width += width(&text);
        self.spans.push((role, text));
        self
    }

    /// Appends spaces up to a column, and at least two where the line already reaches it.
    pub(super) fn column(self, column: usize) -> Self {
        let spaces = if self.width == 0 { column } else { column.saturating_sub(self.width).max(2) };
        self.push(Role::Plain, &" ".repeat(spaces))
    }

    /// Appends spaces up to a column, and none where the line already reaches it.
    pub(super) fn pad(self, column: usize) -> Self {
        let spaces = " ".repeat(column.saturating_sub(self.width));
        self.push(Role::Plain, &spaces)
    }

    /// Characters so far.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The line as printed, without a newline and without spaces at its end.
    pub(super) fn print(&self, color: bool) -> String {
        let mut out = String::new();
        for (role, text) in &self.spans {
            let style = role.style();
            if color && style != Style::new() && !text.trim().is_empty() {
                out.push_str(&format!("{style}{text}{style:#}"));
            } else {
                out.push_str(text);
            }
        }
        out.truncate(out.trim_end().len());
        out
    }
}

/// Words put into lines of at most `first`, then `rest` characters. A word longer than a line has one to itself, and
/// words beyond [`NAME`] characters lose their middle. What fits on one line keeps its spacing.
pub(super) fn wrap(text: &str, first: usize, rest: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let text = clean(text);
    if width(&text) <= first.min(NAME) {
        return vec![text.trim().to_owned()];
    }
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let word = shorten(word, NAME);
        let room = if lines.is_empty() { first } else { rest };
        if !line.is_empty() && width(&line) + 1 + width(&word) > room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_words() {
        assert_eq!(wrap("one two  three four", 7, 10), ["one two", "three four"]);
        assert_eq!(wrap("10.0.0.1:443  TLS 1.0", 30, 30), ["10.0.0.1:443  TLS 1.0"]);
        assert_eq!(wrap("unbreakable x", 4, 4), ["unbreakable", "x"]);
        assert_eq!(wrap("", 4, 4), [""]);
        assert_eq!(width(&wrap(&"x".repeat(500), 20, 20)[0]), NAME);
    }

    #[test]
    fn colour_is_there_only_when_asked_for_and_ends_where_it_began() {
        let line = Line::at(2, Role::Bad, "no").column(8).push(Role::Plain, "x");
        assert_eq!(line.print(false), "  no    x");
        assert_eq!(line.width(), 9);
        let colored = line.print(true);
        assert!(colored.starts_with("  \u{1b}[") && colored.contains("no\u{1b}[0m"), "{colored:?}");
    }
}
