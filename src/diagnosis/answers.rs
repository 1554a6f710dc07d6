//! Which TLS stacks would take what a server is to send.
//!
//! In: the defects that are visible in it. Out: what each measured stack would do. Bounded: by the stacks. Left to others:
//! what shows a defect (`defects`).

use std::sync::Arc;

use super::defects::Visible;
use crate::trust::{Answer, Basis, Reaction, Stack, Stacks};
use crate::words::words;

/// What one stack would do.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The stack.
    pub stack: Arc<Stack>,
    /// What it would do.
    pub answer: Answer,
    /// Whether just this was recorded.
    pub basis: AnswerBasis,
    /// What it would refuse it for.
    pub refused: Option<Visible>,
}

words! {
    /// How it is known what a stack would do.
    pub enum AnswerBasis {
        /// It was recorded with what is visible, and nothing else.
        Measured = "measured",
        /// It follows from its answers to each defect that is visible.
        Derived = "derived",
    }
}

/// What each measured stack would do. Of several answers by which a stack refuses, the one to the gravest defect counts; in
/// the handshake before after it.
pub(super) fn expected(visible: &[Visible], stacks: &Stacks) -> Vec<Expected> {
    let basis = if visible.len() < 2 { AnswerBasis::Measured } else { AnswerBasis::Derived };
    let measured = stacks.all().iter().filter(|stack| stack.provenance == Basis::Measured);
    let answer_of = |stack: &Arc<Stack>| {
        let answers = visible.iter().filter_map(|it| Some((it, stack.answer(it.defect)?)));
        let refusing = answers.filter(|(_, answer)| !answer.accepts());
        let first = refusing.min_by_key(|(it, answer)| (answer.after, it.code.rank()));
        Expected {
            stack: Arc::clone(stack),
            answer: first.map_or(Answer { reaction: Reaction::Accepts, after: false }, |(_, answer)| answer),
            basis,
            refused: first.map(|(it, _)| it.clone()),
        }
    };
    measured.map(answer_of).collect()
}
