//! `chaingap certs`, as users and scripts meet it.
//!
//! In: the program and the sample captures. Out: what it lists is what the captures hold, and the files that it writes
//! are the certificates that were recorded. Left to others: reading certificates.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const PIN: &str = "captures/pin-sign-in.pcapng";
const USB: &str = "captures/usb-sign-in.pcapng";
const ROOT: &str = "captures/pki/root.pem";

fn certs(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
    command.arg("certs").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("COLUMNS").output().unwrap()
}

fn text(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The certificate of a PEM file, as base64 without line breaks.
fn body(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

/// The recorded certificate of this name.
fn recorded(name: &str) -> String {
    body(&fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/pki").join(name)).unwrap())
}

#[test]
fn lists_what_the_captures_hold_in_the_order_seen() {
    let report: Value = serde_json::from_str(&text(&certs(&[PIN, USB, "--format", "json"]))).unwrap();
    assert_eq!(report["schema"], "chaingap.certs/1");
    let list = report["certificates"].as_array().unwrap();
    let found: BTreeSet<&str> = list.iter().map(|entry| entry["der"].as_str().unwrap()).collect();
    // The phone downloads the chain; the servers send only their own certificates.
    let recorded = ["root.pem", "policy.pem", "issuing.pem", "server.pem"].map(recorded);
    assert_eq!(found, recorded.iter().map(String::as_str).collect());
    let leaf = list.last().unwrap();
    assert_eq!(leaf["subject"], "CN=lyncpool.contoso.test");
    assert_eq!(leaf["seen"].as_array().unwrap().len(), 2, "in both captures");
    assert!(leaf["file"].is_null());
}

#[test]
fn of_one_device_lists_what_it_was_shown() {
    let subjects = |device: &str| -> Vec<String> {
        let report: Value =
            serde_json::from_str(&text(&certs(&[PIN, USB, "--device", device, "--format", "json"]))).unwrap();
        let list = report["certificates"].as_array().unwrap().iter();
        list.map(|entry| entry["subject"].as_str().unwrap().to_owned()).collect()
    };
    // The server sent this phone only its own certificate; the other phone had downloaded its chain before.
    assert_eq!(subjects("10.20.30.50"), ["CN=lyncpool.contoso.test"]);
    assert_eq!(subjects("10.20.30.51").len(), 4);
}

#[test]
fn the_table_tells_how_each_was_seen() {
    let table = text(&certs(&[PIN, "--roots", ROOT]));
    let head: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(head, ["subject", "issuer", "valid", "key", "sha256"]);
    assert!(table.contains("\n  captures/pin-sign-in.pcapng frame 24, HTTP, PKCS#7 in SOAP\n"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 110), "{table}");
}

#[test]
fn missing_are_those_that_would_have_completed_a_chain() {
    let table = text(&certs(&[PIN, USB, "--roots", ROOT, "--missing"]));
    let subjects: Vec<&str> = table.lines().skip(1).filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(subjects.len(), 2, "{table}");
    assert!(subjects.iter().all(|line| line.contains("Northwind Issuing CA 1") || line.contains("Policy CA 1")));
    assert!(table.contains("\n  completes a chain: CG001, 10.20.30.50\n"), "{table}");
    // Certificates of a bundle count just as much; the capture alone has none.
    assert!(text(&certs(&[USB, "--missing"])).contains("no certificate"));
    let bundle = ["--bundle", "captures/pki/issuing.pem", "--bundle", "captures/pki/policy.pem"];
    let table = text(&certs(&[&[USB, "--roots", ROOT, "--missing"][..], &bundle].concat()));
    assert_eq!(table.matches("--bundle").count(), 2, "{table}");
}

#[test]
fn writes_each_as_pem_and_overwrites_nothing() {
    let folder = TempDir::new().unwrap();
    let target = folder.path().join("new");
    let arguments = [PIN, "-o", target.to_str().unwrap()];
    let table = text(&certs(&arguments));
    let names = || -> BTreeSet<String> {
        fs::read_dir(&target).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let first = names();
    assert_eq!(first.len(), 4, "{first:?}");
    for name in &first {
        assert!(table.contains(&format!("/{name}")), "{table}");
        let pem = fs::read_to_string(target.join(name)).unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n") && pem.ends_with("-----END CERTIFICATE-----\n"));
        let known = ["root.pem", "policy.pem", "issuing.pem", "server.pem"].map(recorded);
        assert!(known.contains(&body(&pem)), "{name}");
    }
    let leaf = first.iter().find(|name| name.starts_with("lyncpool.contoso.test-")).unwrap();
    fs::write(target.join(leaf), "precious").unwrap();
    let again = certs(&arguments);
    assert_eq!((again.status.code(), again.stdout.len()), (Some(2), 0));
    assert_eq!(fs::read_to_string(target.join(leaf)).unwrap(), "precious");
    text(&certs(&[&arguments[..], &["--force"]].concat()));
    assert_eq!(body(&fs::read_to_string(target.join(leaf)).unwrap()), recorded("server.pem"));
    assert_eq!(names(), first);
}

#[cfg(unix)]
#[test]
fn a_link_in_the_folder_leads_nowhere() {
    let (folder, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let outside = elsewhere.path().join("outside");
    fs::write(&outside, "precious").unwrap();
    let arguments = [PIN, "--force", "-o", folder.path().to_str().unwrap()];
    text(&certs(&arguments));
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    for name in &names {
        fs::remove_file(name).unwrap();
        std::os::unix::fs::symlink(&outside, name).unwrap();
    }
    text(&certs(&arguments));
    assert_eq!(fs::read_to_string(&outside).unwrap(), "precious");
    assert!(names.iter().all(|name| fs::symlink_metadata(name).unwrap().is_file()));
}

#[test]
fn one_file_holds_them_all_as_its_name_says() {
    let folder = TempDir::new().unwrap();
    let [pem, p7b, copy] =
        ["chain.pem", "chain.P7B", "own"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    let report = text(&certs(&[PIN, USB, "--format", "json", "-o", &pem, "-o", &p7b]));
    let written: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(written["certificates"][0]["file"], p7b.as_str());
    let blocks = fs::read_to_string(&pem).unwrap();
    let blocks: BTreeSet<String> =
        blocks.split("-----END CERTIFICATE-----\n").map(body).filter(|b| !b.is_empty()).collect();
    let all = ["root.pem", "policy.pem", "issuing.pem", "server.pem"].map(recorded);
    assert_eq!(blocks, all.into_iter().collect());
    // Whatever exists stays, and a folder is a folder whatever its name.
    assert_eq!(certs(&[PIN, "-o", &pem]).status.code(), Some(2));
    fs::create_dir(folder.path().join("folder.pem")).unwrap();
    text(&certs(&[PIN, "-o", folder.path().join("folder.pem").to_str().unwrap()]));
    assert!(fs::read_dir(folder.path().join("folder.pem")).unwrap().count() > 1);
    let none = certs(&[USB, "--missing", "-o", &copy, "-o", folder.path().join("none.p7b").to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&none.stderr).contains("none.p7b: not written"), "{none:?}");
    openssl_reads(&p7b, blocks.len());
}

/// Asks OpenSSL what a PKCS#7 file holds, where it is installed.
fn openssl_reads(p7b: &str, count: usize) {
    let asked = Command::new("openssl").args(["pkcs7", "-inform", "DER", "-print_certs", "-in", p7b]).output();
    let Ok(answer) = asked else { return println!("SKIPPED: no openssl") };
    let text = String::from_utf8(answer.stdout).unwrap();
    let found: BTreeSet<String> = text
        .split("-----BEGIN CERTIFICATE-----")
        .skip(1)
        .map(|block| body(block.split("-----END").next().unwrap()))
        .collect();
    assert!(answer.status.success() && found.len() == count, "{}", String::from_utf8_lossy(&answer.stderr));
    assert!(found.contains(&recorded("policy.pem")));
}
