# What the server does. Everything it starts ends with its namespace.

# DHCP (options 43 and 120 for the vendor class MS-UC-Client) and DNS. LEASES is a file that says who gets which address,
# SIP_TARGET the host that the SIP domain's SRV record names.
server_dhcp_dns() {
    local leases=(--dhcp-host=02:15:5d:20:30:50,10.20.30.50 --dhcp-host=02:15:5d:20:30:51,10.20.30.51)
    if [[ -n ${LEASES:-} ]]; then leases=(--dhcp-hostsfile="$LEASES"); fi
    start_in_server dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --no-ping --log-facility=/dev/null \
        --user=root --pid-file="$work/dnsmasq.pid" --interface=lan --bind-interfaces --domain=contoso.test \
        --dhcp-range=10.20.30.50,10.20.30.99,255.255.255.0,1h --dhcp-leasefile="$work/leases" --dhcp-authoritative \
        "${leases[@]}" \
        --dhcp-option=vendor:MS-UC-Client,1,MS-UC-Client --dhcp-option=vendor:MS-UC-Client,2,https \
        --dhcp-option=vendor:MS-UC-Client,3,lyncpool.contoso.test --dhcp-option=vendor:MS-UC-Client,4,443 \
        --dhcp-option=vendor:MS-UC-Client,5,$cert_prov \
        --dhcp-option=option:sip-server,lyncpool.contoso.test --dhcp-option=option:router \
        --host-record=lyncpool.contoso.test,$server_ip,$server_ip6 --host-record=sip.contoso.test,$server_ip \
        --host-record=ucupdates-r2.contoso.test,$server_ip,$server_ip6 \
        --srv-host=_sipinternaltls._tcp.contoso.test,${SIP_TARGET:-lyncpool.contoso.test},5061 "$@"
    sleep 0.5
}

# server_http MODE CERTIFICATE...: port 80, offering these certificates as the chain. MODE: see web.py.
server_http() {
    local mode=$1
    shift
    start_in_server python3 "$here/web.py" $server_ip 80 "$mode" "$(chain "$@")"
    wait_for_port 80
}

# server_tls CERTIFICATE "INTERMEDIATE..." [s_server option...]: port 443, OpenSSL. LISTEN is another port, or address:port.
server_tls() {
    local cert=$1 sent=() certs=$2 listen=${LISTEN:-443}
    shift 2
    if [[ -n $certs ]]; then sent=(-cert_chain "$(chain $certs)"); fi
    start_in_server env -C "$work/www" openssl s_server -accept "$listen" -cert "$pki/$cert.pem" \
        -key "$keys/$cert.key" "${sent[@]}" -cipher ALL:@SECLEVEL=0 -WWW -quiet "$@" >/dev/null 2>&1
    wait_for_port "${listen##*:}"
}

# server_gnutls CERTIFICATE... (leaf first): port 443, GnuTLS.
server_gnutls() {
    start_in_server gnutls-serv --quiet --http --disable-client-cert --port 443 --x509certfile "$(chain "$@")" --x509keyfile "$keys/$1.key" \
        --priority 'NORMAL:+VERS-TLS1.0:+SHA1:+AES-128-CBC:+RSA' >/dev/null 2>&1
    wait_for_port 443
}

# server_java CERTIFICATE... (leaf first): port 443, Java.
server_java() {
    key_store "$1" "$(chain "$@")"
    start_in_server java -cp "$work" TlsServer 443 "$work/keys.p12" >/dev/null 2>&1
    wait_for_port 443
}

key_store() {
    openssl pkcs12 -export -inkey "$keys/$1.key" -in "$2" -out "$work/keys.p12" -passout pass:changeit
}

# server_cut EVENT HOW: port 443 is a relay to an OpenSSL server on port 4433 that closes at an event; see relay.py.
server_cut() {
    start_in_server python3 "$here/relay.py" $server_ip:443 127.0.0.1:4433 "$1" "$2"
    wait_for_port 443
}

# LDAP: the public key services of an Active Directory. server_ldap CONTAINER=CERTIFICATE...
public_key_services="CN=Public Key Services,CN=Services,CN=Configuration,DC=contoso,DC=test"
server_ldap() {
    rm -rf "$work/ldap"
    mkdir "$work/ldap"
    sed "s#@WORK@#$work#" "$here/slapd.conf" >"$work/slapd.conf"
    python3 "$here/directory.py" "$public_key_services" "$pki" "$@" >"$work/directory.ldif"
    slapadd -f "$work/slapd.conf" -l "$work/directory.ldif"
    start_in_server slapd -f "$work/slapd.conf" -h ldap://$server_ip:389 -d 0 >/dev/null 2>&1
    wait_for_port 389
}
