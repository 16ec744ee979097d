#include "http_get.h"

#include "base/error.h"

#include <curl/curl.h>

enum { TIMEOUT_MS = 2000 };

static size_t on_bytes(char *bytes, size_t size, size_t count, void *user)
{
    sc__str *out = user;

    sc__str_append(out, (sc_slice){bytes, size * count});
    return out->err ? 0 : size * count;
}

sc_err http_get(const char *url, sc__str *out, sc_reason *ret_reason)
{
    CURL *curl = curl_easy_init();
    CURLcode code;

    if (!curl)
        return sc__because(ret_reason, SC_ENOMEM, "no memory for a request");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* it is our own server */
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
    code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    if (code)
        return sc__because(ret_reason, SC_ECONNECT, "%s: %s", url, curl_easy_strerror(code));
    return SC_OK;
}
