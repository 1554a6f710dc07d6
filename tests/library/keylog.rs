//! Captures with key logs: one case at TLS 1.2 and at TLS 1.3 has the same findings.
//!
//! In: the twins among the samples, and the samples with key logs. Out: with its key log a capture at TLS 1.3 says what
//! its twin at TLS 1.2 says; without one it says what it hides, and claims no more. Left to others: what the findings
//! should be (the expectations), and what Wireshark reads (the comparison with it).

use std::fs;
use std::path::{Path, PathBuf};

use chaingap::evidence::Outcome;
use chaingap::report::{Report, Severity};
use chaingap::{Analyzer, Builder};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures")
}

fn read(file: &str) -> Vec<u8> {
    fs::read(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn analyze(name: &str, keys: Option<&[u8]>) -> Report {
    let root = if name.contains("untrusted") { "pki/lucerne-root.pem" } else { "pki/wingtip-root.pem" };
    let builder: Builder = Analyzer::builder().root(root, &read(root));
    let builder = match keys {
        Some(keys) => builder.keylog("keys", keys),
        None => builder,
    };
    builder.build().unwrap().analyze(read(&format!("{name}.pcapng")).as_slice(), name).unwrap()
}

fn keys_of(name: &str) -> Option<Vec<u8>> {
    fs::read(folder().join(format!("{name}.keys"))).ok()
}

/// Code, severity, proof, the subjects missing, and the certificates that every finding names.
fn findings(report: &Report) -> Vec<String> {
    let mut all: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            let missing: Vec<_> = finding.missing.iter().map(|link| link.subject.as_str()).collect();
            let (severity, proof) = (finding.severity.as_str(), finding.proof.as_str());
            format!("{} {severity} {proof} {missing:?} {:?}", finding.code, finding.certificates)
        })
        .collect();
    all.sort();
    all
}

fn twins() -> Vec<String> {
    let names = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut twins: Vec<_> = names.filter_map(|name| name.strip_suffix("-13.pcapng").map(str::to_owned)).collect();
    twins.sort();
    assert!(twins.len() >= 7, "{twins:?}");
    twins
}

#[test]
fn with_its_secrets_a_handshake_of_tls_1_3_says_what_its_twin_says() {
    for name in twins() {
        let (older, newer) = (format!("{name}-12"), format!("{name}-13"));
        let twelve = analyze(&older, keys_of(&older).as_deref());
        let thirteen = analyze(&newer, keys_of(&newer).as_deref());
        assert_eq!(findings(&thirteen), findings(&twelve), "{name}");
        let of = |report: &Report| {
            let (device, handshake) = (&report.devices[0], &report.devices[0].handshakes[0]);
            let alerts: Vec<_> = handshake.alerts.iter().map(|alert| (alert.name.clone(), alert.from)).collect();
            let chains = (handshake.certificates.clone(), handshake.client_certificates.clone());
            (device.verdict.status, handshake.outcome, handshake.chain.status, chains, alerts)
        };
        assert_eq!(of(&thirteen), of(&twelve), "{name}");
        assert!(thirteen.captures[0].problems.is_empty(), "{name}: {:?}", thirteen.captures[0].problems);
    }
}

#[test]
fn without_secrets_it_says_what_is_hidden_and_claims_no_more() {
    for name in twins() {
        let report = analyze(&format!("{name}-13"), None);
        assert!(report.findings.iter().any(|finding| finding.code == "CG016"), "{name}: no certificate-hidden");
        let sure = |finding: &&chaingap::report::Finding| {
            finding.severity == Severity::Error && finding.proof != chaingap::report::Proof::Undecidable
        };
        assert_eq!(report.findings.iter().filter(sure).count(), 0, "{name}");
        let handshake = &report.devices[0].handshakes[0];
        assert!(handshake.certificates.is_empty());
        // OpenSSL's alerts are in clear. Otherwise only data of both sides tells the outcome, or a record as short as
        // an alert, which shows that the client refuses.
        if handshake.alerts.is_empty() && handshake.outcome != Outcome::Completed {
            let secrets = keys_of(&format!("{name}-13")).unwrap();
            let truth = analyze(&format!("{name}-13"), Some(&secrets)).devices[0].handshakes[0].outcome;
            let refuses = handshake.outcome == Outcome::ClosedByClient && truth == Outcome::RejectedByClient;
            assert!(refuses || handshake.outcome == Outcome::Undetermined, "{name}: {:?}", handshake.outcome);
        }
    }
}

#[test]
fn secrets_that_do_not_fit_are_said_and_change_nothing() {
    let name = "twin-gnutls-13";
    let keys = String::from_utf8(keys_of(name).unwrap()).unwrap();
    let without = analyze(name, None);
    // Every secret with its last digit changed.
    let wrong: Vec<_> = keys
        .lines()
        .map(|line| {
            let (start, last) = line.split_at(line.len() - 1);
            format!("{start}{}", if last == "0" { "1" } else { "0" })
        })
        .collect();
    for (log, why) in [
        (wrong.join("\n"), "the key log's secret does not fit"),
        (String::from_utf8(keys_of("twin-works-13").unwrap()).unwrap(), "the key log has no secret for the handshake"),
    ] {
        let report = analyze(name, Some(log.as_bytes()));
        assert_eq!(findings(&report), findings(&without));
        let problems = &report.captures[0].problems;
        assert!(problems.len() == 1 && problems[0].contains(why), "{problems:?}");
    }
    let empty = Analyzer::builder().keylog("keys", b"nothing here\n");
    assert_eq!(empty.problems(), ["keys: no secret of a key log in it"]);
}

#[test]
fn an_encrypted_alert_is_read() {
    for name in ["keys-late-alert", "keys-late-alert-tls10"] {
        let (without, with) = (analyze(name, None), analyze(name, keys_of(name).as_deref()));
        let handshake = |report: &Report| report.devices[0].handshakes[0].clone();
        assert_eq!(handshake(&without).outcome, Outcome::ClosedByClient, "{name}");
        assert_eq!(handshake(&with).outcome, Outcome::RejectedByClient, "{name}");
        let alerts: Vec<_> = handshake(&with).alerts.iter().map(|alert| alert.name.clone()).collect();
        assert_eq!(alerts, ["unknown_ca"], "{name}");
    }
}
