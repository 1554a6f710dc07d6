//! What TLS stacks were measured to refuse decides among the causes of a refusal: docs/verdict.md, step 6, "By who
//! refuses", and D-DIAGNOSIS-53.
//!
//! In: a handshake's causes as the table of step 6 leaves them, the defects that are visible, the stack whose hello the
//! client's is. Out: the causes that remain. Bounded: by the visible defects and the stacks. Left to others: what shows a
//! defect (`defects`), and words (`rules/stacks`).

use std::sync::Arc;

use super::assess::Assessment;
use super::cause::unexplained_code;
use super::code::{Code, LENIENT};
use super::defects::{Visible, replaced_by};
use super::rules::Facts;
use super::ruling::Ruling;
use super::stage::{Stage, server_accepted_answer};
use crate::evidence::Handshake;
use crate::flow::Side;
use crate::protocol::tls::AlertCode;
use crate::trust::{Answer, Answerer, ChainStatus, Reaction, Stack, Stacks};

/// How a side ended a handshake, to be compared with answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    by: Answerer,
    alert: Option<AlertCode>,
    /// Whether both sides had finished.
    after: bool,
}

impl Refusal {
    /// How a handshake was refused; `None` where it was not, where its client had accepted the flight, or where the
    /// certificates or the alert are hidden.
    pub(super) fn of(handshake: &Handshake, assessment: &Assessment, stage: Stage) -> Option<Self> {
        let by = match stage {
            Stage::ClientAtCertificate | Stage::ClientWithoutData => Answerer::Client,
            Stage::ServerInFlight | Stage::ServerAfterFlight => Answerer::Server,
            Stage::Completed
            | Stage::Open
            | Stage::Stalled
            | Stage::ServerBeforeHello
            | Stage::ClientBeforeHello
            | Stage::ClientAfterFlight => {
                return None;
            }
        };
        let hidden = assessment.chain.status == ChainStatus::Hidden || assessment.unreadable.is_some();
        let side = if by == Answerer::Client { Side::Client } else { Side::Server };
        let alert = handshake.last_word().map(|alert| alert.code);
        let sealed =
            alert.is_none() && !handshake.tls.both_finished() && handshake.tls.encrypted_alert.of(side).is_some();
        // A server that finished had accepted the client's certificate.
        let accepted = by == Answerer::Server && alert.is_none() && server_accepted_answer(handshake);
        (!hidden && !sealed && !accepted).then_some(Self { by, alert, after: stage == Stage::ClientWithoutData })
    }

    /// Whether an answer is this refusal.
    pub(super) fn is(self, answer: Answer) -> bool {
        match (answer.reaction, self.alert) {
            (Reaction::Alert(code), Some(alert)) => code == alert,
            (Reaction::Close | Reaction::Reset, None) => answer.after == self.after,
            _ => false,
        }
    }

    /// Whether the server refused the client's certificate.
    pub(super) fn is_of_server(self) -> bool {
        self.by == Answerer::Server
    }

    /// Whether the client left a finished handshake without a word, as clients do that refuse nothing.
    fn is_unused(self) -> bool {
        self.after && self.alert.is_none()
    }

    /// Whether the alert may mean anything, so that it names no defect.
    fn is_general(self) -> bool {
        self.alert.is_none_or(AlertCode::names_no_certificate_fault)
    }
}

/// What the measured answers say of one refusal.
pub(super) struct Weighing<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) stacks: &'a Stacks,
    /// The client's stack.
    pub(super) stack: Option<&'a Arc<Stack>>,
    pub(super) refusal: Refusal,
    /// The defects that are visible and that some stack refuses.
    pub(super) visible: Vec<Visible>,
}

impl Weighing<'_> {
    /// Decides the causes that remain, and which of them rest on answers.
    pub(super) fn settle(mut self, ruling: &mut Ruling) {
        let by = self.refusal.by;
        self.visible.retain(|it| self.stacks.defect(it.defect).is_some_and(|row| row.by == by));
        self.visible.retain(|it| self.stacks.answers(it.defect).any(|(_, answer)| !answer.accepts()));
        // A client that accepted these certificates before refuses something else, or their dates have passed since.
        if self.facts.assessment.accepted_before.is_some() {
            self.visible.retain(|it| STILL_REFUSED.contains(&it.code));
        }
        let before: Vec<Code> = ruling.survivors.iter().copied().filter(|code| !self.is_replaced(*code)).collect();
        // The server sent the certificate of another name: what else is wrong with it follows (D-DIAGNOSIS-44).
        if before.contains(&Code::ServerName) && !self.is_weak(Code::ServerName) {
            return;
        }
        let (after, doubtful) = match self.stack.filter(|_| by == Answerer::Client) {
            Some(stack) => self.of_known(stack, &before),
            None => self.of_unknown(&before),
        };
        let mut after = after;
        after.sort_by_key(|code| code.rank());
        after.dedup();
        if after.is_empty() {
            after.extend(unexplained_code(ruling.stage));
        }
        ruling.overruled = after != ruling.survivors;
        ruling.doubtful = doubtful;
        ruling.allowed.extend(after.iter().filter(|code| !ruling.allowed.contains(code)).copied().collect::<Vec<_>>());
        ruling.filtered.retain(|code| !after.contains(code) && !self.is_replaced(*code));
        ruling.survivors = after;
        ruling.visible = self.visible;
    }

    /// Where the client is like a stack whose answers are known: what it refuses in this way is the cause; what it accepts
    /// is none.
    fn of_known(&self, stack: &Stack, before: &[Code]) -> (Vec<Code>, bool) {
        let answer = |it: &Visible| stack.answer(it.defect);
        let fits = self.codes(|it| answer(it).is_some_and(|answer| self.refusal.is(answer)));
        if !fits.is_empty() {
            let beside = before.iter().copied().filter(|code| !self.is_weak(*code) && !self.is_visible(*code));
            return (fits.iter().copied().chain(beside).collect(), false);
        }
        let open = |it: &Visible| !answer(it).is_some_and(Answer::accepts);
        let accepted = |code: Code| self.is_visible(code) && !self.codes(open).contains(&code);
        let left: Vec<Code> = before.iter().copied().filter(|code| !accepted(*code)).collect();
        if left.iter().any(|code| !is_unexplained(*code)) {
            return (left, false);
        }
        // It refuses these too, though alone with another alert; or nobody measured whether it does.
        let others = self.codes(|it| match answer(it) {
            Some(answer) => !answer.accepts(),
            None => self.stacks.answers(it.defect).any(|(_, answer)| self.refusal.is(answer)),
        });
        if others.is_empty() { (left, false) } else { (others, true) }
    }

    /// Where the client is like no stack, or like several: what any stack refuses in this way may be the cause.
    fn of_unknown(&self, before: &[Code]) -> (Vec<Code>, bool) {
        if before.iter().any(|code| !self.is_weak(*code) && *code != Code::ChainCauseUndecided) {
            return (before.to_vec(), false);
        }
        let any = |it: &Visible| self.stacks.answers(it.defect).any(|(_, answer)| self.refusal.is(answer));
        let fits = self.codes(any);
        let guess = !self.visible.is_empty() && !self.refusal.is_unused();
        if fits.is_empty() && guess && before.iter().all(|code| is_unexplained(*code)) {
            // Other stacks refuse what is visible, each in its own way: this one may have a way that nobody measured.
            return (self.codes(|_| true), true);
        }
        if fits.is_empty() {
            return (before.to_vec(), false);
        }
        let general = self.refusal.is_general();
        let beside = before.iter().copied().filter(|code| {
            *code == Code::ChainCauseUndecided || (general && !is_unexplained(*code) && *code != Code::OtherCaRefused)
        });
        let doubtful = general && self.codes(|_| true).len() > 1;
        (fits.iter().copied().chain(beside).collect(), doubtful)
    }

    /// The codes of the visible defects of which something is true.
    fn codes(&self, is_so: impl Fn(&Visible) -> bool) -> Vec<Code> {
        let mut codes: Vec<Code> = self.visible.iter().filter(|it| is_so(it)).map(|it| it.code).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    fn is_visible(&self, code: Code) -> bool {
        self.visible.iter().any(|it| it.code == code)
    }

    /// Whether the facts of a code follow from a visible defect of another one.
    fn is_replaced(&self, code: Code) -> bool {
        let version = code == Code::ProtocolVersion && self.visible.iter().any(|it| self.is_refused_version(it));
        version || (self.visible.iter().any(|it| replaced_by(it.defect).contains(&code) && it.code != code))
    }

    /// Whether it is about a version that no client of today offers (RFC 7568), or that this one's list leaves out.
    fn is_refused_version(&self, it: &Visible) -> bool {
        let tls = &self.facts.handshake.tls;
        let listed = tls.client_hello.as_ref().is_some_and(|hello| {
            !hello.versions.is_empty() && tls.version().is_some_and(|chosen| !hello.versions.contains(&chosen))
        });
        it.defect == "version-ssl3" || (it.defect == "version-tls10" && listed)
    }

    /// Whether the table of step 6 allows a cause without anything that shows that clients refuse for it.
    fn is_weak(&self, code: Code) -> bool {
        let assessment = self.facts.assessment;
        let omitted = code == Code::UnsupportedAlgorithm && assessment.algorithms.unsupported.is_empty();
        let guessed = code == Code::UntrustedRoot && assessment.chain_end.absence.is_guess();
        let warned = code == Code::ServerName && self.visible.iter().any(|it| it.code == Code::ServerName);
        let leaves = code == Code::ClientCertificate && self.refusal.by == Answerer::Client;
        let beside = code == Code::OtherCaRefused || is_unexplained(code);
        omitted || guessed || warned || leaves || beside || LENIENT.contains(&code)
    }
}

/// What a client may refuse although it accepted the same certificates before.
const STILL_REFUSED: &[Code] = &[
    Code::CertificateExpired,
    Code::CertificateNotYetValid,
    Code::CertificateRevoked,
    Code::ServerName,
    Code::ParametersRefused,
    Code::ClientCertificate,
];

fn is_unexplained(code: Code) -> bool {
    matches!(code, Code::RejectedWithoutReason | Code::ServerEndedWithoutReason)
}
