//! In: captures, limits, options. Out: what was read, what could not be, how it was judged, and how to read the page.
//! Bounded: [`CAPTURES`] captures, and of each [`PROBLEMS`] problems.

use maud::{Markup, html};

use super::parts::fact;
use crate::render::shared::words::{date_and_clock, shorten};
use crate::render::shared::{Scope, dropped};
use crate::report::{Capture, Report};

/// The most captures listed.
const CAPTURES: usize = 500;

/// The most problems listed for one capture.
const PROBLEMS: usize = 10;

/// The files read.
pub(super) fn captures(scope: &Scope<'_>) -> Markup {
    let captures = &scope.report.captures;
    let table = html! {
        div.wide tabindex="0" role="group" aria-label="captures" {
            table {
                thead { tr {
                    th scope="col" { "capture" } th scope="col" { "format" } th scope="col" { "packets" }
                    th scope="col" { "from" } th scope="col" { "to" }
                } }
                tbody { @for capture in captures.iter().take(CAPTURES) { (row(capture)) } }
            }
        }
        @if captures.len() > CAPTURES { p.hint { "… " (captures.len() - CAPTURES) " more" } }
    };
    html! {
        details.facts {
            summary { (captures.len()) @if captures.len() == 1 { " capture, " } @else { " captures, " }
                (scope.report.statistics.packets) " packets" }
            (table)
        }
    }
}

fn row(capture: &Capture) -> Markup {
    let instant = |time: &Option<String>| {
        time.as_deref()
            .map(date_and_clock)
            .map_or_else(String::new, |(day, clock)| shorten(&format!("{day} {clock}"), 40))
    };
    html! { tr {
        th scope="row" { (shorten(&capture.path, 200)) }
        td { (shorten(capture.format.as_deref().unwrap_or("unknown"), 20)) " " (shorten(&capture.link_types.join(", "), 80)) }
        td { (capture.packets) }
        td { (instant(&capture.first_time)) }
        td { (instant(&capture.last_time)) }
    } }
}

/// What could not be read, and what was dropped.
pub(super) fn withheld(scope: &Scope<'_>) -> Markup {
    let lines = problems(scope.report);
    html! {
        @if !lines.is_empty() {
            section aria-labelledby="withheld" {
                h2 id="withheld" { "What the captures withhold" }
                p { "A verdict may suffer from it." }
                ul { @for line in lines { li { (shorten(&line, 600)) } } }
            }
        }
    }
}

fn problems(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for capture in &report.captures {
        let path = shorten(&capture.path, 120);
        lines.extend(capture.problems.iter().take(PROBLEMS).map(|problem| format!("{path}: {problem}")));
        if capture.problems.len() > PROBLEMS {
            lines.push(format!("{path}: … {} more problems", capture.problems.len() - PROBLEMS));
        }
        if capture.cut_packets > 0 {
            let (cut, all) = (capture.cut_packets, capture.packets);
            lines.push(format!("{path}: of {cut} of {all} packets the capture kept less than was on the wire"));
        }
    }
    lines.extend(dropped(report));
    lines
}

/// What the run was asked to do.
pub(super) fn options(scope: &Scope<'_>) -> Markup {
    let options = &scope.report.options;
    let files = |list: &[String]| (!list.is_empty()).then(|| shorten(&list.join(", "), 2000));
    html! {
        details.facts {
            summary { h2 { "How it was judged" } }
            dl {
                (fact("--profile", Some(&options.profile)))
                (fact("--roots", files(&options.roots).as_deref()))
                (fact("--installed", files(&options.installed).as_deref()))
                (fact("--bundle", files(&options.bundle).as_deref()))
                (fact("--device", options.device.as_deref()))
                (fact("--sign-in", Some(&options.sign_in)))
                (fact("--at", options.at.as_deref()))
            }
        }
    }
}

/// What the words mean.
pub(super) fn legend() -> Markup {
    html! {
        details.facts {
            summary { h2 { "How to read it" } }
            dl {
                dt { "proven" } dd { "The captures leave no other cause." }
                dt { "inferred" } dd { "The evidence points to it. What else it could be is listed as not ruled out." }
                dt { "undecidable" } dd { "The captures cannot decide it; the report says what would." }
                dt { "CG001, …" } dd { code { "chaingap explain CG001" } " says what a finding means, how it is proven, what
                    mimics it and how it is mended." }
                dt { "frame" } dd { "The number of a packet in its capture, as Wireshark counts them." }
                dt { "what a device had" } dd { "Its roots, what it was given, and what it fetched before that handshake
                    in the same capture. Certificates of other servers, devices or captures never count as its own." }
                dt { "messages" } dd { "One letter each, capitals the client's: C/s hello, x/X certificate, k/K key exchange,
                    r certificate request, n hello done, i/I change cipher spec, f/F finished, l/L alert, t ticket,
                    v/V certificate verify, d/D data, h/H heartbeat, e/E FIN, z/Z RST, ? what follows is uncertain." }
            }
        }
    }
}
