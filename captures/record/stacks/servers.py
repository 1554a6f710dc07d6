"""What may be wrong with a client's certificate, and the servers of the stacks that judge it.

Each defect changes a `Plan` whose leaf is the client's. A server asks for a certificate and takes no client without one;
the client is OpenSSL's s_client, which sends what it is told to.
"""
import pki
from defects import FUTURE, PAST

CLIENT_DEFECTS = {}


def simple(identifier, words, role=None, **fields):
    def change(plan):
        plan.change("leaf", purposes=pki.extended_key_usage("clientAuth"))
        if role:
            plan.change(role, **fields)
        for field, value in fields.items() if not role else ():
            setattr(plan, field, value)
    CLIENT_DEFECTS[identifier] = (words, change)


simple("client-nothing", "the client has a sound certificate, and sends its intermediates")
simple("client-certificate-absent", "the client has no certificate", send=[])
simple("client-certificate-lacks-intermediates", "the client sends its certificate without the intermediates", send=["leaf"])
simple("client-certificate-other-purpose", "the client's certificate is for servers only", "leaf",
       purposes=pki.extended_key_usage("serverAuth"))
simple("client-certificate-expired", "the client's certificate has expired", "leaf", **PAST)
simple("client-certificate-not-yet-valid", "the client's certificate is not yet valid", "leaf", **FUTURE)


def _unknown(plan):
    plan.change("leaf", purposes=pki.extended_key_usage("clientAuth"))
    plan.with_root("Contoso Unknown Root", trusted=False)


CLIENT_DEFECTS["client-certificate-root-unknown"] = ("the client's certificate leads to an unknown root", _unknown)

# CHAIN and KEY are the server's, ANCHORS what it trusts.
OPENSSL = "PYTHON HERE/clients/openssl_server.py {0}libcrypto{1} {0}libssl{1} ANCHORS CHAIN KEY"
SERVERS = {
    "openssl-3": OPENSSL.format("/lib/x86_64-linux-gnu/", ".so.3"),
    **{f"openssl-{each}": f"env LD_LIBRARY_PATH=TOOLS/openssl-{each} " + OPENSSL.format(f"TOOLS/openssl-{each}/", "-*")
       for each in ("1.1.1", "1.0.2")},
    "node-20": "node HERE/clients/server.js ANCHORS CHAIN KEY",
    **{f"node-{each.rsplit('.', 2 if each[0] != '0' else 1)[0]}":
       f"TOOLS/node-{each}/bin/node HERE/clients/server.js ANCHORS CHAIN KEY" for each in ("16.20.2", "8.17.0", "0.12.18")},
    "gnutls": "gnutls-serv -q -p 443 --http --require-client-cert --verify-client-cert --x509cafile ANCHORS "
              "--x509certfile CHAIN --x509keyfile KEY",
    "go-1.19": "TOOLS/bin/go-1.19 ANCHORS CHAIN KEY",
    "go-1.27": "TOOLS/bin/go-1.27 ANCHORS CHAIN KEY",
    "java-17": "java -cp TOOLS/bin Server ANCHORS STORE",
}
