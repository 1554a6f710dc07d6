//! In: valid chains with intermediates: those of `tests/data/paths`, chains made on the spot whose names and key
//! identifiers tell more or less of what is above, and those of NIST's PKITS where `CHAINGAP_PKITS` names its folder.
//! Out: failed tests where one certificate is taken out, or another put in its place, and the judgement is not the one
//! that follows. Bounded: some hundred chains. Left to others: dates, names, and what a whole diagnosis makes of it.
//!
//! What is expected is worked out here, from what was done to the chain and from the rules for an unknown issuer: its
//! own issuer as the authority key identifier names it; else its organization, or where it has none its domain
//! components, being an anchor's, or its name saying root; else that the server sent intermediates up to it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path as FilePath;
use std::sync::Arc;

use chaingap::trust::{Anchor, Case, ChainStatus, Judgement, PathFinder, Pool, Proof, Purpose, Verifier, judge};
use chaingap::x509::{Certificate, Name};
use support::chains::{self, Aki, Draft, Key};
use support::tell;

type Chain = Vec<Arc<Certificate>>;

#[test]
fn stored_chains() {
    let sound: Vec<_> = chains::sound_chains().into_iter().filter(|chain| chain.certificates.len() > 2).collect();
    assert_eq!(sound.len(), 48, "three lengths of sixteen sets");
    let stored = chains::stored();
    let stranger = chains::anchor(&stored["stranger/root"]);
    // Certificates of all other sets are at hand as noise.
    let others = |set: &str| {
        let other = stored.iter().filter(|(label, _)| label.split('/').next() != Some(set));
        chains::known(other.map(|(_, certificate)| certificate))
    };
    let mut table = Table::default();
    for chain in &sound {
        let set = chain.name.split('/').next().unwrap();
        let bench = Bench::new(chain.name, chain.certificates.clone(), stranger.clone(), others(set));
        bench.knock_out(&mut table);
        bench.remove_root(&mut table);
        for number in 1..chain.certificates.len() - 1 {
            // The CA certificates are numbered from the root downwards.
            if let Some(other) =
                stored.get(format!("{set}/ca{}-wrongkey", chain.certificates.len() - 1 - number).as_str())
            {
                bench.replace(number, other, &mut table);
            }
        }
    }
    table.conclude("stored chains");
}

#[test]
fn chains_made_on_the_spot() {
    let stranger_key = Key::new(0);
    let stranger = Draft::root("O=Stranger/CN=Stranger Root", &stranger_key).make();
    let noise = [
        Draft::ca("O=Stranger/CN=Issuing 1", &Key::new(1), "O=Stranger/CN=Stranger Root", &stranger_key).make(),
        // Namesakes with other keys.
        Draft::ca("CN=Lone 1", &Key::new(2), "O=Stranger/CN=Stranger Root", &stranger_key).make(),
        Draft::ca("O=Branch/CN=Issuing 1", &Key::new(3), "O=Stranger/CN=Stranger Root", &stranger_key).make(),
    ];
    let mut table = Table::default();
    let mut number = 100;
    // The root's name, and the start of the intermediates' names.
    let schemes = [
        ("one organization", "O=Acme/CN=Acme Root", "O=Acme/CN=Issuing"),
        ("no organization", "CN=Lone Trust", "CN=Lone"),
        ("a root that says so", "CN=Lone Root CA", "CN=Lone"),
        ("domain components", "DC=test/DC=acme/CN=Acme Trust", "DC=test/DC=acme/CN=Issuing"),
        ("another organization", "O=Acme/CN=Acme Trust", "O=Branch/CN=Issuing"),
        ("names that contradict", "O=Acme/CN=Acme Trust", "O=Acme/CN=Sub Root"),
    ];
    for (scheme, root, prefix) in schemes {
        for style in ["none", "key id", "issuer and serial"] {
            for length in 3..=5 {
                number += 10;
                let made = Made::new(root, prefix, style, length, number);
                let name = format!("{scheme}, {style}, {length}");
                let bench = Bench::new(&name, made.chain.clone(), chains::anchor(&stranger), chains::known(&noise));
                bench.knock_out(&mut table);
                bench.remove_root(&mut table);
                for at in 1..length - 1 {
                    bench.replace(at, &made.namesake(at), &mut table);
                }
            }
        }
    }
    table.conclude("chains made on the spot");
}

#[test]
fn pkits() {
    let Some(folder) = std::env::var_os("CHAINGAP_PKITS") else {
        return tell("SKIPPED: knock-outs over PKITS; set CHAINGAP_PKITS to its folder");
    };
    let folder = FilePath::new(&folder);
    let index = std::fs::read_to_string(folder.join("pkits.json")).unwrap();
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    let read = |name: &str| {
        let der = std::fs::read(folder.join("certs").join(format!("{name}.crt"))).unwrap();
        Arc::new(Certificate::from_der(&der))
    };
    let stored = chains::stored();
    let stranger = chains::anchor(&stored["stranger/root"]);
    let mut table = Table::default();
    let mut taken = 0;
    for test in index["tests"].as_array().unwrap().iter().filter(|test| test["valid"] == true) {
        let names: Vec<String> = serde_json::from_value(test["certs"].clone()).unwrap();
        let chain: Chain = names.iter().rev().map(|name| read(name)).collect();
        let number = test["number"].as_str().unwrap();
        // DSA is not supported; tests of revocation lists name certificates that are not on the path.
        let about_lists = ["4.4.", "4.14.", "4.15."].iter().any(|section| number.starts_with(section));
        if chain.len() < 3 || about_lists || matches!(number, "4.1.4" | "4.1.5") {
            continue;
        }
        taken += 1;
        let bench = Bench::new(number, chain, stranger.clone(), Pool::default());
        bench.knock_out(&mut table);
        bench.remove_root(&mut table);
    }
    assert!(taken > 50, "{taken} chains");
    table.conclude("PKITS");
}

/// A chain made on the spot, and what is needed to make another certificate of the same name for it.
struct Made {
    chain: Chain,
    /// Leaf first, root last.
    subjects: Vec<String>,
    keys: Vec<Key>,
    other: Key,
}

impl Made {
    fn new(root: &str, prefix: &str, style: &str, length: usize, number: u64) -> Self {
        let mut subjects = vec!["CN=server.example.com".to_owned()];
        subjects.extend((1..length - 1).map(|at| format!("{prefix} {at}")));
        subjects.push(root.to_owned());
        let keys: Vec<Key> = (number..).take(length).map(Key::new).collect();
        let above = |at: usize| (at + 1).min(length - 1);
        let certificate = |at: usize| {
            let issuer = above(at);
            let aki = match style {
                "none" => Aki::Absent,
                "key id" => Aki::KeyId,
                _ => Aki::Issuer(&subjects[above(issuer)]),
            };
            let made = Draft::ca(&subjects[at], &keys[at], &subjects[issuer], &keys[issuer]);
            Draft { ca: at > 0, aki, ..made }.make()
        };
        let chain = (0..length).map(certificate).collect();
        Self { chain, keys, other: Key::new(number + 9), subjects }
    }

    /// The certificate at this place with another key.
    fn namesake(&self, at: usize) -> Arc<Certificate> {
        Draft::ca(&self.subjects[at], &self.other, &self.subjects[at + 1], &self.keys[at + 1]).make()
    }
}

/// A valid chain, leaf first and root last, and what surrounds it.
struct Bench<'a> {
    name: &'a str,
    chain: Chain,
    root: Anchor,
    stranger: Anchor,
    /// Certificates that do not belong to it.
    noise: Pool,
}

impl<'a> Bench<'a> {
    fn new(name: &'a str, chain: Chain, stranger: Anchor, noise: Pool) -> Self {
        let root = chains::anchor(chain.last().unwrap());
        let bench = Self { name, chain, root, stranger, noise };
        let whole = bench.judge(bench.without_root(), &bench.root, &bench.noise);
        assert_eq!((whole.status, whole.proof), (ChainStatus::Trusted, Some(Proof::Proven)), "{name}");
        bench
    }

    fn without_root(&self) -> &[Arc<Certificate>] {
        &self.chain[..self.chain.len() - 1]
    }

    fn judge(&self, sent: &[Arc<Certificate>], anchor: &Anchor, known: &Pool) -> Judgement {
        let anchors = [anchor.clone()];
        let case = Case {
            sent,
            purpose: Purpose::Server,
            held: &[],
            anchors: &anchors,
            known,
            verifier: &Verifier::default(),
        };
        let judgement = judge(&mut PathFinder::new(20_000), &case);
        assert!(!judgement.budget_hit, "{}", self.name);
        judgement
    }

    /// Takes each intermediate out of what the server sends, then all of them.
    fn knock_out(&self, table: &mut Table) {
        let without = |out: &[usize]| -> Chain {
            let kept = self.without_root().iter().enumerate().filter(|(at, _)| !out.contains(at));
            kept.map(|(_, certificate)| Arc::clone(certificate)).collect()
        };
        let trusted = |sent: &[_]| self.judge(sent, &self.root, &self.noise).status == ChainStatus::Trusted;
        let (spare, needed): (Vec<_>, Vec<_>) = (1..self.chain.len() - 1).partition(|at| trusted(&without(&[*at])));
        // Only a CA's new key, certified by its old one, can be spared: the old one made the signature below.
        assert!(spare.iter().all(|at| self.chain[*at].is_self_issued()), "{} without {spare:?}", self.name);
        let known = chains::known(&self.chain);
        let every: Vec<usize> = (1..self.chain.len() - 1).collect();
        let each = needed.iter().map(|at| vec![*at]).chain((needed.len() > 1).then_some(every));
        for out in each {
            let sent = without(&out);
            let absent: Chain = needed.iter().filter(|at| out.contains(at)).map(|at| self.chain[*at].clone()).collect();
            let told = self.judge(&sent, &self.root, &known);
            let what = format!("{}: {out:?} taken out, known", self.name);
            let right = told.proof == Some(Proof::Proven) && names(&told, &absent);
            table.note(&what, "missing-intermediate, known", ChainStatus::MissingIntermediate, &told, right);

            let told = self.judge(&sent, &self.root, &self.noise);
            let lowest = absent.first().map(|lowest| self.place(lowest)).unwrap();
            let under: Vec<usize> = needed.iter().copied().filter(|at| *at < lowest).collect();
            let below = &self.chain[under.last().copied().unwrap_or(0)];
            let what = format!("{}: {out:?} taken out, unknown", self.name);
            // Another key of the same CA.
            let beside = sent.iter().skip(1).filter(|certificate| !under.contains(&self.place(certificate)));
            let namesake = beside.into_iter().find(|certificate| certificate.subject() == below.issuer());
            if let Some(namesake) = namesake {
                let right = told.key_mismatch.as_ref().map(|c| c.sha256()) == Some(namesake.sha256());
                table.note(&what, "another key of the CA is left", ChainStatus::Invalid, &told, right);
            } else {
                let expected = expected(below, &self.root, under.len());
                let right = self.unknown_is_told(&told, below);
                table.note(&what, "missing-intermediate, unknown", expected, &told, right);
            }
        }
    }

    /// The place of a certificate in the chain.
    fn place(&self, certificate: &Certificate) -> usize {
        self.chain.iter().position(|known| known.sha256() == certificate.sha256()).unwrap()
    }

    /// Judges the chain for a device that does not have the root.
    fn remove_root(&self, table: &mut Table) {
        let nothing = Pool::default();
        let known = chains::known(&self.chain);
        for (how, sent, known) in [("sent", &self.chain[..], &nothing), ("known", self.without_root(), &known)] {
            let told = self.judge(sent, &self.stranger, known);
            let what = format!("{}: root {how}, no anchor", self.name);
            let right = told.proof == Some(Proof::Proven) && told.missing.is_empty();
            table.note(&what, "untrusted-root, known", ChainStatus::UntrustedRoot, &told, right);
        }
        let told = self.judge(self.without_root(), &self.stranger, &self.noise);
        let below = &self.chain[self.chain.len() - 2];
        let expected = expected(below, &self.stranger, self.chain.len() - 2);
        let what = format!("{}: root unknown, no anchor", self.name);
        table.note(&what, "untrusted-root, unknown", expected, &told, self.unknown_is_told(&told, below));

        // Both are missing: the link is named, but what is above it would not be trusted either.
        let told = self.judge(&self.chain[..1], &self.stranger, &known);
        let absent: Chain = told.missing.iter().filter_map(|link| link.candidates.first().cloned()).collect();
        // The whole chain, except for what it can do without.
        let left_out = self.without_root()[1..].iter().filter(|c| !absent.iter().any(|a| a.sha256() == c.sha256()));
        let right = told.proof == Some(Proof::Inferred)
            && told.root_untrusted_too
            && names(&told, &absent)
            && left_out.into_iter().all(|c| c.is_self_issued());
        let what = format!("{}: leaf alone, no anchor", self.name);
        table.note(&what, "missing-intermediate and untrusted-root", ChainStatus::MissingIntermediate, &told, right);
    }

    /// Puts another certificate of the same name in place of an intermediate.
    fn replace(&self, at: usize, other: &Arc<Certificate>, table: &mut Table) {
        let mut sent = self.without_root().to_vec();
        sent[at] = Arc::clone(other);
        let culprit = |told: &Judgement| told.key_mismatch.as_ref().map(|c| c.sha256()) == Some(other.sha256());
        let told = self.judge(&sent, &self.root, &self.noise);
        let what = format!("{}: {at} replaced", self.name);
        table.note(
            &what,
            "issuer-key-mismatch",
            ChainStatus::Invalid,
            &told,
            culprit(&told) && told.missing.is_empty(),
        );

        // The certificate that it replaces is known: that is what the device lacks, and the mismatch is still reported.
        let told = self.judge(&sent, &self.root, &chains::known(&self.chain));
        let right = culprit(&told) && names(&told, &self.chain[at..=at]) && told.proof == Some(Proof::Proven);
        let what = format!("{}: {at} replaced, known", self.name);
        table.note(&what, "issuer-key-mismatch, known", ChainStatus::MissingIntermediate, &told, right);
    }

    /// Whether the proof and the link named fit the status, where the issuer of `below` is not known.
    fn unknown_is_told(&self, told: &Judgement, below: &Arc<Certificate>) -> bool {
        let proof = match told.status {
            ChainStatus::Undetermined => Proof::Undecidable,
            _ => Proof::Inferred,
        };
        let named = match told.missing.as_slice() {
            [] => told.status == ChainStatus::UntrustedRoot,
            [link] => {
                let key_id = |c: &Certificate| c.authority_key_id().and_then(|aki| aki.key_id.clone());
                link.candidates.is_empty()
                    && link.subject == *below.issuer()
                    && key_id(&link.below) == key_id(below)
                    && told.status != ChainStatus::UntrustedRoot
            }
            _ => false,
        };
        told.proof == Some(proof) && named && told.key_mismatch.is_none()
    }
}

/// Whether exactly these certificates are reported as missing, by subject and key, lowest first.
fn names(told: &Judgement, absent: &[Arc<Certificate>]) -> bool {
    told.missing.len() == absent.len()
        && told.missing.iter().zip(absent).all(|(link, absent)| {
            link.subject == *absent.subject()
                && link.candidates.iter().any(|candidate| candidate.sha256() == absent.sha256())
                && link.candidates.iter().all(|candidate| candidate.public_key() == absent.public_key())
        })
}

/// The status to expect where the issuer of `below` is not known, and the server sent so many intermediates up to it.
fn expected(below: &Certificate, anchor: &Anchor, sent_above_leaf: usize) -> ChainStatus {
    let issuer = below.issuer();
    if let Some(named) = below.authority_key_id().and_then(|aki| aki.issuer.as_ref()) {
        return if named == issuer { ChainStatus::UntrustedRoot } else { ChainStatus::MissingIntermediate };
    }
    let domain = |name: &Name| name.domain_components();
    let fold = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    let related = match issuer.organization() {
        Some(organization) => anchor.subject.organization().map(fold) == Some(fold(organization)),
        None => !domain(issuer).is_empty() && domain(issuer) == domain(&anchor.subject),
    };
    let says_root = issuer.common_name().is_some_and(|name| name.split(' ').any(|word| word == "Root"));
    match (related, says_root) {
        (true, true) => ChainStatus::Undetermined,
        (true, false) => ChainStatus::MissingIntermediate,
        (false, true) => ChainStatus::UntrustedRoot,
        (false, false) if sent_above_leaf > 0 => ChainStatus::UntrustedRoot,
        (false, false) => ChainStatus::Undetermined,
    }
}

/// How often each status was right, was reported, and both, with the details right as well.
#[derive(Default)]
struct Table {
    kinds: BTreeMap<(String, &'static str), usize>,
    statuses: BTreeMap<&'static str, [usize; 3]>,
    wrong: Vec<String>,
}

impl Table {
    fn note(&mut self, what: &str, kind: &str, expected: ChainStatus, told: &Judgement, details_right: bool) {
        *self.kinds.entry((kind.to_owned(), expected.as_str())).or_default() += 1;
        self.statuses.entry(expected.as_str()).or_default()[0] += 1;
        let counts = self.statuses.entry(told.status.as_str()).or_default();
        counts[1] += 1;
        if told.status == expected && details_right {
            counts[2] += 1;
        } else {
            let missing: Vec<_> = told.missing.iter().map(|link| link.subject.short()).collect();
            let (expected, status, proof) = (expected.as_str(), told.status.as_str(), told.proof);
            self.wrong.push(format!("{what}: {expected}, but {status}, {proof:?}, {missing:?}, {:?}", told.fault));
        }
    }

    fn conclude(&self, title: &str) {
        let mut text = format!("\n{title}\n");
        for ((kind, expected), count) in &self.kinds {
            let _ = writeln!(text, "  {count:5} {kind:42} {expected}");
        }
        let _ = writeln!(
            text,
            "  {:22} {:>8} {:>6} {:>6} {:>10} {:>7}",
            "status", "expected", "told", "right", "precision", "recall"
        );
        let percent = |part: usize, whole: usize| (part * 100).checked_div(whole).unwrap_or(0);
        for (status, [expected, told, right]) in &self.statuses {
            let (precision, recall) = (percent(*right, *told), percent(*right, *expected));
            let _ = writeln!(text, "  {status:22} {expected:8} {told:6} {right:6} {precision:8} % {recall:5} %");
        }
        println!("{text}");
        assert!(self.wrong.is_empty(), "{text}{} wrong:\n{}", self.wrong.len(), self.wrong.join("\n"));
        assert!(self.statuses.values().all(|[expected, told, right]| expected == told && told == right));
    }
}
