//! CG032 and CG033 against the recordings of stacks: each of their rows is told where a server has that defect, and none
//! where it has no defect or another one.
//!
//! In: `tests/stacks`, where each connection has a server with one defect, recorded from a real client. Out: failed tests.
//! Left to others: what each stack answers (docs/stacks.md), and whether that decides (`chaingap check tests/stacks`).

use std::fs;

use chaingap::Analyzer;
use chaingap::report::{Report, Severity};

/// A code, a defect of the recordings, and a word of the sentence that tells it.
const ROWS: [(&str, &str, &str); 24] = [
    ("CG032", "dh-512", "512 bits"),
    ("CG032", "dh-1024", "1024 bits"),
    ("CG032", "no-renegotiation-info", "renegotiation_info"),
    ("CG032", "suite-not-offered", "TLS_RSA_WITH"),
    ("CG032", "curve-not-offered", "the curve"),
    ("CG032", "scheme-sha1", "the signature scheme"),
    ("CG032", "version-ssl3", "SSL 3.0"),
    ("CG033", "extension-doubled", "twice"),
    ("CG033", "trailing-bytes", "surplus"),
    ("CG033", "time-with-offset", "notBefore"),
    ("CG033", "time-with-fraction", "notBefore"),
    ("CG033", "time-without-seconds", "notBefore"),
    ("CG033", "explicit-curve", "explicit parameters"),
    ("CG033", "algorithms-differ", "signature algorithm"),
    ("CG033", "list-empty", "list of certificates is empty"),
    ("CG033", "entry-empty", "empty entry"),
    ("CG033", "record-too-long", "16,384"),
    ("CG033", "flight-16k", "Certificate message is large"),
    ("CG033", "flight-40k", "Certificate message is large"),
    ("CG033", "flight-110k", "Certificate message is large"),
    ("CG033", "usage-encipherment", "lacks digitalSignature"),
    ("CG033", "usage-signature", "lacks keyEncipherment"),
    ("CG033", "serial-negative", "negative serial number"),
    ("CG033", "aki-matches-none", "authority key identifier"),
];

/// Defects of other codes, and none at all.
const NEARLY: [&str; 10] = [
    "nothing",
    "small-records",
    "leaf-alone",
    "root-unknown",
    "root-sent",
    "order-reversed",
    "leaf-expired",
    "name-not-covered",
    "wildcard-two-labels",
    "signature-damaged",
];

/// What a connection of a recording is: the defects of its server, its client, the client's answer.
fn connections(stack: &str) -> Vec<(Vec<String>, String, String)> {
    let file: toml::Table = fs::read_to_string(format!("tests/stacks/{stack}.toml")).unwrap().parse().unwrap();
    let text = |table: &toml::Value, key: &str| table[key].as_str().unwrap().to_owned();
    let defects = |table: &toml::Value| {
        table["defects"].as_array().unwrap().iter().map(|defect| defect.as_str().unwrap().to_owned()).collect()
    };
    let all = file["connection"].as_array().unwrap().iter();
    all.map(|it| (defects(it), text(it, "client"), text(it, "answer"))).collect()
}

/// Whether the hello of a stack offers RSASSA-PKCS1-v1_5 with SHA-1, 0x0201 (RFC 8446 section 4.2.3).
fn offers_sha1(stack: &str) -> bool {
    let file: toml::Table = fs::read_to_string(format!("tests/stacks/{stack}.toml")).unwrap().parse().unwrap();
    let offered = file["hello"]["signature_algorithms"].as_array().unwrap();
    offered.iter().any(|scheme| scheme.as_integer() == Some(0x0201))
}

fn report(stack: &str) -> Report {
    let read = |kind: &str| fs::read(format!("tests/stacks/{stack}.{kind}")).unwrap();
    let builder = Analyzer::builder().profile(None).root("roots.pem", &read("pem")).all_devices(true);
    builder.build().unwrap().analyze(read("pcapng").as_slice(), stack).unwrap()
}

/// The findings of CG032 and CG033 about a client: code, severity, summary and evidence.
fn told<'r>(report: &'r Report, client: &str) -> Vec<(&'r str, Severity, String)> {
    let of_client = report.findings.iter().filter(|finding| finding.device.as_deref() == Some(client));
    let of_rows = of_client.filter(|finding| matches!(finding.code.as_str(), "CG032" | "CG033"));
    let words = of_rows.map(|it| {
        let shown: Vec<&str> = it.evidence.iter().map(|evidence| evidence.what.as_str()).collect();
        (it.code.as_str(), it.severity, format!("{}; {}", it.summary, shown.join("; ")))
    });
    words.collect()
}

#[test]
fn each_row_is_told_where_a_server_has_it_and_nowhere_else() {
    let mut wrong = Vec::new();
    for stack in ["openssl-3", "gnutls", "java-17", "go-1.27"] {
        let (report, connections) = (report(stack), connections(stack));
        let only = |defect: &str| {
            let found = connections.iter().find(|(defects, ..)| defects.as_slice() == [defect]);
            found.map(|(_, client, answer)| (client.as_str(), answer.as_str()))
        };
        let mut rows = 0;
        for (code, defect, word) in ROWS {
            let Some((client, answer)) = only(defect) else { continue };
            rows += 1;
            let told = told(&report, client);
            // What the client offers is no defect.
            if defect == "scheme-sha1" && offers_sha1(stack) {
                wrong.extend(told.first().map(|row| format!("{stack} offers SHA-1: {row:?}")));
                continue;
            }
            let row = told.iter().find(|(known, _, words)| *known == code && words.contains(word));
            match row {
                None => wrong.push(format!("{stack}, {defect}: {told:?}")),
                Some((_, Severity::Info, _)) => {}
                Some(_) if answer == "accepts" => wrong.push(format!("{stack} accepts {defect}: {told:?}")),
                Some(_) => {}
            }
        }
        assert!(rows >= 20, "{stack} has {rows} rows");
        for defect in NEARLY {
            let (client, _) = only(defect).unwrap_or_else(|| panic!("{stack} lacks {defect}"));
            let told = told(&report, client);
            if told.iter().any(|(_, severity, _)| *severity > Severity::Info || defect == "nothing") {
                wrong.push(format!("{stack}, {defect}: {told:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
