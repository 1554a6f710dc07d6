//! In: the causes that remain for one handshake. Out: how grave each is and how its sentence begins. Bounded: by the table
//! of codes. Left to others: which causes remain.

use super::code::Code;
use super::defects::Visible;
use super::elsewhere::Elsewhere;
use super::finding::Severity;
use super::stage::Stage;

/// The causes that remain possible for one handshake (docs/verdict.md, step 6).
#[derive(Clone, Debug)]
pub struct Ruling {
    /// Where it ended.
    pub stage: Stage,
    /// The causes that this ending allows (docs/verdict.md, step 6).
    pub allowed: Vec<Code>,
    /// The causes that remain, in the order of the table.
    pub survivors: Vec<Code>,
    /// Causes whose preconditions are met and that only the alert rules out.
    pub filtered: Vec<Code>,
    /// What the server did in other handshakes.
    pub elsewhere: Elsewhere,
    /// The defects that are visible and that some stack refuses, where the ending refuses something.
    pub visible: Vec<Visible>,
    /// Whether measured answers of stacks changed the causes that remain.
    pub overruled: bool,
    /// Whether answers leave the cause open although they point to one.
    pub doubtful: bool,
}

impl Ruling {
    /// Strikes out every cause: nobody refused anything.
    pub(super) fn exclude_all(&mut self) {
        (self.allowed, self.survivors, self.filtered) = (Vec::new(), Vec::new(), Vec::new());
        (self.visible, self.overruled, self.doubtful) = (Vec::new(), false, false);
    }

    /// Whether a cause remains.
    pub(super) fn survives(&self, code: Code) -> bool {
        self.survivors.contains(&code)
    }

    /// Whether several causes remain, so that none of them is decided (D-DIAGNOSIS-05).
    pub(super) fn is_ambiguous(&self) -> bool {
        self.survivors.len() > 1 || self.doubtful
    }

    /// The causes that become findings.
    pub(super) fn told(&self) -> impl Iterator<Item = Code> {
        self.survivors.iter().chain(&self.filtered).copied()
    }

    /// How grave a cause is here: one that remains explains the failure, one that only the alert rules out is worth a
    /// warning.
    pub(super) fn severity_of(&self, code: Code) -> Severity {
        if self.survives(code) { Severity::Error } else { Severity::Warning }
    }

    /// How the sentence about a cause begins.
    pub(super) fn lead(&self, code: Code) -> &'static str {
        match self.stage {
            Stage::ClientWithoutData if self.survives(Code::RejectedWithoutReason) => {
                "the connection was closed without a byte of data, perhaps for this: "
            }
            _ if self.survives(code) => "TLS handshake fails: ",
            Stage::Completed => "the TLS handshake worked, but ",
            Stage::Open => "how the TLS handshake ended cannot be seen: ",
            _ if self.allowed.contains(&code) => "true as well, though not known to be the cause: ",
            _ => "not what the alert names, but true as well: ",
        }
    }
}
