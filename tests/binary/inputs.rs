//! Which files are read, and in which order.
//!
//! In: folders with captures made for the test. Out: the captures that `chaingap analyze` lists, and what it says of those
//! it does not read. Left to others: what is in them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;

/// A ring of rotated files whose names are not in order of time; one is compressed, one holds no packet yet.
#[test]
fn the_captures_of_a_folder_are_read_in_the_order_of_time() {
    let bytes = fs::read(project("captures/expired.pcap")).unwrap();
    let (middle, end) = (a_record_after(&bytes, bytes.len() / 2), bytes.len());
    let part = |from: usize, to: usize| [&bytes[..24], &bytes[from..to]].concat();
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("ring0"), part(middle, end)).unwrap();
    fs::write(at("ring1"), &bytes[..24]).unwrap();
    fs::write(at("ring2.gz"), gzip(&part(24, middle))).unwrap();
    fs::write(at("notes.gz"), gzip(b"taken on Tuesday")).unwrap();
    let paths = |arguments: &[&str]| -> Vec<String> {
        let report: Value =
            serde_json::from_slice(&analyze(&[&["--format", "json"], arguments].concat()).stdout).unwrap();
        report["captures"]
            .as_array()
            .unwrap()
            .iter()
            .map(|capture| capture["path"].as_str().unwrap().to_owned())
            .collect()
    };
    let [ring0, ring1, ring2] = ["ring0", "ring1", "ring2.gz"].map(|name| path_text(&at(name)));
    assert_eq!(paths(&[&path_text(folder.path())]), [ring2.clone(), ring0.clone(), ring1.clone()]);
    // Files named one by one keep their order.
    assert_eq!(paths(&[&ring0, &ring1, &ring2]), [ring0, ring1, ring2]);
}

#[test]
fn a_known_format_that_is_not_read_is_named_with_what_to_do() {
    let folder = TempDir::new().unwrap();
    // The first bytes of files as Wireshark (snoop.c), the Windows SDK (WMI_BUFFER_HEADER, SYSTEM_TRACE_HEADER) and
    // PKWARE's APPNOTE describe them.
    let mut trace = vec![0; 65_536];
    trace[..4].copy_from_slice(&65_536_u32.to_le_bytes());
    trace[72..76].copy_from_slice(&[2, 0, 2, 0xc0]);
    let cases: [(&str, Vec<u8>, &str); 3] = [
        ("a.snoop", b"snoop\0\0\0\0\0\0\x02\0\0\0\x04".to_vec(), "editcap -F pcapng IN OUT.pcapng"),
        ("a.etl", trace, "pktmon etl2pcap IN.etl"),
        ("a.zip", b"PK\x03\x04\x14\0".to_vec(), "a ZIP archive; unpack it"),
    ];
    for (name, bytes, advice) in &cases {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let run = analyze(&[&path_text(&path)]);
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!((run.status.code(), run.stdout.len(), said.lines().count()), (Some(2), 0, 1), "{name}: {said}");
        assert!(said.contains(advice), "{name}: {said}");
    }
    // In a folder such captures are reported, whereas archives are skipped.
    let run = analyze(&[&path_text(folder.path())]);
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!((run.status.code(), said.lines().count()), (Some(2), 2), "{said}");
}

#[test]
fn a_capture_in_a_folder_that_is_cut_within_its_header_is_told() {
    let (pcap, pcapng) = (project("captures/expired.pcap"), project("captures/usb-sign-in.pcapng"));
    let (pcap, pcapng) = (fs::read(pcap).unwrap(), fs::read(pcapng).unwrap());
    let whole = gzip(&pcap);
    let cuts: [&[u8]; 5] = [&pcap[..4], &pcap[..23], &pcapng[..4], &pcapng[..10], &whole[..30]];
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("whole.pcapng"), &pcapng).unwrap();
    // These are no captures, or are empty.
    for (name, bytes) in [("empty", vec![]), ("empty.gz", gzip(b"")), ("notes.gz", gzip(b"taken on Tuesday"))] {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    assert_eq!(analyze(&[&path_text(folder.path()), "--fail-on", "never"]).status.code(), Some(0));
    for (index, bytes) in cuts.iter().enumerate() {
        fs::write(folder.path().join(format!("cut{index}")), bytes).unwrap();
    }
    let run = analyze(&[&path_text(folder.path()), "--fail-on", "never"]);
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!((run.status.code(), said.lines().count()), (Some(2), cuts.len()), "{said}");
    assert!(said.lines().all(|line| line.contains("/cut")), "{said}");
}

#[test]
fn the_parts_of_one_recording_are_read_in_the_order_of_time() {
    let path = |name: &str| path_text(&project("captures").join(name));
    let (first, second, root) = (path("rotated-1.pcapng"), path("rotated-2.pcapng"), path("pki/woodgrove-root.pem"));
    let run = analyze(&[&second, &first, "--continuous", "--roots", &root, "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((run.status.code(), report["captures"][0]["path"].as_str()), (Some(0), Some(first.as_str())));
    assert_eq!(report["devices"].as_array().unwrap().len(), 1);
    assert_eq!(report["devices"][0]["verdict"]["status"], "degraded");
    let both = analyze(&[&first, &second, "--continuous", "--format", "jsonl"]);
    assert_eq!(both.status.code(), Some(2), "one report of all, and one of each");
}

fn analyze(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chaingap")).arg("analyze").args(arguments).output().unwrap()
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn path_text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The offset of the first record of a little-endian pcap file at or after this one.
fn a_record_after(bytes: &[u8], least: usize) -> usize {
    let length = |at: usize| 16 + u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap()) as usize;
    let mut at = 24;
    while at < least {
        at += length(at);
    }
    at
}
