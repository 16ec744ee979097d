#include "answer.h"

#include <microhttpd.h>
#include <stdio.h>
#include <strings.h>
#include <xxhash.h>

#include "base/log.h"
#include "base/mem.h"
#include "request.h"

enum { PROBLEM_MAX = 16 * 1024 };

static const struct {
    sc_err err;
    int status;
} statuses[] = {
    {SC_EINVAL, 400},    {SC_ESYNTAX, 400},    {SC_EPERM, 403},     {SC_ENOTFOUND, 404},
    {SC_ENOJOB, 404},    {SC_EEXIST, 409},     {SC_ESTATE, 409},    {SC_EJOBSTATE, 409},
    {SC_ELOCKLOST, 409}, {SC_ESCHEDULED, 409}, {SC_ECHILDREN, 409}, {SC_ESLOT, 409},
    {SC_ETOOBIG, 413},   {SC_EPAYLOAD, 422},   {SC_EPARENT, 422},   {SC_EBUSY, 503},
    {SC_EOVERLOAD, 503}, {SC_ETIMEDOUT, 503},  {SC_ECONNECT, 503},  {SC_ECONNLOST, 503},
    {SC_ECANCELED, 503}, {SC_EREADONLY, 503},  {SC_ENOMEM, 503},
};

/* Headers of every answer. The page needs nothing but its own files and this server. */
static const struct {
    const char *name, *value;
} always[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
     "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

static int status_of(sc_err err)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
        if (statuses[i].err == err)
            return statuses[i].status;
    return 500;
}

static const struct {
    int status;
    const char *title;
} titles[] = {
    {400, "Bad Request"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {503, "Service Unavailable"},
};

static const char *title_of(int status)
{
    for (size_t i = 0; i < sizeof(titles) / sizeof(*titles); i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Internal Server Error";
}

void answer_release(struct answer *answer)
{
    sc_free(answer->body);
    *answer = (struct answer){0};
}

sc_err answer_text(struct request *request, int status, const char *type, sc__str *text)
{
    struct answer *answer = &request->answer;
    size_t len = text->len;
    char *body;
    sc_err err = sc__str_take(text, &body);

    if (err)
        return err;
    sc_free(answer->body);
    answer->body = body;
    answer->static_body = NULL;
    answer->len = len;
    answer->status = status;
    answer->type = type;
    return SC_OK;
}

sc_err answer_json(struct request *request, int status, sc__str *json)
{
    return answer_text(request, status, "application/json", json);
}

sc_err answer_json_copy(struct request *request, int status, sc_slice json)
{
    sc__str copy = STR_MAX(ANSWER_MAX);

    sc__str_append(&copy, json);
    return answer_json(request, status, &copy);
}

sc_err answer_value(struct request *request, int status, json_t *value)
{
    sc__str text = STR_MAX(ANSWER_MAX);

    if (!value)
        return SC_ENOMEM;
    sc__json_write(&text, value);
    sc__str_char(&text, '\n');
    json_decref(value);
    return answer_json(request, status, &text);
}

void answer_header(struct request *request, const char *name, const char *value)
{
    struct answer *answer = &request->answer;
    const char *copy = sc__arena_dup(&request->arena, sc_slice_of(value));

    if (!copy || answer->header_count == ANSWER_HEADERS)
        return;
    answer->headers[answer->header_count].name = name;
    answer->headers[answer->header_count].value = copy;
    answer->header_count++;
}

void answer_cache_source(struct request *request, bool hit, int64_t age_ms)
{
    char age[SC__INT_LEN + 1] = "";

    answer_header(request, "X-Cache", hit ? "hit" : "miss");
    age[sc__int_text(age_ms / 1000, age)] = '\0';
    if (hit)
        answer_header(request, "Age", age);
}

sc_err answer_cached(struct request *request, int status, sc_cache_value *value)
{
    sc_err err = answer_json_copy(request, status, value->bytes);

    answer_cache_source(request, value->source == SC_CACHE_HIT || value->source == SC_CACHE_NEAR,
                        value->age_ms);
    if (strcmp(request->method, "GET") == 0)
        request->answer.caching = ANSWER_REVALIDATE;
    sc_cache_value_release(value);
    return err;
}

void answer_location(struct request *request, sc_slice name)
{
    AUTO_STR location = STR_MAX(8 * 1024);

    sc__str_append(&location, request->path);
    sc__str_char(&location, '/');
    sc__str_append(&location, name);
    if (!location.err)
        answer_header(request, "Location", location.ptr);
}

static const char *retry_after(const struct answer *answer, char text[SC__INT_LEN + 1])
{
    text[sc__int_text(answer->retry_after_s ? answer->retry_after_s : 1, text)] = '\0';
    return text;
}

void answer_problem(struct request *request, int status, sc_err err, const char *detail)
{
    sc__str text = STR_MAX(PROBLEM_MAX);
    char number[SC__INT_LEN + 1];
    size_t path_len = request->path.len < 1024 ? request->path.len : 1024;

    if (!status)
        status = status_of(err);
    if (!detail || !*detail)
        detail = sc_err_text(err);
    if (status == 500)
        sc__log(SC_LOG_ERROR, "HTTP: %s %.*s failed: %s: %s", request->method, (int)path_len,
                request->path.ptr, sc_err_name(err), detail);
    sc__str_printf(&text, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":",
                   title_of(status), status);
    sc__str_json(&text, sc_slice_of(detail));
    sc__str_text(&text, ",\"instance\":");
    sc__str_json(&text, (sc_slice){request->path.ptr, path_len});
    if (err)
        sc__str_printf(&text, ",\"code\":\"%s\"", sc_err_name(err));
    sc__str_text(&text, "}\n");
    request->answer.caching = ANSWER_NO_STORE;
    request->answer.header_count = 0;
    if (answer_text(request, status, "application/problem+json", &text)) {
        answer_release(&request->answer);
        request->answer.status = status;
    }
    if (status == 503 || status == 429)
        answer_header(request, "Retry-After", retry_after(&request->answer, number));
}

static bool is_etag_in(const char *list, const char *etag)
{
    return list && (strcmp(list, "*") == 0 || strstr(list, etag));
}

/* Turns the answer into 304 when the client has it already. */
static void revalidate(struct request *request)
{
    struct answer *answer = &request->answer;
    const void *bytes = answer->body ? answer->body : answer->static_body;

    if (answer->caching != ANSWER_REVALIDATE || answer->status != 200)
        return;
    if (!answer->etag)
        answer->etag = sc__arena_printf(&request->arena, "\"%016llx\"",
                                        (unsigned long long)XXH3_64bits(bytes, answer->len));
    if (!answer->etag || !is_etag_in(request_header(request, "If-None-Match"), answer->etag))
        return;
    sc_free(answer->body);
    answer->body = NULL;
    answer->static_body = NULL;
    answer->len = 0;
    answer->status = 304;
}

static struct MHD_Response *make_response(struct answer *answer)
{
    struct MHD_Response *response;

    if (!answer->body) /* MHD does not write to it, for all its missing const */
        return MHD_create_response_from_buffer(answer->len, (void *)(uintptr_t)answer->static_body,
                                               MHD_RESPMEM_PERSISTENT);
    response =
        MHD_create_response_from_buffer_with_free_callback(answer->len, answer->body, sc_free);
    if (response)
        answer->body = NULL; /* the response's now */
    return response;
}

static void add_headers(const struct answer *answer, struct MHD_Response *response)
{
    bool revalidated = answer->caching == ANSWER_REVALIDATE;

    for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
        MHD_add_response_header(response, always[i].name, always[i].value);
    for (size_t i = 0; i < answer->header_count; i++)
        MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
    if (answer->type && answer->status != 304)
        MHD_add_response_header(response, "Content-Type", answer->type);
    MHD_add_response_header(response, "Cache-Control", revalidated ? "no-cache" : "no-store");
    if (revalidated && answer->etag)
        MHD_add_response_header(response, "ETag", answer->etag);
}

bool answer_send(struct request *request)
{
    struct answer *answer = &request->answer;
    struct MHD_Response *response;
    enum MHD_Result queued;

    revalidate(request);
    response = make_response(answer);
    if (!response)
        return false;
    add_headers(answer, response);
    queued = MHD_queue_response(request->connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return queued == MHD_YES;
}
