"""OpenSSL's own client, with the defaults of its library: openssl.py LIBCRYPTO LIBSSL ANCHORS.pem HOST

Works with every libssl since 1.0.2; the chain and the name are checked in the handshake (X509_VERIFY_PARAM_set1_host).
"""
import ctypes
import re
import socket
import sys

libcrypto, libssl, anchors, host = sys.argv[1:]
ctypes.CDLL(libcrypto, ctypes.RTLD_GLOBAL)
ssl = ctypes.CDLL(libssl, ctypes.RTLD_GLOBAL)
crypto = ctypes.CDLL(libcrypto)
old = hasattr(ssl, "SSL_library_init")
if old:
    ssl.SSL_library_init()
    ssl.SSL_load_error_strings()
for function in ("SSLv23_client_method" if old else "TLS_client_method", "SSL_CTX_new", "SSL_new", "SSL_get0_param"):
    getattr(ssl, function).restype = ctypes.c_void_p
pointer = ctypes.c_void_p
context = pointer(ssl.SSL_CTX_new(pointer((ssl.SSLv23_client_method if old else ssl.TLS_client_method)())))
assert ssl.SSL_CTX_load_verify_locations(context, anchors.encode(), None) == 1
ssl.SSL_CTX_set_verify(context, 1, None)
connection = pointer(ssl.SSL_new(context))
parameters = pointer(ssl.SSL_get0_param(connection))
if re.fullmatch(r"[\d.]+", host):
    crypto.X509_VERIFY_PARAM_set1_ip_asc(parameters, host.encode())
else:
    crypto.X509_VERIFY_PARAM_set1_host(parameters, host.encode(), ctypes.c_size_t(0))
    ssl.SSL_ctrl(connection, 55, ctypes.c_long(0), ctypes.c_char_p(host.encode()))  # SSL_set_tlsext_host_name
with socket.create_connection((host, 443), 8) as wire:
    wire.settimeout(None)
    ssl.SSL_set_fd(connection, wire.fileno())
    if ssl.SSL_connect(connection) == 1:
        request = b"GET / HTTP/1.0\r\n\r\n"
        ssl.SSL_write(connection, request, len(request))
        ssl.SSL_read(connection, ctypes.create_string_buffer(4096), 4096)
        ssl.SSL_shutdown(connection)
        print("accepted")
    else:
        ssl.SSL_get_verify_result.restype = ctypes.c_long
        text = ctypes.create_string_buffer(256)
        crypto.ERR_error_string_n(crypto.ERR_get_error(), text, 256)
        print("refused", ssl.SSL_get_verify_result(connection), text.value.decode())
