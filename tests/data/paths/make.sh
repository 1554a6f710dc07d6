#!/bin/sh
# Makes certificates.pem, a line "# LABEL" before each certificate, and cases.txt: chains of them, what was done to
# each, and what OpenSSL says of it. Needs OpenSSL 3.0 or later and GNU coreutils. Keys are not kept, so every run makes
# other certificates; the tests hold for any of them.
#
# A case is one line of fields separated by tabs:
#   name, fault, culprit, leaf, anchor, bundle (labels between commas, in that order), time, answer
# The fault is what was done, the culprit the certificate of which a verifier should complain ("-" for none). The time
# is in seconds since 1970, or "-" where dates do not count. The answer is the number of OpenSSL's first error, 0 for a
# valid chain, to this question:
#   openssl verify -auth_level 0 -purpose sslserver -no-CApath -no-CAstore -CAfile ANCHOR -untrusted BUNDLE \
#       (-no_check_time | -attime TIME) LEAF
#
# A set has one kind of key: an anchor "root", CA certificates ca1 (issued by root) to ca3, server certificates leaf2 to
# leaf5 named for the length of their chain, and "alone", which signed itself. What stands for one of them has its name
# and an ending, such as p256/ca2-notca: the same subject and issuer, and the same key unless the fault is the key.
set -eu
cd "$(dirname "$0")"
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
: >cases

UNKNOWN=1.3.6.1.4.1.32473.1=critical,ASN1:UTF8String:unknown

# keys TYPE GENPKEY-ARGS...: the keys of a type: one for each of root, ca1 to ca3, leaf, and one that is wrong.
keys() {
    type=$1
    shift
    for role in root ca1 ca2 ca3 leaf other; do
        openssl genpkey "$@" -out "$type-$role.key" 2>/dev/null
        openssl pkey -in "$type-$role.key" -pubout -out "$type-$role.pub"
    done
}

keys rsa1024 -algorithm RSA -pkeyopt rsa_keygen_bits:1024
keys rsa2048 -algorithm RSA -pkeyopt rsa_keygen_bits:2048
keys rsapss -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048
keys p256 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
keys p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
keys p521 -algorithm EC -pkeyopt ec_paramgen_curve:P-521
keys ed25519 -algorithm ED25519

# key ROLE: the key of that role in this set, without its ending.
key() {
    case $set/$1 in
        mixed/root) echo rsa1024-root ;;
        mixed/ca1) echo p384-ca1 ;;
        mixed/ca2) echo ed25519-ca2 ;;
        mixed/ca3) echo rsapss-ca3 ;;
        mixed/*) echo "p521-$1" ;;
        *) echo "$type-$1" ;;
    esac
}

# signing KEY: how that key signs.
signing() {
    case $set/$1 in
        mixed/rsa1024-*) echo -md5 ;;
        */ed25519-*) ;;
        mixed/*) echo -sha384 ;;
        *) echo "$signing" ;;
    esac
}

# issue NAME SUBJECT KEY ISSUER ISSUER-KEY EXTENSIONS...: one certificate; no extensions give one of version 1.
issue() {
    label=$set/$1 subject=$2 public=$(key "$3").pub file=$set-$1.crt issuer=$4 private=$(key "$5")
    shift 5
    printf '%s\n' "$@" >extensions
    if [ "$issuer" = self ]; then by="-signkey $private.key"; else by="-CA $set-$issuer.crt -CAkey $private.key"; fi
    # shellcheck disable=SC2046,SC2086
    openssl x509 -new -force_pubkey "$public" -subj "/O=$set/CN=$subject" $by $(signing "$private") \
        -days "${days:-10000}" -set_serial "$((serial += 1))" ${1:+-extfile extensions} -out "$file" 2>error ||
        { cat error >&2; exit 1; }
    echo "$label" >>order
}
serial=4096

# identifiers: the key identifiers of a CA, which a set may omit.
ski() { if [ "$set" = bare ]; then echo subjectKeyIdentifier=none; else echo subjectKeyIdentifier=hash; fi; }
aki() { if [ "$set" = bare ]; then echo authorityKeyIdentifier=none; else echo authorityKeyIdentifier=keyid; fi; }

above() { case $1 in 1) echo root ;; *) echo "ca$(($1 - 1))" ;; esac; }

# ca NUMBER ENDING CONSTRAINTS USAGE [MORE]: a variant of one of the CA certificates.
ca() {
    issue "ca$1$2" "CA $1" "${ca_key:-ca$1}" "$(above "$1")" "$(above "$1")" \
        ${3:+"basicConstraints=$3"} ${4:+"keyUsage=$4"} "$(ski)" "$(aki)" ${5:+"$5"}
}
TRUE=critical,CA:TRUE
SIGN=critical,keyCertSign,cRLSign

# leaf LENGTH ENDING SUBJECT [EXTENSION...]: a server's certificate that makes a chain of that length.
leaf() {
    length=$1 name=leaf$1$2 subject=$3
    shift 3
    by=$(above $((length - 1)))
    issue "$name" "$subject" leaf "$by" "$by" keyUsage=digitalSignature,keyEncipherment "$(aki)" "$@"
}
HOST=subjectAltName=DNS:server.example.com

# root ENDING CONSTRAINTS USAGE [MORE]
root() {
    issue "root$1" Root root self root ${2:+"basicConstraints=$2"} ${3:+"keyUsage=$3"} "$(ski)" ${4:+"$4"}
}

# flip NAME: NAME-flipped, with one bit of the last byte of the signature changed.
flip() {
    openssl x509 -in "$set-$1.crt" -outform DER -out der
    last=$(tail -c 1 der | od -An -tu1)
    # shellcheck disable=SC2059
    { head -c -1 der; printf "\\$(printf %03o $((last ^ 1)))"; } >flipped
    openssl x509 -inform DER -in flipped -out "$set-$1-flipped.crt"
    echo "$set/$1-flipped" >>order
}

# ask LEAF ANCHOR BUNDLE TIME: the number of OpenSSL's first error.
ask() {
    : >bundle
    for name in $(echo "$3" | tr , ' '); do [ "$name" = - ] || cat "$(echo "$name" | tr / -).crt" >>bundle; done
    untrusted='-untrusted bundle' dates="-attime $4"
    [ -s bundle ] || untrusted=
    [ "$4" != - ] || dates=-no_check_time
    # shellcheck disable=SC2086
    openssl verify -auth_level 0 -purpose sslserver -no-CApath -no-CAstore -CAfile "$(echo "$2" | tr / -).crt" \
        $untrusted $dates "$(echo "$1" | tr / -).crt" >answer 2>&1 || true
    number=$(sed -n 's/^error \([0-9]*\) at .*/\1/p' answer | head -n 1)
    if [ -z "$number" ] && ! grep -q ': OK$' answer; then cat answer >&2; exit 1; fi
    echo "${number:-0}"
}

# record NAME FAULT CULPRIT LEAF ANCHOR BUNDLE [TIME]: one case of this set.
record() {
    in_set() { echo "$1" | sed "s!\([^,/]*[^,]*\)!$set/\1!g; s!$set/-!-!g; s!$set/\([a-z0-9]*/\)!\1!g"; }
    culprit=$(in_set "$3") leaf=$(in_set "$4") anchor=$(in_set "$5") bundle=$(in_set "$6") time=${7:--}
    answer=$(ask "$leaf" "$anchor" "$bundle" "$time")
    printf '%s\t' "$set/$1" "$2" "$culprit" "$leaf" "$anchor" "$bundle" "$time" >>cases
    echo "$answer" >>cases
}

# between LENGTH [NUMBER STAND-IN]: the CA certificates of a chain of that length, lowest first, with one replaced.
between() {
    names=
    number=$(($1 - 2))
    while [ "$number" -gt 0 ]; do
        name=ca$number
        [ "$number" != "${2:-}" ] || name=$3
        names=$names${name:+${names:+,}$name}
        number=$((number - 1))
    done
    echo "${names:--}"
}

# chain NAME FAULT CULPRIT LENGTH NUMBER STAND-IN: a case in which another certificate stands for one CA certificate.
chain() { record "$1" "$2" "$3" "leaf$4" root "$(between "$4" "$5" "$6")"; }

# sound: the certificates of a set, and its chains of every length.
sound() {
    root '' $TRUE $SIGN
    for number in 1 2 3; do ca $number '' $TRUE $SIGN; done
    for length in 2 3 4 5; do leaf $length '' Server $HOST; done
    issue alone Alone leaf self leaf $HOST
    record 1 none - alone alone -
    for length in 2 3 4 5; do record $length none - leaf$length root "$(between $length)"; done
    record 5-shuffled none - leaf5 root ca1,stranger/ca2,ca3,root,ca2
    record 5-without-anchor untrusted-root root leaf5 stranger/root ca3,ca2,ca1,root
    record 1-no-anchor untrusted-root alone alone stranger/root -
}

# faulty NUMBER LENGTH: the same chains with one thing wrong at the CA certificate of that number.
faulty() {
    number=$1 length=$2 at=$2-ca$1 beneath=ca$(($1 + 1))
    [ "$length" -gt $((number + 2)) ] || beneath=leaf$length
    chain "$at-removed" removed "$beneath" "$length" "$number" ''
    chain "$at-flipped" key-mismatch "$(above "$number")" "$length" "$number" "ca$number-flipped"
    chain "$at-wrong-key" key-mismatch "ca$number-wrongkey" "$length" "$number" "ca$number-wrongkey"
    chain "$at-wrong-key-too" none - "$length" "$number" "ca$number-wrongkey,ca$number"
    chain "$at-wrong-key-after" none - "$length" "$number" "ca$number,ca$number-wrongkey"
    chain "$at-not-ca" not-ca "ca$number-notca" "$length" "$number" "ca$number-notca"
    chain "$at-key-usage" key-usage "ca$number-usage" "$length" "$number" "ca$number-usage"
    chain "$at-name" name-constraints "ca$number-name" "$length" "$number" "ca$number-name"
    chain "$at-critical" critical-extension "ca$number-critical" "$length" "$number" "ca$number-critical"
    chain "$at-purpose" extended-key-usage "ca$number-purpose" "$length" "$number" "ca$number-purpose"
}

# stand_ins NUMBER: the certificates that `faulty` needs.
stand_ins() {
    flip "ca$1"
    ca_key=other
    ca "$1" -wrongkey $TRUE $SIGN
    ca_key=
    ca "$1" -notca critical,CA:FALSE $SIGN
    ca "$1" -usage $TRUE critical,cRLSign
    ca "$1" -name $TRUE $SIGN 'nameConstraints=critical,permitted;DNS:example.net'
    ca "$1" -critical $TRUE $SIGN $UNKNOWN
    ca "$1" -purpose $TRUE $SIGN extendedKeyUsage=emailProtection
}

# path_length NUMBER LIMIT LENGTH: a chain below a CA certificate that limits it.
path_length() {
    fault=none culprit=-
    if [ $(($3 - 2 - $1)) -gt "$2" ]; then fault=path-length culprit=ca$1-path$2; fi
    chain "$3-ca$1-path$2" $fault $culprit "$3" "$1" "ca$1-path$2"
}

# A set unknown to the others: what it issues never leads to an anchor of theirs.
set=stranger type=ed25519 signing=
root '' $TRUE $SIGN
for number in 1 2; do ca $number '' $TRUE $SIGN; done

# Every kind of key and hash, with one place for each fault; the places and lengths take turns.
turn=0
while read -r set type signing; do
    sound
    number=$((turn % 3 + 1)) length=$((turn % 2 + 4))
    [ $((number + 2)) -le $length ] || length=5
    stand_ins $number
    faulty $number $length
    flip leaf$length
    record $length-leaf-flipped key-mismatch "ca$((length - 2))" leaf$length-flipped root "$(between $length)"
    number=$((turn % 2 + 1))
    ca $number -path$((2 - number)) $TRUE,pathlen:$((2 - number)) $SIGN
    path_length $number $((2 - number)) 5
    path_length $number $((2 - number)) 4
    turn=$((turn + 1))
done <<END
rsa1024-md5 rsa1024 -md5
rsa1024-sha1 rsa1024 -sha1
rsa1024-sha256 rsa1024 -sha256
rsa1024-sha384 rsa1024 -sha384
rsa2048-md5 rsa2048 -md5
rsa2048-sha1 rsa2048 -sha1
rsa2048-sha256 rsa2048 -sha256
rsa2048-sha384 rsa2048 -sha384
pss rsa2048 -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32
psskey rsapss -sha256
p384 p384 -sha384
p521 p521 -sha512
ed25519 ed25519
mixed mixed
bare p256 -sha256
END

# Every fault at every place of every length.
set=p256 type=p256 signing=-sha256
sound
flip alone
record 1-flipped-anchor none - alone-flipped alone-flipped -
record 1-flipped removed alone-flipped alone-flipped stranger/root -
for number in 1 2 3; do
    stand_ins $number
    for length in 3 4 5; do [ $((number + 2)) -gt $length ] || faulty $number $length; done
done
for length in 2 3 4 5; do
    flip leaf$length
    under=$(above $((length - 1)))
    record $length-leaf-flipped key-mismatch "$under" leaf$length-flipped root "$(between $length)"
    record $length-no-anchor removed "$(above $((length - 1)) | sed "s/root/leaf$length/; s/ca.*/ca1/")" \
        leaf$length stranger/root "$(between $length)"
    record $length-reversed none - leaf$length root "$(between $length | tr , '\n' | tac | paste -sd ,)"
done
for limit in 0 1; do
    ca 1 -path$limit $TRUE,pathlen:$limit $SIGN
    for length in 3 4 5; do path_length 1 $limit $length; done
done
ca 2 -path0 $TRUE,pathlen:0 $SIGN
for length in 4 5; do path_length 2 0 $length; done

# The anchor's name with another key.
issue root-wrongkey Root other self other basicConstraints=$TRUE keyUsage=$SIGN "$(ski)"
record 3-namesake-anchor key-mismatch root-wrongkey leaf3 root-wrongkey ca1
record 3-namesake-anchor-root-sent untrusted-root root leaf3 root-wrongkey ca1,root

# The anchor's own certificate: which rules apply to it?
root -flipped $TRUE $SIGN
flip root
record 3-anchor-flipped none - leaf3 root-flipped ca1
root -path0 $TRUE,pathlen:0 $SIGN
record 4-anchor-path-length anchor - leaf4 root-path0 ca2,ca1
root -name $TRUE $SIGN 'nameConstraints=critical,permitted;DNS:example.net'
record 3-anchor-name anchor - leaf3 root-name ca1
root -notca critical,CA:FALSE $SIGN
record 3-anchor-not-ca anchor - leaf3 root-notca ca1
root -usage $TRUE critical,cRLSign
record 3-anchor-key-usage anchor - leaf3 root-usage ca1
root -critical $TRUE $SIGN $UNKNOWN
record 3-anchor-critical anchor - leaf3 root-critical ca1
issue root-v1 Root root self root
record 3-anchor-version-1 none - leaf3 root-v1 ca1

# CA certificates without basic constraints, and of version 1.
ca 1 -nobasic '' $SIGN
record 3-no-basic-constraints not-ca ca1-nobasic leaf3 root ca1-nobasic
issue ca1-v1 'CA 1' ca1 root root
record 3-version-1 not-ca ca1-v1 leaf3 root ca1-v1
ca 1 -nousage $TRUE ''
record 3-no-key-usage none - leaf3 root ca1-nousage
ca 1 -client $TRUE $SIGN extendedKeyUsage=clientAuth
record 3-client-purpose extended-key-usage ca1-client leaf3 root ca1-client
ca 1 -anypurpose $TRUE $SIGN extendedKeyUsage=anyExtendedKeyUsage,emailProtection
record 3-any-purpose none - leaf3 root ca1-anypurpose
ca 1 -serverpurpose $TRUE $SIGN extendedKeyUsage=serverAuth
record 3-server-purpose none - leaf3 root ca1-serverpurpose
leaf 3 -critical Server $HOST $UNKNOWN
record 3-leaf-critical critical-extension leaf3-critical leaf3-critical root ca1

# Self-issued certificates do not count for the path length: a CA's new key, signed with its old one.
issue ca2-self 'CA 1' ca2 ca1 ca1 basicConstraints=$TRUE keyUsage=$SIGN "$(ski)" "$(aki)"
issue leaf-self Server leaf ca2-self ca2 "$(aki)" $HOST
record 4-self-issued none - leaf-self root ca2-self,ca1-path0

# Another CA vouches for the same name and key: one of the two paths is complete.
issue ca2-cross 'CA 2' ca2 root root basicConstraints=$TRUE keyUsage=$SIGN "$(ski)" "$(aki)"
record 4-cross-signed none - leaf4 root ca2,ca2-cross
record 4-cross-signed-other-order none - leaf4 root ca2-cross,ca2

# Name constraints of every kind: an ending, what they say, what the leaf is called, and whether that is allowed.
constrained() {
    ca 1 "-$1" $TRUE $SIGN "nameConstraints=critical,$2"
    leaf 3 "-$1" "$3" ${4:+"subjectAltName=$4"}
    culprit=-
    [ "$5" = none ] || culprit=ca1-$1
    record "3-name-$1" "$5" $culprit "leaf3-$1" root "ca1-$1"
}
constrained dns-in 'permitted;DNS:example.com' Server DNS:server.EXAMPLE.com none
constrained dns-out 'permitted;DNS:example.com' Server DNS:server.notexample.com name-constraints
constrained dns-one-out 'permitted;DNS:example.com' Server DNS:a.example.com,DNS:a.example.net name-constraints
constrained dns-excluded 'permitted;DNS:example.com,excluded;DNS:a.example.com' Server DNS:b.a.example.com \
    name-constraints
constrained dns-not-excluded 'excluded;DNS:a.example.com' Server DNS:b.example.com none
constrained dns-apex 'permitted;DNS:example.com' Server DNS:example.com none
constrained dns-dot 'permitted;DNS:.example.com' Server DNS:a.example.com none
constrained dns-dot-apex 'permitted;DNS:.example.com' Server DNS:example.com name-constraints
constrained dns-common-name 'permitted;DNS:example.com' a.example.net '' name-constraints
constrained ip-in 'permitted;IP:192.0.2.0/255.255.255.0' Server IP:192.0.2.77 none
constrained ip-out 'permitted;IP:192.0.2.0/255.255.255.0' Server IP:198.51.100.1 name-constraints
constrained ip-excluded 'excluded;IP:2001:db8::/ffff:ffff::' Server IP:2001:db8::1 name-constraints
constrained email-out 'permitted;email:example.com' Server email:a@example.net name-constraints
constrained email-in 'permitted;email:example.com' Server email:a@example.com none
constrained uri-out 'permitted;URI:.example.com' Server URI:sip://a.example.net/ name-constraints
constrained uri-in 'permitted;URI:.example.com' Server URI:https://a.example.com/ none
constrained other-kind 'permitted;DNS:example.com' Server email:a@example.net none
constrained unknown-kind 'permitted;RID:1.2.3' Server RID:1.2.4 name-constraints
constrained directory-in 'permitted;dirName:below
[below]
O=P256' Server DNS:server.example.com none
constrained directory-out 'permitted;dirName:below
[below]
O=elsewhere' Server DNS:server.example.com name-constraints
constrained directory-excluded 'excluded;dirName:below
[below]
O=p256' Server DNS:server.example.com name-constraints

# Mask generation with another hash than the signature's.
signing='-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_mgf1_md:sha1' type=rsa2048 set=mgf
root '' $TRUE $SIGN
leaf 2 '' Server $HOST
record 2 unsupported root leaf2 root -

# Dates: thirty days from now on, looked at before, within and after them.
set=p256 type=p256 signing=-sha256 days=30
now=$(date +%s) day=86400
leaf 5 -short Server $HOST
ca 2 -short $TRUE $SIGN
root -short $TRUE $SIGN
for when in before:-10 within:10 after:60; do
    time=$((now + ${when#*:} * day)) when=${when%:*}
    record "5-leaf-$when" dates - leaf5-short root ca3,ca2,ca1 $time
    record "5-ca2-$when" dates - leaf5 root ca3,ca2-short,ca1 $time
    record "5-root-$when" dates - leaf5 root-short ca3,ca2,ca1 $time
    record "5-renewed-$when" dates - leaf5 root ca3,ca2-short,ca2,ca1 $time
done

while read -r label; do
    echo "# $label"
    cat "$(echo "$label" | tr / -).crt"
done <order >"$here/certificates.pem"
cp cases "$here/cases.txt"
