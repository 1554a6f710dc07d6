//! Device profiles as text: a line for each, or all that one says.
//!
//! In: a [`ProfilesReport`]. Out: lines. Bounded: by the profiles. Left to others: the words of the facts.

use super::line::{Line, Role, wrap};
use super::page::{NARROWEST, TextStyle};
use crate::render::shared::words::{shorten, width};
use crate::report::{ProfileAnchor, ProfileEntry, ProfileFact, ProfilesReport};

/// Column at which the text of a fact begins, after its provenance.
const TEXT: usize = 14;

/// Columns of the longest anchor label that is not shortened.
const LABEL: usize = 60;

/// Columns for the kind and size of a key: `RSA 2048`, `EC P-521`.
const KEY: usize = 8;

/// Name and description of each profile, a line each.
pub fn profiles_text(report: &ProfilesReport, style: &TextStyle) -> String {
    let names = report.profiles.iter().map(|profile| width(&profile.name)).max().unwrap_or_default();
    let room = style.width.max(NARROWEST).saturating_sub(names + 2);
    let lines = report.profiles.iter().map(|profile| {
        let line = Line::at(0, Role::Strong, &profile.name).column(names + 2);
        line.push(Role::Plain, &shorten(&profile.description, room))
    });
    print(lines, style)
}

/// All that a profile says: each fact with its provenance and, below, its source; what is not known; the anchors.
pub fn profile_text(profile: &ProfileEntry, style: &TextStyle) -> String {
    let width = style.width.max(NARROWEST);
    let mut lines = vec![Line::at(0, Role::Strong, &shorten(&profile.name, width))];
    lines.extend(wrap(&profile.description, width, width).iter().map(|part| Line::at(0, Role::Plain, part)));
    if let Some(base) = &profile.based_on {
        lines.push(Line::at(0, Role::Plain, &format!("based on {}", shorten(base, width - 10))));
    }
    lines.push(Line::default());
    let (known, open): (Vec<_>, Vec<_>) = profile.facts.iter().partition(|fact| !fact.value.is_null());
    known.iter().for_each(|fact| add_fact(&mut lines, fact, width));
    if !open.is_empty() {
        let questions = open.iter().map(|fact| fact.words.as_str()).collect::<Vec<_>>().join("; ");
        add(&mut lines, ("not known", Role::Dim), &questions, Role::Dim, width);
    }
    lines.push(Line::default());
    add_anchors(&mut lines, profile, width);
    lines.push(Line::default());
    let legend = "doc: published by the source; measured: tried with real programs; inferred: follows from other facts; \
                  unverified: no source that could be checked. Only doc and measured are told as facts.";
    lines.extend(wrap(legend, width, width).iter().map(|part| Line::at(0, Role::Dim, part)));
    print(lines, style)
}

fn print(lines: impl IntoIterator<Item = Line>, style: &TextStyle) -> String {
    lines.into_iter().map(|line| format!("{}\n", line.print(style.color))).collect()
}

fn add_fact(lines: &mut Vec<Line>, fact: &ProfileFact, width: usize) {
    let provenance = fact.provenance.as_deref().unwrap_or("default");
    add(lines, (provenance, role(provenance)), &fact.words, Role::Plain, width);
    if let Some(source) = &fact.source {
        add(lines, ("", Role::Plain), &format!("– {source}"), Role::Dim, width);
    }
}

/// Adds a mark, and beside it text that wraps.
fn add(lines: &mut Vec<Line>, (mark, mark_role): (&str, Role), text: &str, role: Role, width: usize) {
    let room = width.saturating_sub(TEXT);
    // Line breaks in a file's sentences are spaces like any other.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (at, part) in wrap(&text, room, room).iter().enumerate() {
        let line = Line::at(2, mark_role, if at == 0 { mark } else { "" });
        lines.push(line.pad(TEXT).push(role, part));
    }
}

/// The colour of a provenance: how far to trust the fact.
fn role(provenance: &str) -> Role {
    match provenance {
        "doc" | "measured" => Role::Good,
        "unverified" => Role::Warning,
        _ => Role::Plain,
    }
}

fn add_anchors(lines: &mut Vec<Line>, profile: &ProfileEntry, columns: usize) {
    let complete = if profile.anchors_complete { "it trusts no others" } else { "it may trust others" };
    if profile.anchors.is_empty() {
        lines.push(Line::at(0, Role::Plain, &format!("anchors: none listed, {complete}; --roots gives them")));
        return;
    }
    let room = columns.saturating_sub(2 + 2 + KEY + 2 + 10 + 2 + 15).min(LABEL);
    let widest = |text: fn(&ProfileAnchor) -> &str, most: usize| {
        profile.anchors.iter().map(|anchor| width(&shorten(text(anchor), most))).max().unwrap_or_default()
    };
    let key = 2 + widest(|anchor| &anchor.label, room).max(5) + 2;
    let expires = key + widest(|anchor| &anchor.key, KEY).max(3) + 2;
    let known = expires + 12;
    lines.push(Line::at(0, Role::Plain, &format!("anchors: {}, {complete}", profile.anchors.len())));
    let heading = Line::at(2, Role::Dim, "label").column(key).push(Role::Dim, "key").column(expires);
    lines.push(heading.push(Role::Dim, "expires").column(known).push(Role::Dim, "provenance"));
    let mut sources: Vec<&str> = Vec::new();
    for anchor in &profile.anchors {
        let number = sources.iter().position(|source| *source == anchor.source).unwrap_or_else(|| {
            sources.push(&anchor.source);
            sources.len() - 1
        });
        let provenance = anchor.provenance.as_deref().unwrap_or("given");
        let date = anchor.not_after.as_deref().and_then(|time| time.split('T').next()).unwrap_or("–");
        lines.push(
            Line::at(2, Role::Plain, &shorten(&anchor.label, room))
                .column(key)
                .push(Role::Plain, &shorten(&anchor.key, KEY))
                .column(expires)
                .push(Role::Plain, date)
                .column(known)
                .push(role(provenance), &format!("{provenance} [{}]", number + 1)),
        );
    }
    for (number, source) in sources.iter().enumerate() {
        let text = format!("[{}] {source}", number + 1);
        for (at, part) in wrap(&text, columns - 2, columns - 6).iter().enumerate() {
            lines.push(Line::at(if at == 0 { 2 } else { 6 }, Role::Dim, part));
        }
    }
}
