"""A TLS 1.0 client that tells its clock, as the stacks of old phones do: old_clock.py ADDRESS PORT STORE.pem

OpenSSL fills the client's random with random bytes alone. Its mode SSL_MODE_SEND_CLIENTHELLO_TIME puts the time into the
first four (RFC 5246, section 7.4.1.2, gmt_unix_time); no command of OpenSSL's sets it, so the library is called from here.
The server's chain is checked against STORE.pem, at the same clock; then one request and its answer.
"""
import ctypes
import ctypes.util
import socket
import sys

SSL_CTRL_MODE, SSL_CTRL_SET_MIN_PROTO_VERSION, SSL_CTRL_SET_MAX_PROTO_VERSION = 33, 123, 124
SSL_MODE_SEND_CLIENTHELLO_TIME, SSL_VERIFY_PEER, TLS1_VERSION = 0x20, 1, 0x301

address, port, store = sys.argv[1:]
ssl = ctypes.CDLL(ctypes.util.find_library("ssl"))
for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
    getattr(ssl, name).restype = ctypes.c_void_p
context = ctypes.c_void_p(ssl.SSL_CTX_new(ctypes.c_void_p(ssl.TLS_client_method())))
for control, value in (
    (SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_VERSION),
    (SSL_CTRL_SET_MAX_PROTO_VERSION, TLS1_VERSION),
    (SSL_CTRL_MODE, SSL_MODE_SEND_CLIENTHELLO_TIME),
):
    ssl.SSL_CTX_ctrl(context, control, ctypes.c_long(value), None)
ssl.SSL_CTX_set_cipher_list(context, b"AES128-SHA:AES256-SHA:DES-CBC3-SHA:@SECLEVEL=0")
assert ssl.SSL_CTX_load_verify_locations(context, store.encode(), None) == 1
ssl.SSL_CTX_set_verify(context, SSL_VERIFY_PEER, None)

connection = ctypes.c_void_p(ssl.SSL_new(context))
line = socket.create_connection((address, int(port)))
ssl.SSL_set_fd(connection, line.fileno())
if ssl.SSL_connect(connection) == 1:
    request = b"GET /hello HTTP/1.0\r\n\r\n"
    ssl.SSL_write(connection, request, len(request))
    answer = ctypes.create_string_buffer(4096)
    while ssl.SSL_read(connection, answer, len(answer)) > 0:
        pass
    ssl.SSL_shutdown(connection)
