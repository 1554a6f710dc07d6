//! `chaingap annotate`, as users meet it and as Wireshark reads it.
//!
//! In: the program and the sample captures, `tshark` where it is installed. Out: every piece of evidence is a comment,
//! the excerpt leads to the same findings as the whole, credentials and secrets are left out, no file is lost. Without
//! `tshark` a line that says that Wireshark was not asked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use support::tell;
use tempfile::TempDir;

const PIN: &str = "captures/pin-sign-in.pcapng";
const ROOT: &str = "captures/pki/root.pem";

fn chaingap(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

fn report(path: &str) -> Value {
    let out = chaingap(&["analyze", path, "--roots", ROOT, "--format", "json"]);
    serde_json::from_slice(&out.stdout).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn annotate(path: &str, target: &Path, options: &[&str]) -> String {
    let arguments = [&["annotate", path, "--roots", ROOT, "--force", "-o", target.to_str().unwrap()], options].concat();
    let out = chaingap(&arguments);
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!((out.status.code(), out.stdout.len()), (Some(0), 0), "{path}: {said}");
    said
}

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "pcap" || end == "pcapng"));
    paths.sort();
    assert!(paths.len() >= 30);
    paths
}

/// What the evidence of a report says, by frame.
fn evidence(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let pieces = findings.flat_map(|finding| {
        let names = format!("{} {}", finding["code"].as_str().unwrap(), finding["name"].as_str().unwrap());
        let evidence = finding["evidence"].as_array().unwrap().iter();
        evidence.map(move |e| format!("{names}, frame {}: {}", e["frame"], e["what"].as_str().unwrap()))
    });
    let mut pieces: Vec<_> = pieces.collect();
    pieces.sort();
    pieces
}

/// The comments that Wireshark shows on frames; `None` without it.
fn comments(path: &Path) -> Option<Vec<String>> {
    let fields = ["-T", "fields", "-E", "aggregator=\u{1}", "-e", "frame.comment"];
    let out = Command::new("tshark").args(["-n", "-r"]).arg(path).args(fields).output().ok()?;
    let text = String::from_utf8(out.stdout).unwrap();
    let split = text.lines().flat_map(|line| line.split('\u{1}')).filter(|comment| !comment.is_empty());
    let mut comments: Vec<_> = split.map(str::to_owned).collect();
    comments.sort();
    Some(comments)
}

#[test]
fn wireshark_shows_a_comment_for_each_piece_of_evidence() {
    let folder = TempDir::new().unwrap();
    let (target, mut total) = (folder.path().join("out.pcapng"), 0);
    // Wireshark is slow to start: every eighth sample, or all of them if the oracles are asked for.
    let step = if std::env::var_os("CHAINGAP_ORACLES").is_some() { 1 } else { 8 };
    for path in samples().into_iter().step_by(step) {
        let path = path.to_str().unwrap();
        annotate(path, &target, &[]);
        let Some(found) = comments(&target) else {
            return tell("SKIPPED: tshark is not installed, so WIRESHARK SAW NO COMMENT");
        };
        assert_eq!(found, evidence(&report(path)), "{path}");
        total += found.len();
    }
    assert!(total * step > 100, "{total}");
}

#[test]
fn an_excerpt_leads_to_the_findings_of_the_whole() {
    let folder = TempDir::new().unwrap();
    let target = folder.path().join("out.pcapng");
    for path in support::share("excerpts", samples()) {
        let path = path.to_str().unwrap();
        annotate(path, &target, &[]);
        let names = |report: &Value| -> Vec<[Value; 4]> {
            // Summaries are not compared, since some count the capture's packets. Devices without evidence are not in
            // the excerpt.
            let findings = report["findings"].as_array().unwrap().iter();
            let findings = findings.filter(|finding| finding["severity"] != "info");
            findings.map(|f| ["id", "severity", "proof", "remedies"].map(|member| f[member].clone())).collect()
        };
        let excerpt = report(target.to_str().unwrap());
        assert_eq!(names(&excerpt), names(&report(path)), "{path}");
        let problems = excerpt["captures"][0]["problems"].as_array().unwrap();
        assert!(
            !problems.iter().any(|problem| problem.as_str().unwrap().starts_with("offset")),
            "{path}: {problems:?}"
        );
    }
}

/// A copy of the PIN sign-in in which the phone's requests authenticate.
fn with_authorization(folder: &Path) -> PathBuf {
    let mut bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(PIN)).unwrap();
    let (from, to) = (b"\r\nAccept: */*", b"\r\nCookie: s3c");
    let places: Vec<usize> =
        bytes.windows(from.len()).enumerate().filter(|(_, w)| w == from).map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| bytes[at..at + to.len()].copy_from_slice(to));
    let path = folder.join("authorized.pcapng");
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn requests_with_credentials_stay_home_unless_asked_for() {
    let folder = TempDir::new().unwrap();
    let (source, target) = (with_authorization(folder.path()), folder.path().join("out.pcapng"));
    let source = source.to_str().unwrap();
    let has = |text: &[u8]| fs::read(&target).unwrap().windows(text.len()).any(|window| window == text);
    let said = annotate(source, &target, &[]);
    assert!(said.contains("left out because they carry credentials: frames ") && !has(b"s3c"), "{said}");
    assert!(has(b"PKCS") || has(b"HTTP/1."), "the answer is there");
    let said = annotate(source, &target, &["--with-credentials"]);
    assert!(!said.contains("left out") && has(b"s3c"), "{said}");
    assert!(!annotate(PIN, &target, &[]).contains("left out"));
}

#[test]
fn tickets_stay_home_unless_asked_for() {
    // Passwords can be guessed offline from what Kerberos encrypts with them; tshark shows a ticket request in frame
    // 19.
    let folder = TempDir::new().unwrap();
    let target = folder.path().join("out.pcapng");
    let said = annotate("captures/usb-directory.pcapng", &target, &[]);
    assert!(said.contains("left out because they carry credentials: frames 19 ("), "{said}");
    assert!(!annotate("captures/usb-directory.pcapng", &target, &["--with-credentials"]).contains("left out"));
}

#[test]
fn secrets_of_the_capture_go_along_only_when_asked_for() {
    let folder = TempDir::new().unwrap();
    let (source, target) = (folder.path().join("secrets.pcapng"), folder.path().join("out.pcapng"));
    let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(PIN)).unwrap();
    // The random of the one ClientHello: after a record header, a message header and the version (RFC 5246, 7.4.1.2).
    let hello = bytes.windows(6).position(|bytes| matches!(bytes, [22, 3, 1, 0, _, 1])).unwrap();
    let random: String = bytes[hello + 11..hello + 43].iter().map(|byte| format!("{byte:02x}")).collect();
    let (own, other) = (format!("CLIENT_RANDOM {random} 00\n"), format!("CLIENT_RANDOM {} 11\n", "ab".repeat(32)));
    let log = format!("{own}{other}");
    // A secrets block, after the section header, whose second word is its length.
    let header = usize::try_from(u32::from_le_bytes(bytes[4..8].try_into().unwrap())).unwrap();
    let mut block = Vec::new();
    let words = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>();
    let (length, padded) = (log.len(), log.len().next_multiple_of(4));
    let number = |number: usize| u32::try_from(number).unwrap();
    block.extend(words(&[10, number(20 + padded), 0x544c_534b, number(length)]));
    block.extend(log.bytes().chain(std::iter::repeat(0)).take(padded));
    block.extend(words(&[number(20 + padded)]));
    fs::write(&source, [&bytes[..header], &block, &bytes[header..]].concat()).unwrap();
    let has = |text: &str| fs::read(&target).unwrap().windows(text.len()).any(|window| window == text.as_bytes());
    annotate(source.to_str().unwrap(), &target, &[]);
    assert!(!has(&own));
    annotate(source.to_str().unwrap(), &target, &["--embed-secrets"]);
    assert!(has(&own) && !has(&other), "secrets of handshakes that are not in the excerpt are left out");
    let file = folder.path().join("keys.log");
    fs::write(&file, &log).unwrap();
    annotate(PIN, &target, &["--keylog", file.to_str().unwrap()]);
    assert!(!has(&own));
    annotate(PIN, &target, &["--keylog", file.to_str().unwrap(), "--embed-secrets"]);
    assert!(has(&own) && !has(&other));
}

#[test]
fn the_servers_have_their_names_and_the_file_says_what_it_is() {
    let folder = TempDir::new().unwrap();
    let target = folder.path().join("out.pcapng");
    annotate(PIN, &target, &[]);
    let bytes = fs::read(&target).unwrap();
    let has = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    // A record of the name resolution block: IPv4, 26 bytes, the address and a name that ends with a zero.
    assert!(has(b"\x0a\x14\x1e\x0alyncpool.contoso.test\0"));
    assert!(has(b"the evidence in captures/pin-sign-in.pcapng"));
    let capinfos = Command::new("capinfos").arg(&target).output();
    let Ok(out) = capinfos else { return };
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.contains("Time precision:") || text.contains("nanoseconds (9)"), "{text}");
    assert!(text.contains("Capture length = 262144"), "the interface is kept: {text}");
}

#[test]
fn no_file_is_lost() {
    let folder = TempDir::new().unwrap();
    let source = folder.path().join("a.pcapng");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(PIN), &source).unwrap();
    let (path, before) = (source.to_str().unwrap(), fs::read(&source).unwrap());
    let own = chaingap(&["annotate", path, "-o", path, "--force"]);
    assert_eq!((own.status.code(), fs::read(&source).unwrap()), (Some(2), before));
    let target = folder.path().join("out.pcapng");
    fs::write(&target, "precious").unwrap();
    assert_eq!(chaingap(&["annotate", path, "-o", target.to_str().unwrap()]).status.code(), Some(2));
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    let stdin = chaingap(&["annotate", "-", "-o", target.to_str().unwrap(), "--force"]);
    assert!(stdin.status.code() == Some(2) && String::from_utf8_lossy(&stdin.stderr).contains("must be a file"));
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
}
