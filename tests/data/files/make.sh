#!/bin/sh
# Makes the files of tests/binary/kinds.rs and tests/binary/preflight.rs anew, beside this script, from the certificates of
# the samples (captures/pki). Needs openssl (3.0 or later) and python3.
#
# no-zulu.pem holds a server's certificate whose dates are of the type GeneralizedTime without the final Z, as a script wrote
# them, then its issuer; those of the first in utc-offset.pem have an offset in place of the Z. northwind-g1.pem is the root above.
set -eu
cd "$(dirname "$0")"
pki=../../../captures/pki
# PKCS#7 in an order that is none: DER sorts a set by its bytes, and openssl keeps the order given.
for name in policy root server issuing; do cat "$pki/$name.pem"; done >set.pem
openssl crl2pkcs7 -nocrl -certfile set.pem -outform DER -out server.p7b
openssl crl2pkcs7 -nocrl -certfile set.pem -out server-p7b.pem
# PKCS#12 without a private key.
openssl pkcs12 -export -nokeys -in "$pki/server.pem" -passout pass:secret -out server.p12
# A serialized store, which no Windows tool wrote: it is built after the published format, as
# ../protocol/make-sst.py says.
python3 - <<'PY'
import base64, struct
text = open("set.pem").read()
blocks = [block.split("-----END")[0] for block in text.split("-----BEGIN CERTIFICATE-----")[1:]]
store = struct.pack("<I4s", 0, b"CERT")
for block in blocks:
    der = base64.b64decode("".join(block.split()))
    store += struct.pack("<III", 32, 1, len(der)) + der
open("server.sst", "wb").write(store + bytes(12))
PY
rm set.pem
