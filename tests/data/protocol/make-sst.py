#!/usr/bin/env python3
"""Makes chain.sst beside this script: a serialized certificate store as Windows exports it, with issuing.der and root.der,
which make.sh makes.

No Windows tool wrote it. It is built after the published format, [MS-OSHARED] sections 2.3.2.5.1 to 2.3.2.5.4 and 2.3.9.1:
version 0 and "CERT"; for each certificate the properties that Windows keeps beside it (here its SHA-1 thumbprint and a
friendly name) and the certificate itself, as elements of an id, the encoding type 1, a length and a value; twelve zero
bytes.
"""
import hashlib
import os
import struct

os.chdir(os.path.dirname(os.path.abspath(__file__)))
SHA1, FRIENDLY_NAME, CERTIFICATE = 3, 11, 32


def element(number, value):
    return struct.pack("<III", number, 1, len(value)) + value


store = struct.pack("<I4s", 0, b"CERT")
for name in ("issuing", "root"):
    der = open(name + ".der", "rb").read()
    store += element(SHA1, hashlib.sha1(der).digest())
    store += element(FRIENDLY_NAME, (name + "\0").encode("utf-16-le"))
    store += element(CERTIFICATE, der)
open("chain.sst", "wb").write(store + bytes(12))
