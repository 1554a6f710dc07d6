//! What an expectation file holds.
//!
//! In: nothing. Out: its types, whose JSON Schema is `schema/expect-1.json`. Bounded: by the file. Left to others: reading,
//! writing and comparing.

use std::path::PathBuf;

use crate::evidence::SignInMethod;
use crate::report::{Proof, Severity, VerdictStatus};

/// The schema of expectation files.
pub(super) const SCHEMA: &str = "chaingap.expect/1";

/// What `options.sign_in` takes, as `--sign-in` does.
pub(super) const SIGN_INS: [&str; 3] = ["auto", "pin", "usb"];

/// One expectation file.
#[derive(Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[non_exhaustive]
pub struct Expectation {
    /// What happens in the captures, and how they were made.
    pub description: String,
    /// What was recorded in place of a real phone or server; for people.
    pub stand_in: Option<String>,
    /// The version of chaingap for which the file was written, such as 0.1.0; findings of later rules are no difference.
    pub(super) since: Option<String>,
    /// Whether informational findings count too.
    #[cfg_attr(test, schemars(default))]
    pub(super) strict: bool,
    /// The captures, in the order in which they are read; paths are relative to the file, and stay in its folder.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub captures: Vec<PathBuf>,
    /// Options of the run.
    #[cfg_attr(test, schemars(default))]
    pub options: Options,
    /// What is expected of each device.
    #[cfg_attr(test, schemars(default, rename = "device"))]
    pub devices: Vec<ExpectedDevice>,
    /// Expected findings that belong to no device.
    #[cfg_attr(test, schemars(default, rename = "finding"))]
    pub findings: Vec<ExpectedFinding>,
}

/// Options of the run, named as those of `chaingap analyze`; paths are relative to the file, and stay in the folder that
/// is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Options {
    /// `auto`, `none`, the name of a profile, or a file that ends in `.toml`.
    pub profile: Option<String>,
    /// Files of trusted roots.
    #[cfg_attr(test, schemars(default))]
    pub roots: Vec<PathBuf>,
    /// Files of certificates that are installed on the device.
    #[cfg_attr(test, schemars(default))]
    pub installed: Vec<PathBuf>,
    /// Files of further certificates, which are not trusted.
    #[cfg_attr(test, schemars(default))]
    pub bundle: Vec<PathBuf>,
    /// A key log.
    pub keylog: Option<PathBuf>,
    /// The address of the only device to judge, as `--device` takes it.
    pub device: Option<String>,
    /// `auto`, `pin` or `usb`.
    #[cfg_attr(test, schemars(extend("enum" = SIGN_INS)))]
    pub sign_in: Option<String>,
    /// The time at which certificates are judged (RFC 3339).
    pub at: Option<String>,
}

/// What is expected of one device.
#[derive(Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[non_exhaustive]
pub struct ExpectedDevice {
    /// Its id in the report: its address.
    pub device: String,
    /// The status of its verdict.
    pub verdict: VerdictStatus,
    /// How it signs in; left out, any way is as expected.
    pub sign_in: Option<SignInMethod>,
    /// Findings about it.
    #[cfg_attr(test, schemars(default, rename = "finding"))]
    pub findings: Vec<ExpectedFinding>,
}

/// One expected finding. What is left out is not compared.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[non_exhaustive]
pub struct ExpectedFinding {
    /// The name of the rule, such as `missing-intermediate`, or its code, such as `CG001`.
    #[cfg_attr(test, schemars(extend("enum" = rules())))]
    pub name: String,
    /// How serious it is.
    pub severity: Option<Severity>,
    /// How sure it is.
    pub proof: Option<Proof>,
    /// Subjects of the missing certificates, in the order of the report.
    pub missing: Option<Vec<String>>,
}

/// The numbers of a version.
pub(super) fn numbers(version: &str) -> Option<Vec<u64>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

/// The names and codes of all findings.
#[cfg(test)]
fn rules() -> Vec<&'static str> {
    crate::diagnosis::RULES
        .iter()
        .map(|rule| rule.name)
        .chain(crate::diagnosis::RULES.iter().map(|rule| rule.code))
        .collect()
}
