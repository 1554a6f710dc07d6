//! In: the chains of `tests/data/rfc5280`, sound or with one rule of RFC 5280 broken, and the answers of OpenSSL and
//! GnuTLS. Out: failed tests where the profile `rfc5280` takes a chain that breaks a rule, or blames another rule or
//! certificate. Bounded: some fifty chains. Left to others: what a whole diagnosis makes of a path.

use std::process::Command;
use std::sync::Arc;

use chaingap::trust::{
    Case, ChainStatus, Judgement, PathFinder, Pool, Profile, Purpose, Verifier, judge, read_certificates,
};
use support::chains::{anchor, stored_by_label};
use support::tell;

const CERTIFICATES: &str = include_str!("../data/rfc5280/certificates.pem");
const CASES: &str = include_str!("../data/rfc5280/cases.txt");

/// A line of `cases.txt`; its fields are described in `make.py`.
struct Chain {
    name: &'static str,
    section: &'static str,
    culprit: &'static str,
    leaf: &'static str,
    ca: &'static str,
    root: &'static str,
    openssl: &'static str,
    gnutls: &'static str,
}

fn chains() -> Vec<Chain> {
    let lines = CASES.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    lines
        .map(|fields| {
            let &[name, section, culprit, leaf, ca, root, openssl, gnutls] = fields.as_slice() else {
                panic!("not eight fields: {fields:?}")
            };
            Chain { name, section, culprit, leaf, ca, root, openssl, gnutls }
        })
        .collect()
}

fn judged(chain: &Chain, profile: &Profile) -> Judgement {
    let stored = stored_by_label(CERTIFICATES);
    let sent = [Arc::clone(&stored[chain.leaf]), Arc::clone(&stored[chain.ca])];
    let (anchors, verifier) = ([anchor(&stored[chain.root])], Verifier::of(profile, |_| false));
    let (purpose, known) = (Purpose::Server, Pool::default());
    let case = Case { sent: &sent, purpose, held: &[], anchors: &anchors, known: &known, verifier: &verifier };
    judge(&mut PathFinder::new(20_000), &case)
}

#[test]
fn each_breach_is_told_with_its_section_and_its_certificate() {
    let stored = stored_by_label(CERTIFICATES);
    let profile = Profile::builtin("rfc5280").unwrap();
    let mut wrong = Vec::new();
    for chain in chains() {
        let judgement = judged(&chain, &profile);
        let faults = judgement.longest_path().map(|path| path.faults.clone()).unwrap_or_default();
        let right = match chain.section {
            "-" => judgement.status == ChainStatus::Trusted && faults.is_empty(),
            section => {
                let told = faults.iter().any(|(culprit, fault)| {
                    let here = culprit.as_ref().is_some_and(|c| c.sha256() == stored[chain.culprit].sha256());
                    here && fault
                        .section()
                        .is_some_and(|told| told == section || told.starts_with(&format!("{section} ")))
                });
                told && judgement.status == ChainStatus::Invalid
            }
        };
        if !right {
            let faults: Vec<_> = faults.iter().map(|(c, fault)| format!("{c:?}: {fault}")).collect();
            wrong.push(format!("{}, {}: {:?} {faults:#?}", chain.name, chain.section, judgement.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A device is not held to rules of form that it is not known to look at.
#[test]
fn other_profiles_take_what_only_the_form_forbids() {
    let generic = Profile::builtin("generic-no-aia").unwrap();
    for name in [
        "serial-long",
        "aki-absent",
        "ski-critical",
        "basic-not-critical",
        "san-critical",
        "san-label",
        "constraints-bare",
        "root-names",
        "root-aki-other-key",
    ] {
        let chain = chains().into_iter().find(|chain| chain.name == name).unwrap();
        assert_eq!(judged(&chain, &generic).status, ChainStatus::Trusted, "{name}");
    }
}

#[test]
fn openssl_refuses_nothing_that_is_taken_here() {
    for chain in chains().iter().filter(|chain| chain.section == "-") {
        // GnuTLS refuses all that is below a constraint on a kind of name that it does not know.
        let unknown = ["constraints-other-type", "constraints-no-name"].contains(&chain.name);
        let gnutls = if unknown { "no" } else { "yes" };
        assert_eq!((chain.openssl, chain.gnutls), ("0", gnutls), "{}", chain.name);
    }
}

/// Runs only where `CHAINGAP_ORACLES=1`; each program is asked where it is installed.
#[test]
fn the_installed_programs_agree_with_the_stored_answers() {
    if std::env::var("CHAINGAP_ORACLES").as_deref() != Ok("1") {
        return tell("SKIPPED: the answers on RFC 5280 are not compared; set CHAINGAP_ORACLES=1 to do so");
    }
    let folder = tempfile::tempdir().unwrap();
    let blocks: std::collections::BTreeMap<_, _> =
        CERTIFICATES.split("# ").skip(1).map(|block| block.split_once('\n').unwrap()).collect();
    let is_there = |program| Command::new(program).arg("--version").output().is_ok();
    let mut wrong = Vec::new();
    for chain in chains() {
        let files = [
            ("leaf.pem", blocks[chain.leaf].to_owned()),
            ("ca.pem", blocks[chain.ca].to_owned()),
            ("root.pem", blocks[chain.root].to_owned()),
            ("chain.pem", [blocks[chain.leaf], blocks[chain.ca]].concat()),
        ];
        files.iter().for_each(|(name, pem)| std::fs::write(folder.path().join(name), pem).unwrap());
        let ask = |program, arguments: &str| {
            let arguments = arguments.split(' ');
            Command::new(program).args(arguments).current_dir(folder.path()).output().unwrap()
        };
        if is_there("openssl") {
            let strict = "verify -x509_strict -purpose sslserver -no-CApath -no-CAstore -no_check_time";
            let told = ask("openssl", &format!("{strict} -CAfile root.pem -untrusted ca.pem leaf.pem"));
            if told.status.success() != (chain.openssl == "0") {
                wrong.push(format!("{}: OpenSSL {}, now {told:?}", chain.name, chain.openssl));
            }
        }
        if is_there("certtool") {
            let verify = "--verify --verify-purpose 1.3.6.1.5.5.7.3.1 --load-ca-certificate root.pem";
            let told = ask("certtool", &format!("{verify} --infile chain.pem"));
            if told.status.success() != (chain.gnutls == "yes") {
                wrong.push(format!("{}: GnuTLS {}, now {told:?}", chain.name, chain.gnutls));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `san-address` has an address of five bytes before its DNS name.
#[test]
fn a_name_that_cannot_be_read_takes_no_other_away() {
    let leaf = &stored_by_label(CERTIFICATES)["san-address/leaf"];
    assert_eq!(leaf.dns_names(), ["server.contoso.test"]);
    assert!(leaf.ip_addresses().is_empty());
    assert!(leaf.problems().iter().any(|problem| problem.contains("IP address of 5 bytes")), "{:?}", leaf.problems());
}

/// The certificates are read as they are, whatever is wrong with them.
#[test]
fn every_certificate_can_be_read() {
    let stored = read_certificates(CERTIFICATES.as_bytes());
    assert_eq!(stored.certificates.len(), CERTIFICATES.matches("# ").count(), "{:?}", stored.problems);
}
