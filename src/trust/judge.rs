//! In: what a server sent, what the device had, and everything known. Out: the chain's status, how sure it is, and the
//! missing links. Bounded: two path searches, four where dates count. Left to others: the device's clock, server names,
//! and whether the chain was the cause of a failure.
//!
//! The search has two questions (docs/verdict.md, step 3). A: which path could this device build at the time? B: which
//! path can be built with everything known? Certificates of other servers, devices or captures never count for A: that
//! would hide the fault that this program exists to find.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::anchor::Anchor;
use super::discriminate::discriminators;
use super::finder::PathFinder;
use super::judgement::{ChainStatus, Discriminator, Judgement, Missing, Proof, Speaks};
use super::path::{Path, PathEnd, Step, StepFrom};
use super::pool::Pool;
use super::rules::{Fault, Purpose};
use super::verifier::Verifier;
use super::walk::Question;
use crate::capture::Timestamp;
use crate::x509::{Certificate, Digest};

/// One chain to judge.
#[derive(Debug)]
pub struct Case<'a> {
    /// The certificates that the server sent (or the client, if it is a client's chain), in order, the leaf first.
    pub sent: &'a [Arc<Certificate>],
    /// Whether the chain is a server's or a client's.
    pub purpose: Purpose,
    /// The certificates that the device had beside these: fetched or installed.
    pub held: &'a [(Arc<Certificate>, StepFrom)],
    /// The anchors of the device.
    pub anchors: &'a [Anchor],
    /// Every other certificate that is known; the device did not have them.
    pub known: &'a Pool,
    /// How the device verifies.
    pub verifier: &'a Verifier,
}

impl Case<'_> {
    /// The question for a path with issuers from `pools`.
    fn question<'q>(&'q self, pools: &'q [&'q Pool], at: Option<Timestamp>) -> Question<'q> {
        Question { purpose: self.purpose, anchors: self.anchors, pools, verifier: self.verifier, at }
    }
}

/// Judges one chain.
pub fn judge(finder: &mut PathFinder, case: &Case<'_>) -> Judgement {
    judge_with(finder, case, None)
}

/// As [`judge`]; with an instant, certificates that the device did not have count only within their dates then.
fn judge_with(finder: &mut PathFinder, case: &Case<'_>, at: Option<Timestamp>) -> Judgement {
    let Some(leaf) = case.sent.first() else {
        return Judgement::without_chain(ChainStatus::NotSent);
    };
    if !leaf.is_readable() {
        return Judgement::without_chain(ChainStatus::Undetermined);
    }
    let own = own(case);
    let a = finder.search(leaf, case.question(&[&own], None));
    let mut judgement = Judgement::without_chain(ChainStatus::Undetermined);
    judgement.budget_hit = a.left_out.is_some();
    judgement.key_mismatch = mismatch(&a.path);
    if a.path.end == PathEnd::Anchor {
        judgement.status = ChainStatus::Trusted;
        judgement.proof = Some(Proof::Proven);
        judgement.completed = Some(a.path.clone());
        judgement.path = Some(a.path);
        return judgement;
    }
    let b = finder.search(leaf, case.question(&[&own, case.known], at));
    judgement.budget_hit |= b.left_out.is_some();
    judgement.missing = missing(case, &b.path);
    decide(case, &a.path, &b.path, &mut judgement);
    if b.path.end == PathEnd::Anchor && a.path.reaches_anchor() {
        // The device had every link, though one breaks a rule: that a replacement is known does not prove it missing.
        // Decided in D-DIAGNOSIS-28.
        judgement.fault = first_fault(&a.path);
        judgement.proof = Some(Proof::Inferred);
    }
    if a.left_out.is_some() && judgement.status != ChainStatus::Trusted {
        // The device may have found a path where this search gave up.
        (judgement.status, judgement.proof) = (ChainStatus::Undetermined, Some(Proof::Undecidable));
    } else if b.left_out.is_some() {
        judgement.proof = judgement.proof.min(Some(Proof::Inferred));
    }
    judgement.path = Some(a.path);
    judgement.completed = Some(b.path);
    judgement
}

/// The judgement that replaces `judgement` where that one rests on certificates outside their dates at an instant, and
/// others can take their place; `None` where it stands.
///
/// A device that can build a path of certificates within their dates takes that one. And a certificate that has expired,
/// so that no server can send it any more, is not what is missing if the chain can end elsewhere (D-TRUST-03).
pub fn rejudge(finder: &mut PathFinder, case: &Case<'_>, judgement: &Judgement, at: Timestamp) -> Option<Judgement> {
    let leaf = case.sent.first()?;
    let above = || judgement.completed.iter().flat_map(|path| path.steps.iter().skip(1));
    if judgement.status == ChainStatus::Trusted {
        let lasts = |step: &Step| match step.anchor.and_then(|index| case.anchors.get(index)) {
            Some(anchor) => case.verifier.anchor_counts_at(anchor, at),
            None => step.certificate.as_ref().is_none_or(|c| c.is_valid_at(at)),
        };
        if above().all(lasts) {
            return None;
        }
        let a = finder.search(leaf, case.question(&[&own(case).valid_at(at)], Some(at)));
        let path = Some(a.path).filter(|path| path.end == PathEnd::Anchor)?;
        // Certificates that have expired are no reason to take links whose algorithms the device lacks (D-TRUST-11).
        let usable = |path: &Path| case.verifier.can_use_links(path);
        if judgement.path.as_ref().is_some_and(usable) && !usable(&path) {
            return None;
        }
        return Some(Judgement { path: Some(path.clone()), completed: Some(path), ..judgement.clone() });
    }
    let held = held(case);
    let is_absent =
        |step: &&Step| step.anchor.is_none() && step.certificate.as_ref().is_some_and(|c| !held.contains(&c.sha256()));
    let mut absent = above().filter(is_absent).filter_map(|step| step.certificate.as_ref());
    if absent.all(|certificate| certificate.is_valid_at(at)) {
        return None;
    }
    let second = judge_with(finder, case, Some(at));
    if second.proof == Some(Proof::Proven) {
        return Some(second);
    }
    // Decided in D-TRUST-04.
    let proof = judgement.proof.min(Some(Proof::Inferred));
    Some(Judgement { proof, ..judgement.clone() })
}

/// The judgement that replaces `judgement` where other handshakes tell what the certificate does not: its issuer, which is
/// not known, signed what `signed` says, as a proxy that inspects TLS does. Such a proxy's CA is a root more often than not
/// (D-TRUST-16). `None` where anything stronger speaks.
pub fn with_sign(judgement: &Judgement, signed: &str) -> Option<Judgement> {
    let end = judgement.completed.as_ref().filter(|path| path.steps.len() == 1).map(|path| &path.end);
    let issuer = judgement.missing.first().filter(|_| judgement.missing.len() == 1)?.subject.clone();
    let silent = judgement.discriminators.is_empty() && judgement.fault.is_none() && !judgement.budget_hit;
    let open = judgement.status == ChainStatus::Undetermined && silent && end == Some(&PathEnd::IssuerUnknown);
    let what = format!("{issuer} signed {signed}, consistent with a proxy that inspects TLS");
    open.then(|| Judgement {
        status: ChainStatus::UntrustedRoot,
        proof: Some(Proof::Inferred),
        missing: Vec::new(),
        discriminators: vec![Discriminator { speaks: Speaks::Root, what }],
        ..judgement.clone()
    })
}

/// The certificates for question A, anchors aside: those sent and those held.
fn own(case: &Case<'_>) -> Pool {
    let mut own = Pool::default();
    for certificate in case.sent {
        own.add(certificate, StepFrom::Sent);
    }
    for (certificate, from) in case.held {
        own.add(certificate, *from);
    }
    own
}

/// Decides status and proof where path `a`, of question A, does not reach an anchor, by path `b`, of question B
/// (docs/verdict.md, steps 4 and 5).
fn decide(case: &Case<'_>, a: &Path, b: &Path, judgement: &mut Judgement) {
    let lacks = !judgement.missing.is_empty();
    let held = held(case);
    // Faults of certificates that the device had, its anchors included; a bare anchor has no certificate.
    let met = b.faults.iter().filter(|(culprit, _)| {
        culprit.as_ref().is_none_or(|c| held.contains(&c.sha256()) || case.anchors.iter().any(|anchor| anchor.is(c)))
    });
    let (status, proof) = match (&b.end, lacks) {
        (PathEnd::Anchor, _) => (ChainStatus::MissingIntermediate, Proof::Proven),
        (PathEnd::SelfSigned, false) => (ChainStatus::UntrustedRoot, Proof::Proven),
        (PathEnd::SelfSigned, true) => {
            judgement.root_untrusted_too = true;
            (ChainStatus::MissingIntermediate, Proof::Inferred)
        }
        (PathEnd::Faulty, _) if b.reaches_anchor() => {
            judgement.fault = first_fault(b);
            let had = |c: &Certificate| held.contains(&c.sha256()) || case.anchors.iter().any(|anchor| anchor.is(c));
            if judgement.fault.as_ref().is_some_and(|(culprit, _)| !had(culprit)) {
                // The only certificate known for a missing link breaks a rule, but the device never saw it.
                (ChainStatus::MissingIntermediate, Proof::Inferred)
            } else {
                (ChainStatus::Invalid, Proof::Proven)
            }
        }
        (PathEnd::Faulty, false) if met.clone().next().is_some() => {
            judgement.key_mismatch = mismatch(b).or_else(|| mismatch(a));
            let other = met.clone().find(|(_, fault)| *fault != Fault::KeyMismatch);
            judgement.fault = other.and_then(|(c, fault)| c.clone().map(|c| (c, fault.clone())));
            if matches!(judgement.fault, Some((_, Fault::Unsupported(_)))) {
                (ChainStatus::Undetermined, Proof::Undecidable)
            } else {
                (ChainStatus::Invalid, Proof::Inferred)
            }
        }
        (PathEnd::Loop, true) => {
            judgement.root_untrusted_too = true;
            (ChainStatus::MissingIntermediate, Proof::Inferred)
        }
        // CAs that vouch for each other: any of them may be a root.
        (PathEnd::Loop, false) => (ChainStatus::Undetermined, Proof::Undecidable),
        (PathEnd::IssuerUnknown | PathEnd::Faulty, _) => {
            judgement.fault = unchecked(b);
            by_discriminators(case, b, lacks, judgement)
        }
    };
    judgement.status = status;
    judgement.proof = Some(proof);
}

/// The first certificate of a path that breaks a rule.
fn first_fault(path: &Path) -> Option<(Arc<Certificate>, Fault)> {
    path.faults.iter().find_map(|(culprit, fault)| culprit.clone().map(|culprit| (culprit, fault.clone())))
}

/// A certificate with the name, and the key identifier if both have one, of the issuer that the path lacks, whose
/// signature cannot be checked here (D-TRUST-15).
fn unchecked(b: &Path) -> Option<(Arc<Certificate>, Fault)> {
    let top = b.top()?;
    let fits = |candidate: &Certificate| !top.names_other_key(candidate);
    b.faults.iter().find_map(|(candidate, fault)| {
        let candidate = candidate.as_ref().filter(|c| matches!(fault, Fault::Unsupported(_)) && fits(c))?;
        Some((Arc::clone(candidate), fault.clone()))
    })
}

/// Decides where the issuer of the topmost certificate is not at hand: is it an intermediate or a root?
fn by_discriminators(case: &Case<'_>, b: &Path, lacks: bool, judgement: &mut Judgement) -> (ChainStatus, Proof) {
    let Some(top) = b.top().cloned() else { return (ChainStatus::Undetermined, Proof::Undecidable) };
    let levels = discriminators(case.anchors, b, &top);
    let speaks = levels.iter().find(|level| !level.is_empty()).and_then(|level| {
        let first = level.first()?.speaks;
        level.iter().all(|other| other.speaks == first).then_some(first)
    });
    judgement.discriminators = levels.into_iter().flatten().collect();
    let unknown = Missing { subject: top.issuer().clone(), below: top, candidates: Vec::new() };
    match speaks {
        Some(Speaks::Intermediate) => {
            judgement.missing.push(unknown);
            (ChainStatus::MissingIntermediate, Proof::Inferred)
        }
        // An intermediate is known to be absent, whatever comes above it.
        Some(Speaks::Root) if lacks => {
            judgement.root_untrusted_too = true;
            (ChainStatus::MissingIntermediate, Proof::Inferred)
        }
        None if lacks => {
            judgement.root_untrusted_too = true;
            judgement.missing.push(unknown);
            (ChainStatus::MissingIntermediate, Proof::Inferred)
        }
        Some(Speaks::Root) => (ChainStatus::UntrustedRoot, Proof::Inferred),
        None => {
            judgement.missing.push(unknown);
            (ChainStatus::Undetermined, Proof::Undecidable)
        }
    }
}

/// The certificates that the device had, anchors aside.
fn held(case: &Case<'_>) -> BTreeSet<Digest> {
    case.sent.iter().chain(case.held.iter().map(|(certificate, _)| certificate)).map(|c| c.sha256()).collect()
}

/// Most missing links of one judgement; real chains miss one or two (D-TRUST-10).
const MOST_MISSING: usize = 6;
/// Most certificates named that would fill one missing link.
const MOST_CANDIDATES: usize = 8;

/// The links of a path that the device did not have, the one nearest to the leaf first.
fn missing(case: &Case<'_>, path: &Path) -> Vec<Missing> {
    let held = held(case);
    let mut out = Vec::new();
    let mut below: Option<Arc<Certificate>> = None;
    for step in &path.steps {
        let Some(certificate) = &step.certificate else { break };
        let is_root = step.anchor.is_some() || certificate.is_self_signed();
        let lacks = !is_root && !held.contains(&certificate.sha256());
        if let Some(child) = below.filter(|_| lacks && out.len() < MOST_MISSING) {
            // Any certificate for the same name and key fills the gap.
            let namesakes = case.known.named(certificate.subject()).iter().map(|(c, _)| Arc::clone(c));
            let same_key = namesakes.filter(|c| c.public_key() == certificate.public_key());
            let mut candidates: Vec<_> = same_key.filter(|c| !c.is_self_signed()).collect();
            // The one on the path first, then those that last longest.
            candidates
                .sort_by_key(|c| (c.sha256() != certificate.sha256(), std::cmp::Reverse(c.not_after()), c.sha256()));
            candidates.truncate(MOST_CANDIDATES);
            out.push(Missing { subject: certificate.subject().clone(), below: child, candidates });
        }
        below = Some(Arc::clone(certificate));
    }
    out
}

/// The first certificate with an issuer's name whose key did not make the signature.
fn mismatch(path: &Path) -> Option<Arc<Certificate>> {
    let wrong = path.faults.iter().find(|(_, fault)| *fault == Fault::KeyMismatch);
    wrong.and_then(|(certificate, _)| certificate.clone())
}
