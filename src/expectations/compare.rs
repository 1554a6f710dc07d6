//! How a report differs from what is expected.
//!
//! In: an expectation and a report. Out: the differences. Bounded: by both. Left to others: what becomes of them.

use super::model::{Expectation, ExpectedFinding, numbers};
use crate::diagnosis::rule_named;
use crate::evidence::SignInMethod;
use crate::report::{Device, Difference, Finding, Report, Severity};

impl ExpectedFinding {
    fn of(finding: &Finding) -> Self {
        Self {
            name: finding.name.clone(),
            severity: Some(finding.severity),
            proof: Some(finding.proof),
            missing: Some(finding.missing.iter().map(|missing| missing.subject.clone()).collect()),
        }
    }

    /// Whether a finding, of which everything is known, is as expected.
    fn fits(&self, found: &Self) -> bool {
        self.name == found.name
            && (self.severity.is_none() || self.severity == found.severity)
            && (self.proof.is_none() || self.proof == found.proof)
            && (self.missing.is_none() || self.missing == found.missing)
    }

    /// How many of its values are left to any.
    fn open(&self) -> usize {
        let open = [self.severity.is_none(), self.proof.is_none(), self.missing.is_none()];
        open.into_iter().filter(|is_open| *is_open).count()
    }

    fn in_words(&self) -> String {
        let missing = self.missing.as_ref().filter(|missing| !missing.is_empty());
        let words = [
            Some(self.name.clone()),
            self.severity.map(|severity| severity.as_str().to_owned()),
            self.proof.map(|proof| proof.as_str().to_owned()),
            missing.map(|missing| format!("[{}]", missing.join("; "))),
        ];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

impl Expectation {
    /// How a report differs from what is expected; empty if it does not.
    pub fn differences(&self, report: &Report) -> Vec<Difference> {
        let mut out = Vec::new();
        for expected in &self.devices {
            let Some(device) = report.devices.iter().find(|device| device.id == expected.device) else {
                out.push(difference(&expected.device, "verdict", Some(expected.verdict.as_str()), None));
                continue;
            };
            let mut differ = |what: &str, expected: &str, got: &str| {
                if expected != got {
                    out.push(difference(&device.id, what, Some(expected), Some(got)));
                }
            };
            let (verdict, sign_in) = (device.verdict.status.as_str(), device.sign_in.method.as_str());
            differ("verdict", expected.verdict.as_str(), verdict);
            differ("sign-in", expected.sign_in.map_or(sign_in, SignInMethod::as_str), sign_in);
            out.extend(self.compare(&device.id, &expected.findings, &self.counting(report, Some(&device.id))));
        }
        let known = |device: &&Device| self.devices.iter().any(|expected| expected.device == device.id);
        for device in report.devices.iter().filter(|device| !known(device)) {
            out.push(difference(&device.id, "verdict", None, Some(device.verdict.status.as_str())));
        }
        out.extend(self.compare("captures", &self.findings, &self.counting(report, None)));
        out
    }

    /// The findings of a report about a device (`None`: about no device) that this expectation compares.
    pub(super) fn counting(&self, report: &Report, device: Option<&str>) -> Vec<ExpectedFinding> {
        let own = report.findings.iter().filter(|finding| finding.device.as_deref() == device);
        let counts =
            own.filter(|finding| (self.strict || finding.severity > Severity::Info) && !self.is_newer(finding));
        counts.map(ExpectedFinding::of).collect()
    }

    /// Whether the finding's rule is newer than the version for which the file was written.
    fn is_newer(&self, finding: &Finding) -> bool {
        let file = self.since.as_deref().and_then(numbers);
        let rule = rule_named(&finding.code).and_then(|rule| numbers(rule.since));
        file.zip(rule).is_some_and(|(file, rule)| rule > file)
    }

    fn compare(&self, whose: &str, expected: &[ExpectedFinding], got: &[ExpectedFinding]) -> Vec<Difference> {
        let (mut expected, mut got) = (expected.to_vec(), got.to_vec());
        // What is said in full takes its finding before what fits several does.
        expected.sort_by_key(ExpectedFinding::open);
        expected.retain(|wanted| match got.iter().position(|found| wanted.fits(found)) {
            Some(at) => {
                got.remove(at);
                false
            }
            None => true,
        });
        // A reported finding with the name of an expected one is shown beside it: it differs in severity, proof or
        // subjects.
        let mut out = Vec::new();
        for wanted in &expected {
            let same = got.iter().position(|found| found.name == wanted.name).map(|at| got.remove(at).in_words());
            out.push(difference(whose, "finding", Some(&wanted.in_words()), same.as_deref()));
        }
        out.extend(got.iter().map(|found| difference(whose, "finding", None, Some(&found.in_words()))));
        out
    }
}

fn difference(whose: &str, what: &str, expected: Option<&str>, got: Option<&str>) -> Difference {
    let about = format!("{whose} {what}");
    Difference { about, expected: expected.map(str::to_owned), got: got.map(str::to_owned) }
}
