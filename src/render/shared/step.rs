//! In: one side of a compared step. Out: its frames, and whether it reads like the other. Bounded: a few words.

use crate::report::StepSide;

/// `18–24`, `18`, or nothing.
pub(in crate::render) fn frames(side: &StepSide) -> String {
    match (side.frame, side.last_frame) {
        (Some(first), Some(last)) if last > first => format!("{first}–{last}"),
        (Some(first), _) => first.to_string(),
        (None, _) => String::new(),
    }
}

/// Whether the two sides read the same.
pub(in crate::render) fn told_alike(one: &StepSide, other: &StepSide) -> bool {
    one.summary == other.summary
        && one.history == other.history
        && one.ending == other.ending
        && one.certificates == other.certificates
        && one.count == other.count
}

/// Shown in place of a side that lacks the step.
pub(in crate::render) fn lacking(kind: &str) -> &'static str {
    if kind == "clock" { "not known" } else { "not there" }
}

/// `3 handshakes`, `3 times`.
pub(in crate::render) fn times(kind: &str, side: &StepSide) -> String {
    let things = if kind == "handshake" && side.history.is_some() { "handshakes" } else { "times" };
    format!("{} {things}", side.count)
}
