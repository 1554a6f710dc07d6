# Captures of what stands in clear, and a set of certificates of their own: Datum is the company of the server's names.

clear_table="
server-name-other   pcapng
inspected-sites     pcapng
"

make_clear_pki() {
    prepare_pki
    certificate datum-root "/O=Datum/CN=Datum Root CA" - root
    SAN=DNS:sip.contoso.test certificate datum-sip /CN=sip.contoso.test datum-root server_keyid
    SAN=DNS:www.contoso.test certificate datum-www /CN=www.contoso.test datum-root server_keyid
    # A gateway's CA, which gives every site a certificate of today.
    local site from
    from=$(date -u -d '1 day ago' +%Y%m%d%H%M%SZ)
    certificate alpine-gateway "/O=Alpine Ski House/CN=Alpine Web Gateway" - root
    for site in litware wingtip tailspin; do
        SAN=DNS:www.$site.test certificate "alpine-$site" "/CN=www.$site.test" alpine-gateway server_keyid "$from"
    done
}

# A server of two names sends the certificate of the one to who asks for it, and that of the other to everyone else.
# Phone 51 asks for the name; phone 50 looks the same name up and says none.
scenario_server_name_other() {
    phone_address 50
    phone_address 51
    server_dhcp_dns
    phone_trusts 50 datum-root
    phone_trusts 51 datum-root
    server_tls datum-www "" -servername sip.contoso.test -cert2 "$pki/datum-sip.pem" -key2 "$keys/datum-sip.key"
    recorder_start "$@"
    ask 51 A sip.contoso.test
    phone_connects 51 -tls1_2 -servername sip.contoso.test -verify_hostname sip.contoso.test
    ask 50 A sip.contoso.test
    phone_connects 50 -tls1_2 -noservername -verify_hostname sip.contoso.test
}

# Three sites of different owners, whose certificates one CA issued yesterday, as a gateway does that inspects TLS. It
# sends them alone, and the phone refuses each.
scenario_inspected_sites() {
    local sites=(litware:443 wingtip:8443 tailspin:9443) site
    phone_address 50
    phone_trusts 50 datum-root
    for site in "${sites[@]}"; do LISTEN=${site#*:} server_tls "alpine-${site%:*}" ""; done
    recorder_start "$@"
    for site in "${sites[@]}"; do
        SERVER=$server_ip:${site#*:} phone_connects 50 -tls1_2 -servername "www.${site%:*}.test"
    done
}
