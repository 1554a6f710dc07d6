//! In: the devices. Out: a list of them with their verdicts, and a filter for it. Bounded: a line a device.

use maud::{Markup, html};

use super::parts::status_class;
use crate::render::shared::words::shorten;
use crate::render::shared::{Scope, captures, counts, mark, subject};
use crate::report::Device;

/// With fewer devices than this there is nothing to filter.
const FILTERED: usize = 5;

/// The list, if there is more than one device.
pub(super) fn index(scope: &Scope<'_>) -> Markup {
    let devices = &scope.report.devices;
    if devices.len() < 2 {
        return html! {};
    }
    html! {
        nav.index aria-labelledby="devices" {
            h2 id="devices" { "Devices" }
            @if devices.len() >= FILTERED { (filter(scope)) }
            table {
                thead { tr {
                    th scope="col" { "device" } th scope="col" { "verdict" } th scope="col" { "finding" }
                    th scope="col" { "capture" }
                } }
                tbody { @for (index, device) in devices.iter().enumerate() { (row(scope, device, index + 1)) } }
            }
        }
    }
}

/// Hidden until the script that it needs runs.
fn filter(scope: &Scope<'_>) -> Markup {
    html! {
        form.filter role="search" hidden {
            label for="words" { "Show devices with" }
            input id="words" type="search" placeholder="address, name, finding" autocomplete="off";
            fieldset {
                legend { "Verdict" }
                @for (status, n, word) in counts(scope.report) {
                    label { input type="checkbox" checked value=(status.as_str()); " " (n) " " (word) }
                }
            }
            p role="status" {}
        }
    }
}

fn row(scope: &Scope<'_>, device: &Device, number: usize) -> Markup {
    let headline = scope.headline(device);
    html! {
        tr data-status=(device.verdict.status.as_str()) data-device={ "d" (number) } {
            th scope="row" {
                span.mark.(status_class(device.verdict.status)) aria-hidden="true" { (mark(device.verdict.status)) } " "
                a href={ "#d" (number) } { (subject(device)) }
            }
            td { (shorten(&device.verdict.summary, 200)) }
            td { @if let Some(finding) = headline { (shorten(&finding.code, 10)) " " (finding.proof.as_str()) } }
            td { (captures(scope, device)) }
        }
    }
}
