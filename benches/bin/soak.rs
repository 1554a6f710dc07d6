//! Reads captures over and over in one process, and says whether its memory stays the same:
//!
//! ```text
//! cargo run --release -p chaingap-benches --bin soak -- MINUTES CAPTURE|DIR…
//! ```
//!
//! In: captures, and everything else in the folders. Each round reads every file as it is, then cut and damaged at
//! places that change from round to round, alone and all in one investigation, and writes each report in every format.
//! Out: a line each minute with what was read and the resident memory (Linux only); status 1 if the last tenth of the
//! time takes over a tenth more than the second tenth. Bounded: by the files. Left to others: whether the reports are
//! right.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chaingap::report::Report;
use chaingap::{Analyzer, render};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((minutes, paths)) = arguments.split_first() else { return usage() };
    let Ok(minutes) = minutes.parse::<u64>() else { return usage() };
    let mut files: Vec<PathBuf> = paths.iter().flat_map(|path| files_below(Path::new(path))).collect();
    files.sort();
    if files.is_empty() {
        return usage();
    }
    let (start, length) = (Instant::now(), Duration::from_secs(60 * minutes));
    let mut done = Done::default();
    let (mut samples, mut next) = (Vec::new(), Duration::ZERO);
    println!("| minute | rounds | captures read | MiB read | reports with a finding | resident, MiB |");
    println!("|--:|--:|--:|--:|--:|--:|");
    while start.elapsed() < length {
        let analyzer = Analyzer::builder().build().unwrap();
        let mut together = analyzer.investigate();
        for file in &files {
            let Ok(bytes) = fs::read(file) else { continue };
            let name = file.display().to_string();
            let place = usize::try_from(done.captures).unwrap_or(0).wrapping_mul(2_654_435_761) % bytes.len().max(1);
            let mut damaged = bytes.clone();
            damaged.iter_mut().skip(place).step_by(5_003).for_each(|byte| *byte ^= 0x20);
            for bytes in [&bytes[..], &bytes[..place], &damaged] {
                done.add(bytes.len(), analyzer.analyze(bytes, &name).ok());
            }
            // A file that is no capture is listed as such and does not affect the others.
            let _ = together.read_ahead(bytes.as_slice(), &name);
        }
        done.add(0, Some(together.report()));
        done.rounds += 1;
        if start.elapsed() >= next {
            let Done { rounds, captures, bytes, findings } = done;
            let (minute, resident) = (start.elapsed().as_secs() / 60, resident());
            println!("| {minute} | {rounds} | {captures} | {} | {findings} | {resident:.1} |", bytes >> 20);
            samples.push(resident);
            next = start.elapsed() + Duration::from_secs(60);
        }
    }
    let tenth = (samples.len() / 10).max(1);
    let most = |samples: &[f64]| samples.iter().copied().fold(0.0, f64::max);
    let (early, late) = (samples.iter().skip(tenth).take(tenth), samples.iter().rev().take(tenth));
    let (early, late) = (most(&early.copied().collect::<Vec<_>>()), most(&late.copied().collect::<Vec<_>>()));
    println!("\nMost in the second tenth of the time: {early:.1} MiB, in the last: {late:.1} MiB.");
    if early > 0.0 && late > early * 1.1 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

#[derive(Clone, Copy, Default)]
struct Done {
    rounds: u64,
    captures: u64,
    bytes: u64,
    findings: u64,
}

impl Done {
    fn add(&mut self, length: usize, report: Option<Report>) {
        self.captures += 1;
        self.bytes += u64::try_from(length).unwrap_or(0);
        let Some(report) = report else { return };
        self.findings += u64::from(!report.findings.is_empty());
        let style = render::TextStyle { color: false, width: 100 };
        assert!(render::FORMATS.iter().all(|format| !format.show(&report, &style).is_empty()));
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: soak MINUTES CAPTURE|DIR…");
    ExitCode::from(2)
}

fn files_below(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else { return vec![path.to_owned()] };
    entries.flatten().flat_map(|entry| files_below(&entry.path())).collect()
}

/// Resident memory in MiB; 0 where the system does not tell.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
