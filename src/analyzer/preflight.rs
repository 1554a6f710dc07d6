//! In: a chain that a server is to send. Out: whether devices would trust it. Bounded: by the chain and the profiles.

use super::settings::Analyzer;
use crate::capture::Timestamp;
use crate::diagnosis::{Presented, preflight};
use crate::report::{PreflightQuestion, PreflightReport};
use crate::trust::{ChainFile, Profile};

impl Analyzer {
    /// Judges the file with the chain that a server is to send, without a capture: for each profile, would it be trusted?
    /// `host` is the name or address that devices ask for, in the form that certificates have. Validity is judged at
    /// `now`, or at the instant given to the builder. The analyzer's own profile is only named in the report.
    pub fn preflight(
        &self,
        path: &str,
        file: &ChainFile,
        host: Option<&str>,
        profiles: &[Profile],
        now: Timestamp,
    ) -> PreflightReport {
        let presented = Presented::of(file, host);
        let at = self.trust.at.unwrap_or(now);
        let judge = |profile| preflight(&presented, host, profile, &self.trust, at, self.limits.path_steps);
        let answers: Vec<_> = profiles.iter().map(judge).collect();
        let question =
            PreflightQuestion { path, host, at, presented: &presented, trust: &self.trust, options: &self.options };
        question.report(&answers)
    }
}
