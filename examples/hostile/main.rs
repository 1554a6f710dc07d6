//! Measures what hostile captures cost: `cargo run --release --example hostile [PART-OF-A-NAME…]` prints a table.
//!
//! In: the cases. Out: for each its size, the time, the peak of memory, and what the report says was lost. Each runs in a
//! process of its own, so that its memory is its own; `--scale N` makes a part of a hundred of each.

#[allow(dead_code)]
mod cases;
#[path = "../../tests/chains/mod.rs"]
mod chains;
mod packets;

use std::io::Read;
use std::process::Command;
use std::time::Instant;

use cases::{CASES, Case};
use chaingap::Analyzer;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--one", name, count] => {
            let case = CASES.iter().find(|case| case.name == name).expect("a case");
            measure(case, count.parse().expect("a count"));
        }
        ["--scale", percent, ref parts @ ..] => table(percent.parse().expect("a number"), parts),
        ref parts => table(100, parts),
    }
}

fn table(percent: u64, parts: &[&str]) {
    println!("| capture | of | input, MiB | s | MiB/s | memory, MiB | what the report says was lost |");
    println!("|---|---|---|---|---|---|---|");
    for case in CASES.iter().filter(|case| parts.is_empty() || parts.iter().any(|part| case.name.contains(part))) {
        let count = (case.full * percent / 100).max(1);
        let executable = std::env::current_exe().expect("this program");
        let status = Command::new(executable).args(["--one", case.name, &count.to_string()]).status();
        if !status.is_ok_and(|status| status.success()) {
            println!("| {} | {count} {} | | | | | FAILED |", case.name, case.unit);
        }
    }
}

/// Analyzes one capture, and prints its line.
fn measure(case: &Case, count: u64) {
    // What making it takes is measured first and taken off.
    let start = Instant::now();
    std::io::copy(&mut (case.make)(count), &mut std::io::sink()).expect("a source that does not fail");
    let making = start.elapsed().as_secs_f64();
    let mut read = Counted { read: (case.make)(count), bytes: 0 };
    let start = Instant::now();
    let report = Analyzer::builder().build().analyze(&mut read, case.name);
    let (seconds, bytes) = ((start.elapsed().as_secs_f64() - making).max(0.001), read.bytes);
    let said = match report {
        Ok(report) => said(&report),
        Err(error) => error.to_string(),
    };
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    let (name, unit, memory) = (case.name, case.unit, peak_memory());
    println!(
        "| {name} | {count} {unit} | {mebibytes:.1} | {seconds:.1} | {:.1} | {memory} | {said} |",
        mebibytes / seconds
    );
}

/// What a report says of loss: what was dropped and why, the first problem, and the findings about what was not seen whole.
fn said(report: &chaingap::report::Report) -> String {
    const NOT_WHOLE: [&str; 3] = ["CG004", "CG017", "CG025"];
    let dropped = &report.dropped;
    let forgotten = (dropped.flows > 0).then(|| format!("{} connections forgotten", dropped.flows));
    let why = dropped
        .why
        .as_deref()
        .map(|why| why.trim_end_matches("; a verdict may suffer; --max-memory allows more").to_owned());
    let problem = report.captures.iter().flat_map(|capture| &capture.problems).next().cloned();
    let codes = NOT_WHOLE.iter().filter(|code| report.findings.iter().any(|finding| finding.code == **code));
    let all = [forgotten, why, problem].into_iter().flatten().chain(codes.map(|code| (*code).to_owned()));
    let said = all.collect::<Vec<_>>().join("; ");
    if said.is_empty() { "–".into() } else { said }
}

/// Counts what is read.
struct Counted {
    read: Box<dyn Read>,
    bytes: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.read.read(buffer)?;
        self.bytes += count as u64;
        Ok(count)
    }
}

/// Peak of resident memory in mebibytes, as Linux counts it; 0 elsewhere.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1024
}
