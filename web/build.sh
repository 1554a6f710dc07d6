#!/usr/bin/env bash
# Builds the page: web/build.sh [OUT.html], by default chaingap.html. Where the compiler has WebAssembly as a target
# already, this is no more than `cargo run -p chaingap-web`.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# Before the environment, which is for the other target.
cargo build --locked --quiet --manifest-path "$root/Cargo.toml" -p chaingap-web
lines=$("$root/release/toolchain.sh" wasm32-wasip1)
eval "$lines"
"$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")/debug/chaingap-web" "$@"
