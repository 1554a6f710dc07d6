//! In: one root with the trust settings of OpenSSL that `tests/data/trust-settings` holds, and what `openssl verify`
//! answers to each. Out: failed tests where a device with that root is held to take a chain that OpenSSL rejects, or the
//! other way round. Left to others: how settings are read (`x509/trust_settings.rs`).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chaingap::Analyzer;
use chaingap::capture::Timestamp;
use chaingap::report::{PreflightReport, Prospect};
use chaingap::trust::{ChainStatus, Profile, read_certificates, read_chain};

const ROOTS: &str = include_str!("../data/trust-settings/roots.pem");
const SERVER: &str = include_str!("../data/trust-settings/server.pem");
const ANSWERS: &str = include_str!("../data/trust-settings/answers.txt");

/// The root's blocks by their labels.
fn roots() -> BTreeMap<&'static str, &'static str> {
    ROOTS.split("# ").skip(1).map(|block| block.split_once('\n').unwrap()).collect()
}

/// What is said of `chain` for a device with these roots.
fn preflight(chain: &str, roots: &[&str]) -> PreflightReport {
    let builder = Analyzer::builder();
    let builder = roots.iter().fold(builder, |builder, root| builder.root("root.pem", root.as_bytes()));
    let at = Timestamp::parse_rfc3339("2030-01-01T00:00:00Z").unwrap();
    let profile = Profile::builtin("generic-no-aia").unwrap();
    builder.build().unwrap().preflight(
        "chain.pem",
        &read_chain(chain.as_bytes()),
        Some("server.example.com"),
        &[profile],
        at,
    )
}

fn plain_root() -> String {
    block("CERTIFICATE", read_certificates(roots()["nothing"].as_bytes()).certificates[0].der())
}

fn block(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// The same in a capture: the device that took this chain is not one that distrusts its root, and so nothing is found; but
/// the chain is not said to be trusted.
#[test]
fn a_chain_in_a_capture_is_not_trusted_by_a_rejected_root() {
    let root = std::fs::read("captures/pki/adatum-root.pem").unwrap();
    let status = |root: &[u8]| {
        let analyzer = Analyzer::builder().root("root.pem", root).build().unwrap();
        let report = analyzer.analyze(&std::fs::read("captures/chain-order-root-sent.pcap").unwrap()[..], "capture");
        report.unwrap().devices[0].handshakes[0].chain.status
    };
    assert_eq!(status(&root), ChainStatus::Trusted);
    // As `openssl x509 -trustout -addreject serverAuth` writes it.
    let reject = b"\x30\x0c\xa0\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01";
    let der = [read_certificates(&root).certificates[0].der(), reject].concat();
    assert_eq!(status(block("TRUSTED CERTIFICATE", &der).as_bytes()), ChainStatus::Invalid);
}

#[test]
fn a_root_is_trusted_for_servers_where_openssl_trusts_it() {
    let roots = roots();
    assert_eq!(ANSWERS.lines().count(), roots.len());
    for line in ANSWERS.lines() {
        let (label, answer) = line.split_once('\t').unwrap();
        // A server may send its root too.
        for chain in [SERVER.to_owned(), format!("{SERVER}{}", plain_root())] {
            let report = preflight(&chain, &[roots[label]]);
            let profile = &report.profiles[0];
            let findings: Vec<_> = profile.findings.iter().filter(|f| f.code == "CG026").collect();
            if answer == "trusted" {
                assert_eq!((profile.usb, findings.len()), (Prospect::Works, 0), "{label}");
            } else {
                assert_eq!((profile.usb, findings.len()), (Prospect::Fails, 1), "{label}");
                assert!(findings[0].summary.contains("\"Northwind Root\""), "{label}: {}", findings[0].summary);
                assert!(findings[0].summary.contains("trust settings"), "{label}: {}", findings[0].summary);
            }
        }
    }
}

/// An anchor is a name and a key: what one file says against it, another that says nothing does not lift.
#[test]
fn a_rejection_counts_in_whichever_file_it_stands() {
    let (rejected, plain) = (roots()["reject-server"], plain_root());
    for both in [[rejected, &plain], [&plain, rejected]] {
        assert_eq!(preflight(SERVER, &both).profiles[0].usb, Prospect::Fails);
    }
    assert_eq!(preflight(SERVER, &[&plain]).profiles[0].usb, Prospect::Works);
}

#[test]
fn settings_that_decide_nothing_about_servers_are_mentioned() {
    let problems = |label| read_certificates(roots()[label].as_bytes()).problems;
    for label in ["nothing", "reject-server", "trust-server", "trust-any"] {
        assert!(problems(label).is_empty(), "{label}: {:?}", problems(label));
    }
    assert!(problems("reject-client")[0].ends_with("decide nothing about servers: rejected for clientAuth"));
    assert!(problems("trust-server-and-client")[0].ends_with("trusted for clientAuth"));
    assert!(problems("alias")[0].ends_with("the alias \"the old root\""));
}

/// OpenSSL refuses a block whose settings it cannot read.
#[test]
fn a_root_whose_settings_cannot_be_read_is_none() {
    let der = read_certificates(plain_root().as_bytes()).certificates[0].der().to_vec();
    let wrong = block("TRUSTED CERTIFICATE", &[&der[..], b"\x30\x0c\xa0\x0a\x06\x08"].concat());
    let contents = read_certificates(wrong.as_bytes());
    assert!(contents.certificates.is_empty(), "{:?}", contents.problems);
    assert_eq!(contents.problems, ["PEM block at byte 0: its trust settings cannot be read"]);
}
