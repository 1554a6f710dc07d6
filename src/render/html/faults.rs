//! The page of many devices: the faults by server, each with a picture of when it began or ended, an example of each, and
//! the other devices by address.
//!
//! In: a report. Out: the first parts of its page. Bounded: [`FAULTS`] faults, [`EXAMPLES`] examples, [`ROWS`] rows of other
//! devices with [`RANGES`] ranges each. Left to others: the examples in full.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::finding::remedies;
use super::parts::{copied, meaning_of, severity_class, status_class};
use crate::render::shared::many::{Row, examples, extent, faults, headline, others, subject_of, turn};
use crate::render::shared::words::{date_and_clock, shorten};
use crate::render::shared::{Index, Scope, subject};
use crate::report::{Device, Fault, Report, Severity, Timeline, counted};

/// The most faults shown.
const FAULTS: usize = 100;

/// The most examples shown in full.
const EXAMPLES: usize = 40;

/// The most faults whose remedies are unfolded.
const UNFOLDED: usize = 3;

/// The most rows of other devices.
const ROWS: usize = 200;

/// The most ranges named in one row.
const RANGES: usize = 60;

/// Width and height of one side of a time line, in the picture's own units.
const PICTURE: (usize, usize) = (960, 50);

/// The report without what the page does not show: the examples alone with what is found of them, and the certificates
/// that they or the faults name.
pub(super) fn of_examples(report: &Report) -> Report {
    let faults = faults(report);
    let examples = examples(report, &faults);
    let devices: Vec<Device> = examples.iter().take(EXAMPLES).map(|(device, _)| (*device).clone()).collect();
    let is_shown: BTreeSet<&str> = devices.iter().map(|device| device.id.as_str()).collect();
    let about = |device: &Option<String>| device.as_deref().is_none_or(|id| is_shown.contains(id));
    let findings = report.findings.iter().filter(|finding| about(&finding.device)).cloned().collect();
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    for handshake in devices.iter().flat_map(|device| &device.handshakes) {
        let steps = handshake.chain.path.iter().chain(&handshake.chain.completed_path);
        wanted.extend(steps.filter_map(|step| step.sha256.as_deref()));
        wanted.extend(handshake.certificates.iter().chain(&handshake.client_certificates).map(String::as_str));
    }
    wanted
        .extend(devices.iter().flat_map(|device| &device.fetches).flat_map(|it| &it.certificates).map(String::as_str));
    for fault in faults.iter().take(FAULTS) {
        wanted.extend(fault.certificates.iter().map(String::as_str));
        let candidates = fault.missing.iter().flat_map(|link| &link.candidates);
        wanted.extend(candidates.map(|candidate| candidate.sha256.as_str()));
    }
    let named = wanted.iter().filter_map(|sha| report.certificates.get_key_value(*sha));
    let certificates: BTreeMap<_, _> = named.map(|(sha, certificate)| (sha.clone(), certificate.clone())).collect();
    drop(wanted);
    Report {
        schema: report.schema.clone(),
        tool: report.tool.clone(),
        options: report.options.clone(),
        complete: report.complete,
        dropped: report.dropped.clone(),
        captures: report.captures.clone(),
        totals: report.totals.clone(),
        faults: report.faults.clone(),
        groups: Vec::new(),
        certificates,
        findings,
        statistics: report.statistics.clone(),
        devices,
    }
}

/// The devices that are no examples, of the report as it was.
pub(super) fn beside(report: &Report) -> Markup {
    let index = Index::of(report);
    let faults = faults(report);
    let mut examples = examples(report, &faults);
    examples.truncate(EXAMPLES);
    let rows = others(report, &index, &examples, RANGES);
    html! {
        @if !rows.is_empty() {
            section.others aria-labelledby="others" {
                h2 id="others" { @if examples.is_empty() { "The devices" } @else { "The other devices" } }
                p.hint {
                    "In brackets, how many of them are in a range or network. " code { "--device ADDRESS" }
                    " shows one of them in full, " code { "--csv-devices FILE" } " lists every device that a fault affects."
                }
                table {
                    thead { tr {
                        th scope="col" { "devices" } th scope="col" { "what" } th scope="col" { "addresses" }
                    } }
                    tbody { @for row in rows.iter().take(ROWS) { (self::row(row)) } }
                }
                @if rows.len() > ROWS { p.hint { "… " (rows.len() - ROWS) " more kinds" } }
            }
        }
    }
}

fn row(row: &Row<'_>) -> Markup {
    html! { tr {
        th scope="row" {
            span.mark.(status_class(row.verdict)) aria-hidden="true" { (row.mark()) } " "
            span.nowrap { (row.devices) }
        }
        td { (row.in_words(200)) }
        td { (row.places.join(", ")) }
    } }
}

/// The faults, by server. `scope` is that of the examples.
pub(super) fn faults_first(scope: &Scope<'_>) -> Markup {
    let faults = faults(scope.report);
    html! {
        @if faults.is_empty() {
            section aria-labelledby="faults" { h2 id="faults" { "No fault was found" } }
        } @else {
            section.faults aria-labelledby="faults" {
                h2 id="faults" { (counted(faults.len(), "fault")) }
                @for (index, fault) in faults.iter().take(FAULTS).enumerate() { (card(scope, fault, index)) }
                @if faults.len() > FAULTS { p.hint { "… " (faults.len() - FAULTS) " more, which the JSON report holds" } }
            }
        }
    }
}

fn card(scope: &Scope<'_>, fault: &Fault, index: usize) -> Markup {
    let id = format!("f{}", index + 1);
    let devices = scope.report.devices.iter().enumerate();
    let example = fault.example.as_ref().and_then(|example| {
        let mut shown = devices.filter(|(_, device)| device.id == example.device);
        shown.next()
    });
    let own = Scope::of(scope.report, scope.index, example.map(|(_, device)| device));
    let mut extent = extent(&own, fault);
    let affected = extent.remove(0);
    html! {
        article.fault.(severity_class(fault.severity)) aria-labelledby=(id) {
            h3 id=(id) {
                span.mark aria-hidden="true" { @if fault.severity == Severity::Error { "✗" } @else { "!" } } " "
                span.server { (subject_of(fault)) } " "
                span.verdict { (headline(&fault.summary, 600)) }
            }
            p.extent { b { (affected) } ", " (extent.join(", ")) }
            @if let Some(line) = &fault.timeline { (picture(fault, line)) }
            p.tag {
                b { (shorten(&fault.code, 10)) " " (shorten(&fault.name, 60)) } " · "
                span.(severity_class(fault.severity)) { (fault.severity.as_str()) } " · "
                b { (fault.proof.as_str()) } ": " (meaning_of(fault.proof))
            }
            details.todo open[index < UNFOLDED] {
                summary { "What to do" }
                (remedies(&fault.remedies))
                @if let Some(filter) = &fault.filter {
                    p.hint { "Its server's connections in Wireshark, as a display filter:" }
                    (copied(&shorten(filter, 1000)))
                }
            }
            @if let Some((place, device)) = example {
                p { a href={ "#d" (place + 1) } { "Example: " (subject(device)) } }
            }
        }
    }
}

/// When handshakes with the server completed, above the line, and when not, below it.
fn picture(fault: &Fault, line: &Timeline) -> Markup {
    let (width, half) = PICTURE;
    let parts = line.completed.len().max(line.failed.len()).max(1);
    let most = line.completed.iter().chain(&line.failed).copied().max().unwrap_or(0).max(1);
    let step = width / parts;
    // At least a visible bar for what happened at all.
    let height = |count: u64| {
        let scaled = u128::from(count) * u128::try_from(half).unwrap_or(0) / u128::from(most);
        usize::try_from(scaled).unwrap_or(half).clamp(2, half)
    };
    let bars = |counts: &[u64]| -> Vec<(usize, usize)> {
        let there = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        there.map(|(part, count)| (part * step + 1, height(*count))).collect()
    };
    let clock = |time: &str| {
        let (day, clock) = date_and_clock(time);
        shorten(&format!("{day} {}", clock.split('.').next().unwrap_or_default()), 40)
    };
    let words = turn(fault, line);
    html! {
        figure.timeline {
            figcaption { (words) }
            div.drawn {
                svg viewBox={ "0 0 " (width) " " (2 * half + 4) } preserveAspectRatio="none" role="img"
                    aria-label={ "handshakes with this server over time: " (words) } {
                    @for (x, height) in bars(&line.completed) {
                        rect.good x=(x) y=(half - height) width=(step - 2) height=(height) {}
                    }
                    @for (x, height) in bars(&line.failed) {
                        rect.bad x=(x) y=(half + 4) width=(step - 2) height=(height) {}
                    }
                    line x1="0" x2=(width) y1=(half + 2) y2=(half + 2) {}
                }
                p.sides { span.good { "▲ completed" } span.bad { "▼ not completed" } }
            }
            p.ends { span { (clock(&line.from)) } span { (clock(&line.to)) " UTC" } }
        }
    }
}
