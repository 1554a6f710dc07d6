//! Other certificates in recorded handshakes, where the program cannot check their signatures.
//!
//! In: a handshake of the samples in clear that the client ends with unknown_ca, and chains that openssl made
//! (`tests/data/unchecked`). The server's Certificate message is exchanged, nothing else. Out: failed tests where the
//! verdict on such a capture is wrong. Left to others: the same chains in `preflight` (`unchecked`).

use std::collections::BTreeMap;

use chaingap::Analyzer;
use chaingap::flow::Side::{Client, Server};
use chaingap::report::{Proof, Report};
use chaingap::trust::read_certificates;

use super::file::Format;
use super::session::{Words, codes, only, said, session};

/// Record and message types, RFC 5246 sections 6.2.1 and 7.4.
const HANDSHAKE: u8 = 22;
const CERTIFICATE: u8 = 11;

const CERTIFICATES: &str = include_str!("../../data/unchecked/certificates.pem");

fn blocks() -> BTreeMap<&'static str, &'static str> {
    CERTIFICATES.split("# ").skip(1).map(|block| block.split_once('\n').unwrap()).collect()
}

fn der(pem: &str) -> Vec<u8> {
    read_certificates(pem.as_bytes()).certificates[0].der().to_vec()
}

/// A length of three bytes.
fn length(of: usize) -> [u8; 3] {
    let [.., high, middle, low] = of.to_be_bytes();
    [high, middle, low]
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &length(body.len()), body].concat()
}

/// The words with these certificates in the server's Certificate message; its flight comes in one record for each message.
fn presenting(words: &Words, certificates: &[Vec<u8>]) -> Words {
    let flight: Vec<u8> =
        words.iter().filter(|(side, _)| *side == Server).flat_map(|(_, bytes)| bytes.clone()).collect();
    let (mut messages, mut at) = (Vec::new(), 0);
    while let [HANDSHAKE, 3, _, high, low, ..] = flight[at..] {
        let end = at + 5 + usize::from(high) * 256 + usize::from(low);
        messages.extend_from_slice(&flight[at + 5..end]);
        at = end;
    }
    assert_eq!(at, flight.len(), "a flight in clear");
    let entries: Vec<u8> = certificates.iter().flat_map(|der| [&length(der.len())[..], der].concat()).collect();
    let list = [&length(entries.len())[..], &entries].concat();
    let (mut out, mut at) = (Vec::new(), 0);
    while let [kind, high, middle, low, ..] = messages[at..] {
        let end = at + 4 + usize::from(high) * 65_536 + usize::from(middle) * 256 + usize::from(low);
        let sent = if kind == CERTIFICATE { message(kind, &list) } else { messages[at..end].to_vec() };
        let [.., high, low] = sent.len().to_be_bytes();
        out.extend([&[HANDSHAKE, 3, 1, high, low][..], &sent].concat());
        at = end;
    }
    let (first, last) = (words.first().unwrap().clone(), words.last().unwrap().clone());
    assert!(first.0 == Client && last.0 == Client, "hello, flight, alert");
    vec![first, (Server, out), last]
}

fn analyze(chain: &[Vec<u8>], bundle: &str) -> Report {
    let words = presenting(&said("usb-sign-in.pcapng", 443), chain);
    let frames = session(&[(443, words, Client)]);
    let builder = Analyzer::builder().root("root.pem", blocks()["root"].as_bytes());
    let builder = if bundle.is_empty() { builder } else { builder.bundle("bundle.pem", bundle.as_bytes()) };
    let analyzer = builder.build().unwrap();
    analyzer.analyze(Format::PLAIN.write(&frames).as_slice(), "session.pcap").unwrap()
}

#[test]
fn a_candidate_that_cannot_be_checked_is_named_in_captures_too() {
    let blocks = blocks();
    for algorithm in ["brainpool", "ed448", "dsa", "pss", "sm2"] {
        let (server, ca) = (blocks[&*format!("{algorithm}-server")], blocks[&*format!("{algorithm}-ca")]);
        let digest = read_certificates(ca.as_bytes()).certificates[0].sha256().to_string();
        for (chain, bundle) in [(vec![der(server)], ca), (vec![der(server), der(ca)], "")] {
            let report = analyze(&chain, bundle);
            assert!(!codes(&report).iter().any(|code| ["CG001", "CG002", "CG019"].contains(code)), "{algorithm}");
            let finding = only(&report, "CG025");
            assert_eq!(finding.proof, Proof::Undecidable, "{algorithm}");
            assert!(finding.summary.contains(&digest), "{algorithm}: {}", finding.summary);
            let asked = finding.remedies.iter().any(|remedy| remedy.contains("--bundle"));
            assert!(!asked, "{algorithm}: {:?}", finding.remedies);
        }
    }
    // A namesake with another key identifier is no candidate.
    let report = analyze(&[der(blocks["ed448-server"])], blocks["ed448-namesake"]);
    assert!(!only(&report, "CG025").summary.contains("SHA-256"), "{}", only(&report, "CG025").summary);
}
