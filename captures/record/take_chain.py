"""Takes the certificates out of an answer (standard input) and writes them as PEM: what a phone would put into its store.

The answer may be SOAP with base64 PKCS#7, PKCS#7 or a certificate as DER, PEM, or LDIF. Anything else gives nothing.
"""
import base64
import re
import subprocess
import sys


def pem(blob):
    """The certificates in DER bytes that are a certificate or a PKCS#7 message."""
    for command in (["openssl", "x509", "-inform", "DER"], ["openssl", "pkcs7", "-inform", "DER", "-print_certs"]):
        done = subprocess.run(command, input=blob, capture_output=True)
        if done.returncode == 0:
            return done.stdout.decode()
    return ""


answer = sys.stdin.buffer.read()
if b"-----BEGIN CERTIFICATE-----" in answer:
    print(answer.decode())
elif answer[:1] == b"\x30":
    print(pem(answer))
else:
    for run in re.findall(rb"[A-Za-z0-9+/]{200,}={0,2}", answer):
        if len(run) % 4 == 0:
            print(pem(base64.b64decode(run)))
