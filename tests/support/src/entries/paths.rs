//! Searches of paths among certificates that vouch for one another in any way.
//!
//! In: bytes, three for each certificate: whose it is, who is named as its issuer, and whose key signed it. Out: a panic
//! where the search finds no anchor although there is a way, finds one although there is none, or costs more than its
//! budget. Left to others: purposes, constraints and dates.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use chaingap::trust::{PathEnd, PathFinder, Purpose};
use chaingap::x509::Certificate;

use super::Input;
use crate::chains::{self, Draft, Key};

/// The number of names, and of keys.
const CAST: u8 = 12;
const BUDGET: usize = 5_000;
const MOST_CERTIFICATES: usize = 60;

/// Subject, its key, issuer, the key that signed.
type Link = (u8, u8, u8, u8);

static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| (0..u64::from(CAST)).map(Key::new).collect());
static MADE: LazyLock<Mutex<HashMap<Link, Arc<Certificate>>>> = LazyLock::new(Mutex::default);

fn certificate(link @ (subject, key, issuer, signer): Link) -> Arc<Certificate> {
    let make = || {
        let (subject, issuer) = (format!("O=Cast/CN={subject}"), format!("O=Cast/CN={issuer}"));
        Draft::ca(&subject, &KEYS[usize::from(key)], &issuer, &KEYS[usize::from(signer)]).make()
    };
    Arc::clone(MADE.lock().unwrap().entry(link).or_insert_with(make))
}

pub(super) fn paths(data: &[u8]) {
    let mut input = Input(data);
    let mut links = Vec::new();
    let mut next = || {
        // A name mostly has its own key; the highest bit gives it that of its neighbour.
        let (subject, issuer, signer) = (input.byte(), input.byte(), input.byte());
        let other = |who: u8| (who % CAST + u8::from(who & 0x80 != 0)) % CAST;
        (!input.is_empty()).then(|| (subject % CAST, other(subject), issuer % CAST, other(signer)))
    };
    let (Some(leaf), Some(anchor)) = (next(), next()) else { return };
    while let Some(link) = next().filter(|_| links.len() < MOST_CERTIFICATES) {
        links.push(link);
    }
    let pool: Vec<_> = links.iter().map(|link| certificate(*link)).collect();
    let anchors = [chains::anchor(&certificate(anchor))];
    let mut finder = PathFinder::new(BUDGET);
    let search = finder.find(&certificate(leaf), Purpose::Server, &anchors, &[&chains::known(&pool)]);
    // A search may run twice; a signature counts as ten steps.
    assert!(finder.signature_checks() <= 2 * BUDGET as u64 / 10, "{} signatures", finder.signature_checks());
    let found = search.path.end == PathEnd::Anchor;
    let there = is_reached(leaf, anchor, &links);
    assert!(there || !found, "found a path that does not exist: {links:?}");
    assert!(found || !there || search.left_out.is_some(), "{:?} although there is a path: {links:?}", search.path.end);
}

/// Whether issuers lead from the leaf to the anchor's name and key.
fn is_reached(leaf: Link, anchor: Link, links: &[Link]) -> bool {
    let (mut seen, mut open) = (BTreeSet::from([leaf]), vec![leaf]);
    while let Some((subject, key, issuer, signer)) = open.pop() {
        if (issuer, signer) == (anchor.0, anchor.1) || (subject, key) == (anchor.0, anchor.1) {
            return true;
        }
        // A certificate that signed itself ends its path; another one of its key stands beside it, not above it.
        if (subject, key) == (issuer, signer) {
            continue;
        }
        // Nor does a path return to where it began.
        let is_above = |link: &&Link| (link.0, link.1) == (issuer, signer) && (link.0, link.1) != (leaf.0, leaf.1);
        let above = links.iter().filter(is_above);
        open.extend(above.copied().filter(|link| seen.insert(*link)).collect::<Vec<_>>());
    }
    false
}
