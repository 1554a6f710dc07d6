//! In: the steps that a search may take. Out: whether there are any left, and what the search left out. Bounded: three
//! numbers. Left to others: which work costs how many steps.

/// What a search left out to stay within its bounds; of several, the greatest is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOut {
    /// Ways to an issuer, a name and a key, after the first four. It is reported only where a certificate broke a rule:
    /// otherwise one way is as good as another.
    Ways,
    /// Paths of more than 64 certificates.
    LongPaths,
    /// Certificates of one subject beyond those that a [`Pool`](super::Pool) keeps.
    Namesakes,
    /// Everything for which the budget had no steps left.
    Steps,
}

/// The steps of one search.
#[derive(Debug)]
pub(super) struct Budget {
    given: usize,
    left: usize,
    passed_over: Option<LeftOut>,
}

/// This many comparisons of a name with a name constraint, or looks at a namesake of an issuer, take as long as a step.
const COMPARISONS_PER_STEP: usize = 32;

impl Budget {
    pub(super) fn new(steps: usize) -> Self {
        Self { given: steps, left: steps, passed_over: None }
    }

    /// Takes steps; false once none are left, and the search has to end.
    #[must_use = "a search without steps has to end"]
    pub(super) fn spend(&mut self, steps: usize) -> bool {
        self.left = self.left.saturating_sub(steps);
        !self.is_spent()
    }

    /// Takes the steps that so many comparisons cost; a few are free.
    #[must_use = "a search without steps has to end"]
    pub(super) fn spend_on_comparisons(&mut self, count: usize) -> bool {
        self.spend(count / COMPARISONS_PER_STEP)
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Steps taken so far.
    pub(super) fn taken(&self) -> usize {
        self.given - self.left
    }

    /// Records that the search goes on without something.
    pub(super) fn pass_over(&mut self, what: LeftOut) {
        self.passed_over = self.passed_over.max(Some(what));
    }

    /// What the search left out; `None` where it looked at everything.
    pub(super) fn left_out(&self) -> Option<LeftOut> {
        if self.is_spent() { Some(LeftOut::Steps) } else { self.passed_over }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_with_its_last_step() {
        let mut budget = Budget::new(3);
        assert!(budget.spend(2) && budget.spend_on_comparisons(31) && budget.left_out().is_none());
        assert!(!budget.spend(1) && !budget.spend(0));
        assert_eq!((budget.taken(), budget.left_out()), (3, Some(LeftOut::Steps)));
    }

    #[test]
    fn the_greatest_omission_is_told() {
        let mut budget = Budget::new(1);
        budget.pass_over(LeftOut::Namesakes);
        budget.pass_over(LeftOut::Ways);
        assert_eq!(budget.left_out(), Some(LeftOut::Namesakes));
    }
}
