//! In: heaps of certificates made to cost time: namesakes, CAs that all vouch for each other, loops, long chains, long
//! lists of names. Out: failed tests where a search costs more than its budget, is silent about having been cut short,
//! or misses the right answer. Bounded: what is counted is signatures, not time; times are only printed. Left to
//! others: ordinary chains.

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use chaingap::trust::{
    Anchor, Case, ChainStatus, PathEnd, PathFinder, Pool, Proof, Purpose, Search, StepFrom, Verifier, judge,
};
use chaingap::x509::Certificate;
use support::chains::{self, Aki, Draft, Key};

/// The budget that the program gives a search.
const BUDGET: usize = 20_000;
/// A signature check counts as ten steps, in addition to the one for the candidate.
const MOST_CHECKS: u64 = 2_000;

const ROOT: &str = "O=Acme/CN=Acme Root";

/// A leaf to find a path for, and the certificates to search.
struct Heap {
    what: &'static str,
    leaf: Arc<Certificate>,
    anchors: Vec<Anchor>,
    heap: Vec<Arc<Certificate>>,
}

impl Heap {
    /// Searches with everything at hand, and prints how long it took.
    fn search(&self) -> (Search, u64) {
        let pool = chains::known(&self.heap);
        let mut finder = PathFinder::new(BUDGET);
        let start = Instant::now();
        let search = finder.find(&self.leaf, Purpose::Server, &self.anchors, &[&pool]);
        let (time, checks) = (start.elapsed(), finder.signature_checks());
        let (count, hit) = (self.heap.len(), if search.left_out.is_some() { ", budget hit" } else { "" });
        println!(
            "{:52} {count:6} certificates {checks:6} signatures {:10.2} ms  {:?}{hit}",
            self.what,
            time.as_secs_f64() * 1e3,
            search.path.end
        );
        assert!(checks <= MOST_CHECKS, "{}: {checks} signatures", self.what);
        (search, checks)
    }

    /// Asserts that a path to the anchor of this many certificates is found with no more signature checks than this.
    fn is_found(&self, length: usize, most_checks: u64) {
        let (search, checks) = self.search();
        assert_eq!((search.path.end, search.path.steps.len()), (PathEnd::Anchor, length), "{}", self.what);
        assert!(search.left_out.is_none() && checks <= most_checks, "{}: {checks} signatures", self.what);
    }

    /// Asserts that there is no path, and whether that is certain.
    fn is_not_found(&self, end: &PathEnd, sure: bool) {
        let (search, _) = self.search();
        assert_eq!((&search.path.end, search.left_out.is_some()), (end, !sure), "{}", self.what);
    }
}

/// `count` CA certificates of one name, each with a key of its own and issued by the root; one in the middle issued the
/// leaf.
fn namesakes(what: &'static str, count: u64, aki: Aki<'_>) -> Heap {
    let root_key = Key::new(0);
    let keys: Vec<Key> = (1..=count).map(Key::new).collect();
    let leaf = Draft { aki, ..Draft::leaf(&root_key, "CN=Same", &keys[keys.len() / 2]) }.make();
    let heap = keys.iter().map(|key| Draft::ca("CN=Same", key, ROOT, &root_key).make()).collect();
    Heap { what, leaf, anchors: vec![chains::anchor(&Draft::root(ROOT, &root_key).make())], heap }
}

/// More namesakes than the budget allows.
static TOO_MANY: LazyLock<Heap> = LazyLock::new(|| namesakes("4,000 namesakes, no key id", 4_000, Aki::Absent));

#[test]
fn a_thousand_namesakes() {
    namesakes("1,000 namesakes, key id", 1_000, Aki::KeyId).is_found(3, 2);
    let blind = namesakes("1,000 namesakes, no key id", 1_000, Aki::Absent);
    blind.is_found(3, 1_001);

    // Without the right one there is no path, and that is certain.
    let signer = blind.search().0.path.steps[1].certificate.clone().unwrap();
    let heap = blind.heap.iter().filter(|c| c.sha256() != signer.sha256()).cloned().collect();
    let (leaf, anchors) = (Arc::clone(&blind.leaf), blind.anchors.clone());
    let without = Heap { what: "1,000 namesakes, the right one taken out", leaf, anchors, heap };
    without.is_not_found(&PathEnd::IssuerUnknown, true);

    // The report says that the search was cut short, and the budget holds.
    TOO_MANY.is_not_found(&PathEnd::IssuerUnknown, false);
}

/// Certificates of one name, each with its key vouched for by the next: a chain may go through all of them.
#[test]
fn one_name_all_the_way_up() {
    let keys: Vec<Key> = (0..1_000).map(Key::new).collect();
    let by =
        |(pair, aki): (&[Key], Aki<'_>)| Draft { aki, ..Draft::ca("CN=Same", &pair[0], "CN=Same", &pair[1]) }.make();
    for (what, aki, end) in [
        ("1,000 links of one name, key id", Aki::KeyId, PathEnd::IssuerUnknown),
        ("1,000 links of one name, no key id", Aki::Absent, PathEnd::IssuerUnknown),
    ] {
        let heap = keys.windows(2).map(|pair| by((pair, aki))).collect();
        let leaf = Draft { aki, ..Draft::leaf(&keys[0], "CN=Same", &keys[0]) }.make();
        let heap = Heap { what, leaf, anchors: Vec::new(), heap };
        let (search, _) = heap.search();
        assert_eq!(search.path.end, end, "{what}");
        assert!(search.left_out.is_some(), "{what}");
    }
}

/// The CA certificates of a mesh: every CA is vouched for by every other one.
fn mesh(names: &[String], keys: &[Key]) -> Vec<Arc<Certificate>> {
    let pairs = (0..names.len()).flat_map(|a| (0..names.len()).map(move |b| (a, b))).filter(|(a, b)| a != b);
    pairs.map(|(a, b)| Draft::ca(&names[a], &keys[a], &names[b], &keys[b]).make()).collect()
}

#[test]
fn a_complete_mesh() {
    let names: Vec<String> = (0..30).map(|at| format!("O=Mesh/CN=CA {at}")).collect();
    let keys: Vec<Key> = (0..31).map(Key::new).collect();
    let heap = mesh(&names, &keys);
    assert_eq!(heap.len(), 870);
    let leaf = Draft::leaf(&keys[30], &names[0], &keys[0]).make();
    let with = |what, anchors: Vec<Anchor>, more: Option<Arc<Certificate>>| Heap {
        what,
        leaf: Arc::clone(&leaf),
        anchors,
        heap: heap.iter().cloned().chain(more).collect(),
    };
    // One of the CAs is an anchor.
    let member = chains::anchor(&Draft::root(&names[29], &keys[29]).make());
    with("mesh of 30, one is the anchor", vec![member], None).is_found(3, 60);

    // A root above one of them.
    let root = Draft::root(ROOT, &keys[30]).make();
    let bridge = Draft::ca(&names[17], &keys[17], ROOT, &keys[30]).make();
    with("mesh of 30, root above one", vec![chains::anchor(&root)], Some(bridge)).is_found(4, 1_000);

    // No way out: CAs that only vouch for each other. The mesh is not searched to the end.
    let strange = chains::anchor(&Draft::root("CN=Stranger", &Key::new(99)).make());
    with("mesh of 30, no way out", vec![strange], None).is_not_found(&PathEnd::Loop, false);
}

#[test]
fn loops() {
    let keys: Vec<Key> = (0..4).map(Key::new).collect();
    let names = ["CN=A".to_owned(), "CN=B".to_owned(), "CN=C".to_owned()];
    let ring: Vec<_> =
        (0..3).map(|a| Draft::ca(&names[a], &keys[a], &names[(a + 1) % 3], &keys[(a + 1) % 3]).make()).collect();
    let leaf = Draft::leaf(&keys[3], &names[0], &keys[0]).make();
    let (what, anchors) = ("a ring of three", Vec::new());
    Heap { what, leaf: Arc::clone(&leaf), anchors, heap: ring.clone() }.is_not_found(&PathEnd::Loop, true);

    // Nobody can tell which of them would be the root, so nothing is reported as missing.
    let sent = [&[Arc::clone(&leaf)], &ring[..]].concat();
    let none = Pool::default();
    let case = Case {
        sent: &sent,
        purpose: Purpose::Server,
        held: &[],
        anchors: &[],
        known: &none,
        verifier: &Verifier::default(),
    };
    let told = judge(&mut PathFinder::new(BUDGET), &case);
    assert_eq!((told.status, told.proof), (ChainStatus::Undetermined, Some(Proof::Undecidable)));
    assert!(told.missing.is_empty() && !told.budget_hit);

    // One of them is the anchor.
    let anchors = vec![chains::anchor(&Draft::root(&names[2], &keys[2]).make())];
    Heap { what: "a ring with an anchor", leaf, anchors, heap: ring }.is_found(4, 10);
}

#[test]
fn long_chains() {
    for (what, length, budget_hit) in [("a chain of 60", 60, false), ("a chain of 3,000", 3_000, true)] {
        let keys: Vec<Key> = (0..length).map(Key::new).collect();
        let name = |at: u64| format!("O=Tower/CN=Floor {at}");
        let names: Vec<String> = (0..length).map(name).collect();
        let between = keys.len() - 1;
        let heap: Vec<_> =
            (1..between).map(|at| Draft::ca(&names[at], &keys[at], &names[at + 1], &keys[at + 1]).make()).collect();
        let leaf = Draft::leaf(&keys[0], &names[1], &keys[1]).make();
        let anchors = vec![chains::anchor(&Draft::root(&names[between], &keys[between]).make())];
        let heap = Heap { what, leaf, anchors, heap };
        if budget_hit {
            heap.is_not_found(&PathEnd::IssuerUnknown, false);
        } else {
            heap.is_found(keys.len(), length);
        }
    }
}

#[test]
fn a_large_bundle_of_others() {
    let root_key = Key::new(0);
    let unrelated = (10..4_010).map(|number| {
        let (key, subject) = (Key::new(number), format!("O=Other {number}/CN=CA"));
        Draft::ca(&subject, &key, "O=Other/CN=Other Root", &root_key).make()
    });
    let mut heap: Vec<_> = unrelated.collect();
    let (ca_key, leaf_key) = (Key::new(1), Key::new(2));
    let ca = Draft::ca("O=Acme/CN=Issuing", &ca_key, ROOT, &root_key).make();
    let leaf = Draft::leaf(&leaf_key, "O=Acme/CN=Issuing", &ca_key).make();
    let anchors = vec![chains::anchor(&Draft::root(ROOT, &root_key).make())];
    let (what, others) = ("4,000 unrelated, the issuer not among them", heap.clone());
    let without = Heap { what, leaf: Arc::clone(&leaf), anchors: anchors.clone(), heap: others };
    without.is_not_found(&PathEnd::IssuerUnknown, true);
    heap.push(ca);
    Heap { what: "4,000 unrelated, the issuer among them", leaf, anchors, heap }.is_found(3, 2);
}

/// A certificate for many hosts below a CA that may not vouch for many others.
#[test]
fn long_lists_of_names() {
    let keys: Vec<Key> = (0..3).map(Key::new).collect();
    let anchors = vec![chains::anchor(&Draft::root(ROOT, &keys[0]).make())];
    for (what, count, is_found) in
        [("200 hosts, 200 that may not be", 200_u32, true), ("4,000 hosts, 4,000 that may not be", 4_000, false)]
    {
        let hosts: Vec<String> = (0..count).map(|at| format!("h{at}.example.com")).collect();
        let excluded: Vec<String> = (0..count).map(|at| format!("h{at}.example.net")).collect();
        let ca = Draft { excluded: &excluded, ..Draft::ca("CN=CA", &keys[1], ROOT, &keys[0]) }.make();
        let leaf = Draft { hosts: &hosts, ..Draft::leaf(&keys[2], "CN=CA", &keys[1]) }.make();
        let heap = Heap { what, leaf, anchors: anchors.clone(), heap: vec![ca] };
        if is_found {
            heap.is_found(3, 2);
        } else {
            heap.is_not_found(&PathEnd::IssuerUnknown, false);
        }
    }
}

/// Neither the answer nor its counts depend on earlier searches.
#[test]
fn answers_do_not_hang_on_the_order_of_questions() {
    let many = &*TOO_MANY;
    let pool = chains::known(&many.heap);
    let mut finder = PathFinder::new(BUDGET);
    for _ in 0..3 {
        let search = finder.find(&many.leaf, Purpose::Server, &many.anchors, &[&pool]);
        assert!(search.left_out.is_some() && search.path.end == PathEnd::IssuerUnknown);
        assert!(finder.signature_checks() <= MOST_CHECKS);
    }
}

#[test]
fn what_costly_searches_took_leaves_enough_for_an_ordinary_one() {
    let (costly, ordinary) = (namesakes("200 namesakes", 200, Aki::Absent), namesakes("20 namesakes", 20, Aki::KeyId));
    let mut finder = PathFinder::new(600);
    let mut search = |heap: &Heap| {
        let pool = chains::known(&heap.heap);
        finder.find(&heap.leaf, Purpose::Server, &heap.anchors, &[&pool])
    };
    // A hundred of them use up the budget that all share.
    assert!((0..101).all(|_| search(&costly).left_out.is_some()));
    let last = search(&ordinary);
    assert!(last.path.end == PathEnd::Anchor && last.left_out.is_none());
}

/// If the search for what the device itself could build is cut short, nothing is claimed about it.
#[test]
fn a_search_cut_short_decides_nothing() {
    let many = &*TOO_MANY;
    let sent = [&[Arc::clone(&many.leaf)], &many.heap[..]].concat();
    let none = Pool::default();
    let case = Case {
        sent: &sent,
        purpose: Purpose::Server,
        held: &[],
        anchors: &many.anchors,
        known: &none,
        verifier: &Verifier::default(),
    };
    let told = judge(&mut PathFinder::new(BUDGET), &case);
    assert!(told.budget_hit);
    assert_eq!((told.status, told.proof), (ChainStatus::Undetermined, Some(Proof::Undecidable)));

    // The heap is only known: the device had none of it, but which of them it would have needed is not certain.
    let pool = chains::known(&many.heap);
    let (sent, held) = ([Arc::clone(&many.leaf)], [(Arc::clone(&many.leaf), StepFrom::Fetched)]);
    let case = Case {
        sent: &sent,
        purpose: Purpose::Server,
        held: &held,
        anchors: &many.anchors,
        known: &pool,
        verifier: &Verifier::default(),
    };
    let told = judge(&mut PathFinder::new(BUDGET), &case);
    assert!(told.budget_hit && told.proof != Some(Proof::Proven), "{:?} {:?}", told.status, told.proof);
}

#[test]
fn handshakes_of_one_chain_cost_one_search() {
    let bytes = std::fs::read("captures/usb-full-chain.pcapng").unwrap();
    let searches = |times: usize| {
        let analyzer = chaingap::Analyzer::builder().build().unwrap();
        let mut investigation = analyzer.investigate();
        for time in 0..times {
            investigation.read(another_handshake(&bytes, time).as_slice(), "usb-full-chain.pcapng").unwrap();
        }
        let statistics = investigation.report().statistics;
        (statistics.handshakes, statistics.path_searches)
    };
    let (once, twenty) = (searches(1), searches(20));
    assert_eq!(twenty.0, 20 * once.0, "each time its handshakes are there");
    assert_eq!(twenty.1, once.1, "and the chain is judged once");
}

/// The recording with another random value in its ClientHello, because the same one again would be one handshake at two
/// taps.
fn another_handshake(bytes: &[u8], which: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    // A record of TLS 1.0 at most with a ClientHello; its random value follows the version, RFC 5246 section 7.4.1.2.
    let is_hello = |window: &[u8]| matches!(window, [22, 3, _, _, _, 1, 0, _, _, 3, _]);
    let hello = bytes.windows(11).position(is_hello).unwrap();
    bytes[hello + 11 + 31] ^= u8::try_from(which).unwrap();
    bytes
}
