//! In: a chain that a server is to send. Out: whether devices would trust it. Bounded: by the chain and the profiles.

use std::sync::Arc;

use super::settings::Analyzer;
use crate::capture::Timestamp;
use crate::diagnosis::preflight;
use crate::report::{PreflightQuestion, PreflightReport};
use crate::trust::Profile;
use crate::x509::Certificate;

impl Analyzer {
    /// Judges a chain that a server is to send, leaf first, without a capture: for each profile, would it be trusted?
    /// Validity is judged at `now`, or at the instant given to the builder. The analyzer's own profile is not used.
    pub fn preflight(
        &self,
        path: &str,
        chain: Vec<Certificate>,
        host: Option<&str>,
        profiles: &[Profile],
        now: Timestamp,
    ) -> PreflightReport {
        let sent: Vec<_> = chain.into_iter().map(Arc::new).collect();
        let at = self.trust.at.unwrap_or(now);
        let judge = |profile| preflight(&sent, host, profile, &self.trust, at, self.limits.path_steps);
        let answers: Vec<_> = profiles.iter().map(judge).collect();
        let question = PreflightQuestion { path, host, at, sent: &sent, trust: &self.trust, options: &self.options };
        question.report(&answers)
    }
}
