//! `chaingap preflight` over the certificates of the sample captures: what a user relies on before a server goes live.
//!
//! What is true of each chain is known from how `captures/record` made it: root, policy CA, issuing CA, server.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use chaingap::x509::Certificate;
use support::chains::{Draft, Key};

/// A file with these certificates one after the other.
fn chain(names: &[&str], folder: &tempfile::TempDir) -> PathBuf {
    let texts: Vec<_> =
        names.iter().map(|name| std::fs::read_to_string(format!("captures/pki/{name}.pem")).unwrap()).collect();
    let path = folder.path().join("chain.pem");
    std::fs::write(&path, texts.concat()).unwrap();
    path
}

/// Exit status and the parsed JSON of one preflight.
fn preflight(names: &[&str], options: &[&str]) -> (i32, serde_json::Value) {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_chaingap"))
        .args(["preflight", "--format", "json", "--at", "2026-06-01T00:00:00Z"])
        .arg(chain(names, &folder))
        .args(options)
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code().unwrap(), report)
}

fn words(report: &serde_json::Value) -> (String, String, Vec<String>) {
    let profile = &report["profiles"][0];
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let findings = profile["findings"].as_array().unwrap();
    let findings =
        findings.iter().map(|f| format!("{} {} {}", text(&f["name"]), text(&f["severity"]), text(&f["proof"])));
    (text(&profile["usb"]), text(&profile["pin"]), findings.collect())
}

const ROOT: [&str; 2] = ["--roots", "captures/pki/root.pem"];

#[test]
fn a_whole_chain_works() {
    let (status, report) =
        preflight(&["server", "issuing", "policy"], &[&ROOT[..], &["--host", "lyncpool.contoso.test"]].concat());
    assert_eq!((status, words(&report)), (0, ("works".into(), "works".into(), vec![])));
    assert_eq!(report["schema"], "chaingap.preflight/1");
}

#[test]
fn a_server_that_sends_itself_alone_fails_over_usb_and_what_to_add_is_named() {
    let bundle = [&ROOT[..], &["--bundle", "captures/pki/issuing.pem", "--bundle", "captures/pki/policy.pem"]].concat();
    let (status, report) = preflight(&["server"], &bundle);
    let finding = "missing-intermediate error proven".to_owned();
    assert_eq!((status, words(&report)), (1, ("fails".into(), "works-if-fetched".into(), vec![finding])));
    let missing = report["profiles"][0]["findings"][0]["missing"].as_array().unwrap();
    let subjects: Vec<_> = missing.iter().map(|missing| missing["subject"].as_str().unwrap()).collect();
    assert_eq!(subjects, ["CN=Northwind Issuing CA 1,O=Northwind", "CN=Northwind Policy CA 1,O=Northwind"]);
    // Without the bundle the first of them is known only as the issuer of the certificate below it, and is merely
    // inferred.
    let (_, report) = preflight(&["server"], &ROOT);
    assert_eq!(words(&report).2, ["missing-intermediate error inferred"]);
    // A device that holds them has no trouble.
    let held =
        [&ROOT[..], &["--installed", "captures/pki/issuing.pem", "--installed", "captures/pki/policy.pem"]].concat();
    assert_eq!(preflight(&["server"], &held).0, 0);
}

#[test]
fn a_root_that_the_device_lacks_is_not_a_missing_intermediate() {
    let options = ["--profile", "none", "--roots", "captures/pki/fabrikam-root.pem"];
    let (status, report) = preflight(&["server", "issuing", "policy", "root"], &options);
    let findings = vec!["untrusted-root error proven".to_owned(), "chain-order info proven".to_owned()];
    assert_eq!((status, words(&report)), (1, ("fails".into(), "works-if-fetched".into(), findings)));
}

#[test]
fn names_dates_order_and_wrong_keys_are_told_apart() {
    let (_, report) =
        preflight(&["server", "issuing", "policy"], &[&ROOT[..], &["--host", "mail.contoso.test"]].concat());
    assert_eq!(words(&report).2, ["name-mismatch error proven"]);
    let (_, report) = preflight(&["server-expired", "issuing", "policy"], &ROOT);
    assert_eq!(words(&report), ("fails".into(), "fails".into(), vec!["certificate-expired error proven".into()]));
    let (_, report) = preflight(&["server-not-yet-valid", "issuing", "policy"], &ROOT);
    assert_eq!(words(&report).2, ["certificate-not-yet-valid error proven"]);
    let (status, report) = preflight(&["server", "policy", "issuing"], &ROOT);
    assert_eq!((status, words(&report).2), (0, vec!["chain-order warning proven".to_owned()]));
    let (_, report) = preflight(&["server", "issuing-other-key", "policy"], &ROOT);
    assert_eq!(words(&report).2[0], "issuer-key-mismatch error inferred");
}

#[test]
fn one_tier_without_its_root_is_undecided_until_the_root_is_known() {
    let (_, report) = preflight(&["one-tier-server"], &ROOT);
    assert_eq!(
        words(&report),
        ("undecided".into(), "undecided".into(), vec!["chain-cause-undecided error undecidable".into()])
    );
    let (_, report) =
        preflight(&["one-tier-server"], &[&ROOT[..], &["--bundle", "captures/pki/one-tier.pem"]].concat());
    assert_eq!(words(&report).2, ["untrusted-root error inferred"]);
    assert_eq!(report["profiles"][0]["chain"]["proof"], "proven");
}

#[test]
fn every_profile_can_be_asked_at_once_and_a_file_without_certificates_is_an_error() {
    let (_, report) = preflight(&["server", "issuing", "policy"], &["--all-profiles"]);
    assert!(!report["profiles"].as_array().unwrap().is_empty());
    let output = Command::new(env!("CARGO_BIN_EXE_chaingap")).args(["preflight", "README.md"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("README.md"));
}

#[test]
fn an_intermediate_among_the_roots_is_not_taken_for_one_that_the_device_trusts() {
    // The file that a CA hands out as its chain, given in place of its root.
    let folder = tempfile::tempdir().unwrap();
    let roots = chain(&["issuing", "policy", "root"], &folder);
    let roots = ["--roots", roots.to_str().unwrap()];
    assert_eq!(words(&preflight(&["server"], &roots).1).2, ["missing-intermediate error proven"]);
    assert_eq!(preflight(&["server", "issuing", "policy"], &roots).0, 0);
}

#[test]
fn roots_that_cannot_be_read_are_no_verdict() {
    let folder = tempfile::tempdir().unwrap();
    // The start of a PKCS#12 file as OpenSSL writes it (RFC 7292 section 4): a sequence, then version 3.
    let store = folder.path().join("roots.p12");
    std::fs::write(&store, [0x30, 0x82, 0x09, 0x2f, 0x02, 0x01, 0x03, 0x30]).unwrap();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    for (roots, why) in [(&store, "it is PKCS#12"), (&empty, "no certificate in it")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
        let output =
            command.args(["preflight", "-q", "captures/pki/server.pem", "--roots"]).arg(roots).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(why), "{said}");
    }
}

#[test]
fn a_chain_that_does_not_begin_with_the_servers_own_certificate_does_not_work() {
    for names in
        [&["issuing", "policy", "server"][..], &["root", "policy", "issuing", "server"], &["issuing", "policy"]]
    {
        let (status, report) = preflight(names, &ROOT);
        assert_eq!((status, words(&report).0.as_str()), (1, "fails"), "{names:?}");
        assert!(words(&report).2.contains(&"chain-order error proven".to_owned()), "{names:?}");
    }
}

#[test]
fn a_broken_rule_that_the_device_may_not_check_leaves_it_open() {
    let roots = ["--profile", "none", "--roots", "captures/pki/adatum-root.pem"];
    let chain = ["adatum-server-below-not-a-ca", "adatum-issuing-not-a-ca", "adatum-policy"];
    let (status, report) = preflight(&chain, &roots);
    assert_eq!((status, words(&report).0.as_str()), (0, "undecided"), "{report}");
    assert_eq!(words(&report).2, ["chain-invalid warning proven"]);
}

/// A file with these certificates as PEM.
fn pem(folder: &tempfile::TempDir, name: &str, certificates: &[&Arc<Certificate>]) -> PathBuf {
    let text = |certificate: &Certificate| {
        let der = base64::engine::general_purpose::STANDARD.encode(certificate.der());
        format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n")
    };
    let path = folder.path().join(name);
    std::fs::write(&path, certificates.iter().map(|certificate| text(certificate)).collect::<String>()).unwrap();
    path
}

#[test]
fn of_two_issues_of_a_root_the_last_to_expire_counts_whichever_stands_first() {
    let (root_key, leaf_key) = (Key::new(1), Key::new(2));
    let renewed = Draft::root("O=Example/CN=Root", &root_key);
    let expired = Draft { years: (2010, 2021), serial: 2, ..renewed }.make();
    let renewed = renewed.make();
    let leaf = Draft::leaf(&leaf_key, "O=Example/CN=Root", &root_key).make();
    let folder = tempfile::tempdir().unwrap();
    let chain = pem(&folder, "chain.pem", &[&leaf]);
    for roots in [[&expired, &renewed], [&renewed, &expired]] {
        let roots = pem(&folder, "roots.pem", &roots);
        let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
        command.args(["preflight", "--profile", "none", "--at", "2026-06-01T00:00:00Z", "--roots"]);
        let output = command.arg(roots).arg(&chain).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
}

/// OpenSSL and Windows look at the dates of a root, Android does not (docs/verdict.md, step 9).
#[test]
fn whether_a_root_that_has_expired_counts_is_a_matter_of_the_device() {
    let (root_key, leaf_key) = (Key::new(1), Key::new(2));
    let expired = Draft { years: (2010, 2021), ..Draft::root("O=Example/CN=Root", &root_key) }.make();
    let leaf = Draft::leaf(&leaf_key, "O=Example/CN=Root", &root_key).make();
    let folder = tempfile::tempdir().unwrap();
    let known = folder.path().join("openssl.toml");
    let fact = "{ value = false, provenance = \"measured\", source = \"openssl verify: error 10\" }";
    std::fs::write(&known, format!("name = \"openssl\"\ndescription = \"x\"\nexpired_anchors = {fact}")).unwrap();
    let (chain, roots) = (pem(&folder, "chain.pem", &[&leaf]), pem(&folder, "roots.pem", &[&expired]));
    for (profile, status, finding) in [
        ("android-teams-phone", 0, None),
        ("none", 1, Some("certificate-expired error inferred")),
        ("windows-pc", 1, Some("certificate-expired error inferred")),
        (known.to_str().unwrap(), 1, Some("certificate-expired error proven")),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
        command.args([
            "preflight",
            "--profile",
            profile,
            "--at",
            "2026-06-01T00:00:00Z",
            "--format",
            "json",
            "--roots",
        ]);
        let output = command.arg(&roots).arg(&chain).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = words(&report).2;
        assert_eq!(output.status.code(), Some(status), "{profile}: {report}");
        assert_eq!(found.first().map(String::as_str), finding, "{profile}");
    }
}
