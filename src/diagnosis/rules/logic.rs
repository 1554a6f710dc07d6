//! In: a handshake, or a device's session. Out: the form in which each rule says when it applies and what it reports.
//! Bounded: nothing is kept. Left to others: the rules themselves, and which of several causes remain.

use crate::diagnosis::assess::Assessment;
use crate::diagnosis::code::Code;
use crate::diagnosis::elsewhere::Elsewhere;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::judged::Judged;
use crate::diagnosis::ruling::Ruling;
use crate::diagnosis::session::Session;
use crate::evidence::Handshake;
use crate::trust::Profile;

/// What a rule does. There are no defaults, so that nothing is forgotten when a rule is added.
pub(in crate::diagnosis) struct Logic {
    /// Whether the verdict on a device that fails nowhere is `degraded` by it.
    pub(in crate::diagnosis) degrades: bool,
    /// What the device may lack where it fires.
    pub(in crate::diagnosis) lacks: Lacks,
    /// How it is a cause of the ending of a handshake (docs/verdict.md, step 6); `None` if it never is.
    pub(in crate::diagnosis) cause: Option<Cause>,
    /// Finds it in a session apart from that; `None` if it is only ever a cause.
    pub(in crate::diagnosis) find: Option<fn(&Session<'_>) -> Vec<Finding>>,
}

/// The part of the chain that a device may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::diagnosis) enum Lacks {
    Nothing,
    Intermediate,
    Root,
    IntermediateOrRoot,
}

/// A rule as the cause of the ending of a handshake.
pub(in crate::diagnosis) struct Cause {
    /// Whether the handshake meets its preconditions.
    pub(in crate::diagnosis) holds: fn(&Facts<'_>) -> bool,
    /// Whether it is excluded beside another cause, and why; `None` where it is not worth mentioning.
    pub(in crate::diagnosis) exclusion: fn(&Rival<'_>) -> Option<(bool, String)>,
    /// Puts it into words.
    pub(in crate::diagnosis) describe: fn(&Session<'_>, &Judged<'_>, Code) -> Finding,
}

/// What a cause's preconditions are about.
pub(in crate::diagnosis) struct Facts<'a> {
    pub(in crate::diagnosis) handshake: &'a Handshake,
    pub(in crate::diagnosis) assessment: &'a Assessment,
    pub(in crate::diagnosis) profile: &'a Profile,
    /// Whether the device is a Lync phone of which the capture does not show that it can verify SHA-2 signatures.
    pub(in crate::diagnosis) may_lack_sha_2: bool,
    pub(in crate::diagnosis) elsewhere: &'a Elsewhere,
}

/// A cause that is weighed beside the one that is reported (docs/verdict.md, step 6).
pub(in crate::diagnosis) struct Rival<'a> {
    /// The cause.
    pub(in crate::diagnosis) code: Code,
    /// The cause that is reported.
    pub(in crate::diagnosis) told: Code,
    pub(in crate::diagnosis) handshake: &'a Handshake,
    pub(in crate::diagnosis) assessment: &'a Assessment,
    pub(in crate::diagnosis) ruling: &'a Ruling,
}

impl Rival<'_> {
    /// Whether the alert names other causes.
    pub(super) fn is_ruled_out_by_alert(&self) -> bool {
        !self.ruling.allowed.is_empty() && !self.ruling.allowed.contains(&self.code)
    }

    /// Excluded, because the alert names other causes.
    pub(super) fn not_its_alert(&self) -> (bool, String) {
        let alert = self.handshake.last_word().map(|alert| alert.code.to_string()).unwrap_or_default();
        (true, format!("{alert} is not the alert for it"))
    }

    /// Excluded, because the same client accepted the same certificates before.
    pub(super) fn accepted_before(&self) -> Option<(bool, String)> {
        let at = self.assessment.accepted_before?;
        Some((true, format!("the same client accepted these certificates in frame {}", at.number)))
    }

    /// What is to be said of a cause about certificates where none is known.
    pub(super) fn where_nothing_is_known(&self) -> Option<(bool, String)> {
        if !self.assessment.chain.judged_certificates().is_empty() {
            return None;
        }
        Some(match self.is_ruled_out_by_alert() {
            true => self.not_its_alert(),
            false => (false, "the certificates are not known".into()),
        })
    }
}

/// For causes that are never weighed beside another one.
pub(super) fn never_a_rival(_: &Rival<'_>) -> Option<(bool, String)> {
    None
}

/// For causes that are what remains when no other one does.
pub(super) fn holds_when_nothing_else_does(_: &Facts<'_>) -> bool {
    false
}
