#include "client_opts.h"

#include "base/error.h"
#include "base/mem.h"
#include "client.h"

/* Cut, so that sums with a clock do not overflow. */
static int64_t timeout_or(int64_t timeout_ms, int64_t otherwise_ms)
{
    if (!timeout_ms)
        return otherwise_ms;
    return timeout_ms < SC__TIMEOUT_MAX_MS ? timeout_ms : SC__TIMEOUT_MAX_MS;
}

static sc_err copy_text(const char *text, const char **ret_copy)
{
    if (!text)
        return SC_OK;
    *ret_copy = sc__strdup(text);
    return *ret_copy ? SC_OK : SC_ENOMEM;
}

static sc_err copy(const sc_client_opts *from, sc_client_opts *to)
{
    static const sc_client_opts defaults = {0};
    const char *url;

    if (!from)
        from = &defaults;
    url = from->url ? from->url : "redis://127.0.0.1:6379";
    *to = *from;
    to->url = to->name = to->tls_ca_file = NULL;
    to->tls_cert_file = to->tls_key_file = to->tls_server_name = NULL;
    to->connect_timeout_ms = timeout_or(to->connect_timeout_ms, 5000);
    to->command_timeout_ms = timeout_or(to->command_timeout_ms, 5000);
    if (!to->max_waiting_bytes)
        to->max_waiting_bytes = (size_t)256 * 1024 * 1024;
    if (!to->max_reply_bytes)
        to->max_reply_bytes = (size_t)512 * 1024 * 1024;
    if (copy_text(url, &to->url) || copy_text(from->name, &to->name) ||
        copy_text(from->tls_ca_file, &to->tls_ca_file) ||
        copy_text(from->tls_cert_file, &to->tls_cert_file) ||
        copy_text(from->tls_key_file, &to->tls_key_file) ||
        copy_text(from->tls_server_name, &to->tls_server_name))
        return SC_ENOMEM;
    return SC_OK;
}

static sc_err check(const sc_client_opts *opts, sc_reason *reason)
{
    if (opts->connect_timeout_ms < 0 || opts->command_timeout_ms < 0)
        return sc__because(reason, SC_EINVAL, "a timeout of the client is negative");
    for (const char *at = opts->name; at && *at; at++)
        if (*at <= ' ' || *at > '~')
            return sc__because(reason, SC_EINVAL,
                               "the client's name may hold no spaces and nothing beyond ASCII");
    return SC_OK;
}

sc_err sc__client_opts_copy(const sc_client_opts *from, sc_client_opts *to, sc_reason *ret_reason)
{
    sc_err err;

    err = copy(from, to);
    return err ? err : check(to, ret_reason);
}

void sc__client_opts_release(sc_client_opts *opts)
{
    sc_free((char *)opts->url);
    sc_free((char *)opts->name);
    sc_free((char *)opts->tls_ca_file);
    sc_free((char *)opts->tls_cert_file);
    sc_free((char *)opts->tls_key_file);
    sc_free((char *)opts->tls_server_name);
}
