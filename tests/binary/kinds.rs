//! The table of docs/files.md: which command reads which kind of file, and what the others say of it.
//!
//! In: a file of every kind in the table, under a name that says nothing. Out: failed tests where a cell of the table is
//! not what the program does, where a refusal does not say what the file is, or where anything of a private key is
//! shown. Left to others: what is read from the files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const CHAIN: [&str; 3] = ["server", "issuing", "policy"];

/// The private key of RFC 8410 section 10.3.
const KEY: &str = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";

fn pem(names: &[&str]) -> String {
    names.iter().map(|name| fs::read_to_string(format!("captures/pki/{name}.pem")).unwrap()).collect()
}

/// How the program refuses a file, or says that it is not what it was given for.
const REFUSALS: &[&str] = &[
    "no certificate found",
    "no certificate in",
    "not a capture",
    "no report",
    "no secret",
    "cannot be read",
    "not a text",
];

/// How it says what the file is; a TOML file of another kind is known by its first key that does not belong.
const TELLING: &[&str] = &[
    "it is ",
    "archive",
    "cannot be read",
    "is empty",
    "no report in it",
    "unknown field",
    "unknown key",
    "missing field",
];

/// The certificates' letters alone, without PEM lines.
fn letters(name: &str) -> String {
    pem(&[name]).lines().filter(|line| !line.starts_with('-')).collect()
}

fn der(name: &str) -> Vec<u8> {
    decode(&letters(name))
}

fn decode(letters: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(letters).unwrap()
}

fn wide(text: &str, mark: &str) -> Vec<u8> {
    format!("{mark}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A file of each kind in the table.
fn files() -> BTreeMap<&'static str, Vec<u8>> {
    let (chain, key_log) = (pem(&CHAIN), fs::read("captures/keys-compressed.keys").unwrap());
    let profile = "name = \"my-phone\"\ndescription = \"a phone\"\n";
    let capture = fs::canonicalize("captures/usb-sign-in.pcapng").unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_chaingap")).args(["analyze", "--format", "jsonl"]).arg(capture).output();
    BTreeMap::from([
        ("certificates, PEM", chain.clone().into_bytes()),
        ("certificates, PEM with CR LF", chain.replace('\n', "\r\n").into_bytes()),
        ("certificates, PEM in UTF-8 with a mark", format!("\u{feff}{chain}").into_bytes()),
        ("certificates, PEM in UTF-16", wide(&chain, "\u{feff}")),
        ("certificates, PEM in UTF-16 without a mark", wide(&chain, "")),
        ("certificate, DER (.cer)", der("server")),
        ("certificate, base64 (.cer)", letters("server").into_bytes()),
        ("PKCS#7, DER (.p7b)", fs::read("tests/data/files/server.p7b").unwrap()),
        ("PKCS#7, PEM (.p7b)", fs::read("tests/data/files/server-p7b.pem").unwrap()),
        ("serialized store (.sst)", fs::read("tests/data/files/server.sst").unwrap()),
        ("certificate, cut", der("server")[..300].to_vec()),
        ("PKCS#12 (.p12, .pfx)", fs::read("tests/data/files/server.p12").unwrap()),
        ("Java keystore", b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\0".to_vec()),
        ("private key, PEM", format!("-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----\n").into_bytes()),
        ("private key, DER", decode(KEY)),
        ("certificate request", include_bytes!("../data/protocol/request.der").to_vec()),
        ("capture", fs::read("captures/usb-sign-in.pcapng").unwrap()),
        ("key log", key_log.clone()),
        ("key log in UTF-16", wide(&String::from_utf8(key_log).unwrap(), "\u{feff}")),
        ("profile", profile.into()),
        ("profile in UTF-16", wide(profile, "")),
        ("expectation", expectation().into_bytes()),
        ("expectation in UTF-16", wide(&expectation(), "\u{feff}")),
        ("report, JSON Lines", run.as_ref().unwrap().stdout.clone()),
        ("report in UTF-16", wide(&String::from_utf8(run.unwrap().stdout).unwrap(), "\u{feff}")),
        ("web page", b"<!DOCTYPE html>\n<html><title>Sign in</title></html>\n".to_vec()),
        ("ZIP archive", b"PK\x03\x04\x14\0".to_vec()),
        ("empty file", Vec::new()),
    ])
}

/// An expectation of the capture that lies beside it.
fn expectation() -> String {
    let text = fs::read_to_string("captures/usb-sign-in.no-roots.expect.toml").unwrap();
    text.replace("usb-sign-in.pcapng", "capture.pcapng")
}

/// How each command of the table's head is run on a file.
fn run(command: &str, file: &Path) -> Output {
    let mut run = Command::new(env!("CARGO_BIN_EXE_chaingap"));
    let (server, capture) = ("captures/pki/server.pem", "captures/keys-compressed.pcapng");
    let at = ["--at", "2026-06-01T00:00:00Z"];
    match command {
        "analyze" => run.args(["analyze", "--fail-on", "never"]).arg(file),
        "compare" => run.args(["compare", "captures/pin-sign-in.pcapng"]).arg(file),
        "certs" => run.arg("certs").arg(file),
        "annotate" => run.arg("annotate").arg(file).arg("-o").arg(file.with_extension("out")),
        "preflight" => run.args(["preflight", "--fail-on", "never"]).arg(file).args(at),
        "--roots" | "--installed" | "--bundle" => {
            run.args(["preflight", "--fail-on", "never", server, command]).arg(file).args(at)
        }
        "--keylog" => run.args(["analyze", "--fail-on", "never", capture, "--keylog"]).arg(file),
        "--profile" => run.args(["preflight", "--fail-on", "never", server, "--profile"]).arg(file).args(at),
        "merge" => run.arg("merge").arg(file),
        "check" => {
            fs::copy(file, file.with_file_name("x.expect.toml")).unwrap();
            run.arg("check").arg(file.parent().unwrap())
        }
        other => panic!("no such command: {other}"),
    };
    run.output().unwrap()
}

/// The rows of the table: a kind, and whether each command reads it.
fn table() -> (Vec<String>, Vec<(String, Vec<String>)>) {
    let text = fs::read_to_string("docs/files.md").unwrap();
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    let mut rows = text.lines().skip_while(|line| !line.starts_with("| kind")).take_while(|line| line.starts_with('|'));
    let head = cells(rows.next().unwrap()).split_off(1);
    let rows = rows.skip(1).map(cells).map(|mut row| (row.remove(0), row));
    (head, rows.collect())
}

#[test]
fn every_kind_of_file_is_read_or_refused_in_words() {
    let (commands, rows) = table();
    let files = files();
    assert_eq!(
        rows.iter().map(|(kind, _)| kind.as_str()).collect::<std::collections::BTreeSet<_>>(),
        files.keys().copied().collect()
    );
    let mut wrong = Vec::new();
    for (kind, cells) in &rows {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.bin");
        fs::write(&file, &files[kind.as_str()]).unwrap();
        fs::copy("captures/usb-sign-in.pcapng", folder.path().join("capture.pcapng")).unwrap();
        assert_eq!(cells.len(), commands.len(), "{kind}");
        for (command, cell) in commands.iter().zip(cells) {
            let output = run(command, &file);
            let said = String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap();
            let named = said.contains("x.bin") || said.contains("x.expect.toml");
            let refuses = REFUSALS.iter().any(|words| said.contains(words));
            let holds = match (cell.as_str(), output.status.code()) {
                ("read", Some(0 | 1)) => !refuses,
                ("told", Some(0 | 1)) => refuses,
                ("–", Some(2)) => named && said.lines().count() <= 8,
                _ => false,
            };
            let tells = cell == "read" || TELLING.iter().any(|words| said.contains(words));
            let shown = KEY.as_bytes().chunks(16).any(|part| said.contains(std::str::from_utf8(part).unwrap()));
            if !holds || !tells || shown || said.contains("panicked") {
                wrong.push(format!("{kind} × {command}: {cell}, but {:?}: {said}", output.status.code()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} cells:\n{}", wrong.len(), wrong.join("\n"));
}
