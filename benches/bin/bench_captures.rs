//! Makes the captures that the benchmarks read, from the repository's recordings:
//!
//! ```text
//! cargo run --release -p chaingap-benches --bin bench_captures -- KIND MEBIBYTES OUT.pcap [DEVICES]
//! ```
//!
//! In: the arguments. Out: a pcap of that kind and of about that size. Left to others: making it
//! (`tests/support/src/bench_captures.rs`).
//!
//! | KIND | what is in it |
//! |---|---|
//! | `voice` | 200 calls of G.711: RTP in frames of 214 bytes over UDP |
//! | `bulk` | 16 TLS connections on 443 that go on after the recorded handshake with records of 16 KiB, in segments of 1460 bytes, every second one acknowledged |
//! | `bulk80` | 16 downloads of a firmware file on port 80, in such segments |
//! | `disorder` | as `bulk`, with one segment in a hundred after its successor |
//! | `handshakes` | the two recorded sign-ins in turn, from 128 addresses, each with random values of its own |
//! | `devices` | as `handshakes`, from 5,000 addresses |
//! | `chains` | as `handshakes`, each with a server certificate of its own: the recorded one with another serial number, so that its signature is invalid |
//! | `syns` | as `devices`, only the SYN of each sign-in |
//! | `hellos` | as `devices`, each sign-in only up to its ClientHello |
//! | `mix` | 80 % `voice`, 19 % `bulk`, 1 % `handshakes` by bytes |
//! | `phones` | sign-ins of many devices, sixteen at once, at the time of the recordings: one in five each fails, works, fails three times, fetches its certificates with PIN before, and meets an expired certificate; each from an address of its own, or from DEVICES in turn |
//! | `phones-expired` | the same in 2045, when the servers' certificates have expired |

use std::process::ExitCode;

use support::bench_captures::{KINDS, make};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (kind, mebibytes, out, devices) = match arguments.as_slice() {
        [kind, mebibytes, out] => (kind, mebibytes, out, None),
        [kind, mebibytes, out, devices] if devices.parse::<u32>().is_ok_and(|devices| devices > 0) => {
            (kind, mebibytes, out, devices.parse().ok())
        }
        _ => {
            eprintln!("usage: bench_captures {} MEBIBYTES OUT.pcap [DEVICES]", KINDS.join("|"));
            return ExitCode::from(2);
        }
    };
    let Some(size) = mebibytes.parse::<u64>().ok().map(|count| count << 20) else {
        eprintln!("bench_captures: {mebibytes:?} is not a number of MiB");
        return ExitCode::from(2);
    };
    match make(kind, size, out, devices) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("bench_captures: {kind:?} is none of {}", KINDS.join(", "));
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("bench_captures: {out}: {error}");
            ExitCode::FAILURE
        }
    }
}
