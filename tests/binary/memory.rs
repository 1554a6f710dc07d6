//! `--max-memory`: what it bounds, and which sizes are refused.
//!
//! In: handshakes that never go on, made by `support::bench_captures`. Out: failed tests if the option does not bound what
//! is kept, or if the report does not say so. Left to others: allocations (`tests/allocations.rs`).

use std::process::Command;

use chaingap::report::Report;
use support::bench_captures;

/// Some ten thousand connections that stall within their handshake: with a sixteenth of the memory a sixteenth of them
/// is followed, and the report says how many were dropped.
#[test]
fn max_memory_bounds_what_is_kept_and_the_report_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hellos.pcap");
    let path = path.to_str().unwrap();
    assert!(bench_captures::make("hellos", 4 << 20, path, None).unwrap());
    let report = |memory: &[&str]| -> Report {
        let run = chaingap(&[&["analyze", "--format", "json", "--fail-on", "never", path], memory].concat());
        serde_json::from_slice(&run.stdout).unwrap()
    };
    let (all, few) = (report(&[]), report(&["--max-memory", "16MiB"]));
    assert!(all.complete && all.dropped.why.is_none() && all.statistics.flows > 9_000, "{:?}", all.dropped);
    assert!(few.dropped.flows > all.statistics.flows / 2, "{:?}", few.dropped);
    assert!(few.dropped.why.as_ref().is_some_and(|why| why.contains("more connections at once than are followed")));
    assert_eq!((few.statistics.flows, few.complete), (all.statistics.flows, false));
}

#[test]
fn a_memory_that_is_no_size_or_too_little_is_refused() {
    for (size, why) in
        [("1M", "at least 16M are needed"), ("much", "with K, M or G"), ("99999999999G", "with K, M or G")]
    {
        let run = chaingap(&["analyze", "--max-memory", size, "captures/usb-sign-in.pcapng"]);
        let said = String::from_utf8(run.stderr).unwrap();
        assert!(run.status.code() == Some(2) && said.contains(why), "{said}");
    }
}

fn chaingap(arguments: &[&str]) -> std::process::Output {
    let directory = env!("CARGO_MANIFEST_DIR");
    Command::new(env!("CARGO_BIN_EXE_chaingap")).args(arguments).current_dir(directory).output().unwrap()
}
