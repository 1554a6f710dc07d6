//! `--redact`: nothing tells where the captures are from, and everything else is unchanged.
//!
//! In: the program and the sample captures. Out: no address, name, path or digest of theirs in any format. Left to
//! others: single words (`report/redact.rs`).

use std::process::Command;

use chaingap::render::FORMATS;
use chaingap::report::Redaction;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Words that identify the samples: domains and companies, networks, network cards, names of hosts and files.
const TELLING: &[&str] = &[
    "contoso",
    "northwind",
    "fabrikam",
    "adatum",
    "tailspin",
    "lyncpool",
    "10.20.30.",
    "10.20.3",
    "fd00:",
    "02:15:5d",
    "usb-sign-in",
    "pin-sign-in",
    "captures/",
    "MIID",
];

fn analyze(options: &[&str]) -> String {
    let roots =
        ["--roots", "captures/pki/root.pem", "--bundle", "captures/pki/adatum-issuing.pem", "--fail-on", "never"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
    let command = command.arg("analyze").args(roots).args(options).current_dir(env!("CARGO_MANIFEST_DIR"));
    let out = command.output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{options:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn telling(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let found = TELLING.iter().filter_map(|word| lower.find(&word.to_lowercase()));
    found.map(|at| lower.chars().skip(lower[..at].chars().count().saturating_sub(60)).take(140).collect()).collect()
}

#[test]
fn nothing_in_any_format_tells_whose_it_is() {
    // The other formats are made from the same report.
    let formats = FORMATS.iter().map(|format| format.name).filter(|name| support::everything() || *name == "json");
    for format in formats {
        let text = analyze(&["captures", "--redact", "--format", format]);
        let found = telling(&text);
        assert!(found.is_empty(), "{format}: {found:#?}");
        // Without the option the same words appear.
        assert!(telling(&analyze(&["captures", "--format", format])).len() >= 5, "{format}");
    }
}

#[test]
fn a_comparison_tells_as_little() {
    for format in ["text", "json", "markdown", "html"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
        let samples = ["captures/pin-sign-in.pcapng", "captures/usb-sign-in.pcapng"];
        command.args(["compare", "--redact", "--format", format, "--roots", "captures/pki/root.pem"]).args(samples);
        let out = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(out.status.code() == Some(1) && telling(&text).is_empty(), "{:#?}", telling(&text));
    }
}

#[test]
fn what_is_said_stays() {
    let of = |options: &[&str]| -> Value {
        serde_json::from_str(&analyze(&[&["captures", "--all-devices", "--format", "json"], options].concat())).unwrap()
    };
    let (plain, redacted) = (of(&[]), of(&["--redact"]));
    for member in ["statistics", "complete", "schema"] {
        assert_eq!(plain[member], redacted[member]);
    }
    let list = |report: &Value, member: &str| report[member].as_array().unwrap().clone();
    for (before, after) in list(&plain, "findings").iter().zip(list(&redacted, "findings")) {
        for member in ["code", "severity", "proof", "occurrences", "first_time"] {
            assert_eq!(before[member], after[member]);
        }
        assert_eq!(before["evidence"].as_array().unwrap().len(), after["evidence"].as_array().unwrap().len());
        // A finding still belongs to its device, and to the certificates that it names.
        assert_eq!(before["device"].is_null(), after["device"].is_null());
        let known = |device: &Value| list(&redacted, "devices").iter().any(|known| known["id"] == *device);
        assert!(after["device"].is_null() || known(&after["device"]), "{after}");
        for sha256 in after["certificates"].as_array().unwrap() {
            assert!(redacted["certificates"].get(sha256.as_str().unwrap()).is_some(), "{sha256}");
        }
    }
    let hellos = |report: &Value| -> Vec<Value> {
        let devices = list(report, "devices");
        let handshakes = devices.iter().flat_map(|device| list(device, "handshakes"));
        let members = ["client_hello", "server_hello", "key_exchange"];
        handshakes.flat_map(|handshake| members.map(|member| handshake[member].clone())).collect()
    };
    assert!(hellos(&plain).iter().any(|hello| hello["prime_bits"] == 1024), "they are in the report");
    assert_eq!(hellos(&plain), hellos(&redacted));
    let headlines = |report: &Value| {
        list(report, "devices").iter().map(|device| device["verdict"]["status"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(headlines(&plain), headlines(&redacted));
    assert_eq!(list(&plain, "findings").len(), list(&redacted, "findings").len());
    let count = |report: &Value| report["certificates"].as_object().unwrap().len();
    assert_eq!(count(&plain), count(&redacted));
}

/// A report that knows its one server only by name, so that no stand-in fits it.
#[derive(Debug, Serialize, Deserialize)]
struct Unyielding {
    server_name: Pool,
}

#[derive(Debug, Serialize, Deserialize)]
enum Pool {
    #[serde(rename = "lyncpool.contoso.test")]
    Lyncpool,
}

#[test]
fn what_cannot_be_redacted_is_not_shown() {
    let refused = Redaction::of(&Unyielding { server_name: Pool::Lyncpool }).map(|_| ()).unwrap_err().to_string();
    assert!(refused.starts_with("nothing is shown"), "{refused}");
}
