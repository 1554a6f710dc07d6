# What a phone does. The first argument of every function is the phone: 50 or 51.

# A DHCP lease as a phone requests it to learn its VLAN, DHCPINFORM for the Lync options, and the first DNS queries.
phone_boots() {
    in_phone "$1" udhcpc -i "${PORT:-eth0}" -f -q -n -V CPE-OCPHONE -O 43 -O 120 -s "$here/set-address.sh" >/dev/null 2>&1
    pause
    phone_informs "$1"
    pause
    phone_looks_up "$1"
}

phone_informs() {
    in_phone "$1" timeout 10 dhcpcd -4 -1 -t 5 -A -q -f /dev/null -c /bin/true -i MS-UC-Client -o 43 -o 120 \
        --inform "${ADDRESS:-10.20.30.$1}/24" "${PORT:-eth0}" >/dev/null 2>&1 || true
}

phone_looks_up() {
    ask "$1" SRV _sipinternaltls._tcp.contoso.test
    ask "$1" A lyncpool.contoso.test
    ask "$1" A ucupdates-r2.contoso.test
    pause
}

# ask PHONE TYPE NAME [SERVER]: one DNS query.
ask() { in_phone "$1" dig +tries=1 +time=2 +noall "@${4:-$server_ip}" "$2" "$3"; }

# phone_fetches PHONE PATH: requests a certificate chain over HTTP; what it gets goes to its store, as PEM.
phone_fetches() {
    local post=(${AGENT:+-A "$AGENT"})
    if [[ $2 == /CertProv/* ]]; then
        post+=(-H 'Content-Type: text/xml; charset=utf-8' --data-binary "@$here/chain-request.xml"
            -H 'SOAPAction: "http://schemas.microsoft.com/OCS/AuthWebServices/GetRootCertChains"')
    fi
    in_phone "$1" curl -s --compressed --max-time 5 "${post[@]}" "http://$server_ip$2" >"$work/answer$1" || true
    python3 "$here/take_chain.py" <"$work/answer$1" >>"$work/store$1"
    pause
}

cert_prov=/CertProv/CertProvisioningService.svc

# phone_searches_ldap PHONE: looks up CA certificates in Active Directory; what it gets goes to its store.
phone_searches_ldap() {
    in_phone "$1" ldapsearch -x -LLL -o ldif-wrap=no -H ldap://$server_ip \
        -b "$2" '(objectClass=pkiCA)' cACertificate | python3 "$here/take_chain.py" >>"$work/store$1"
    pause
}

# phone_trusts PHONE NAME...: the certificates that the phone's store holds from the factory.
phone_trusts() {
    local phone=$1 name
    shift
    for name in "$@"; do cat "$pki/$name.pem"; done >"$work/store$phone"
}

# OpenSSL as the phone: TLS 1.0, RSA key exchange, no server name, as Windows CE would.
windows_ce=(-tls1 -cipher AES128-SHA:AES256-SHA:DES-CBC3-SHA:@SECLEVEL=0 -noservername -no_ticket)
tls12=(-tls1_2 -servername lyncpool.contoso.test)

# phone_connects PHONE [s_client option...]: a handshake, checked against the phone's store, then one request and answer.
phone_connects() {
    local phone=$1
    shift
    printf 'GET /hello HTTP/1.0\r\n\r\n' | in_phone "$phone" timeout "${PATIENCE:-5}" openssl s_client \
        -connect "${SERVER:-$server_ip:443}" -CAfile "$work/store$phone" -no-CApath -no-CAstore \
        -verify_return_error -quiet "$@" >"$work/tls$phone.log" 2>&1 || true
    pause
}

phone_signs_in() { local phone=$1; shift; phone_connects "$phone" "${windows_ce[@]}" "$@"; }

# The same phone, with its connection cut: see relay.py.
phone_signs_in_cut() {
    local phone=$1 event=$2 how=$3
    start_in_phone "$phone" python3 "$here/relay.py" 127.0.0.1:4430 "${SERVER:-$server_ip:443}" "$event" "$how"
    sleep 0.5
    SERVER=127.0.0.1:4430 phone_signs_in "$phone"
}

# The same, but the phone's program exits right after the handshake, without sending data and without any check.
phone_probes() {
    local phone=$1
    shift
    in_phone "$phone" timeout 5 openssl s_client -connect "$server_ip:443" "$@" </dev/null >/dev/null 2>&1 || true
    pause
}

# Other TLS stacks with the phone's store, to the pool or to SERVER_NAME at SERVER_ADDRESS.
# GnuTLS: phone_connects_gnutls PHONE VERSION.
phone_connects_gnutls() {
    local name=${SERVER_NAME:-lyncpool.contoso.test}
    printf 'GET /hello HTTP/1.0\r\n\r\n' | in_phone "$1" timeout 5 gnutls-cli --x509cafile "$work/store$1" \
        --sni-hostname "$name" --verify-hostname "$name" --priority "NORMAL:-VERS-ALL:+VERS-TLS$2" \
        -p 443 "${SERVER_ADDRESS:-$server_ip}" >"$work/tls$1.log" 2>&1 || true
    pause
}

# Java: phone_connects_java PHONE [KEYS.p12].
phone_connects_java() {
    local address=${SERVER_ADDRESS:-$server_ip} name=${SERVER_NAME:-lyncpool.contoso.test}
    in_phone "$1" timeout 10 java -cp "$work" TlsClient "$address" "$name" TLSv1.2 "$work/store$1" "${@:2}" \
        >"$work/tls$1.log" 2>&1 || true
    pause
}

# phone_connects_nss PHONE [tstclnt option...]. NSS keeps its store in a database, which gets the first certificate of
# the phone's store. With -O it judges the server's chain before it answers, otherwise after its Finished.
phone_connects_nss() {
    local phone=$1 store=$work/nss
    shift
    rm -rf "$store"
    mkdir "$store"
    certutil -N -d "sql:$store" --empty-password
    certutil -A -d "sql:$store" -n root -t C,, -i "$work/store$phone"
    printf 'GET /hello HTTP/1.0\r\n\r\n' | in_phone "$phone" timeout 5 tstclnt -h $server_ip -p 443 \
        -a lyncpool.contoso.test -d "sql:$store" -V tls1.2:tls1.2 "$@" >"$work/tls$phone.log" 2>&1 || true
    pause
}

# curl checks the server's name only after the handshake.
phone_connects_curl() {
    in_phone "$1" curl -s --max-time 5 --tls-max 1.2 --cacert "$work/store$1" --resolve "$2:443:$server_ip" \
        "https://$2/hello" >/dev/null || true
    pause
}
