#!/usr/bin/env bash
# Validates every machine-readable output against its official schema, with independent validators. The argument is the
# program. What cannot be fetched is skipped, loudly.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
chaingap=$(realpath "${1:-target/release/chaingap}") || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

skip() { echo "SKIPPED: $1"; }

# The schema of SARIF 2.1.0 comes from a package of Microsoft's; that of JUnit, as Jenkins publishes it, from pytest's
# sources.
fetch() {
  python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet jsonschema==4.26.0 || return
  (cd "$work" && npm pack --silent @microsoft/jest-sarif@1.0.0-beta.0 > /dev/null && tar xzf microsoft-jest-sarif-*.tgz) ||
    skip 'SARIF: npm cannot fetch @microsoft/jest-sarif'
  (cd "$work" && "$work/venv/bin/pip" download --quiet --no-deps --no-binary pytest pytest==9.2.0 &&
    tar xzf pytest-*.tar.gz --wildcards --strip-components 3 '*/junit-10.xsd') ||
    skip 'JUnit: the sources of pytest cannot be fetched from PyPI'
}

# Writes the outputs for all samples, and for reports with hostile words in them.
make() {
  local root=captures/pki/root.pem capture name
  "$chaingap" analyze captures --roots $root --format jsonl -o "$work/all.jsonl"
  for capture in captures/*.pcap*; do
    name=$(basename "$capture")
    for format in json sarif junit markdown; do
      "$chaingap" analyze "$capture" --roots $root --format $format -o "$work/$name.$format"
    done
    "$chaingap" certs "$capture" --roots $root --format json > "$work/$name.certs.json"
  done
  "$chaingap" compare captures/pin-sign-in.pcapng captures/usb-sign-in.pcapng --format json > "$work/compare.json"
  "$chaingap" check captures --format json -o "$work/check.json"
  "$chaingap" check captures --format junit -o "$work/check.junit"
  "$chaingap" preflight captures/pki/server.pem --all-profiles --format json -o "$work/preflight.json"
  "$chaingap" profiles --format json -o "$work/profiles.json"
  "$chaingap" explain --format json -o "$work/explain.json" &&
  "$chaingap" stacks --format json -o "$work/stacks.json"
  "$chaingap" merge "$work/all.jsonl" --format json -o "$work/summary.json"
  CHAINGAP_OUTPUTS=$work cargo test --locked --quiet --test library no_format
}

fetch || skip 'JSON and SARIF: jsonschema cannot be fetched from PyPI'
for program in xmllint cmark-gfm; do
  command -v $program > /dev/null || skip "WHAT $program CHECKS: it is not installed"
done
make > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }

if [ -x "$work/venv/bin/python" ]; then
  "$work/venv/bin/python" .ci/formats.py "$work" || failed=1
fi
if command -v xmllint > /dev/null && [ -e "$work/junit-10.xsd" ]; then
  if xmllint --noout --schema "$work/junit-10.xsd" "$work"/*.junit 2> "$work/xml"; then
    echo "JUnit: $(grep -c ' validates$' "$work/xml") documents fit the schema"
  else
    grep -v ' validates$' "$work/xml" | head -20
    failed=1
  fi
fi
if command -v cmark-gfm > /dev/null; then
  python3 .ci/markdown.py "$work"/*.markdown || failed=1
fi
python3 .ci/terminal.py "$chaingap" || failed=1
exit $failed
