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
    assert_eq!(report["schema"], "chaingap.preflight/2");
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
    // A device of which nothing is known is not held to sign in with a PIN.
    assert_eq!((status, words(&report)), (1, ("fails".into(), "fails".into(), findings)));
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

/// Runs `preflight` on a file, with the root of the samples.
fn run(file: &std::path::Path, options: &[&str]) -> (i32, serde_json::Value, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
    command
        .args(["preflight", "--at", "2026-06-01T00:00:00Z", "--profile", "generic-no-aia", "-q"])
        .args(options)
        .arg(file);
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let output = command.args(["--format", "json"]).output().unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code().unwrap(), report, text)
}

fn pem_of(names: &[&str]) -> String {
    names.iter().map(|name| std::fs::read_to_string(format!("captures/pki/{name}.pem")).unwrap()).collect()
}

#[test]
fn a_first_certificate_that_cannot_be_read_is_never_passed_over() {
    // Dates without a zone, in a certificate whose issuer and root are sound.
    let (status, report, text) =
        run("tests/data/files/no-zulu.pem".as_ref(), &["--roots", "tests/data/files/northwind-g1.pem"]);
    let found = words(&report).2;
    assert_eq!((status, found), (1, vec!["malformed-message error inferred".to_owned()]), "{text}");
    assert!(text.starts_with('✗') && text.contains("PEM block at byte 0") && text.contains("notBefore"), "{text}");

    let folder = tempfile::tempdir().unwrap();
    let (server, above) = (pem_of(&["server"]), pem_of(&["issuing", "policy"]));
    let cut = format!("{}\n", &server[..server.len() / 2]);
    let broken = [
        server.replace("-----END CERTIFICATE-----", "-----END CERTIFICATE----"),
        server.replacen("MII", "M!I", 1),
        server.replacen("MII", "", 1),
        server.trim_end().to_owned(),
        cut,
    ];
    for first in broken {
        let path = folder.path().join("chain.pem");
        std::fs::write(&path, first.clone() + &above).unwrap();
        let (status, report, text) = run(&path, &ROOT);
        assert_eq!(status, 1, "{first}");
        assert_eq!(words(&report).2, ["malformed-message error inferred"], "{first}");
        assert!(
            text.starts_with('✗') && text.contains("the first certificate (PEM block at byte 0) cannot be read"),
            "{text}"
        );
        assert_eq!(report["profiles"][0]["usb"], "fails");
    }
    // Without its first line, a server passes over the block.
    let path = folder.path().join("chain.pem");
    std::fs::write(&path, server.replacen("-----BEGIN", "----BEGIN", 1) + &above).unwrap();
    let (status, report, text) = run(&path, &ROOT);
    assert_eq!((status, words(&report).2), (1, vec!["chain-order error proven".to_owned()]), "{text}");
    assert!(text.contains("has no first line"), "{text}");
    // A certificate in DER that is cut.
    std::fs::write(&path, &Certificate::from_der(&der("server")).der()[..400]).unwrap();
    let (status, _, text) = run(&path, &ROOT);
    assert!(status == 1 && text.contains("cannot be read: it is a DER file whose end is missing"), "{text}");
}

fn der(name: &str) -> Vec<u8> {
    let text = pem_of(&[name]);
    let letters: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    base64::engine::general_purpose::STANDARD.decode(letters).unwrap()
}

#[test]
fn a_ca_s_certificate_alone_is_no_server_s_and_no_name_is_asked_of_it() {
    for names in [&["issuing"][..], &["policy", "issuing"], &["root"]] {
        let folder = tempfile::tempdir().unwrap();
        let (status, report, text) =
            run(&chain(names, &folder), &[&ROOT[..], &["--host", "lyncpool.contoso.test"]].concat());
        assert_eq!((status, words(&report).2), (1, vec!["chain-order error proven".to_owned()]), "{text}");
        assert!(text.starts_with('✗'), "{text}");
    }
    // One that signs itself and calls itself a CA may be a server's all the same, as openssl req -x509 makes it.
    let key = Key::new(1);
    let own = Draft::root("CN=server.example.com", &key).make();
    let folder = tempfile::tempdir().unwrap();
    let own = pem(&folder, "own.pem", &[&own]);
    let (status, _, text) = run(&own, &["--roots", own.to_str().unwrap()]);
    assert!(status == 0 && text.starts_with('✓'), "{text}");
}

#[test]
fn of_a_set_the_server_s_own_certificate_is_found_and_nothing_is_said_of_order() {
    for file in ["server.p7b", "server-p7b.pem", "server.sst"] {
        let file = std::path::Path::new("tests/data/files").join(file);
        let (status, report, text) = run(&file, &[&ROOT[..], &["--host", "lyncpool.contoso.test"]].concat());
        assert_eq!((status, words(&report)), (0, ("works".into(), "works".into(), vec![])), "{text}");
        let own = report["chain"][0].as_str().unwrap();
        assert_eq!(report["certificates"][own]["subject"], "CN=lyncpool.contoso.test");
    }
    // Of several servers, the name chooses.
    let folder = tempfile::tempdir().unwrap();
    let both = folder.path().join("both.der");
    std::fs::write(&both, [der("woodgrove-radius"), der("server"), der("issuing"), der("policy")].concat()).unwrap();
    let (status, report, text) = run(&both, &[&ROOT[..], &["--host", "lyncpool.contoso.test"]].concat());
    assert_eq!((status, words(&report).0.as_str()), (0, "works"), "{text}");
    assert!(text.contains("several certificates of servers"), "{text}");
}

#[test]
fn a_pem_export_that_begins_with_the_root_is_out_of_order_and_judged_by_the_server_s_own() {
    let folder = tempfile::tempdir().unwrap();
    let export = chain(&["root", "policy", "issuing", "server"], &folder);
    let (status, report, text) = run(&export, &[&ROOT[..], &["--host", "lyncpool.contoso.test"]].concat());
    assert_eq!((status, words(&report).2), (1, vec!["chain-order error proven".to_owned()]), "{text}");
    let path = report["profiles"][0]["chain"]["path"].as_array().unwrap();
    assert_eq!((path.len(), &path[0]["subject"]), (4, &"CN=lyncpool.contoso.test".into()));
    let (_, report, _) = run(&export, &[&ROOT[..], &["--host", "mail.contoso.test"]].concat());
    assert!(words(&report).2.contains(&"name-mismatch error proven".to_owned()));
}

#[test]
fn hosts_are_taken_as_people_paste_them() {
    let folder = tempfile::tempdir().unwrap();
    let whole = chain(&["server", "issuing", "policy"], &folder);
    for host in ["https://lyncpool.contoso.test:443/", "LYNCPOOL.contoso.test.", "lyncpool.contoso.test:5061"] {
        let (status, report, text) = run(&whole, &[&ROOT[..], &["--host", host]].concat());
        assert_eq!((status, &report["host"]), (0, &"lyncpool.contoso.test".into()), "{text}");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
    let output = command.args(["preflight", "captures/pki/server.pem", "--host", "*.contoso.test"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// RFC 2818 section 3.1.
#[test]
fn an_address_must_be_an_ip_address_of_the_certificate() {
    let (root_key, key) = (Key::new(1), Key::new(2));
    let root = Draft::root("O=Example/CN=Root", &root_key);
    let as_dns_name = ["192.0.2.7".to_owned()];
    let leaf = Draft { hosts: &as_dns_name, ..Draft::leaf(&key, "O=Example/CN=Root", &root_key) }.make();
    let named = Draft { subject: "CN=192.0.2.7", ..Draft::leaf(&key, "O=Example/CN=Root", &root_key) }.make();
    let folder = tempfile::tempdir().unwrap();
    let roots = pem(&folder, "root.pem", &[&root.make()]);
    let roots = ["--roots", roots.to_str().unwrap(), "--host", "192.0.2.7"];
    for (leaf, how) in [(leaf, "as a DNS name"), (named, "as its common name")] {
        let (status, report, text) = run(&pem(&folder, "leaf.pem", &[&leaf]), &roots);
        assert_eq!((status, words(&report).2), (1, vec!["name-mismatch error inferred".to_owned()]), "{text}");
        assert!(text.replace("\n      ", " ").contains(how) && text.contains("iPAddress"), "{text}");
    }
}

#[test]
fn each_profile_has_its_own_words() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
    command.args(["preflight", "--all-profiles", "captures/pki/server.pem", "--bundle", "captures/pki/issuing.pem"]);
    let output = command.args(["--bundle", "captures/pki/policy.pem"]).args(ROOT).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let of = |name: &str| {
        text.split("\n\n").find(|part| part.lines().next().unwrap().contains(&format!(" {name} "))).unwrap()
    };
    assert!(of("lync-phone-edition").starts_with('!') && of("lync-phone-edition").contains("PIN"), "{text}");
    for name in ["android-teams-phone", "generic-no-aia"] {
        assert!(of(name).starts_with("✗") && !of(name).contains("PIN") && !of(name).contains("Lync"), "{text}");
    }
}

#[test]
fn a_root_that_is_installed_and_an_intermediate_among_the_roots_are_each_told_once() {
    let told = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
        let files = ["preflight", "--profile", "generic-no-aia", "captures/pki/server.pem"];
        let output = command.args(files).args(["--bundle", "captures/pki/policy.pem"]).args(options).output().unwrap();
        let [text, said] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (text.replace("\n      ", " "), said)
    };
    let issuing = ["--installed", "captures/pki/issuing.pem", "--installed", "captures/pki/policy.pem"];
    let (text, said) = told(&[&issuing[..], &["--installed", "captures/pki/root.pem"]].concat());
    assert!(said.lines().count() == 1 && said.contains("is a root") && said.contains("--roots"), "{said}");
    assert!(
        text.contains("holds the root \"Northwind Global Root G1\"") && !text.contains("does not have the root"),
        "{text}"
    );
    let (_, said) = told(&["--roots", "captures/pki/issuing.pem"]);
    assert!(said.lines().count() == 1 && said.contains("is no root") && said.contains("--installed"), "{said}");
}

#[test]
fn standard_input_and_the_profile_given_stand_in_the_report() {
    use std::io::Write as _;
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
    command.args(["preflight", "-", "--profile", "none", "--format", "json"]).args(ROOT);
    let piped = || std::process::Stdio::piped();
    let mut child = command.stdin(piped()).stdout(piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(pem_of(&["server", "issuing", "policy"]).as_bytes()).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!((&report["options"]["profile"], &report["path"]), (&"none".into(), &"-".into()));
    assert_eq!(report["chain"].as_array().unwrap().len(), 3);
}

#[test]
fn a_private_key_beside_the_chain_is_told_and_never_shown() {
    // The key of RFC 8410 section 10.3.
    let letters = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("combined.pem");
    let key = format!("-----BEGIN PRIVATE KEY-----\n{letters}\n-----END PRIVATE KEY-----\n");
    std::fs::write(&path, pem_of(&["server"]) + &key + &pem_of(&["issuing", "policy"])).unwrap();
    let (status, report, text) = run(&path, &ROOT);
    assert!(status == 0 && text.starts_with('✓') && text.contains("a private key is in this file"), "{text}");
    assert_eq!(report["problems"].as_array().unwrap().len(), 1);
    assert!(!text.contains(&letters[20..40]) && !report.to_string().contains(&letters[20..40]));
}

#[test]
fn the_other_files_of_a_folder_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..40 {
        std::fs::write(folder.path().join(format!("{number:02}.txt")), "notes").unwrap();
    }
    std::fs::copy("captures/pki/root.pem", folder.path().join("root.pem")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
    let output = command.args(["preflight", "captures/pki/server.pem", "--roots"]).arg(folder.path()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.lines().count() == 1 && said.contains("40 files hold no certificate, the first being "), "{said}");
}

#[test]
fn a_breach_of_encoding_is_told_and_leaves_it_open() {
    // Dates with an offset, which lenient stacks read and strict ones refuse.
    let options = ["--roots", "tests/data/files/northwind-g1.pem"];
    let (status, report, text) = run("tests/data/files/utc-offset.pem".as_ref(), &options);
    let found = vec!["malformed-message warning inferred".to_owned()];
    assert_eq!((status, words(&report)), (0, ("undecided".into(), "undecided".into(), found)), "{text}");
    assert!(text.starts_with('?'), "{text}");
}
