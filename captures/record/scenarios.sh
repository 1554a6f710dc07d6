# One short function for each capture: the server, the recorder, then what the phone does. What the capture is to show
# is in its expectation, captures/NAME.expect.toml.

# pcapng and pcap-ns have time stamps in nanoseconds, pcap in microseconds.
scenario_table="
pin-sign-in                   pcapng
usb-sign-in                   pcapng
usb-after-pin                 pcapng
usb-then-pin                  pcapng
usb-ldap                      pcapng
usb-ldap-root                 pcapng
usb-full-chain                pcapng
usb-vlan                      pcapng
usb-ipv6                      pcapng
two-phones                    pcapng

upper-intermediate-missing    pcapng
lower-intermediate-missing    pcapng
wrong-intermediate            pcap
same-name-other-key           pcapng
same-name-bad-signature       pcapng
root-unknown                  pcapng
root-unknown-root-sent        pcap-ns
two-tier-by-serial            pcapng
one-tier-unknown-root         pcapng
one-tier-by-serial            pcap
one-tier-trusted              pcapng
cross-signed                  pcapng
cross-signed-fetch            pcapng
small-records                 pcapng

fetch-404                     pcapng
fetch-cut-off                 pcapng
fetch-other-ca                pcapng
fetch-html                    pcap
fetch-gzip                    pcapng
fetch-chunked                 pcap-ns
fetch-gzip-chunked            pcapng
fetch-p7b                     pcapng
fetch-der                     pcap
fetch-pem                     pcapng

expired                       pcap
not-yet-valid                 pcap-ns
name-mismatch                 pcapng
name-mismatch-after-handshake pcapng
tls10-refused                 pcapng
no-shared-cipher              pcap
client-closes                 pcapng
client-resets                 pcapng
no-data                       pcapng
no-data-probe                 pcapng
server-closes                 pcapng
server-closes-at-hello        pcapng
server-stalls                 pcapng
refused                       pcapng
unanswered                    pcapng
nothing-here                  pcapng

resumed-session-id            pcapng
resumed-ticket                pcapng
tls13-works                   pcapng
tls13-fails                   pcapng
tls13-fails-gnutls            pcapng
gnutls-missing-intermediate   pcapng
java-missing-intermediate     pcapng
nss-missing-intermediate      pcapng
nss-late-alert                pcapng
gnutls-server                 pcapng
java-server                   pcapng
"

# Sign-ins as a whole: DHCP, DNS, certificates, handshake.

# The server of the published case: it sends only its own certificate, and offers the chain on port 80.
leaf_only_server() {
    server_dhcp_dns
    server_http soap root policy issuing
    server_tls server ""
    phone_trusts 50 root
    phone_trusts 51 root
}

scenario_pin_sign_in() {
    leaf_only_server
    recorder_start "$@"
    phone_boots 51
    phone_fetches 51 $cert_prov
    phone_signs_in 51
}

scenario_usb_sign_in() {
    leaf_only_server
    recorder_start "$@"
    phone_boots 50
    phone_signs_in 50
}

scenario_usb_after_pin() {
    leaf_only_server
    recorder_start "$@"
    phone_boots 50
    phone_fetches 50 $cert_prov
    phone_signs_in 50
    sleep 2
    phone_signs_in 50
}

scenario_usb_then_pin() {
    leaf_only_server
    recorder_start "$@"
    phone_boots 50
    phone_signs_in 50
    sleep 2
    phone_fetches 50 $cert_prov
    phone_signs_in 50
}

scenario_usb_ldap() {
    leaf_only_server
    server_ldap AIA/policy AIA/issuing
    recorder_start "$@"
    phone_boots 50
    phone_searches_ldap 50 "CN=AIA,$public_key_services"
    phone_signs_in 50
}

scenario_usb_ldap_root() {
    leaf_only_server
    server_ldap "Certification Authorities/root" AIA/policy AIA/issuing
    phone_trusts 50
    recorder_start "$@"
    phone_boots 50
    phone_searches_ldap 50 "$public_key_services"
    phone_signs_in 50
}

scenario_usb_full_chain() {
    server_dhcp_dns
    server_tls server "issuing policy"
    phone_trusts 50 root
    recorder_start "$@"
    phone_boots 50
    phone_signs_in 50
}

scenario_usb_vlan() {
    tagged_port
    leaf_only_server
    recorder_start "$@" lan50
    PORT=voice phone_boots 50
    phone_signs_in 50
}

scenario_usb_ipv6() {
    ipv6_address 50
    leaf_only_server
    recorder_start "$@"
    ask 50 AAAA ucupdates-r2.contoso.test $server_ip6
    ask 50 AAAA lyncpool.contoso.test $server_ip6
    SERVER="[$server_ip6]:443" phone_signs_in 50
}

# Phone 51 signs in by PIN, phone 50 over USB, at the same time.
scenario_two_phones() {
    local pin usb
    leaf_only_server
    recorder_start "$@"
    phone_boots 51 &
    pin=$!
    phone_boots 50
    wait $pin
    { phone_fetches 51 $cert_prov && phone_signs_in 51; } &
    pin=$!
    { sleep 0.1 && phone_signs_in 50; } &
    usb=$!
    wait $pin $usb
}

# Chains. There is no DHCP and no DNS here: only the handshake of a phone that is not recognized.

# one_handshake NAME FORMAT CERTIFICATE "INTERMEDIATE..." ROOT [s_client option...]
one_handshake() {
    local name=$1 format=$2 cert=$3 sent=$4 root=$5
    shift 5
    server_tls "$cert" "$sent"
    phone_address 50
    phone_trusts 50 "$root"
    recorder_start "$name" "$format"
    phone_signs_in 50 "$@"
}

scenario_upper_intermediate_missing() { one_handshake "$@" server issuing root; }
scenario_lower_intermediate_missing() { one_handshake "$@" server policy root; }
scenario_wrong_intermediate() { one_handshake "$@" server fabrikam-issuing root; }
scenario_same_name_other_key() { one_handshake "$@" server "issuing-other-key policy" root; }
scenario_same_name_bad_signature() { one_handshake "$@" server-no-aki "issuing-other-key policy" root; }
scenario_root_unknown() { one_handshake "$@" server "issuing policy" fabrikam-root; }
scenario_root_unknown_root_sent() { one_handshake "$@" server "issuing policy root" fabrikam-root; }
scenario_two_tier_by_serial() { one_handshake "$@" contoso-server "" contoso-root; }
scenario_one_tier_unknown_root() { one_handshake "$@" one-tier-server "" root; }
scenario_one_tier_by_serial() { one_handshake "$@" one-tier-server-by-serial "" root; }
scenario_one_tier_trusted() { one_handshake "$@" one-tier-server-no-aki "" one-tier; }
scenario_cross_signed() { one_handshake "$@" cross-server cross-by-fabrikam root; }
scenario_expired() { one_handshake "$@" server-expired "issuing policy" root; }
scenario_not_yet_valid() { one_handshake "$@" server-not-yet-valid "issuing policy" root; }

# The server's messages are cut into TLS records of at most 512 bytes.
scenario_small_records() {
    server_tls server "" -max_send_frag 512
    phone_address 50
    phone_trusts 50 root
    recorder_start "$@"
    phone_signs_in 50
}

# Fetches on port 80, each followed by a handshake with a server that sends only its own certificate.

# fetch NAME FORMAT MODE PATH CERTIFICATE...
fetch() {
    local name=$1 format=$2 mode=$3 path=$4
    shift 4
    server_http "$mode" "$@"
    server_tls server ""
    phone_address 50
    phone_trusts 50 root
    recorder_start "$name" "$format"
    phone_fetches 50 "$path"
    phone_signs_in 50
}

scenario_fetch_404() { fetch "$@" 404 $cert_prov root policy issuing; }
scenario_fetch_cut_off() { fetch "$@" cut-off $cert_prov root policy issuing; }
scenario_fetch_other_ca() { fetch "$@" soap $cert_prov fabrikam-root fabrikam-issuing; }
scenario_fetch_html() { fetch "$@" html $cert_prov root policy issuing; }
scenario_fetch_gzip() { fetch "$@" gzip $cert_prov root policy issuing; }
scenario_fetch_chunked() { fetch "$@" chunked $cert_prov root policy issuing; }
scenario_fetch_gzip_chunked() { fetch "$@" gzip-chunked $cert_prov root policy issuing; }
scenario_fetch_p7b() { fetch "$@" soap "/certsrv/certnew.p7b?ReqID=CACert&Renewal=0&Enc=bin" policy issuing; }
scenario_fetch_pem() { fetch "$@" soap "/certsrv/certnew.cer?ReqID=CACert&Renewal=0&Enc=b64" policy issuing; }

scenario_fetch_der() {
    server_http soap contoso-issuing
    server_tls contoso-server ""
    phone_address 50
    phone_trusts 50 contoso-root
    recorder_start "$@"
    phone_fetches 50 /pki/ca.crt
    phone_signs_in 50
}

scenario_cross_signed_fetch() {
    server_http soap root cross-by-northwind
    server_tls cross-server cross-by-fabrikam
    phone_address 50
    phone_trusts 50 root
    recorder_start "$@"
    phone_fetches 50 $cert_prov
    phone_signs_in 50
}

# Other failures, and connections that end without a stated reason.

# full_chain_server [s_server option...]: nothing is wrong with the certificates.
full_chain_server() {
    server_dhcp_dns
    server_tls server "issuing policy" "$@"
    phone_trusts 50 root
}

scenario_name_mismatch() {
    full_chain_server
    phone_address 50
    recorder_start "$@"
    phone_connects 50 -tls1_2 -servername sip.contoso.test -verify_hostname sip.contoso.test
}

scenario_name_mismatch_after_handshake() {
    full_chain_server
    phone_address 50
    recorder_start "$@"
    phone_connects_curl 50 sip.contoso.test
}

scenario_tls10_refused() {
    full_chain_server -tls1_2
    recorder_start "$@"
    phone_boots 50
    phone_signs_in 50
}

scenario_no_shared_cipher() {
    full_chain_server -cipher CAMELLIA256-SHA:@SECLEVEL=0
    phone_address 50
    recorder_start "$@"
    phone_signs_in 50
}

# The alert that the phone's stack sends for the missing intermediate does not reach the wire; only the close does.
scenario_client_closes() {
    leaf_only_server
    recorder_start "$@"
    phone_boots 50
    phone_signs_in_cut 50 client-alert fin
}

scenario_client_resets() {
    leaf_only_server
    recorder_start "$@"
    phone_boots 50
    phone_signs_in_cut 50 client-alert rst
}

scenario_no_data() {
    full_chain_server
    recorder_start "$@"
    phone_boots 50
    phone_probes 50 "${windows_ce[@]}"
}

scenario_no_data_probe() {
    full_chain_server
    phone_address 50
    recorder_start "$@"
    phone_probes 50 "${tls12[@]}"
}

scenario_server_closes() {
    LISTEN=4433 server_tls server "issuing policy"
    server_cut client-flight fin
    phone_address 50
    phone_trusts 50 root
    recorder_start "$@"
    phone_signs_in 50
}

scenario_server_closes_at_hello() {
    LISTEN=4433 server_tls server "issuing policy" -tls1_2
    server_cut server-alert rst
    phone_address 50
    phone_trusts 50 root
    recorder_start "$@"
    phone_signs_in 50
}

scenario_server_stalls() {
    LISTEN=4433 server_tls server "issuing policy"
    server_cut client-hello silence
    phone_address 50
    phone_trusts 50 root
    recorder_start "$@"
    PATIENCE=12 phone_signs_in 50
}

scenario_refused() {
    server_dhcp_dns
    phone_trusts 50 root
    recorder_start "$@"
    phone_boots 50
    phone_signs_in 50
}

scenario_unanswered() {
    full_chain_server
    drop_port 443
    recorder_start "$@"
    phone_boots 50
    PATIENCE=8 phone_signs_in 50
}

scenario_nothing_here() {
    leaf_only_server
    recorder_start "$@"
    phone_boots 50
    phone_fetches 50 /
}

# Sessions, TLS 1.3, other stacks.

scenario_resumed_session_id() {
    full_chain_server
    phone_address 50
    recorder_start "$@"
    phone_signs_in 50 -sess_out "$work/session"
    phone_signs_in 50 -sess_in "$work/session"
}

scenario_resumed_ticket() {
    full_chain_server
    phone_address 50
    recorder_start "$@"
    phone_connects 50 "${tls12[@]}" -sess_out "$work/session"
    phone_connects 50 "${tls12[@]}" -sess_in "$work/session"
}

scenario_tls13_works() {
    full_chain_server
    phone_address 50
    recorder_start "$@"
    phone_connects 50 -tls1_3 -servername lyncpool.contoso.test
}

# leaf_only NAME FORMAT FUNCTION ARGUMENT...: a server that leaves the intermediates out, and another stack as the phone.
leaf_only() {
    server_tls server ""
    phone_address 50
    phone_trusts 50 root
    recorder_start "$1" "$2"
    shift 2
    "$@"
}

scenario_tls13_fails() { leaf_only "$@" phone_connects 50 -tls1_3 -servername lyncpool.contoso.test; }
scenario_tls13_fails_gnutls() { leaf_only "$@" phone_connects_gnutls 50 1.3; }
scenario_gnutls_missing_intermediate() { leaf_only "$@" phone_connects_gnutls 50 1.2; }
scenario_java_missing_intermediate() { leaf_only "$@" phone_connects_java 50; }
scenario_nss_missing_intermediate() { leaf_only "$@" phone_connects_nss 50 -O; }
scenario_nss_late_alert() { leaf_only "$@" phone_connects_nss 50; }

scenario_gnutls_server() {
    server_gnutls server
    phone_address 50
    phone_trusts 50 root
    recorder_start "$@"
    phone_signs_in 50
}

scenario_java_server() {
    server_java server issuing policy
    phone_address 50
    phone_trusts 50 root
    recorder_start "$@"
    phone_connects_gnutls 50 1.2
}
