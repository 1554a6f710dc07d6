/* A client on wolfSSL with its defaults: wolfssl ANCHORS.pem HOST */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int count, char **arguments) {
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    struct addrinfo *where, hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    char answer[4096], why[WOLFSSL_MAX_ERROR_SZ];
    int wire;
    if (count != 3 || getaddrinfo(arguments[2], "443", &hints, &where)) return 2;
    wolfSSL_Init();
    WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfSSLv23_client_method());
    /* The library forgets expired anchors, which is a part of its answers. */
    wolfSSL_CTX_load_verify_locations_ex(context, arguments[1], NULL, WOLFSSL_LOAD_FLAG_IGNORE_ERR);
    wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_PEER, NULL);
    WOLFSSL *ssl = wolfSSL_new(context);
    wire = socket(where->ai_family, where->ai_socktype, 0);
    if (connect(wire, where->ai_addr, where->ai_addrlen)) return 2;
    wolfSSL_check_domain_name(ssl, arguments[2]);
    if (strspn(arguments[2], "0123456789.") != strlen(arguments[2]))
        wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, arguments[2], strlen(arguments[2]));
    wolfSSL_set_fd(ssl, wire);
    if (wolfSSL_connect(ssl) == WOLFSSL_SUCCESS) {
        wolfSSL_write(ssl, request, sizeof request - 1);
        wolfSSL_read(ssl, answer, sizeof answer);
        wolfSSL_shutdown(ssl);
        printf("accepted\n");
    } else {
        printf("refused %s\n", wolfSSL_ERR_error_string(wolfSSL_get_error(ssl, -1), why));
    }
    close(wire);
    return 0;
}
