//! In: one handshake's judged chain. Out: the chain as a picture: three columns (sent, had, whole), the device's own
//! certificate on top, the root at the bottom, and between two of them the link that joins them or is broken. Bounded:
//! [`ROWS`] certificates. Left to others: the judgement.

use maud::{Markup, PreEscaped, html};

use super::certificates::Shelf;
use crate::render::shared::Scope;
use crate::render::shared::chain::{Cell, Row, rows};
use crate::render::shared::words::{date_and_clock, short_name, shorten};
use crate::report::{Device, Handshake};

/// The most certificates shown.
const ROWS: usize = 12;

/// What joins a certificate to the one above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    None,
    Whole,
    Broken,
}

/// The picture, or nothing if no certificate was sent in clear.
pub(super) fn chain(scope: &Scope<'_>, shelf: &Shelf<'_>, device: &Device, handshake: &Handshake, id: &str) -> Markup {
    let mut rows = rows(scope, device, handshake);
    if rows.is_empty() {
        return html! {};
    }
    let more = rows.len().saturating_sub(ROWS);
    rows.truncate(ROWS);
    let completing = rows.iter().any(|row| row.completes && row.absent);
    let whole = if completing { "what completes it" } else { "the whole chain" };
    html! {
        section aria-labelledby={ (id) "-chain" } {
            h3 id={ (id) "-chain" } { "The chain" }
            p.hint { "Each certificate is signed by the one below it, down to the root." (hint(&rows)) }
            div.chain role="table" aria-labelledby={ (id) "-chain" } {
                div role="rowgroup" { div role="row" {
                    div role="columnheader" { "sent by the server" }
                    div role="columnheader" { "what this " (scope.thing) " had" }
                    div role="columnheader" { (whole) }
                } }
                div role="rowgroup" {
                    @for (index, row) in rows.iter().enumerate() {
                        @let above = index.checked_sub(1).and_then(|index| rows.get(index));
                        div role="row" { (cells(shelf, above, row)) }
                    }
                }
            }
            @if more > 0 { p.hint { "… " (more) " more certificates" } }
            (downloads(handshake))
        }
    }
}

fn hint(rows: &[Row<'_>]) -> &'static str {
    if rows.iter().any(|row| row.sent == Cell::Missing || row.had == Cell::Missing) {
        " Where the link is broken, the device could go no further."
    } else {
        ""
    }
}

fn cells(shelf: &Shelf<'_>, above: Option<&Row<'_>>, row: &Row<'_>) -> Markup {
    let join = |cell: fn(&Row<'_>) -> Cell| match above {
        Some(above) if !above.stray && !row.stray => link(cell(above), cell(row)),
        _ => Link::None,
    };
    let whole = above.is_some_and(|above| !above.stray && !row.stray);
    let joint = |link| html! { @if above.is_some() { (joint(link)) } };
    html! {
        div role="cell" { (joint(join(|row| row.sent))) (sent(shelf, row)) }
        div role="cell" { (joint(join(|row| row.had))) (had(shelf, row, above.is_none())) }
        div role="cell" {
            (joint(if whole { Link::Whole } else { Link::None }))
            @if row.stray { p.whence { (row.origin) } } @else {
                div.card.completes[row.absent].unseen[row.absent && row.sha256.is_none()] {
                    (shelf.link(row.sha256, &row.name))
                    @if row.absent { span.badge { "would complete it" } }
                    @if !row.origin.is_empty() { p.whence { (row.origin) } }
                    (until(shelf, row))
                }
            }
        }
    }
}

/// The link between two neighbours in one column.
fn link(above: Cell, below: Cell) -> Link {
    match (above, below) {
        (Cell::Here, Cell::Here) => Link::Whole,
        (_, Cell::Missing) | (Cell::Missing, Cell::Here) => Link::Broken,
        _ => Link::None,
    }
}

fn sent(shelf: &Shelf<'_>, row: &Row<'_>) -> Markup {
    html! {
        @match row.sent {
            Cell::Here => (card(shelf, row)),
            Cell::Missing => (missing(row)),
            Cell::NotSent | Cell::No => div.card.left-out { "not sent" },
            Cell::Empty => p.no { "need not be sent" },
        }
    }
}

/// The device's column; a server's own certificate is never expected in it.
fn had(shelf: &Shelf<'_>, row: &Row<'_>, leaf: bool) -> Markup {
    html! {
        @match row.had {
            Cell::Here => (card(shelf, row)),
            Cell::Missing => (missing(row)),
            _ if leaf || row.stray || row.sent == Cell::Here => p.no { "–" },
            _ => p.no { "not there" },
        }
    }
}

fn card(shelf: &Shelf<'_>, row: &Row<'_>) -> Markup {
    html! { div.card { (shelf.link(row.sha256, &row.name)) } }
}

fn missing(row: &Row<'_>) -> Markup {
    html! { div.card.missing { b { "missing" } p.whence { (row.name) } } }
}

fn until(shelf: &Shelf<'_>, row: &Row<'_>) -> Markup {
    let certificate = row.sha256.and_then(|sha| shelf.certificate(sha));
    let end = certificate.and_then(|certificate| certificate.not_after.as_deref());
    html! { @if let Some(end) = end { p.whence { "until " span.nowrap { (shorten(&date_and_clock(end).0, 20)) } } } }
}

/// A link of a chain, intact or broken.
fn joint(link: Link) -> Markup {
    match link {
        Link::None => html! { div.joint {} },
        Link::Whole => PreEscaped(
            "<svg class=\"joint\" viewBox=\"0 0 24 30\" aria-hidden=\"true\"><rect x=\"8\" y=\"1\" width=\"8\" \
             height=\"16\" rx=\"4\"/><rect x=\"8\" y=\"13\" width=\"8\" height=\"16\" rx=\"4\"/></svg>"
                .to_owned(),
        ),
        Link::Broken => PreEscaped(
            "<svg class=\"joint broken\" viewBox=\"0 0 24 30\" role=\"img\"><title>broken link</title><path d=\"M8 \
             9V5a4 4 0 0 1 8 0v3M8 22v3a4 4 0 0 0 8 0v-4\"/><path class=\"crack\" d=\"M3 17l5-4 3 5 4-5 3 5 4-4\"/></svg>"
                .to_owned(),
        ),
    }
}

/// Where a certificate that no capture holds is offered: text to copy, never a link, because a stranger wrote it.
fn downloads(handshake: &Handshake) -> Markup {
    let unseen = handshake.chain.missing.iter().filter(|link| link.candidates.is_empty());
    let offered: Vec<_> = unseen.filter_map(|link| Some((link, link.aia.first()?))).take(2).collect();
    html! {
        @for (link, url) in offered {
            p {
                b { (short_name(&link.subject)) } " is offered at " code { (shorten(url, 400)) }
                " (authority information access)"
            }
        }
    }
}
