#!/usr/bin/env bash
# Proof across captures, each analyzed by itself: two passes over all of them.
#
# usage: two-pass.sh TRACES OUT [OPTION OF analyze…]       such as: two-pass.sh traces out --roots root.pem
#
# A capture alone may show that an intermediate certificate is missing without showing the certificate; then the finding
# is inferred. Another capture may hold it, in a download or sent by another server. So the first pass collects the
# certificates of all captures, and the second judges each capture anew with them as --bundle: certificates that exist
# in the world. They name and prove what is missing, and never count as something that the device had.
#
# `chaingap merge` cannot take the place of the second pass: it adds reports up and judges nothing anew.
#
# Leaves OUT/certificates/*.pem, OUT/bundle.pem, OUT/reports/ (a JSON Lines file a capture), OUT/failed (captures that
# could not be read, or not within TIMEOUT seconds), OUT/summary.json, and prints the summary. Needs GNU find and xargs.
set -euo pipefail
if [ $# -lt 2 ]; then
  sed -n 's/^# usage: /usage: /p' "$0" >&2
  exit 2
fi
traces=$1 out=$2
shift 2
export TIMEOUT=${TIMEOUT:-600}
jobs=${JOBS:-$(nproc)}
mkdir "$out" "$out/certificates" "$out/reports" # never into the results of another run
find "$traces" -type f -print0 | sort -z > "$out/list"

# Pass 1: every certificate of every capture. Files are named by hash, so --force only writes the same bytes again.
xargs -0 -r -n 1 -P "$jobs" sh -c '
  timeout "$TIMEOUT" chaingap -q certs --force -o "$0/certificates" "$1" > /dev/null 2>&1 || true' "$out" < "$out/list"
# One file, since it must be on every machine that takes part in pass 2.
find "$out/certificates" -name '*.pem' -print0 | sort -z | xargs -0 -r cat > "$out/bundle.pem"
[ ! -s "$out/bundle.pem" ] || set -- --bundle "$out/bundle.pem" "$@"

# Pass 2: each capture with what all of them showed. Status 1 is a finding; more is a failure, and told.
xargs -0 -r -n 1 -P "$jobs" sh -c '
  timeout "$TIMEOUT" chaingap -q analyze --format jsonl -o "$(mktemp -u "$0/reports/XXXXXXXXXX")" "$@"
  status=$?
  for capture; do :; done
  [ "$status" -le 1 ] || echo "status $status: $capture" >> "$0/failed"' "$out" "$@" < "$out/list"

# The sum. What failed is told above; merge itself fails only where a line is no report.
find "$out/reports" -type f -exec cat {} + > "$out/reports.jsonl"
chaingap merge "$out/reports.jsonl" --format json > "$out/summary.json"
chaingap merge "$out/summary.json"
