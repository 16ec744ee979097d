/* A job's hash as another client may have left it: the input is its fields and values, separated by 0xff. */
#include <stdlib.h>

#include "ops/job_decode.h"
#include "ops/job_opts.h"

enum { PARTS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What we read from stored options, we write so that it reads back the same. */
static void round_trip(sc_slice stored)
{
    sc_job_opts opts, back;
    sc__str text = STR_MAX(1024 * 1024);

    if (sc__job_opts_parse(stored, &opts, NULL))
        return;
    opts.id = opts.backoff.custom = (sc_slice){NULL, 0};
    if (sc__job_opts_check(&opts, NULL) == SC_OK) {
        sc__job_opts_write(&text, &opts);
        if (text.err || sc__job_opts_parse(sc__str_slice(&text), &back, NULL))
            abort();
        if (back.attempts != opts.attempts ||
            (opts.backoff.kind && back.backoff.delay_ms != opts.backoff.delay_ms) ||
            back.keep_completed.kind != opts.keep_completed.kind ||
            back.keep_failed.count != opts.keep_failed.count)
            abort();
    }
    sc__str_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sc_reply parts[PARTS_MAX] = {{.type = SC_REPLY_NIL}};
    sc_reply hash = {.type = SC_REPLY_ARRAY, .items = parts};
    const char *at = (const char *)data, *end = at + size;
    sc_job *job = NULL;

    while (at < end && hash.count < PARTS_MAX) {
        const char *stop = memchr(at, 0xff, (size_t)(end - at));

        if (!stop)
            stop = end;
        parts[hash.count++] = (sc_reply){.type = SC_REPLY_STRING, .str = {at, (size_t)(stop - at)}};
        at = stop + 1;
    }
    if (sc__job_decode_new(SC_S("1"), &hash, &job, NULL))
        return 0;
    if (job->name.ptr[job->name.len] || job->data.ptr[job->data.len] || job->attempts < 0)
        abort();
    round_trip(job->opts);
    sc_job_free(job);
    return 0;
}
