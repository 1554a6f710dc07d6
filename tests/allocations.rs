//! How often reading allocates; a program of its own, because it counts with an allocator of its own.
//!
//! In: voice, bulk data and handshakes, made by `support::bench_captures`. Out: failed tests if a packet costs an
//! allocation once reading is under way, or a connection costs more than what its handshake says. Bounded: 8 and 40 MiB.
//! Left to others: how much memory the whole program takes (`tests/binary/memory.rs`).

use chaingap::Analyzer;
use support::bench_captures;

/// When the last MiB begins, the capture's calls, connections and buffers exist, and each of the sixteen downloads on
/// port 80 has stored as much as is kept of one.
#[test]
fn a_packet_of_voice_or_bulk_data_allocates_nothing() {
    for (kind, mebibytes) in [("voice", 8), ("bulk", 8), ("bulk80", 40)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture.pcap");
        assert!(bench_captures::make(kind, mebibytes << 20, path.to_str().unwrap(), None).unwrap());
        let bytes = std::fs::read(&path).unwrap();
        let (first, second) = bytes.split_at(bytes.len() - (1 << 20));

        let analyzer = Analyzer::builder().build().unwrap();
        let mut investigation = analyzer.investigate();
        let mut run = investigation.start(kind);
        run.push(first).unwrap();
        let allocated = allocation_counter::measure(|| run.push(second).unwrap());
        run.finish().unwrap();

        assert_eq!(allocated.count_total, 0, "{kind}: {} bytes at most at once", allocated.bytes_max);
        assert!(investigation.packets_of(kind) > 8_000, "{kind}");
    }
}

/// What is kept of a connection's handshake is allocated anew, some 11 KB of it. The state of the connection itself, some
/// 8 KB, is not (D-FLOW-07).
#[test]
fn a_connection_uses_the_state_of_a_finished_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("capture.pcap");
    assert!(bench_captures::make("handshakes", 4 << 20, path.to_str().unwrap(), None).unwrap());
    let bytes = std::fs::read(&path).unwrap();
    let (first, second) = bytes.split_at(bytes.len() / 2);

    let analyzer = Analyzer::builder().build().unwrap();
    let mut investigation = analyzer.investigate();
    let mut run = investigation.start("handshakes");
    run.push(first).unwrap();
    let allocated = allocation_counter::measure(|| run.push(second).unwrap());
    run.finish().unwrap();
    let connections = investigation.report().statistics.flows / 2;
    assert!(connections > 500, "{connections}");
    let each = allocated.bytes_total / connections;
    assert!(each < 15_000, "{each} bytes for each of {connections} connections");
}
