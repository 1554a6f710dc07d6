//! In: a certificate, anchors, and pools of candidate issuers. Out: the shortest path to an anchor, or the best attempt
//! with the reason why it ends. Bounded: a budget of steps per search; every signature is checked once.
//!
//! The rules of a link are RFC 5280 section 6.1, without policies and revocation; dates are left to others, since the
//! device's clock may differ from everybody else's.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use super::{Anchor, StepFrom};
use crate::x509::{Certificate, Digest, Name, PublicKey, SignatureCheck};

/// Certificates at hand, by subject.
#[derive(Debug, Default)]
pub struct Pool {
    by_subject: BTreeMap<Name, Vec<(Arc<Certificate>, StepFrom)>>,
}

impl Pool {
    /// Adds a certificate; one that is there already keeps the more preferred origin.
    pub fn add(&mut self, certificate: &Arc<Certificate>, from: StepFrom) {
        if !certificate.is_readable() {
            return;
        }
        let namesakes = self.by_subject.entry(certificate.subject().clone()).or_default();
        match namesakes.iter_mut().find(|(known, _)| known.sha256() == certificate.sha256()) {
            Some((_, known)) => *known = (*known).min(from),
            None => {
                namesakes.push((Arc::clone(certificate), from));
                // The order in which certificates were added must not show.
                namesakes.sort_by_key(|(certificate, from)| (*from, certificate.sha256()));
            }
        }
    }

    /// Those with this subject.
    pub fn named(&self, subject: &Name) -> &[(Arc<Certificate>, StepFrom)] {
        self.by_subject.get(subject).map_or(&[], Vec::as_slice)
    }
}

/// Why a certificate may not be used: mostly, be the issuer of another although its name says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its key did not make the signature.
    KeyMismatch,
    /// The signature's algorithm is not known here.
    Unsupported(String),
    /// It is not a CA certificate.
    NotCa,
    /// Its key may not sign certificates.
    KeyUsage,
    /// More certificates follow than it allows.
    PathLength,
    /// Its extended key usage leaves out server authentication.
    ExtendedKeyUsage,
    /// A name below it is outside the names it allows.
    NameConstraints(String),
    /// It holds a critical extension that is not known here.
    CriticalExtension(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyMismatch => f.write_str("its key did not make the signature"),
            Self::Unsupported(algorithm) => write!(f, "the signature cannot be checked here ({algorithm})"),
            Self::NotCa => f.write_str("it is not a CA certificate"),
            Self::KeyUsage => f.write_str("its key usage does not allow it to sign certificates"),
            Self::PathLength => f.write_str("its path length constraint allows fewer certificates below it"),
            Self::ExtendedKeyUsage => f.write_str("its extended key usage leaves out server authentication"),
            Self::NameConstraints(why) => write!(f, "its name constraints forbid it: {why}"),
            Self::CriticalExtension(oid) => write!(f, "it holds the critical extension {oid}, which is not known here"),
        }
    }
}

/// One certificate of a path.
#[derive(Clone, Debug)]
pub struct Step {
    /// The certificate; `None` for an anchor of which only name and key are known.
    pub certificate: Option<Arc<Certificate>>,
    /// Index of the anchor.
    pub anchor: Option<usize>,
    /// Where it came from.
    pub from: StepFrom,
}

/// How a path ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathEnd {
    /// At an anchor.
    Anchor,
    /// At a self-signed certificate that is no anchor.
    SelfSigned,
    /// No certificate at hand is the issuer.
    IssuerUnknown,
    /// One has the issuer's name, but may not be the issuer.
    Faulty,
}

/// Certificates from the leaf upwards.
#[derive(Clone, Debug)]
pub struct Path {
    /// The leaf first.
    pub steps: Vec<Step>,
    /// How it ends.
    pub end: PathEnd,
    /// Candidates for the next step, or links of this path, that break a rule.
    pub faults: Vec<(Option<Arc<Certificate>>, Fault)>,
}

impl Path {
    /// The topmost certificate that is at hand.
    pub fn top(&self) -> Option<&Arc<Certificate>> {
        self.steps.iter().rev().find_map(|step| step.certificate.as_ref())
    }

    /// Its certificates, leaf first, without a bare anchor.
    pub fn certificates(&self) -> impl DoubleEndedIterator<Item = &Arc<Certificate>> {
        self.steps.iter().filter_map(|step| step.certificate.as_ref())
    }
}

/// The result of a search.
#[derive(Clone, Debug)]
pub struct Search {
    /// The best path: to an anchor if there is one, else to a self-signed certificate, else the longest.
    pub path: Path,
    /// The search ended because its budget was used up; a better path may exist.
    pub budget_hit: bool,
}

/// Searches paths, and remembers every signature it checked.
#[derive(Debug)]
pub struct PathFinder {
    budget: usize,
    checked: HashMap<(Digest, Digest), SignatureCheck>,
    searches: u64,
}

impl PathFinder {
    /// A finder whose searches take at most `budget` steps each.
    pub fn new(budget: usize) -> Self {
        Self { budget, checked: HashMap::new(), searches: 0 }
    }

    /// Searches made so far.
    pub fn searches(&self) -> u64 {
        self.searches
    }

    /// Signatures checked so far.
    pub fn signature_checks(&self) -> u64 {
        u64::try_from(self.checked.len()).unwrap_or(u64::MAX)
    }

    /// The best path from `leaf`, with issuers from `pools` and ends at `anchors`. If only a path with a broken rule
    /// reaches an anchor, that path comes back with its faults and [`PathEnd::Faulty`].
    ///
    /// Of several paths the shortest wins, then the one whose certificates last longest, then the lower hash.
    pub fn find(&mut self, leaf: &Arc<Certificate>, anchors: &[Anchor], pools: &[&Pool]) -> Search {
        self.searches += 1;
        let mut search = self.search(leaf, anchors, pools, true);
        if search.path.end == PathEnd::SelfSigned || search.path.faults.is_empty() {
            return search;
        }
        if search.path.end != PathEnd::Anchor {
            let lenient = self.search(leaf, anchors, pools, false);
            if lenient.path.end != PathEnd::Anchor {
                return search;
            }
            search = lenient;
        }
        search.path.end = PathEnd::Faulty;
        search
    }

    /// Whether `issuer`'s key made the signature of `certificate`; each pair is checked once.
    pub fn signed_by(&mut self, certificate: &Certificate, issuer: &PublicKey) -> SignatureCheck {
        let pair = (certificate.sha256(), issuer.spki_sha256());
        self.checked.entry(pair).or_insert_with(|| certificate.verify_signed_by(issuer)).clone()
    }

    fn search(&mut self, leaf: &Arc<Certificate>, anchors: &[Anchor], pools: &[&Pool], strict: bool) -> Search {
        // No step looks at the leaf as an issuer, yet its critical extensions count as well.
        let unknown = leaf.unknown_critical_extensions().first().cloned();
        let faults = unknown.map(|oid| (Some(Arc::clone(leaf)), Fault::CriticalExtension(oid))).into_iter().collect();
        let start = Partial { steps: vec![(Arc::clone(leaf), StepFrom::Sent)], faults };
        let (mut queue, mut best, mut budget) = (VecDeque::from([start]), None::<Path>, self.budget);
        let mut expanded = HashMap::<Digest, usize>::new();
        while let Some(partial) = queue.pop_front() {
            if budget == 0 {
                break;
            }
            budget -= 1;
            // Paths come by length, so a longer one never beats an anchor that is reached already.
            let reached = best.as_ref().filter(|path| path.end == PathEnd::Anchor).map(|path| path.steps.len());
            if reached.is_some_and(|length| partial.steps.len() + 1 > length) {
                break;
            }
            let ended = self.expand(partial, anchors, pools, strict, &mut expanded, &mut queue);
            if let Some(path) = ended
                && best.as_ref().is_none_or(|best| path.preference() > best.preference())
            {
                best = Some(path);
            }
        }
        let path = best.unwrap_or_else(|| Path {
            steps: vec![Step { certificate: Some(Arc::clone(leaf)), anchor: None, from: StepFrom::Sent }],
            end: PathEnd::IssuerUnknown,
            faults: Vec::new(),
        });
        Search { path, budget_hit: budget == 0 }
    }

    /// Gives the path if it ends here, else puts its continuations into the queue.
    fn expand(
        &mut self,
        partial: Partial,
        anchors: &[Anchor],
        pools: &[&Pool],
        strict: bool,
        expanded: &mut HashMap<Digest, usize>,
        queue: &mut VecDeque<Partial>,
    ) -> Option<Path> {
        let (top, _) = partial.steps.last()?;
        let top = Arc::clone(top);
        let mut faults = Vec::new();
        let is_anchor = |anchor: &Anchor, name: &Name| anchor.subject == *name;
        for (index, anchor) in anchors.iter().enumerate() {
            if is_anchor(anchor, top.subject()) && anchor.key == *top.public_key() {
                return Some(partial.ending_as(Some(index), anchors, PathEnd::Anchor));
            }
        }
        for (index, anchor) in anchors.iter().enumerate().filter(|(_, anchor)| is_anchor(anchor, top.issuer())) {
            match self.signed_by(&top, &anchor.key) {
                SignatureCheck::Valid => {
                    let mut path = partial.ending_as(None, anchors, PathEnd::Anchor);
                    let certificate = anchor.certificate.clone();
                    path.steps.push(Step { certificate, anchor: Some(index), from: StepFrom::Anchor });
                    return Some(path);
                }
                SignatureCheck::Invalid => faults.push((anchor.certificate.clone(), Fault::KeyMismatch)),
                SignatureCheck::Unsupported(what) => {
                    faults.push((anchor.certificate.clone(), Fault::Unsupported(what)))
                }
            }
        }
        if top.is_self_signed() {
            return Some(partial.ending_as(None, anchors, PathEnd::SelfSigned));
        }
        let mut continued = false;
        for (issuer, from) in pools.iter().flat_map(|pool| pool.named(top.issuer())) {
            if partial.holds(issuer) {
                continue;
            }
            let fault = self.fault(&partial, &top, issuer);
            match fault {
                None => {}
                Some(fault @ (Fault::KeyMismatch | Fault::Unsupported(_))) => {
                    faults.push((Some(Arc::clone(issuer)), fault));
                    continue;
                }
                Some(fault) if strict => {
                    faults.push((Some(Arc::clone(issuer)), fault));
                    continue;
                }
                Some(_) => {}
            }
            continued = true;
            // A certificate reached again by a path no shorter adds nothing, but for constraints of what lies below;
            // a few ways to each are enough to find one that satisfies them.
            let ways = expanded.entry(issuer.sha256()).or_default();
            *ways += 1;
            if *ways <= 4 {
                let mut next = partial.clone();
                if let Some(fault) = self.fault(&partial, &top, issuer) {
                    next.faults.push((Some(Arc::clone(issuer)), fault));
                }
                next.steps.push((Arc::clone(issuer), *from));
                queue.push_back(next);
            }
        }
        if continued {
            return None;
        }
        let end = if faults.is_empty() { PathEnd::IssuerUnknown } else { PathEnd::Faulty };
        let mut path = partial.ending_as(None, anchors, end);
        path.faults.extend(faults);
        Some(path)
    }

    /// The first rule of RFC 5280 section 6.1 that `issuer` breaks above `partial`.
    fn fault(&mut self, partial: &Partial, child: &Certificate, issuer: &Certificate) -> Option<Fault> {
        match self.signed_by(child, issuer.public_key()) {
            SignatureCheck::Valid => {}
            SignatureCheck::Invalid => return Some(Fault::KeyMismatch),
            SignatureCheck::Unsupported(what) => return Some(Fault::Unsupported(what)),
        }
        if !issuer.is_ca() {
            return Some(Fault::NotCa);
        }
        if issuer.key_usage().is_some_and(|usage| !usage.key_cert_sign()) {
            return Some(Fault::KeyUsage);
        }
        // Self-issued certificates do not count, and neither does the leaf.
        let below = partial.steps.iter().skip(1).filter(|(certificate, _)| !certificate.is_self_issued()).count();
        let allowed = issuer.basic_constraints().and_then(|constraints| constraints.path_len);
        if allowed.is_some_and(|allowed| u32::try_from(below).map_or(true, |below| below > allowed)) {
            return Some(Fault::PathLength);
        }
        if !issuer.permits_server_auth() && !issuer.permits_client_auth() {
            return Some(Fault::ExtendedKeyUsage);
        }
        if let Some(constraints) = issuer.name_constraints() {
            let bound = partial.steps.iter().enumerate().filter(|(at, (c, _))| *at == 0 || !c.is_self_issued());
            if let Some(why) = bound.into_iter().find_map(|(_, (certificate, _))| constraints.violation(certificate)) {
                return Some(Fault::NameConstraints(why));
            }
        }
        issuer.unknown_critical_extensions().first().map(|oid| Fault::CriticalExtension(oid.clone()))
    }
}

/// A path under way.
#[derive(Clone)]
struct Partial {
    steps: Vec<(Arc<Certificate>, StepFrom)>,
    faults: Vec<(Option<Arc<Certificate>>, Fault)>,
}

impl Partial {
    /// A path never goes through one name and key twice: it would be a loop.
    fn holds(&self, certificate: &Certificate) -> bool {
        self.steps.iter().any(|(known, _)| {
            known.sha256() == certificate.sha256()
                || (known.subject() == certificate.subject() && known.public_key() == certificate.public_key())
        })
    }

    /// The path as it stands; `top_is` names the anchor that its last certificate is.
    fn ending_as(&self, top_is: Option<usize>, anchors: &[Anchor], end: PathEnd) -> Path {
        let mut steps: Vec<Step> = self
            .steps
            .iter()
            .map(|(certificate, from)| Step { certificate: Some(Arc::clone(certificate)), anchor: None, from: *from })
            .collect();
        if let (Some(index), Some(last)) = (top_is, steps.last_mut()) {
            last.anchor = Some(index);
            last.from = StepFrom::Anchor;
            last.certificate = last.certificate.take().or_else(|| anchors.get(index)?.certificate.clone());
        }
        Path { steps, end, faults: self.faults.clone() }
    }
}

impl Path {
    /// Greater is better.
    fn preference(&self) -> impl Ord {
        let kind = match self.end {
            PathEnd::Anchor => 3,
            PathEnd::SelfSigned => 2,
            PathEnd::IssuerUnknown | PathEnd::Faulty => 1,
        };
        let length = i64::try_from(self.steps.len()).unwrap_or(i64::MAX);
        // Among paths that reach something the shortest, among attempts the longest.
        let length = if kind > 1 { -length } else { length };
        let expires = self.certificates().map(|certificate| certificate.not_after()).min();
        let hashes: Vec<_> = self.certificates().map(|certificate| std::cmp::Reverse(certificate.sha256())).collect();
        (kind, length, expires, hashes)
    }
}
