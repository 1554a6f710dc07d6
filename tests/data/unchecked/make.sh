#!/bin/sh
# Makes certificates.pem anew, beside this script: for each algorithm that cannot be checked here a server's certificate
# ALGORITHM-server and its issuer ALGORITHM-ca, which one root issued; ed448-namesake has the
# name of ed448-ca and another key. Needs openssl (3.0 or later).
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
ca='basicConstraints=critical,CA:true'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/root.key" -out "$work/root.pem" \
    -days 36500 -subj "/O=Northwind/CN=Northwind Root" -addext "$ca" 2>/dev/null
echo "$ca" >"$work/ca.extensions"
printf 'subjectAltName=DNS:server.example.com\nextendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\n' \
    >"$work/server.extensions"
printf 'subjectKeyIdentifier=hash\n' >>"$work/ca.extensions"
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/server.key" -out "$work/server.csr" \
    -subj /CN=server.example.com 2>/dev/null
{ echo "# root" && cat "$work/root.pem"; } >certificates.pem
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1 -out "$work/brainpool.key" 2>/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit -out "$work/explicit.key" \
    2>/dev/null
openssl genpkey -algorithm ED448 -out "$work/ed448.key" 2>/dev/null
openssl dsaparam -genkey 2048 2>/dev/null >"$work/dsa.key"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/pss.key" 2>/dev/null
openssl genpkey -algorithm SM2 -out "$work/sm2.key" 2>/dev/null
for algorithm in brainpool explicit ed448 dsa pss sm2; do
    openssl req -new -key "$work/$algorithm.key" -out "$work/ca.csr" -subj "/O=Contoso/CN=Contoso $algorithm CA"
    openssl x509 -req -in "$work/ca.csr" -CA "$work/root.pem" -CAkey "$work/root.key" -days 36500 \
        -extfile "$work/ca.extensions" -out "$work/ca.pem" 2>/dev/null
    odd=
    [ $algorithm != pss ] || odd='-sigopt rsa_padding_mode:pss -sigopt rsa_mgf1_md:sha1'
    [ $algorithm != sm2 ] || odd=-sm3
    openssl x509 -req -in "$work/server.csr" -CA "$work/ca.pem" -CAkey "$work/$algorithm.key" -days 36000 $odd \
        -extfile "$work/server.extensions" -out "$work/server.pem" 2>/dev/null
    openssl verify -no-CApath -no-CAstore -CAfile "$work/root.pem" -untrusted "$work/ca.pem" "$work/server.pem" >&2 || true
    { echo "# $algorithm-ca" && cat "$work/ca.pem"; echo "# $algorithm-server" && cat "$work/server.pem"; } >>certificates.pem
done
openssl genpkey -algorithm ED448 -out "$work/ed448.key" 2>/dev/null
openssl req -new -key "$work/ed448.key" -out "$work/ca.csr" -subj "/O=Contoso/CN=Contoso ed448 CA"
openssl x509 -req -in "$work/ca.csr" -CA "$work/root.pem" -CAkey "$work/root.key" -days 36500 \
    -extfile "$work/ca.extensions" -out "$work/ca.pem" 2>/dev/null
{ echo "# ed448-namesake" && cat "$work/ca.pem"; } >>certificates.pem
