//! Times the stages that every packet goes through, and the search for a path:
//!
//! ```text
//! cargo bench -p chaingap-benches
//! ```
//!
//! In: 16 MiB of voice, bulk data and handshakes made by `support::bench_captures`. Out: time and bytes a
//! second of each stage with all those before it, so that the difference is what it costs. Bounded: by the captures.
//! Left to others: whole runs (`peers.sh`).

use std::hint::black_box;

use chaingap::Analyzer;
use chaingap::capture::{CaptureReader, Frame};
use chaingap::decode::{Decoder, Packet};
use chaingap::flow::FlowTable;
use chaingap::limits::Limits;
use chaingap::protocol::tls::KeyLog;
use chaingap::protocol::{Context, Conversation, Outputs};
use chaingap::trust::{PathFinder, Purpose};
use divan::Bencher;
use divan::counter::BytesCount;
use support::bench_captures;
use support::chains::{self, Draft, Key};

const KINDS: [&str; 3] = ["voice", "bulk", "handshakes"];

fn main() {
    divan::main();
}

fn capture(kind: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("capture.pcap");
    assert!(bench_captures::make(kind, 16 << 20, path.to_str().unwrap(), None).unwrap());
    std::fs::read(path).unwrap()
}

/// Benchmarks what `begin` returns, called with every frame of a capture.
fn with_frames<S: FnMut(&Frame<'_>)>(bencher: Bencher<'_, '_>, kind: &str, begin: impl Fn() -> S + Sync) {
    let bytes = capture(kind);
    bencher.counter(BytesCount::of_slice(&bytes)).bench(|| {
        let (mut reader, mut sink, mut rest) = (CaptureReader::new(0), begin(), bytes.as_slice());
        while !rest.is_empty() {
            let space = reader.space();
            let count = space.len().min(rest.len());
            space[..count].copy_from_slice(&rest[..count]);
            rest = &rest[count..];
            reader.commit(count);
            while let Some(frame) = reader.next_frame().unwrap() {
                sink(&frame);
            }
        }
    });
}

#[divan::bench(args = KINDS)]
fn a_frames(bencher: Bencher<'_, '_>, kind: &str) {
    with_frames(bencher, kind, || {
        |frame| {
            black_box(frame.data);
        }
    });
}

#[divan::bench(args = KINDS)]
fn b_decode(bencher: Bencher<'_, '_>, kind: &str) {
    with_frames(bencher, kind, || {
        let mut decoder = Decoder::new(&Limits::default());
        move |frame: &Frame<'_>| {
            decoder.decode(frame, &mut |packet| {
                black_box(packet);
            })
        }
    });
}

#[divan::bench(args = KINDS)]
fn c_flows(bencher: Bencher<'_, '_>, kind: &str) {
    with_frames(bencher, kind, || {
        let limits = Limits::default();
        let (mut decoder, mut flows) = (Decoder::new(&limits), FlowTable::new(|_| ()));
        move |frame: &Frame<'_>| {
            decoder.decode(frame, &mut |packet| {
                if let Packet::Tcp(segment) = packet {
                    let push = &mut |(): &mut (), _, piece: chaingap::flow::Piece<'_>, _| {
                        black_box(piece);
                    };
                    flows.segment(&segment, &limits, push, |()| true);
                    while flows.next_ended().is_some() {}
                }
            });
        }
    });
}

#[divan::bench(args = KINDS)]
fn d_protocols(bencher: Bencher<'_, '_>, kind: &str) {
    let keys = KeyLog::default();
    with_frames(bencher, kind, || {
        let limits = Limits::default();
        let (mut decoder, mut flows) = (Decoder::new(&limits), FlowTable::new(Conversation::begin));
        let (mut outputs, keys) = (Outputs::default(), &keys);
        move |frame: &Frame<'_>| {
            decoder.decode(frame, &mut |packet| {
                if let Packet::Tcp(segment) = packet {
                    let context = Context { limits: &limits, keys };
                    let settled = Conversation::is_settled;
                    let push = &mut |conversation: &mut Conversation, side, piece: chaingap::flow::Piece<'_>, at| {
                        conversation.push(side, piece, at, context, &mut outputs);
                    };
                    flows.segment(&segment, &limits, push, settled);
                    while let Some(flow) = flows.next_ended() {
                        black_box(flow);
                    }
                }
            });
        }
    });
}

#[divan::bench(args = KINDS)]
fn e_report(bencher: Bencher<'_, '_>, kind: &str) {
    let (bytes, analyzer) = (capture(kind), Analyzer::builder().build().unwrap());
    let analyze = || analyzer.analyze(bytes.as_slice(), kind).unwrap();
    bencher.counter(BytesCount::of_slice(&bytes)).bench(analyze);
}

/// A path of four certificates among this many certificates of other CAs; signatures are checked anew each time.
#[divan::bench(args = [0, 100, 4_000])]
fn path_search(bencher: Bencher<'_, '_>, others: u64) {
    let keys: Vec<Key> = (0..4).map(Key::new).collect();
    let anchors = [chains::anchor(&Draft::root("CN=Root", &keys[0]).make())];
    let mut heap = vec![
        Draft::ca("CN=Policy", &keys[1], "CN=Root", &keys[0]).make(),
        Draft::ca("CN=Issuing", &keys[2], "CN=Policy", &keys[1]).make(),
    ];
    heap.extend((0..others).map(|at| Draft::ca(&format!("CN=Other {at}"), &keys[3], "CN=Root", &keys[0]).make()));
    let leaf = Draft::leaf(&keys[3], "CN=Issuing", &keys[2]).make();
    let pool = chains::known(&heap);
    bencher.bench(|| PathFinder::new(20_000).find(&leaf, Purpose::Server, &anchors, &[&pool]));
}
