//! What findings and alerts mean, as data: `chaingap.explain/1`.
//!
//! In: the table of findings, or the name of one or of an alert. Out: plain data, serializable both ways. Left to others:
//! the words (`diagnosis/explain`), and how they look.

use serde::{Deserialize, Serialize};

use super::stacks::explain_alert;
use crate::diagnosis::{RULES, Rule, rule_named};
use crate::protocol::tls::AlertCode;
use crate::trust::Stacks;

/// Name and version of the format.
pub const EXPLAIN_SCHEMA: &str = "chaingap.explain/1";

/// What was asked about.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ExplainReport {
    /// [`EXPLAIN_SCHEMA`].
    pub schema: String,
    /// All findings, or the one finding or alert that was asked about.
    pub entries: Vec<Explanation>,
}

/// One finding or alert, explained.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Explanation {
    /// The code of the finding; null for an alert.
    pub code: Option<String>,
    /// The number of the alert (RFC 8446, section 6); null for a finding.
    pub alert: Option<u8>,
    /// The name of the finding or alert.
    pub name: String,
    /// The version that brought the finding; null for an alert.
    pub since: Option<String>,
    /// When the finding is reported, in one sentence; null for an alert.
    pub summary: Option<String>,
    /// What it means, how it is proven, what mimics it, how it is mended; of an alert, which stacks mean what by it.
    /// Markdown.
    pub text: String,
}

impl ExplainReport {
    /// All findings.
    pub fn all() -> Self {
        Self { schema: EXPLAIN_SCHEMA.into(), entries: RULES.iter().map(finding).collect() }
    }

    /// The finding of this code or name, or the alert of this name or number; `None` if there is neither.
    pub fn of(asked: &str, stacks: &Stacks) -> Option<Self> {
        let entry = match rule_named(asked) {
            Some(rule) => finding(rule),
            None => alert(asked, stacks)?,
        };
        Some(Self { schema: EXPLAIN_SCHEMA.into(), entries: vec![entry] })
    }
}

fn finding(rule: &Rule) -> Explanation {
    Explanation {
        code: Some(rule.code.into()),
        alert: None,
        name: rule.name.into(),
        since: Some(rule.since.into()),
        summary: Some(rule.summary()),
        text: rule.explain.into(),
    }
}

fn alert(asked: &str, stacks: &Stacks) -> Option<Explanation> {
    let code = AlertCode::named(asked)?;
    let (name, text) = (code.to_string(), explain_alert(code, stacks));
    Some(Explanation { code: None, alert: Some(code.0), name, since: None, summary: None, text })
}
