//! In: a leaf, candidate issuers and anchors. Out: the best path upwards from the leaf. Bounded: a budget of steps in
//! which everything that takes time is counted, 64 certificates, four ways to each issuer. Left to others: what a second
//! look without the rules would find, and dates, but for those that the question asks for.
//!
//! The walk goes breadth first: all paths of two certificates, then of three, and so on.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::anchor::Anchor;
use super::budget::{Budget, LeftOut};
use super::path::{Path, PathEnd, Step, StepFrom};
use super::pool::Pool;
use super::rules::{Fault, Purpose, broken_by_issuer, broken_by_leaf};
use super::signatures::{STEPS_PER_CHECK, Signatures, pair, steps_per_check};
use super::verifier::Verifier;
use crate::capture::Timestamp;
use crate::x509::{Certificate, Digest, Name, PublicKey, SignatureCheck};

/// Where to look, and for what.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) purpose: Purpose,
    pub(super) anchors: &'a [Anchor],
    pub(super) pools: &'a [&'a Pool],
    pub(super) verifier: &'a Verifier,
    /// The instant at which anchors whose dates count to the verifier, and issuers that the device did not have, must be within their dates.
    pub(super) at: Option<Timestamp>,
}

/// What becomes of a path in which a certificate breaks a rule.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// It ends below that certificate, and below a link whose algorithms the verifier lacks.
    Usable,
    /// It ends below that certificate.
    Enforced,
    /// It goes on, and the fault is noted.
    Noted,
}

/// What a walk found.
pub(super) struct Found {
    pub(super) path: Path,
    pub(super) left_out: Option<LeftOut>,
    /// Whether any certificate broke a rule, signatures aside.
    pub(super) rule_broken: bool,
    /// Whether a link was passed over because the verifier lacks its algorithms.
    pub(super) unusable: bool,
    /// Steps taken.
    pub(super) steps: usize,
}

/// One walk.
pub(super) struct Walk<'a> {
    question: Question<'a>,
    rules: Rules,
    budget: Budget,
    signatures: &'a mut Signatures,
    /// The best path that has ended so far.
    best: Option<Path>,
    /// As in [`Found`].
    rule_broken: bool,
    /// As in [`Found`].
    unusable: bool,
    /// How often each issuer was reached.
    ways: HashMap<(Name, PublicKey), usize>,
    /// The key that signed each certificate, where it is found.
    signers: HashMap<Digest, PublicKey>,
    /// Signatures paid for. Those that an earlier search checked are paid for again, so that results do not depend on
    /// the order of searches.
    paid: HashSet<(Digest, Digest)>,
    /// Paths to be continued, the shortest first.
    queue: VecDeque<Partial>,
}

/// Certificates of the longest path that is looked for; those in use have three or four (D-TRUST-02).
const LONGEST_PATH: usize = 64;

/// Ways to one issuer, a name and a key, that are followed. The first is the shortest; others matter only where the
/// certificates below break a constraint above, or would make a loop.
const WAYS: usize = 4;

impl<'a> Walk<'a> {
    pub(super) fn new(question: Question<'a>, rules: Rules, steps: usize, signatures: &'a mut Signatures) -> Self {
        Self {
            question,
            rules,
            budget: Budget::new(steps),
            signatures,
            best: None,
            rule_broken: false,
            unusable: false,
            ways: HashMap::new(),
            signers: HashMap::new(),
            paid: HashSet::new(),
            queue: VecDeque::new(),
        }
    }

    /// Walks upwards from `leaf` until no longer path can be better, or the budget is spent.
    pub(super) fn run(mut self, leaf: &Arc<Certificate>) -> Found {
        // No step looks at the leaf as an issuer, yet its own rules count as well.
        let Question { purpose, verifier, .. } = self.question;
        let broken = broken_by_leaf(leaf, purpose).chain(verifier.departures_of_leaf(leaf, purpose));
        let faults = broken.map(|fault| (Some(Arc::clone(leaf)), fault)).collect();
        self.queue.push_back(Partial { steps: vec![(Arc::clone(leaf), StepFrom::Sent)], faults });
        while let Some(partial) = self.queue.pop_front() {
            // Paths come by length: once an anchor is reached, a longer one is no better.
            if self.anchored().is_some_and(|best| partial.steps.len() + 1 > best.steps.len()) {
                break;
            }
            let ended = self.expand(partial);
            // A path that ends because the budget does is worth nothing, unless it ends at an anchor.
            if let Some(path) = ended.filter(|path| !self.budget.is_spent() || path.end == PathEnd::Anchor)
                && self.best.as_ref().is_none_or(|best| path.preference() > best.preference())
            {
                self.best = Some(path);
            }
            if self.budget.is_spent() {
                break;
            }
        }
        let path = self.best.unwrap_or_else(|| Path {
            steps: vec![Step { certificate: Some(Arc::clone(leaf)), anchor: None, from: StepFrom::Sent }],
            end: PathEnd::IssuerUnknown,
            faults: Vec::new(),
        });
        // Where no rule is broken, one way to each issuer is enough.
        let left_out = self.budget.left_out().filter(|what| *what != LeftOut::Ways || self.rule_broken);
        let left_out = left_out.filter(|_| path.end != PathEnd::Anchor);
        Found { path, left_out, rule_broken: self.rule_broken, unusable: self.unusable, steps: self.budget.taken() }
    }

    /// The best path so far, if it reaches an anchor.
    fn anchored(&self) -> Option<&Path> {
        self.best.as_ref().filter(|best| best.end == PathEnd::Anchor)
    }

    /// Gives the path if it ends here, else puts its continuations into the queue.
    fn expand(&mut self, partial: Partial) -> Option<Path> {
        let affordable = self.budget.spend(1);
        let top = Arc::clone(partial.top()?);
        let mut faults = Vec::new();
        // An anchor is worth looking for even with the last step.
        let anchored = self.reach_anchor(&partial, &top, &mut faults);
        if anchored.is_some() || !affordable || self.anchored().is_some() {
            return anchored;
        }
        if top.is_self_issued() && self.budget.spend(STEPS_PER_CHECK) && top.is_self_signed() {
            // A root that the device holds and distrusts is told as that, not as one that it lacks.
            let distrusted = faults.iter().any(|(_, fault)| matches!(fault, Fault::Distrusted(_)));
            return Some(match distrusted {
                true => partial.ending_with(PathEnd::Faulty, faults),
                false => partial.ending(PathEnd::SelfSigned),
            });
        }
        self.climb(partial, &top, faults)
    }

    /// The path if `top`, its last certificate, is an anchor or issued by one. Of anchors that have the issuer's name and
    /// another key, the faults are collected.
    fn reach_anchor(
        &mut self,
        partial: &Partial,
        top: &Certificate,
        faults: &mut Vec<(Option<Arc<Certificate>>, Fault)>,
    ) -> Option<Path> {
        let Question { anchors, verifier, at, .. } = self.question;
        let counts = |anchor: &Anchor| at.is_none_or(|at| verifier.anchor_counts_at(anchor, at));
        for (index, anchor) in anchors.iter().enumerate().filter(|(_, anchor)| anchor.is(top) && counts(anchor)) {
            let Some(broken) = self.anchor_faults(anchor, partial.certificates_below_top(), faults) else { continue };
            let mut path = partial.ending_with(PathEnd::Anchor, broken);
            if let Some(last) = path.steps.last_mut() {
                (last.anchor, last.from) = (Some(index), StepFrom::Anchor);
            }
            return Some(path);
        }
        let issuers = anchors.iter().enumerate().filter(|(_, a)| a.subject == *top.issuer() && counts(a));
        for (index, anchor) in issuers {
            if !self.passes(verifier.can_use_key(&anchor.key)) {
                continue;
            }
            let certificate = anchor.certificate.clone();
            match self.check(top, &anchor.key) {
                SignatureCheck::Valid => {
                    let below = partial.certificates();
                    let Some(mut broken) = self.anchor_faults(anchor, below, faults) else { continue };
                    let own = certificate.as_ref().filter(|_| verifier.judges_anchors());
                    let link = own.map(|own| verifier.departures_of_link(top, own)).unwrap_or_default();
                    broken.extend(link.into_iter().map(|fault| (partial.top().cloned(), fault)));
                    let mut path = partial.ending_with(PathEnd::Anchor, broken);
                    path.steps.push(Step { certificate, anchor: Some(index), from: StepFrom::Anchor });
                    return Some(path);
                }
                SignatureCheck::Invalid => faults.push((certificate, Fault::KeyMismatch)),
                SignatureCheck::Unsupported(what) => faults.push((certificate, Fault::Unsupported(what))),
            }
        }
        None
    }

    /// Puts the steps to each issuer at hand into the queue; returns the path if there is none.
    fn climb(
        &mut self,
        partial: Partial,
        top: &Certificate,
        mut faults: Vec<(Option<Arc<Certificate>>, Fault)>,
    ) -> Option<Path> {
        if partial.steps.len() >= LONGEST_PATH {
            self.budget.pass_over(LeftOut::LongPaths);
            return Some(partial.ending_with(PathEnd::IssuerUnknown, faults));
        }
        let (mut continued, mut circular) = (false, false);
        for (issuer, from) in self.candidates(top)? {
            if !self.budget.spend(1) {
                return None;
            }
            if !self.passes(self.question.verifier.can_use_link(&issuer)) {
                continue;
            }
            let check = self.check(top, issuer.public_key());
            if partial.holds(&issuer) {
                circular |= check.is_valid();
                if let SignatureCheck::Unsupported(what) = check {
                    faults.push((Some(issuer), Fault::Unsupported(what)));
                }
                continue;
            }
            match check {
                SignatureCheck::Valid => {}
                SignatureCheck::Invalid => {
                    if from.is_held() {
                        faults.push((Some(issuer), Fault::KeyMismatch));
                    }
                    continue;
                }
                SignatureCheck::Unsupported(what) => {
                    faults.push((Some(issuer), Fault::Unsupported(what)));
                    continue;
                }
            }
            let mut broken = self.broken_by(&issuer, partial.certificates());
            let link = self.question.verifier.departures_of_link(top, &issuer);
            broken.extend(link.into_iter().map(|fault| (partial.top().cloned(), fault)));
            self.rule_broken |= !broken.is_empty();
            if !broken.is_empty() && self.rules != Rules::Noted {
                faults.extend(broken);
                continue;
            }
            // All certificates of this issuer are followed, or none: they are the same way.
            if !continued && !self.is_worth_following(&issuer) {
                return None;
            }
            continued = true;
            let mut next = partial.clone();
            next.faults.extend(broken);
            next.steps.push((issuer, from));
            self.queue.push_back(next);
        }
        if continued {
            return None;
        }
        let end = match (faults.is_empty(), circular) {
            (false, _) => PathEnd::Faulty,
            (true, true) => PathEnd::Loop,
            (true, false) => PathEnd::IssuerUnknown,
        };
        Some(partial.ending_with(end, faults))
    }

    /// The rules that an issuer breaks above a path.
    fn broken_by<'c>(
        &mut self,
        issuer: &Arc<Certificate>,
        below: impl Iterator<Item = &'c Certificate> + Clone,
    ) -> Vec<(Option<Arc<Certificate>>, Fault)> {
        let Question { purpose, verifier, .. } = self.question;
        let broken = broken_by_issuer(issuer, below.clone(), purpose, &mut self.budget);
        let broken = broken.into_iter().chain(verifier.departures_of_issuer(issuer, below));
        broken.map(|fault| (Some(Arc::clone(issuer)), fault)).collect()
    }

    /// The rules that an anchor breaks above a path, and whether it is distrusted, to be noted there; `None` where the path must not
    /// end at it: then they are added to `faults`.
    fn anchor_faults<'c>(
        &mut self,
        anchor: &Anchor,
        below: impl Iterator<Item = &'c Certificate> + Clone,
        faults: &mut Vec<(Option<Arc<Certificate>>, Fault)>,
    ) -> Option<Vec<(Option<Arc<Certificate>>, Fault)>> {
        let own = anchor.certificate.as_ref().filter(|_| self.question.verifier.judges_anchors());
        // A leaf that is an anchor itself issues nothing.
        let own = own.filter(|_| below.clone().next().is_some());
        let mut broken = own.map(|own| self.broken_by(own, below)).unwrap_or_default();
        let distrust = anchor.distrust(self.question.purpose);
        broken.extend(distrust.map(|fault| (anchor.certificate.clone(), fault)));
        self.rule_broken |= !broken.is_empty();
        if !broken.is_empty() && self.rules != Rules::Noted {
            faults.extend(broken);
            return None;
        }
        Some(broken)
    }

    /// Whether the walk goes on through a link, which is usable to the verifier or not.
    fn passes(&mut self, usable: bool) -> bool {
        let passes = usable || self.rules != Rules::Usable;
        self.unusable |= !passes;
        passes
    }

    /// Counts the ways to an issuer, whichever of its certificates they go on through.
    fn is_worth_following(&mut self, issuer: &Certificate) -> bool {
        let ways = self.ways.entry((issuer.subject().clone(), issuer.public_key().clone())).or_default();
        *ways += 1;
        if *ways > WAYS {
            self.budget.pass_over(LeftOut::Ways);
        }
        *ways <= WAYS
    }

    /// Certificates at hand with the issuer's name, each once; `None` once the budget is spent. The likely ones come
    /// first: those with the key that is known to have signed, or with the key identifier asked for.
    fn candidates(&mut self, top: &Certificate) -> Option<Vec<(Arc<Certificate>, StepFrom)>> {
        let Question { pools, at, .. } = self.question;
        let mut looks = 0;
        for pool in pools {
            let (namesakes, more) = pool.namesakes(top.issuer());
            looks += namesakes.len();
            if more {
                self.budget.pass_over(LeftOut::Namesakes);
            }
        }
        if !self.budget.spend_on_comparisons(looks) {
            return None;
        }
        let mut seen = HashSet::new();
        let named = pools.iter().flat_map(|pool| pool.named(top.issuer()));
        let counts = |(issuer, from): &&(Arc<Certificate>, StepFrom)| {
            from.is_held() || at.is_none_or(|at| issuer.is_valid_at(at))
        };
        let usable = named.filter(counts).filter(|(issuer, _)| seen.insert(issuer.sha256()));
        let mut candidates: Vec<_> = usable.cloned().collect();
        let key_id = top.authority_key_id().and_then(|aki| aki.key_id.as_deref());
        let signer = self.signers.get(&top.sha256());
        candidates.sort_by_key(|(issuer, _)| match signer {
            Some(signer) => signer != issuer.public_key(),
            None => key_id.is_some() && issuer.subject_key_id() != key_id,
        });
        Some(candidates)
    }

    /// Whether this key made the signature. One key did, so once it is found no other needs a check.
    fn check(&mut self, child: &Certificate, key: &PublicKey) -> SignatureCheck {
        match self.signers.get(&child.sha256()) {
            Some(signer) if signer == key => return SignatureCheck::Valid,
            Some(_) => return SignatureCheck::Invalid,
            None => {}
        }
        if self.paid.insert(pair(child, key)) && !self.budget.spend(steps_per_check(key)) {
            return SignatureCheck::Unsupported("the budget is used up".to_owned());
        }
        let check = self.signatures.check(child, key);
        if check.is_valid() {
            self.signers.insert(child.sha256(), key.clone());
        }
        check
    }
}

/// A path under way.
#[derive(Clone)]
struct Partial {
    steps: Vec<(Arc<Certificate>, StepFrom)>,
    faults: Vec<(Option<Arc<Certificate>>, Fault)>,
}

impl Partial {
    fn top(&self) -> Option<&Arc<Certificate>> {
        self.steps.last().map(|(certificate, _)| certificate)
    }

    fn certificates(&self) -> impl Iterator<Item = &Certificate> + Clone {
        self.steps.iter().map(|(certificate, _)| certificate.as_ref())
    }

    fn certificates_below_top(&self) -> impl Iterator<Item = &Certificate> + Clone {
        self.steps.iter().take(self.steps.len().saturating_sub(1)).map(|(certificate, _)| certificate.as_ref())
    }

    /// Whether the path goes through this name and key already: with them again, it would be a loop.
    fn holds(&self, certificate: &Certificate) -> bool {
        self.certificates().any(|known| {
            known.sha256() == certificate.sha256()
                || (known.subject() == certificate.subject() && known.public_key() == certificate.public_key())
        })
    }

    /// The path as it stands.
    fn ending(&self, end: PathEnd) -> Path {
        let step =
            |(c, from): &(Arc<Certificate>, _)| Step { certificate: Some(Arc::clone(c)), anchor: None, from: *from };
        Path { steps: self.steps.iter().map(step).collect(), end, faults: self.faults.clone() }
    }

    /// The path as it stands, with the faults of what could have been its next step.
    fn ending_with(&self, end: PathEnd, faults: Vec<(Option<Arc<Certificate>>, Fault)>) -> Path {
        let mut path = self.ending(end);
        path.faults.extend(faults);
        path
    }
}
