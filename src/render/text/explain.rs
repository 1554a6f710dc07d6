//! What findings mean, as text for a terminal.
//!
//! In: the Markdown of an explain text: headings, paragraphs, lists of one level, indented code. Out: prose wrapped to
//! the width under its headings, code as it is. Bounded: by the text. Left to others: which text.

use super::line::{Line, Role, wrap};
use super::page::{NARROWEST, Page, TextStyle, print};

/// Columns beyond which prose is hard to read.
const WIDEST: usize = 80;

/// One explain text, given as Markdown, in at most 80 columns. Code is never wrapped, so that it can be copied.
pub fn explain_text(markdown: &str, style: &TextStyle) -> String {
    let room = style.width.clamp(NARROWEST, WIDEST);
    let mut page = Page::default();
    let mut in_list = false;
    for block in blocks(markdown) {
        let is_item = matches!(block, Block::Item(_));
        if !(page.lines.is_empty() || (in_list && is_item)) {
            page.blank();
        }
        in_list = is_item;
        match block {
            Block::Heading(text) => page.push(Line::at(0, Role::Strong, &text)),
            Block::Paragraph(text) => hang(&mut page, Line::default(), 2, room, &text),
            Block::Item(text) => hang(&mut page, Line::at(2, Role::Plain, "- "), 4, room, &text),
            Block::Code(lines) => lines.iter().for_each(|line| page.push(Line::at(4, Role::Plain, line))),
        }
    }
    print(&[page], style.color)
}

/// The list of findings: code, name, and when each fires.
pub fn explain_list(rules: &[(&str, &str, String)], style: &TextStyle) -> String {
    let room = style.width.clamp(NARROWEST, WIDEST);
    let mut page = Page::default();
    for (code, name, when) in rules {
        page.push(Line::at(0, Role::Strong, code).push(Role::Plain, "  ").push(Role::Strong, name));
        hang(&mut page, Line::default(), 7, room, when);
    }
    print(&[page], style.color)
}

/// Text after what the first line holds, with its further lines under its first.
fn hang(page: &mut Page, mut line: Line, column: usize, end: usize, text: &str) {
    let room = end.saturating_sub(column);
    for text in wrap(text, room, room) {
        page.push(std::mem::take(&mut line).pad(column).push(Role::Plain, &text));
    }
}

/// A part of an explain text.
enum Block {
    Heading(String),
    Paragraph(String),
    Item(String),
    Code(Vec<String>),
}

/// Blocks end at an empty line, at a heading, and lists at each item.
fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in markdown.lines() {
        open = match (open, line) {
            (open, "") => {
                blocks.extend(open);
                None
            }
            (open, heading) if heading.starts_with('#') => {
                blocks.extend(open);
                blocks.push(Block::Heading(heading.trim_start_matches('#').trim().to_owned()));
                None
            }
            (open, item) if item.starts_with("- ") => {
                blocks.extend(open);
                Some(Block::Item(item.trim_start_matches("- ").to_owned()))
            }
            (Some(Block::Paragraph(text)), more) => Some(Block::Paragraph(text + " " + more.trim())),
            (Some(Block::Item(text)), more) => Some(Block::Item(text + " " + more.trim())),
            (Some(Block::Code(mut lines)), more) => {
                lines.push(more.strip_prefix("    ").unwrap_or(more).to_owned());
                Some(Block::Code(lines))
            }
            (_, first) => Some(match first.strip_prefix("    ") {
                Some(code) => Block::Code(vec![code.to_owned()]),
                None => Block::Paragraph(first.to_owned()),
            }),
        };
    }
    blocks.extend(open);
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# CG000 sample\n\nA paragraph that is\nwrapped anew where the terminal is narrow.\n\n## Heading\n\n\
                        - An item\n  of two lines.\n- Another.\n\nDo:\n\n    one --option\n        two\n";

    fn plain(width: usize) -> String {
        explain_text(TEXT, &TextStyle { color: false, width })
    }

    #[test]
    fn prose_is_wrapped_and_code_is_not() {
        let expected = "CG000 sample\n\n  A paragraph that is wrapped anew where the terminal is narrow.\n\nHeading\n\n  \
                        - An item of two lines.\n  - Another.\n\n  Do:\n\n    one --option\n        two\n";
        assert_eq!(plain(100), expected);
        let narrow = plain(40);
        assert!(narrow.contains("\n  A paragraph that is wrapped anew where\n  the terminal is narrow.\n"), "{narrow}");
        assert!(narrow.contains("\n    one --option\n        two\n"), "{narrow}");
    }

    #[test]
    fn the_list_hangs_its_sentences() {
        let list = explain_list(&[("CG000", "sample", "word ".repeat(30))], &TextStyle { color: false, width: 200 });
        assert!(list.starts_with("CG000  sample\n       word word"), "{list}");
        assert!(list.lines().count() == 4 && list.lines().all(|line| line.len() <= 80), "{list}");
    }
}
