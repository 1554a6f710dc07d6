//! A summary of many reports as text.
//!
//! In: a summary. Out: counts first, then faults, findings, servers and missing certificates, the most frequent first. Bounded:
//! [`ROWS`] rows of each. Left to others: the counts, all of which the JSON form holds.

use super::line::{Line, Role};
use super::page::{Page, TextStyle, print};
use crate::render::shared::many::headline;
use crate::render::shared::words::{NAME, shorten};
use crate::report::{Summary, counted};

/// Rows of one table.
const ROWS: usize = 20;

/// A summary as text, each line ended by a newline.
pub fn summary_text(summary: &Summary, style: &TextStyle) -> String {
    let counts = |map: &std::collections::BTreeMap<String, u64>| {
        let words: Vec<_> = map.iter().map(|(word, count)| format!("{count} {word}")).collect();
        words.join(", ")
    };
    let mut head = Page::default();
    let times = summary.first_time.as_deref().zip(summary.last_time.as_deref());
    let times = times.map(|(first, last)| format!(", {first} to {last}")).unwrap_or_default();
    head.push(Line::at(
        0,
        Role::Strong,
        &format!(
            "{}, {}, {}, {}, {}{times}",
            counted(summary.reports, "report"),
            counted(summary.captures, "capture"),
            counted(summary.packets, "packet"),
            counted(summary.devices, "device"),
            counted(summary.handshakes, "handshake")
        ),
    ));
    head.push(Line::at(0, Role::Plain, &format!("verdicts  {}", counts(&summary.verdicts))));
    head.push(Line::at(0, Role::Plain, &format!("sign-ins  {}", counts(&summary.sign_ins))));
    if summary.captures_with_problems > 0 || summary.failed > 0 {
        let text = format!(
            "captures with problems: {}, lines that were no report: {}",
            summary.captures_with_problems, summary.failed
        );
        head.push(Line::at(0, Role::Warning, "! ").push(Role::Plain, &text));
    }
    if summary.devices_dropped > 0 {
        let (dropped, all) = (summary.devices_dropped, summary.devices.saturating_add(summary.devices_dropped));
        let text = format!("{dropped} of {all} devices were not judged; --max-memory allows more");
        head.push(Line::at(0, Role::Warning, "! ").push(Role::Plain, &text));
    }
    print(&[head, faults(summary), findings(summary), servers(summary), missing(summary)], style.color)
}

fn faults(summary: &Summary) -> Page {
    let mut rows: Vec<_> = summary.faults.values().filter(|fault| fault.devices > 0).collect();
    rows.sort_by_key(|fault| (std::cmp::Reverse((fault.devices, fault.severity)), &fault.code, &fault.server_name));
    table(
        "faults",
        rows.iter().map(|fault| {
            let server = fault.server_name.as_ref().or(fault.server.as_ref()).map_or("", String::as_str);
            let since = fault.first_time.as_deref().map(|first| format!(", since {first}")).unwrap_or_default();
            format!(
                "{} {}  {}  {}{since}",
                fault.code,
                shorten(server, NAME),
                headline(&fault.summary, 100),
                counted(fault.devices, "device")
            )
        }),
    )
}

fn findings(summary: &Summary) -> Page {
    let mut rows: Vec<_> = summary.findings.iter().collect();
    rows.sort_by_key(|(code, count)| (std::cmp::Reverse((count.errors, count.warnings, count.findings)), *code));
    table(
        "findings",
        rows.iter().map(|(code, count)| {
            format!(
                "{code} {:<28} {:>13} {:>15} {:>14}, {} proven, {} inferred, {} undecidable",
                count.name,
                counted(count.errors, "error"),
                counted(count.warnings, "warning"),
                counted(count.occurrences, "time"),
                count.proven,
                count.inferred,
                count.undecidable
            )
        }),
    )
}

fn servers(summary: &Summary) -> Page {
    let mut rows: Vec<_> = summary.servers.iter().collect();
    rows.sort_by_key(|(server, count)| (std::cmp::Reverse((count.errors, count.warnings)), *server));
    table(
        "servers",
        rows.iter().map(|(server, count)| {
            let codes: Vec<_> = count.codes.iter().map(|(code, times)| format!("{code} {times}×")).collect();
            format!(
                "{}  {}, {}: {}",
                shorten(server, NAME),
                counted(count.errors, "error"),
                counted(count.warnings, "warning"),
                codes.join(", ")
            )
        }),
    )
}

fn missing(summary: &Summary) -> Page {
    let mut rows: Vec<_> = summary.missing.values().collect();
    rows.sort_by_key(|missing| (std::cmp::Reverse(missing.devices), &missing.subject));
    table(
        "absent certificates",
        rows.iter().map(|missing| {
            let seen = match missing.candidates.len() {
                0 => "in no capture".to_owned(),
                several => format!("{several} seen elsewhere"),
            };
            format!(
                "{}  {}, {}, {seen}",
                shorten(&missing.subject, NAME),
                counted(missing.devices, "device"),
                counted(missing.servers.len(), "server")
            )
        }),
    )
}

fn table(title: &str, rows: impl ExactSizeIterator<Item = String>) -> Page {
    let mut page = Page::default();
    let count = rows.len();
    if count == 0 {
        return page;
    }
    page.push(Line::at(0, Role::Strong, title));
    rows.take(ROWS).for_each(|row| page.push(Line::at(2, Role::Plain, &row)));
    if count > ROWS {
        page.push(Line::at(2, Role::Dim, &format!("… {} more", count - ROWS)));
    }
    page
}
