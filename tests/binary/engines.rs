//! One report, whoever reads the capture and on however many processors.
//!
//! In: the sample captures, those in other formats and on other links, damaged ones, and one larger than what a single
//! thread reads. Out: failed tests where the report depends on the number of threads. Left to others: other engines
//! that run the program (`integrations/`).

use std::fs;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use chaingap::{Analyzer, render};
use flate2::write::GzEncoder;
use support::{bench_captures, share, share_of};

/// A reader that fails at the end of its bytes.
struct Breaks<'a>(&'a [u8]);

impl Read for Breaks<'_> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        match self.0.read(space)? {
            0 => Err(io::Error::other("the cable was pulled")),
            count => Ok(count),
        }
    }
}

/// The report, and how reading ended, with one thread and with two.
fn told(bytes: &[u8], ahead: bool, breaks: bool) -> (Option<String>, String) {
    let analyzer = Analyzer::builder().build().unwrap();
    let mut investigation = analyzer.investigate();
    let ended = match (ahead, breaks) {
        (false, false) => investigation.read(bytes, "capture"),
        (false, true) => investigation.read(Breaks(bytes), "capture"),
        (true, false) => investigation.read_ahead(bytes, "capture"),
        (true, true) => investigation.read_ahead(Breaks(bytes), "capture"),
    };
    (ended.err().map(|error| error.to_string()), render::json(&investigation.report()))
}

#[test]
fn a_second_thread_changes_nothing() {
    let mut count = 0;
    for path in share("engines", files_below(Path::new("captures"))) {
        let bytes = fs::read(&path).unwrap();
        let name = path.display();
        assert_eq!(told(&bytes, true, false), told(&bytes, false, false), "{name}");
        let half = &bytes[..bytes.len() / 2];
        assert_eq!(told(half, true, false), told(half, false, false), "half of {name}");
        assert_eq!(told(half, true, true), told(half, false, true), "{name}, with a read error");
        let mut damaged = bytes.clone();
        damaged.iter_mut().skip(bytes.len() / 3).step_by(1009).for_each(|byte| *byte ^= 0x55);
        assert_eq!(told(&damaged, true, false), told(&damaged, false, false), "{name}, damaged");
        count += 1;
    }
    assert!(count > share_of(200), "{count} captures and what lies beside them");
}

#[test]
fn one_large_capture_by_one_processor_and_by_more() {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["mix", "devices"] {
        let path = folder.path().join(kind);
        let path = path.to_str().unwrap();
        // A second thread reads ahead from 4 MiB on.
        let bytes = if support::everything() { 12 << 20 } else { 5 << 20 };
        assert!(bench_captures::make(kind, bytes, path, None).unwrap());
        let expected = chaingap(&["analyze", "--format", "json", "--jobs", "1", path]);
        assert!(expected.contains("\"handshakes\""));
        for jobs in ["2", "7", "0"] {
            assert!(chaingap(&["analyze", "--format", "json", "--jobs", jobs, path]) == expected, "{kind}, {jobs}");
        }
        // Stored, not deflated, so that the file is large enough for a second thread.
        let packed = format!("{path}.gz");
        let mut gzip = GzEncoder::new(fs::File::create(&packed).unwrap(), flate2::Compression::none());
        gzip.write_all(&fs::read(path).unwrap()).unwrap();
        gzip.finish().unwrap();
        let expected = chaingap(&["analyze", "--format", "json", "--jobs", "1", &packed]);
        assert!(chaingap(&["analyze", "--format", "json", &packed]) == expected, "{kind}, compressed");
    }
}

#[test]
fn several_captures_by_one_processor_and_by_more() {
    let lines = |jobs: &str| chaingap(&["analyze", "--format", "jsonl", "--jobs", jobs, "captures"]);
    let expected = lines("1");
    assert!(expected.lines().count() > 200);
    let jobs = if support::everything() { &["2", "3", "0"][..] } else { &["3"] };
    for jobs in jobs {
        assert!(lines(jobs) == expected, "{jobs}");
    }
}

fn chaingap(arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_chaingap"))
        .args(["-q"])
        .args(arguments)
        .args(["--roots", "captures/pki/root.pem", "--fail-on", "never"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    String::from_utf8(run.stdout).unwrap()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}
