#!/bin/sh
# Makes the fixtures of the protocol tests anew, beside this script. Needs openssl (3.0 or later), gzip and python3, the
# last with the packages that make-messages.py names.
# Two certificates (a root and the issuing CA below it) in the shapes in which servers hand them out.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The certificates, small: P-256.
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }
key "$work/root.key"
key "$work/issuing.key"
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n' >"$work/ca.ext"
openssl req -new -x509 -key "$work/root.key" -subj '/O=Contoso/CN=Contoso Root CA' -days 7300 -out "$work/root.pem"
openssl req -new -key "$work/issuing.key" -subj '/O=Contoso/CN=Contoso Issuing CA' -out "$work/issuing.csr"
openssl x509 -req -in "$work/issuing.csr" -CA "$work/root.pem" -CAkey "$work/root.key" -set_serial 2 -days 3650 \
    -extfile "$work/ca.ext" -out "$work/issuing.pem" 2>/dev/null
openssl x509 -in "$work/root.pem" -outform DER -out root.der
openssl x509 -in "$work/issuing.pem" -outform DER -out issuing.der
openssl req -in "$work/issuing.csr" -outform DER -out request.der
cat "$work/issuing.pem" "$work/root.pem" >chain.pem
# As `openssl x509 -trustout` writes it: the certificate, then OpenSSL's own trust data.
openssl x509 -in "$work/issuing.pem" -trustout -addtrust serverAuth -out trusted.pem

# PKCS#7: certificates only in DER and PEM; signed data in BER, whose outer lengths are indefinite
# and whose content is a constructed string.
openssl crl2pkcs7 -nocrl -certfile chain.pem -outform DER -out chain.p7b
openssl crl2pkcs7 -nocrl -certfile chain.pem -out chain-p7b.pem
printf 'hello' >"$work/content"
openssl cms -sign -stream -nodetach -binary -in "$work/content" -signer "$work/issuing.pem" -inkey "$work/issuing.key" \
    -certfile "$work/root.pem" -outform DER -out signed-indefinite.ber
openssl cms -data_create -in "$work/content" -outform DER -out data-only.cms

# SOAP with the PKCS#7 as base64, lines of 76 ended by carriage return and line feed.
b64=$(base64 -w 76 chain.p7b | sed 's/$/\r/')
cat >soap.xml <<XML
<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><ChainResponse xmlns="urn:example:chain"><Chain>
$b64
</Chain></ChainResponse></s:Body></s:Envelope>
XML
gzip -9 -n -c soap.xml >soap.xml.gz
python3 - <<'PY'
import zlib
body = open("soap.xml", "rb").read()
open("soap.zlib", "wb").write(zlib.compress(body, 9))
raw = zlib.compressobj(9, zlib.DEFLATED, -15)
open("soap.deflate", "wb").write(raw.compress(body) + raw.flush())
# MIME by Python's own writer: a root part and two certificates, one base64, one binary.
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.mime.application import MIMEApplication
from email.encoders import encode_noop
mixed = MIMEMultipart("related", boundary="=_part 1")
mixed.attach(MIMEText("<a/>", "xml", "us-ascii"))
mixed.attach(MIMEApplication(open("issuing.der", "rb").read(), "pkix-cert"))
mixed.attach(MIMEApplication(open("root.der", "rb").read(), "pkix-cert", encode_noop))
mixed.get_payload()[2]["Content-Transfer-Encoding"] = "binary"
parts = []
for part in mixed.get_payload():
    head = "".join(f"{k}: {v}\r\n" for k, v in part.items()).encode()
    binary = part["Content-Transfer-Encoding"] == "binary"
    body = part.get_payload(decode=True) if binary else part.get_payload().replace("\n", "\r\n").encode()
    parts.append(b"--=_part 1\r\n" + head + b"\r\n" + body + b"\r\n")
open("related.mime", "wb").write(b"".join(parts) + b"--=_part 1--\r\n")
PY

python3 make-messages.py
