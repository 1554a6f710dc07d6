#!/usr/bin/env bash
# Writes the seeds that the repository's captures and test data give into fuzz/corpus.
set -euo pipefail
cd "$(dirname "$0")/.."
CHAINGAP_SEEDS=$PWD/fuzz/corpus cargo test --locked --test library the_seeds -- --nocapture
