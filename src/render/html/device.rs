//! In: one device. Out: its section: the verdict, the ladder, the chain, the finding, and what is known of it. Bounded: by
//! the parts.

use maud::{Markup, html};

use super::certificates::Shelf;
use super::parts::{capture_and_frame, fact, status_class};
use super::steps::Focus;
use super::{chain, finding, ladder};
use crate::render::shared::words::{date_and_clock, shorten};
use crate::render::shared::{Scope, context, handshake_of, mark, subject};
use crate::report::{Device, Finding, Handshake};

/// The most handshakes listed.
const HANDSHAKES: usize = 64;

/// The longest verdict shown in full, in characters.
const SUMMARY: usize = 1000;

/// The section of the device with this number.
pub(super) fn device(scope: &Scope<'_>, shelf: &Shelf<'_>, device: &Device, number: usize, open: bool) -> Markup {
    let headline = scope.headline(device);
    let findings = scope.findings(device);
    let others: Vec<&Finding> = findings.iter().copied().filter(|f| headline.is_none_or(|h| h.id != f.id)).collect();
    let handshake = match headline {
        Some(headline) => handshake_of(device, headline),
        None => device.handshakes.first(),
    };
    let id = format!("d{number}");
    let class = status_class(device.verdict.status);
    html! {
        details.device.(class) open[open] data-status=(device.verdict.status.as_str()) {
            summary {
                h2 {
                    span.mark aria-hidden="true" { (mark(device.verdict.status)) } " "
                    span.subject { (subject(device)) } " "
                    span.verdict { (shorten(&device.verdict.summary, SUMMARY)) }
                }
            }
            div.body id=(id) {
                @if let Some(headline) = headline { (finding::tag(headline)) }
                p.context { (context(scope, device, headline)) }
                (ladder::ladder(scope, device, Focus { headline, handshake, parting: None }, &id))
                @if let Some(handshake) = handshake { (chain::chain(scope, shelf, device, handshake, &id)) }
                @if let Some(headline) = headline { (finding::body(scope, headline)) }
                (finding::others(scope, &others, &id))
                (facts(scope, device))
                (handshakes(scope, device))
            }
        }
    }
}

fn facts(scope: &Scope<'_>, device: &Device) -> Markup {
    let addresses: Vec<String> = device.addresses.iter().map(|known| known.address.clone()).collect();
    let basis = device.sign_in.basis.iter().map(|s| (s.capture.as_str(), s.frame, s.signal.as_str()));
    let recognized = device.recognized_by.iter().map(|s| (s.capture.as_str(), s.frame, s.what.as_str()));
    let clock = device.clock.as_ref();
    html! {
        details.facts {
            summary { h3 { "About this " (scope.thing) } }
            dl {
                (fact(if addresses.len() == 1 { "Address" } else { "Addresses" }, Some(&addresses.join(", "))))
                (fact("Network card", device.mac.as_deref()))
                (fact("One device because", Some(&device.identity_basis)))
                (fact("Recognized as", device.recognized_as.as_deref()))
                (signals(scope, "Recognized by", recognized))
                (signals(scope, "Sign-in told by", basis))
                (fact("Its clock", clock.map(|c| format!("{} s beside the capture's: {}", c.offset_s, c.basis)).as_deref()))
            }
        }
    }
}

fn signals<'a>(scope: &Scope<'_>, term: &str, signals: impl Iterator<Item = (&'a str, u64, &'a str)>) -> Markup {
    let signals: Vec<_> = signals.collect();
    html! {
        @if !signals.is_empty() {
            dt { (term) }
            dd { @for (capture, frame, what) in signals {
                div { (capture_and_frame(scope, capture, Some(frame))) ": " (shorten(what, SUMMARY)) }
            } }
        }
    }
}

fn handshakes(scope: &Scope<'_>, device: &Device) -> Markup {
    let listed = device.handshakes.len().min(HANDSHAKES);
    let more = device.handshakes_total.saturating_sub(u64::try_from(listed).unwrap_or(u64::MAX));
    html! {
        @if listed > 0 {
            details.facts {
                summary { h3 { "Handshakes (" (device.handshakes_total) ")" } }
                div.wide tabindex="0" role="group" aria-label="handshakes" {
                    table {
                        thead { tr {
                            th scope="col" { "where" } th scope="col" { "time" } th scope="col" { "server" }
                            th scope="col" { "client like" } th scope="col" { "version, suite" } th scope="col" { "messages" } th scope="col" { "outcome" }
                        } }
                        tbody { @for handshake in device.handshakes.iter().take(HANDSHAKES) { (row(scope, handshake)) } }
                    }
                }
                @if more > 0 { p.hint { (more) " more are like these, or are left out" } }
            }
        }
    }
}

fn row(scope: &Scope<'_>, handshake: &Handshake) -> Markup {
    let agreed: Vec<String> = handshake.version.iter().chain(&handshake.cipher_suite).map(|w| shorten(w, 60)).collect();
    let (day, clock) = date_and_clock(&handshake.time);
    html! { tr {
        td { (capture_and_frame(scope, &handshake.capture, Some(handshake.frame))) }
        td { (shorten(&day, 10)) " " (shorten(&clock, 15)) }
        td {
            (shorten(&handshake.server, 60))
            @if let Some(name) = &handshake.server_name { " " (shorten(name, 80)) }
        }
        td { @if let Some(stack) = &handshake.client_stack {
            (shorten(&stack.name, 40)) " " (shorten(&stack.versions, 40))
        } }
        td { (agreed.join(", ")) }
        td { code { (shorten(&handshake.history, 64)) } }
        td {
            (handshake.outcome.as_str())
            @if handshake.repeats > 0 { ", and " (handshake.repeats) " more like it" }
            @if let Some(place) = &handshake.recovered_by {
                ", recovered in " (capture_and_frame(scope, &place.capture, Some(place.frame)))
            }
        }
    } }
}
