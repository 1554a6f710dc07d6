//! In: what was concluded about one handshake. Out: one type for all of it, which everything that follows takes.
//! Bounded: by the handshakes kept. Left to others: how each part of it comes about.

use std::sync::Arc;

use super::assess::Assessment;
use super::code::Code;
use super::finding::Excluded;
use super::ruling::Ruling;
use super::stage::Stage;
use super::words;
use crate::capture::FrameRef;
use crate::evidence::Handshake;
use crate::flow::Side;
use crate::protocol::tls::{Agreement, AlertCode};
use crate::trust::{Proof, Stack, Stacks};

/// A handshake with everything that was concluded about it.
#[derive(Debug)]
pub struct Judged<'e> {
    /// Index among the handshakes of its device.
    pub index: usize,
    /// What was seen of it.
    pub handshake: &'e Handshake,
    /// The TLS stack whose hello the client's is.
    pub client_stack: Option<Arc<Stack>>,
    /// What can be said of its certificates.
    pub assessment: Assessment,
    /// Where it ended, and which causes remain.
    pub ruling: Ruling,
    /// The causes that are reported by their own facts, and not only because a stack refuses what is visible.
    pub held: Vec<Code>,
    /// The names of the stacks, and what each refuses.
    pub stacks: Stacks,
    /// For each cause that is reported, the others and whether they are excluded.
    pub excluded: Vec<(Code, Vec<Excluded>)>,
    /// The first frame of the success that recovered it.
    pub recovered_by: Option<FrameRef>,
    /// Whether nobody refused anything: the connection was merely left unused.
    pub unused: Option<Unused>,
}

/// Why a connection was closed unused, if not for the certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unused {
    /// The client opened it ahead of need: another one to the same service worked (D-DIAGNOSIS-32).
    Spare,
    /// It was closed after a long silence (D-DIAGNOSIS-46).
    Idle,
}

impl Judged<'_> {
    /// Whether nothing is wrong with it.
    pub fn is_completed(&self) -> bool {
        self.ruling.stage == Stage::Completed
    }

    /// Whether it completed, or was only left unused.
    pub(super) fn is_fine(&self) -> bool {
        self.is_completed() || self.unused.is_some()
    }

    /// The causes beside one that is reported, with the reason why each is excluded, or why not.
    pub(super) fn excluded_beside(&self, code: Code) -> Vec<Excluded> {
        let told = self.excluded.iter().find(|(told, _)| *told == code);
        told.map(|(_, excluded)| excluded.clone()).unwrap_or_default()
    }

    /// The proof of a cause that no alert names: inferred, where no other one remains.
    pub(super) fn inferred(&self) -> Proof {
        if self.ruling.is_ambiguous() { Proof::Undecidable } else { Proof::Inferred }
    }

    /// Whether every other cause that this ending allows is excluded, not merely unseen (docs/verdict.md, step 5).
    pub(super) fn others_are_excluded(&self, code: Code) -> bool {
        let listed = self.excluded_beside(code);
        let ruling = &self.ruling;
        let alert = self.handshake.last_word().map(|alert| alert.code);
        // General alerts refuse dates too, which only a known device clock can exclude.
        let may_be_dates = alert.is_some_and(|alert| alert.names_no_certificate_fault())
            && ruling.stage == Stage::ClientAtCertificate
            && !self.assessment.dates.clock_known;
        ruling.survivors.len() == 1
            && ruling.allowed.iter().filter(|other| **other != code).all(|other| {
                let told = listed.iter().find(|entry| entry.cause == other.name());
                told.is_none_or(|entry| entry.excluded)
            })
            && !self.may_refuse_parameters()
            && !may_be_dates
    }

    /// Whether the client's alert may also refuse the key exchange, for a reason that its parameters do not show
    /// (D-DIAGNOSIS-09).
    pub(super) fn may_refuse_parameters(&self) -> bool {
        self.ruling.stage == Stage::ClientAtCertificate && self.handshake.ended_with(AlertCode::HANDSHAKE_FAILURE)
    }

    /// Whether the capture lacks bytes of the server that the client may have refused by this ending: a key exchange
    /// (CG032), or whatever is coded wrongly (CG033) (D-DIAGNOSIS-51).
    pub(super) fn lacks_refusable(&self) -> bool {
        let tls = &self.handshake.tls;
        let suite = tls.server_hello.as_ref().and_then(|hello| hello.cipher_suite);
        let signed = suite.and_then(Agreement::of).is_some_and(|agreement| agreement.signer().is_some());
        let lacks_exchange =
            signed && tls.server_key_exchange.is_none() && self.ruling.allowed.contains(&Code::ParametersRefused);
        let of_encoding = self.handshake.last_word().is_some_and(|alert| alert.code.refuses_encoding());
        let lacks_encoding = of_encoding && self.ruling.allowed.contains(&Code::MalformedMessage);
        (lacks_exchange || lacks_encoding) && tls.lacks_in_clear(Side::Server)
    }

    /// How the handshake ended, in words, with the frame.
    pub(super) fn ending(&self) -> Option<(FrameRef, String)> {
        self.handshake.ending.at.map(|at| (at, words::ending(self.handshake)))
    }

    /// The frames that tell the device's clock, as evidence.
    pub(super) fn clock(&self) -> impl Iterator<Item = (FrameRef, String)> {
        let clock = self.assessment.dates.clock.iter();
        clock.flat_map(|clock| clock.frames.iter().map(|at| (*at, format!("the device's clock, by {}", clock.basis))))
    }

    /// The frame in which the server's Certificate message ends, as evidence with these words.
    pub(super) fn at_certificates(&self, what: impl Into<String>) -> Option<(FrameRef, String)> {
        self.handshake.tls.certificates.server.as_ref().map(|list| (list.last, what.into()))
    }
}
