//! In: the data of TLS stacks. Out: the report of `chaingap stacks`, schema `chaingap.stacks/1`. Bounded: by the data. Left
//! to others: the layout.

use serde::{Deserialize, Serialize};

use super::model::Tool;
use super::stack::StackVerdict;
use crate::protocol::tls::AlertCode;
use crate::trust::{Answer, Answerer, Basis, DefectRow, Documented, Provenance, Reaction, Stack, Stacks};
use crate::words::words;

/// The value of the report's `schema` member.
pub const STACKS_SCHEMA: &str = "chaingap.stacks/1";

/// What is known of TLS stacks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StacksReport {
    /// [`STACKS_SCHEMA`].
    pub schema: String,
    /// The program that wrote it.
    pub tool: Tool,
    /// The defects, in the order of their codes.
    pub defects: Vec<StackDefect>,
    /// The stacks.
    pub stacks: Vec<StackEntry>,
}

/// A defect of what one side sends.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StackDefect {
    /// Its name.
    pub id: String,
    /// The code of the finding that it belongs to.
    pub code: String,
    /// What it is, as a clause.
    pub words: String,
    /// Whether the answers are those of servers, to a client's certificate.
    pub by_servers: bool,
}

/// What is known of one stack.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StackEntry {
    /// Its name in the data.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The version that the answers are of.
    pub versions: String,
    /// The program, and how it was set up.
    pub program: String,
    /// Whether its answers were recorded, or are documented only.
    pub provenance: Provenance,
    /// The version of TLS in which its answers were recorded; null where none were.
    pub tls: Option<String>,
    /// The recordings, paths in the repository.
    pub captures: Vec<String>,
    /// Its recorded answers, in the order of the defects.
    pub answers: Vec<StackMeasured>,
    /// Answers that nobody recorded.
    pub documented: Vec<StackDocumented>,
}

/// A recorded answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StackMeasured {
    /// The defect.
    pub defect: String,
    /// Whether it accepts or refuses.
    pub answer: StackVerdict,
    /// How it refuses; null where it accepts, or where that is not known.
    pub how: Option<StackHow>,
    /// The name of the alert by which it refuses; null where it sends none.
    pub alert: Option<String>,
    /// Whether it finishes the handshake first.
    pub after: bool,
}

words! {
    /// How a stack refuses.
    pub enum StackHow {
        /// By an alert.
        Alert = "alert",
        /// It closes the connection without one.
        Close = "close",
        /// It resets the connection without one.
        Reset = "reset",
    }
}

/// An answer that nobody recorded.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StackDocumented {
    /// The answer.
    #[serde(flatten)]
    pub answer: StackMeasured,
    /// How well it is known.
    pub provenance: Provenance,
    /// Who says so.
    pub source: String,
}

impl StackMeasured {
    fn of(defect: &str, answer: Answer) -> Self {
        let how = match answer.reaction {
            Reaction::Accepts | Reaction::Refuses => None,
            Reaction::Alert(_) => Some(StackHow::Alert),
            Reaction::Close => Some(StackHow::Close),
            Reaction::Reset => Some(StackHow::Reset),
        };
        Self {
            defect: defect.to_owned(),
            answer: StackVerdict::of(answer),
            how,
            alert: answer.alert().map(|code| code.to_string()),
            after: answer.after,
        }
    }
}

impl StacksReport {
    /// What the data say of these stacks.
    pub fn new<'a>(data: &Stacks, stacks: impl IntoIterator<Item = &'a Stack>) -> Self {
        let entry = |stack: &Stack| {
            let answer = |row: &DefectRow| Some(StackMeasured::of(&row.id, stack.answer(&row.id)?));
            let documented = |each: &Documented| StackDocumented {
                answer: StackMeasured::of(&each.defect, each.answer),
                provenance: each.provenance,
                source: each.source.clone(),
            };
            StackEntry {
                id: stack.id.clone(),
                name: stack.name.clone(),
                versions: stack.versions.clone(),
                program: stack.program.clone(),
                provenance: if stack.provenance == Basis::Measured { Provenance::Measured } else { Provenance::Doc },
                tls: stack.tls.clone(),
                captures: stack.captures.clone(),
                answers: data.defects().iter().filter_map(answer).collect(),
                documented: stack.documented.iter().map(documented).collect(),
            }
        };
        let defect = |row: &DefectRow| StackDefect {
            id: row.id.clone(),
            code: row.code.clone(),
            words: row.words.clone(),
            by_servers: row.by == Answerer::Server,
        };
        Self {
            schema: STACKS_SCHEMA.into(),
            tool: Tool::this(),
            defects: data.defects().iter().map(defect).collect(),
            stacks: stacks.into_iter().map(entry).collect(),
        }
    }
}

/// What the stacks of the data mean by an alert, as Markdown: for each defect those that were recorded to refuse it so.
pub(super) fn explain_alert(code: AlertCode, data: &Stacks) -> String {
    let mut out = format!("# {code} ({})\n\n", code.0);
    let meant = |row: &DefectRow| -> Vec<String> {
        let sent = data.answers(&row.id).filter(|(_, answer)| answer.alert() == Some(code));
        sent.map(|(stack, _)| stack.title()).collect()
    };
    let rows: Vec<_> = data.defects().iter().map(|row| (row, meant(row))).filter(|(_, by)| !by.is_empty()).collect();
    if rows.is_empty() {
        out.push_str("No TLS stack that was measured sent it for any of the defects in `chaingap stacks`.\n");
        return out;
    }
    out.push_str(
        "What TLS stacks were measured to mean by it. The same fault can get another alert from another stack.\n\n",
    );
    for by_servers in [false, true] {
        let mut of_side = rows.iter().filter(|(row, _)| (row.by == Answerer::Server) == by_servers).peekable();
        if of_side.peek().is_some() {
            out.push_str(if by_servers { "## Sent by servers\n\n" } else { "## Sent by clients\n\n" });
        }
        for (row, by) in of_side {
            out.push_str(&format!("- {} {}: {}\n", row.code, row.words, by.join(", ")));
        }
        out.push('\n');
    }
    out
}
