//! In: findings. Out: what shows each, what is ruled out, what to do, the filter. Bounded: [`EVIDENCE`] frames and
//! [`OTHERS`] findings beside the headline. Left to others: the verdict line.

use maud::{Markup, html};

use super::parts::{capture_and_frame, copied, meaning, severity_class};
use crate::render::shared::Scope;
use crate::render::shared::finding::{notes, words};
use crate::render::shared::words::{clean, shorten};
use crate::report::{Excluded, Finding, Proof};

/// The most pieces of evidence listed.
const EVIDENCE: usize = 50;

/// The most other findings of one device that are written out.
const OTHERS: usize = 50;

/// The longest sentence shown in full, in characters.
const SENTENCE: usize = 1000;

/// `CG001 missing-intermediate · error · proven`, and what the last word means.
pub(super) fn tag(finding: &Finding) -> Markup {
    html! {
        p.tag {
            b { (shorten(&finding.code, 10)) " " (shorten(&finding.name, 60)) } " · "
            span.(severity_class(finding.severity)) { (finding.severity.as_str()) } " · "
            b { (finding.proof.as_str()) } ": " (meaning(finding))
        }
    }
}

/// What is shown below the pictures.
pub(super) fn body(scope: &Scope<'_>, finding: &Finding) -> Markup {
    html! {
        (evidence(scope, finding))
        (causes(finding))
        @if !finding.remedies.is_empty() {
            h3 { "What to do" }
            (remedies(&finding.remedies))
        }
        @if let Some(filter) = &finding.filter {
            h3 { "In Wireshark" }
            p.hint { "The frames it is about, as a display filter:" }
            (copied(&shorten(filter, SENTENCE)))
        }
    }
}

fn evidence(scope: &Scope<'_>, finding: &Finding) -> Markup {
    let more = finding.evidence.len().saturating_sub(EVIDENCE);
    html! {
        @if !finding.evidence.is_empty() {
            h3 { "Evidence" }
            table.evidence {
                thead { tr { th scope="col" { "where" } th scope="col" { "what it shows" } } }
                tbody { @for piece in finding.evidence.iter().take(EVIDENCE) {
                    tr {
                        td { (capture_and_frame(scope, &piece.capture, piece.frame)) }
                        td { (shorten(&piece.what, SENTENCE)) }
                    }
                } }
            }
            @if more > 0 { p.hint { "… " (more) " more, which the JSON report holds" } }
        }
    }
}

fn causes(finding: &Finding) -> Markup {
    let (out, open): (Vec<&Excluded>, Vec<&Excluded>) = finding.excluded.iter().partition(|cause| cause.excluded);
    let nothing = open.is_empty() && !out.is_empty() && finding.proof != Proof::Undecidable;
    html! {
        @if !finding.excluded.is_empty() {
            h3 { "Other causes" }
            table.causes {
                thead { tr { th scope="col" { "cause" } th scope="col" { "answer" } th scope="col" { "why" } } }
                tbody {
                    @for cause in open { (row(cause, "warn", "not ruled out")) }
                    @for cause in out { (row(cause, "good", "ruled out")) }
                }
            }
            @if nothing { p { "Nothing else is left." } }
        }
    }
}

fn row(cause: &Excluded, class: &str, answer: &str) -> Markup {
    html! { tr {
        th scope="row" { (shorten(&words(&cause.cause), 60)) }
        td.(class) { (answer) }
        td { (shorten(&cause.why, SENTENCE)) }
    } }
}

/// In a remedy of several lines the indented ones are commands.
pub(super) fn remedies(remedies: &[String]) -> Markup {
    html! {
        ol.remedies { @for remedy in remedies {
            li { @for line in remedy.lines() {
                @if line.starts_with([' ', '\t']) { (copied(&clean(line.trim()))) } @else { p { (clean(line)) } }
            } }
        } }
    }
}

/// The findings beside the headline, each to be unfolded.
pub(super) fn others(scope: &Scope<'_>, findings: &[&Finding], id: &str) -> Markup {
    html! {
        @if !findings.is_empty() {
            section aria-labelledby={ (id) "-also" } {
                h3 id={ (id) "-also" } { "Also found" }
                (list(scope, findings))
            }
        }
    }
}

/// Findings, each to be unfolded.
pub(super) fn list(scope: &Scope<'_>, findings: &[&Finding]) -> Markup {
    html! {
        @for finding in findings.iter().take(OTHERS) { (folded(scope, finding)) }
        @if findings.len() > OTHERS { p.hint { "… " (findings.len() - OTHERS) " more" } }
    }
}

/// One finding in a line, with the rest of it beneath.
pub(super) fn folded(scope: &Scope<'_>, finding: &Finding) -> Markup {
    let notes = notes(scope, finding);
    html! {
        details.finding.(severity_class(finding.severity)) {
            summary {
                b { (shorten(&finding.code, 10)) } " "
                span.(severity_class(finding.severity)) { (finding.severity.as_str()) } " "
                (shorten(&finding.summary, SENTENCE))
                @if !notes.is_empty() { " (" (notes.join("; ")) ")" }
            }
            (tag(finding))
            (body(scope, finding))
        }
    }
}
