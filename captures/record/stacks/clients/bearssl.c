/* A client on BearSSL with its defaults: bearssl ANCHORS.pem HOST */
#include <bearssl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static br_x509_trust_anchor anchors[64];
static unsigned char der[1 << 16], name[4096];
static size_t anchor_count, der_length, name_length;

static void add_der(void *unused, const void *data, size_t length) {
    memcpy(der + der_length, data, length);
    der_length += length;
    (void)unused;
}

static void add_name(void *unused, const void *data, size_t length) {
    memcpy(name + name_length, data, length);
    name_length += length;
    (void)unused;
}

static void *copied(const void *data, size_t length) { return memcpy(malloc(length + 1), data, length); }

/* One certificate of the file is an anchor: its name and its key. */
static void add_anchor(void) {
    br_x509_decoder_context decoder;
    name_length = 0;
    br_x509_decoder_init(&decoder, add_name, NULL);
    br_x509_decoder_push(&decoder, der, der_length);
    br_x509_pkey *key = br_x509_decoder_get_pkey(&decoder);
    if (!key) return;
    br_x509_trust_anchor *anchor = &anchors[anchor_count++];
    anchor->dn.data = copied(name, name_length);
    anchor->dn.len = name_length;
    anchor->flags = BR_X509_TA_CA;
    anchor->pkey = *key;
    if (key->key_type == BR_KEYTYPE_EC) {
        anchor->pkey.key.ec.q = copied(key->key.ec.q, key->key.ec.qlen);
    } else {
        anchor->pkey.key.rsa.n = copied(key->key.rsa.n, key->key.rsa.nlen);
        anchor->pkey.key.rsa.e = copied(key->key.rsa.e, key->key.rsa.elen);
    }
}

static void load(const char *path) {
    static char text[1 << 18];
    br_pem_decoder_context decoder;
    FILE *file = fopen(path, "r");
    size_t length = fread(text, 1, sizeof text, file), at = 0;
    fclose(file);
    br_pem_decoder_init(&decoder);
    while (at < length) {
        at += br_pem_decoder_push(&decoder, text + at, length - at);
        switch (br_pem_decoder_event(&decoder)) {
        case BR_PEM_BEGIN_OBJ:
            der_length = 0;
            br_pem_decoder_setdest(&decoder, add_der, NULL);
            break;
        case BR_PEM_END_OBJ: add_anchor(); break;
        }
    }
}

static int receive(void *wire, unsigned char *data, size_t length) {
    ssize_t got = read(*(int *)wire, data, length);
    return got > 0 ? (int)got : -1;
}

static int transmit(void *wire, const unsigned char *data, size_t length) {
    ssize_t sent = send(*(int *)wire, data, length, MSG_NOSIGNAL);
    return sent > 0 ? (int)sent : -1;
}

int main(int count, char **arguments) {
    static unsigned char buffer[BR_SSL_BUFSIZE_BIDI];
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    struct addrinfo *where, hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    br_ssl_client_context client;
    br_x509_minimal_context verifier;
    br_sslio_context stream;
    char answer[4096];
    int wire;
    if (count != 3 || getaddrinfo(arguments[2], "443", &hints, &where)) return 2;
    load(arguments[1]);
    wire = socket(where->ai_family, where->ai_socktype, 0);
    if (connect(wire, where->ai_addr, where->ai_addrlen)) return 2;
    br_ssl_client_init_full(&client, &verifier, anchors, anchor_count);
    br_ssl_engine_set_buffer(&client.eng, buffer, sizeof buffer, 1);
    br_ssl_client_reset(&client, arguments[2], 0);
    br_sslio_init(&stream, &client.eng, receive, &wire, transmit, &wire);
    br_sslio_write_all(&stream, request, sizeof request - 1);
    br_sslio_flush(&stream);
    if (br_sslio_read(&stream, answer, sizeof answer) > 0) {
        printf("accepted\n");
        br_sslio_close(&stream);
    } else {
        printf("refused %d\n", br_ssl_engine_last_error(&client.eng));
    }
    close(wire);
    return 0;
}
