# Captures that come in pairs for `compare`, each with one difference, and client certificates that a server refuses,
# each for another reason. Like scenarios.sh, with a set of certificates of their own. Proseware is the CA of the pool
# and the company whose filter inspects TLS, Trey Research the maker of the phones.

pairs_table="
inspection-without              pcapng
inspection-with                 pcapng
ecdsa-offered                   pcapng
ecdsa-not-offered               pcapng
prime-2048                      pcapng
prime-1024                      pcapng

client-chain-incomplete         pcapng
client-chain-complete           pcapng
client-for-servers              pcapng
client-for-any-use              pcapng
client-issuer-not-listed        pcapng
client-expired                  pcapng
"

make_pairs_pki() {
    prepare_pki
    cat >>"$work/ca.cnf" <<CONFIG
[client]
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
authorityInfoAccess = caIssuers;URI:\$ENV::AIA
[client_of_any_use]
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
authorityInfoAccess = caIssuers;URI:\$ENV::AIA
CONFIG
    local server=/CN=lyncpool.contoso.test phone=/CN=0004F2A1B2C3
    certificate proseware-root "/O=Proseware/CN=Proseware Root CA" - root
    certificate proseware-issuing "/O=Proseware/CN=Proseware Issuing CA 1" proseware-root ca_keyid
    certificate proseware-server $server proseware-issuing server_keyid
    openssl ecparam -genkey -name prime256v1 -noout -out "$keys/proseware-server-ecdsa.key"
    certificate proseware-server-ecdsa $server proseware-issuing server_keyid
    certificate proseware-filter "/O=Proseware/CN=Proseware Web Filter CA" - root

    # The phones' certificates: by the maker's CA of two tiers, and by a CA of one tier that no server lists.
    export AIA=http://pki.treyresearch.test/trey-issuing.crt
    certificate trey-root "/O=Trey Research/CN=Trey Research Device Root CA" - root
    certificate trey-issuing "/O=Trey Research/CN=Trey Research Device Issuing CA 1" trey-root ca_keyid
    certificate trey-phone $phone trey-issuing client
    certificate trey-phone-for-servers $phone trey-issuing server_keyid
    certificate trey-phone-for-any-use $phone trey-issuing client_of_any_use
    certificate trey-phone-expired $phone trey-issuing client 20240101000000Z 20250101000000Z
    certificate relecloud-root "/O=Relecloud/CN=Relecloud Device CA" - root
    certificate relecloud-phone $phone relecloud-root client
    export AIA=
}

# pair_server [s_server option...]: the pool with its whole chain, and a phone that trusts its root.
pair_server() {
    server_tls "${CERTIFICATE:-proseware-server}" proseware-issuing "$@"
    phone_address 50
    phone_trusts 50 proseware-root
}

# Inspection by a proxy.

scenario_inspection_without() {
    pair_server
    recorder_start "$@"
    phone_connects 50 "${tls12[@]}"
}

# tinyproxy opens the tunnel, and what it sends to the pool comes to sslsplit.
scenario_inspection_with() {
    LISTEN=127.0.0.1:443 pair_server
    start_in_server sslsplit -D -u root -k "$keys/proseware-filter.key" -c "$pki/proseware-filter.pem" \
        -P ssl 127.0.0.1 8443 127.0.0.1 443 >/dev/null 2>&1
    wait_for_port 8443
    printf '%s\n' 'Port 3128' "Listen $server_ip" 'Timeout 20' 'MaxClients 10' 'Allow 10.20.30.0/24' 'ConnectPort 443' \
        >"$work/tinyproxy.conf"
    echo '127.0.0.2 lyncpool.contoso.test' >"$work/hosts"
    start_in_server unshare -m bash -c "mount --bind $work/hosts /etc/hosts && exec tinyproxy -d -c $work/tinyproxy.conf" \
        >/dev/null 2>&1
    wait_for_port 3128
    in_server nft "add table ip divert; add chain ip divert out { type nat hook output priority -100; };
        add rule ip divert out ip daddr 127.0.0.2 tcp dport 443 dnat to 127.0.0.1:8443"
    recorder_start "$@"
    SERVER=lyncpool.contoso.test:443 phone_connects 50 "${tls12[@]}" -proxy $server_ip:3128
}

# Hellos and parameters.

scenario_ecdsa_offered() {
    CERTIFICATE=proseware-server-ecdsa pair_server
    recorder_start "$@"
    phone_connects 50 "${tls12[@]}"
}

scenario_ecdsa_not_offered() {
    CERTIFICATE=proseware-server-ecdsa pair_server
    recorder_start "$@"
    phone_connects 50 "${tls12[@]}" -cipher aRSA
}

# prime NAME FORMAT BITS: a client that takes no prime below 2048 bits, as OpenSSL does by default.
prime() {
    openssl dhparam -out "$work/dh" "$3" 2>/dev/null
    pair_server -dhparam "$work/dh"
    recorder_start "$1" "$2"
    phone_connects 50 "${tls12[@]}" -cipher DHE:@SECLEVEL=2
}
scenario_prime_2048() { prime "$@" 2048; }
scenario_prime_1024() { prime "$@" 1024; }

# Client certificates. The server trusts the root of the phones' maker.

# client NAME FORMAT CERTIFICATE [s_client option...]
client() {
    pair_server -Verify 4 -verify_return_error -CAfile "$pki/trey-root.pem"
    recorder_start "$1" "$2"
    phone_connects 50 "${tls12[@]}" -cert "$pki/$3.pem" -key "$keys/$3.key" "${@:4}"
}
with_issuing=(-cert_chain "$pki/trey-issuing.pem")

scenario_client_chain_incomplete() { client "$@" trey-phone; }
scenario_client_chain_complete() { client "$@" trey-phone "${with_issuing[@]}"; }
scenario_client_for_servers() { client "$@" trey-phone-for-servers "${with_issuing[@]}"; }
scenario_client_for_any_use() { client "$@" trey-phone-for-any-use "${with_issuing[@]}"; }
scenario_client_issuer_not_listed() { client "$@" relecloud-phone; }
scenario_client_expired() { client "$@" trey-phone-expired "${with_issuing[@]}"; }
