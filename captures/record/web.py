"""The server's port 80: web.py ADDRESS PORT MODE CHAIN.pem

CHAIN.pem holds the certificates on offer. They are answered as
  POST /CertProv/CertProvisioningService.svc   base64 PKCS#7 in a SOAP envelope
  GET  /certsrv/certnew.p7b                    PKCS#7, DER
  GET  /certsrv/certnew.cer                    the certificates as PEM
  GET  /pki/ca.crt                             the first certificate, DER
MODE changes the SOAP answer: soap (with a length), gzip, chunked, gzip-chunked, 404, cut-off (closes within
the first certificate), html (a page instead). 401: the chain as with soap, and pages ask for a sign-in.

No published schema of the real answer was found: the element names within the envelope are a stand-in.
"""
import gzip
import http.server
import re
import ssl
import subprocess
import sys

address, port, mode, chain_file = sys.argv[1:]
chain = open(chain_file).read()
p7b = subprocess.run(
    ["openssl", "crl2pkcs7", "-nocrl", "-certfile", chain_file, "-outform", "DER"], capture_output=True, check=True
).stdout
p7b_pem = subprocess.run(["openssl", "pkcs7", "-inform", "DER"], input=p7b, capture_output=True, check=True).stdout
first = ssl.PEM_cert_to_DER_cert(re.search("-----BEGIN.*?END CERTIFICATE-----\n", chain, re.S).group())

SOAP = """<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>\
<GetRootCertChainsResponse xmlns="http://schemas.microsoft.com/OCS/AuthWebServices/">\
<GetRootCertChainsResult><CertChain>%s</CertChain></GetRootCertChainsResult>\
</GetRootCertChainsResponse></s:Body></s:Envelope>"""
soap = (SOAP % b"".join(p7b_pem.splitlines()[1:-1]).decode()).encode()
PAGE = b"<!DOCTYPE html><html><head><title>Lync Server</title></head><body><h1>Please sign in</h1></body></html>"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.lower() != "/certprov/certprovisioningservice.svc" or mode == "404":
            self.answer(404, "text/html", b"<html><body>404 - File or directory not found.</body></html>")
        elif mode == "html":
            self.answer(200, "text/html; charset=utf-8", PAGE)
        elif mode == "cut-off":
            self.answer(200, "text/xml; charset=utf-8", soap, only=900)
        else:
            self.answer(200, "text/xml; charset=utf-8", soap, "gzip" in mode, "chunked" in mode)

    def do_GET(self):
        path = self.path.partition("?")[0]
        bodies = {
            "/certsrv/certnew.p7b": ("application/x-pkcs7-certificates", p7b),
            "/certsrv/certnew.cer": ("application/pkix-cert", chain.encode()),
            "/pki/ca.crt": ("application/pkix-cert", first),
        }
        if path in bodies:
            self.answer(200, *bodies[path])
        elif mode == "401":
            self.answer(401, "text/html", b"<html><body>401 - Unauthorized</body></html>")
        else:
            self.answer(200, "text/html; charset=utf-8", PAGE)

    def answer(self, status, content_type, body, zipped=False, chunked=False, only=None):
        if zipped:
            body = gzip.compress(body, mtime=0)
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", "Negotiate")
        self.send_header("Content-Type", content_type)
        if zipped:
            self.send_header("Content-Encoding", "gzip")
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if chunked:
            for start in range(0, len(body), 500):
                piece = body[start : start + 500]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.wfile.write(body[:only])
        if only:
            self.close_connection = True

    def version_string(self):
        return "Microsoft-IIS/8.5 (stand-in)"

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer((address, int(port)), Handler).serve_forever()
