# Captures that fire one rule each, and beside them captures that nearly do; like scenarios.sh, with a set of
# certificates of their own. Adatum is the CA of the pool, Tailspin another company's.

rules_table="
unsupported-algorithm           pcapng
unsupported-algorithm-works     pcapng

chain-order-mixed               pcapng
chain-order-unrelated           pcapng
chain-order-root-sent           pcap
same-name-other-key-works       pcapng

other-ca-refused                pcapng
other-ca-refused-gnutls         pcapng
other-ca-refused-java           pcapng
other-ca-accepted               pcapng
trusted-chain-refused           pcapng

profile-mismatch                pcapng
profile-fits                    pcapng

chain-invalid-path-length       pcapng
chain-invalid-not-a-ca          pcapng
chain-invalid-name-constraints  pcapng
chain-invalid-key-usage         pcap
chain-invalid-extended-usage    pcapng
chain-invalid-unknown-extension pcapng
chain-invalid-accepted          pcapng

issuer-list-truncated           pcapng
issuer-list-truncated-2003      pcapng
issuer-list-long                pcapng
client-certificate-absent       pcapng
client-certificate-refused      pcapng
client-certificate-silent       pcapng
client-certificate-accepted     pcapng

revoked                         pcapng
revoked-stapled                 pcapng
"

exchange_ip=10.20.30.11

make_rules_pki() {
    prepare_pki
    cat >>"$work/ca.cnf" <<CONFIG
[ca_path_length_0]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[not_a_ca]
basicConstraints = critical,CA:FALSE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[ca_constrained]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
nameConstraints = critical,permitted;DNS:adatum.test
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[ca_without_cert_sign]
basicConstraints = critical,CA:TRUE
keyUsage = critical,digitalSignature,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[server_for_mail]
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
subjectAltName = \$ENV::SAN
[ca_unknown_extension]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
1.3.6.1.4.1.32473.1 = critical,ASN1:NULL
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[client]
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
CONFIG
    local server=/CN=lyncpool.contoso.test issuing="/O=Adatum/CN=Adatum Issuing CA" policy="/O=Adatum/CN=Adatum Policy CA"

    # The pool's CA: three tiers. Beside the issuing CA, another one of its name with another key.
    certificate adatum-root "/O=Adatum/CN=Adatum Root CA" - root
    certificate adatum-policy "$policy 1" adatum-root ca_keyid
    certificate adatum-issuing "$issuing 1" adatum-policy ca_keyid
    certificate adatum-server $server adatum-issuing server_keyid
    certificate adatum-issuing-other-key "$issuing 1" adatum-policy ca_keyid

    # Exchange's CA: two tiers, another company.
    certificate tailspin-root "/O=Tailspin/CN=Tailspin Root CA" - root
    certificate tailspin-issuing "/O=Tailspin/CN=Tailspin Issuing CA" tailspin-root ca_keyid
    SAN=DNS:mail.contoso.test certificate tailspin-server /CN=mail.contoso.test tailspin-issuing server_keyid

    # Signed with RSASSA-PSS below the root, whose own signature is PKCS #1.
    PSS=1 certificate adatum-issuing-pss "$issuing 2 PSS" adatum-root ca_keyid
    PSS=1 certificate adatum-server-pss $server adatum-issuing-pss server_keyid

    # Chains that violate one rule of RFC 5280 each.
    certificate adatum-policy-path-length-0 "$policy 3" adatum-root ca_path_length_0
    certificate adatum-issuing-too-deep "$issuing 3" adatum-policy-path-length-0 ca_keyid
    certificate adatum-server-too-deep $server adatum-issuing-too-deep server_keyid
    certificate adatum-issuing-not-a-ca "$issuing 4" adatum-root not_a_ca
    certificate adatum-server-below-not-a-ca $server adatum-issuing-not-a-ca server_keyid
    certificate adatum-issuing-constrained "$issuing 5" adatum-root ca_constrained
    certificate adatum-server-outside-constraint $server adatum-issuing-constrained server_keyid
    certificate adatum-issuing-without-cert-sign "$issuing 6" adatum-root ca_without_cert_sign
    certificate adatum-server-below-no-cert-sign $server adatum-issuing-without-cert-sign server_keyid
    certificate adatum-server-for-mail $server adatum-issuing server_for_mail
    certificate adatum-issuing-unknown-extension "$issuing 7" adatum-root ca_unknown_extension
    certificate adatum-server-below-unknown-extension $server adatum-issuing-unknown-extension server_keyid

    # Certificates of clients.
    certificate adatum-client /CN=phone50.contoso.test adatum-issuing client
    certificate tailspin-client /CN=phone50.contoso.test tailspin-issuing client
}

# A phone that is recognized by DHCP; its stack refuses the certificate, but no alert reaches the wire. It refuses
# because it has no root: the stack recorded in its place does not have the defect that the capture is to show.
phone_refuses_silently() {
    phone_trusts "$1" "${2:-tailspin-root}"
    phone_signs_in_cut "$1" client-alert fin
}

# Algorithms and profile.

scenario_unsupported_algorithm() {
    server_dhcp_dns
    server_tls adatum-server-pss adatum-issuing-pss
    recorder_start "$@"
    phone_boots 50
    phone_refuses_silently 50
}

# recognized_phone NAME FORMAT CERTIFICATE "INTERMEDIATE..." s_client option...: the handshake works.
recognized_phone() {
    local name=$1 format=$2 cert=$3 sent=$4
    shift 4
    server_dhcp_dns
    server_tls "$cert" "$sent"
    phone_trusts 50 adatum-root
    recorder_start "$name" "$format"
    phone_boots 50
    phone_connects 50 "$@"
}

scenario_unsupported_algorithm_works() {
    recognized_phone "$@" adatum-server-pss adatum-issuing-pss "${windows_ce[@]}"
}
scenario_profile_mismatch() {
    recognized_phone "$@" adatum-server "adatum-issuing adatum-policy" -tls1_2 -noservername
}
scenario_profile_fits() { recognized_phone "$@" adatum-server "adatum-issuing adatum-policy" "${windows_ce[@]}"; }

# What the server sends, in handshakes that work.

scenario_chain_order_mixed() { one_handshake "$@" adatum-server "adatum-root adatum-policy adatum-issuing" adatum-root; }
scenario_chain_order_unrelated() {
    one_handshake "$@" adatum-server "adatum-issuing adatum-policy tailspin-issuing" adatum-root
}
scenario_chain_order_root_sent() {
    one_handshake "$@" adatum-server "adatum-issuing adatum-policy adatum-root" adatum-root
}
scenario_same_name_other_key_works() {
    one_handshake "$@" adatum-server "adatum-issuing-other-key adatum-issuing adatum-policy" adatum-root
}

# The pool and Exchange, each with a certificate of another CA.

two_cas() {
    in_server ip addr add $exchange_ip/24 dev lan
    server_dhcp_dns "--host-record=mail.contoso.test,$exchange_ip"
    LISTEN=$server_ip:443 server_tls adatum-server "adatum-issuing adatum-policy"
    LISTEN=$exchange_ip:443 server_tls tailspin-server tailspin-issuing
    sleep 0.5
}

scenario_other_ca_refused() {
    two_cas
    phone_trusts 50 adatum-root
    recorder_start "$@"
    phone_boots 50
    phone_signs_in 50
    ask 50 A mail.contoso.test
    SERVER=$exchange_ip:443 phone_refuses_silently 50 adatum-root
}

scenario_other_ca_accepted() {
    two_cas
    phone_trusts 50 adatum-root tailspin-root
    recorder_start "$@"
    phone_boots 50
    phone_signs_in 50
    ask 50 A mail.contoso.test
    SERVER=$exchange_ip:443 phone_signs_in 50
}

# two_handshakes NAME FORMAT FUNCTION ARGUMENT...: another stack as the phone.
two_handshakes() {
    two_cas
    phone_address 50
    phone_trusts 50 adatum-root
    recorder_start "$1" "$2"
    shift 2
    "$@"
    SERVER_ADDRESS=$exchange_ip SERVER_NAME=mail.contoso.test "$@"
}

scenario_other_ca_refused_gnutls() { two_handshakes "$@" phone_connects_gnutls 50 1.2; }
scenario_other_ca_refused_java() { two_handshakes "$@" phone_connects_java 50; }

# Exchange alone: nothing shows that the phone accepts any CA.
scenario_trusted_chain_refused() {
    two_cas
    phone_address 50
    phone_trusts 50 adatum-root
    recorder_start "$@"
    SERVER_ADDRESS=$exchange_ip SERVER_NAME=mail.contoso.test phone_connects_gnutls 50 1.2
}

# Chains that violate one rule of RFC 5280 each.

scenario_chain_invalid_path_length() {
    one_handshake "$@" adatum-server-too-deep "adatum-issuing-too-deep adatum-policy-path-length-0" adatum-root
}
scenario_chain_invalid_not_a_ca() {
    one_handshake "$@" adatum-server-below-not-a-ca adatum-issuing-not-a-ca adatum-root
}
scenario_chain_invalid_name_constraints() {
    one_handshake "$@" adatum-server-outside-constraint adatum-issuing-constrained adatum-root
}
scenario_chain_invalid_key_usage() {
    one_handshake "$@" adatum-server-below-no-cert-sign adatum-issuing-without-cert-sign adatum-root
}
scenario_chain_invalid_extended_usage() {
    one_handshake "$@" adatum-server-for-mail "adatum-issuing adatum-policy" adatum-root
}
scenario_chain_invalid_unknown_extension() {
    one_handshake "$@" adatum-server-below-unknown-extension adatum-issuing-unknown-extension adatum-root
}

# curl without checks.
scenario_chain_invalid_accepted() {
    server_tls adatum-server-too-deep "adatum-issuing-too-deep adatum-policy-path-length-0"
    phone_address 50
    recorder_start "$@"
    in_phone 50 curl -s --insecure --max-time 5 --tls-max 1.2 \
        --resolve "lyncpool.contoso.test:443:$server_ip" https://lyncpool.contoso.test/hello >/dev/null
}

# Certificates of clients.

# issuer_list COUNT [CERTIFICATE...]: these certificates, and COUNT CAs with names of 109 bytes, which take 111 bytes
# each in a list of issuers.
issuer_list() {
    local count=$1 each name key=$work/anyone.key
    shift
    : >"$work/issuers"
    if (($#)); then cat "$(chain "$@")" >"$work/issuers"; fi
    printf '%s\n' '[req]' 'distinguished_name = names' '[names]' >"$work/names.cnf"
    openssl genrsa -out "$key" 2048 2>/dev/null
    for ((each = 1; each <= count; each++)); do
        printf -v name '/C=US/O=Trusted Certification Authorities/CN=Public Root Certification Authority %03d' "$each"
        openssl req -x509 -new -config "$work/names.cnf" -key "$key" -subj "$name" -days 30 >>"$work/issuers"
    done
}

# asking_server [s_server option...]: requires a client certificate of one of the CAs in the list.
asking_server() {
    server_tls adatum-server "adatum-issuing adatum-policy" -Verify 3 -verify_return_error \
        -CAfile "$work/issuers" "$@"
    phone_address 50
    phone_trusts 50 adatum-root
}

# Java sends its certificate only if the issuer is in the server's list, otherwise none.
phone_with_certificate() {
    key_store "$1" "$pki/$1.pem"
    phone_connects_java 50 "$work/keys.p12"
}

# A list cut off as Windows does it at 16,384 bytes (147 names, 16,317 bytes) or at 12,288 (110 names, 12,210 bytes).
scenario_issuer_list_truncated() {
    issuer_list 147
    asking_server
    recorder_start "$@"
    phone_with_certificate tailspin-client
}

scenario_issuer_list_truncated_2003() {
    issuer_list 110
    asking_server
    recorder_start "$@"
    phone_with_certificate tailspin-client
}

# As long a list, but the phone's issuer is in it.
scenario_issuer_list_long() {
    issuer_list 145 adatum-root adatum-policy adatum-issuing
    asking_server
    recorder_start "$@"
    phone_with_certificate adatum-client
}

scenario_client_certificate_absent() {
    issuer_list 3 adatum-root adatum-policy adatum-issuing
    asking_server
    recorder_start "$@"
    phone_with_certificate tailspin-client
}

# OpenSSL sends its certificate whatever the list says.
scenario_client_certificate_refused() {
    issuer_list 3 adatum-root adatum-policy adatum-issuing
    asking_server
    recorder_start "$@"
    phone_signs_in 50 -cert "$pki/tailspin-client.pem" -key "$keys/tailspin-client.key"
}

scenario_client_certificate_silent() {
    issuer_list 3 adatum-root adatum-policy adatum-issuing
    LISTEN=4433 asking_server
    server_cut server-alert fin
    recorder_start "$@"
    phone_signs_in 50
}

scenario_client_certificate_accepted() {
    issuer_list 3 adatum-root adatum-policy adatum-issuing
    asking_server
    recorder_start "$@"
    phone_signs_in 50 -cert "$pki/adatum-client.pem" -key "$keys/adatum-client.key"
}

# Revocation. The CA's list of issued certificates says that the server's is revoked.

revoke_server() {
    local serial
    serial=$(openssl x509 -in "$pki/adatum-server.pem" -noout -serial)
    printf '%s\t' R 440101000000Z 250601000000Z,keyCompromise "${serial#serial=}" unknown >"$work/index.txt"
    echo /CN=lyncpool.contoso.test >>"$work/index.txt"
    echo 01 >"$work/crl-number"
    printf '%s\n' '[ca]' 'default_ca = any' '[any]' "database = $work/index.txt" "crlnumber = $work/crl-number" \
        >"$work/crl.cnf"
    openssl ca -gencrl -config "$work/crl.cnf" -cert "$pki/adatum-issuing.pem" -keyfile "$keys/adatum-issuing.key" \
        -md sha256 -crldays 3650 -out "$work/crl.pem" 2>/dev/null
    openssl ocsp -index "$work/index.txt" -CA "$pki/adatum-issuing.pem" -rsigner "$pki/adatum-issuing.pem" \
        -rkey "$keys/adatum-issuing.key" -issuer "$pki/adatum-issuing.pem" -cert "$pki/adatum-server.pem" \
        -ndays 3650 -respout "$work/ocsp.der" >/dev/null 2>&1
}

# revoked NAME FORMAT "S_SERVER-OPTION..." s_client option...: the phone has the CA's revocation list.
revoked() {
    local name=$1 format=$2 stapled=$3
    shift 3
    revoke_server
    server_tls adatum-server "adatum-issuing adatum-policy" $stapled
    phone_address 50
    phone_trusts 50 adatum-root
    recorder_start "$name" "$format"
    phone_connects 50 "${tls12[@]}" -crl_check -CRL "$work/crl.pem" "$@"
}

scenario_revoked() { revoked "$@" ""; }
scenario_revoked_stapled() { revoked "$@" "-status_file $work/ocsp.der" -status; }
