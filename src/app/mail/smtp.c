#include "smtp.h"

#include <curl/curl.h>
#include <stdio.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"

enum { CONNECT_TIMEOUT_MS = 10000, SEND_TIMEOUT_MS = 30000, ADDRESS_MAX = 400 };

struct smtp {
    char *url;             /* without user, password and query */
    char *user, *password; /* NULL: none */
    long use_ssl;          /* CURLUSESSL_… */
};

struct exchange {
    sc_slice left;    /* of the message */
    char answer[160]; /* the server's last word, or its refusal */
};

void smtp_free(struct smtp *smtp)
{
    if (!smtp)
        return;
    sc_free(smtp->url);
    sc_free(smtp->user);
    if (smtp->password)
        explicit_bzero(smtp->password, strlen(smtp->password));
    sc_free(smtp->password);
    sc_free(smtp);
    curl_global_cleanup();
}

const char *smtp_where(const struct smtp *smtp)
{
    return smtp->url;
}

/* ---- The URL ---- */

/* A part of the URL as a copy of ours; NULL if there is none. */
static sc_err take_part(CURLU *url, CURLUPart part, unsigned flags, char **ret_text)
{
    char *text = NULL;

    *ret_text = NULL;
    if (curl_url_get(url, part, &text, flags))
        return SC_OK;
    *ret_text = sc__strdup(text);
    curl_free(text);
    return *ret_text ? SC_OK : SC_ENOMEM;
}

static bool is_this_machine(const char *host)
{
    return host && (strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
                    strcmp(host, "[::1]") == 0);
}

static sc_err read_tls(struct smtp *smtp, const char *host, const char *query,
                       sc_reason *ret_reason)
{
    if (!query)
        smtp->use_ssl = smtp->password && !is_this_machine(host) ? CURLUSESSL_ALL : CURLUSESSL_TRY;
    else if (strcmp(query, "tls=required") == 0)
        smtp->use_ssl = CURLUSESSL_ALL;
    else if (strcmp(query, "tls=offered") == 0)
        smtp->use_ssl = CURLUSESSL_TRY;
    else if (strcmp(query, "tls=none") == 0)
        smtp->use_ssl = CURLUSESSL_NONE;
    else
        return sc__because(ret_reason, SC_EINVAL,
                           "the mail server's URL may end in ?tls=required, ?tls=offered or "
                           "?tls=none, not in ?%s",
                           query);
    return SC_OK;
}

static sc_err read_parts(struct smtp *smtp, CURLU *url, sc_reason *ret_reason)
{
    char *scheme = NULL, *host = NULL, *query = NULL;
    sc_err err = take_part(url, CURLUPART_SCHEME, 0, &scheme);

    if (!err)
        err = take_part(url, CURLUPART_HOST, 0, &host);
    if (!err)
        err = take_part(url, CURLUPART_QUERY, 0, &query);
    if (!err)
        err = take_part(url, CURLUPART_USER, CURLU_URLDECODE, &smtp->user);
    if (!err)
        err = take_part(url, CURLUPART_PASSWORD, CURLU_URLDECODE, &smtp->password);
    if (err)
        sc__because(ret_reason, err, "out of memory");
    else if (!scheme || (strcmp(scheme, "smtp") != 0 && strcmp(scheme, "smtps") != 0))
        err = sc__because(ret_reason, SC_EINVAL,
                          "the mail server's URL must begin with smtp:// or smtps://");
    else
        err = read_tls(smtp, host, query, ret_reason);
    sc_free(scheme);
    sc_free(host);
    sc_free(query);
    return err;
}

static sc_err read_url(struct smtp *smtp, const char *text, sc_reason *ret_reason)
{
    CURLU *url = curl_url();
    sc_err err;

    if (!url)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    if (curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME)) {
        curl_url_cleanup(url);
        return sc__because(ret_reason, SC_EINVAL,
                           "the mail server's URL can't be read; it has the form "
                           "smtp://[user:password@]host[:port]");
    }
    err = read_parts(smtp, url, ret_reason);
    curl_url_set(url, CURLUPART_USER, NULL, 0);
    curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(url, CURLUPART_QUERY, NULL, 0);
    curl_url_set(url, CURLUPART_PATH, NULL, 0);
    if (!err)
        err = take_part(url, CURLUPART_URL, 0, &smtp->url);
    curl_url_cleanup(url);
    return err;
}

sc_err smtp_new(const char *url, struct smtp **ret_smtp, sc_reason *ret_reason)
{
    struct smtp *smtp;
    sc_err err;

    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        return sc__because(ret_reason, SC_ENOMEM, "libcurl doesn't start");
    smtp = sc__calloc(1, sizeof(*smtp));
    if (!smtp) {
        curl_global_cleanup();
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    }
    err = read_url(smtp, url, ret_reason);
    if (err) {
        smtp_free(smtp);
        return err;
    }
    *ret_smtp = smtp;
    return SC_OK;
}

/* ---- Sending ---- */

static size_t give_bytes(char *to, size_t size, size_t count, void *user)
{
    struct exchange *x = user;
    size_t n = size * count < x->left.len ? size * count : x->left.len;

    memcpy(to, x->left.ptr, n);
    x->left.ptr += n;
    x->left.len -= n;
    return n;
}

/* libcurl hands the lines of the server over as headers. After a refusal it says QUIT, whose answer
 * is of no interest. */
static size_t on_answer(char *line, size_t size, size_t count, void *user)
{
    struct exchange *x = user;
    size_t len = 0;

    if (x->answer[0] == '4' || x->answer[0] == '5')
        return size * count;
    for (size_t i = 0; i < size * count && len < sizeof(x->answer) - 1; i++)
        if (line[i] >= ' ' && line[i] <= '~')
            x->answer[len++] = line[i];
    x->answer[len] = '\0';
    return size * count;
}

static sc_err explain(const struct smtp *smtp, CURLcode code, long status, const char *answer,
                      sc_reason *ret_reason)
{
    bool about_us = code == CURLE_LOGIN_DENIED || code == CURLE_USE_SSL_FAILED ||
                    code == CURLE_PEER_FAILED_VERIFICATION || status == 530 || status == 534 ||
                    status == 535 || status == 538;
    sc_err err = SC_EIO;

    if (about_us)
        err = SC_EAUTH;
    else if (status >= 500 && status < 600)
        err = SC_EPERM;
    else if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
        err = SC_ECONNECT;
    else if (code == CURLE_ABORTED_BY_CALLBACK)
        err = SC_ECANCELED;
    else if (code == CURLE_OPERATION_TIMEDOUT)
        err = SC_ETIMEDOUT;
    if (status >= 400)
        return sc__because(ret_reason, err, "mail server %s answered: %s", smtp->url, answer);
    return sc__because(ret_reason, err, "mail server %s: %s", smtp->url, curl_easy_strerror(code));
}

static bool write_path(char out[ADDRESS_MAX], sc_slice address)
{
    int n = snprintf(out, ADDRESS_MAX, "<%.*s>", (int)address.len, address.ptr);

    return n < ADDRESS_MAX && !memchr(address.ptr, '\0', address.len) && !strpbrk(out, "\r\n \t");
}

static int on_progress(void *user, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    const struct smtp_mail *mail = user;

    (void)down_total, (void)down, (void)up_total, (void)up;
    return mail->is_cancelled && mail->is_cancelled(mail->user);
}

static void set_options(CURL *curl, const struct smtp *smtp, struct exchange *x)
{
    curl_easy_setopt(curl, CURLOPT_URL, smtp->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_USE_SSL, smtp->use_ssl);
    if (smtp->user)
        curl_easy_setopt(curl, CURLOPT_USERNAME, smtp->user);
    if (smtp->password)
        curl_easy_setopt(curl, CURLOPT_PASSWORD, smtp->password);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)SEND_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L); /* other threads are not to be interrupted */
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* a web proxy of the environment is not for mail */
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_bytes);
    curl_easy_setopt(curl, CURLOPT_READDATA, x);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_answer);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, x);
}

sc_err smtp_send(struct smtp *smtp, const struct smtp_mail *mail, sc_reason *ret_reason)
{
    struct exchange x = {.left = mail->bytes};
    char from[ADDRESS_MAX], to[ADDRESS_MAX];
    struct curl_slist *recipients = NULL;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    long status = 0;
    CURL *curl;

    if (!write_path(from, mail->from) || !write_path(to, mail->to))
        return sc__because(ret_reason, SC_EINVAL, "an address of the mail is not valid");
    curl = curl_easy_init();
    recipients = curl_slist_append(NULL, to);
    if (curl && recipients) {
        set_options(curl, smtp, &x);
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, (void *)(uintptr_t)mail);
        curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
        curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    curl_slist_free_all(recipients);
    curl_easy_cleanup(curl);
    return code ? explain(smtp, code, status, x.answer, ret_reason) : SC_OK;
}
