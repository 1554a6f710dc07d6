//! The certificates of an investigation as a table.
//!
//! In: the list. Out: a line for each certificate, and beneath it how it was seen. Bounded: [`PLACES`] places each.

use super::line::{Line, Role};
use super::page::{NARROWEST, Page, TextStyle, print};
use crate::render::shared::words::{date_and_clock, place, short_name, shorten, width};
use crate::report::{CertsEntry, CertsReport, Found};

/// The most places shown of one certificate.
const PLACES: usize = 4;

/// Digits of a hash that tell certificates apart at a glance.
const DIGITS: usize = 16;

/// The certificates: subject, issuer, validity, key, start of the SHA-256, then where and how each was seen.
pub fn certs_text(report: &CertsReport, style: &TextStyle) -> String {
    let room = style.width.max(NARROWEST * 2);
    let head = ["subject", "issuer", "valid", "key", "sha256"].map(str::to_owned);
    let rows: Vec<_> = report.certificates.iter().map(cells).collect();
    let mut widths = [0; 5];
    for row in rows.iter().chain([&head]) {
        for (most, cell) in widths.iter_mut().zip(row) {
            *most = (*most).max(width(cell));
        }
    }
    // The two columns of names share what the others leave.
    let [subject, issuer, others @ ..] = widths;
    let names = room.saturating_sub(others.iter().sum::<usize>() + 4 * 2);
    let issuer = issuer.min((names / 2).max(names.saturating_sub(subject)));
    let widths = [subject.min(names.saturating_sub(issuer)), issuer, others[0], others[1], others[2]];
    let mut page = Page::default();
    page.push(line(&head, &widths, Role::Dim));
    for (entry, row) in report.certificates.iter().zip(&rows) {
        page.push(line(row, &widths, Role::Plain));
        beneath(&mut page, entry, room);
    }
    if report.certificates.is_empty() {
        page = Page::one(Line::at(0, Role::Dim, "– no certificate"));
    }
    print(&[page], style.color)
}

fn cells(entry: &CertsEntry) -> [String; 5] {
    let certificate = &entry.certificate;
    let date = |time: &Option<String>| time.as_deref().map_or("?".to_owned(), |time| date_and_clock(time).0);
    [
        short_name(&certificate.subject),
        short_name(&certificate.issuer),
        format!("{} – {}", date(&certificate.not_before), date(&certificate.not_after)),
        certificate.key.clone().unwrap_or_else(|| "?".to_owned()),
        entry.sha256.chars().take(DIGITS).collect(),
    ]
}

fn line(cells: &[String; 5], widths: &[usize; 5], role: Role) -> Line {
    let mut line = Line::default();
    let mut column = 0;
    for (cell, width) in cells.iter().zip(widths) {
        line = line.pad(column).push(role, &shorten(cell, *width));
        column += width + 2;
    }
    line
}

fn beneath(page: &mut Page, entry: &CertsEntry, room: usize) {
    let mut say = |role, text: &str| page.push(Line::at(2, role, &shorten(text, room.saturating_sub(2))));
    let seen = &entry.certificate.seen;
    seen.iter().take(PLACES).for_each(|found| say(Role::Dim, &seen_in(found)));
    if seen.len() > PLACES {
        say(Role::Dim, &format!("… {} more places", seen.len() - PLACES));
    }
    // Of a finding's id the code and the device say enough here.
    let whose = |id: &String| id.split('/').take(2).collect::<Vec<_>>().join(", ");
    let completes = entry.completes.iter().take(PLACES);
    completes.for_each(|id| say(Role::Warning, &format!("completes a chain: {}", whose(id))));
    entry.certificate.problems.iter().take(PLACES).for_each(|problem| say(Role::Bad, problem));
    entry.file.iter().for_each(|file| say(Role::Good, &format!("written to {file}")));
}

fn seen_in(found: &Found) -> String {
    format!("{}, {}", place(&found.capture, found.frame), found.how)
}
