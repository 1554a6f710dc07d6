# Captures of TLS in its forms, with key logs (NAME.keys), and a set of certificates of their own: Wingtip is the pool's CA.
#
# The twins are one case at TLS 1.2 and at TLS 1.3, with several cipher suites: with the key log both have the same
# findings.

tls_table="
twin-works-12                   pcapng
twin-works-13                   pcapng
twin-missing-intermediate-12    pcapng
twin-missing-intermediate-13    pcapng
twin-untrusted-root-12          pcapng
twin-untrusted-root-13          pcapng
twin-expired-12                 pcapng
twin-expired-13                 pcapng
twin-name-mismatch-12           pcapng
twin-name-mismatch-13           pcapng
twin-gnutls-12                  pcapng
twin-gnutls-13                  pcapng
twin-client-certificate-12      pcapng
twin-client-certificate-13      pcapng

keys-late-alert                 pcapng
keys-late-alert-tls10           pcapng
keys-renegotiation              pcapng
keys-hello-retry                pcapng
keys-small-records              pcapng
keys-compressed                 pcapng

starttls-smtp                   pcapng
starttls-imap                   pcapng
starttls-pop3                   pcapng
starttls-ftp                    pcapng
starttls-xmpp                   pcapng
starttls-ldap                   pcapng
starttls-postgres               pcapng
starttls-mysql                  pcapng
proxy-connect                   pcapng
"

make_tls_pki() {
    prepare_pki
    cat >>"$work/ca.cnf" <<CONFIG
[client]
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
CONFIG
    local server=/CN=lyncpool.contoso.test
    certificate wingtip-root "/O=Wingtip/CN=Wingtip Root CA" - root
    certificate wingtip-issuing "/O=Wingtip/CN=Wingtip Issuing CA 1" wingtip-root ca_keyid
    certificate wingtip-server $server wingtip-issuing server_keyid
    certificate wingtip-server-expired $server wingtip-issuing server_keyid 20240101000000Z 20250101000000Z
    SAN=DNS:mail.contoso.test certificate wingtip-server-mail /CN=mail.contoso.test wingtip-issuing server_keyid
    certificate wingtip-client /CN=phone50.contoso.test wingtip-issuing client
    # Another company's.
    certificate lucerne-root "/O=Lucerne/CN=Lucerne Root CA" - root
}

# with_keys FUNCTION ARGUMENT...: a phone's function; its secrets go to the capture's key log.
with_keys() {
    local log=$captures/$recorded.keys
    rm -f "$log"
    SSLKEYLOGFILE=$log "$@"
    # A handshake that ends before there are keys leaves no secrets. Otherwise those are kept that decryption needs.
    local secrets='^(CLIENT_RANDOM|(CLIENT|SERVER)_(HANDSHAKE_TRAFFIC_SECRET|TRAFFIC_SECRET_0)) '
    grep -sE "$secrets" "$log" | sort -u >"$work/keys.log" || true
    rm -f "$log"
    if [[ -s $work/keys.log ]]; then cp "$work/keys.log" "$log"; fi
}

# phone_connects with a key log: OpenSSL is told of it by an option.
connects_with_keys() { with_keys connects_with_keys_now "$@"; }
connects_with_keys_now() { phone_connects "$@" -keylogfile "$SSLKEYLOGFILE"; }

# twin NAME FORMAT CERTIFICATE "INTERMEDIATE..." ROOT s_client option...
twin() {
    local name=$1 format=$2 certificate=$3 intermediates=$4 root=$5
    shift 5
    server_tls "$certificate" "$intermediates" -ciphersuites "$suites"
    phone_address 50
    phone_trusts 50 "$root"
    recorder_start "$name" "$format"
    connects_with_keys 50 -servername lyncpool.contoso.test "$@"
}

suites=TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256
suites+=:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256
tls13() { echo "-tls1_3 -ciphersuites $1"; }
tls12() { echo "-tls1_2 -cipher $1"; }

full=(wingtip-server wingtip-issuing wingtip-root)
leaf_only=(wingtip-server "" wingtip-root)
scenario_twin_works_12() { twin "$@" "${full[@]}" $(tls12 ECDHE-RSA-AES128-GCM-SHA256); }
scenario_twin_works_13() { twin "$@" "${full[@]}" $(tls13 TLS_AES_128_GCM_SHA256); }
scenario_twin_missing_intermediate_12() { twin "$@" "${leaf_only[@]}" $(tls12 ECDHE-RSA-AES256-GCM-SHA384); }
scenario_twin_missing_intermediate_13() { twin "$@" "${leaf_only[@]}" $(tls13 TLS_AES_256_GCM_SHA384); }
scenario_twin_untrusted_root_12() {
    twin "$@" wingtip-server wingtip-issuing lucerne-root $(tls12 ECDHE-RSA-CHACHA20-POLY1305)
}
scenario_twin_untrusted_root_13() {
    twin "$@" wingtip-server wingtip-issuing lucerne-root $(tls13 TLS_CHACHA20_POLY1305_SHA256)
}
scenario_twin_expired_12() {
    twin "$@" wingtip-server-expired wingtip-issuing wingtip-root $(tls12 ECDHE-RSA-AES128-SHA256)
}
scenario_twin_expired_13() {
    twin "$@" wingtip-server-expired wingtip-issuing wingtip-root $(tls13 TLS_AES_128_CCM_SHA256)
}
other_name=(wingtip-server-mail wingtip-issuing wingtip-root)
scenario_twin_name_mismatch_12() {
    twin "$@" "${other_name[@]}" $(tls12 AES256-CCM) -verify_hostname lyncpool.contoso.test
}
scenario_twin_name_mismatch_13() {
    twin "$@" "${other_name[@]}" $(tls13 TLS_AES_128_CCM_8_SHA256) -verify_hostname lyncpool.contoso.test
}

# GnuTLS encrypts its alert at TLS 1.3; OpenSSL's is in clear.
twin_gnutls() {
    server_tls wingtip-server ""
    phone_address 50
    phone_trusts 50 wingtip-root
    recorder_start "$1" "$2"
    with_keys phone_connects_gnutls 50 "$3"
}
scenario_twin_gnutls_12() { twin_gnutls "$@" 1.2; }
scenario_twin_gnutls_13() { twin_gnutls "$@" 1.3; }

# The server requires a certificate of another CA than the phone's.
twin_client_certificate() {
    local name=$1 format=$2
    shift 2
    cp "$pki/lucerne-root.pem" "$work/client-ca"
    server_tls wingtip-server wingtip-issuing -Verify 2 -verify_return_error -CAfile "$work/client-ca"
    phone_address 50
    phone_trusts 50 wingtip-root
    recorder_start "$name" "$format"
    connects_with_keys 50 -servername lyncpool.contoso.test -cert "$pki/wingtip-client.pem" \
        -key "$keys/wingtip-client.key" "$@"
}
scenario_twin_client_certificate_12() { twin_client_certificate "$@" -tls1_2; }
scenario_twin_client_certificate_13() { twin_client_certificate "$@" -tls1_3; }

# NSS judges the certificate after its Finished: its alert is encrypted.
late_alert() {
    # This NSS writes no key log; the server's has the same secrets.
    SERVER_KEYS=$work/server-keys.log
    server_tls wingtip-server "" -keylogfile "$SERVER_KEYS"
    phone_address 50
    phone_trusts 50 wingtip-root
    recorder_start "$1" "$2"
    with_keys connects_nss 50 "${@:3}"
}
connects_nss() {
    phone_connects_nss "$@"
    cp "$SERVER_KEYS" "$SSLKEYLOGFILE"
}
scenario_keys_late_alert() { late_alert "$@"; }
scenario_keys_late_alert_tls10() { late_alert "$@" -V tls1.0:tls1.0; }

# The phone asks for another handshake within the connection, which the server makes.
scenario_keys_renegotiation() {
    server_tls wingtip-server wingtip-issuing -client_renegotiation
    phone_address 50
    phone_trusts 50 wingtip-root
    recorder_start "$@"
    with_keys phone_renegotiates 50
}
phone_renegotiates() {
    (sleep 1; echo R; sleep 1; printf 'GET /hello HTTP/1.0\r\n\r\n'; sleep 1) | in_phone "$1" timeout 8 openssl s_client \
        -connect "$server_ip:443" "${tls12[@]}" -CAfile "$work/store$1" -verify_return_error \
        -keylogfile "$SSLKEYLOGFILE" >"$work/tls$1.log" 2>&1 || true
}

scenario_keys_hello_retry() {
    server_tls wingtip-server "" -groups P-384
    phone_address 50
    phone_trusts 50 wingtip-root
    recorder_start "$@"
    connects_with_keys 50 -tls1_3 -servername lyncpool.contoso.test -groups X25519:P-384
}

# Records of 512 bytes: messages span them.
scenario_keys_small_records() {
    server_tls wingtip-server "" -max_send_frag 512
    phone_address 50
    phone_trusts 50 wingtip-root
    recorder_start "$@"
    connects_with_keys 50 -tls1_3 -servername lyncpool.contoso.test
}

# A certificate compressed by RFC 8879.
scenario_keys_compressed() {
    start_in_server python3 "$here/compress.py" server $server_ip "$(chain wingtip-server)" "$keys/wingtip-server.key" \
        >/dev/null 2>&1
    wait_for_port 443
    phone_address 50
    recorder_start "$@"
    with_keys phone_decompresses 50
}
phone_decompresses() { in_phone "$1" timeout 5 python3 "$here/compress.py" client $server_ip "$SSLKEYLOGFILE" || true; }

# STARTTLS and the like: the server is starttls.py, the phone OpenSSL. The server sends only its own certificate.
starttls() {
    local name=$1 format=$2 protocol=${1#starttls-}
    start_in_server python3 "$here/starttls.py" $server_ip "$3" "$protocol" "$pki/wingtip-server.pem" \
        "$keys/wingtip-server.key"
    wait_for_port "$3"
    phone_address 50
    phone_trusts 50 wingtip-root
    recorder_start "$name" "$format"
    SERVER=$server_ip:$3 phone_connects 50 "${tls12[@]}" -starttls "$protocol" -name pool.contoso.test \
        -xmpphost contoso.test
}
scenario_starttls_smtp() { starttls "$@" 25; }
scenario_starttls_imap() { starttls "$@" 143; }
scenario_starttls_pop3() { starttls "$@" 110; }
scenario_starttls_ftp() { starttls "$@" 21; }
scenario_starttls_xmpp() { starttls "$@" 5222; }
scenario_starttls_ldap() { starttls "$@" 389; }
scenario_starttls_postgres() { starttls "$@" 5432; }
scenario_starttls_mysql() { starttls "$@" 3306; }

# Through a proxy, and without a server name: the name asked for is the one in CONNECT.
scenario_proxy_connect() {
    LISTEN=127.0.0.1:443 server_tls wingtip-server-mail wingtip-issuing
    printf '%s\n' 'Port 8888' "Listen $server_ip" 'Timeout 20' 'MaxClients 10' 'Allow 10.20.30.0/24' 'ConnectPort 443' \
        >"$work/tinyproxy.conf"
    start_in_server bash -c "echo '127.0.0.1 lyncpool.contoso.test' >'$work/hosts' &&
        unshare -m bash -c 'mount --bind $work/hosts /etc/hosts && exec tinyproxy -d -c $work/tinyproxy.conf'" >/dev/null 2>&1
    wait_for_port 8888
    phone_address 50
    phone_trusts 50 wingtip-root
    recorder_start "$@"
    SERVER=lyncpool.contoso.test:443 phone_connects 50 -tls1_2 -noservername -proxy $server_ip:8888 \
        -verify_hostname lyncpool.contoso.test
}
