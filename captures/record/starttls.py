"""A server that goes over to TLS when asked, and answers one line: starttls.py ADDRESS PORT PROTOCOL CERTIFICATE KEY

PROTOCOL is smtp, imap, pop3, ftp, xmpp, ldap, postgres or mysql. Only what leads to TLS is spoken.
"""
import re
import socket
import ssl
import sys

address, port, protocol, certificate, key = sys.argv[1:]

# MySQL's greeting of protocol 10: version, thread, salt, capabilities (0x0800: SSL), character set, status, capabilities,
# length of the salt, filler, the rest of the salt, authentication. The client's request for TLS gets no answer.
GREETING = (b"\x0a8.0.30\0" + bytes(4) + b"saltsalt\0" + b"\xff\xff\x21\x02\0\xff\xdf\x15" + bytes(10) +
            b"saltsaltsalt\0mysql_native_password\0")
GREETING = len(GREETING).to_bytes(3, "little") + b"\0" + GREETING

# What the server says first; then, for each message of the client, the answer. TLS follows the last answer.
LINES = {
    "smtp": (b"220 mail.contoso.test ESMTP\r\n",
             [(rb"EHLO .*\r\n", b"250-mail.contoso.test\r\n250-SIZE 1000000\r\n250 STARTTLS\r\n"),
              (rb"STARTTLS\r\n", b"220 2.0.0 Ready to start TLS\r\n")]),
    "imap": (b"* OK ready\r\n",
             [(rb"(\S+) CAPABILITY\r\n", b"* CAPABILITY IMAP4rev1 STARTTLS\r\n\\1 OK done\r\n"),
              (rb"(\S+) STARTTLS\r\n", b"\\1 OK Begin TLS negotiation now\r\n")]),
    "pop3": (b"+OK ready\r\n", [(rb"STLS\r\n", b"+OK Begin TLS negotiation\r\n")]),
    "ftp": (b"220 ready\r\n",
            [(rb"AUTH TLS\r\n", b"234 Proceed\r\n")]),
    "xmpp": (b"",
             [(rb"<stream:stream [^>]*>", b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0' "
               b"xmlns:stream='http://etherx.jabber.org/streams' from='contoso.test' id='1'><stream:features>"
               b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"),
              (rb"<starttls [^>]*/>", b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")]),
    # ExtendedRequest 1.3.6.1.4.1.1466.20037, message 1; success (RFC 4511 section 4.14).
    "ldap": (b"", [(rb"(?s)0.*1466\.20037", bytes.fromhex("300c02010178070a010004000400"))]),
    # SSLRequest; S.
    "postgres": (b"", [(rb"(?s)\0\0\0\x08\x04\xd2\x16\x2f", b"S")]),
    "mysql": (GREETING, [(rb"(?s).{36}", b"")]),
}

greeting, steps = LINES[protocol]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
listener = socket.create_server((address, int(port)))
while True:
    connection, _ = listener.accept()
    connection.sendall(greeting)
    heard = b""
    for pattern, answer in steps:
        while not (match := re.search(pattern, heard)):
            # Read byte by byte, because the ClientHello may follow the clear text at once.
            more = connection.recv(1)
            if not more:
                break
            heard += more
        if not match:
            break
        heard = b""
        connection.sendall(match.expand(answer) if b"\\" in answer else answer)
    else:
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(100)
                secured.sendall(b"hello, phone\r\n")
        except (ssl.SSLError, OSError):
            pass
    connection.close()
