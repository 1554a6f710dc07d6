//! In: a device of a report. Out: its block: the verdict, its story, its chain, what is ruled out, what to do. Bounded: about
//! a screen. Left to others: the parts of the block.

use super::line::{Line, Role, wrap};
use super::page::{NARROWEST, Page, View};
use super::sign::mark;
use super::{chain, finding, timeline};
use crate::render::shared::finding::tag;
use crate::render::shared::words::{shorten, width};
use crate::render::shared::{captures, context, handshake_of, subject};
use crate::report::{Device, Finding, Severity, VerdictStatus};

/// A device's whole block.
pub(super) fn whole(view: &View<'_>, device: &Device, findings: &[&Finding]) -> Page {
    let headline = view.scope.headline(device);
    let others: Vec<&Finding> = findings.iter().copied().filter(|f| headline.is_none_or(|h| h.id != f.id)).collect();
    let warned = findings.iter().any(|finding| finding::wants_sentence(finding));
    let quiet = matches!(device.verdict.status, VerdictStatus::Ok | VerdictStatus::NothingSeen);
    if quiet && headline.is_none_or(|finding| finding.severity == Severity::Info) {
        let mut page = Page::one(brief(view, device));
        if warned {
            finding::others(&mut page, view, &others);
        }
        return page;
    }
    let mut page = Page::default();
    let (mark, role) = mark(device.verdict.status);
    let tag = headline.map(tag);
    let title = Title { mark, role, subject: subject(device), summary: &device.verdict.summary, tag };
    title.print(&mut page, view, Some(&context(&view.scope, device, headline)));
    timeline::timeline(&mut page, view, device, headline);
    if let Some(finding) = headline {
        if let Some(handshake) = handshake_of(device, finding) {
            chain::chain(&mut page, view, device, handshake);
        }
        finding::advice(&mut page, view, finding);
    } else {
        page.blank();
    }
    finding::others(&mut page, view, &others);
    page
}

/// A device in one line.
fn brief(view: &View<'_>, device: &Device) -> Line {
    let (mark, role) = mark(device.verdict.status);
    let line = Line::at(0, role, mark).push(Role::Strong, &format!(" {}", subject(device)));
    let line = line.push(Role::Plain, "  ");
    let code = view.scope.headline(device).map(tag);
    // The same address in two captures is two devices: say which this is.
    let capture = || (view.scope.report.captures.len() > 1).then(|| captures(&view.scope, device));
    let tag = code.or_else(capture).unwrap_or_default();
    let room = view.room(line.width());
    let beside = room.saturating_sub(width(&tag) + 2);
    if tag.is_empty() || beside < width(&device.verdict.summary).min(NARROWEST) {
        return line.push(Role::Plain, &shorten(&device.verdict.summary, room));
    }
    let column = view.width - width(&tag);
    line.push(Role::Plain, &shorten(&device.verdict.summary, beside)).column(column).push(Role::Dim, &tag)
}

/// The line that opens a block.
pub(super) struct Title<'a> {
    pub(super) mark: &'a str,
    pub(super) role: Role,
    pub(super) subject: String,
    pub(super) summary: &'a str,
    pub(super) tag: Option<String>,
}

impl Title<'_> {
    /// Mark, subject and summary, wrapped; a line of context; the tag at the right edge of the first line with room.
    pub(super) fn print(&self, page: &mut Page, view: &View<'_>, context: Option<&str>) {
        let start = 2 + width(&self.subject) + 2;
        let hang = start.min(24);
        let mut line =
            Line::at(0, self.role, self.mark).push(Role::Strong, &format!(" {}", self.subject)).column(start);
        let mut lines = Vec::new();
        for text in wrap(&shorten(self.summary, 400), view.room(start), view.room(hang)) {
            lines.push(std::mem::take(&mut line).pad(hang).push(self.role, &text));
        }
        if let Some(context) = context.filter(|context| !context.is_empty()) {
            let room = view.room(2);
            lines.extend(wrap(context, room, room).iter().map(|text| Line::at(2, Role::Plain, text)));
        }
        if let Some(tag) = &self.tag {
            let column = view.width.saturating_sub(width(tag));
            match lines.iter_mut().find(|line| line.width() + 2 <= column) {
                Some(line) => *line = std::mem::take(line).column(column).push(self.role, tag),
                None => lines.push(Line::at(2, self.role, tag)),
            }
        }
        lines.into_iter().for_each(|line| page.push(line));
    }
}
