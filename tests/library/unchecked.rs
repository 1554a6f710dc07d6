//! In: chains that openssl made with algorithms that cannot be checked here, and CAs that certify one another. Out: failed
//! tests where a certificate that may be the issuer is not named, where more certificates are asked for, or where such a
//! chain is said to work or to fail for sure. Left to others: the algorithms that can be checked (`x509/tests.rs`).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chaingap::Analyzer;
use chaingap::capture::Timestamp;
use chaingap::report::{PreflightProfile, Prospect};
use chaingap::trust::{Profile, Proof, read_certificates, read_chain};
use support::chains::{Draft, Key};

const CERTIFICATES: &str = include_str!("../data/unchecked/certificates.pem");

/// The algorithms, and what names them to a reader.
const ALGORITHMS: [(&str, &str); 6] = [
    ("brainpool", "brainpoolP256r1"),
    ("explicit", "explicit"),
    ("ed448", "Ed448"),
    ("dsa", "DSA with SHA-256"),
    ("pss", "RSASSA-PSS with sha256 and MGF1 with sha1"),
    ("sm2", "SM2"),
];

fn blocks() -> BTreeMap<&'static str, &'static str> {
    CERTIFICATES.split("# ").skip(1).map(|block| block.split_once('\n').unwrap()).collect()
}

fn preflight(chain: &str, bundle: &str) -> PreflightProfile {
    let root = blocks()["root"];
    let builder = Analyzer::builder().root("root.pem", root.as_bytes());
    let builder = if bundle.is_empty() { builder } else { builder.bundle("bundle.pem", bundle.as_bytes()) };
    let at = Timestamp::parse_rfc3339("2030-01-01T00:00:00Z").unwrap();
    let profile = Profile::builtin("generic-no-aia").unwrap();
    let file = read_chain(chain.as_bytes());
    builder
        .build()
        .unwrap()
        .preflight("chain.pem", &file, Some("server.example.com"), &[profile], at)
        .profiles
        .remove(0)
}

#[test]
fn what_may_be_the_issuer_is_named_as_unchecked() {
    let blocks = blocks();
    for (algorithm, name) in ALGORITHMS {
        let (server, ca) = (blocks[&*format!("{algorithm}-server")], blocks[&*format!("{algorithm}-ca")]);
        let digest = read_certificates(ca.as_bytes()).certificates[0].sha256().to_string();
        // In the bundle, or sent by the server.
        for (chain, bundle) in [(server.to_owned(), ca), (format!("{server}{ca}"), "")] {
            let told = preflight(&chain, bundle);
            let finding = &told.findings[0];
            assert_eq!((told.usb, finding.code.as_str()), (Prospect::Undecided, "CG025"), "{algorithm}");
            assert_eq!(finding.proof, Proof::Undecidable, "{algorithm}");
            assert!(finding.summary.contains(&digest), "{algorithm}: {}", finding.summary);
            assert!(finding.summary.contains(name), "{algorithm}: {}", finding.summary);
            assert!(finding.remedies[0].contains("openssl verify"), "{algorithm}: {:?}", finding.remedies);
        }
    }
}

/// A namesake with another key identifier is no candidate.
#[test]
fn another_key_identifier_is_not_named() {
    let blocks = blocks();
    let told = preflight(blocks["ed448-server"], blocks["ed448-namesake"]);
    assert!(!told.findings[0].summary.contains("SHA-256"), "{}", told.findings[0].summary);
}

/// Two CAs that certify each other, and no root.
#[test]
fn cas_that_certify_one_another_are_told_to_do_so() {
    let keys = [0, 1, 2].map(Key::new);
    let leaf = Draft::leaf(&keys[0], "CN=A", &keys[1]).make();
    let a = Draft::ca("CN=A", &keys[1], "CN=B", &keys[2]).make();
    let b = Draft::ca("CN=B", &keys[2], "CN=A", &keys[1]).make();
    let pem =
        |der: &[u8]| format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der));
    let told = preflight(&[leaf, a, b].map(|certificate| pem(certificate.der())).concat(), "");
    let finding = &told.findings[0];
    assert_eq!((told.usb, finding.code.as_str(), finding.proof), (Prospect::Undecided, "CG025", Proof::Undecidable));
    assert!(finding.summary.contains("certified by one another only"), "{}", finding.summary);
}
