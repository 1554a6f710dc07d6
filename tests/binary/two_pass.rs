//! Proof across captures that are analyzed one by one: `integrations/two-pass.sh`, as a user runs it.
//!
//! In: the PIN sign-in and the USB sign-in as separate captures, and files that are none. Out: the second pass proves
//! what the first could only infer; adding reports up does not. Left to others: what `certs`, `--bundle` and `merge` do
//! by themselves.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use chaingap::report::{Report, Summary};
use tempfile::TempDir;

const ROOT: &str = "captures/pki/root.pem";

/// The script, or another program, with `chaingap` on its path.
fn run(program: &str, arguments: &[&str]) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_chaingap")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    Command::new(program).args(arguments).env("PATH", path).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn reports(lines: &str) -> Vec<Report> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Code, proof, and whether each absent certificate is named, of the first finding about this capture.
fn headline(reports: &[Report], capture: &str) -> (String, String, Vec<bool>) {
    let report = reports.iter().find(|report| report.captures[0].path.ends_with(capture)).unwrap();
    let finding = &report.findings[0];
    let named = finding.missing.iter().map(|missing| missing.candidates.len() == 1).collect();
    (finding.code.clone(), format!("{:?}", finding.proof), named)
}

#[test]
fn the_second_pass_proves_what_another_capture_shows() {
    let folder = TempDir::new().unwrap();
    let traces = folder.path().join("traces of a week");
    fs::create_dir(&traces).unwrap();
    for name in ["pin-sign-in.pcapng", "usb-sign-in.pcapng"] {
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name), traces.join(name)).unwrap();
    }
    fs::write(traces.join("notes.txt"), "taken on Tuesday\n").unwrap();
    let (traces, out) = (traces.to_str().unwrap(), folder.path().join("out"));
    let arguments = ["integrations/two-pass.sh", traces, out.to_str().unwrap(), "--roots", ROOT];
    let made = run("bash", &arguments);
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));

    let alone = run("chaingap", &["analyze", traces, "--format", "jsonl", "--roots", ROOT]);
    let alone = String::from_utf8(alone.stdout).unwrap();
    let both = text(&out.join("reports.jsonl"));
    let inferred = ("CG001".to_owned(), "Inferred".to_owned(), vec![false]);
    assert_eq!(headline(&reports(&alone), "usb-sign-in.pcapng"), inferred);
    let proven = ("CG001".to_owned(), "Proven".to_owned(), vec![true, true]);
    assert_eq!(headline(&reports(&both), "usb-sign-in.pcapng"), proven);
    // What the PIN sign-in showed by itself is unchanged.
    let pin = |lines: &str| headline(&reports(lines), "pin-sign-in.pcapng");
    assert_eq!(pin(&alone), pin(&both));

    // Adding reports up judges nothing: the sum of the first pass is still inferred, that of the second proven.
    let sum = |lines: &str| {
        fs::write(folder.path().join("lines"), lines).unwrap();
        let merged = run("chaingap", &["merge", folder.path().join("lines").to_str().unwrap(), "--format", "json"]);
        let summary: Summary = serde_json::from_slice(&merged.stdout).unwrap();
        let count = &summary.findings["CG001"];
        (count.inferred, count.proven)
    };
    assert_eq!((sum(&alone), sum(&both)), ((1, 0), (0, 1)));
    let summary: Summary = serde_json::from_str(&text(&out.join("summary.json"))).unwrap();
    assert_eq!((summary.reports, summary.captures_with_problems, summary.findings["CG001"].proven), (3, 1, 1));
    let failed = text(&out.join("failed"));
    assert!(failed.ends_with("traces of a week/notes.txt\n") && failed.lines().count() == 1, "{failed}");

    let again = run("bash", &arguments);
    assert!(!again.status.success(), "the results of another run are left alone");
}

#[test]
fn captures_without_certificates_need_no_bundle() {
    let folder = TempDir::new().unwrap();
    let (traces, out) = (folder.path().join("traces"), folder.path().join("out"));
    fs::create_dir(&traces).unwrap();
    fs::write(traces.join("empty.pcap"), "").unwrap();
    let made = run("bash", &["integrations/two-pass.sh", traces.to_str().unwrap(), out.to_str().unwrap()]);
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    let summary: Summary = serde_json::from_str(&text(&out.join("summary.json"))).unwrap();
    assert_eq!((summary.reports, summary.captures_with_problems), (1, 1));
    assert!(!String::from_utf8_lossy(&made.stderr).contains("bundle"), "{made:?}");
}
