#!/bin/sh
# Makes certificates.pem, a line "# NAME" before each certificate, and certificates.txt, what OpenSSL says of each:
# lines "NAME<TAB>field<TAB>value". Needs OpenSSL 3.0 or later. Keys are not kept, so every run makes other
# certificates; the tests hold for any of them. The 16,384-bit key takes some minutes: pass its PEM certificate, or
# nothing to make a new one.
set -eu
cd "$(dirname "$0")"
here=$PWD
old16384=${1:+$(realpath "$1")}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# key NAME ALGORITHM OPTION: one key.
key() { openssl genpkey -out "$1.key" -algorithm "$2" ${3:+-pkeyopt "$3"} 2>/dev/null; }

# self NAME KEY SUBJECT ARGS...: a self-signed certificate.
self() {
    name=$1 key=$2 full=$3
    shift 3
    openssl req -x509 -new -key "$key.key" -subj "$full" -utf8 -days 3650 -out "$name.crt" "$@" 2>/dev/null
    echo "$name" >>order
}

# issue NAME KEY SUBJECT ISSUER SECTION: a certificate signed by ISSUER with the extensions of that section.
issue() {
    openssl req -new -key "$2.key" -subj "$3" -out request
    openssl x509 -req -in request -CA "$4.crt" -CAkey "$(cat "$4.keyname").key" -days 365 -sha256 \
        -extfile extensions.cnf -extensions "$5" -out "$1.crt" -set_serial 0x0080c0ffee 2>/dev/null
    echo "$2" >"$1.keyname"
    echo "$1" >>order
}

key rsa512 RSA rsa_keygen_bits:512
key rsa1024 RSA rsa_keygen_bits:1024
key rsa2047 RSA rsa_keygen_bits:2047
key rsa2048 RSA rsa_keygen_bits:2048
key rsa4096 RSA rsa_keygen_bits:4096
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3 -out rsa3.key 2>/dev/null
key rsapss RSA-PSS rsa_keygen_bits:2048
for curve in P-256 P-384 P-521 secp256k1; do key "$curve" EC "ec_paramgen_curve:$curve"; done
key ed25519 ED25519 ''
key ed448 ED448 ''
openssl dsaparam -genkey 1024 2>/dev/null >dsa.key

# Every key and hash.
self rsa512-md5 rsa512 /CN=rsa512-md5 -md5
self rsa512-sha1 rsa512 /CN=rsa512-sha1 -sha1
for hash in md5 sha1 sha224 sha256 sha384 sha512; do self "rsa1024-$hash" rsa1024 "/CN=rsa1024-$hash" "-$hash"; done
self rsa2047-sha256 rsa2047 /CN=rsa2047 -sha256
self rsa2048-sha256 rsa2048 /CN=rsa2048 -sha256
self rsa2048-exponent-3 rsa3 /CN=rsa3 -sha256
self rsa4096-sha512 rsa4096 /CN=rsa4096 -sha512
if [ -n "$old16384" ]; then
    cp "$old16384" rsa16384-sha256.crt
    echo rsa16384-sha256 >>order
else
    key rsa16384 RSA rsa_keygen_bits:16384
    self rsa16384-sha256 rsa16384 /CN=rsa16384 -sha256
fi
pss='-sigopt rsa_padding_mode:pss -sigopt'
self pss-sha1-20 rsa2048 /CN=pss-sha1 -sha1 $pss rsa_pss_saltlen:20
self pss-sha256-32 rsa2048 /CN=pss-sha256 -sha256 $pss rsa_pss_saltlen:32
self pss-sha384-48 rsa2048 /CN=pss-sha384 -sha384 $pss rsa_pss_saltlen:48
self pss-sha512-0 rsa2047 /CN=pss-sha512 -sha512 $pss rsa_pss_saltlen:0
self pss-key rsapss /CN=pss-key -sha256
self unsupported-pss-mgf rsa2048 /CN=pss-mgf -sha256 $pss rsa_mgf1_md:sha1
for curve in P-256 P-384 P-521; do
    for hash in sha1 sha224 sha256 sha384 sha512; do self "$curve-$hash" "$curve" "/CN=$curve-$hash" "-$hash"; done
done
self ed25519 ed25519 /CN=ed25519
self unsupported-ed448 ed448 /CN=ed448
self unsupported-secp256k1 secp256k1 /CN=secp256k1 -sha256
self unsupported-dsa dsa /CN=dsa -sha256

# Names: escapes, several values in one RDN, all string types, types with and without a short name.
cat >names.cnf <<'CNF'
oid_section = oids
[oids]
odd = 1.2.3.4
[req]
distinguished_name = dn
string_mask = default
[dn]
CNF
subject='/C=DE/DC=test/DC=contoso/ST=Bayern/O=Müller, "Söhne" \+ Co. <KG>; x\\y/OU=a+OU=b'
self name-utf8 P-256 "$subject/CN=#1 =  two  spaces " -multivalue-rdn
self name-old-types P-256 "$subject/CN=Grüße" -multivalue-rdn -config names.cnf
self name-bmp P-256 '/O=Łódź 東京/CN=Northwind Policy CA 1' -config names.cnf
self name-types P-256 '/UID=u/serialNumber=12 3/emailAddress=a@contoso.test/title=T/SN=S/GN=G/initials=I/street=Main St. 1/L=Roma/businessCategory=Private/postalCode=1/jurisdictionC=US/dnQualifier=q/odd=value/description=d' -config names.cnf
self name-control P-256 "$(printf '/O=Tab\there\177/CN=line\nbreak')"
self name-empty P-256 /

# Versions, serial numbers, dates beyond 2049.
self serial-negative P-256 /CN=negative -set_serial -5
self serial-long P-256 /CN=long -set_serial 0xff00112233445566778899aabbccddeeff001122
self late P-256 /CN=late -days 36500
openssl req -new -key P-256.key -subj /CN=version-1 -out request
openssl x509 -req -in request -signkey P-256.key -out version-1.crt 2>/dev/null
echo version-1 >>order

# Extensions.
cat >extensions.cnf <<'CNF'
[ca]
basicConstraints = critical, CA:TRUE, pathlen:2
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
extendedKeyUsage = serverAuth, 2.16.840.1.113730.4.1, 1.3.6.1.4.1.311.10.3.3
nameConstraints = critical, permitted;DNS:contoso.test, permitted;IP:10.20.0.0/255.255.0.0, permitted;IP:2001:db8::/ffff:ffff::, excluded;DNS:bad.contoso.test, permitted;dirName:below, permitted;email:contoso.test, permitted;URI:.contoso.test
[below]
O = Northwind
[leaf]
basicConstraints = CA:FALSE
keyUsage = digitalSignature, keyEncipherment
extendedKeyUsage = 2.16.840.1.113730.4.1
authorityKeyIdentifier = keyid:always, issuer:always
authorityInfoAccess = OCSP;URI:http://ocsp.contoso.test/, caIssuers;URI:http://pki.contoso.test/ca.crt, caIssuers;URI:ldap:///CN=AIA
subjectAltName = DNS:pool.contoso.test, DNS:*.web.contoso.test, IP:10.20.30.10, IP:2001:db8::10, email:a@contoso.test, URI:sip://pool.contoso.test, dirName:below, otherName:1.3.6.1.4.1.311.20.2.3;UTF8:u@contoso.test
[outside]
subjectAltName = DNS:pool.fabrikam.test
[plain]
keyUsage = digitalSignature
[client]
extendedKeyUsage = clientAuth
1.2.3.4.5 = critical, ASN1:NULL
subjectAltName = IP:10.21.0.1
CNF
self root rsa2048 '/O=Northwind/CN=Northwind Global Root G1' -sha256
echo rsa2048 >root.keyname
issue ca P-384 '/O=Northwind/CN=Northwind Policy CA 1' root ca
issue leaf rsa1024 '/O=Northwind/CN=cn.contoso.test' ca leaf
issue outside rsa1024 '/CN=elsewhere' ca outside
issue client ed25519 '/O=Northwind/CN=client' ca client
issue plain P-256 '/O=Northwind/CN=only-cn.contoso.test' ca plain

: >"$here/certificates.pem"
: >"$here/certificates.txt"
while read -r name; do
    {
        echo "# $name"
        openssl x509 -in "$name.crt"
    } >>"$here/certificates.pem"
    for field in subject issuer serial startdate enddate; do
        openssl x509 -in "$name.crt" -noout "-$field" -nameopt RFC2253,-esc_msb -dateopt iso_8601 |
            sed "s/^[A-Za-z]*=/$name	$field	/"
    done >>"$here/certificates.txt"
    openssl x509 -in "$name.crt" -outform DER >der
    {
        printf '%s\tsha256\t%s\n' "$name" "$(sha256sum <der | cut -d' ' -f1)"
        printf '%s\tsha1\t%s\n' "$name" "$(sha1sum <der | cut -d' ' -f1)"
        openssl x509 -in "$name.crt" -noout -pubkey | openssl pkey -pubin -outform DER >spki 2>/dev/null || : >spki
        printf '%s\tspki\t%s\n' "$name" "$(sha256sum <spki | cut -d' ' -f1)"
        printf '%s\talgorithm\t%s\n' "$name" \
            "$(openssl x509 -in "$name.crt" -noout -text | sed -n 's/^ *Signature Algorithm: *//p' | head -1)"
    } >>"$here/certificates.txt"
done <order
