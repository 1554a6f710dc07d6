//! In: what a server sent, what the device had, and everything known. Out: the chain's status, how sure it is, and the
//! links that are absent. Bounded: two path searches. Left to others: dates, names, and whether it was the cause.
//!
//! Two questions. A: what could this device then build? B: what could be built with everything known? Certificates of
//! other servers, devices or captures never count for A: that would hide the fault this program exists to find.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::anchor::Anchor;
use super::discriminate::discriminators;
use super::finder::PathFinder;
use super::judgement::{ChainStatus, Judgement, Missing, Proof, Speaks};
use super::path::{Path, PathEnd, Step, StepFrom};
use super::pool::Pool;
use super::rules::{Fault, Purpose};
use crate::capture::Timestamp;
use crate::x509::{Certificate, Digest};

/// One chain to judge.
#[derive(Debug)]
pub struct Case<'a> {
    /// What the server sent, in order; the first is its own. Of a client's chain, what the client sent.
    pub sent: &'a [Arc<Certificate>],
    /// Whose chain it is.
    pub purpose: Purpose,
    /// What the device had beside it: fetched, installed.
    pub held: &'a [(Arc<Certificate>, StepFrom)],
    /// What the device trusted.
    pub anchors: &'a [Anchor],
    /// Everything else that is known.
    pub known: &'a Pool,
}

/// Judges one chain.
pub fn judge(finder: &mut PathFinder, case: &Case<'_>) -> Judgement {
    judge_with(finder, case, None)
}

/// As [`judge`]; what the device did not have counts only where it is within its dates at an instant.
fn judge_with(finder: &mut PathFinder, case: &Case<'_>, at: Option<Timestamp>) -> Judgement {
    let Some(leaf) = case.sent.first() else {
        return Judgement::without_chain(ChainStatus::NotSent);
    };
    if !leaf.is_readable() {
        return Judgement::without_chain(ChainStatus::Undetermined);
    }
    let own = own(case);
    let a = finder.find(leaf, case.purpose, case.anchors, &[&own]);
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
    let b = finder.search(leaf, case.purpose, case.anchors, &[&own, case.known], at);
    judgement.budget_hit |= b.left_out.is_some();
    judgement.missing = missing(case, &b.path);
    decide(case, &a.path, &b.path, &mut judgement);
    if b.path.end == PathEnd::Anchor && a.path.reaches_anchor() {
        // It had all links, one of which breaks a rule; that another certificate would do is not what was missing for sure.
        // Decided in D-DIAGNOSIS-28.
        judgement.fault = first_fault(&a.path);
        judgement.proof = Some(Proof::Inferred);
    }
    if a.left_out.is_some() && judgement.status != ChainStatus::Trusted {
        // Nobody knows that this device could not.
        (judgement.status, judgement.proof) = (ChainStatus::Undetermined, Some(Proof::Undecidable));
    } else if b.left_out.is_some() {
        judgement.proof = judgement.proof.min(Some(Proof::Inferred));
    }
    judgement.path = Some(a.path);
    judgement.completed = Some(b.path);
    judgement
}

/// What is to be said in place of `judgement` where it rests on certificates that are outside their dates at an instant
/// and others would do; `None` where it stands.
///
/// A device that can build a path within its dates takes that one. And what nobody can send any more, for it has expired,
/// is not what is missing if the chain can end elsewhere (D-TRUST-03).
pub fn rejudge(finder: &mut PathFinder, case: &Case<'_>, judgement: &Judgement, at: Timestamp) -> Option<Judgement> {
    let leaf = case.sent.first()?;
    let above = || judgement.completed.iter().flat_map(|path| path.steps.iter().skip(1));
    if judgement.status == ChainStatus::Trusted {
        let lasts = |step: &Step| {
            let anchor = step.anchor.and_then(|index| case.anchors.get(index));
            step.certificate.as_ref().is_none_or(|c| c.is_valid_at(at)) && anchor.is_none_or(|a| a.is_valid_at(at))
        };
        if above().all(lasts) {
            return None;
        }
        let a = finder.search(leaf, case.purpose, case.anchors, &[&own(case).valid_at(at)], Some(at));
        let path = Some(a.path).filter(|path| path.end == PathEnd::Anchor)?;
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

/// What the device has beside its anchors: what the server sent and what it held.
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

/// Steps 4 and 5 of the contract's "How a verdict is reached".
fn decide(case: &Case<'_>, a: &Path, b: &Path, judgement: &mut Judgement) {
    let lacks = !judgement.missing.is_empty();
    let held = held(case);
    // Faults of what the device had, anchors among it; a bare anchor has no certificate.
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
            if judgement.fault.as_ref().is_some_and(|(culprit, _)| !held.contains(&culprit.sha256())) {
                // The only one known for an absent link would not do, but the device never met it.
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
        (PathEnd::IssuerUnknown | PathEnd::Faulty, _) => by_discriminators(case, b, lacks, judgement),
    };
    judgement.status = status;
    judgement.proof = Some(proof);
}

/// The first certificate of a path that breaks a rule.
fn first_fault(path: &Path) -> Option<(Arc<Certificate>, Fault)> {
    path.faults.iter().find_map(|(culprit, fault)| culprit.clone().map(|culprit| (culprit, fault.clone())))
}

/// The topmost certificate's issuer is not at hand: is it an intermediate or a root?
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

/// What the device had, its anchors aside.
fn held(case: &Case<'_>) -> BTreeSet<Digest> {
    case.sent.iter().chain(case.held.iter().map(|(certificate, _)| certificate)).map(|c| c.sha256()).collect()
}

/// Missing links told of; a chain lacks one or two (D-TRUST-10).
const MOST_MISSING: usize = 6;
/// Certificates told of that would do for one that is missing.
const MOST_CANDIDATES: usize = 8;

/// The certificates of a path that the device did not have, leaf side first.
fn missing(case: &Case<'_>, path: &Path) -> Vec<Missing> {
    let held = held(case);
    let mut out = Vec::new();
    let mut below: Option<Arc<Certificate>> = None;
    for step in &path.steps {
        let Some(certificate) = &step.certificate else { break };
        let is_root = step.anchor.is_some() || certificate.is_self_signed();
        let lacks = !is_root && !held.contains(&certificate.sha256());
        if let Some(child) = below.filter(|_| lacks && out.len() < MOST_MISSING) {
            // Another certificate for the same name and key would do as well.
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

fn mismatch(path: &Path) -> Option<Arc<Certificate>> {
    let wrong = path.faults.iter().find(|(_, fault)| *fault == Fault::KeyMismatch);
    wrong.and_then(|(certificate, _)| certificate.clone())
}
