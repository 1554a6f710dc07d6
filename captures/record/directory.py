"""The entries of the directory as LDIF: directory.py BASE PKI CONTAINER/NAME...

Each CONTAINER/NAME puts the certificate PKI/NAME.pem into CN=<its common name>,CN=CONTAINER,BASE. Active Directory's
class certificationAuthority is played by pkiCA, which every LDAP server knows.
"""
import base64
import ssl
import subprocess
import sys

base, pki, *objects = sys.argv[1:]


def entry(dn, *lines):
    print("\n".join([f"dn: {dn}", *lines]), end="\n\n")


def container(dn):
    entry(dn, "objectClass: applicationProcess", "cn: " + dn.partition(",")[0][3:])


def common_name(path):
    done = subprocess.run(["openssl", "x509", "-in", path, "-noout", "-subject", "-nameopt", "RFC2253"],
                          capture_output=True, text=True, check=True)
    return done.stdout.strip().removeprefix("subject=CN=").partition(",")[0]


names = base.split(",")
domain = [part for part in names if part.startswith("DC=")]
entry(",".join(domain), "objectClass: domain", "dc: " + domain[0][3:])
for count in range(len(names) - len(domain) - 1, -1, -1):
    container(",".join(names[count:]))
for folder in sorted({each.partition("/")[0] for each in objects}):
    container(f"CN={folder},{base}")
for each in objects:
    folder, _, name = each.partition("/")
    path = f"{pki}/{name}.pem"
    der = ssl.PEM_cert_to_DER_cert(open(path).read())
    cn = common_name(path)
    entry(f"CN={cn},CN={folder},{base}", "objectClass: applicationProcess", "objectClass: pkiCA", f"cn: {cn}",
          f"cACertificate;binary:: {base64.b64encode(der).decode()}")
