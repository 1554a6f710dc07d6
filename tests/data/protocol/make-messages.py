#!/usr/bin/env python3
"""Makes the LDAP, DNS and DHCP messages of the protocol tests, beside this script, by other people's libraries.

Needs the Python packages ldap3, dnspython and scapy, and issuing.der and root.der, which make.sh makes.
"""
import os
import struct

import dns.message
import dns.rrset
from ldap3 import DEREF_ALWAYS, SUBTREE
from ldap3.operation.search import search_operation
from ldap3.protocol import rfc4511 as asn
from pyasn1.codec.ber import encoder
from scapy.layers.dhcp import BOOTP, DHCP

os.chdir(os.path.dirname(os.path.abspath(__file__)))


def message(number, name, operation):
    whole = asn.LDAPMessage()
    whole["messageID"] = asn.MessageID(number)
    whole["protocolOp"] = asn.ProtocolOp().setComponentByName(name, operation)
    return encoder.encode(whole)


def search(number, base, text, attributes):
    request = search_operation(base, text, SUBTREE, DEREF_ALWAYS, attributes, 0, 0, False, None, None, None, None)
    return message(number, "searchRequest", request)


def entry(number, dn, attributes):
    found = asn.SearchResultEntry()
    found["object"] = asn.LDAPDN(dn)
    listed = asn.PartialAttributeList()
    for at, (kind, values) in enumerate(attributes):
        attribute = asn.PartialAttribute()
        attribute["type"] = asn.AttributeDescription(kind)
        listing = asn.Vals()
        for index, value in enumerate(values):
            listing.setComponentByPosition(index, value)
        attribute["vals"] = listing
        listed.setComponentByPosition(at, attribute)
    found["attributes"] = listed
    return message(number, "searchResEntry", found)


def done(number, code, kind="searchResDone", operation=asn.SearchResultDone):
    result = operation()
    result["resultCode"] = asn.ResultCode(code)
    result["matchedDN"] = asn.LDAPDN("")
    result["diagnosticMessage"] = asn.LDAPString("")
    return message(number, kind, result)


issuing, root = open("issuing.der", "rb").read(), open("root.der", "rb").read()
configuration = "CN=Public Key Services,CN=Services,CN=Configuration,DC=contoso,DC=test"
roots, aia = f"CN=Certification Authorities,{configuration}", f"CN=AIA,{configuration}"

# Two searches under way at once, and one whose answer is an error.
open("ldap-client.ber", "wb").write(
    search(2, configuration, "(objectCategory=certificationAuthority)", ["cACertificate", "cn"])
    + search(3, "DC=contoso,DC=test", "(sAMAccountName=phone)", ["mail"])
    + search(300, "CN=none", "(objectClass=*)", ["CACERTIFICATE;binary"])
)
open("ldap-server.ber", "wb").write(
    entry(2, f"CN=Contoso Root CA,{roots}", [("cn", [b"Contoso Root CA"]), ("cACertificate", [root])])
    + entry(3, "CN=phone,DC=contoso,DC=test", [("mail", [b"phone@contoso.test"]), ("userCertificate", [root])])
    + entry(2, f"CN=Contoso Issuing CA,{aia}", [("cACertificate;binary", [issuing, root]), ("crossCertificatePair", [b""])])
    + entry(2, f"CN=placeholder,{aia}", [("cACertificate", [b"\0"])])
    + done(3, 0)
    + done(300, 32)
    + done(2, 0)
)
bind = asn.BindResponse()
bind["resultCode"] = asn.ResultCode(0)
bind["matchedDN"] = asn.LDAPDN("")
bind["diagnosticMessage"] = asn.LDAPString("")
open("ldap-bind-response.ber", "wb").write(message(1, "bindResponse", bind))
start_tls = asn.ExtendedRequest()
start_tls["requestName"] = asn.RequestName("1.3.6.1.4.1.1466.20037")
open("ldap-starttls-request.ber", "wb").write(message(1, "extendedReq", start_tls))
open("ldap-starttls-response.ber", "wb").write(done(1, 0, "extendedResp", asn.ExtendedResponse))

# The examples of RFC 4515 section 4, each with the text that is expected back.
filters = r"""
(cn=Babs Jensen)
(!(cn=Tim Howes))
(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))
(o=univ*of*mich*)
(cn:caseExactMatch:=Fred Flintstone)
(cn:=Betty Rubble)
(sn:dn:2.4.6.8.10:=Barney Rubble)
(o:dn:=Ace Industry)
(:1.2.3:=Wilma Flintstone)
(o=Parens R Us \28for all your parenthetical needs\29)
(cn=*\2a*)
(filename=C:\5cMyFile)
(bin=\00\00\00\04)
(objectClass=*)
(a>=1)
(a<=1)
(a~=1)
""".split("\n")[1:-1]
with open("ldap-filters.txt", "w", encoding="ascii") as out:
    for text in filters:
        out.write(f"{search(1, '', text, ['1.1']).hex()} {text}\n")

query = dns.message.make_query("_sipinternaltls._tcp.Contoso.Test", "SRV", id=0x1234)
answer = dns.message.make_response(query)
answer.answer += [
    dns.rrset.from_text("_sipinternaltls._tcp.Contoso.Test.", 60, "IN", "SRV", "0 10 5061 Pool.contoso.test.", "5 0 443 alt.contoso.test."),
]
answer.additional += [
    dns.rrset.from_text("pool.contoso.test.", 60, "IN", "A", "192.0.2.10"),
    dns.rrset.from_text("pool.contoso.test.", 60, "IN", "AAAA", "2001:db8::10"),
    dns.rrset.from_text("alt.contoso.test.", 60, "IN", "CNAME", "pool.contoso.test."),
    dns.rrset.from_text("alt.contoso.test.", 60, "IN", "TXT", '"x"'),
]
open("dns-srv-query.bin", "wb").write(query.to_wire())
open("dns-srv-answer.bin", "wb").write(answer.to_wire())
missing = dns.message.make_response(dns.message.make_query("nowhere.test", "A", id=7))
missing.set_rcode(3)
open("dns-nxdomain.bin", "wb").write(missing.to_wire())


def option(code, value):
    return bytes([code, len(value)]) + value


def dhcp(message_type, options, **fields):
    return bytes(BOOTP(chaddr=bytes.fromhex("0004f2aabbcc"), xid=1, **fields) / DHCP(options=[("message-type", message_type)] + options + ["end"]))


vendor = (
    option(1, b"MS-UC-Client")
    + option(2, b"https")
    + option(3, b"pool.contoso.test")
    + option(4, b"443")
    + option(5, b"/CertProv/CertProvisioningService.svc")
)
sip = b"\0" + b"\3sip\7contoso\4test\0"
inform = [("vendor_class_id", b"MS-UC-Client"), ("hostname", b"phone"), ("param_req_list", [43, 120])]
open("dhcp-inform.bin", "wb").write(dhcp("inform", inform, op=1, ciaddr="192.0.2.50"))
reply = [("server_id", "192.0.2.1"), (43, vendor), (120, sip), ("NTP_server", "192.0.2.2", "192.0.2.3"), ("domain", b"contoso.test")]
open("dhcp-ack.bin", "wb").write(dhcp("ack", reply, op=2, yiaddr="192.0.2.50", siaddr="192.0.2.1"))
