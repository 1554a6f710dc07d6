"""What may be wrong with what a server sends: every defect once, with the code it belongs to and how it is made.

A `Plan` is a sound server: the chain root, policy, issuing, leaf and the parameters of its handshake. Each defect below
is a function that changes a plan, so that two defects can be put into one.
"""
import dataclasses

import pki
from pki import Certificate

PAST = {"not_before": "20240101000000", "not_after": "20250101000000"}
FUTURE = {"not_before": "20400101000000", "not_after": "20440101000000"}


@dataclasses.dataclass
class Plan:
    """What one server is and sends. Roles are the names of `certificates`; `issuers` says who signed whom."""
    name: str
    address: str
    certificates: dict = dataclasses.field(default_factory=dict)
    issuers: dict = dataclasses.field(default_factory=dict)
    send: list = dataclasses.field(default_factory=list)
    anchors: list = dataclasses.field(default_factory=list)
    host: str = ""                # what the client is told to connect to, and what the leaf must cover
    # The handshake.
    version: int = 0x0303
    kind: str = "ecdhe"           # the key exchange: ecdhe, dhe, rsa, or a suite that was not offered
    curve: str = "offered"
    prime_bits: int = 2048
    renegotiation_info: bool = True
    alert_first: tuple = ()       # an alert before the ServerHello: level and description
    scheme: int | None = None     # the scheme of the ServerKeyExchange's signature, whatever was offered
    compression: int = 0
    further: bytes = b""          # an extension that nobody asked for
    record_limit: int = 1 << 14   # how much goes into a record
    raw_list: bytes | None = None  # the body of the Certificate message, whatever `send` says
    staple: bool = False

    def __post_init__(self):
        self.host = f"{self.name}.contoso.test"
        self.add("root", "Contoso Root CA", None, key=pki.key("p256", "root"))
        self.anchors = ["root"]
        self.add("policy", f"Contoso Policy CA {self.name}", "root")
        self.add("issuing", f"Contoso Issuing CA {self.name}", "policy")
        self.add("leaf", self.host, "issuing", is_ca=False, key=pki.key("rsa2048", "leaf"),
                 names=pki.alternative_names(f"DNS:{self.host}"))
        self.send = ["leaf", "issuing", "policy"]

    def add(self, role, name, issuer, **fields):
        fields.setdefault("key", pki.key("p256", f"{self.name} {name}"))
        self.certificates[role] = Certificate(name, **fields)
        self.issuers[role] = issuer or role

    def change(self, role, **fields):
        self.certificates[role] = dataclasses.replace(self.certificates[role], **fields)

    def with_root(self, name, trusted=True, **fields):
        """Another root than that of the other plans."""
        self.add("root", name, None, **fields)
        self.anchors = ["root"] if trusted else []

    def two_tiers(self):
        self.send = ["leaf", "issuing"]
        self.issuers["issuing"] = "root"

    def encoded(self, role):
        return pki.encode(self.certificates[role], self.certificates[self.issuers[role]])


DEFECTS = {}


def defect(code, identifier, words):
    def register(change):
        DEFECTS[identifier] = (code, words, change)
        return change
    return register


def simple(code, identifier, words, role=None, **fields):
    """A defect that is other fields of one certificate, or of the plan itself."""
    def change(plan):
        if role:
            plan.change(role, **fields)
        for field, value in fields.items() if not role else ():
            setattr(plan, field, value)
    DEFECTS[identifier] = (code, words, change)


# Nothing is wrong: every stack must take it.
simple("", "nothing", "a sound chain in order, without its root")

# CG001: a certificate between the leaf and the anchor is not sent.
simple("CG001", "leaf-alone", "both intermediates are missing", send=["leaf"])
simple("CG001", "upper-intermediate-missing", "the upper of two intermediates is missing", send=["leaf", "issuing"])
simple("CG001", "lower-intermediate-missing", "the lower of two intermediates is missing", send=["leaf", "policy"])


@defect("CG001", "wrong-intermediate", "another CA's intermediate is sent in place of the issuer")
def _(plan):
    plan.add("other", "Fabrikam Issuing CA", "root")
    plan.send = ["leaf", "other"]


# CG002: the chain is complete, its root is unknown.
@defect("CG002", "root-unknown", "the chain is complete, its root is not trusted")
def _(plan):
    plan.with_root(f"Contoso Unknown Root {plan.name}", trusted=False)


@defect("CG002", "root-unknown-sent", "the chain is complete and has its root, which is not trusted")
def _(plan):
    plan.with_root(f"Contoso Unknown Root {plan.name}", trusted=False)
    plan.send = ["leaf", "issuing", "policy", "root"]


@defect("CG002", "one-tier-root-unknown", "the leaf is issued by an unknown root itself")
def _(plan):
    plan.with_root(f"Contoso Unknown Root {plan.name}", trusted=False)
    plan.issuers["leaf"] = "root"
    plan.send = ["leaf"]


@defect("CG002", "self-signed", "the leaf is self-signed and not trusted")
def _(plan):
    plan.issuers["leaf"] = "leaf"
    plan.send = ["leaf"]


# CG018: all needed certificates are sent, in another order or with others.
simple("CG018", "order-reversed", "the intermediates are in reverse order", send=["leaf", "policy", "issuing"])
simple("CG018", "leaf-last", "the whole chain is in reverse order, the leaf last", send=["policy", "issuing", "leaf"])


@defect("CG018", "order-shuffled", "three intermediates and the root are sent in mixed order")
def _(plan):
    plan.add("middle", f"Contoso Middle CA {plan.name}", "policy")
    plan.issuers["issuing"] = "middle"
    plan.send = ["leaf", "middle", "root", "issuing", "policy"]


simple("CG018", "leaf-twice", "the leaf is sent twice", send=["leaf", "leaf", "issuing", "policy"])
simple("CG018", "intermediate-twice", "an intermediate is sent twice", send=["leaf", "issuing", "issuing", "policy"])
simple("CG018", "root-sent", "the root is sent too", send=["leaf", "issuing", "policy", "root"])


@defect("CG018", "unrelated-last", "an unrelated certificate is sent after the chain")
def _(plan):
    plan.add("unrelated", "Fabrikam Policy CA", "root")
    plan.send = [*plan.send, "unrelated"]


@defect("CG018", "unrelated-between", "an unrelated certificate is sent between the leaf and its issuer")
def _(plan):
    plan.add("unrelated", "Fabrikam Policy CA", "root")
    plan.send = ["leaf", "unrelated", *plan.send[1:]]


# CG006 and CG007: dates.
simple("CG006", "leaf-expired", "the leaf has expired", "leaf", **PAST)
simple("CG006", "intermediate-expired", "an intermediate has expired", "issuing", **PAST)


@defect("CG006", "expired-anchor", "the root, an anchor, has expired")
def _(plan):
    plan.with_root("Contoso Expired Root CA", **PAST)


def cross_certified(plan, old, cross):
    """The new root is an anchor; the cross-certificate that an old root gave it is sent as well."""
    plan.with_root(f"Contoso New Root CA {plan.name}")
    plan.add("old", f"Contoso Old Root CA {plan.name}", None, **old)
    plan.certificates["cross"] = dataclasses.replace(plan.certificates["root"], **cross)
    plan.issuers["cross"] = "old"
    plan.send = [*plan.send, "cross"]


@defect("CG006", "cross-expired", "a valid path beside one through an expired cross-certificate")
def _(plan):
    cross_certified(plan, {}, PAST)
    plan.anchors = ["root", "old"]


@defect("CG006", "cross-to-expired-anchor", "a valid path beside one through a cross-certificate to an expired anchor")
def _(plan):
    cross_certified(plan, PAST, {})
    plan.anchors = ["root", "old"]


@defect("CG006", "cross-to-unknown-root", "a valid path beside one through a cross-certificate to an unknown root")
def _(plan):
    cross_certified(plan, {}, {})


def second_issuing(plan, send, **fields):
    plan.certificates["second"] = dataclasses.replace(plan.certificates["issuing"], serial=4711, **fields)
    plan.issuers["second"] = "policy"
    plan.send = send


@defect("CG006", "expired-twin-first", "an expired intermediate is sent before a valid one of the same name and key")
def _(plan):
    second_issuing(plan, ["leaf", "second", "issuing", "policy"], **PAST)


@defect("CG006", "expired-twin-last", "an expired intermediate is sent after a valid one of the same name and key")
def _(plan):
    second_issuing(plan, ["leaf", "issuing", "policy", "second"], **PAST)


simple("CG007", "leaf-not-yet-valid", "the leaf is not yet valid", "leaf", **FUTURE)
simple("CG007", "intermediate-not-yet-valid", "an intermediate is not yet valid", "issuing", **FUTURE)


# CG008: names.
def leaf_names(code, identifier, words, *names, common_name=None, host=None):
    @defect(code, identifier, words)
    def _(plan):
        plan.host = host(plan) if host else plan.host
        plan.change("leaf", name=common_name(plan) if common_name else plan.host,
                    names=pki.alternative_names(*(each.format(host=plan.host, name=plan.name, address=plan.address)
                                                  for each in names)) if names else None)


leaf_names("CG008", "name-not-covered", "the leaf is for another name", "DNS:mail.contoso.test",
           common_name=lambda plan: "mail.contoso.test")
leaf_names("CG008", "name-only-in-cn", "the name is in the subject's common name only; there are no alternative names")
leaf_names("CG008", "name-in-cn-beside-san", "the name is in the common name only; the alternative names are others",
           "DNS:mail.contoso.test")
leaf_names("CG008", "address-as-dns-name", "the client connects by address, which the leaf has as a DNS name",
           "DNS:{address}", host=lambda plan: plan.address)
leaf_names("CG008", "address-only-in-cn", "the client connects by address, which only the common name has",
           host=lambda plan: plan.address)
leaf_names("CG008", "wildcard-two-labels", "a wildcard stands for two labels", "DNS:*.contoso.test",
           common_name=lambda plan: "wildcard", host=lambda plan: f"pool.{plan.name}.contoso.test")
leaf_names("CG008", "wildcard-doubled", "a wildcard in two labels", "DNS:*.*.contoso.test",
           common_name=lambda plan: "wildcard", host=lambda plan: f"pool.{plan.name}.contoso.test")
leaf_names("CG008", "wildcard-partial", "a wildcard for a part of a label", "DNS:wild*.contoso.test",
           common_name=lambda plan: "wildcard")

# CG026: what RFC 5280 forbids in a path.
simple("CG026", "purpose-other", "the extended key usage lacks serverAuth", "leaf",
       purposes=pki.extended_key_usage("clientAuth"))
simple("CG026", "intermediate-purpose-other", "an intermediate's extended key usage lacks serverAuth", "issuing",
       further=(pki.extended_key_usage("clientAuth"),))
simple("CG026", "not-a-ca", "an intermediate is not a CA", "issuing", constraints=pki.basic_constraints(False))
simple("CG026", "constraints-absent", "an intermediate has no basic constraints", "issuing", constraints=None)
simple("CG026", "intermediate-version-1", "an intermediate is of X.509 version 1", "issuing", version=1)
simple("CG026", "no-cert-sign", "an intermediate's key usage lacks keyCertSign", "issuing",
       usage=pki.key_usage("digitalSignature"))
simple("CG026", "path-too-long", "a path length is exceeded", "policy", constraints=pki.basic_constraints(True, 0))
for identifier, words, permitted in [
        ("name-constraint-broken", "a name constraint permits other names only", "fabrikam.test"),
        ("name-constraint-dot", "a name constraint covers the name, written with a leading dot", ".contoso.test"),
        ("name-constraint-label", "a name constraint covers the name, written as a single label", "test")]:
    simple("CG026", identifier, words, "issuing", further=(pki.name_constraints(permitted),))
UNKNOWN = pki.extension("1.3.6.1.4.1.55555.1", pki.tlv(4, b"unknown"), critical=True)
simple("CG026", "unknown-critical-leaf", "an unknown critical extension in the leaf", "leaf", further=(UNKNOWN,))
simple("CG026", "unknown-critical", "an unknown critical extension in an intermediate", "issuing", further=(UNKNOWN,))

# CG011: algorithms.
for digest in ["md5", "sha1"]:
    @defect("CG011", f"{digest}-in-chain", f"an intermediate's signature is RSA with {digest.upper().replace('A1', 'A-1')}")
    def _(plan, digest=digest):
        plan.change("policy", key=pki.key("rsa2048", "policy"))
        plan.change("issuing", digest=digest)


@defect("CG011", "sha1-leaf", "the leaf's signature is RSA with SHA-1")
def _(plan):
    plan.change("issuing", key=pki.key("rsa2048", "issuing"))
    plan.change("leaf", digest="sha1")


@defect("CG011", "pss-in-chain", "an intermediate's signature is RSASSA-PSS")
def _(plan):
    plan.change("policy", key=pki.key("rsa2048", "policy"))
    plan.change("issuing", pss=True)


for kind, words in [("ed25519", "an intermediate's key is Ed25519"), ("p521", "an intermediate's key is of P-521"),
                    ("rsa1024", "an intermediate's key is RSA of 1024 bits")]:
    simple("CG011", f"{kind}-in-chain", words, "issuing", key=pki.key(kind, "issuing"))
simple("CG011", "rsa1024-leaf", "the leaf's key is RSA of 1024 bits", "leaf", key=pki.key("rsa1024", "leaf"))
simple("CG011", "p521-leaf", "the leaf's key is of P-521", "leaf", key=pki.key("p521", "leaf"))


# CG019: a signature that the issuer's key did not make.
@defect("CG019", "issuer-other-key", "the issuer that is sent has the name, and another key")
def _(plan):
    plan.add("other", plan.certificates["issuing"].name, "policy", key=pki.key("p256", f"other {plan.name}"))
    plan.change("leaf", authority=None)
    plan.send = ["leaf", "other", "policy"]


simple("CG019", "signature-damaged", "the leaf's signature does not fit what it signs", "leaf", damaged_signature=True)


# CG033: what breaks a rule of encoding or size.
@defect("CG033", "extension-doubled", "the leaf has its alternative names twice")
def _(plan):
    plan.change("leaf", further=(plan.certificates["leaf"].names,))


simple("CG033", "trailing-bytes", "bytes follow the leaf's DER", "leaf", trailing=b"\0\0")
simple("CG033", "time-with-offset", "the leaf's notBefore has an offset instead of Z", "leaf",
       not_before="240101000000+0000")
simple("CG033", "time-without-seconds", "the leaf's notBefore has no seconds", "leaf", not_before="2401010000Z")
simple("CG033", "time-with-fraction", "the leaf's notBefore has a fraction of a second", "leaf",
       not_before="20240101000000.5Z")
simple("CG033", "explicit-curve", "an intermediate's curve has explicit parameters", "issuing", explicit_curve=True)


@defect("CG033", "algorithms-differ", "the leaf's inner and outer signature algorithm differ")
def _(plan):
    plan.change("issuing", key=pki.key("rsa2048", "issuing"))
    plan.change("leaf", inner_digest="sha1")


simple("CG033", "list-empty", "the list of certificates is empty", raw_list=b"\0\0\0")


@defect("CG033", "entry-empty", "the list of certificates has an empty entry")
def _(plan):
    plan.certificates["empty"] = None
    plan.send = ["leaf", "empty", *plan.send[1:]]


def padded(plan, size):
    plan.change("policy", further=(pki.extension("1.3.6.1.4.1.55555.2", pki.tlv(4, bytes(size))),))


@defect("CG033", "record-too-long", "a record holds more than 2^14 bytes")
def _(plan):
    padded(plan, 16000)
    plan.record_limit = 1 << 16


for kilobytes in [16, 40, 110]:
    @defect("CG033", f"flight-{kilobytes}k", f"the list of certificates has more than {kilobytes} KB")
    def _(plan, kilobytes=kilobytes):
        # Certificates of 16 KB at most: larger ones meet other limits first.
        each = min(kilobytes, 14)
        padded(plan, each * 1024)
        for number in range((kilobytes - each + 13) // 14):
            plan.add(f"filler{number}", f"Contoso Filler CA {number}", "root",
                     further=(pki.extension("1.3.6.1.4.1.55555.2", pki.tlv(4, bytes(14 * 1024))),))
            plan.send = [*plan.send, f"filler{number}"]


simple("CG033", "small-records", "the server's messages are split into records of 512 bytes", record_limit=512)
simple("CG033", "usage-encipherment", "the leaf's key usage is keyEncipherment only, the key exchange is ECDHE", "leaf",
       usage=pki.key_usage("keyEncipherment"))


@defect("CG033", "usage-signature", "the leaf's key usage is digitalSignature only, the key exchange is RSA")
def _(plan):
    plan.change("leaf", usage=pki.key_usage("digitalSignature"))
    plan.kind = "rsa"


simple("CG033", "serial-negative", "the leaf's serial number is negative", "leaf", serial=-123456789)
simple("CG033", "serial-long", "the leaf's serial number has more than 20 octets", "leaf", serial=(1 << 199) - 1)
simple("CG033", "aki-matches-none", "the leaf's authority key identifier is of no certificate sent", "leaf",
       authority=bytes(range(20)))

# CG032: the server's parameters.
for bits in [512, 1024]:
    @defect("CG032", f"dh-{bits}", f"the server's Diffie-Hellman prime has {bits} bits")
    def _(plan, bits=bits):
        plan.kind, plan.prime_bits = "dhe", bits
simple("CG032", "no-renegotiation-info", "the server has no secure renegotiation (RFC 5746)", renegotiation_info=False)
simple("CG032", "suite-not-offered", "the server takes a suite that was not offered", kind="not-offered")
simple("CG032", "curve-not-offered", "the server takes a curve that was not offered", curve="not-offered")
simple("CG032", "version-ssl3", "the server takes SSL 3.0", version=0x0300)
simple("CG032", "version-tls10", "the server takes TLS 1.0", version=0x0301)
simple("CG032", "scheme-sha1", "the server signs its parameters with RSA and SHA-1", scheme=0x0201)
simple("CG032", "extension-not-offered", "the server answers with an extension that was not offered",
       further=b"\xfd\x00\x00\x00")
simple("CG032", "compression-not-offered", "the server takes a compression that was not offered", compression=64)

# CG031: the server refuses the name.
simple("CG031", "unrecognized-name-warning", "the server warns of an unrecognized name (112) and goes on",
       alert_first=(1, 112))
simple("CG031", "unrecognized-name-fatal", "the server ends with unrecognized_name (112)", alert_first=(2, 112))

# CG028: revoked, as the staple says; only where the client asked for one.
simple("CG028", "revoked-by-staple", "the stapled OCSP response says that the leaf is revoked", staple=True)
