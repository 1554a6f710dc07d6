//! In: nothing. Out: the model of a regression run, schema `chaingap.check/1`. Left to others: running.

use serde::{Deserialize, Serialize};

use super::model::Tool;
use crate::words::words;

/// The value of the report's `schema` member.
pub const CHECK_SCHEMA: &str = "chaingap.check/1";

/// How captures compare with what was expected of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckReport {
    /// [`CHECK_SCHEMA`].
    pub schema: String,
    /// The program that wrote it.
    pub tool: Tool,
    /// The folder, as given.
    pub folder: String,
    /// The expectations below it, by path.
    pub expectations: Vec<Checked>,
    /// Captures that no expectation names; empty unless they were asked for.
    pub unnamed: Vec<String>,
    /// How many expectations and unnamed captures differ.
    pub different: u64,
}

/// One expectation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Checked {
    /// Its file.
    pub path: String,
    /// The description in the file.
    pub description: Option<String>,
    /// How it went.
    pub outcome: CheckOutcome,
    /// What differs.
    pub differences: Vec<Difference>,
    /// Why it could not be run.
    pub problem: Option<String>,
}

words! {
    /// How an expectation went.
    pub enum CheckOutcome {
        /// It is as expected.
        Same = "same",
        /// Something differs.
        Different = "different",
        /// Something differed, and the file was rewritten to match.
        Updated = "updated",
        /// It could not be run.
        Failed = "failed",
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Difference {
    /// What it is about: `10.20.30.50 verdict`.
    pub about: String,
    /// What was expected; null where nothing was.
    pub expected: Option<String>,
    /// What was found; null where nothing was.
    pub got: Option<String>,
}

impl CheckReport {
    /// The report of a run.
    pub fn new(folder: String, expectations: Vec<Checked>, unnamed: Vec<String>) -> Self {
        let differs = |checked: &&Checked| matches!(checked.outcome, CheckOutcome::Different | CheckOutcome::Failed);
        let different = expectations.iter().filter(differs).count() + unnamed.len();
        Self {
            schema: CHECK_SCHEMA.into(),
            tool: Tool::this(),
            folder,
            expectations,
            unnamed,
            different: u64::try_from(different).unwrap_or(u64::MAX),
        }
    }
}
