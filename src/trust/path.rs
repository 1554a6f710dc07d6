//! In: a certificate, anchors, and pools of candidate issuers. Out: the shortest path to an anchor, or the best attempt
//! with the reason why it ends. Bounded: a budget of steps per search, in which all that takes time is counted; every
//! signature is checked once.
//!
//! The rules of a link are RFC 5280 section 6.1, without policies and revocation; dates are left to others, since the
//! device's clock may differ from everybody else's.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use super::{Anchor, StepFrom};
use crate::capture::Timestamp;
use crate::x509::{Certificate, Digest, Name, NameConstraints, PublicKey, SignatureCheck, Subtrees};

/// Certificates at hand, by subject.
#[derive(Debug, Default)]
pub struct Pool {
    by_subject: BTreeMap<Name, Namesakes>,
    seen: HashMap<Digest, StepFrom>,
}

/// Certificates of one subject.
#[derive(Debug, Default)]
struct Namesakes {
    kept: Vec<(Arc<Certificate>, StepFrom)>,
    /// There were more than are kept.
    more: bool,
}

/// Certificates of one subject that are kept, the preferred ones. To check them all takes more than the program's budget
/// for a search.
const MOST_NAMESAKES: usize = 4096;

impl Pool {
    /// Adds a certificate; one that is there already keeps the more preferred origin.
    pub fn add(&mut self, certificate: &Arc<Certificate>, from: StepFrom) {
        let digest = certificate.sha256();
        let known = self.seen.get(&digest).copied();
        if !certificate.is_readable() || known.is_some_and(|known| known <= from) {
            return;
        }
        self.seen.insert(digest, from);
        let Namesakes { kept, more } = self.by_subject.entry(certificate.subject().clone()).or_default();
        // The order in which certificates were added must not show.
        let place =
            |from, digest| move |(other, origin): &(Arc<Certificate>, _)| (*origin, other.sha256()) < (from, digest);
        if let Some(known) = known {
            let old = kept.partition_point(place(known, digest));
            if kept.get(old).is_some_and(|(other, _)| other.sha256() == digest) {
                kept.remove(old);
            }
        }
        kept.insert(kept.partition_point(place(from, digest)), (Arc::clone(certificate), from));
        *more |= kept.len() > MOST_NAMESAKES;
        kept.truncate(MOST_NAMESAKES);
    }

    /// Those within their dates at an instant.
    pub fn valid_at(&self, at: Timestamp) -> Self {
        let mut valid = Self::default();
        let all = self.by_subject.values().flat_map(|namesakes| &namesakes.kept);
        all.filter(|(certificate, _)| certificate.is_valid_at(at))
            .for_each(|(certificate, from)| valid.add(certificate, *from));
        valid
    }

    /// Those with this subject, and whether there were more than are kept.
    fn namesakes(&self, subject: &Name) -> (&[(Arc<Certificate>, StepFrom)], bool) {
        self.by_subject.get(subject).map_or((&[], false), |namesakes| (namesakes.kept.as_slice(), namesakes.more))
    }

    /// Those with this subject.
    pub fn named(&self, subject: &Name) -> &[(Arc<Certificate>, StepFrom)] {
        self.namesakes(subject).0
    }
}

/// What the leaf is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A TLS server's.
    Server,
    /// A TLS client's.
    Client,
}

impl Purpose {
    /// Whether the extended key usage of a certificate, of a leaf or above it, leaves room for it.
    fn is_permitted_by(self, certificate: &Certificate) -> bool {
        match self {
            Self::Server => certificate.permits_server_auth(),
            Self::Client => certificate.permits_client_auth(),
        }
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
    /// Its extended key usage leaves out what the leaf is to be.
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
            Self::ExtendedKeyUsage => f.write_str("its extended key usage leaves out this use"),
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
    /// The issuers at hand are all on it already: CAs that vouch for each other.
    Loop,
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

    /// The end of the path: an anchor, or the last certificate that is at hand.
    pub fn last_step(&self) -> Option<&Step> {
        self.steps.last()
    }

    /// Whether it ends at an anchor, even if one of its links breaks a rule.
    pub fn reaches_anchor(&self) -> bool {
        self.last_step().is_some_and(|step| step.anchor.is_some())
    }

    /// The self-signed certificate at its top; `None` where it ends below one or at a bare anchor.
    pub fn root(&self) -> Option<&Arc<Certificate>> {
        self.top().filter(|top| top.is_self_signed())
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
    /// Something was left out to stay within the budget, and no anchor was found; a path to one may exist.
    pub budget_hit: bool,
}

/// Searches paths, and remembers every signature it checked.
#[derive(Debug)]
pub struct PathFinder {
    budget: usize,
    /// Steps left for all searches to come.
    left: usize,
    checked: HashMap<(Digest, Digest), SignatureCheck>,
    searches: u64,
}

/// A signature check takes as long as many steps do, with a long key the more.
const STEPS_PER_CHECK: usize = 10;

/// A search has so many steps however many were taken before it: most need fewer, and what strangers' chains took is
/// no reason to leave another undecided.
const STEPS_IN_ANY_CASE: usize = 500;

/// As many comparisons of a name with a name constraint, or looks at a namesake of an issuer, take as long as a step.
const COMPARISONS_PER_STEP: usize = 32;

/// All searches together take as many steps as so many that use up their budget: with the program's, two million, some ten
/// seconds. A capture with twenty thousand different chains takes fewer.
const SEARCHES_IN_FULL: usize = 100;

/// Certificates of the longest path that is looked for; those in use have three or four.
const LONGEST_PATH: usize = 64;

/// Ways to one issuer, a name and a key, that are followed. The first is the shortest; others matter only where the
/// certificates below break a constraint above, or would make a loop.
const WAYS: usize = 4;

impl PathFinder {
    /// A finder whose searches take at most `budget` steps each: a step is a candidate issuer looked at, and a
    /// signature to be checked counts as ten. A search looks twice where rules are broken. All searches together take at
    /// most a hundred times as many; those after that have a few hundred each, and say so where that was too few.
    pub fn new(budget: usize) -> Self {
        Self { budget, left: budget.saturating_mul(SEARCHES_IN_FULL), checked: HashMap::new(), searches: 0 }
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
    /// Of several paths the shortest wins, then the one whose certificates last longest, then the lower hash. A
    /// namesake of an issuer with another key counts as a fault only where the device had it ([`StepFrom::is_held`]).
    pub fn find(&mut self, leaf: &Arc<Certificate>, purpose: Purpose, anchors: &[Anchor], pools: &[&Pool]) -> Search {
        self.search(leaf, purpose, anchors, pools, None)
    }

    /// As [`find`](Self::find); with an instant, anchors and issuers that the device did not have count only within their
    /// dates then.
    pub(super) fn search(
        &mut self,
        leaf: &Arc<Certificate>,
        purpose: Purpose,
        anchors: &[Anchor],
        pools: &[&Pool],
        at: Option<Timestamp>,
    ) -> Search {
        self.searches += 1;
        let (mut search, broken) = Walk::new(self, purpose, anchors, pools, at, true).run(leaf);
        // A path that breaks a rule tells more than one that ends before any anchor.
        if broken && !matches!(search.path.end, PathEnd::Anchor | PathEnd::SelfSigned) {
            let (lenient, _) = Walk::new(self, purpose, anchors, pools, at, false).run(leaf);
            if lenient.path.end == PathEnd::Anchor {
                search = lenient;
            }
        }
        if search.path.end == PathEnd::Anchor && !search.path.faults.is_empty() {
            search.path.end = PathEnd::Faulty;
        }
        search
    }

    /// Whether `issuer`'s key made the signature of `certificate`, at the expense of all searches; `None` where they have
    /// used up their steps.
    pub fn signed_by_if_affordable(&mut self, certificate: &Certificate, issuer: &PublicKey) -> Option<SignatureCheck> {
        let pair = (certificate.sha256(), issuer.spki_sha256());
        if !self.checked.contains_key(&pair) {
            self.left = self.left.saturating_sub(steps_per_check(issuer));
        }
        (self.left > 0).then(|| self.signed_by(certificate, issuer))
    }

    /// Whether `issuer`'s key made the signature of `certificate`; each pair is checked once.
    fn signed_by(&mut self, certificate: &Certificate, issuer: &PublicKey) -> SignatureCheck {
        let pair = (certificate.sha256(), issuer.spki_sha256());
        self.checked.entry(pair).or_insert_with(|| certificate.verify_signed_by(issuer)).clone()
    }
}

/// A search by length: all paths of two certificates, then of three, and so on.
struct Walk<'a> {
    finder: &'a mut PathFinder,
    purpose: Purpose,
    anchors: &'a [Anchor],
    pools: &'a [&'a Pool],
    /// The instant at which anchors, and issuers that the device did not have, have to be within their dates.
    at: Option<Timestamp>,
    /// Whether a path that breaks a rule goes no further.
    strict: bool,
    /// A rule, other than that of the signature, was broken somewhere.
    broken: bool,
    /// An anchor was reached.
    reached: bool,
    /// Steps left.
    budget: usize,
    /// More than the followed ways lead to some issuer.
    crowded: bool,
    /// Of some issuer there were more certificates than are kept.
    passed_over: bool,
    ways: HashMap<(Name, PublicKey), usize>,
    /// By certificate, the key that signed it, as far as it is found.
    signers: HashMap<Digest, PublicKey>,
    /// Signatures that were counted. Those that an earlier search checked count too, lest answers hang on the order of
    /// the questions.
    counted: HashSet<(Digest, Digest)>,
    queue: VecDeque<Partial>,
}

impl<'a> Walk<'a> {
    fn new(
        finder: &'a mut PathFinder,
        purpose: Purpose,
        anchors: &'a [Anchor],
        pools: &'a [&'a Pool],
        at: Option<Timestamp>,
        strict: bool,
    ) -> Self {
        let budget = finder.budget.min(finder.left.max(STEPS_IN_ANY_CASE));
        let (broken, reached, crowded, passed_over) = (false, false, false, false);
        let (ways, signers) = (HashMap::new(), HashMap::new());
        let (counted, queue) = (HashSet::new(), VecDeque::new());
        Self {
            finder,
            purpose,
            anchors,
            pools,
            at,
            strict,
            broken,
            reached,
            budget,
            crowded,
            passed_over,
            ways,
            signers,
            counted,
            queue,
        }
    }

    /// The best path, and whether a rule was broken somewhere.
    fn run(mut self, leaf: &Arc<Certificate>) -> (Search, bool) {
        let given = self.budget;
        // No step looks at the leaf as an issuer, yet its own rules count as well.
        let unknown = leaf.unknown_critical_extensions().first().map(|oid| Fault::CriticalExtension(oid.clone()));
        let purpose = (!self.purpose.is_permitted_by(leaf)).then_some(Fault::ExtendedKeyUsage);
        let faults = unknown.into_iter().chain(purpose).map(|fault| (Some(Arc::clone(leaf)), fault)).collect();
        self.queue.push_back(Partial { steps: vec![(Arc::clone(leaf), StepFrom::Sent)], faults });
        let mut best = None::<Path>;
        while let Some(partial) = self.queue.pop_front() {
            // Paths come by length, so a longer one never beats an anchor that is reached already.
            if self.reached && best.as_ref().is_some_and(|best| partial.steps.len() + 1 > best.steps.len()) {
                break;
            }
            let ended = self.expand(partial);
            // What ends because the budget does, tells nothing, unless it ends well.
            if let Some(path) = ended.filter(|path| self.budget > 0 || path.end == PathEnd::Anchor)
                && best.as_ref().is_none_or(|best| path.preference() > best.preference())
            {
                self.reached |= path.end == PathEnd::Anchor;
                best = Some(path);
            }
            if self.budget == 0 {
                break;
            }
        }
        let path = best.unwrap_or_else(|| Path {
            steps: vec![Step { certificate: Some(Arc::clone(leaf)), anchor: None, from: StepFrom::Sent }],
            end: PathEnd::IssuerUnknown,
            faults: Vec::new(),
        });
        // Where no rule is broken, one way to each issuer is enough.
        self.finder.left = self.finder.left.saturating_sub(given - self.budget);
        let left_out = self.budget == 0 || self.passed_over || (self.crowded && self.broken);
        let budget_hit = left_out && path.end != PathEnd::Anchor;
        (Search { path, budget_hit }, self.broken)
    }

    /// Gives the path if it ends here, else puts its continuations into the queue.
    fn expand(&mut self, partial: Partial) -> Option<Path> {
        self.spend(1);
        let (top, _) = partial.steps.last()?;
        let top = Arc::clone(top);
        let anchors = self.anchors;
        let at = self.at;
        let lasts = |anchor: &Anchor| at.is_none_or(|at| anchor.is_valid_at(at));
        if let Some(index) = anchors.iter().position(|anchor| anchor.is(&top) && lasts(anchor)) {
            return Some(partial.ending_as(Some(index), anchors, PathEnd::Anchor));
        }
        let mut faults = Vec::new();
        let issuers = anchors.iter().enumerate().filter(|(_, anchor)| anchor.subject == *top.issuer() && lasts(anchor));
        for (index, anchor) in issuers {
            match self.check(&top, &anchor.key) {
                SignatureCheck::Valid => {
                    let mut path = partial.ending_as(None, anchors, PathEnd::Anchor);
                    let certificate = anchor.certificate.clone();
                    path.steps.push(Step { certificate, anchor: Some(index), from: StepFrom::Anchor });
                    return Some(path);
                }
                SignatureCheck::Invalid => faults.push((anchor.certificate.clone(), Fault::KeyMismatch)),
                SignatureCheck::Unsupported(what) => {
                    faults.push((anchor.certificate.clone(), Fault::Unsupported(what)));
                }
            }
        }
        if self.reached {
            return None;
        }
        if top.is_self_issued() && self.spend(STEPS_PER_CHECK) && top.is_self_signed() {
            return Some(partial.ending_as(None, anchors, PathEnd::SelfSigned));
        }
        self.climb(partial, &top, faults)
    }

    /// Puts the ways on through the issuers at hand into the queue; gives the path where there are none.
    fn climb(
        &mut self,
        partial: Partial,
        top: &Certificate,
        mut faults: Vec<(Option<Arc<Certificate>>, Fault)>,
    ) -> Option<Path> {
        if partial.steps.len() >= LONGEST_PATH {
            self.passed_over = true;
            let mut path = partial.ending_as(None, self.anchors, PathEnd::IssuerUnknown);
            path.faults.extend(faults);
            return Some(path);
        }
        let (mut continued, mut circular) = (false, false);
        let mut looks = 0;
        for pool in self.pools {
            let (namesakes, more) = pool.namesakes(top.issuer());
            looks += namesakes.len();
            self.passed_over |= more;
        }
        if !self.spend(looks / COMPARISONS_PER_STEP) {
            return None;
        }
        for (issuer, from) in self.candidates(top) {
            if !self.spend(1) {
                return None;
            }
            let check = self.check(top, issuer.public_key());
            if partial.holds(&issuer) {
                circular |= check.is_valid();
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
            let broken = self.broken_rule(&partial, &issuer);
            self.broken |= broken.is_some();
            if let Some(fault) = broken.clone().filter(|_| self.strict) {
                faults.push((Some(issuer), fault));
                continue;
            }
            // All certificates of this issuer are tried together.
            if !continued && !self.is_worth_following(&issuer) {
                return None;
            }
            continued = true;
            let mut next = partial.clone();
            next.faults.extend(broken.map(|fault| (Some(Arc::clone(&issuer)), fault)));
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
        let mut path = partial.ending_as(None, self.anchors, end);
        path.faults.extend(faults);
        Some(path)
    }

    /// Counts the ways to an issuer, whichever of its certificates they go on through.
    fn is_worth_following(&mut self, issuer: &Certificate) -> bool {
        let ways = self.ways.entry((issuer.subject().clone(), issuer.public_key().clone())).or_default();
        *ways += 1;
        self.crowded |= *ways > WAYS;
        *ways <= WAYS
    }

    /// Certificates at hand with the issuer's name, each once. The likely ones come first: those with the key that is
    /// known to have signed, or with the key id asked for.
    fn candidates(&self, top: &Certificate) -> Vec<(Arc<Certificate>, StepFrom)> {
        let mut seen = HashSet::new();
        let named = self.pools.iter().flat_map(|pool| pool.named(top.issuer()));
        let counts = |(issuer, from): &&(Arc<Certificate>, StepFrom)| {
            from.is_held() || self.at.is_none_or(|at| issuer.is_valid_at(at))
        };
        let usable = named.filter(counts).filter(|(issuer, _)| seen.insert(issuer.sha256()));
        let mut candidates: Vec<_> = usable.cloned().collect();
        let key_id = top.authority_key_id().and_then(|aki| aki.key_id.as_deref());
        let signer = self.signers.get(&top.sha256());
        candidates.sort_by_key(|(issuer, _)| match signer {
            Some(signer) => signer != issuer.public_key(),
            None => key_id.is_some() && issuer.subject_key_id() != key_id,
        });
        candidates
    }

    /// Whether this key made the signature. It is one key's, so that no other needs a check once that one is found.
    fn check(&mut self, child: &Certificate, key: &PublicKey) -> SignatureCheck {
        match self.signers.get(&child.sha256()) {
            Some(signer) if signer == key => return SignatureCheck::Valid,
            Some(_) => return SignatureCheck::Invalid,
            None => {}
        }
        if self.counted.insert((child.sha256(), key.spki_sha256())) && !self.spend(steps_per_check(key)) {
            return SignatureCheck::Unsupported("the budget is used up".to_owned());
        }
        let check = self.finder.signed_by(child, key);
        if check.is_valid() {
            self.signers.insert(child.sha256(), key.clone());
        }
        check
    }

    /// Takes steps off the budget; false, and nothing left, where it has not that many.
    fn spend(&mut self, steps: usize) -> bool {
        self.budget = self.budget.saturating_sub(steps);
        self.budget > 0
    }

    /// The first rule of RFC 5280 section 6.1 that `issuer` breaks above `partial`, its signature aside.
    fn broken_rule(&mut self, partial: &Partial, issuer: &Certificate) -> Option<Fault> {
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
        if !self.purpose.is_permitted_by(issuer) {
            return Some(Fault::ExtendedKeyUsage);
        }
        if let Some(constraints) = issuer.name_constraints() {
            let bound = partial.steps.iter().enumerate().filter(|(at, (c, _))| *at == 0 || !c.is_self_issued());
            for (_, (certificate, _)) in bound {
                if !self.spend(comparisons(constraints, certificate) / COMPARISONS_PER_STEP) {
                    return None;
                }
                if let Some(why) = constraints.violation(certificate) {
                    return Some(Fault::NameConstraints(why));
                }
            }
        }
        issuer.unknown_critical_extensions().first().map(|oid| Fault::CriticalExtension(oid.clone()))
    }
}

fn steps_per_check(key: &PublicKey) -> usize {
    STEPS_PER_CHECK.saturating_mul(key.cost_of_a_check())
}

/// At most so many comparisons tell whether the names of a certificate are allowed.
fn comparisons(constraints: &NameConstraints, certificate: &Certificate) -> usize {
    let subtrees = |of: &Subtrees| of.dns.len() + of.directory.len() + of.ip.len() + of.email.len() + of.uri.len();
    let names = certificate.dns_names().len()
        + certificate.ip_addresses().len()
        + certificate.email_addresses().len()
        + certificate.uris().len()
        + certificate.directory_names().len();
    names.saturating_add(1).saturating_mul(subtrees(&constraints.permitted) + subtrees(&constraints.excluded))
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
            PathEnd::Loop => 0,
        };
        let length = i64::try_from(self.steps.len()).unwrap_or(i64::MAX);
        // Among paths that reach something the shortest, among attempts the longest.
        let length = if kind == 1 { length } else { -length };
        let expires = self.certificates().map(|certificate| certificate.not_after()).min();
        let hashes: Vec<_> = self.certificates().map(|certificate| std::cmp::Reverse(certificate.sha256())).collect();
        (kind, length, expires, hashes)
    }
}
