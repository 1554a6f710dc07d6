#!/bin/sh
# Makes the fixtures of the TLS tests that no recording holds, beside this script: OCSP responses by openssl's responder,
# and a certificate compressed by each algorithm of RFC 8879. Needs openssl (3.0 or later), zstd, and python3 with the
# package brotli. rfc8448.txt is the RFC's own text and not made here.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }
key "$work/ca.key"
key "$work/leaf.key"
openssl req -new -x509 -key "$work/ca.key" -subj '/CN=Contoso OCSP CA' -days 7300 -out "$work/ca.pem"
openssl req -new -key "$work/leaf.key" -subj '/CN=pool.contoso.test' -out "$work/leaf.csr"
openssl x509 -req -in "$work/leaf.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -set_serial 0x00f1e2d3c4 -days 7300 \
    -out "$work/leaf.pem" 2>/dev/null
openssl x509 -in "$work/leaf.pem" -outform DER -out ocsp-leaf.der

# respond NAME LINE: what the responder says with this line in its index; without one it knows nothing of the serial.
respond() {
    printf '%b' "$2" >"$work/index.txt"
    openssl ocsp -index "$work/index.txt" -CA "$work/ca.pem" -rsigner "$work/ca.pem" -rkey "$work/ca.key" \
        -issuer "$work/ca.pem" -cert "$work/leaf.pem" -ndays 3650 -respout "ocsp-$1.der" >/dev/null 2>&1
}
respond good 'V\t440101000000Z\t\tF1E2D3C4\tunknown\t/CN=pool.contoso.test\n'
respond revoked 'R\t440101000000Z\t250601000000Z,keyCompromise\tF1E2D3C4\tunknown\t/CN=pool.contoso.test\n'
respond unknown ''

# A Certificate message of TLS 1.3 with one certificate and no extensions, by each algorithm.
python3 - "$work" <<'PY'
import sys, zlib, brotli
der = open("ocsp-leaf.der", "rb").read()
entry = len(der).to_bytes(3, "big") + der + b"\0\0"
body = b"\0" + len(entry).to_bytes(3, "big") + entry
open(sys.argv[1] + "/body", "wb").write(body)
open("certificate.zlib", "wb").write(zlib.compress(body))
open("certificate.br", "wb").write(brotli.compress(body))
PY
zstd -q -c "$work/body" >certificate.zst
