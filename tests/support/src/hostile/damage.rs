//! Sample captures cut at many places and damaged at many bytes.
//!
//! In: the captures of the repository, those in other formats and on other links, too. Out: a panic if one of them makes
//! the program panic, breaks a promise that holds for every report, or takes ten times as long as the sound capture.
//! Bounded: one place in every `stride` bytes.

use std::fs;
use std::time::{Duration, Instant};

use chaingap::Analyzer;
use chaingap::report::Report;

use crate::{broken_promises, project};

/// Cuts each of these samples at each `stride`th byte, and returns how many prefixes were analyzed.
pub fn every_prefix(samples: &[(String, Vec<u8>)], stride: usize) -> usize {
    let (analyzer, mut count) = (Analyzer::builder().build().unwrap(), 0);
    for (number, (name, bytes)) in samples.iter().enumerate() {
        let original = analyze(&analyzer, bytes).1;
        for length in (number % stride..bytes.len()).step_by(stride) {
            withstands(&analyzer, &bytes[..length], original, &|| format!("{name}, the first {length} bytes"));
            count += 1;
        }
    }
    count
}

/// Damages each `stride`th byte of each of these samples, one at a time, and returns how many there were.
pub fn every_damaged_byte(samples: &[(String, Vec<u8>)], stride: usize) -> usize {
    let (analyzer, mut count) = (Analyzer::builder().build().unwrap(), 0);
    for (number, (name, bytes)) in samples.iter().enumerate() {
        let original = analyze(&analyzer, bytes).1;
        let mut bytes = bytes.clone();
        for at in ((number * 31) % stride..bytes.len()).step_by(stride) {
            // One bit, or all of them.
            let mask = [0xff, 1, 0x80, 0x10][at % 4];
            bytes[at] ^= mask;
            withstands(&analyzer, &bytes, original, &|| format!("{name}, byte {at} ^ {mask:#x}"));
            bytes[at] ^= mask;
            count += 1;
        }
    }
    count
}

/// Shorter times mean nothing on a machine that does other things as well.
const NOISE: Duration = Duration::from_millis(100);

/// Name and bytes of each sample capture; of those in other formats and links, too.
pub fn samples() -> Vec<(String, Vec<u8>)> {
    let folders = ["captures", "captures/formats", "captures/links"];
    let paths =
        folders.iter().flat_map(|folder| fs::read_dir(project(folder)).unwrap().map(|entry| entry.unwrap().path()));
    let mut paths: Vec<_> = paths.filter(|path| path.is_file()).collect();
    paths.sort();
    let read = paths
        .into_iter()
        .map(|path| (path.strip_prefix(project("")).unwrap().display().to_string(), fs::read(&path).unwrap()));
    let analyzer = Analyzer::builder().build().unwrap();
    read.filter(|(name, bytes)| analyzer.analyze(bytes.as_slice(), name).is_ok()).collect()
}

/// The report, or `None` for an error, and how long it took.
fn analyze(analyzer: &Analyzer, bytes: &[u8]) -> (Option<Report>, Duration) {
    let start = Instant::now();
    let report = analyzer.analyze(bytes, "capture").ok();
    (report, start.elapsed())
}

/// Analyzes a changed capture. It is too slow only if it is so three times.
fn withstands(analyzer: &Analyzer, bytes: &[u8], original: Duration, what: &dyn Fn() -> String) {
    let most = (original * 10).max(NOISE);
    let (report, mut time) = analyze(analyzer, bytes);
    for _ in 0..2 {
        time = if time > most { analyze(analyzer, bytes).1 } else { time };
    }
    assert!(time <= most, "{}: {time:?} instead of {original:?}", what());
    let broken = report.map(|report| broken_promises(&report)).unwrap_or_default();
    assert!(broken.is_empty(), "{}: {broken:?}", what());
}
