/* A client on mbed TLS with its defaults: mbedtls ANCHORS.pem HOST */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <stdio.h>

int main(int count, char **arguments) {
    static const unsigned char request[] = "GET / HTTP/1.0\r\n\r\n";
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_x509_crt anchors;
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
    mbedtls_net_context wire;
    unsigned char answer[4096];
    char why[200];
    int result;
    if (count != 3) return 2;
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random);
    mbedtls_x509_crt_init(&anchors);
    mbedtls_ssl_config_init(&config);
    mbedtls_ssl_init(&ssl);
    mbedtls_net_init(&wire);
    if (mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0)) return 2;
    if (mbedtls_x509_crt_parse_file(&anchors, arguments[1]) < 0) return 2;
    if (mbedtls_net_connect(&wire, arguments[2], "443", MBEDTLS_NET_PROTO_TCP)) return 2;
    mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_ca_chain(&config, &anchors, NULL);
    mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
    if (mbedtls_ssl_setup(&ssl, &config) || mbedtls_ssl_set_hostname(&ssl, arguments[2])) return 2;
    mbedtls_ssl_set_bio(&ssl, &wire, mbedtls_net_send, mbedtls_net_recv, NULL);
    result = mbedtls_ssl_handshake(&ssl);
    if (result) {
        mbedtls_strerror(result, why, sizeof why);
        printf("refused %s\n", why);
    } else {
        mbedtls_ssl_write(&ssl, request, sizeof request - 1);
        mbedtls_ssl_read(&ssl, answer, sizeof answer);
        mbedtls_ssl_close_notify(&ssl);
        printf("accepted\n");
    }
    mbedtls_net_free(&wire);
    return 0;
}
