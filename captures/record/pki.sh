# The certificates. Private keys stay in $keys; every certificate is written to captures/pki/NAME.pem.

# certificate NAME SUBJECT ISSUER PROFILE [START END [DIGEST]]
#   ISSUER is the name of another certificate, or - for a self-signed one; PROFILE a section of extensions below.
#   KEY=OTHER reuses the key of another certificate; PSS=1 signs with RSASSA-PSS.
certificate() {
    local name=$1 subject=$2 issuer=$3 profile=$4 start=${5:-20240101000000Z} end=${6:-20440101000000Z} digest=${7:-sha256}
    local key=$keys/${KEY:-$name}.key signer=(-cert "$pki/$issuer.pem" -keyfile "$keys/$issuer.key")
    local padding=()
    [[ -e $key ]] || openssl genrsa -out "$key" 2048 2>/dev/null
    openssl req -new -config "$work/ca.cnf" -key "$key" -subj "$subject" -out "$work/request"
    if [[ $issuer == - ]]; then signer=(-selfsign -keyfile "$key"); fi
    if [[ -n ${PSS:-} ]]; then padding=(-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest); fi
    AIA=${AIA:-http://pki.northwind.test/$issuer.crt} SAN=${SAN:-DNS:lyncpool.contoso.test} \
        openssl ca -batch -notext -config "$work/ca.cnf" -extensions "$profile" -md "$digest" "${padding[@]}" \
        -startdate "$start" -enddate "$end" "${signer[@]}" -in "$work/request" -out "$pki/$name.pem" 2>"$work/ca.log" ||
        { cat "$work/ca.log" >&2; return 1; }
}

# Prepares what `certificate` needs: the extension profiles, and a list of what was issued.
prepare_pki() {
    mkdir -p "$keys" "$pki"
    : >"$work/index.txt"
    cat >"$work/ca.cnf" <<CONFIG
[req]
distinguished_name = dn
[dn]
[ca]
default_ca = any
[any]
database = $work/index.txt
new_certs_dir = $work
unique_subject = no
rand_serial = yes
policy = policy
preserve = yes
[policy]
domainComponent = optional
organizationName = optional
commonName = supplied
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = none
[ca_keyid]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
authorityInfoAccess = caIssuers;URI:\$ENV::AIA
[ca_issuer]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = issuer:always
[server_keyid]
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
authorityInfoAccess = caIssuers;URI:\$ENV::AIA
subjectAltName = \$ENV::SAN
[server_issuer]
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = issuer:always
subjectAltName = \$ENV::SAN
[server_no_aki]
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth
subjectKeyIdentifier = none
authorityKeyIdentifier = none
subjectAltName = \$ENV::SAN
CONFIG
    export AIA= SAN=
}

make_pki() {
    prepare_pki
    local server=/CN=lyncpool.contoso.test

    # Three tiers, authority key identifiers by key id.
    certificate root "/O=Northwind/CN=Northwind Global Root G1" - root
    certificate policy "/O=Northwind/CN=Northwind Policy CA 1" root ca_keyid
    certificate issuing "/O=Northwind/CN=Northwind Issuing CA 1" policy ca_keyid
    certificate server $server issuing server_keyid
    certificate server-expired $server issuing server_keyid 20240101000000Z 20250101000000Z
    certificate server-not-yet-valid $server issuing server_keyid 20400101000000Z 20440101000000Z
    certificate server-no-aki $server issuing server_no_aki
    # The issuing CA's name with another key: not the issuer of any certificate above.
    certificate issuing-other-key "/O=Northwind/CN=Northwind Issuing CA 1" policy ca_keyid

    # The root of another company.
    certificate fabrikam-root "/O=Fabrikam/CN=Fabrikam Root CA" - root
    certificate fabrikam-issuing "/O=Fabrikam/CN=Fabrikam Issuing CA 2" fabrikam-root ca_keyid

    # Cross-signed: two certificates for one key, below two roots.
    certificate cross-by-northwind "/O=Northwind/CN=Northwind Issuing CA 3" root ca_keyid
    KEY=cross-by-northwind certificate cross-by-fabrikam "/O=Northwind/CN=Northwind Issuing CA 3" fabrikam-root ca_keyid
    cp "$keys/cross-by-northwind.key" "$keys/cross-by-fabrikam.key"
    certificate cross-server $server cross-by-northwind server_keyid

    # Two tiers as Active Directory names them; SHA-1; authority key identifiers by issuer and serial number.
    local ad=/DC=test/DC=contoso long=(20240101000000Z 20440101000000Z sha1)
    certificate contoso-root "$ad/CN=contoso-OFFLINE-CA" - root "${long[@]}"
    certificate contoso-issuing "$ad/CN=contoso-DC02-CA" contoso-root ca_issuer "${long[@]}"
    certificate contoso-server $server contoso-issuing server_issuer "${long[@]}"

    # One tier: the root issues the server's certificate itself, which identifies it by key id, by issuer and serial
    # number, or not at all.
    certificate one-tier "$ad/CN=contoso-DC01-CA" - root
    AIA=http://dc01.contoso.test/CertEnroll/DC01.contoso.test_contoso-DC01-CA.crt \
        certificate one-tier-server $server one-tier server_keyid
    certificate one-tier-server-by-serial $server one-tier server_issuer
    certificate one-tier-server-no-aki $server one-tier server_no_aki
}

# chain NAME...: the file with these certificates, in this order.
chain() {
    local name file=$work/chain
    for name in "$@"; do file+=-$name; done
    for name in "$@"; do cat "$pki/$name.pem"; done >"$file"
    echo "$file"
}
