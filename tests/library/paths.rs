//! In: the chains of `tests/data/paths`, of one to five certificates with every kind of key, sound or with one fault,
//! and OpenSSL's answer to each. Out: failed tests where the path finder's answer is another, or where it blames
//! another certificate or rule than the one that was broken. Bounded: some 450 chains. Left to others: what a whole
//! diagnosis makes of a path.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path as FilePath;
use std::process::Command;
use std::sync::Arc;

use chaingap::capture::Timestamp;
use chaingap::trust::{Anchor, Fault, Path, PathEnd, PathFinder, Pool, Purpose, StepFrom, read_certificates};
use chaingap::x509::Certificate;
use support::tell;

const CERTIFICATES: &str = include_str!("../data/paths/certificates.pem");
const CASES: &str = include_str!("../data/paths/cases.txt");

/// Cases where the path finder's answer differs from OpenSSL's: the case, whether the path finder accepts the chain,
/// and why. An entry whose answers agree fails the test.
const DIFFERENCES: &[(&str, bool, &str)] = &[
    ("bare/5-ca3-wrong-key-too", true, FIRST_ONLY),
    ("p256/4-cross-signed", true, FIRST_ONLY),
    ("p256/4-anchor-path-length", true, BARE_ANCHOR),
    ("p256/3-anchor-name", true, BARE_ANCHOR),
    ("p256/3-anchor-not-ca", true, BARE_ANCHOR),
    ("p256/3-anchor-key-usage", true, BARE_ANCHOR),
    ("p256/3-anchor-critical", true, BARE_ANCHOR),
    (
        "p256/3-any-purpose",
        true,
        "OpenSSL requires the purpose itself, not anyExtendedKeyUsage; RFC 5280 section 4.2.1.12 allows both",
    ),
    (
        "p256/3-name-dns-common-name",
        true,
        "OpenSSL treats a common name as a DNS name; RFC 5280 section 4.2.1.10 does not",
    ),
    ("p256/3-name-unknown-kind", true, "constraints on kinds of names that no server has are not judged"),
    ("mgf/2", false, "RSASSA-PSS with two hash functions cannot be checked; RFC 4055 section 3.1 recommends one"),
];

const FIRST_ONLY: &str =
    "OpenSSL follows the first issuer whose name fits and never backtracks; here every one is tried";

const BARE_ANCHOR: &str =
    "an anchor is a name and a key (RFC 5280 section 6.1.1 d): its certificate's extensions do not count";

#[test]
fn valid_where_openssl_says_so() {
    let certificates = Certificates::new();
    let mut differences: BTreeMap<&str, bool> = BTreeMap::new();
    let cases = cases();
    assert!(cases.len() > 400, "{} cases", cases.len());
    for case in &cases {
        let valid = certificates.accepts(case);
        if valid != (case.answer == 0) {
            differences.insert(case.name, valid);
        }
    }
    let known: BTreeMap<&str, bool> = DIFFERENCES.iter().map(|(name, valid, _)| (*name, *valid)).collect();
    assert_eq!(known.len(), DIFFERENCES.len(), "a case is listed twice");
    assert!(DIFFERENCES.iter().all(|(_, _, why)| !why.is_empty()));
    assert_eq!(differences, known, "left: what differs from OpenSSL; right: what is known to");
}

#[test]
fn the_fault_is_the_one_that_was_made() {
    let certificates = Certificates::new();
    let mut wrong = Vec::new();
    let mut kinds = BTreeSet::new();
    for case in cases() {
        kinds.insert(case.fault);
        let path = certificates.path(&case);
        if !certificates.explains(&path, &case) {
            let faults: Vec<String> =
                path.faults.iter().map(|(c, fault)| format!("{}: {fault:?}", certificates.label(c.as_ref()))).collect();
            wrong.push(format!("{}: {} {}, but {:?} {faults:?}", case.name, case.culprit, case.fault, path.end));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(kinds.len(), 13, "{kinds:?}");
}

#[test]
fn every_kind_of_key_and_every_length_is_there() {
    let names: BTreeSet<&str> = cases().iter().map(|case| case.name).collect();
    let sets: BTreeSet<&str> = names.iter().filter_map(|name| name.split_once('/')).map(|(set, _)| set).collect();
    let hashes = ["md5", "sha1", "sha256", "sha384"];
    let mut wanted: Vec<String> =
        ["1024", "2048"].iter().flat_map(|bits| hashes.map(|hash| format!("rsa{bits}-{hash}"))).collect();
    wanted.extend(["pss", "psskey", "p256", "p384", "p521", "ed25519", "mixed", "bare"].map(str::to_owned));
    for set in &wanted {
        assert!(sets.contains(set.as_str()), "{set}");
        assert!((1..=5).all(|length| names.contains(format!("{set}/{length}").as_str())), "{set}");
    }
}

/// Runs only where `CHAINGAP_ORACLES=1`: it needs the `openssl` program.
#[test]
fn the_installed_openssl_agrees_with_the_stored_answers() {
    if std::env::var("CHAINGAP_ORACLES").as_deref() != Ok("1") {
        return tell(
            "SKIPPED: the stored answers are not compared with the installed OpenSSL; set CHAINGAP_ORACLES=1 to do so",
        );
    }
    let folder = tempfile::tempdir().unwrap();
    for (label, pem) in labelled() {
        std::fs::write(folder.path().join(file(label)), pem).unwrap();
    }
    let cases = cases();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let answer = ask_openssl(folder.path(), case);
            (answer != Ok(case.answer)).then(|| format!("{}: {}, now {answer:?}", case.name, case.answer))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    tell(&format!("compared with OpenSSL: {} chains", cases.len()));
}

/// One line of `cases.txt`; its fields are described in `make.sh`.
struct Case {
    name: &'static str,
    fault: &'static str,
    culprit: &'static str,
    leaf: &'static str,
    anchor: &'static str,
    bundle: Vec<&'static str>,
    time: Option<i64>,
    answer: u32,
}

fn cases() -> Vec<Case> {
    CASES
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let &[name, fault, culprit, leaf, anchor, bundle, time, answer] = fields.as_slice() else {
                panic!("not eight fields: {line}")
            };
            let bundle = bundle.split(',').filter(|label| *label != "-").collect();
            let time = (time != "-").then(|| time.parse().unwrap());
            Case { name, fault, culprit, leaf, anchor, bundle, time, answer: answer.parse().unwrap() }
        })
        .collect()
}

/// Label and PEM block of every stored certificate.
fn labelled() -> impl Iterator<Item = (&'static str, &'static str)> {
    CERTIFICATES.split("# ").skip(1).map(|block| block.split_once('\n').unwrap())
}

struct Certificates(BTreeMap<&'static str, Arc<Certificate>>);

impl Certificates {
    fn new() -> Self {
        let read = |(label, pem): (&'static str, &str)| {
            let mut contents = read_certificates(pem.as_bytes());
            assert!(contents.problems.is_empty(), "{label}: {:?}", contents.problems);
            (label, Arc::new(contents.certificates.remove(0)))
        };
        Self(labelled().map(read).collect())
    }

    fn named(&self, label: &str) -> &Arc<Certificate> {
        self.0.get(label).unwrap_or_else(|| panic!("no certificate {label}"))
    }

    fn label(&self, certificate: Option<&Arc<Certificate>>) -> &str {
        let sha256 = certificate.map(|certificate| certificate.sha256());
        self.0.iter().find(|(_, known)| Some(known.sha256()) == sha256).map_or("-", |(label, _)| *label)
    }

    /// The path that is found for a case; the bundle is what the server sent beside its own certificate.
    fn path(&self, case: &Case) -> Path {
        let mut pool = Pool::default();
        for label in &case.bundle {
            pool.add(self.named(label), StepFrom::Sent);
        }
        let anchors = [Anchor::from_certificate(Arc::clone(self.named(case.anchor)))];
        let search = PathFinder::new(1_000).find(self.named(case.leaf), Purpose::Server, &anchors, &[&pool]);
        assert!(search.left_out.is_none(), "{}", case.name);
        search.path
    }

    /// Whether there is a path to the anchor that is within its dates where the case asks for them: the path finder
    /// leaves dates to its callers.
    fn accepts(&self, case: &Case) -> bool {
        let path = self.path(case);
        let dates_hold = case.time.map(Timestamp::from_seconds).is_none_or(|time| {
            path.certificates().all(|certificate| certificate.not_before() <= time && time <= certificate.not_after())
        });
        path.end == PathEnd::Anchor && dates_hold
    }

    /// Whether the end of the path and its faults show what was done to the chain, and to which certificate.
    fn explains(&self, path: &Path, case: &Case) -> bool {
        let blamed = |kind: fn(&Fault) -> bool| {
            let mut faults = path.faults.iter();
            path.end == PathEnd::Faulty
                && faults.any(|(culprit, fault)| self.label(culprit.as_ref()) == case.culprit && kind(fault))
                && path.faults.iter().all(|(_, fault)| kind(fault))
        };
        let taken_anyway = DIFFERENCES.iter().any(|(name, valid, _)| *name == case.name && *valid);
        let top_is_culprit = self.label(path.top()) == case.culprit;
        match case.fault {
            // Dates are left to the caller.
            "none" | "dates" => path.end == PathEnd::Anchor && path.faults.is_empty(),
            _ if taken_anyway => path.end == PathEnd::Anchor && path.faults.is_empty(),
            "removed" => path.end == PathEnd::IssuerUnknown && top_is_culprit,
            "untrusted-root" => path.end == PathEnd::SelfSigned && top_is_culprit,
            "key-mismatch" => blamed(|fault| *fault == Fault::KeyMismatch),
            "unsupported" => blamed(|fault| matches!(fault, Fault::Unsupported(_))),
            "not-ca" => blamed(|fault| *fault == Fault::NotCa),
            "key-usage" => blamed(|fault| *fault == Fault::KeyUsage),
            "path-length" => blamed(|fault| *fault == Fault::PathLength),
            "extended-key-usage" => blamed(|fault| *fault == Fault::ExtendedKeyUsage),
            "name-constraints" => blamed(|fault| matches!(fault, Fault::NameConstraints(_))),
            "critical-extension" => blamed(|fault| matches!(fault, Fault::CriticalExtension(_))),
            other => panic!("unknown fault {other}"),
        }
    }
}

/// The number of OpenSSL's first error, 0 for a valid chain; what it printed if it gives neither.
fn ask_openssl(folder: &FilePath, case: &Case) -> Result<u32, String> {
    let bundle: String =
        case.bundle.iter().map(|label| std::fs::read_to_string(folder.join(file(label))).unwrap()).collect();
    std::fs::write(folder.join("bundle"), &bundle).unwrap();
    let mut command = Command::new("openssl");
    command.args(["verify", "-auth_level", "0", "-purpose", "sslserver", "-no-CApath", "-no-CAstore", "-CAfile"]);
    command.arg(file(case.anchor));
    if !bundle.is_empty() {
        command.args(["-untrusted", "bundle"]);
    }
    match case.time {
        Some(time) => command.args(["-attime", &time.to_string()]),
        None => command.arg("-no_check_time"),
    };
    let output = command.arg(file(case.leaf)).current_dir(folder).output().expect("openssl must be installed");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    let error = text.lines().find_map(|line| line.strip_prefix("error ")?.split(' ').next()?.parse().ok());
    match error {
        Some(number) => Ok(number),
        None if text.trim_end().ends_with(": OK") => Ok(0),
        None => Err(text),
    }
}

fn file(label: &str) -> String {
    format!("{}.crt", label.replace('/', "-"))
}
