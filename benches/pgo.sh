#!/usr/bin/env bash
# Builds chaingap with profile-guided optimization, as the binaries of a release are built (D-PROJECT-02), and
# prints where it is.
#
# The compiler is trained on the repository's recordings and on 64 MiB of each kind of capture that
# benches/bin/bench_captures.rs makes from them, so that reading packets outweighs what is done once per report. Takes as
# long as three builds. Needs rustup's component llvm-tools.
set -euo pipefail
cd "$(dirname "$0")/.."
host=$(rustc -vV | sed -n 's/^host: //p')
profdata=$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata
[ -x "$profdata" ] || { echo "$0: no llvm-profdata: rustup component add llvm-tools" >&2; exit 2; }
release=target/pgo/$host/release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Built separately: together with an example the crates would get other features, and the profile would match no
# function.
cargo build --quiet --release -p chaingap-benches --bin bench_captures
build() { RUSTFLAGS=$1 cargo build --quiet --release --target "$host" --target-dir target/pgo --bins; }
build "-Cprofile-generate=$work/profiles"
for kind in voice bulk bulk80 disorder handshakes mix; do
  target/release/bench_captures "$kind" 64 "$work/$kind.pcap"
done
for capture in captures/*.pcap captures/*.pcapng "$work"/*.pcap; do
  "$release/chaingap" -q analyze --fail-on never --format json "$capture" >/dev/null
done
"$profdata" merge -o "$work/profile" "$work/profiles"
build "-Cprofile-use=$work/profile"
echo "$release/chaingap"
