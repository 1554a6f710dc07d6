"""A TLS server that sends what it is told to: server.py SERVERS.json KEYLOG

It listens on port 443 of every address; SERVERS.json says what each address sends (build.py). It speaks TLS 1.2 and 1.0
as far as these recordings need: ECDHE, DHE and RSA key exchange, AES-128 in GCM or CBC, one request and its answer. The
secrets of what was encrypted go to KEYLOG, so that an independent reader can see alerts behind the Finished.
"""
import base64
import hashlib
import hmac
import json
import os
import socket
import socketserver
import struct
import sys
import threading

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HANDSHAKE, ALERT, CHANGE, DATA = 22, 21, 20, 23
# Groups by number, the common ones first; `not-offered` takes the first of them that the client lacks.
CURVES = {23: ec.SECP256R1, 24: ec.SECP384R1, 25: ec.SECP521R1, 19: ec.SECP192R1, 21: ec.SECP224R1,
          26: ec.BrainpoolP256R1, 27: ec.BrainpoolP384R1, 28: ec.BrainpoolP512R1, 22: ec.SECP256K1}
X25519 = 29
# RFC 7919, appendix A.1; and primes of 1024 (RFC 2409, section 6.2) and 512 bits. The last is a safe prime made by OpenSSL.
FFDHE2048 = int(
    "FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1D8B9C583CE2D3695A9E13641146433FBCC939DCE249B3EF97D2FE363630C75D8F681B202"
    "AEC4617AD3DF1ED5D5FD65612433F51F5F066ED0856365553DED1AF3B557135E7F57C935984F0C70E0E68B77E2A689DAF3EFE8721DF158A136ADE735"
    "30ACCA4F483A797ABC0AB182B324FB61D108A94BB2C8E3FBB96ADAB760D7F4681D4F42A3DE394DF4AE56EDE76372BB190B07A7C8EE0A6D709E02FCE1"
    "CDF7E2ECC03404CD28342F619172FE9CE98583FF8E4F1232EEF28183C3FE3B1B4C6FAD733BB5FCBC2EC22005C58EF1837D1683B2C6F34A26C1B2EFFA"
    "886B423861285C97FFFFFFFFFFFFFFFF", 16)
OAKLEY2 = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6D"
    "F25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381"
    "FFFFFFFFFFFFFFFF", 16)
PRIME512 = int(
    "9EBE0DBDF2F8E963E0F98BBB58CE09DBE3DD6814F5395E20690FD5F45B39C8B856B1EFF521126E5BE59C6645FC665849227DA399144684AEC1B6190C683E1F47", 16)
PRIMES = {2048: FFDHE2048, 1024: OAKLEY2, 512: PRIME512}


class Closed(Exception):
    pass


def prf(version, secret, label, seed, size):
    """RFC 5246, section 5; RFC 2246, section 5."""
    def expand(digest, key):
        out, a = b"", label + seed
        while len(out) < size:
            a = hmac.digest(key, a, digest)
            out += hmac.digest(key, a + label + seed, digest)
        return out[:size]
    if version == 0x0303:
        return expand("sha256", secret)
    half = (len(secret) + 1) // 2
    return bytes(a ^ b for a, b in zip(expand("md5", secret[:half]), expand("sha1", secret[-half:])))


class Hello:
    """What the client offers."""

    def __init__(self, body):
        self.random = body[2:34]
        at = 35 + body[34]
        size = int.from_bytes(body[at:at + 2], "big")
        self.suites = [int.from_bytes(body[i:i + 2], "big") for i in range(at + 2, at + 2 + size, 2)]
        at += 2 + size
        at += 1 + body[at]
        self.extensions, at = {}, at + 2
        while at + 4 <= len(body):
            kind, size = struct.unpack(">HH", body[at:at + 4])
            self.extensions[kind] = body[at + 4:at + 4 + size]
            at += 4 + size

    def numbers(self, kind, default=()):
        value = self.extensions.get(kind)
        return [int.from_bytes(value[i:i + 2], "big") for i in range(2, len(value), 2)] if value else list(default)


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.settimeout(15)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer, self.transcript, self.keys = b"", b"", None
        self.plan = plans[self.request.getsockname()[0]]
        try:
            self.serve()
        except (Closed, OSError, ValueError):
            pass

    # Records.

    def read(self, size):
        while len(self.buffer) < size:
            more = self.request.recv(1 << 16)
            if not more:
                raise Closed
            self.buffer += more
        out, self.buffer = self.buffer[:size], self.buffer[size:]
        return out

    def record(self):
        kind, _, size = struct.unpack(">BHH", self.read(5))
        body = self.read(size)
        if self.keys and self.keys.reading:
            body = self.keys.open(kind, body)
        if kind == ALERT and (body[0] == 2 or body[1] == 0):
            # The client has answered. It is left to end the connection itself.
            self.request.settimeout(3)
            while self.request.recv(4096):
                pass
            raise Closed
        return kind, body

    def message(self):
        """The next handshake message of the client."""
        while len(self.pending) < 4 or len(self.pending) < 4 + int.from_bytes(self.pending[1:4], "big"):
            kind, body = self.record()
            if kind == HANDSHAKE:
                self.pending += body
            elif kind == CHANGE:
                self.keys.reading = True
        size = 4 + int.from_bytes(self.pending[1:4], "big")
        out, self.pending = self.pending[:size], self.pending[size:]
        return out

    def send(self, kind, body, limit=1 << 14):
        out = b""
        for at in range(0, len(body), limit):
            piece = body[at:at + limit]
            if self.keys and self.keys.writing:
                piece = self.keys.seal(kind, piece)
            out += struct.pack(">BHH", kind, self.version, len(piece)) + piece
        self.request.sendall(out)

    # The handshake.

    def serve(self):
        plan = self.plan
        self.version, self.pending = 0x0301, b""
        message = self.message()
        hello = Hello(message[4:])
        self.transcript += message
        self.version = plan["version"]
        if plan["alert_first"]:
            self.send(ALERT, bytes(plan["alert_first"]))
            if plan["alert_first"][0] == 2:
                # A server closes behind a fatal alert.
                return
        self.private = serialization.load_pem_private_key(plan["key"].encode(), None)
        self.suite, exchange = self.choose(hello)
        self.server_random = os.urandom(32)
        flight = self.handshake(2, self.server_hello(hello))
        flight += self.handshake(11, base64.b64decode(plan["certificates"]))
        if plan["staple"] and 5 in hello.extensions:
            flight += self.handshake(22, b"\1" + vector(base64.b64decode(plan["staple"]), 3))
        if exchange != "rsa":
            flight += self.handshake(12, self.server_key_exchange(hello, exchange))
        flight += self.handshake(14, b"")
        self.send(HANDSHAKE, flight, plan["record_limit"])
        self.keys = Keys(self.version)
        message = self.message()
        self.transcript += message
        secret = self.shared_secret(message[4:], exchange)
        master = prf(self.version, secret, b"master secret", hello.random + self.server_random, 48)
        with lock:
            log.write(f"CLIENT_RANDOM {hello.random.hex()} {master.hex()}\n")
            log.flush()
        self.keys.derive(master, self.server_random + hello.random)
        self.keys.start(self.suite)
        self.transcript += self.message()
        self.send(CHANGE, b"\1")
        self.keys.writing = True
        digest = hashlib.sha256(self.transcript).digest() if self.version == 0x0303 else \
            hashlib.md5(self.transcript).digest() + hashlib.sha1(self.transcript).digest()
        self.send(HANDSHAKE, self.handshake(20, prf(self.version, master, b"server finished", digest, 12)))
        while self.record()[0] != DATA:
            pass
        self.send(DATA, b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nyes")
        self.send(ALERT, b"\1\0")
        self.request.shutdown(socket.SHUT_WR)
        while self.record():
            pass

    def handshake(self, kind, body):
        message = bytes([kind]) + vector(body, 3)
        self.transcript += message
        return message

    def choose(self, hello):
        """The suite and its key exchange."""
        elliptic = isinstance(self.private, ec.EllipticCurvePrivateKey)
        if self.plan["version"] < 0x0303:
            choices = {0xC013: "ecdhe", 0x002F: "rsa"}
        elif self.plan["kind"] == "not-offered":
            choices = {0x009C: "rsa", 0x003C: "rsa", 0x0005: "rsa", 0x0041: "rsa", 0x00BA: "rsa"}
            return next(item for item in choices.items() if item[0] not in hello.suites)
        else:
            choices = {"ecdhe": {0xC02B if elliptic else 0xC02F: "ecdhe", 0xC023 if elliptic else 0xC027: "ecdhe"},
                       "dhe": {0x009E: "dhe", 0x0067: "dhe", 0x0033: "dhe"},
                       "rsa": {0x009C: "rsa", 0x003C: "rsa", 0x002F: "rsa"}}[self.plan["kind"]]
        offered = [item for item in choices.items() if item[0] in hello.suites]
        if not offered or self.plan["staple"] and 5 not in hello.extensions:
            # Not this stack's matter: the recorder leaves the connection out.
            print("not-offered", self.request.getsockname()[0], flush=True)
            raise Closed
        return offered[0]

    def server_hello(self, hello):
        extensions = b""
        if self.plan["renegotiation_info"] and (0xFF01 in hello.extensions or 0x00FF in hello.suites):
            extensions += b"\xff\x01\0\1\0"
        if self.plan["staple"]:
            extensions += b"\0\5\0\0"
        extensions += base64.b64decode(self.plan["further"])
        body = struct.pack(">H", self.version) + self.server_random + b"\0" + struct.pack(">H", self.suite)
        return body + bytes([self.plan["compression"]]) + (vector(extensions, 2) if extensions else b"")

    def server_key_exchange(self, hello, exchange):
        if exchange == "dhe":
            prime = PRIMES[self.plan["prime_bits"]]
            self.exponent = int.from_bytes(os.urandom(28), "big")
            size = (prime.bit_length() + 7) // 8
            self.prime = prime
            parameters = vector(prime.to_bytes(size, "big"), 2) + vector(b"\2", 2) + \
                vector(pow(2, self.exponent, prime).to_bytes(size, "big"), 2)
        else:
            offered = hello.numbers(10, [23])
            if self.plan["curve"] == "offered":
                group = next(each for each in [X25519, 23, 24] if each in offered)
            else:
                group = next(each for each in CURVES if each not in offered)
            if group == X25519:
                self.share = x25519.X25519PrivateKey.generate()
                point = self.share.public_key().public_bytes_raw()
            else:
                self.share = ec.generate_private_key(CURVES[group]())
                point = self.share.public_key().public_bytes(
                    serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
            parameters = b"\3" + struct.pack(">H", group) + vector(point, 1)
        return parameters + self.signature(hello, hello.random + self.server_random + parameters)

    def signature(self, hello, data):
        elliptic = isinstance(self.private, ec.EllipticCurvePrivateKey)
        if self.version < 0x0303:
            digest = hashlib.md5(data).digest() + hashlib.sha1(data).digest()
            return vector(raw_rsa(self.private, digest), 2)
        offered = hello.numbers(13, [0x0201, 0x0203])
        # A key of P-521 goes with SHA-512 (and in TLS 1.3 with nothing else).
        choices = [0x0603, 0x0403, 0x0503] if elliptic else [0x0401, 0x0501, 0x0601, 0x0201]
        scheme = self.plan["scheme"] or next((each for each in choices if each in offered), choices[0])
        digest = {2: hashes.SHA1, 4: hashes.SHA256, 5: hashes.SHA384, 6: hashes.SHA512}[scheme >> 8]()
        signed = self.private.sign(data, ec.ECDSA(digest)) if elliptic else \
            self.private.sign(data, padding.PKCS1v15(), digest)
        return struct.pack(">H", scheme) + vector(signed, 2)

    def shared_secret(self, body, exchange):
        if exchange == "rsa":
            return self.private.decrypt(body[2:], padding.PKCS1v15())
        if exchange == "dhe":
            secret = pow(int.from_bytes(body[2:], "big"), self.exponent, self.prime)
            return secret.to_bytes((secret.bit_length() + 7) // 8, "big")
        if isinstance(self.share, x25519.X25519PrivateKey):
            return self.share.exchange(x25519.X25519PublicKey.from_public_bytes(body[1:]))
        peer = ec.EllipticCurvePublicKey.from_encoded_point(self.share.curve, body[1:])
        return self.share.exchange(ec.ECDH(), peer)


def vector(body, size):
    return len(body).to_bytes(size, "big") + body


def raw_rsa(private, digest):
    """PKCS #1 over MD5 and SHA-1 without a DigestInfo, as TLS 1.0 has it."""
    numbers = private.private_numbers()
    size = (private.key_size + 7) // 8
    padded = b"\0\1" + b"\xff" * (size - 3 - len(digest)) + b"\0" + digest
    return pow(int.from_bytes(padded, "big"), numbers.d, numbers.public_numbers.n).to_bytes(size, "big")


class Keys:
    """The protection of the records: AES-128 in GCM, or in CBC with SHA-1 or SHA-256."""

    def __init__(self, version):
        self.version, self.reading, self.writing = version, False, False
        self.received = self.sent = 0

    def derive(self, master, seed):
        self.material = prf(self.version, master, b"key expansion", seed, 160)

    def start(self, suite):
        gcm = suite in (0xC02B, 0xC02F, 0x009C, 0x009E)
        self.mac = None if gcm else "sha256" if suite in (0xC023, 0xC027, 0x003C, 0x0067) else "sha1"
        sizes = [0 if gcm else hashlib.new(self.mac).digest_size] * 2 + [16, 16] + [4 if gcm else 16] * 2
        parts, at = [], 0
        for size in sizes:
            parts.append(self.material[at:at + size])
            at += size
        self.client_mac, self.server_mac, self.client_key, self.server_key, self.client_iv, self.server_iv = parts

    def additional(self, number, kind, size):
        return struct.pack(">QBHH", number, kind, self.version, size)

    def open(self, kind, body):
        number, self.received = self.received, self.received + 1
        if not self.mac:
            return AESGCM(self.client_key).decrypt(self.client_iv + body[:8], body[8:],
                                                   self.additional(number, kind, len(body) - 24))
        iv, body = (body[:16], body[16:]) if self.version > 0x0301 else (self.client_iv, body)
        self.client_iv = body[-16:]
        plain = Cipher(algorithms.AES(self.client_key), modes.CBC(iv)).decryptor().update(body)
        return plain[:len(plain) - plain[-1] - 1 - len(self.client_mac)]

    def seal(self, kind, body):
        number, self.sent = self.sent, self.sent + 1
        header = self.additional(number, kind, len(body))
        if not self.mac:
            nonce = struct.pack(">Q", number)
            return nonce + AESGCM(self.server_key).encrypt(self.server_iv + nonce, body, header)
        body += hmac.digest(self.server_mac, header + body, self.mac)
        fill = 15 - len(body) % 16
        body += bytes([fill]) * (fill + 1)
        explicit = self.version > 0x0301
        iv = os.urandom(16) if explicit else self.server_iv
        out = Cipher(algorithms.AES(self.server_key), modes.CBC(iv)).encryptor().update(body)
        self.server_iv = out[-16:]
        return (iv if explicit else b"") + out


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 64


plans = json.load(open(sys.argv[1]))
log, lock = open(sys.argv[2], "a"), threading.Lock()
Server(("0.0.0.0", 443), Connection).serve_forever()
