/* The answer to a request: status, headers, body; errors are problem JSON (RFC 9457). */
#ifndef SERVER_ANSWER_H
#define SERVER_ANSWER_H

#include <storychain/cache.h>

#include "base/json.h"

struct request;
struct MHD_Connection;

enum { ANSWER_HEADERS = 8, ANSWER_MAX = 32 * 1024 * 1024 };

enum answer_caching {
    ANSWER_NO_STORE,  /* nobody keeps it */
    ANSWER_REVALIDATE /* clients may keep it, and ask with its ETag whether it is still so */
};

struct answer {
    int status; /* 0: none yet */
    const char *type;
    char *body;              /* owned; else NULL */
    const void *static_body; /* lives as long as the program; else NULL */
    size_t len;
    int64_t retry_after_s; /* for 429 and 503; 0: 1 */
    enum answer_caching caching;
    const char *etag; /* in the request's arena or static; NULL: made from the body if needed */
    struct {
        const char *name, *value; /* static, or in the request's arena */
    } headers[ANSWER_HEADERS];
    size_t header_count;
};

/* Takes the text, whatever the result. An error it kept (out of memory, too big) is given back. */
SC_MUST_USE sc_err answer_text(struct request *request, int status, const char *type,
                               sc__str *text);
SC_MUST_USE sc_err answer_json(struct request *request, int status, sc__str *json);

/* A copy of JSON text. */
SC_MUST_USE sc_err answer_json_copy(struct request *request, int status, sc_slice json);

/* Takes the reference; NULL (out of memory when it was made) is SC_ENOMEM. */
SC_MUST_USE sc_err answer_value(struct request *request, int status, json_t *value);

/* `value` is copied. More than ANSWER_HEADERS are left out. */
void answer_header(struct request *request, const char *name, const char *value);

/* X-Cache: hit or miss; Age, in seconds, of a hit. */
void answer_cache_source(struct request *request, bool hit, int64_t age_ms);

/* Answers with what a service gave and says where that came from. The value is released. */
SC_MUST_USE sc_err answer_cached(struct request *request, int status, sc_cache_value *value);

/* Location of what a POST made: the address that was posted to, a slash and `name`, a slug or an id,
 * which needs no encoding. */
void answer_location(struct request *request, sc_slice name);

/* A refusal: replaces what was said before. `status` 0: the one that `err` stands for. */
void answer_problem(struct request *request, int status, sc_err err, const char *detail);

/* Hands the answer to libmicrohttpd. False: the connection must be closed. */
bool answer_send(struct request *request);

void answer_release(struct answer *answer);

#endif
