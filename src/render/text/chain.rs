//! The chain as sent, beside what the device had and what completes it.
//!
//! In: one handshake's judged chain. Out: a table, leaf first, one certificate a row. Bounded: at most [`ROWS`] rows.
//! Left to others: the judgement.

use super::line::{Line, Role, wrap};
use super::page::{Page, View};
use crate::render::shared::chain::{self, Cell};
use crate::render::shared::words::{NAME, short_name, shorten, width};
use crate::report::{Chain, Device, Handshake};

/// The most certificates shown.
const ROWS: usize = 10;

/// The narrowest column of names.
const NARROWEST: usize = 14;

/// The narrowest column of names beside which places are shown, if names are longer.
const READABLE: usize = 24;

/// The most columns kept for places.
const ORIGIN: usize = 40;

/// One certificate of the table.
#[derive(Default)]
struct Row {
    sent: String,
    had: String,
    completes: String,
    origin: String,
    absent: bool,
}

impl Row {
    fn of(row: &chain::Row<'_>) -> Self {
        let cell = |cell: Cell| match cell {
            Cell::Empty => String::new(),
            Cell::No => "–".to_owned(),
            Cell::NotSent => "– not sent –".to_owned(),
            Cell::Missing => "– missing –".to_owned(),
            Cell::Here => row.name.clone(),
        };
        Self {
            sent: cell(row.sent),
            had: cell(row.had),
            completes: if row.completes { row.name.clone() } else { String::new() },
            origin: row.origin.clone(),
            absent: row.absent,
        }
    }
}

/// The table of a handshake, or nothing if no certificate was sent in clear.
pub(super) fn chain(page: &mut Page, view: &View<'_>, device: &Device, handshake: &Handshake) {
    let chain = &handshake.chain;
    if handshake.certificates.is_empty() && chain.path.is_empty() && chain.completed_path.is_empty() {
        return;
    }
    let mut rows: Vec<Row> = chain::rows(&view.scope, device, handshake).iter().map(Row::of).collect();
    let more = rows.len().saturating_sub(ROWS);
    rows.truncate(ROWS);
    let completes = if rows.iter().any(|row| !row.completes.is_empty()) { "what completes it" } else { "" };
    let has = rows.iter().any(|row| !row.had.is_empty());
    let had = if has { format!("what this {} had", view.scope.thing) } else { String::new() };
    let head = Row { sent: "sent by the server".to_owned(), had, completes: completes.to_owned(), ..Row::default() };
    page.blank();
    let columns = Columns::of(view, &head, &rows);
    page.lines.extend(columns.lines(&head, Role::Dim, view));
    for row in &rows {
        page.lines.extend(columns.lines(row, if row.absent { Role::Bad } else { Role::Plain }, view));
    }
    if more > 0 {
        page.push(Line::at(2, Role::Dim, &format!("… {more} more")));
    }
    downloads(page, chain);
}

/// Where a certificate that no capture holds is offered: an address to copy, so shortened only if absurdly long.
fn downloads(page: &mut Page, chain: &Chain) {
    for link in chain.missing.iter().filter(|link| link.candidates.is_empty()).take(2) {
        if let Some(url) = link.aia.first() {
            let line = Line::at(2, Role::Strong, &short_name(&link.subject)).push(Role::Plain, " is offered at ");
            page.push(line.push(Role::Plain, &shorten(url, 200)).push(Role::Dim, " (authority information access)"));
        }
    }
}

/// Where the columns begin. A name that its column cannot hold goes on below.
struct Columns {
    /// The widest name of each column: as sent, as the device had it, as it completes the chain.
    names: [usize; 3],
    had: usize,
    completes: usize,
    /// Where the places of certificates stand; on a narrow page they stand below the names that complete the chain.
    origin: Option<usize>,
}

impl Columns {
    fn of(view: &View<'_>, head: &Row, rows: &[Row]) -> Self {
        let all = || std::iter::once(head).chain(rows);
        let widest = |f: fn(&Row) -> &str| all().map(|row| width(f(row))).max().unwrap_or(0);
        let wanted = [widest(|row| &row.sent), widest(|row| &row.had), widest(|row| &row.completes)];
        let origin = widest(|row| &row.origin).min(ORIGIN);
        let fit = |room: usize| {
            let fits = |limit: &usize| wanted.iter().map(|w| w.min(limit)).sum::<usize>() <= room;
            (NARROWEST..=NAME).rev().find(fits).unwrap_or(NARROWEST)
        };
        // The widest limit under which the three columns of names leave the fourth its room, or fill the page.
        let beside = fit(view.room(2 + 3 * 2).saturating_sub(origin));
        let is_narrow = origin > 0 && beside < READABLE.min(wanted.into_iter().max().unwrap_or(0));
        let limit = if is_narrow { fit(view.room(2 + 2 * 2)) } else { beside };
        let names = wanted.map(|w| w.min(limit));
        let [sent, had, completes] = names;
        let had_at = 2 + sent + 2;
        let completes_at = if had == 0 { had_at } else { had_at + had + 2 };
        let beside = if completes == 0 { completes_at } else { completes_at + completes + 2 };
        Self { names, had: had_at, completes: completes_at, origin: (!is_narrow).then_some(beside) }
    }

    /// The lines of one row: as many as its longest cell takes.
    fn lines(&self, row: &Row, role: Role, view: &View<'_>) -> Vec<Line> {
        let mark = |text: &str| if text.starts_with('–') || role == Role::Dim { role } else { Role::Plain };
        let [sent, had, completes] = self.names;
        let strong = if row.absent { Role::Strong } else { mark(&row.completes) };
        let mut cells = vec![
            (2, mark(&row.sent), broken(&row.sent, sent)),
            (self.had, mark(&row.had), broken(&row.had, had)),
            (self.completes, strong, broken(&row.completes, completes)),
        ];
        let room = view.width.saturating_sub(self.completes);
        let below = if self.origin.is_none() { broken(&row.origin, room) } else { Vec::new() };
        if let Some(column) = self.origin {
            cells.push((column, Role::Dim, broken(&row.origin, view.room(column))));
        }
        let height = cells.iter().map(|(_, _, lines)| lines.len()).max().unwrap_or(0);
        let mut lines = Vec::new();
        for index in 0..height {
            let mut line = Line::default();
            for (column, role, cell) in &cells {
                if let Some(text) = cell.get(index) {
                    line = line.column(*column).push(*role, text);
                }
            }
            lines.push(line);
        }
        lines.extend(below.iter().map(|text| Line::at(self.completes, Role::Dim, text)));
        lines
    }
}

/// A cell's text in lines of at most `room` characters: a name breaks between words, and within a word that has no room.
fn broken(text: &str, room: usize) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let room = room.max(1);
    let lines = wrap(&shorten(text, NAME * 2), room, room);
    let characters = lines.iter().map(|line| line.chars().collect::<Vec<_>>());
    characters.flat_map(|line| line.chunks(room).map(|part| part.iter().collect()).collect::<Vec<String>>()).collect()
}

#[cfg(test)]
mod tests {
    use crate::render::sample::{anchor, sample, sample_text, sent, step};
    use crate::report::{ChainStatus, StepFrom};

    fn columns(text: &str, start: &str) -> Vec<String> {
        let line = text.lines().find(|line| line.trim_start().starts_with(start)).unwrap_or_else(|| panic!("{text}"));
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn names_the_missing_link_and_where_it_was_found() {
        let text = sample_text(&sample());
        assert_eq!(columns(&text, "sent by"), ["sent by the server", "what this phone had", "what completes it"]);
        assert_eq!(columns(&text, "lyncpool"), ["lyncpool.contoso.test", "–", "lyncpool.contoso.test"]);
        assert_eq!(
            columns(&text, "– missing –"),
            ["– missing –", "–", "Northwind Policy CA 1", "pin.pcapng frame 18, HTTP"]
        );
        let root =
            text.lines().find(|line| line.contains("Global Root G1") && line.contains("on the phone (")).unwrap();
        assert!(root.trim_start().starts_with("Northwind Global Root G1"), "the root is no part of what was sent");
        assert!(root.ends_with("on the phone (root.pem)"), "{root}");
    }

    #[test]
    fn a_link_seen_nowhere_says_so() {
        let mut report = sample();
        let chain = &mut report.devices[0].handshakes[0].chain;
        chain.completed_path.truncate(1);
        chain.missing[0].candidates.clear();
        chain.missing[0].aia = vec!["http://pki.contoso.test/policy1.crt".into()];
        let text = sample_text(&report);
        assert_eq!(columns(&text, "– missing –"), ["– missing –", "–", "Northwind Policy CA 1", "in no capture"]);
        assert!(text.contains("  Northwind Policy CA 1 is offered at http://pki.contoso.test/policy1.crt ("), "{text}");
    }

    #[test]
    fn an_untrusted_root_is_missing_on_the_phone_not_on_the_wire() {
        let mut report = sample();
        let handshake = &mut report.devices[0].handshakes[0];
        handshake.certificates.push("b".repeat(64));
        handshake.chain.status = ChainStatus::UntrustedRoot;
        handshake.chain.missing.clear();
        handshake.chain.path = vec![sent("lyncpool.contoso.test", 'a'), sent("Northwind Policy CA 1", 'b')];
        let mut root = step("Northwind Global Root G1", 'c', StepFrom::Seen, false);
        root.capture = Some("captures/pin.pcapng".into());
        root.frame = Some(18);
        handshake.chain.completed_path = handshake.chain.path.clone();
        handshake.chain.completed_path.push(root);
        let text = sample_text(&report);
        assert_eq!(columns(&text, "– missing –"), ["– missing –", "Northwind Global Root G1", "pin.pcapng frame 18"]);
        assert_eq!(columns(&text, "Northwind Policy"), ["Northwind Policy CA 1", "–", "Northwind Policy CA 1"]);
    }

    #[test]
    fn a_fetched_link_shows_the_frame_and_no_third_column() {
        let mut report = sample();
        let chain = &mut report.devices[0].handshakes[0].chain;
        let mut fetched = step("Northwind Policy CA 1", 'b', StepFrom::Fetched, true);
        fetched.capture = Some("captures/usb.pcapng".into());
        fetched.frame = Some(6);
        fetched.source = Some("certprov".into());
        chain.path = vec![sent("lyncpool.contoso.test", 'a'), fetched, anchor("Northwind Global Root G1", 'c')];
        chain.completed_path = chain.path.clone();
        chain.status = ChainStatus::Trusted;
        chain.missing.clear();
        let text = sample_text(&report);
        assert_eq!(columns(&text, "sent by"), ["sent by the server", "what this phone had"]);
        assert_eq!(
            columns(&text, "– not sent –"),
            ["– not sent –", "Northwind Policy CA 1", "fetched, usb.pcapng frame 6 (certprov)"]
        );
    }

    #[test]
    fn a_stray_certificate_is_shown_as_such() {
        let mut report = sample();
        report.devices[0].handshakes[0].certificates.push("d".repeat(64));
        let text = sample_text(&report);
        assert!(text.lines().any(|line| line.contains("dddd") && line.ends_with("sent, but not part of this chain")));
    }

    #[test]
    fn long_names_keep_the_table_within_the_width() {
        let mut report = sample();
        let chain = &mut report.devices[0].handshakes[0].chain;
        for step in &mut chain.completed_path {
            step.subject = format!("CN={}", "very long name ".repeat(30));
        }
        let text = sample_text(&report);
        let table = text.lines().skip_while(|line| !line.contains("sent by the server")).take_while(|l| !l.is_empty());
        for line in table {
            assert!(line.chars().count() <= 110, "{line}");
        }
    }

    #[test]
    fn a_narrow_page_breaks_names_and_cuts_none() {
        for width in [60, 80] {
            let text = crate::render::text(&sample(), &crate::render::TextStyle { color: false, width });
            let table = text.split("\n\n").find(|block| block.contains("– missing –")).unwrap();
            assert!(!table.contains('…'), "{width}: {table}");
            assert!(table.lines().all(|line| line.chars().count() <= width), "{width}: {table}");
            let letters: String = table.chars().filter(|c| !c.is_whitespace()).collect();
            assert!(letters.contains("onthephone(root.pem)"), "{width}: {table}");
        }
    }
}
