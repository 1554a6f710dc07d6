#!/usr/bin/env bash
# Re-makes the sample captures: record.sh [scenarios | rules | signin | tls | pairs | clear | NAME...]
#
# The captures come in six sets, each with certificates of its own: those of scenarios.sh, rules.sh, signin.sh, tls.sh,
# pairs.sh and clear.sh. Without a name: new certificates and every capture. With the name of a set: the same for that set alone. With
# names of captures: these only, with the keys of an earlier run; both runs need the same KEEP_KEYS=DIR. record.sh
# --packages prints what it needs.
#
# Each capture is a recording of real programs that talk to each other in network namespaces of their own.
# Nothing is installed and nothing outside of the namespaces, a temporary folder and captures/ is touched.
# Must be run as root, since it makes network namespaces.
set -euo pipefail
umask 022

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
captures=$(dirname "$here")
pki=$captures/pki

source "$here/network.sh"
source "$here/pki.sh"
source "$here/server.sh"
source "$here/phone.sh"
source "$here/scenarios.sh"
source "$here/rules.sh"
source "$here/signin.sh"
source "$here/tls.sh"
source "$here/pairs.sh"
source "$here/clear.sh"

# Each command, and the Debian package that provides it.
commands="
tcpdump:tcpdump editcap:wireshark-common ip:iproute2 ss:iproute2 ethtool:ethtool nft:nftables
dnsmasq:dnsmasq-base slapd:slapd slapadd:slapd ldapsearch:ldap-utils dig:bind9-dnsutils
udhcpc:udhcpc dhcpcd:dhcpcd-base curl:curl openssl:openssl python3:python3
gnutls-cli:gnutls-bin gnutls-serv:gnutls-bin tstclnt:libnss3-tools certutil:libnss3-tools
java:openjdk-17-jdk-headless javac:openjdk-17-jdk-headless tinyproxy:tinyproxy-bin
faketime:faketime chronyd:chrony mergecap:wireshark-common sslsplit:sslsplit lldpd:lldpd hostapd:hostapd
wpa_supplicant:wpasupplicant eapol_test:eapoltest krb5kdc:krb5-kdc kadmin.local:krb5-admin-server kinit:krb5-user"

check_commands() {
    local pair missing=()
    for pair in $commands; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
    done
    if ((${#missing[@]})); then
        echo "record.sh needs these Debian packages: $(printf '%s\n' "${missing[@]}" | sort -u | tr '\n' ' ')" >&2
        exit 2
    fi
    if ! python3 -c 'import aioquic' 2>/dev/null; then
        echo "record.sh needs the Python package aioquic, for the python3 that is found first" >&2
        exit 2
    fi
    if ((EUID != 0)); then
        echo "record.sh must be run as root: it makes network namespaces" >&2
        exit 2
    fi
}

finish() {
    network_down
    rm -rf "$work"
}

# Records one capture: sets up a fresh network, runs the scenario's function, ends everything in the network.
record() {
    local name=$1 format=$2
    echo "recording $name"
    network_up
    "scenario_${name//-/_}" "$name" "$format"
    recorder_stop
    network_down
}

# record_set SET MAKE MARK TABLE: records the wanted captures of a set. MAKE makes its certificates, and the file MARK
# among the keys says that they are all there.
record_set() {
    local whole=${wanted[$1]:-} make=$2 mark=$keys/$3 table=$4 name format
    unset "wanted[$1]"
    if [[ -n $whole && ! -e $mark ]]; then
        $make
        touch "$mark"
    fi
    while read -r name format _; do
        [[ -n $name && $name != \#* && -n $whole${wanted[$name]:-} ]] || continue
        if [[ ! -e $mark ]]; then
            echo "record.sh: single captures need the keys of the last run of their set (KEEP_KEYS=DIR)" >&2
            exit 2
        fi
        record "$name" "$format"
        unset "wanted[$name]"
    done <<<"$table"
}

if [[ ${1:-} == --packages ]]; then
    printf '%s\n' $commands | cut -d: -f2 | sort -u | paste -sd ' '
    exit
fi
check_commands
work=$(mktemp -d)
keys=$work/keys
trap finish EXIT
# The private keys live only as long as this run, so a new run makes all captures with new certificates. KEEP_KEYS=DIR
# keeps the keys in DIR, so that single captures can be made again with the same certificates.
if [[ -n ${KEEP_KEYS:-} ]]; then keys=$KEEP_KEYS; fi
mkdir "$work/www"
echo "hello, phone" >"$work/www/hello"
export OPENSSL_CONF=/dev/null # not the settings of this machine
javac -d "$work" "$here"/*.java
declare -A wanted=()
if ((!$#)); then
    if ! ls "$keys"/*complete >/dev/null 2>&1; then rm -f "$pki"/*.pem; fi
    set scenarios rules signin tls pairs clear
fi
for name in "$@"; do wanted[$name]=1; done
record_set scenarios make_pki complete "$scenario_table"
record_set rules make_rules_pki rules-complete "$rules_table"
record_set signin make_signin_pki signin-complete "$signin_table"
record_set tls make_tls_pki tls-complete "$tls_table"
record_set pairs make_pairs_pki pairs-complete "$pairs_table"
record_set clear make_clear_pki clear-complete "$clear_table"
if ((${#wanted[@]})); then
    echo "record.sh: no such capture: ${!wanted[*]}" >&2
    exit 2
fi
python3 "$here/readme.py" "$captures"
