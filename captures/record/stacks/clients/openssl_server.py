"""OpenSSL's own server that wants a client certificate: openssl_server.py LIBCRYPTO LIBSSL ANCHORS.pem CHAIN.pem KEY.pem"""
import ctypes
import socket
import sys

libcrypto, libssl, anchors, chain, key = sys.argv[1:]
ctypes.CDLL(libcrypto, ctypes.RTLD_GLOBAL)
ssl = ctypes.CDLL(libssl, ctypes.RTLD_GLOBAL)
old = hasattr(ssl, "SSL_library_init")
if old:
    ssl.SSL_library_init()
for function in ("SSLv23_server_method" if old else "TLS_server_method", "SSL_CTX_new", "SSL_new"):
    getattr(ssl, function).restype = ctypes.c_void_p
pointer = ctypes.c_void_p
context = pointer(ssl.SSL_CTX_new(pointer((ssl.SSLv23_server_method if old else ssl.TLS_server_method)())))
assert ssl.SSL_CTX_load_verify_locations(context, anchors.encode(), None) == 1
assert ssl.SSL_CTX_use_certificate_chain_file(context, chain.encode()) == 1
assert ssl.SSL_CTX_use_PrivateKey_file(context, key.encode(), 1) == 1
ssl.SSL_CTX_set_verify(context, 3, None)  # SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
ssl.SSL_CTX_set_session_id_context(context, b"stacks", 6)
ssl.SSL_CTX_ctrl(context, 94, ctypes.c_long(1), None)  # SSL_CTX_set_ecdh_auto, which 1.0.2 needs
listener = socket.create_server(("0.0.0.0", 443))
while True:
    wire = listener.accept()[0]
    connection = pointer(ssl.SSL_new(context))
    ssl.SSL_set_fd(connection, wire.fileno())
    if ssl.SSL_accept(connection) == 1:
        ssl.SSL_read(connection, ctypes.create_string_buffer(4096), 4096)
        answer = b"HTTP/1.0 200 OK\r\n\r\nyes"
        ssl.SSL_write(connection, answer, len(answer))
        ssl.SSL_shutdown(connection)
    wire.close()
