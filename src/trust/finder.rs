//! In: a certificate, anchors, and pools of candidate issuers. Out: the best path to an anchor, or the best attempt with
//! the reason why it ends. Bounded: a budget of steps for each search and one for all of them; every signature is checked
//! once. Left to others: what a device had (`judge`), policies, revocation and server names.

use std::sync::Arc;

use super::anchor::Anchor;
use super::budget::LeftOut;
use super::path::{Path, PathEnd};
use super::pool::Pool;
use super::rules::Purpose;
use super::signatures::Signatures;
use super::verifier::Verifier;
use super::walk::{Found, Question, Rules, Walk};
use crate::x509::{Certificate, PublicKey, SignatureCheck};

/// Builds certification paths (RFC 5280 section 6.1; RFC 4158 describes the task), and says why there is none.
///
/// A verifier answers yes or no. This answers with the best path there is: to an anchor, else to a self-signed
/// certificate, else as far as issuers are at hand, together with [why it ends there](PathEnd) and
/// [which rules were broken](Path::faults) by what could have continued it.
///
/// # What is checked
///
/// - Names chain: the issuer of each certificate is the subject of the next, compared by RFC 5280 section 7.1.
/// - Signatures: the key of the next certificate made each one ([`Fault::KeyMismatch`](super::Fault::KeyMismatch)).
/// - The rules of section 6.1.4 for CA certificates, and name constraints (section 4.2.1.10): see
///   [`Fault`](super::Fault).
/// - Extended key usage, on every certificate: whether it leaves room for the [`Purpose`].
///
/// What is not: dates (the device's clock may be wrong; compare
/// [`Certificate::is_valid_at`](crate::x509::Certificate::is_valid_at) for each step), server names
/// ([`Certificate::matches_host`](crate::x509::Certificate::matches_host)), policies and revocation.
///
/// # Cost
///
/// The unit is a step: looking at one candidate issuer. Checking a signature takes ten steps with an RSA key of up to
/// 2,048 bits and more with longer ones; 32 comparisons of a name with a name constraint take one. The program gives
/// each search 20,000 steps, a tenth of a second at most; few chains need more than a hundred. A search never fails:
/// where the budget did not suffice, [`Search::left_out`] says so.
///
/// The finder remembers the signatures that it checked, so that it should be kept for many searches. What it remembers
/// saves time but no steps: results do not depend on the order of searches, as long as all searches together stay within
/// a hundred times the budget. Later ones have 500 steps each.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
///
/// use chaingap::trust::{Anchor, Fault, PathEnd, PathFinder, Pool, Purpose, StepFrom, read_certificates};
/// use chaingap::x509::Certificate;
///
/// fn read(file: &str) -> Arc<Certificate> {
///     let bytes = std::fs::read(file).expect("the file is there");
///     Arc::new(read_certificates(&bytes).certificates.remove(0))
/// }
///
/// let anchors = [Anchor::from_certificate(read("captures/pki/root.pem"))];
/// let leaf = read("captures/pki/server.pem");
/// let mut issuers = Pool::default();
/// issuers.add(&read("captures/pki/policy.pem"), StepFrom::Sent);
///
/// // The certificate between the server's and the policy CA's is not at hand.
/// let mut finder = PathFinder::new(20_000);
/// let search = finder.find(&leaf, Purpose::Server, &anchors, &[&issuers]);
/// assert_eq!(search.path.end, PathEnd::IssuerUnknown);
/// assert_eq!(leaf.issuer().to_string(), "CN=Northwind Issuing CA 1,O=Northwind");
///
/// // With it the path is complete: server, issuing CA, policy CA, root.
/// issuers.add(&read("captures/pki/issuing.pem"), StepFrom::Bundle);
/// let search = finder.find(&leaf, Purpose::Server, &anchors, &[&issuers]);
/// assert_eq!(search.path.end, PathEnd::Anchor);
/// assert_eq!(search.path.steps.len(), 4);
///
/// // Another key under the issuing CA's name is distinguished from an absent certificate.
/// let mut issuers = Pool::default();
/// issuers.add(&read("captures/pki/issuing-other-key.pem"), StepFrom::Sent);
/// let search = finder.find(&leaf, Purpose::Server, &anchors, &[&issuers]);
/// assert_eq!(search.path.end, PathEnd::Faulty);
/// assert_eq!(search.path.faults[0].1, Fault::KeyMismatch);
/// ```
#[derive(Debug)]
pub struct PathFinder {
    /// Steps that one search may take.
    budget: usize,
    /// Steps left for all searches to come.
    left: usize,
    signatures: Signatures,
    searches: u64,
}

/// The result of a search.
#[derive(Clone, Debug)]
pub struct Search {
    /// The best path: to an anchor if there is one, else to a self-signed certificate, else the longest.
    pub path: Path,
    /// What the search left out to stay within its bounds, if no anchor was found: a path to one may exist then.
    pub left_out: Option<LeftOut>,
}

/// A search may take this many steps, however many were taken before it: most need fewer, and what other chains took is
/// no reason to leave this one undecided.
const STEPS_IN_ANY_CASE: usize = 500;

/// All searches together may take as many steps as this many that use up their budget: with the program's, two million,
/// which take some ten seconds. A capture with twenty thousand different chains needs fewer (D-TRUST-01).
const SEARCHES_IN_FULL: usize = 100;

impl PathFinder {
    /// A finder whose searches take at most `budget` steps each (see [Cost](Self#cost)); a search that finds that rules
    /// are broken may look a second time, and take as many again.
    pub fn new(budget: usize) -> Self {
        Self { budget, left: budget.saturating_mul(SEARCHES_IN_FULL), signatures: Signatures::default(), searches: 0 }
    }

    /// Searches made so far.
    pub fn searches(&self) -> u64 {
        self.searches
    }

    /// Signatures checked so far.
    pub fn signature_checks(&self) -> u64 {
        self.signatures.count()
    }

    /// The best path upwards from `leaf`, with issuers from `pools`, which are asked in this order, and an end at one of
    /// `anchors`.
    ///
    /// A path that keeps the rules is preferred. If the only one to reach an anchor breaks a rule, it is given with
    /// [`PathEnd::Faulty`] and its faults. Of several paths to an anchor the shortest wins, then the one whose
    /// certificates all last longest, then the one with the lower digests, so that the result does not depend on the
    /// order in which certificates were added.
    ///
    /// A certificate that has the issuer's name and another key than the one that signed is a fault only where the device
    /// had it ([`StepFrom::is_held`](super::StepFrom::is_held)).
    pub fn find(&mut self, leaf: &Arc<Certificate>, purpose: Purpose, anchors: &[Anchor], pools: &[&Pool]) -> Search {
        self.search(leaf, Question { purpose, anchors, pools, verifier: &Verifier::default(), at: None })
    }

    /// As [`find`](Self::find), for a verifier and an instant.
    pub(super) fn search(&mut self, leaf: &Arc<Certificate>, question: Question<'_>) -> Search {
        self.searches += 1;
        let mut found = self.walk(leaf, question, Rules::Usable);
        // A path through algorithms that the verifier lacks tells more than one that ends before any anchor (D-TRUST-11).
        if found.unusable && found.path.end != PathEnd::Anchor {
            found = self.walk(leaf, question, Rules::Enforced);
        }
        // A path that breaks a rule tells more than one that ends before any anchor.
        if found.rule_broken && !matches!(found.path.end, PathEnd::Anchor | PathEnd::SelfSigned) {
            let lenient = self.walk(leaf, question, Rules::Noted);
            if lenient.path.end == PathEnd::Anchor {
                found = lenient;
            }
        }
        let Found { mut path, left_out, .. } = found;
        if path.end == PathEnd::Anchor && !path.faults.is_empty() {
            path.end = PathEnd::Faulty;
        }
        Search { path, left_out }
    }

    fn walk(&mut self, leaf: &Arc<Certificate>, question: Question<'_>, rules: Rules) -> Found {
        let steps = self.budget.min(self.left.max(STEPS_IN_ANY_CASE));
        let found = Walk::new(question, rules, steps, &mut self.signatures).run(leaf);
        self.left = self.left.saturating_sub(found.steps);
        found
    }

    /// Whether `issuer`'s key made the signature of `certificate`, at the expense of all searches; `None` once they have
    /// used up their steps.
    pub fn signed_by_if_affordable(&mut self, certificate: &Certificate, issuer: &PublicKey) -> Option<SignatureCheck> {
        self.left = self.left.saturating_sub(self.signatures.cost(certificate, issuer));
        (self.left > 0).then(|| self.signatures.check(certificate, issuer))
    }
}
