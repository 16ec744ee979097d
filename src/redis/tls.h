/* TLS over memory: bytes of the socket go in and come out, the connection moves them.
 *
 * Verification is on, against the server's name or address, unless the options say tls_insecure. */
#ifndef SC_REDIS_TLS_H
#define SC_REDIS_TLS_H

#include <storychain/client.h>

#include <openssl/ssl.h>

/* What the options' files say, for all connections of a client; SSL_CTX_free. SC_EINVAL with the file and
 * what is wrong with it. */
SC_MUST_USE sc_err sc__tls_context(const sc_client_opts *opts, SSL_CTX **ret_context,
                                   sc_reason *ret_reason);

typedef struct sc__tls {
    SSL *ssl; /* NULL: no TLS */
    BIO *in;  /* from the socket */
    BIO *out; /* for the socket */
    bool up;  /* the handshake is done */
} sc__tls;

SC_MUST_USE sc_err sc__tls_open(sc__tls *t, SSL_CTX *context, const char *server_name);
void sc__tls_release(sc__tls *t);

/* Bytes came from the socket. */
SC_MUST_USE sc_err sc__tls_feed(sc__tls *t, sc_slice sealed);

/* Goes on with the handshake as far as the bytes allow; look at `up`. SC_ECONNECT with why. */
SC_MUST_USE sc_err sc__tls_handshake(sc__tls *t, sc_reason *ret_reason);

/* Opens what came. `*ret_len` is 0 when more is needed first. */
SC_MUST_USE sc_err sc__tls_read(sc__tls *t, char *out, size_t cap, size_t *ret_len,
                                sc_reason *ret_reason);

/* Seals; the result is what sc__tls_sealed() has. */
SC_MUST_USE sc_err sc__tls_write(sc__tls *t, sc_slice plain);

/* What is to be written to the socket; borrowed until the next call. */
sc_slice sc__tls_sealed(const sc__tls *t);
void sc__tls_sealed_taken(sc__tls *t); /* all of it */

#endif
