"""A TLS server that closes after the client's first data: closes.py ADDRESS PORT CHAIN.pem KEY"""
import socket
import ssl
import sys

address, port, chain, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.minimum_version = ssl.TLSVersion.TLSv1
context.set_ciphers("ALL:@SECLEVEL=0")
context.load_cert_chain(chain, key)
listener = socket.create_server((address, int(port)))
while True:
    with context.wrap_socket(listener.accept()[0], server_side=True) as connection:
        connection.recv(4096)
        connection.unwrap()
