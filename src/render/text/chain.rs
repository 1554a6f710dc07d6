//! The chain as sent, beside what the device had and what completes it.
//!
//! In: one handshake's judged chain. Out: a table, leaf first, one certificate a line. Bounded: at most [`ROWS`] lines.
//! Left to others: the judgement.

use super::line::{Line, Role};
use super::page::{Page, View};
use crate::render::shared::chain::{self, Cell};
use crate::render::shared::words::{NAME, short_name, shorten, width};
use crate::report::{Chain, Device, Handshake};

/// The most certificates shown.
const ROWS: usize = 10;

/// The narrowest column of names.
const NARROWEST: usize = 14;

/// One line of the table.
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
    let head = Row {
        sent: "sent by the server".to_owned(),
        had: format!("what this {} had", view.scope.thing),
        completes: completes.to_owned(),
        ..Row::default()
    };
    page.blank();
    let columns = Columns::of(view, &head, &rows);
    page.push(columns.line(&head, Role::Dim, view));
    for row in &rows {
        page.push(columns.line(row, if row.absent { Role::Bad } else { Role::Plain }, view));
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

/// Where the columns begin.
struct Columns {
    names: usize,
    had: usize,
    completes: usize,
    origin: usize,
}

impl Columns {
    fn of(view: &View<'_>, head: &Row, rows: &[Row]) -> Self {
        let all = || std::iter::once(head).chain(rows);
        let widest = |f: fn(&Row) -> &str| all().map(|row| width(f(row))).max().unwrap_or(0);
        let wanted = [widest(|row| &row.sent), widest(|row| &row.had), widest(|row| &row.completes)];
        let room = view.room(2 + 3 * 2).saturating_sub(widest(|row| &row.origin).min(40));
        // The widest limit under which the three columns of names leave the fourth its room.
        let fits = |limit: &usize| wanted.iter().map(|w| w.min(limit)).sum::<usize>() <= room;
        let names = (NARROWEST..=NAME).rev().find(fits).unwrap_or(NARROWEST);
        let [sent, had, completes] = wanted.map(|w| w.min(names));
        let had_at = 2 + sent + 2;
        let completes_at = had_at + had + 2;
        let origin = if completes == 0 { completes_at } else { completes_at + completes + 2 };
        Self { names, had: had_at, completes: completes_at, origin }
    }

    fn line(&self, row: &Row, role: Role, view: &View<'_>) -> Line {
        let cell = |text: &str| shorten(text, self.names);
        let mark = |text: &str| if text.starts_with('–') || role == Role::Dim { role } else { Role::Plain };
        let mut line = Line::at(2, mark(&row.sent), &cell(&row.sent));
        for (column, text) in [(self.had, &row.had), (self.completes, &row.completes)] {
            if !text.is_empty() {
                let strong = row.absent && column == self.completes;
                line = line.column(column).push(if strong { Role::Strong } else { mark(text) }, &cell(text));
            }
        }
        if row.origin.is_empty() {
            return line;
        }
        let room = view.room(self.origin).max(20);
        line.column(self.origin).push(Role::Dim, &shorten(&row.origin, room))
    }
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
}
