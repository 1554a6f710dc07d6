"""TLS 1.3 with a compressed certificate (RFC 8879, zlib), both sides by tlslite-ng: compress.py server ADDRESS CERTIFICATES KEY
or compress.py client ADDRESS KEYLOG. Needs tlslite-ng 0.8.2 or later, which Debian 12 does not have (PyPI has).
"""
import socket
import sys

from tlslite import tlsconnection
from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey

role, address, *rest = sys.argv[1:]
settings = HandshakeSettings()
settings.minVersion = settings.maxVersion = (3, 4)
settings.certificate_compression_send = settings.certificate_compression_receive = ["zlib"]

if role == "server":
    chain = X509CertChain()
    chain.parsePemList(open(rest[0]).read())
    key = parsePEMKey(open(rest[1]).read(), private=True)
    listener = socket.create_server((address, 443))
    while True:
        connection = TLSConnection(listener.accept()[0])
        connection.handshakeServer(certChain=chain, privateKey=key, settings=settings)
        connection.read(100, 1)
        connection.write(b"hello, phone\r\n")
        connection.close()

# tlslite-ng writes no key log, so the secrets are taken where it derives them.
LABELS = {b"c hs traffic": "CLIENT_HANDSHAKE_TRAFFIC_SECRET", b"s hs traffic": "SERVER_HANDSHAKE_TRAFFIC_SECRET",
          b"c ap traffic": "CLIENT_TRAFFIC_SECRET_0", b"s ap traffic": "SERVER_TRAFFIC_SECRET_0"}
derived = []
derive = tlsconnection.derive_secret


def taken(secret, label, hashes, algorithm):
    out = derive(secret, label, hashes, algorithm)
    if bytes(label) in LABELS:
        derived.append((LABELS[bytes(label)], bytes(out).hex()))
    return out


tlsconnection.derive_secret = taken
connection = TLSConnection(socket.create_connection((address, 443)))
connection.handshakeClientCert(settings=settings, serverName="lyncpool.contoso.test")
random = bytes(connection._clientRandom).hex()
with open(rest[0], "w") as log:
    log.writelines(f"{label} {random} {secret}\n" for label, secret in derived)
connection.write(b"hello\r\n")
connection.read(100, 1)
connection.close()
