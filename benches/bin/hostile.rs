//! Measures what hostile captures cost: `cargo run --release -p chaingap-benches --bin hostile [PART-OF-A-NAME…]` prints a table.
//!
//! In: the cases. Out: for each its size, its time, its peak memory with the default limits and with those of 64 MiB,
//! and what the report says was lost; status 1 if one fails or takes more. Each runs in a process of its own, so that
//! its memory is measured alone; `--scale N` makes N hundredths of each. `--damage N` instead cuts and damages the
//! samples at every Nth byte, and runs every seed.

use std::io::Read;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use chaingap::Analyzer;
use chaingap::limits::Limits;
use support::hostile::{CASES, Case, damage};
use support::{entries, seeds};

/// MiB of the second memory measurement: a quarter of what the default limits are made for.
const LESS: u64 = 64;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--one", name, count, mebibytes] => {
            let case = CASES.iter().find(|case| case.name == name).expect("a case");
            measure(case, number(count), Limits::within(number(mebibytes) << 20));
            ExitCode::SUCCESS
        }
        ["--damage", stride] => damage(stride.parse().expect("a number")),
        ["--scale", percent, ref parts @ ..] => table(number(percent), parts),
        ref parts => table(100, parts),
    }
}

/// Cuts and damages the samples, and runs every seed of the repository; each panics if something is wrong.
fn damage(stride: usize) -> ExitCode {
    let seeds = seeds::all();
    for (name, seeds) in &seeds {
        seeds.iter().for_each(|seed| entries::run(name, seed));
    }
    let samples = damage::samples();
    let counts = std::thread::scope(|scope| {
        let bytes = scope.spawn(|| damage::every_damaged_byte(&samples, stride));
        (damage::every_prefix(&samples, stride), bytes.join().expect("no panic"))
    });
    println!(
        "{} seeds, {} prefixes, {} damaged bytes",
        seeds.values().map(|of| of.len()).sum::<usize>(),
        counts.0,
        counts.1
    );
    ExitCode::SUCCESS
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

/// Prints the table, and says whether each capture was read to its end within the memory that the limits are made for.
fn table(percent: u64, parts: &[&str]) -> ExitCode {
    println!(
        "| capture | of | input, MiB | s | MiB/s | memory, MiB | within {LESS} MiB | what the report says was lost |\n\
         |---|---|--:|--:|--:|--:|--:|---|"
    );
    let mut all_held = true;
    for case in CASES.iter().filter(|case| parts.is_empty() || parts.iter().any(|part| case.name.contains(part))) {
        let count = (case.full * percent / 100).max(1);
        let runs = [Limits::DEFAULT_BYTES >> 20, LESS].map(|mebibytes| (mebibytes, measured(case, count, mebibytes)));
        let held = |(most, lines): &(u64, Option<[String; 3]>)| {
            lines.as_ref().is_some_and(|[_, memory, _]| number(memory) <= *most)
        };
        all_held &= runs.iter().all(held);
        let cells = match runs {
            [(_, Some([figures, memory, said])), (_, Some([_, less, _]))] => {
                format!("{figures} | {memory} | {less} | {said}")
            }
            _ => "FAILED".into(),
        };
        println!("| {} | {count} {} | {cells} |", case.name, case.unit);
    }
    if all_held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The lines that another process prints about a capture: input, time and rate; memory; what was lost.
fn measured(case: &Case, count: u64, mebibytes: u64) -> Option<[String; 3]> {
    let executable = std::env::current_exe().expect("this program");
    let arguments = ["--one", case.name, &count.to_string(), &mebibytes.to_string()];
    let output = Command::new(executable).args(arguments).stderr(Stdio::inherit()).output().ok()?;
    let lines: Vec<_> = String::from_utf8(output.stdout).ok()?.lines().map(str::to_owned).collect();
    output.status.success().then_some(lines)?.try_into().ok()
}

/// Analyzes one capture, and prints its figures.
fn measure(case: &Case, count: u64, limits: Limits) {
    // What making it takes is measured first, on no more than the unscaled case has, and subtracted.
    let part = count.min(case.full);
    let start = Instant::now();
    std::io::copy(&mut (case.make)(part), &mut std::io::sink()).expect("a source that does not fail");
    let making = start.elapsed().as_secs_f64() * count as f64 / part as f64;
    let mut read = Counted { read: (case.make)(count), bytes: 0 };
    let start = Instant::now();
    let report = Analyzer::builder().limits(limits).build().unwrap().analyze(&mut read, case.name);
    let (seconds, bytes) = ((start.elapsed().as_secs_f64() - making).max(0.001), read.bytes);
    let said = match report {
        Ok(report) => said(&report),
        Err(error) => error.to_string(),
    };
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    println!("{mebibytes:.1} | {seconds:.1} | {:.1}\n{}\n{said}", mebibytes / seconds, peak_memory());
}

/// What a report says about loss: what was dropped and why, the first problem, and the findings about incomplete data.
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

/// Counts the bytes that are read.
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
