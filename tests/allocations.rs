//! In: voice, bulk data and hellos as `examples/bench_captures.rs` makes them. Out: failed tests where a packet costs an
//! allocation once reading is under way, or where `--max-memory` does not bound what is kept and say so. Bounded: 8 and
//! 40 MiB. Left to others: how much memory the whole program takes.

#[allow(dead_code, reason = "the program that makes one capture a run")]
#[path = "../examples/bench_captures.rs"]
mod bench_captures;

use std::process::Command;

use chaingap::Analyzer;
use chaingap::report::Report;

/// Before its last MiB a capture's calls, connections and buffers are there, and of each of the sixteen downloads on
/// port 80 as much as is kept of one.
#[test]
fn a_packet_of_voice_or_bulk_data_allocates_nothing() {
    for (kind, mebibytes) in [("voice", 8), ("bulk", 8), ("bulk80", 40)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture.pcap");
        assert!(bench_captures::make(kind, mebibytes << 20, path.to_str().unwrap()).unwrap());
        let bytes = std::fs::read(&path).unwrap();
        let (first, second) = bytes.split_at(bytes.len() - (1 << 20));

        let analyzer = Analyzer::builder().build();
        let mut investigation = analyzer.investigate();
        let mut run = investigation.start(kind);
        run.push(first).unwrap();
        let allocated = allocation_counter::measure(|| run.push(second).unwrap());
        run.finish().unwrap();

        assert_eq!(allocated.count_total, 0, "{kind}: {} bytes at most at once", allocated.bytes_max);
        assert!(investigation.packets_of(kind) > 8_000, "{kind}");
    }
}

/// Some ten thousand connections that wait within their handshake: with a sixteenth of the memory a sixteenth of them is
/// followed, and the report says of how many the rest was forgotten.
#[test]
fn max_memory_bounds_what_is_kept_and_the_report_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hellos.pcap");
    let path = path.to_str().unwrap();
    assert!(bench_captures::make("hellos", 4 << 20, path).unwrap());
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
