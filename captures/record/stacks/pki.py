"""Certificates in DER, built from the description of each field, so that a field can also be wrong.

`Certificate` describes one certificate; `encode(certificate, issuer)` gives its DER, signed with the issuer's key. No
library builds a negative serial number or a doubled extension, so the encoding is done here; keys and signatures are the
package `cryptography`'s.
"""
import base64
import dataclasses
import functools
import hashlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

DER, PUBLIC = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo


def tlv(tag, *contents):
    body = b"".join(contents)
    length = bytes([len(body)]) if len(body) < 128 else b""
    if not length:
        digits = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
        length = bytes([0x80 | len(digits)]) + digits
    return bytes([tag]) + length + body


def sequence(*contents):
    return tlv(0x30, *contents)


def integer(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    out = bytearray([first * 40 + second])
    for arc in rest:
        digits = [arc & 127]
        while arc := arc >> 7:
            digits.insert(0, arc & 127 | 128)
        out += bytes(digits)
    return tlv(6, bytes(out))


def bit_string(value, unused=0):
    return tlv(3, bytes([unused]), value)


NULL = tlv(5)
RSA = "1.2.840.113549.1.1."
DIGESTS = {"md5": hashes.MD5(), "sha1": hashes.SHA1(), "sha256": hashes.SHA256()}
RSA_SIGNATURES = {"md5": "4", "sha1": "5", "sha256": "11"}
PSS = sequence(oid(RSA + "10"), sequence(
    tlv(0xA0, sequence(oid("2.16.840.1.101.3.4.2.1"), NULL)),
    tlv(0xA1, sequence(oid(RSA + "8"), sequence(oid("2.16.840.1.101.3.4.2.1"), NULL))),
    tlv(0xA2, integer(32))))


@functools.cache
def key(kind, name):
    """The key of that name; the same for the whole run."""
    match kind:
        case "p256": return ec.generate_private_key(ec.SECP256R1())
        case "p521": return ec.generate_private_key(ec.SECP521R1())
        case "ed25519": return ed25519.Ed25519PrivateKey.generate()
        case _: return rsa.generate_private_key(65537, int(kind.removeprefix("rsa")))


def public_key(private, explicit=False):
    if explicit:
        return explicit_p256(private)
    return private.public_key().public_bytes(DER, PUBLIC)


def explicit_p256(private):
    """The key of P-256 with the curve's parameters written out instead of its name (RFC 5480, section 2.1.1)."""
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    base = bytes.fromhex("046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
                         "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    curve = sequence(integer(1), sequence(oid("1.2.840.10045.1.1"), integer(prime)),
                     sequence(tlv(4, (prime - 3).to_bytes(32, "big")), tlv(4, b.to_bytes(32, "big"))),
                     tlv(4, base), integer(order), integer(1))
    point = private.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return sequence(sequence(oid("1.2.840.10045.2.1"), curve), bit_string(point))


def algorithm(private, digest, pss=False):
    if isinstance(private, rsa.RSAPrivateKey):
        return PSS if pss else sequence(oid(RSA + RSA_SIGNATURES[digest]), NULL)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return sequence(oid("1.3.101.112"))
    return sequence(oid({"sha1": "1.2.840.10045.4.1", "sha256": "1.2.840.10045.4.3.2"}[digest]))


def sign(private, digest, data, pss=False):
    if isinstance(private, rsa.RSAPrivateKey):
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if pss else padding.PKCS1v15()
        return private.sign(data, scheme, DIGESTS[digest])
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(data)
    return private.sign(data, ec.ECDSA(DIGESTS[digest]))


def name(common_name):
    part = lambda kind, text: tlv(0x31, sequence(oid(kind), tlv(12, text.encode())))
    return sequence(part("2.5.4.10", "Contoso"), part("2.5.4.3", common_name))


def time(text):
    """A Zulu time as RFC 5280 wants it, given as 20260101000000; another text is encoded as it is."""
    if len(text) == 14 and text.isdigit():
        return tlv(23, text[2:].encode(), b"Z") if text < "2050" else tlv(24, text.encode(), b"Z")
    return tlv(24 if text[:2] == "20" else 23, text.encode())


def extension(dotted, value, critical=False):
    return sequence(oid(dotted), tlv(1, b"\xff") if critical else b"", tlv(4, value))


USAGES = ["digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign",
          "cRLSign"]


def key_usage(*usages):
    bits = sum(0x80 >> USAGES.index(usage) for usage in usages)
    return extension("2.5.29.15", bit_string(bytes([bits]), (bits & -bits).bit_length() - 1), critical=True)


def basic_constraints(is_ca, path_length=None):
    path = integer(path_length) if path_length is not None else b""
    return extension("2.5.29.19", sequence(tlv(1, b"\xff") if is_ca else b"", path), critical=True)


def extended_key_usage(*purposes):
    arcs = {"serverAuth": "1", "clientAuth": "2", "codeSigning": "3"}
    return extension("2.5.29.37", sequence(*(oid("1.3.6.1.5.5.7.3." + arcs[purpose]) for purpose in purposes)))


def alternative_names(*names):
    """Names as `DNS:name` or `IP:address`."""
    encoded = []
    for each in names:
        kind, value = each.split(":", 1)
        encoded.append(tlv(0x82, value.encode()) if kind == "DNS" else tlv(0x87, bytes(map(int, value.split(".")))))
    return extension("2.5.29.17", sequence(*encoded))


def name_constraints(permitted):
    return extension("2.5.29.30", sequence(tlv(0xA0, sequence(tlv(0x82, permitted.encode())))), critical=True)


def key_id(private):
    return hashlib.sha1(public_key(private)).digest()


@dataclasses.dataclass
class Certificate:
    """What a certificate says. What is None is left out or takes the ordinary value."""
    name: str
    key: object
    is_ca: bool = True
    serial: int | None = None
    not_before: str = "20240101000000"
    not_after: str = "20440101000000"
    digest: str = "sha256"
    inner_digest: str | None = None       # the algorithm that the signed part names, where it is another
    pss: bool = False
    version: int = 3
    constraints: bytes | None = b""       # instead of the ordinary basic constraints; None leaves them out
    usage: bytes | None = b""
    purposes: bytes | None = b""
    names: bytes | None = None
    authority: bytes | None = b""         # another key identifier of the issuer
    issuer_name: str | None = None
    further: tuple = ()                   # more extensions
    explicit_curve: bool = False
    trailing: bytes = b""                 # bytes behind the DER
    damaged_signature: bool = False


def encode(certificate, issuer):
    """The DER of a certificate, signed with its issuer's key; `issuer` is the certificate itself for a root."""
    public = public_key(certificate.key, certificate.explicit_curve)
    extensions = []
    if certificate.is_ca:
        extensions += [basic_constraints(True) if certificate.constraints == b"" else certificate.constraints,
                       key_usage("keyCertSign", "cRLSign") if certificate.usage == b"" else certificate.usage]
    else:
        usage = key_usage("digitalSignature", "keyEncipherment") if certificate.usage == b"" else certificate.usage
        purposes = extended_key_usage("serverAuth") if certificate.purposes == b"" else certificate.purposes
        extensions += [certificate.constraints or None, usage, purposes, certificate.names]
    extensions.append(extension("2.5.29.14", tlv(4, key_id(certificate.key))))
    if issuer is not certificate and certificate.authority is not None:
        identifier = certificate.authority or key_id(issuer.key)
        extensions.append(extension("2.5.29.35", sequence(tlv(0x80, identifier))))
    extensions += certificate.further
    outer = algorithm(issuer.key, certificate.digest, certificate.pss)
    inner = algorithm(issuer.key, certificate.inner_digest, certificate.pss) if certificate.inner_digest else outer
    serial = certificate.serial
    if serial is None:
        serial = int.from_bytes(hashlib.sha256(public + certificate.name.encode()).digest()[:8], "big") >> 1
    version_three = certificate.version == 3
    signed = sequence(
        tlv(0xA0, integer(2)) if version_three else b"", integer(serial), inner,
        name(certificate.issuer_name or issuer.name), sequence(time(certificate.not_before), time(certificate.not_after)),
        name(certificate.name), public,
        tlv(0xA3, sequence(*(each for each in extensions if each))) if version_three else b"")
    signature = sign(issuer.key, certificate.digest, signed, certificate.pss)
    if certificate.damaged_signature:
        signature = sign(issuer.key, certificate.digest, signed + b" ", certificate.pss)
    return sequence(signed, outer, bit_string(signature)) + certificate.trailing


def pem(der):
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"
