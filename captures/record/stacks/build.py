"""Makes the servers of one recording: build.py OUT [DEFECT[+DEFECT]...] or build.py OUT --client-certificates

The servers get the addresses 10.20.31.1 and following, one for each defect or pair of defects; without defects: all.
Writes OUT/anchors.pem, what every client trusts; OUT/servers.json, what the server sends; OUT/hosts; OUT/truth.json.
"""
import base64
import json
import pathlib
import sys

from cryptography.hazmat.primitives import serialization

import pki
from defects import DEFECTS, Plan
from servers import CLIENT_DEFECTS

PEM, PKCS8, PLAIN = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def certificate_list(plan):
    """The body of the Certificate message."""
    if plan.raw_list is not None:
        return plan.raw_list
    entries = b""
    for role in plan.send:
        der = encoded(plan, role)
        entries += len(der).to_bytes(3, "big") + der
    return len(entries).to_bytes(3, "big") + entries


made = {}


def encoded(plan, role):
    """The DER, signed once: an anchor that is sent is the one that is trusted."""
    if plan.certificates[role] is None:
        return b""
    mark = ("shared", role) if plan.certificates[role].name == "Contoso Root CA" else (plan.name, role)
    if mark not in made:
        made[mark] = plan.encoded(role)
    return made[mark]


def staple(plan):
    """An OCSP response of the issuer that says the leaf is revoked."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509 import ocsp
    from datetime import datetime, timedelta, timezone
    leaf, issuer = (x509.load_der_x509_certificate(encoded(plan, role)) for role in ("leaf", "issuing"))
    now = datetime.now(timezone.utc).replace(microsecond=0)
    response = ocsp.OCSPResponseBuilder().add_response(
        cert=leaf, issuer=issuer, algorithm=hashes.SHA1(), cert_status=ocsp.OCSPCertStatus.REVOKED,
        this_update=now - timedelta(hours=1), next_update=now + timedelta(days=7),
        revocation_time=now - timedelta(days=30), revocation_reason=x509.ReasonFlags.key_compromise,
    ).responder_id(ocsp.OCSPResponderEncoding.HASH, issuer)
    return response.sign(plan.certificates["issuing"].key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def client_certificates(out):
    """The certificates of clients, each with one defect, and of a server."""
    from cryptography.hazmat.primitives.serialization import pkcs12
    from cryptography import x509
    truth, anchors = [], {}
    for number, (identifier, (_, change)) in enumerate(CLIENT_DEFECTS.items(), 1):
        plan = Plan(identifier, f"10.20.31.{number}")
        change(plan)
        keep_anchors(plan, anchors)
        if plan.send:
            (out / f"{identifier}.leaf").write_text(pki.pem(encoded(plan, "leaf")))
            (out / f"{identifier}.key").write_text(private(plan))
        if plan.send[1:]:
            (out / f"{identifier}.pem").write_text("".join(pki.pem(encoded(plan, role)) for role in plan.send[1:]))
        truth.append({"defects": [identifier], "server": plan.address, "client": f"10.20.32.{number}", "host": plan.host})
    plan = Plan("server", "10.20.31.1")
    chain = [encoded(plan, role) for role in plan.send]
    (out / "server.pem").write_text("".join(map(pki.pem, chain)))
    (out / "server.key").write_text(private(plan))
    leaf, *above = map(x509.load_der_x509_certificate, chain)
    (out / "server.p12").write_bytes(pkcs12.serialize_key_and_certificates(
        b"server", plan.certificates["leaf"].key, leaf, above, serialization.BestAvailableEncryption(b"changeit")))
    (out / "anchors.pem").write_text("".join(map(pki.pem, anchors)))
    (out / "truth.json").write_text(json.dumps(truth))
    (out / "hosts").write_text("127.0.0.1 localhost\n")


def keep_anchors(plan, anchors):
    for role in plan.anchors:
        anchors[encoded(plan, role)] = f"{plan.name} {role}"


def private(plan):
    return plan.certificates["leaf"].key.private_bytes(PEM, PKCS8, PLAIN).decode()


def main():
    out, *wanted = sys.argv[1:]
    out = pathlib.Path(out)
    if wanted == ["--client-certificates"]:
        client_certificates(out)
        return
    servers, truth, anchors, hosts = {}, [], {}, "127.0.0.1 localhost\n"
    for number, identifier in enumerate(wanted or DEFECTS, 1):
        address = f"10.20.31.{number}"
        plan = Plan(identifier.replace("+", "-and-"), address)
        for each in identifier.split("+"):
            DEFECTS[each][2](plan)
        keep_anchors(plan, anchors)
        servers[address] = {
            "certificates": base64.b64encode(certificate_list(plan)).decode(),
            "key": private(plan),
            "staple": base64.b64encode(staple(plan)).decode() if plan.staple else None,
            "further": base64.b64encode(plan.further).decode(),
            **{name: getattr(plan, name) for name in (
                "version", "kind", "curve", "prime_bits", "renegotiation_info", "alert_first", "scheme", "compression",
                "record_limit")},
        }
        truth.append({"defects": identifier.split("+"), "server": address, "client": f"10.20.32.{number}", "host": plan.host})
        if plan.host != address:
            hosts += f"{address} {plan.host}\n"
    (out / "anchors.pem").write_text("".join(map(pki.pem, anchors)))
    (out / "servers.json").write_text(json.dumps(servers))
    (out / "truth.json").write_text(json.dumps(truth))
    (out / "hosts").write_text(hosts)


main()
