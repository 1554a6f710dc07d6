//! Which certificates a chain is judged by where some are outside their dates or break a rule.
//!
//! In: chains made on the spot, each with a certificate of the same name and key beside the one that lasts. Out: failed
//! tests where one that has expired, or is not valid yet, is held against a server although the device has another way.
//! Left to others: which dates a device minds (`diagnosis/dates.rs`).

use std::sync::Arc;

use chaingap::capture::Timestamp;
use chaingap::trust::{Case, ChainStatus, Judgement, PathFinder, Pool, Proof, Purpose, judge, rejudge};
use chaingap::x509::Certificate;

use support::chains::{Draft, Key, anchor, known};

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
    let anchors: Vec<_> = roots.iter().map(|root| anchor(root)).collect();
    let case = Case { sent, purpose: Purpose::Server, held: &[], anchors: &anchors, known: others };
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
