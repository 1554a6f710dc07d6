//! In: words of a report. Out: the small parts of which the page is made. Bounded: by their input.

use maud::{Markup, html};

use crate::render::shared::Scope;
use crate::render::shared::words::{clean, place};
use crate::report::{Finding, Proof, Severity, VerdictStatus};

/// A term and what is known of it, or nothing.
pub(super) fn fact(term: &str, what: Option<&str>) -> Markup {
    html! { @if let Some(what) = what { dt { (term) } dd { (clean(what)) } } }
}

/// Text to copy: unshortened, selectable, reachable by keyboard where it scrolls. The script shows the button.
pub(super) fn copied(text: &str) -> Markup {
    html! {
        div.copied {
            pre tabindex="0" role="group" aria-label="to copy" { code { (text) } }
            button type="button" hidden { "Copy" }
        }
    }
}

/// `usb.pcapng frame 22`, or a file's name alone.
pub(super) fn capture_and_frame(scope: &Scope<'_>, capture: &str, frame: Option<u64>) -> String {
    place(&scope.capture(capture), frame)
}

/// The style sheet's name for a verdict.
pub(super) fn status_class(status: VerdictStatus) -> &'static str {
    match status {
        VerdictStatus::Fails => "bad",
        VerdictStatus::Degraded | VerdictStatus::Undecided => "warn",
        VerdictStatus::Ok => "good",
        VerdictStatus::NothingSeen => "quiet",
    }
}

/// The style sheet's name for a severity.
pub(super) fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "bad",
        Severity::Warning => "warn",
        Severity::Info => "quiet",
    }
}

/// What the word for a finding's proof means.
pub(super) fn meaning(finding: &Finding) -> &'static str {
    match finding.proof {
        Proof::Inferred if finding.excluded.iter().any(|cause| !cause.excluded) => {
            "the evidence points to it; what else it could be is named below as not ruled out"
        }
        proof => meaning_of(proof),
    }
}

/// What the word for a proof means.
pub(super) fn meaning_of(proof: Proof) -> &'static str {
    match proof {
        Proof::Proven => "the captures leave no other cause",
        Proof::Inferred => "the evidence points to it, but does not prove it",
        Proof::Undecidable => "the captures cannot decide it; below stands what would",
    }
}
