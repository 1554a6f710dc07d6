//! Which certificates a chain is judged by where some are outside their dates or break a rule.
//!
//! In: chains made on the spot, each with a certificate of the same name and key beside the one that lasts. Out: failed
//! tests where one that has expired, or is not valid yet, is held against a server although the device has another way.
//! Left to others: which dates a device minds (`diagnosis/dates.rs`).

use std::sync::Arc;

use chaingap::capture::Timestamp;
use chaingap::trust::{
    Algorithm, Case, ChainStatus, Judgement, PathFinder, Pool, Profile, Proof, Purpose, Verifier, judge, rejudge,
};
use chaingap::x509::Certificate;

use support::chains::{self, Aki, Draft, Key, anchor, known};

const ROOT: &str = "O=Example/CN=Root";
const ISSUING: &str = "O=Example/CN=Issuing";
const OTHER_ROOT: &str = "O=Other/CN=Root";

/// 1 June 2026.
fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-06-01T00:00:00Z").unwrap()
}

fn key(number: u64) -> Key {
    Key::new(number)
}

/// The judgement of a device with these roots on what a server sends, at that time.
fn judged(sent: &[Arc<Certificate>], roots: &[&Arc<Certificate>], others: &Pool) -> Judgement {
    judged_by(&Verifier::default(), sent, roots, others)
}

fn judged_by(verifier: &Verifier, sent: &[Arc<Certificate>], roots: &[&Arc<Certificate>], others: &Pool) -> Judgement {
    let anchors: Vec<_> = roots.iter().map(|root| anchor(root)).collect();
    let case = Case { sent, purpose: Purpose::Server, held: &[], anchors: &anchors, known: others, verifier };
    let mut finder = PathFinder::new(20_000);
    let judgement = judge(&mut finder, &case);
    rejudge(&mut finder, &case, &judgement, now()).unwrap_or(judgement)
}

fn all_valid(judgement: &Judgement) -> bool {
    judgement.judged_certificates().iter().all(|certificate| certificate.is_valid_at(now()))
}

#[test]
fn of_two_issues_of_an_issuer_the_valid_one_counts() {
    let (root_key, issuing_key, leaf_key) = (key(1), key(2), key(3));
    let root = Draft::root(ROOT, &root_key).make();
    let leaf = Draft::leaf(&leaf_key, ISSUING, &issuing_key).make();
    let issuing = Draft::ca(ISSUING, &issuing_key, ROOT, &root_key);
    for years in [(2010, 2021), (2040, 2100)] {
        // Their hashes decide between equals; these serial numbers give both orders.
        for serial in 1..6 {
            let (outside, valid) = (Draft { years, serial, ..issuing }.make(), issuing.make());
            let judgement = judged(&[Arc::clone(&leaf), outside, valid], &[&root], &Pool::default());
            assert!(judgement.status == ChainStatus::Trusted && all_valid(&judgement), "{years:?} {serial}");
        }
        // If there is no other, its dates are reported.
        let only = Draft { years, ..issuing }.make();
        let judgement = judged(&[Arc::clone(&leaf), only], &[&root], &Pool::default());
        assert!(judgement.status == ChainStatus::Trusted && !all_valid(&judgement), "{years:?}");
    }
}

#[test]
fn a_longer_way_that_is_valid_counts_before_a_shorter_one_that_has_expired() {
    let (root_key, other_key, issuing_key, leaf_key) = (key(1), key(2), key(3), key(4));
    let leaf = Draft::leaf(&leaf_key, ISSUING, &issuing_key).make();
    let direct = Draft { years: (2010, 2021), ..Draft::ca(ISSUING, &issuing_key, ROOT, &root_key) }.make();
    let across = Draft::ca(ISSUING, &issuing_key, "O=Other/CN=Policy", &other_key).make();
    let policy_key = key(5);
    let policy = Draft::ca("O=Other/CN=Policy", &other_key, OTHER_ROOT, &policy_key).make();
    let roots = [Draft::root(ROOT, &root_key).make(), Draft::root(OTHER_ROOT, &policy_key).make()];
    let judgement = judged(&[leaf, direct, across, policy], &[&roots[0], &roots[1]], &Pool::default());
    assert!(judgement.status == ChainStatus::Trusted && all_valid(&judgement));
    assert_eq!(judgement.judged_certificates().len(), 4);
}

/// One intermediate, signed with SHA-1 and with SHA-256, for a device without SHA-1.
#[test]
fn a_link_that_the_device_cannot_use_is_not_its_only_way() {
    let stored = chains::stored_by_label(include_str!("../data/rfc5280/certificates.pem"));
    let of = |label: &str| Arc::clone(&stored[label]);
    let (leaf, sha1, sha256, expired, root) = (of("leaf"), of("ca-sha1"), of("ca"), of("ca-expired"), of("root"));
    let profile = "name = \"x\"\ndescription = \"y\"\n[[unsupported]]\nalgorithm = \"sha1\"\nprovenance = \"doc\"\nsource = \"s\"";
    let without = Verifier::of(&Profile::parse(profile).unwrap(), |_| false);
    let shown = Verifier::of(&Profile::parse(profile).unwrap(), |algorithm| algorithm == Algorithm::Sha1);
    let above = |verifier, sent: &[&Arc<Certificate>]| {
        let sent: Vec<_> = [&leaf].into_iter().chain(sent.iter().copied()).cloned().collect();
        let judgement = judged_by(verifier, &sent, &[&root], &Pool::default());
        assert_eq!(judgement.status, ChainStatus::Trusted);
        judgement.judged_certificates()[1].sha256()
    };
    for both in [[&sha1, &sha256], [&sha256, &sha1]] {
        assert_eq!(above(&without, &both), sha256.sha256());
    }
    // Only where there is no other way is the chain judged through it.
    assert_eq!(above(&without, &[&sha1]), sha1.sha256());
    // That the sound one has expired is no reason to take the other, but for a device that was seen to use SHA-1.
    assert_eq!(above(&without, &[&sha1, &expired]), expired.sha256());
    assert_eq!(above(&shown, &[&sha1, &expired]), sha1.sha256());
}

/// CAs fill in the direct issuer's name in place of its issuer's: then it looks as if the issuer were a root (D-TRUST-12).
#[test]
fn an_issuer_that_is_said_to_have_issued_itself_is_undecided() {
    let (root_key, issuing_key, leaf_key) = (key(1), key(2), key(3));
    let leaf = |issuer| {
        let aki = Aki::Issuer(issuer);
        [Draft { aki, ..Draft::leaf(&leaf_key, issuer, &issuing_key) }.make()]
    };
    let root = Draft::root(ROOT, &root_key).make();
    // The organization of the device's root contradicts it; where nothing else speaks, nobody can tell.
    let judgement = judged(&leaf(ISSUING), &[&root], &Pool::default());
    assert_eq!((judgement.status, judgement.proof), (ChainStatus::MissingIntermediate, Some(Proof::Inferred)));
    let judgement = judged(&leaf("O=Other/CN=Issuing"), &[&root], &Pool::default());
    assert_eq!((judgement.status, judgement.proof), (ChainStatus::Undetermined, Some(Proof::Undecidable)));
}

/// The Baseline Requirements, section 6.1.7: roots issue no server certificates.
#[test]
fn an_issuer_under_the_policies_of_public_cas_is_an_intermediate() {
    let (root_key, issuing_key, leaf_key) = (key(1), key(2), key(3));
    let root = Draft::root(ROOT, &root_key).make();
    let below = |policy: &str, name| {
        let leaf = Draft { policies: &[policy], ..Draft::leaf(&leaf_key, name, &issuing_key) }.make();
        let judgement = judged(&[leaf], &[&root], &Pool::default());
        (judgement.status, judgement.proof.unwrap())
    };
    // Extended, domain, organization and individual validation.
    for policy in ["2.23.140.1.1", "2.23.140.1.2.1", "2.23.140.1.2.2", "2.23.140.1.2.3"] {
        for name in ["O=Other/CN=Issuing", "O=Other/CN=Other Root"] {
            assert_eq!(below(policy, name), (ChainStatus::MissingIntermediate, Proof::Inferred), "{policy} {name}");
        }
    }
    // Code signing, and a CA's own.
    for policy in ["2.23.140.1.3", "2.23.140.1.4.1", "1.3.6.1.4.1.44947.1.1.1"] {
        assert_eq!(below(policy, "O=Other/CN=Issuing"), (ChainStatus::Undetermined, Proof::Undecidable), "{policy}");
    }
}

#[test]
fn what_has_expired_is_not_what_is_missing_where_the_chain_can_end_elsewhere() {
    let (old_key, new_key, issuing_key, leaf_key) = (key(1), key(2), key(3), key(4));
    let old = Draft::root(ROOT, &old_key).make();
    let (new, cross) = (Draft::root(OTHER_ROOT, &new_key), Draft::ca(OTHER_ROOT, &new_key, ROOT, &old_key));
    let leaf = Draft::leaf(&leaf_key, ISSUING, &issuing_key).make();
    let issuing = Draft::ca(ISSUING, &issuing_key, OTHER_ROOT, &new_key).make();
    let sent = [leaf, issuing];
    // Cross-signed by the root that the device has: while that lasts, it is what is missing.
    let judgement = judged(&sent, &[&old], &known([&new.make(), &cross.make()]));
    assert_eq!((judgement.status, judgement.proof), (ChainStatus::MissingIntermediate, Some(Proof::Proven)));
    // Nobody can send it once it has expired: then the device lacks the root.
    let cross = Draft { years: (2010, 2021), ..cross }.make();
    let judgement = judged(&sent, &[&old], &known([&new.make(), &cross]));
    assert_eq!((judgement.status, judgement.proof), (ChainStatus::UntrustedRoot, Some(Proof::Proven)));
    // Without the other root nothing is proven.
    let judgement = judged(&sent, &[&old], &known([&cross]));
    assert_eq!((judgement.status, judgement.proof), (ChainStatus::MissingIntermediate, Some(Proof::Inferred)));
}

#[test]
fn a_link_that_breaks_a_rule_is_not_missing_for_sure() {
    let (root_key, issuing_key, leaf_key) = (key(1), key(2), key(3));
    let root = Draft::root(ROOT, &root_key).make();
    let leaf = Draft::leaf(&leaf_key, ISSUING, &issuing_key).make();
    let again = Draft::ca(ISSUING, &issuing_key, ROOT, &root_key);
    // The server sends an intermediate for clients only (RFC 5280 section 4.2.1.12); its re-issue is known.
    let sent = Draft { purposes: &["1.3.6.1.5.5.7.3.2"], serial: 2, ..again }.make();
    let judgement = judged(&[Arc::clone(&leaf), Arc::clone(&sent)], &[&root], &known([&again.make()]));
    assert_eq!((judgement.status, judgement.proof), (ChainStatus::MissingIntermediate, Some(Proof::Inferred)));
    assert_eq!(judgement.fault.map(|(culprit, _)| culprit.sha256()), Some(sent.sha256()));
    // Without it, the broken rule is reported.
    let judgement = judged(&[leaf, sent], &[&root], &Pool::default());
    assert_eq!((judgement.status, judgement.proof), (ChainStatus::Invalid, Some(Proof::Proven)));
}

#[test]
fn six_missing_links_are_told_each_with_eight_candidates() {
    let keys: Vec<Key> = (1..=10).map(key).collect();
    let name = |at: usize| format!("O=Tower/CN=Floor {at}");
    let names: Vec<String> = (0..=9).map(name).collect();
    // Floor 9 is the root; floor 1 has ten issues, the others one each.
    let issue = |at: usize, serial: u32| {
        let draft = Draft::ca(&names[at], &keys[at], &names[at + 1], &keys[at + 1]);
        Draft { serial, ..draft }.make()
    };
    let floors: Vec<_> = (1..9).map(|at| issue(at, 1)).chain((2..=10).map(|serial| issue(1, serial))).collect();
    let root = Draft::root(&names[9], &keys[9]).make();
    let leaf = Draft::leaf(&keys[0], &names[1], &keys[1]).make();
    let judgement = judged(&[leaf], &[&root], &known(&floors));
    assert_eq!((judgement.status, judgement.proof), (ChainStatus::MissingIntermediate, Some(Proof::Proven)));
    let candidates: Vec<usize> = judgement.missing.iter().map(|missing| missing.candidates.len()).collect();
    assert_eq!(candidates, [8, 1, 1, 1, 1, 1]);
}
