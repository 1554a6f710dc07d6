//! In: one handshake's judged chain. Out: its certificates, leaf first, each with what the server sent of it, what the
//! device had, and where it is otherwise. Bounded: by the chain. Left to others: the judgement.

use super::scope::Scope;
use super::words::{name_of, place, short_name, shorten};
use crate::report::{Chain, ChainStatus, Device, Found, Handshake, Missing, Step, StepFrom};

/// One certificate, column by column.
pub(in crate::render) struct Row<'a> {
    /// Its short name.
    pub(in crate::render) name: String,
    /// Its SHA-256, if the certificate itself is known.
    pub(in crate::render) sha256: Option<&'a str>,
    /// Whether the server sent it.
    pub(in crate::render) sent: Cell,
    /// Whether the device had it without the server's help.
    pub(in crate::render) had: Cell,
    /// Whether it is part of the completed chain.
    pub(in crate::render) completes: bool,
    /// Where it is, in words.
    pub(in crate::render) origin: String,
    /// Neither sent nor held.
    pub(in crate::render) absent: bool,
    /// Sent, but not part of this chain.
    pub(in crate::render) stray: bool,
}

/// The content of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::render) enum Cell {
    /// Nothing, and nothing is missing.
    Empty,
    /// It is not there.
    No,
    /// The server left it out, and that did no harm.
    NotSent,
    /// It is not there, and that is the fault.
    Missing,
    /// The certificate.
    Here,
}

/// The certificates of a handshake; empty if none was sent in clear.
pub(in crate::render) fn rows<'a>(scope: &Scope<'_>, device: &Device, handshake: &'a Handshake) -> Vec<Row<'a>> {
    let chain = &handshake.chain;
    let completed = chain.completed_path.len() > chain.path.len();
    let path = if completed { &chain.completed_path } else { &chain.path };
    let shows_more = completed || !chain.missing.is_empty();
    let mut rows: Vec<Row<'a>> = path.iter().map(|step| of_step(scope, device, handshake, step, shows_more)).collect();
    let unknown = chain.missing.iter().filter(|link| !path.iter().any(|step| fills(link, step)));
    rows.extend(unknown.map(|link| of_unknown(scope, chain, link)));
    let outside =
        handshake.certificates.iter().filter(|sha| !path.iter().any(|step| step.sha256.as_ref() == Some(sha)));
    let origin = if path.is_empty() { "" } else { "sent, but not part of this chain" };
    rows.extend(outside.map(|sha| Row {
        name: name_of(&scope.report.certificates, sha),
        sha256: Some(sha),
        sent: Cell::Here,
        had: Cell::No,
        completes: false,
        origin: origin.to_owned(),
        absent: false,
        stray: true,
    }));
    rows
}

/// A certificate of the path.
fn of_step<'a>(scope: &Scope<'_>, device: &Device, handshake: &Handshake, step: &'a Step, shows_more: bool) -> Row<'a> {
    let sent = step.sha256.as_ref().is_some_and(|sha| handshake.certificates.contains(sha));
    let link = handshake.chain.missing.iter().find(|link| fills(link, step));
    let root_is_absent = !step.held && handshake.chain.status == ChainStatus::UntrustedRoot && !sent;
    Row {
        name: short_name(&step.subject),
        sha256: step.sha256.as_deref(),
        sent: match link {
            _ if sent => Cell::Here,
            _ if root_is_absent || is_root(scope, step) => Cell::Empty,
            Some(_) => Cell::Missing,
            None => Cell::NotSent,
        },
        had: match step.from {
            _ if root_is_absent => Cell::Missing,
            StepFrom::Anchor | StepFrom::Fetched | StepFrom::Installed if step.held => Cell::Here,
            _ => Cell::No,
        },
        completes: shows_more,
        origin: origin(scope, device, step, sent, link),
        absent: !step.held && !sent,
        stray: false,
    }
}

/// A missing certificate of which only the name is known.
fn of_unknown<'a>(scope: &Scope<'_>, chain: &Chain, link: &'a Missing) -> Row<'a> {
    let (sent, had) = match chain.status {
        ChainStatus::MissingIntermediate => (Cell::Missing, Cell::No),
        ChainStatus::UntrustedRoot => (Cell::Empty, Cell::Missing),
        _ => (Cell::NotSent, Cell::No),
    };
    let candidate = link.candidates.iter().find(|candidate| !candidate.found_in.is_empty());
    let found = candidate.and_then(|candidate| candidate.found_in.first());
    Row {
        name: short_name(&link.subject),
        sha256: candidate.map(|candidate| candidate.sha256.as_str()),
        sent,
        had,
        completes: true,
        origin: found.map_or_else(|| "in no capture".to_owned(), |found| found_in(scope, found)),
        absent: true,
        stray: false,
    }
}

/// Where a certificate was found that the server did not send.
fn origin(scope: &Scope<'_>, device: &Device, step: &Step, sent: bool, link: Option<&Missing>) -> String {
    let source = step.source.as_deref().map(|source| scope.capture(source));
    let bracketed = source.as_ref().map(|source| format!(" ({source})")).unwrap_or_default();
    let place = step.capture.as_deref().map(|capture| place(&scope.capture(capture), step.frame)).unwrap_or_default();
    match step.from {
        StepFrom::Anchor if step.held && step.source.as_ref() == Some(&device.profile.name) => {
            format!("in the profile {}", shorten(&device.profile.name, 40))
        }
        StepFrom::Anchor if step.held => format!("on the {}{bracketed}", scope.thing),
        _ if sent => String::new(),
        StepFrom::Installed if step.held => format!("on the {}{bracketed}", scope.thing),
        StepFrom::Fetched if step.held => format!("fetched, {place}{bracketed}"),
        _ => {
            let place = if place.is_empty() { source.unwrap_or_default() } else { place };
            let found = link.into_iter().flat_map(|link| &link.candidates);
            let same = found.filter(|candidate| Some(&candidate.sha256) == step.sha256.as_ref());
            same.flat_map(|candidate| candidate.found_in.first()).next().map_or(place, |found| found_in(scope, found))
        }
    }
}

fn found_in(scope: &Scope<'_>, found: &Found) -> String {
    // Of a certificate in a frame the way it came is enough here; the JSON tells its form as well.
    let how = if found.frame.is_some() { found.how.split(',').next().unwrap_or_default() } else { &found.how };
    format!("{}, {how}", place(&scope.capture(&found.capture), found.frame))
}

fn fills(link: &Missing, step: &Step) -> bool {
    let candidate = link.candidates.iter().any(|candidate| Some(&candidate.sha256) == step.sha256.as_ref());
    candidate || (!step.held && link.subject == step.subject)
}

/// Whether a server may leave the certificate out: it is a root (RFC 5246 section 7.4.2).
fn is_root(scope: &Scope<'_>, step: &Step) -> bool {
    let known = step.sha256.as_ref().and_then(|sha| scope.report.certificates.get(sha));
    step.from == StepFrom::Anchor || known.is_some_and(|certificate| certificate.subject == certificate.issuer)
}
