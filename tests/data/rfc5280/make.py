#!/usr/bin/env python3
"""Makes certificates.pem, a line "# LABEL" before each certificate, and cases.txt: chains of three of them that each break
one rule of RFC 5280, and what OpenSSL and GnuTLS say. Needs Python 3.9, OpenSSL 3.0 and GnuTLS's certtool. Keys are not
kept, so every run makes other certificates; the tests hold for any of them. The DER is written here, because no tool
writes most of what is wrong.

A case is one line of fields separated by tabs:
  name, section, culprit, leaf, ca, root, openssl, gnutls
The section is that of the rule that is broken, "-" for a sound chain; the culprit is the label of the certificate that
breaks it, "-" likewise. The answers are the number of OpenSSL's first error, 0 for none, and yes or no of GnuTLS, to
  openssl verify -x509_strict -purpose sslserver -no-CApath -no-CAstore -no_check_time -CAfile ROOT -untrusted CA LEAF
  certtool --verify --verify-purpose 1.3.6.1.5.5.7.3.1 --load-ca-certificate ROOT --infile LEAF+CA
"""
import base64, os, re, subprocess, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = tempfile.mkdtemp()


def tlv(tag, *parts):
    content = b"".join(parts)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def seq(*parts):
    return tlv(0x30, *parts)


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    out = []
    for arc in [40 * first + second, *rest]:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        out += reversed(groups)
    return tlv(6, bytes(out))


def integer(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def name(*rdns):
    kinds = {"O": "2.5.4.10", "CN": "2.5.4.3"}
    return seq(*(tlv(0x31, seq(oid(kinds[kind]), tlv(0x0C, text.encode()))) for kind, text in rdns))


def utc(text):
    return tlv(0x17, text.encode())


def generalized(text):
    return tlv(0x18, text.encode())


def extension(dotted, critical, value):
    return seq(oid(dotted), tlv(1, b"\xff") if critical else b"", tlv(4, value))


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, capture_output=True, check=True).stdout


class Key:
    def __init__(self, role):
        self.path = f"{WORK}/{role}.key"
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.path)
        self.spki = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")
        self.id = openssl("dgst", "-sha1", "-binary", data=self.spki[-65:])

    def sign(self, data, digest):
        return openssl("dgst", "-" + digest, "-sign", self.path, data=data)


AKI, SKI, BASIC, USAGE, SAN = "2.5.29.35", "2.5.29.14", "2.5.29.19", "2.5.29.15", "2.5.29.17"
PURPOSES, CONSTRAINTS, POLICIES = "2.5.29.37", "2.5.29.30", "2.5.29.32"
AIA, POLICY_CONSTRAINTS, INHIBIT = "1.3.6.1.5.5.7.1.1", "2.5.29.36", "2.5.29.54"
UNKNOWN = "1.3.6.1.4.1.32473.1"
ECDSA = {"sha1": "1.2.840.10045.4.1", "sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3"}
KEYS = {role: Key(role) for role in ("root", "ca", "leaf")}
NAMES = {
    "root": name(("O", "Northwind"), ("CN", "Northwind Root")),
    "ca": name(("O", "Northwind"), ("CN", "Northwind Issuing CA")),
    "leaf": name(("O", "Northwind"), ("CN", "server.contoso.test")),
}
ISSUERS = {"root": "root", "ca": "root", "leaf": "ca"}


def dns(host):
    return tlv(0x82, host.encode())


def usage(*bits):
    value = sum(1 << (15 - bit) for bit in bits)
    content = value.to_bytes(2, "big").rstrip(b"\0")
    unused = 7 - max(bit % 8 for bit in bits if bit // 8 == (len(content) - 1)) if bits else 0
    return tlv(3, bytes([unused]), content)


def basic(ca, length=None):
    return seq(tlv(1, b"\xff") if ca else b"", integer(length) if length is not None else b"")


def key_id(role):
    return seq(tlv(0x80, KEYS[role].id))


def subtrees(tag, *bases):
    return tlv(tag, *(seq(base) for base in bases))


CERT_SIGN, CRL_SIGN, DIGITAL_SIGNATURE = 5, 6, 0
EXTENSIONS = {
    "root": {
        SKI: (False, tlv(4, KEYS["root"].id)),
        BASIC: (True, basic(True)),
        USAGE: (True, usage(CERT_SIGN, CRL_SIGN)),
    },
    "ca": {
        AKI: (False, key_id("root")),
        SKI: (False, tlv(4, KEYS["ca"].id)),
        BASIC: (True, basic(True, 0)),
        USAGE: (True, usage(CERT_SIGN, CRL_SIGN)),
    },
    "leaf": {
        AKI: (False, key_id("ca")),
        SKI: (False, tlv(4, KEYS["leaf"].id)),
        BASIC: (True, basic(False)),
        USAGE: (True, usage(DIGITAL_SIGNATURE)),
        PURPOSES: (False, seq(oid("1.3.6.1.5.5.7.3.1"))),
        SAN: (False, seq(dns("server.contoso.test"))),
    },
}


def certificate(role, change):
    """The certificate of a role; `change` replaces its fields and, under an OID, its extensions (None: left out; a list:
    several of them)."""
    take = lambda field, usual: change.get(field, usual)
    digest = take("digest", "sha256")
    algorithm = seq(oid(ECDSA[digest]))
    extensions = {**EXTENSIONS[role], **{field: value for field, value in change.items() if "." in field}}
    listed = []
    for dotted, values in extensions.items():
        for value in values if isinstance(values, list) else [values]:
            listed += [] if value is None else [extension(dotted, *value)]
    tbs = seq(
        take("version", tlv(0xA0, integer(2))),
        take("serial", integer({"root": 1, "ca": 2, "leaf": 3}[role])),
        algorithm,
        take("issuer", NAMES[ISSUERS[role]]),
        take("validity", seq(utc("240101000000Z"), utc("440101000000Z"))),
        take("subject", NAMES[role]),
        KEYS[role].spki,
        take("unique", b""),
        tlv(0xA3, seq(*listed)),
    )
    outer = seq(oid(ECDSA[take("outer", digest)]))
    return seq(tbs, outer, tlv(3, b"\0", KEYS[ISSUERS[role]].sign(tbs, digest)))


PLAIN_SAN = seq(dns("server.contoso.test"))
NONE = name()


def other_name(dotted):
    return tlv(0xA0, oid(dotted), tlv(0xA0, b"\x05\0"))


CASES = [
    ("sound", "-", {}),
    # Section 4.1: the fields.
    ("algorithms-differ", "4.1.1.2", {"leaf": {"outer": "sha384"}}),
    ("version-1", "4.1.2.1", {"leaf": {"version": b""}}),
    ("serial-zero", "4.1.2.2", {"leaf": {"serial": integer(0)}}),
    ("serial-negative", "4.1.2.2", {"leaf": {"serial": integer(-5)}}),
    ("serial-long", "4.1.2.2", {"leaf": {"serial": tlv(2, bytes([0x7F] * 21))}}),
    ("issuer-empty", "4.1.2.4", {"leaf": {"issuer": NONE}, "ca": {"subject": NONE}}),
    ("time-offset", "4.1.2.5.1", {"leaf": {"validity": seq(utc("240101000000+0000"), utc("440101000000Z"))}}),
    ("time-generalized", "4.1.2.5", {"leaf": {"validity": seq(utc("240101000000Z"), generalized("20440101000000Z"))}}),
    ("unique-identifier", "4.1.2.8", {"leaf": {"unique": tlv(0x81, b"\0\x01")}}),
    # Section 4.2: the extensions.
    ("doubled", "4.2", {"leaf": {SAN: [(False, PLAIN_SAN), (False, PLAIN_SAN)]}}),
    ("unreadable", "4.2.1.6", {"leaf": {SAN: (False, b"server.contoso.test")}}),
    ("aki-absent", "4.2.1.1", {"leaf": {AKI: None}}),
    ("aki-absent-ca", "4.2.1.1", {"ca": {AKI: None}}),
    ("aki-critical", "4.2.1.1", {"leaf": {AKI: (True, key_id("ca"))}}),
    ("aki-no-key", "4.2.1.1", {"leaf": {AKI: (False, seq(tlv(0xA1, tlv(0xA4, NAMES["root"])), tlv(0x82, b"\x02")))}}),
    ("aki-half", "A.2", {"leaf": {AKI: (False, seq(tlv(0x80, KEYS["ca"].id), tlv(0xA1, tlv(0xA4, NAMES["root"]))))}}),
    ("aki-other-key", "4.2.1.2", {"leaf": {AKI: (False, key_id("root"))}}),
    ("aki-other-serial", "4.2.1.1", {"leaf": {AKI: (False, seq(
        tlv(0x80, KEYS["ca"].id), tlv(0xA1, tlv(0xA4, NAMES["root"])), tlv(0x82, b"\x09")))}}),
    ("ski-absent", "4.2.1.2", {"ca": {SKI: None}, "leaf": {AKI: (False, key_id("ca"))}}),
    ("ski-critical", "4.2.1.2", {"ca": {SKI: (True, tlv(4, KEYS["ca"].id))}}),
    ("usage-absent", "4.2.1.3", {"ca": {USAGE: None, BASIC: (True, basic(True))}}),
    ("usage-empty", "4.2.1.3", {"leaf": {USAGE: (True, tlv(3, b"\0"))}}),
    ("usage-leaf-signs", "4.2.1.3", {"leaf": {USAGE: (True, usage(DIGITAL_SIGNATURE, CERT_SIGN))}}),
    ("usage-leaf-other", "4.2.1.12", {"leaf": {USAGE: (True, usage(3))}}),
    ("policy-twice", "4.2.1.4", {"leaf": {POLICIES: (False, seq(seq(oid("1.2.3.4")), seq(oid("1.2.3.4"))))}}),
    ("san-not-critical", "4.2.1.6", {"leaf": {"subject": NONE}}),
    ("san-critical", "4.2.1.6", {"leaf": {SAN: (True, PLAIN_SAN)}}),
    ("san-absent", "4.2.1.6", {"leaf": {"subject": NONE, SAN: None}}),
    ("san-empty", "4.2.1.6", {"leaf": {SAN: (False, seq())}}),
    ("san-label", "4.2.1.6", {"leaf": {SAN: (False, seq(dns(".contoso.test"), dns("server.contoso.test")))}}),
    ("san-address", "4.2.1.6", {"leaf": {SAN: (False, seq(tlv(0x87, bytes([192, 0, 2, 0, 24])), dns("server.contoso.test")))}}),
    ("subject-empty", "-", {"leaf": {"subject": NONE, SAN: (True, PLAIN_SAN)}}),
    ("basic-not-critical", "4.2.1.9", {"ca": {BASIC: (False, basic(True, 0))}}),
    ("basic-length-leaf", "4.2.1.9", {"leaf": {BASIC: (True, basic(False, 0))}}),
    ("constraints-leaf", "4.2.1.10", {"leaf": {CONSTRAINTS: (True, seq(subtrees(0xA0, dns("contoso.test"))))}}),
    ("constraints-not-critical", "4.2.1.10", {"ca": {CONSTRAINTS: (False, seq(subtrees(0xA0, dns("contoso.test"))))}}),
    ("constraints-empty", "4.2.1.10", {"ca": {CONSTRAINTS: (True, seq())}}),
    ("constraints-bare", "4.2.1.10", {"ca": {CONSTRAINTS: (True, seq(tlv(0xA0), tlv(0xA1)))}}),
    ("constraints-other-name", "4.2.1.10", {
        "ca": {CONSTRAINTS: (True, seq(subtrees(0xA1, other_name("1.3.6.1.4.1.32473.2"))))},
        "leaf": {SAN: (False, seq(dns("server.contoso.test"), other_name("1.3.6.1.4.1.32473.2")))}}),
    ("constraints-other-type", "-", {
        "ca": {CONSTRAINTS: (True, seq(subtrees(0xA1, other_name("1.3.6.1.4.1.32473.3"))))},
        "leaf": {SAN: (False, seq(dns("server.contoso.test"), other_name("1.3.6.1.4.1.32473.2")))}}),
    ("constraints-no-name", "-", {
        "ca": {CONSTRAINTS: (True, seq(subtrees(0xA1, other_name("1.3.6.1.4.1.32473.2"))))}}),
    ("constraints-minimum", "4.2.1.10", {"ca": {CONSTRAINTS: (True, seq(tlv(0xA0, seq(
        dns("contoso.test"), tlv(0x80, b"\x01")))))}}),
    ("constraints-dot", "4.2.1.10", {"ca": {CONSTRAINTS: (True, seq(subtrees(0xA0, dns(".contoso.test"))))}}),
    ("constraints-mask", "4.2.1.10", {"ca": {CONSTRAINTS: (True, seq(subtrees(0xA0, dns("contoso.test"), tlv(
        0x87, bytes([10, 0, 0, 0, 255, 0, 255, 0])))))}}),
    ("policy-constraints", "4.2.1.11", {"ca": {POLICY_CONSTRAINTS: (False, seq(tlv(0x81, b"\0")))}}),
    ("inhibit-any-policy", "4.2.1.14", {"ca": {INHIBIT: (False, integer(0))}}),
    ("purposes-empty", "4.2.1.12", {"leaf": {PURPOSES: (False, seq())}}),
    ("access-critical", "4.2.2.1", {"leaf": {AIA: (True, seq(seq(
        oid("1.3.6.1.5.5.7.48.2"), tlv(0x86, b"http://pki.contoso.test/ca.crt"))))}}),
    # Section 6.1, for the certificate of the anchor itself.
    ("root-not-ca", "6.1.4", {"root": {BASIC: None}}),
    ("root-usage", "6.1.4", {"root": {USAGE: (True, usage(CRL_SIGN))}}),
    ("root-path-length", "6.1.4", {"root": {BASIC: (True, basic(True, 0))}}),
    ("root-names", "6.1.3", {"root": {CONSTRAINTS: (True, seq(subtrees(0xA0, dns("fabrikam.test"))))}}),
    ("root-critical", "6.1.4", {"root": {UNKNOWN: (True, b"\x05\0")}}),
    ("root-ski-absent", "4.2.1.2", {"root": {SKI: None}}),
    ("root-basic-not-critical", "4.2.1.9", {"root": {BASIC: (False, basic(True))}}),
    ("root-aki-other-key", "4.2.1.2", {"root": {AKI: (False, key_id("ca"))}}),
    ("root-aki-critical", "4.2.1.1", {"root": {AKI: (True, key_id("root"))}}),
]
# Certificates of no case: the issuing CA's, signed with SHA-1, and an earlier one that has expired.
OTHERS = {
    "ca-sha1": certificate("ca", {"digest": "sha1", "serial": integer(4)}),
    "ca-expired": certificate("ca", {"validity": seq(utc("100101000000Z"), utc("210101000000Z")), "serial": integer(5)}),
}


def pem(der):
    text = base64.encodebytes(der).decode().replace("\n", "")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


def ask(leaf, ca, root):
    for label, texts in (("leaf", [leaf]), ("ca", [ca]), ("root", [root]), ("chain", [leaf, ca])):
        with open(f"{WORK}/{label}.pem", "w") as file:
            file.write("".join(texts))
    run = lambda *args: subprocess.run(args, cwd=WORK, capture_output=True, text=True)
    told = run("openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-no-CApath", "-no-CAstore", "-no_check_time",
               "-CAfile", "root.pem", "-untrusted", "ca.pem", "leaf.pem")
    error = re.search(r"error (\d+) at", told.stdout + told.stderr)
    # A certificate that OpenSSL cannot read has no number.
    openssl_says = "0" if told.returncode == 0 else error[1] if error else "unreadable"
    told = run("certtool", "--verify", "--verify-purpose", "1.3.6.1.5.5.7.3.1", "--load-ca-certificate", "root.pem",
               "--infile", "chain.pem")
    return openssl_says, "yes" if told.returncode == 0 else "no"


made, lines = dict(OTHERS), []
for role in ("root", "ca", "leaf"):
    made[role] = certificate(role, {})
for case, section, changes in CASES:
    labels = {role: f"{case}/{role}" if role in changes else role for role in ("leaf", "ca", "root")}
    for role, change in changes.items():
        made[labels[role]] = certificate(role, change)
    texts = [pem(made[labels[role]]) for role in ("leaf", "ca", "root")]
    culprit = "-" if section == "-" else labels[next(iter(changes))]
    lines.append("\t".join([case, section, culprit, *labels.values(), *ask(*texts)]))
with open(f"{HERE}/certificates.pem", "w") as file:
    file.writelines(f"# {label}\n{pem(der)}" for label, der in made.items())
with open(f"{HERE}/cases.txt", "w") as file:
    file.writelines(line + "\n" for line in lines)
