#!/bin/sh
# Makes the files of tests/library/trust_settings.rs anew, beside this script. Needs openssl (3.0 or later).
#
# roots.pem holds one root with the trust settings that each label says, server.pem a certificate that it issued. A line of
# answers.txt is a label and what `openssl verify -purpose sslserver` says of the server's certificate with that root.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
openssl req -x509 $key -keyout "$work/root.key" -out "$work/root.pem" -days 36500 -subj "/O=Northwind/CN=Northwind Root" \
    -addext basicConstraints=critical,CA:true 2>/dev/null
openssl req $key -keyout "$work/server.key" -out "$work/server.csr" -subj /CN=server.example.com 2>/dev/null
printf 'subjectAltName=DNS:server.example.com\nextendedKeyUsage=serverAuth\n' >"$work/extensions"
openssl x509 -req -in "$work/server.csr" -CA "$work/root.pem" -CAkey "$work/root.key" -days 36000 \
    -extfile "$work/extensions" -out server.pem 2>/dev/null
: >roots.pem
: >answers.txt
with() {
    label=$1
    shift
    openssl x509 -in "$work/root.pem" -trustout "$@" -out "$work/trusted.pem"
    { echo "# $label" && cat "$work/trusted.pem"; } >>roots.pem
    verify="openssl verify -purpose sslserver -no-CApath -no-CAstore -CAfile $work/trusted.pem server.pem"
    if $verify >"$work/answer" 2>&1; then answer=trusted; else answer=rejected; fi
    [ $answer = trusted ] || grep -q "error 28 at 1 depth" "$work/answer"
    printf '%s\t%s\n' "$label" $answer >>answers.txt
}
with nothing
with reject-server -addreject serverAuth
with reject-client -addreject clientAuth
with reject-any -addreject anyExtendedKeyUsage
with trust-server -addtrust serverAuth
with trust-client -addtrust clientAuth
with trust-any -addtrust anyExtendedKeyUsage
with trust-and-reject-server -addtrust serverAuth -addreject serverAuth
with trust-server-reject-any -addtrust serverAuth -addreject anyExtendedKeyUsage
with trust-any-reject-server -addtrust anyExtendedKeyUsage -addreject serverAuth
with trust-server-and-client -addtrust serverAuth -addtrust clientAuth
with alias -setalias "the old root"
