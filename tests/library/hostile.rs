//! Sample captures cut at every place and damaged at every byte, and captures made to exhaust memory or time.
//!
//! In: the captures of the repository, and the cases of `support::hostile` in their small form. Out: failed tests where
//! the program panics, breaks a promise that holds for every report, takes ten times as long as for the sound capture,
//! or does not say what it left out. Bounded: some places of each capture. Left to others: more places,
//! memory, and the cases in full (`cargo run --release -p chaingap-benches --bin hostile`).

use std::fs;
use std::time::{Duration, Instant};

use chaingap::Analyzer;
use chaingap::limits::Limits;
use chaingap::render;
use chaingap::report::Report;
use support::broken_promises;
use support::hostile::{CASES, Case, damage};

/// One place in so many bytes; `cargo run --release -p chaingap-benches --bin hostile -- --damage 29` takes more of them.
const STRIDE: usize = 1_499;

#[test]
fn every_prefix_gives_a_report_or_an_error() {
    let count = damage::every_prefix(&samples("prefixes"), STRIDE);
    assert!(count > support::share_of(500), "{count}");
}

#[test]
fn every_damaged_byte_gives_a_report_or_an_error() {
    let count = damage::every_damaged_byte(&samples("damaged bytes"), STRIDE);
    assert!(count > support::share_of(500), "{count}");
}

/// A hostile capture is read to its end in reasonable time, and its report keeps its promises.
#[test]
fn hostile_captures_end() {
    for case in support::share("hostile captures", CASES) {
        let start = Instant::now();
        let report = small(case);
        let time = start.elapsed();
        println!("{:50} {time:.1?}", case.name);
        // Generous, for unoptimized code on a busy machine; what grows faster than its input takes minutes.
        assert!(time < Duration::from_secs(60), "{}: {time:?}", case.name);
        let broken = report.map(|report| broken_promises(&report)).unwrap_or_default();
        assert!(broken.is_empty(), "{}: {broken:?}", case.name);
    }
}

/// Messages that are never complete, on many connections at once: the report says what was not kept, and each
/// connection's start is still read.
#[test]
fn messages_under_way_are_bounded_together() {
    let limits = support::limits(|limits| limits.messages_bytes = 1 << 20);
    let analyzer = Analyzer::builder().limits(limits).build().unwrap();
    let name = "Certificate messages of 1 MiB, none ends";
    let case = CASES.iter().find(|case| case.name == name).unwrap();
    let report = analyzer.analyze((case.make)(8), name).unwrap();
    let problems = &report.captures[0].problems;
    let said = |problem: &&String| problem.contains("were not kept") && problem.contains("more than 1 MiB");
    assert_eq!(problems.iter().filter(said).count(), 1, "{problems:?}");
    let seen = report.devices.iter().map(|device| device.handshakes_total).sum::<u64>();
    assert_eq!(seen, 8, "every ClientHello was read");
}

/// A part of a chain is not judged as if it were complete.
#[test]
fn more_certificates_than_any_chain_has_are_not_judged() {
    let case = CASES.iter().find(|case| case.name == "one Certificate message of 3,000 certificates").unwrap();
    let report = small(case).unwrap();
    let finding = report.findings.iter().find(|finding| finding.code == "CG025").expect("undecided");
    assert!(finding.summary.contains("more than 256 certificates"), "{}", finding.summary);
}

/// More certificates than are kept: the report says so, CAs are kept in preference to others, and every certificate
/// that was sent in a handshake of the report is listed.
#[test]
fn of_many_certificates_those_of_cas_are_kept_and_those_shown() {
    let names = ["usb-full-chain", "usb-sign-in", "same-name-other-key", "expired"];
    // The same handshake in another format would count as seen at another tap.
    let wanted = |path: &str| path.matches('/').count() == 1 && names.iter().any(|name| path.contains(name));
    let samples: Vec<_> = damage::samples().into_iter().filter(|(path, _)| wanted(path)).collect();
    let report = |certificates: usize| {
        let analyzer =
            Analyzer::builder().limits(support::limits(|limits| limits.certificates = certificates)).build().unwrap();
        let mut investigation = analyzer.investigate();
        samples.iter().for_each(|(name, bytes)| investigation.read(bytes.as_slice(), name).unwrap());
        investigation.report()
    };
    let (all, few) = (report(8_192), report(4));
    let leaves = all.certificates.values().filter(|certificate| !certificate.ca).count();
    assert!(leaves > 2 && all.dropped.why.is_none(), "{leaves}");
    assert!(
        !few.complete && few.dropped.why.as_ref().is_some_and(|why| why.contains("more certificates than are kept"))
    );
    let kept = few.certificates.values().filter(|certificate| !certificate.ca && !certificate.seen.is_empty());
    assert_eq!(kept.count(), 1, "a quarter of four");
    let total = |report: &Report| report.devices.iter().map(|device| device.handshakes_total).sum::<u64>();
    assert_eq!((total(&few), few.devices.len()), (total(&all), all.devices.len()), "each handshake is counted");
    let unkept = few.devices.iter().find(|device| device.handshakes.is_empty() && device.handshakes_total > 0);
    let verdict = &unkept.expect("a device without room for its handshakes").verdict;
    assert!(verdict.summary.starts_with("cannot be decided") && verdict.finding.is_none(), "{}", verdict.summary);
    for handshake in few.devices.iter().flat_map(|device| &device.handshakes) {
        let listed = |sha256: &&String| few.certificates.contains_key(*sha256);
        assert!(handshake.certificates.iter().all(|sha256| listed(&sha256)), "{}", handshake.id);
    }
}

/// A handshake that fails and was dropped for lack of space: the device is not called fine because of the one that
/// works, and every reader is told.
#[test]
fn what_there_was_no_room_for_does_not_count_as_fine() {
    let name = "captures/other-ca-refused.pcapng";
    let bytes = fs::read(name).unwrap();
    let report = |limits| Analyzer::builder().limits(limits).build().unwrap().analyze(bytes.as_slice(), name).unwrap();
    let one = support::limits(|limits| (limits.handshakes, limits.handshakes_per_device) = (0, 1));
    let (all, few) = (report(Limits::default()), report(one));
    let device = |report: &Report| report.devices.iter().find(|device| device.handshakes_total == 2).unwrap().clone();
    assert_eq!(device(&all).verdict.status.as_str(), "fails", "as it was recorded");
    assert!(all.dropped.why.is_none() && device(&few).handshakes.len() == 1);
    let verdict = device(&few).verdict;
    assert_eq!((verdict.status.as_str(), verdict.finding), ("undecided", None), "{}", verdict.summary);
    assert!(verdict.summary.starts_with("cannot be decided: of the 2 TLS handshakes 1 that did not complete"));
    assert!(few.findings.iter().all(|finding| finding.code != "CG030"), "nothing says that TLS is fine");
    assert!(!few.complete);
    let why = few.dropped.why.clone().unwrap();
    assert!(why.starts_with("more handshakes of one device than are kept"), "{why}");
    let style = render::TextStyle { color: false, width: 200 };
    for told in [render::text(&few, &style), render::html(&few), render::markdown(&few), render::junit(&few)] {
        assert!(told.contains("more handshakes of one device than are kept"), "{told}");
    }
}

/// Readable samples, of which a plain run takes a share.
fn samples(what: &str) -> Vec<(String, Vec<u8>)> {
    support::share(what, damage::samples()).collect()
}

fn small(case: &Case) -> Option<Report> {
    Analyzer::builder().build().unwrap().analyze((case.make)(case.small), case.name).ok()
}
