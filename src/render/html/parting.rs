//! In: a comparison. Out: where in the story of one of the two its parting step is: at an event, or before one, where
//! there is a gap. Bounded: one step. Left to others: how it looks.

use super::arrow::{Arrow, Tone};
use crate::render::shared::step::lacking;
use crate::render::shared::words::shorten;
use crate::report::{CompareStep, Comparison, Device, Event, EventKind, StepSide, WhichSide};

/// The longest words shown in full, in characters.
const WORDS: usize = 300;

/// The step at which two stories part, seen from one of them.
pub(super) struct Parting<'a> {
    step: &'a CompareStep,
    /// The step as this one took it.
    own: Option<&'a StepSide>,
    /// The step that it took before.
    before: Option<&'a StepSide>,
}

/// A place in a story, by the index of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// This event.
    At(usize),
    /// No event: the gap is before this one.
    Before(usize),
}

impl Spot {
    pub(super) fn index(self) -> usize {
        match self {
            Self::At(index) | Self::Before(index) => index,
        }
    }
}

/// What one of the two did in a step.
pub(super) fn of_side(step: &CompareStep, which: WhichSide) -> Option<&StepSide> {
    match which {
        WhichSide::Good => step.good.as_ref(),
        WhichSide::Bad => step.bad.as_ref(),
    }
}

impl<'a> Parting<'a> {
    pub(super) fn of(comparison: &'a Comparison, which: WhichSide) -> Option<Self> {
        let index = comparison.parting?;
        let step = comparison.steps.get(index)?;
        let earlier = comparison.steps.get(..index).unwrap_or_default();
        let before = earlier.iter().rev().find_map(|step| of_side(step, which));
        Some(Self { step, own: of_side(step, which), before })
    }

    /// The event that is the step, or that shows its absence; else the place where it would be.
    pub(super) fn spot(&self, device: &Device) -> Spot {
        let is_own = |event: &Event| {
            let same = |own: &StepSide| event.frame == own.frame && event.capture == own.capture;
            event.frame.is_some() && self.own.is_some_and(same)
        };
        let find = |is_it: &dyn Fn(&Event) -> bool| device.events.iter().position(is_it);
        let told =
            find(&|event| is_own(event) && event.kind.as_str() == self.step.kind).or_else(|| find(&is_own)).or_else(
                || find(&|event| self.own.is_none() && self.step.kind == "fetch" && event.kind == EventKind::Absent),
            );
        if let Some(index) = told {
            return Spot::At(index);
        }
        let Some(last) = self.own.or(self.before) else { return Spot::Before(0) };
        let later = find(&|event| event.capture == last.capture && event.frame > last.frame);
        Spot::Before(later.unwrap_or(device.events.len()))
    }

    /// The arrow for the gap where no event is the step.
    pub(super) fn gap(&self) -> Arrow {
        let text = match self.own {
            Some(own) => own.summary.clone(),
            None => format!("{}: {}", lacking(&self.step.kind), self.step.subject),
        };
        Arrow::remark(Tone::Warn, shorten(&text, WORDS))
    }

    /// `here they part: the bad one never asks for it`.
    pub(super) fn words(&self) -> String {
        match self.step.differences.first() {
            Some(difference) => format!("here they part: {}", shorten(difference, WORDS)),
            None => "here they part".to_owned(),
        }
    }
}
