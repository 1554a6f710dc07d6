//! In: findings. Out: the short words about them beside a sentence. Bounded: by a line each.

use super::scope::Scope;
use super::words::{clean, seconds, shorten};
use crate::report::Finding;

/// `CG001 · error · proven`.
pub(in crate::render) fn tag(finding: &Finding) -> String {
    format!("{} · {} · {}", shorten(&finding.code, 10), finding.severity.as_str(), finding.proof.as_str())
}

/// `3 times, 12:00:01 to 12:00:09`, for what happened more than once.
pub(in crate::render) fn repetition(finding: &Finding) -> Option<String> {
    if finding.occurrences < 2 {
        return None;
    }
    let span = match (&finding.first_time, &finding.last_time) {
        (Some(first), Some(last)) => format!(", {} to {}", seconds(first), seconds(last)),
        _ => String::new(),
    };
    Some(format!("{} times{span}", finding.occurrences))
}

/// `untrusted-root` as words.
pub(in crate::render) fn words(name: &str) -> String {
    clean(name).replace('-', " ")
}

/// The server, how often it happened, which finding caused it, and the frame in which the device recovered.
pub(in crate::render) fn notes(scope: &Scope<'_>, finding: &Finding) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(scope.index.server(finding).map(|server| format!("with {server}")));
    notes.extend(repetition(finding));
    if let Some(cause) = &finding.caused_by {
        let code = scope.report.findings.iter().find(|f| f.id == *cause).map_or(cause, |f| &f.code);
        notes.push(format!("caused by {}", shorten(code, 40)));
    }
    if let Some(place) = &finding.recovered_by {
        notes.push(format!("recovered in frame {} of {}", place.frame, scope.capture(&place.capture)));
    }
    notes
}
