//! In: what a server sent, what the device had, and everything known. Out: the chain's status, how sure it is, and the
//! links that are absent. Bounded: two path searches. Left to others: dates, names, and whether it was the cause.
//!
//! Two questions. A: what could this device then build? B: what could be built with everything known? Certificates of
//! other servers, devices or captures never count for A: that would hide the fault this program exists to find.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::path::{Fault, Path, PathEnd, PathFinder, Pool, Purpose, Step};
use super::{Anchor, ChainStatus, Proof, StepFrom};
use crate::capture::Timestamp;
use crate::x509::{Certificate, Digest, Name};

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

/// A link that is absent.
#[derive(Clone, Debug)]
pub struct Missing {
    /// The certificate that names it as its issuer.
    pub below: Arc<Certificate>,
    /// Its subject.
    pub subject: Name,
    /// Certificates that would do.
    pub candidates: Vec<Arc<Certificate>>,
}

/// What a certificate tells of an issuer that is not at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discriminator {
    /// For what it speaks.
    pub speaks: Speaks,
    /// In words.
    pub what: String,
}

/// What an unknown issuer seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// An intermediate.
    Intermediate,
    /// A root.
    Root,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Whether the links hold.
    pub status: ChainStatus,
    /// How sure that is.
    pub proof: Option<Proof>,
    /// What the device could build.
    pub path: Option<Path>,
    /// The longest path with all that is known.
    pub completed: Option<Path>,
    /// Links that are absent, leaf side first.
    pub missing: Vec<Missing>,
    /// A root that is no anchor comes on top of what is missing.
    pub root_untrusted_too: bool,
    /// What was looked at to tell an intermediate from a root, strongest first.
    pub discriminators: Vec<Discriminator>,
    /// A certificate with an issuer's name whose key did not sign.
    pub key_mismatch: Option<Arc<Certificate>>,
    /// A link that breaks another rule.
    pub fault: Option<(Arc<Certificate>, Fault)>,
    /// The search was cut short.
    pub budget_hit: bool,
}

impl Judgement {
    /// A chain of which nothing can be said but its status.
    pub fn without_chain(status: ChainStatus) -> Self {
        let proof = match status {
            ChainStatus::NotSent => None,
            _ => Some(Proof::Undecidable),
        };
        Self {
            status,
            proof,
            path: None,
            completed: None,
            missing: Vec::new(),
            root_untrusted_too: false,
            discriminators: Vec::new(),
            key_mismatch: None,
            fault: None,
            budget_hit: false,
        }
    }

    /// The longest path with everything that is known; `None` where the chain could not be judged.
    pub fn longest_path(&self) -> Option<&Path> {
        self.completed.as_ref().or(self.path.as_ref())
    }

    /// The end of the [longest path](Self::longest_path): a root, or the last certificate that is at hand.
    pub fn last_step(&self) -> Option<&Step> {
        self.longest_path()?.last_step()
    }

    /// Index in [`Case::anchors`] of the anchor at which the [longest path](Self::longest_path) ends.
    pub fn anchor(&self) -> Option<usize> {
        self.last_step()?.anchor
    }

    /// The anchor at which the [longest path](Self::longest_path) ends, if only its name and key are known; `anchors`
    /// are those of the [`Case`].
    pub fn bare_anchor<'a>(&self, anchors: &'a [Anchor]) -> Option<&'a Anchor> {
        let step = self.last_step().filter(|step| step.certificate.is_none())?;
        anchors.get(step.anchor?)
    }

    /// The first certificate of the path that the device built which it had only from a download.
    pub fn downloaded_step(&self) -> Option<&Step> {
        self.path.as_ref()?.steps.iter().find(|step| step.from == StepFrom::Fetched)
    }

    /// The certificates whose dates count: those of the path that was, or could be, completed.
    pub fn judged_certificates(&self) -> Vec<Arc<Certificate>> {
        self.longest_path().map(|path| path.certificates().cloned().collect()).unwrap_or_default()
    }
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
    judgement.budget_hit = a.budget_hit;
    judgement.key_mismatch = mismatch(&a.path);
    if a.path.end == PathEnd::Anchor {
        judgement.status = ChainStatus::Trusted;
        judgement.proof = Some(Proof::Proven);
        judgement.completed = Some(a.path.clone());
        judgement.path = Some(a.path);
        return judgement;
    }
    let b = finder.search(leaf, case.purpose, case.anchors, &[&own, case.known], at);
    judgement.budget_hit |= b.budget_hit;
    judgement.missing = missing(case, &b.path);
    decide(case, &a.path, &b.path, &mut judgement);
    if b.path.end == PathEnd::Anchor && a.path.reaches_anchor() {
        // It had all links, one of which breaks a rule; that another certificate would do is not what was missing for sure.
        judgement.fault = first_fault(&a.path);
        judgement.proof = Some(Proof::Inferred);
    }
    if a.budget_hit && judgement.status != ChainStatus::Trusted {
        // Nobody knows that this device could not.
        (judgement.status, judgement.proof) = (ChainStatus::Undetermined, Some(Proof::Undecidable));
    } else if b.budget_hit {
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
/// is not what is missing if the chain can end elsewhere.
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
    let levels = discriminators(case, b, &top);
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

/// What the topmost certificate tells of its issuer, in levels of strength.
fn discriminators(case: &Case<'_>, path: &Path, top: &Certificate) -> [Vec<Discriminator>; 3] {
    let issuer = top.issuer();
    let say = |speaks, what: String| Discriminator { speaks, what };
    let mut by_key_id = Vec::new();
    if let Some(named) = top.authority_key_id().and_then(|id| id.issuer.as_ref()) {
        by_key_id.push(if named == issuer {
            say(Speaks::Root, format!("its authority key identifier says that {issuer} issued itself"))
        } else {
            say(Speaks::Intermediate, format!("its authority key identifier says that {named} issued {issuer}"))
        });
    }
    let mut by_name = Vec::new();
    if let Some(anchor) = case.anchors.iter().find(|anchor| same_organization(&anchor.subject, issuer)) {
        by_name.push(say(
            Speaks::Intermediate,
            format!("{issuer} is of the same organization as the device's anchor {}", anchor.subject),
        ));
    }
    if issuer
        .common_name()
        .is_some_and(|name| name.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|word| word == "root"))
    {
        by_name.push(say(Speaks::Root, format!("{issuer} calls itself a root")));
    }
    let sent_above = path.steps.iter().skip(1).filter(|step| step.from == StepFrom::Sent).count();
    let mut by_sending = Vec::new();
    if sent_above > 0 {
        by_sending.push(say(
            Speaks::Root,
            format!("the server sent intermediates up to it ({sent_above}), and servers send all but the root"),
        ));
    }
    [by_key_id, by_name, by_sending]
}

/// The same organization, or where the issuer has none the same domain components.
fn same_organization(anchor: &Name, issuer: &Name) -> bool {
    // As RFC 5280 compares names: white space of any length is alike.
    let fold = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    match (issuer.organization(), anchor.organization()) {
        (Some(a), Some(b)) => fold(a) == fold(b),
        (Some(_), None) => false,
        (None, _) => {
            let (a, b) = (issuer.domain_components(), anchor.domain_components());
            !a.is_empty() && a.iter().map(|c| fold(c)).eq(b.iter().map(|c| fold(c)))
        }
    }
}

/// What the device had, its anchors aside.
fn held(case: &Case<'_>) -> BTreeSet<Digest> {
    case.sent.iter().chain(case.held.iter().map(|(certificate, _)| certificate)).map(|c| c.sha256()).collect()
}

/// Missing links told of; a chain lacks one or two.
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
