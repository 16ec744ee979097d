#include "tls.h"

#include <arpa/inet.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/error.h"

static const char *last_error(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());

    return text ? text : "it can't be read";
}

static sc_err refuse_file(const char *path, const char *what, sc_reason *reason)
{
    return sc__because(reason, SC_EINVAL, "%s can't be used as %s: %s", path, what, last_error());
}

static sc_err load_identity(SSL_CTX *context, const sc_client_opts *opts, sc_reason *reason)
{
    if (!opts->tls_cert_file && !opts->tls_key_file)
        return SC_OK;
    if (!opts->tls_cert_file || !opts->tls_key_file)
        return sc__because(reason, SC_EINVAL, "tls_cert_file and tls_key_file are needed together");
    if (SSL_CTX_use_certificate_chain_file(context, opts->tls_cert_file) != 1)
        return refuse_file(opts->tls_cert_file, "the client's certificate", reason);
    if (SSL_CTX_use_PrivateKey_file(context, opts->tls_key_file, SSL_FILETYPE_PEM) != 1)
        return refuse_file(opts->tls_key_file, "the client's key", reason);
    if (SSL_CTX_check_private_key(context) != 1)
        return sc__because(reason, SC_EINVAL, "%s is not the key of %s", opts->tls_key_file,
                           opts->tls_cert_file);
    return SC_OK;
}

static sc_err load_trust(SSL_CTX *context, const sc_client_opts *opts, sc_reason *reason)
{
    if (opts->tls_insecure) {
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
        return SC_OK;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (!opts->tls_ca_file)
        return SSL_CTX_set_default_verify_paths(context) == 1 ? SC_OK : SC_ENOMEM;
    if (SSL_CTX_load_verify_file(context, opts->tls_ca_file) != 1)
        return refuse_file(opts->tls_ca_file, "the list of trusted certificates", reason);
    return SC_OK;
}

sc_err sc__tls_context(const sc_client_opts *opts, SSL_CTX **ret_context, sc_reason *ret_reason)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    sc_err err;

    if (!context)
        return SC_ENOMEM;
    ERR_clear_error();
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    err = load_trust(context, opts, ret_reason);
    if (!err)
        err = load_identity(context, opts, ret_reason);
    ERR_clear_error();
    if (err)
        SSL_CTX_free(context);
    else
        *ret_context = context;
    return err;
}

static bool is_address(const char *name)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/* Names are asked for (SNI) and checked; of an address there is only the check. */
static bool expect_name(SSL *ssl, const char *name)
{
    if (is_address(name))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

sc_err sc__tls_open(sc__tls *t, SSL_CTX *context, const char *server_name)
{
    SSL *ssl = SSL_new(context);

    if (!ssl)
        return SC_ENOMEM;
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    if (!t->in || !t->out || !expect_name(ssl, server_name)) {
        BIO_free(t->in);
        BIO_free(t->out);
        SSL_free(ssl);
        return SC_ENOMEM;
    }
    SSL_set_bio(ssl, t->in, t->out); /* they belong to `ssl` now */
    SSL_set_connect_state(ssl);
    t->ssl = ssl;
    t->up = false;
    return SC_OK;
}

void sc__tls_release(sc__tls *t)
{
    SSL_free(t->ssl);
    *t = (sc__tls){0};
}

sc_err sc__tls_feed(sc__tls *t, sc_slice sealed)
{
    if (sealed.len > INT_MAX)
        return SC_ETOOBIG;
    return BIO_write(t->in, sealed.ptr, (int)sealed.len) == (int)sealed.len ? SC_OK : SC_ENOMEM;
}

static sc_err failed(const sc__tls *t, sc_err err, sc_reason *reason)
{
    long verdict = SSL_get_verify_result(t->ssl);

    if (!t->up && verdict != X509_V_OK && SSL_get_verify_mode(t->ssl) != SSL_VERIFY_NONE)
        sc__because(reason, err, "the server's certificate is not accepted: %s",
                    X509_verify_cert_error_string(verdict));
    else
        sc__because(reason, err, "TLS failed: %s", last_error());
    ERR_clear_error();
    return err;
}

sc_err sc__tls_handshake(sc__tls *t, sc_reason *ret_reason)
{
    int rc;

    ERR_clear_error();
    rc = SSL_do_handshake(t->ssl);
    t->up = rc == 1;
    if (t->up || SSL_get_error(t->ssl, rc) == SSL_ERROR_WANT_READ)
        return SC_OK;
    return failed(t, SC_ECONNECT, ret_reason);
}

sc_err sc__tls_read(sc__tls *t, char *out, size_t cap, size_t *ret_len, sc_reason *ret_reason)
{
    int rc;

    ERR_clear_error();
    *ret_len = 0;
    if (SSL_read_ex(t->ssl, out, cap, ret_len) == 1)
        return SC_OK;
    rc = SSL_get_error(t->ssl, 0);
    if (rc == SSL_ERROR_WANT_READ)
        return SC_OK;
    if (rc == SSL_ERROR_ZERO_RETURN)
        return sc__because(ret_reason, SC_ECONNLOST, "the server closed the connection");
    return failed(t, SC_ECONNLOST, ret_reason);
}

sc_err sc__tls_write(sc__tls *t, sc_slice plain)
{
    size_t written;

    ERR_clear_error();
    if (plain.len == 0)
        return SC_OK;
    /* Memory takes everything, so it is all or an error. */
    return SSL_write_ex(t->ssl, plain.ptr, plain.len, &written) == 1 ? SC_OK : SC_ECONNLOST;
}

sc_slice sc__tls_sealed(const sc__tls *t)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(t->out, &bytes);

    return (sc_slice){bytes, len > 0 ? (size_t)len : 0};
}

void sc__tls_sealed_taken(sc__tls *t)
{
    (void)BIO_reset(t->out);
}
