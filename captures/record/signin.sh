# Captures about what surrounds the handshake: clocks, name servers, directories, routers and proxies, several
# recorders, and TLS that does not run over TCP. Like scenarios.sh, with a set of certificates of their own. Woodgrove
# is the CA of the pool, Litware the company whose proxy intercepts connections.
#
# A scenario that makes two captures is named for the first of them; the other comes with it.

signin_table="
clock-skew                pcapng
clock-skew-ahead          pcapng
clock-skew-harmless       pcapng
clock-nearly-right        pcapng
clock-random              pcapng
ntp-answered              pcapng
ntp-unanswered            pcapng

srv-outside-domain        pcapng
srv-subdomain             pcapng
wildcard-name             pcapng

nat-phone-side            pcapng
taps-phone-side           pcapng
rotated-1                 pcapng
intercepted               pcapng

eap-tls                   pcapng
eap-tls-radius            pcapng
quic                      pcapng

lldp-med                  pcapng
other-maker               pcapng
address-change            pcapng
usb-directory             pcapng

slow-server               pcapng
late-syn                  pcapng
black-hole                pcapng
version-fallback          pcapng
cipher-fallback           pcapng
fetch-only                pcapng
no-data-repeated          pcapng
tls-fine-http-error       pcapng
tls-fine-sip-closed       pcapng
stapled-good              pcapng
stapled-revoked-ignored   pcapng
cut-after                 pcapng
cut-inside                pcapng
"

make_signin_pki() {
    prepare_pki
    cat >>"$work/ca.cnf" <<CONFIG
[client]
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
CONFIG
    local server=/CN=lyncpool.contoso.test
    certificate woodgrove-root "/O=Woodgrove/CN=Woodgrove Root CA" - root
    certificate woodgrove-policy "/O=Woodgrove/CN=Woodgrove Policy CA 1" woodgrove-root ca_keyid
    certificate woodgrove-issuing "/O=Woodgrove/CN=Woodgrove Issuing CA 1" woodgrove-policy ca_keyid
    certificate woodgrove-server $server woodgrove-issuing server_keyid
    SAN=DNS:pool1.voice.contoso.test,DNS:lyncpool.contoso.test \
        certificate woodgrove-server-subdomain /CN=pool1.voice.contoso.test woodgrove-issuing server_keyid
    SAN=DNS:*.contoso.test certificate woodgrove-server-wildcard "/O=Contoso/CN=Contoso servers" woodgrove-issuing server_keyid
    SAN=DNS:radius.contoso.test certificate woodgrove-radius /CN=radius.contoso.test woodgrove-issuing server_keyid
    certificate woodgrove-client /CN=phone50.contoso.test woodgrove-issuing client
    certificate litware-inspection "/O=Litware/CN=Litware Inspection CA" - root
}

woodgrove_cas="woodgrove-issuing woodgrove-policy"

# The server sends the full chain, with CERTIFICATE in place of the pool's certificate, or it sends the leaf alone and
# offers the chain on port 80; the phones have the root.
complete_server() {
    server_tls "${CERTIFICATE:-woodgrove-server}" "$woodgrove_cas" "$@"
    phone_trusts 50 woodgrove-root
    phone_trusts 51 woodgrove-root
}

incomplete_server() {
    server_http "${1:-soap}" woodgrove-root woodgrove-policy woodgrove-issuing
    server_tls woodgrove-server ""
    phone_trusts 50 woodgrove-root
    phone_trusts 51 woodgrove-root
}

# Clocks.

# phone_at SECONDS COUNT: COUNT sign-ins, three seconds apart, of a phone whose clock is off by SECONDS.
phone_at() {
    local count
    for ((count = $2; count; count--)); do
        in_phone 50 faketime -f "$1s" timeout 30 python3 "$here/old_clock.py" $server_ip 443 "$work/store50" || true
        if ((count > 1)); then sleep 3; fi
    done
}

# clock NAME FORMAT SECONDS: a phone that is recognized by DHCP.
clock() {
    server_dhcp_dns
    complete_server
    recorder_start "$1" "$2"
    phone_boots 50
    phone_at "$3" 2
}

until_date() { printf '%+d' $(($(date -ud "$1" +%s) - $(date +%s))); }

scenario_clock_skew() { clock "$@" "$(until_date 2006-06-01)"; }
scenario_clock_skew_ahead() { clock "$@" "$(until_date 2045-06-01)"; }
scenario_clock_skew_harmless() { clock "$@" -3600; }
scenario_clock_nearly_right() { clock "$@" -200; }

scenario_clock_random() {
    server_dhcp_dns
    complete_server
    recorder_start "$@"
    phone_boots 50
    phone_signs_in 50
    sleep 3
    phone_signs_in 50
}

# chronyd as client and as server; neither touches the clock.
phone_asks_time() {
    ask 50 SRV _ntp._udp.contoso.test
    ask 50 A ntp.contoso.test
    in_phone 50 chronyd -Q -u root -t 4 "server $server_ip iburst maxsamples 1" 'bindcmdaddress /' 'cmdport 0' \
        "pidfile $work/time-client" >/dev/null 2>&1 || true
    pause
}

time_names="--srv-host=_ntp._udp.contoso.test,ntp.contoso.test,123 --host-record=ntp.contoso.test,$server_ip"

scenario_ntp_answered() {
    server_dhcp_dns $time_names
    start_in_server chronyd -x -d -u root 'local stratum 3' allow 'bindcmdaddress /' 'cmdport 0' \
        "pidfile $work/time-server" >/dev/null 2>&1
    sleep 1
    complete_server
    recorder_start "$@"
    phone_boots 50
    phone_asks_time
    phone_signs_in 50
}

# Packets to port 123 are dropped.
scenario_ntp_unanswered() {
    server_dhcp_dns $time_names
    in_server nft "add table ip firewall; add chain ip firewall in { type filter hook input priority 0; };
        add rule ip firewall in udp dport 123 drop"
    complete_server
    recorder_start "$@"
    phone_boots 50
    phone_asks_time
    phone_signs_in 50
}

# Names.

# A phone that follows the SRV record alone: phone_follows NAME.
phone_follows() {
    in_phone 50 udhcpc -i eth0 -f -q -n -V CPE-OCPHONE -O 43 -O 120 -s "$here/set-address.sh" >/dev/null 2>&1
    ask 50 A ucupdates-r2.contoso.test
    ask 50 SRV _sipinternaltls._tcp.contoso.test
    ask 50 A "$1"
    pause
}

scenario_srv_outside_domain() {
    SIP_TARGET=lyncpool.woodgrove.test server_dhcp_dns --host-record=lyncpool.woodgrove.test,$server_ip
    complete_server
    recorder_start "$@"
    phone_follows lyncpool.woodgrove.test
    sleep 2
}

scenario_srv_subdomain() {
    SIP_TARGET=pool1.voice.contoso.test server_dhcp_dns --host-record=pool1.voice.contoso.test,$server_ip
    CERTIFICATE=woodgrove-server-subdomain complete_server
    recorder_start "$@"
    phone_follows pool1.voice.contoso.test
    phone_signs_in 50
}

scenario_wildcard_name() {
    CERTIFICATE=woodgrove-server-wildcard complete_server
    phone_address 50
    recorder_start "$@"
    phone_connects 50 "${tls12[@]}" -verify_hostname lyncpool.contoso.test
}

# Several recorders, and recordings in pieces.

phone_looks_up_and_fails() {
    phone_looks_up 50
    phone_signs_in 50
}

# The same sign-in on both sides of a router that translates addresses; nat-server-side is what the server sees.
scenario_nat_phone_side() {
    routed_phone
    server_dhcp_dns
    incomplete_server
    recorder_start nat-server-side "$2"
    tap_start "$1" router inside
    phone_looks_up_and_fails
}

# The same sign-in at the phone and, in taps-server-side, at the server.
scenario_taps_phone_side() {
    server_dhcp_dns
    incomplete_server
    recorder_start taps-server-side "$2"
    tap_start "$1" phone50 eth0
    phone_boots 50
    phone_signs_in 50
}

# A PIN sign-in; the recording is split between the fetch and the handshake into rotated-1 and rotated-2.
scenario_rotated_1() {
    local frames whole=$captures/rotated-1.pcapng
    server_dhcp_dns
    incomplete_server
    recorder_start "$@"
    phone_boots 51
    phone_fetches 51 $cert_prov
    frames=$(frames_so_far)
    phone_signs_in 51
    recorder_stop
    mv "$whole" "$work/whole.pcapng"
    editcap -F pcapng -r "$work/whole.pcapng" "$whole" "1-$frames"
    editcap -F pcapng "$work/whole.pcapng" "$captures/rotated-2.pcapng" "1-$frames"
}

# cut_frames NAME FROM BYTES: truncates the frames from number FROM on to BYTES bytes each.
cut_frames() {
    local whole=$captures/$1.pcapng
    mv "$whole" "$work/whole.pcapng"
    if (($2 == 1)); then
        editcap -F pcapng -s "$3" "$work/whole.pcapng" "$whole"
        return
    fi
    editcap -F pcapng -r "$work/whole.pcapng" "$work/head.pcapng" "1-$(($2 - 1))"
    editcap -F pcapng -s "$3" "$work/whole.pcapng" "$work/tail.pcapng" "1-$(($2 - 1))"
    mergecap -F pcapng -a -w "$whole" "$work/head.pcapng" "$work/tail.pcapng"
}

# The phone waits between handshake and request; from the request on, each frame is truncated to 80 bytes.
scenario_cut_after() {
    local frames phone
    complete_server
    phone_address 50
    recorder_start "$@"
    { sleep 2; printf 'GET /hello HTTP/1.0\r\n\r\n'; } | in_phone 50 timeout 6 openssl s_client -connect $server_ip:443 \
        -CAfile "$work/store50" -verify_return_error -quiet "${windows_ce[@]}" >/dev/null 2>&1 &
    phone=$!
    sleep 1
    frames=$(frames_so_far)
    wait $phone || true
    recorder_stop
    cut_frames "$1" $((frames + 1)) 80
}

# Every frame of a failing handshake is truncated to 96 bytes.
scenario_cut_inside() {
    server_tls woodgrove-server ""
    phone_address 50
    phone_trusts 50 woodgrove-root
    recorder_start "$@"
    phone_signs_in 50
    recorder_stop
    cut_frames "$1" 1 96
}

# Phone 51's connections are redirected to a proxy that intercepts them.
scenario_intercepted() {
    complete_server
    start_in_server sslsplit -D -u root -k "$keys/litware-inspection.key" -c "$pki/litware-inspection.pem" \
        -P ssl $server_ip 8443 127.0.0.1 443 >/dev/null 2>&1
    wait_for_port 8443
    in_server sysctl -qw net.bridge.bridge-nf-call-iptables=0
    in_server nft "add table ip divert; add chain ip divert pre { type nat hook prerouting priority -100; };
        add rule ip divert pre ip saddr 10.20.30.51 tcp dport 443 redirect to :8443"
    phone_address 50
    phone_address 51
    recorder_start "$@"
    phone_connects 50 "${tls12[@]}"
    phone_connects 51 "${tls12[@]}"
}

# TLS, but not over TCP.

# hostapd_settings: what access control and RADIUS server share.
hostapd_settings() {
    cat "$(chain woodgrove-root woodgrove-policy woodgrove-issuing)" >"$work/cas"
    printf '* TLS\n' >"$work/eap-users"
    printf '%s\n' eap_server=1 "eap_user_file=$work/eap-users" "ca_cert=$work/cas" \
        "server_cert=$(chain woodgrove-radius $woodgrove_cas)" "private_key=$keys/woodgrove-radius.key"
}

# supplicant_settings: the phone's.
supplicant_settings() {
    printf '%s\n' ap_scan=0 'network={' "$@" key_mgmt=IEEE8021X eap=TLS 'identity="phone50"' eapol_flags=0 \
        "ca_cert=\"$pki/woodgrove-root.pem\"" "client_cert=\"$pki/woodgrove-client.pem\"" \
        "private_key=\"$keys/woodgrove-client.key\"" '}'
}

# 802.1X on the phone's port, before anything else is let through.
scenario_eap_tls() {
    in_server ip link set lan50 nomaster
    { printf '%s\n' interface=lan50 driver=wired ieee8021x=1 use_pae_group_addr=1 && hostapd_settings; } >"$work/hostapd.conf"
    supplicant_settings >"$work/supplicant.conf"
    start_in_server hostapd "$work/hostapd.conf" >/dev/null 2>&1
    sleep 1
    recorder_start "$1" "$2" lan50
    start_in_phone 50 wpa_supplicant -D wired -i eth0 -c "$work/supplicant.conf" >/dev/null 2>&1
    sleep 5
}

# The same between a switch and its RADIUS server; the switch has the phone's place.
scenario_eap_tls_radius() {
    printf '10.20.30.0/24 between-us\n' >"$work/radius-clients"
    { printf '%s\n' driver=none interface=lan "radius_server_clients=$work/radius-clients" radius_server_auth_port=1812 &&
        hostapd_settings; } >"$work/hostapd.conf"
    supplicant_settings >"$work/supplicant.conf"
    start_in_server hostapd "$work/hostapd.conf" >/dev/null 2>&1
    sleep 1
    phone_address 50
    recorder_start "$@"
    in_phone 50 timeout 10 eapol_test -n -c "$work/supplicant.conf" -a $server_ip -p 1812 -s between-us -r0 \
        -M 02:15:5d:20:30:50 >/dev/null 2>&1 || true
}

scenario_quic() {
    start_in_server python3 "$here/quic.py" serve $server_ip "$(chain woodgrove-server $woodgrove_cas)" \
        "$keys/woodgrove-server.key"
    sleep 1.5
    phone_address 50
    phone_trusts 50 woodgrove-root
    recorder_start "$@"
    in_phone 50 timeout 10 python3 "$here/quic.py" ask $server_ip lyncpool.contoso.test "$work/store50" >/dev/null
}

# What a device says about itself.

# On the phone's port, since a bridge does not forward LLDP. DHCP and DNS tell nothing about the phone here.
scenario_lldp_med() {
    printf '%s\n' 'configure system hostname CX600' 'configure system description "Polycom CX600"' \
        'configure inventory manufacturer Polycom' 'configure inventory model CX600' \
        'configure inventory software-revision 4.0.7577.4463' 'configure inventory hardware-revision unknown' \
        'configure inventory firmware-revision unknown' 'configure inventory serial-number unknown' \
        'configure inventory asset unknown' >"$work/lldpd.conf"
    chmod go+x "$work" # lldpd gives up root
    server_dhcp_dns
    incomplete_server
    recorder_start "$1" "$2" lan50
    start_in_phone 50 lldpd -d -M 3 -I eth0 -u "$work/lldpd.socket" -p "$work/lldpd.pid" -O "$work/lldpd.conf" >/dev/null 2>&1
    sleep 3
    in_phone 50 udhcpc -i eth0 -f -q -n -s "$here/set-address.sh" >/dev/null 2>&1
    ask 50 A lyncpool.contoso.test
    phone_signs_in 50
}

# The same DHCP options and the same fetch, but this phone gives another maker's names.
scenario_other_maker() {
    server_dhcp_dns
    incomplete_server
    recorder_start "$@"
    in_phone 50 udhcpc -i eth0 -f -q -n -V CPE-OCPHONE -x hostname:AudioCodes-420HD -O 43 -O 120 \
        -s "$here/set-address.sh" >/dev/null 2>&1
    pause
    phone_informs 50
    phone_looks_up 50
    AGENT="AudioCodes-420HD" phone_fetches 50 $cert_prov
    phone_connects 50 -tls1_2 -noservername
}

# One network card, two leases: the fetch at the first address, the handshake from the second.
scenario_address_change() {
    local card=02:15:5d:20:30:50
    echo "$card,10.20.30.50" >"$work/hosts"
    LEASES=$work/hosts server_dhcp_dns
    incomplete_server
    recorder_start "$@"
    phone_boots 50
    phone_fetches 50 $cert_prov
    echo "$card,10.20.30.60" >"$work/hosts"
    kill -HUP "$(in_server_pid dnsmasq)"
    in_phone 50 ip addr flush dev eth0
    pause
    in_phone 50 udhcpc -i eth0 -f -q -n -V CPE-OCPHONE -O 43 -O 120 -s "$here/set-address.sh" >/dev/null 2>&1
    pause
    ask 50 A lyncpool.contoso.test
    phone_signs_in 50
}

# A directory lookup and a Kerberos ticket before the handshake.
server_kerberos() {
    mkdir -p "$work/kerberos"
    printf '%s\n' '[libdefaults]' 'default_realm = CONTOSO.TEST' 'dns_lookup_kdc = false' 'dns_lookup_realm = false' \
        'dns_canonicalize_hostname = false' '[realms]' 'CONTOSO.TEST = {' "kdc = $server_ip" '}' >"$work/kerberos/krb5.conf"
    printf '%s\n' '[realms]' 'CONTOSO.TEST = {' "database_name = $work/kerberos/principal" \
        "key_stash_file = $work/kerberos/stash" 'kdc_listen = 88' 'kdc_tcp_listen = 88' \
        'default_principal_flags = +preauth' '}' '[logging]' "kdc = FILE:$work/kerberos/log" >"$work/kerberos/kdc.conf"
    export KRB5_CONFIG=$work/kerberos/krb5.conf KRB5_KDC_PROFILE=$work/kerberos/kdc.conf KRB5CCNAME=$work/kerberos/tickets
    rm -f "$work"/kerberos/principal*
    kdb5_util create -s -P any-master-key >/dev/null 2>&1
    kadmin.local -q "addprinc -pw a-password phone.user" >/dev/null 2>&1
    start_in_server krb5kdc -n >/dev/null 2>&1
    sleep 1
}

scenario_usb_directory() {
    server_dhcp_dns --srv-host=_ldap._tcp.contoso.test,dc01.contoso.test,389 --host-record=dc01.contoso.test,$server_ip
    server_kerberos
    incomplete_server
    recorder_start "$@"
    phone_boots 50
    ask 50 SRV _ldap._tcp.contoso.test
    ask 50 A dc01.contoso.test
    echo a-password | in_phone 50 kinit phone.user >/dev/null
    pause
    phone_signs_in 50
}

# Nearly a failure.

# The server's program is stopped for four seconds; the connection itself is accepted at once.
scenario_slow_server() {
    complete_server
    phone_address 50
    recorder_start "$@"
    kill -STOP "$(in_server_pid openssl)"
    PATIENCE=9 phone_signs_in 50 &
    sleep 4
    kill -CONT "$(in_server_pid openssl)"
    wait $!
}

# Large packets of the server are lost behind the recorder, at the phone.
scenario_black_hole() {
    complete_server
    phone_address 50
    in_phone 50 nft "add table ip hole; add chain ip hole in { type filter hook input priority 0; };
        add rule ip hole in meta length > 600 drop"
    recorder_start "$@"
    PATIENCE=8 phone_signs_in 50
    sleep 1
}

# The first SYN is lost before it reaches the server.
scenario_late_syn() {
    complete_server
    phone_address 50
    recorder_start "$@"
    drop_port 443
    PATIENCE=9 phone_signs_in 50 &
    sleep 0.5
    in_server nft delete table ip firewall
    wait $!
}

# A phone that offers TLS 1.3 and 1.2, is refused, and offers TLS 1.0.
scenario_version_fallback() {
    complete_server -tls1
    phone_address 50
    recorder_start "$@"
    phone_connects 50 -min_protocol TLSv1.2 -noservername
    phone_signs_in 50
}

# A phone that offers AES, is refused, and offers Camellia.
scenario_cipher_fallback() {
    complete_server -cipher CAMELLIA256-SHA:@SECLEVEL=0
    phone_address 50
    recorder_start "$@"
    phone_signs_in 50
    phone_signs_in 50 -cipher CAMELLIA256-SHA:@SECLEVEL=0
}

scenario_fetch_only() {
    server_dhcp_dns
    incomplete_server 404
    recorder_start "$@"
    phone_boots 50
    phone_fetches 50 $cert_prov
    sleep 1
}

scenario_no_data_repeated() {
    server_dhcp_dns
    complete_server
    recorder_start "$@"
    phone_boots 50
    for _ in 1 2 3; do
        phone_probes 50 "${windows_ce[@]}"
        sleep 1
    done
}

# TLS works, something after it does not.

scenario_tls_fine_http_error() {
    server_dhcp_dns
    server_http 401 woodgrove-root
    complete_server
    recorder_start "$@"
    phone_boots 50
    phone_signs_in 50
    phone_signs_in 50
    in_phone 50 curl -s --max-time 5 "http://$server_ip/autodiscover/autodiscover.xml" >/dev/null
    pause
}

scenario_tls_fine_sip_closed() {
    server_dhcp_dns
    complete_server
    start_in_server python3 "$here/closes.py" $server_ip 5061 \
        "$(chain woodgrove-server $woodgrove_cas)" "$keys/woodgrove-server.key"
    wait_for_port 5061
    recorder_start "$@"
    phone_boots 50
    phone_signs_in 50
    printf '%s\r\n' 'REGISTER sip:contoso.test SIP/2.0' 'Via: SIP/2.0/TLS 10.20.30.50:49152' 'From: <sip:phone@contoso.test>' \
        'To: <sip:phone@contoso.test>' 'CSeq: 1 REGISTER' 'Call-ID: 1' 'Content-Length: 0' '' |
        in_phone 50 timeout 5 openssl s_client -connect $server_ip:5061 -CAfile "$work/store50" -verify_return_error -quiet \
            "${windows_ce[@]}" >/dev/null 2>&1 || true
    pause
}

# Revocation, as told by an OCSP response that the server staples.

# ocsp_answer V|R: what the CA says about the server's certificate.
ocsp_answer() {
    local serial revoked=
    if [[ $1 == R ]]; then revoked=250601000000Z,keyCompromise; fi
    serial=$(openssl x509 -in "$pki/woodgrove-server.pem" -noout -serial)
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" 440101000000Z "$revoked" "${serial#serial=}" unknown /CN=lyncpool.contoso.test \
        >"$work/index.txt"
    openssl ocsp -index "$work/index.txt" -CA "$pki/woodgrove-issuing.pem" -rsigner "$pki/woodgrove-issuing.pem" \
        -rkey "$keys/woodgrove-issuing.key" -issuer "$pki/woodgrove-issuing.pem" -cert "$pki/woodgrove-server.pem" \
        -ndays 3650 -respout "$work/ocsp.der" >/dev/null 2>&1
}

# stapled NAME FORMAT V|R: a phone that asks for the OCSP response and ignores it.
stapled() {
    ocsp_answer "$3"
    complete_server -status_file "$work/ocsp.der"
    phone_address 50
    recorder_start "$1" "$2"
    phone_connects 50 "${tls12[@]}" -status
}

scenario_stapled_good() { stapled "$@" V; }
scenario_stapled_revoked_ignored() { stapled "$@" R; }
