//! In: NIST's Public Key Interoperability Test Suite (PKITS 1.0.1), from the folder that `CHAINGAP_PKITS` names: the
//! certificates as `certs/*.crt` in DER, and `pkits.json` that says which of them make a test. Out: failed tests where
//! the path finder's answer is another than the suite's, with the CA certificates of one test and with those of all at
//! once, or where it finds another fault than the section is about. Bounded: 95 tests. Left out:
//! revocation and policies, which nothing here judges.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chaingap::capture::Timestamp;
use chaingap::trust::{Anchor, Fault, PathEnd, PathFinder, Pool, Purpose, StepFrom};
use chaingap::x509::Certificate;
use support::tell;

/// Signatures, dates, names, self-issued certificates, basic constraints, key usage, name constraints, extensions.
const SECTIONS: &[&str] = &["4.1", "4.2", "4.3", "4.5", "4.6", "4.7", "4.13", "4.16"];

/// Tests whose answer differs from the suite's, whether the path finder accepts the chain, and why. An entry that no
/// longer differs fails the test.
const DIFFERENCES: &[(&str, bool, &str)] = &[
    ("4.1.4", false, "DSA signatures are not checked"),
    ("4.1.5", false, "DSA signatures are not checked"),
    ("4.5.2", true, "the certificate is revoked, and nothing else is wrong with it"),
    ("4.5.5", true, "the certificate is revoked, and nothing else is wrong with it"),
    ("4.5.7", true, "the certificate is revoked, and nothing else is wrong with it"),
    ("4.7.4", true, "the CA may not sign revocation lists, which are not asked for"),
    ("4.7.5", true, "the CA may not sign revocation lists, which are not asked for"),
];

/// Within the validity of every certificate but those that are made to be outside of theirs.
const TIMES: [&str; 2] = ["2020-01-01T00:00:00Z", "2026-11-01T00:00:00Z"];

#[test]
fn every_test_of_the_sections_that_apply() {
    let Some(suite) = Suite::open() else { return };
    let known: BTreeMap<&str, bool> = DIFFERENCES.iter().map(|(number, valid, _)| (*number, *valid)).collect();
    assert_eq!(known.len(), DIFFERENCES.len(), "a test is listed twice");
    for at_once in [false, true] {
        for time in TIMES.map(|time| Timestamp::parse_rfc3339(time).unwrap()) {
            let answers = suite.applicable().map(|test| (test, suite.accepts(test, at_once, time)));
            let differences: BTreeMap<&str, bool> = answers
                .filter(|(test, valid)| *valid != test.valid)
                .map(|(t, valid)| (t.number.as_str(), valid))
                .collect();
            assert_eq!(
                differences, known,
                "left: what differs at {time} with at_once {at_once}; right: what is known to"
            );
        }
    }
    assert_eq!(suite.applicable().count(), 95, "tests in these sections");
}

#[test]
fn the_fault_is_that_of_the_section() {
    let Some(suite) = Suite::open() else { return };
    let rejected =
        suite.applicable().filter(|test| !test.valid && !DIFFERENCES.iter().any(|(n, ..)| *n == test.number));
    let mut wrong = Vec::new();
    for test in rejected {
        let path = suite.path(test, true);
        let last = path.faults.last().map(|(_, fault)| fault);
        let (section, number) = test.number.rsplit_once('.').unwrap();
        let fits = match (section, number, last) {
            ("4.1", "6", Some(Fault::Unsupported(_))) => true,
            ("4.1", "2" | "3", Some(Fault::KeyMismatch)) => true,
            // Only the dates are wrong.
            ("4.2", _, None) => path.end == PathEnd::Anchor,
            ("4.3", _, None) => path.end == PathEnd::IssuerUnknown,
            // A certificate for signing revocation lists only, without basic constraints.
            ("4.5", "8", Some(Fault::NotCa)) => true,
            ("4.7", _, Some(Fault::KeyUsage)) => true,
            ("4.6", "1" | "2" | "3", Some(Fault::NotCa)) => true,
            ("4.6", _, Some(Fault::PathLength)) => true,
            ("4.13", _, Some(Fault::NameConstraints(_))) => true,
            ("4.16", _, Some(Fault::CriticalExtension(_))) => true,
            _ => false,
        };
        if !fits {
            wrong.push(format!("{}: {:?}, {:?}", test.number, path.end, path.faults));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One test of the suite.
struct Test {
    number: String,
    /// Names of its certificates, the anchor's first, the server's last.
    certificates: Vec<String>,
    valid: bool,
}

/// The tests, the folder of their certificates, and the CA certificates of all of them.
struct Suite {
    tests: Vec<Test>,
    folder: PathBuf,
    pool: Pool,
    anchors: [Anchor; 1],
}

impl Suite {
    /// `None` where the environment names no folder, which is printed.
    fn open() -> Option<Self> {
        let Some(folder) = std::env::var_os("CHAINGAP_PKITS").map(PathBuf::from) else {
            tell("SKIPPED: NIST's PKITS was not run; set CHAINGAP_PKITS to the folder that holds it");
            return None;
        };
        let tests = tests(&std::fs::read_to_string(folder.join("pkits.json")).unwrap());
        let pool = pool(&folder, tests.iter().flat_map(Test::intermediates));
        let anchors = [Anchor::from_certificate(read(&folder, "TrustAnchorRootCertificate"))];
        Some(Self { tests, folder, pool, anchors })
    }

    /// The tests of the sections that apply.
    fn applicable(&self) -> impl Iterator<Item = &Test> {
        self.tests.iter().filter(|test| test.number.rsplit_once('.').is_some_and(|(s, _)| SECTIONS.contains(&s)))
    }

    /// The path that is found for a test, with the CA certificates of all tests at once or only its own.
    fn path(&self, test: &Test, at_once: bool) -> chaingap::trust::Path {
        let own = pool(&self.folder, test.intermediates());
        let leaf = read(&self.folder, test.certificates.last().unwrap());
        let search = PathFinder::new(10_000).find(
            &leaf,
            Purpose::Server,
            &self.anchors,
            &[if at_once { &self.pool } else { &own }],
        );
        assert!(search.left_out.is_none(), "{}", test.number);
        search.path
    }

    /// Whether there is a path to the anchor that is within its dates: the path finder leaves dates to its callers.
    fn accepts(&self, test: &Test, at_once: bool, time: Timestamp) -> bool {
        let path = self.path(test, at_once);
        path.end == PathEnd::Anchor && path.certificates().all(|c| c.not_before() <= time && time <= c.not_after())
    }
}

impl Test {
    fn intermediates(&self) -> impl Iterator<Item = &str> {
        let between = self.certificates.len() - 2;
        self.certificates.iter().skip(1).take(between).map(String::as_str)
    }
}

fn tests(index: &str) -> Vec<Test> {
    let index: serde_json::Value = serde_json::from_str(index).unwrap();
    let tests = index["tests"].as_array().unwrap().iter();
    tests
        .map(|test| Test {
            number: test["number"].as_str().unwrap().to_owned(),
            certificates: serde_json::from_value(test["certs"].clone()).unwrap(),
            valid: test["valid"].as_bool().unwrap(),
        })
        .collect()
}

fn pool<'a>(folder: &Path, names: impl Iterator<Item = &'a str>) -> Pool {
    let mut pool = Pool::default();
    names.for_each(|name| pool.add(&read(folder, name), StepFrom::Sent));
    pool
}

fn read(folder: &Path, name: &str) -> Arc<Certificate> {
    let der = std::fs::read(folder.join("certs").join(format!("{name}.crt"))).unwrap();
    Arc::new(Certificate::from_der(&der))
}
