//! A conclusion with the frames that it rests on, and the words that several conclusions share.
//!
//! In: steps and their sides. Out: words. Bounded: `MOST` differences are named. Left to others: which of them matter.

use super::model::{Because, CompareStep, StepSide, WhichSide};
use super::names::{MOST, shortened};
use crate::report::words;

/// A conclusion and its frames.
pub(super) struct Sentence {
    pub(super) words: String,
    pub(super) because: Vec<Because>,
}

impl Sentence {
    pub(super) fn new(words: String) -> Self {
        Self { words, because: Vec::new() }
    }
}

/// `frame 7`, `frames 7–9`.
pub(super) fn frames(side: &StepSide) -> String {
    let Some(first) = side.frame else { return "no frame".into() };
    words::frames(first, side.last_frame.unwrap_or(first))
}

pub(super) fn because(which: WhichSide, side: &StepSide) -> Because {
    Because { side: which, capture: side.capture.clone(), frame: side.frame, what: side.summary.clone() }
}

/// A step's subject and differences; `None` if nothing differs.
pub(super) fn told_with_subject(step: &CompareStep) -> Option<String> {
    let subject = shortened(&step.subject);
    step.differs.then(|| format!("{subject}: {}", step.differences.join(", ")))
}

/// Up to `MOST` differences; the others are only counted.
pub(super) fn joined(words: &[String]) -> String {
    let told: Vec<&str> = words.iter().take(MOST).map(String::as_str).collect();
    match words.len().saturating_sub(MOST) {
        0 => told.join("; "),
        more => format!("{}; and {more} more", told.join("; ")),
    }
}
