//! In: the chains of `tests/data/paths`, with certificates of other chains strewn in and in any order, and small heaps
//! of CAs that vouch for each other at random. Out: failed tests where a judgement depends on what does not belong to
//! the chain or on an order, or where rustls-webpki refuses a path that is accepted here. Bounded: some hundred
//! judgements. Left to others: what the judgement should be.
//!
//! rustls-webpki searches and judges paths on its own, but signatures are checked for it by this crate: OpenSSL's
//! stored answers are what those are held against.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chaingap::trust::{Anchor, Case, Judgement, Path, PathEnd, PathFinder, Pool, Purpose, StepFrom, Verifier, judge};
use chaingap::x509::{Certificate, Digest, PublicKey, SignatureAlgorithm, SignatureCheck, verify};
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, UnixTime,
};
use rustls_pki_types::{TrustAnchor, alg_id};
use support::chains::{self, Draft, Key};

type Stored = BTreeMap<&'static str, Arc<Certificate>>;

static STORED: LazyLock<Stored> = LazyLock::new(chains::stored);
static SOUND: LazyLock<Vec<chains::Chain>> = LazyLock::new(chains::sound_chains);

const BUDGET: usize = 20_000;

/// One of the stored chains, rearranged and mixed with others.
#[derive(Clone, Debug)]
struct Scene {
    sent: Vec<Arc<Certificate>>,
    anchors: Vec<Anchor>,
    /// What is known of the chain itself.
    known: Vec<Arc<Certificate>>,
    /// Certificates that do not belong to it, namesakes with other keys among them.
    strangers: Vec<Arc<Certificate>>,
}

impl Scene {
    fn judge(&self, known: &[Arc<Certificate>]) -> Told {
        let known = chains::known(known);
        let case = Case {
            sent: &self.sent,
            purpose: Purpose::Server,
            held: &[],
            anchors: &self.anchors,
            known: &known,
            verifier: &Verifier::default(),
        };
        Told::of(&judge(&mut PathFinder::new(BUDGET), &case))
    }
}

/// All that a judgement says.
#[derive(Debug, PartialEq, Eq)]
struct Told(String, Vec<Digest>, Vec<Digest>, Vec<(String, Vec<Digest>)>);

impl Told {
    fn of(judgement: &Judgement) -> Self {
        let digests = |path: &Option<Path>| -> Vec<Digest> {
            path.iter().flat_map(Path::certificates).map(|certificate| certificate.sha256()).collect()
        };
        let sha256 = |certificate: &Arc<Certificate>| certificate.sha256();
        let missing = judgement.missing.iter();
        let words = format!(
            "{:?} {:?} {:?} {:?} {:?} {} {}",
            judgement.status,
            judgement.proof,
            judgement.discriminators,
            judgement.key_mismatch.as_ref().map(sha256),
            judgement.fault.as_ref().map(|(culprit, fault)| (culprit.sha256(), fault)),
            judgement.root_untrusted_too,
            judgement.budget_hit,
        );
        let links = missing.map(|link| (link.subject.to_string(), link.candidates.iter().map(sha256).collect()));
        Self(words, digests(&judgement.path), digests(&judgement.completed), links.collect())
    }
}

/// Any of the stored chains; what is sent of it, in any order after the leaf; whether its root is an anchor; what is
/// known of it; and some of the certificates of others.
fn scene() -> impl Strategy<Value = Scene> {
    let picked = (any::<Index>(), any::<bool>(), any::<bool>());
    picked.prop_flat_map(|(chain, has_anchor, knows_all)| {
        let chain = chain.get(&SOUND);
        let set = chain.name.split('/').next().unwrap();
        let (leaf, above) = chain.certificates.split_first().unwrap();
        let (leaf, above) = (Arc::clone(leaf), above.to_vec());
        let root = if has_anchor { above.last().unwrap() } else { &STORED["stranger/root"] };
        let anchors = vec![chains::anchor(root)];
        let known = if knows_all { above.clone() } else { Vec::new() };
        // Namesakes with other keys are always among them, because they come closest.
        let is_own = |label: &str| label.starts_with(&format!("{set}/"));
        let (own, others): (Vec<_>, Vec<_>) = STORED.iter().partition(|(label, _)| is_own(label));
        let namesakes = own.into_iter().filter(|(label, _)| label.ends_with("-wrongkey"));
        let namesakes: Vec<_> = namesakes.map(|(_, certificate)| Arc::clone(certificate)).collect();
        let others: Vec<_> = others.into_iter().map(|(_, certificate)| Arc::clone(certificate)).collect();
        let sent = subsequence(above.clone(), 0..=above.len()).prop_shuffle();
        (sent, subsequence(others, 0..=60).prop_shuffle()).prop_map(move |(sent, others)| Scene {
            sent: [vec![Arc::clone(&leaf)], sent].concat(),
            anchors: anchors.clone(),
            known: known.clone(),
            strangers: [&namesakes[..], &others].concat(),
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn certificates_of_other_chains_change_nothing(scene in scene()) {
        let all = [&scene.known[..], &scene.strangers].concat();
        prop_assert_eq!(scene.judge(&scene.known), scene.judge(&all));
    }

    #[test]
    fn the_order_changes_nothing(scene in scene(), cut in any::<Index>()) {
        let all = [&scene.known[..], &scene.strangers].concat();
        let told = scene.judge(&all);
        let mut other = scene.clone();
        let (front, back) = all.split_at(cut.index(all.len() + 1));
        let turned = [back, front].concat();
        other.sent[1..].reverse();
        prop_assert_eq!(&told, &other.judge(&turned));
        let reversed: Vec<_> = all.iter().rev().cloned().collect();
        prop_assert_eq!(&told, &other.judge(&reversed));
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn webpki_answers_alike_in_random_heaps(heap in heap()) {
        let (certificates, root) = heap.make();
        let anchors = [chains::anchor(&root)];
        let (leaf, others) = certificates.split_first().unwrap();
        let search = PathFinder::new(BUDGET).find(leaf, Purpose::Server, &anchors, &[&chains::known(others)]);
        let theirs = ask_webpki(leaf, &root, others, DATE);
        let accepted = search.path.end == PathEnd::Anchor;
        // Where ways were left out, a path may be missed, but not silently.
        let may_differ = search.left_out.is_some() && !accepted;
        prop_assert!(accepted == theirs.is_ok() || may_differ, "{:?} {:?}", search.path, theirs);
    }
}

/// Within the dates of the certificates made here.
const DATE: i64 = 1_700_000_000;

/// A handful of CAs, and which of them vouch for which.
#[derive(Clone, Debug)]
struct Heap {
    /// Issuer and subject, path length limit, a purpose, a constraint. 0 is the root.
    links: Vec<(usize, usize, Option<u8>, u8, bool)>,
    /// The CA that issued the leaf.
    issuer: usize,
}

const CAS: usize = 5;

fn heap() -> impl Strategy<Value = Heap> {
    // Most limits are absent.
    let link = (0..CAS, 1..CAS, prop::option::weighted(0.3, 0..3_u8), 0..8_u8, prop::bool::weighted(0.1));
    (prop::collection::vec(link, 1..14), 0..CAS).prop_map(|(links, issuer)| Heap { links, issuer })
}

impl Heap {
    /// The leaf and the CA certificates; and the root.
    fn make(&self) -> (Vec<Arc<Certificate>>, Arc<Certificate>) {
        let keys: Vec<Key> = (0..=CAS).map(|at| Key::new(u64::try_from(at).unwrap())).collect();
        let names: Vec<String> = (0..CAS).map(|at| format!("O=Heap/CN=CA {at}")).collect();
        let excluded = ["example.com".to_owned()];
        let mut certificates = vec![Draft::leaf(&keys[CAS], &names[self.issuer], &keys[self.issuer]).make()];
        for (serial, (issuer, subject, path_length, purpose, is_excluded)) in (2..).zip(&self.links) {
            let purposes: &[&str] = match purpose {
                0 => &["1.3.6.1.5.5.7.3.2"],
                1 => &["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"],
                _ => &[],
            };
            let excluded: &[String] = if *is_excluded { &excluded } else { &[] };
            let ca = Draft::ca(&names[*subject], &keys[*subject], &names[*issuer], &keys[*issuer]);
            certificates.push(Draft { path_length: *path_length, purposes, excluded, serial, ..ca }.make());
        }
        (certificates, Draft::root(&names[0], &keys[0]).make())
    }
}

/// Cases whose path is accepted here and refused by webpki, and why. An entry that webpki accepts fails the test.
const REFUSED_BY_WEBPKI: &[(&str, &str)] = &[
    ("p256/1-flipped-anchor", "webpki verifies the anchor's own certificate with its key where that is the leaf"),
    (
        "p256/3-anchor-name",
        "webpki applies name constraints of the anchor's certificate; RFC 5280 section 6.1.1 d does not",
    ),
    ("p256/3-any-purpose", "webpki does not know anyExtendedKeyUsage; RFC 5280 section 4.2.1.12 does"),
    ("p256/3-name-directory-in", "webpki accepts no directory name as within a constraint"),
    ("p256/3-name-email-in", NOT_JUDGED),
    ("p256/3-name-uri-in", NOT_JUDGED),
    ("p256/3-name-unknown-kind", NOT_JUDGED),
    ("p256/4-self-issued", "webpki counts self-issued certificates too; RFC 5280 section 4.2.1.9 does not"),
];

const NOT_JUDGED: &str = "webpki refuses names of a kind that is constrained and that it cannot judge";

/// Every case that is accepted here is accepted by webpki.
#[test]
fn what_is_taken_here_is_taken_by_webpki() {
    let mut refused = BTreeMap::new();
    let mut taken = 0;
    for line in include_str!("../data/paths/cases.txt").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let (name, leaf, root, bundle) = (fields[0], &STORED[fields[3]], &STORED[fields[4]], fields[5]);
        let others: Vec<_> = bundle.split(',').filter(|label| *label != "-").map(|l| Arc::clone(&STORED[l])).collect();
        let mut pool = Pool::default();
        others.iter().for_each(|certificate| pool.add(certificate, StepFrom::Sent));
        let path = PathFinder::new(BUDGET).find(leaf, Purpose::Server, &[chains::anchor(root)], &[&pool]).path;
        if path.end != PathEnd::Anchor {
            continue;
        }
        taken += 1;
        // A time at which all of the path is valid, where there is one: dates are not judged here.
        let latest = path.certificates().map(|c| c.not_before().seconds()).max().unwrap();
        if let Err(why) = ask_webpki(leaf, root, &others, latest + 1) {
            refused.insert(name, format!("{why:?}"));
        }
    }
    assert!(taken > 150, "{taken} cases");
    let known: BTreeSet<&str> = REFUSED_BY_WEBPKI.iter().map(|(name, _)| *name).collect();
    assert!(known.len() == REFUSED_BY_WEBPKI.len() && REFUSED_BY_WEBPKI.iter().all(|(_, why)| !why.is_empty()));
    let found: BTreeSet<&str> = refused.keys().copied().collect();
    assert_eq!(found, known, "left: refused by webpki; right: known to be\n{refused:#?}");
}

pub(super) fn ask_webpki(
    leaf: &Certificate,
    root: &Certificate,
    others: &[Arc<Certificate>],
    at: i64,
) -> Result<(), webpki::Error> {
    let root = CertificateDer::from(root.der());
    let anchors: [TrustAnchor<'_>; 1] = [webpki::anchor_from_trusted_cert(&root)?];
    let others: Vec<_> = others.iter().map(|certificate| CertificateDer::from(certificate.der())).collect();
    let der = CertificateDer::from(leaf.der());
    let leaf = webpki::EndEntityCert::try_from(&der)?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at).unwrap()));
    let algorithms: Vec<&dyn SignatureVerificationAlgorithm> = ALGORITHMS.iter().map(|it| it as _).collect();
    leaf.verify_for_usage(&algorithms, &anchors, &others, time, webpki::KeyUsage::server_auth(), None, None).map(drop)
}

/// A kind of key and what it signs with: the contents of two AlgorithmIdentifiers.
#[derive(Debug)]
struct Algorithm(AlgorithmIdentifier, AlgorithmIdentifier);

impl SignatureVerificationAlgorithm for Algorithm {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let spki = chains::sequence(&[chains::sequence(&[self.0.to_vec()]), chains::bits(key)]);
        let key = PublicKey::from_spki_der(&spki).ok_or(InvalidSignature)?;
        let algorithm = SignatureAlgorithm::from_der(&chains::sequence(&[self.1.to_vec()])).ok_or(InvalidSignature)?;
        match verify(&key, &algorithm, message, signature) {
            SignatureCheck::Valid => Ok(()),
            _ => Err(InvalidSignature),
        }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.0
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.1
    }
}

/// id-RSASSA-PSS without parameters, as a key has it.
const RSA_PSS: AlgorithmIdentifier = AlgorithmIdentifier::from_slice(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a");
/// md5WithRSAEncryption and sha1WithRSAEncryption, which webpki leaves to others.
const RSA_MD5: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04\x05\x00");
const RSA_SHA1: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00");

/// RSASSA-PSS as OpenSSL signs with a key that is only for it: one hash function throughout, the longest salt.
const PSS_SHA256: AlgorithmIdentifier = AlgorithmIdentifier::from_slice(
    b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x35\
      \xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\
      \xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\
      \x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\
      \xa2\x04\x02\x02\x00\xde",
);
const PSS_SHA384: AlgorithmIdentifier = AlgorithmIdentifier::from_slice(
    b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x35\
      \xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\
      \xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\
      \x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\
      \xa2\x04\x02\x02\x00\xce",
);

const ALGORITHMS: &[Algorithm] = &[
    Algorithm(alg_id::RSA_ENCRYPTION, RSA_MD5),
    Algorithm(alg_id::RSA_ENCRYPTION, RSA_SHA1),
    Algorithm(alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA256),
    Algorithm(alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA384),
    Algorithm(alg_id::RSA_ENCRYPTION, alg_id::RSA_PSS_SHA256),
    Algorithm(RSA_PSS, PSS_SHA256),
    Algorithm(RSA_PSS, PSS_SHA384),
    Algorithm(alg_id::ECDSA_P256, alg_id::ECDSA_SHA256),
    Algorithm(alg_id::ECDSA_P256, alg_id::ECDSA_SHA384),
    Algorithm(alg_id::ECDSA_P384, alg_id::ECDSA_SHA384),
    Algorithm(alg_id::ECDSA_P521, alg_id::ECDSA_SHA384),
    Algorithm(alg_id::ECDSA_P521, alg_id::ECDSA_SHA512),
    Algorithm(alg_id::ED25519, alg_id::ED25519),
];
