/* Commands of tests_peer with a tracer. */
#include <storychain/tracer.h>

#include <stdlib.h>

#include "base/error.h"
#include "peer.h"

/* {"event":"span","operation":"process","job":"mail","metadata":"…"} at its start, "ended":true at its end. */
static void *start(void *user, const sc_span_start *s)
{
    peer_emit(json_pack("{s:s, s:s, s:s%, s:s%}", "event", "span", "operation", s->operation, "job",
                        s->job_name.ptr ? s->job_name.ptr : "", s->job_name.len, "metadata",
                        s->metadata.ptr ? s->metadata.ptr : "", s->metadata.len));
    return user;
}

/* What its user says. */
static sc_slice metadata(void *user, void *span)
{
    (void)span;
    return sc_slice_of(user);
}

static void end(void *user, void *span, const sc_span_end *e)
{
    (void)user;
    (void)span;
    peer_emit(json_pack("{s:s, s:b, s:s%, s:b}", "event", "span", "ended", 1, "id",
                        e->job_id.ptr ? e->job_id.ptr : "", e->job_id.len, "final", e->is_final));
}

sc_tracer peer_tracer(const char *text)
{
    return (sc_tracer){.user = (void *)text, .start = start, .metadata = metadata, .end = end};
}

/* Adds jobs by a queue with a tracer whose spans have "metadata". */
static sc_err do_add_traced(struct peer *peer, const json_t *args, json_t **ret_result,
                            sc_reason *ret_reason)
{
    const json_t *jobs = json_object_get(args, "jobs");
    const sc_tracer tracer = peer_tracer(json_string_value(json_object_get(args, "metadata")));
    const sc_queue_opts opts = {.prefix = sc__json_text(args, "prefix"), .tracer = &tracer};
    sc_job_opts job_opts[8];
    sc_job_spec specs[8];
    size_t count = json_array_size(jobs) < 8 ? json_array_size(jobs) : 8;
    sc_queue *queue;
    sc_err err =
        sc_queue_new(peer->client, sc__json_text(args, "queue"), &opts, &queue, ret_reason);

    if (err)
        return err;
    for (size_t i = 0; i < count; i++) {
        const json_t *job = json_array_get(jobs, i);

        job_opts[i] = peer_job_opts(json_object_get(job, "opts"));
        specs[i] = (sc_job_spec){.name = sc__json_text(job, "name"), .opts = &job_opts[i]};
    }
    err = count == 1 ? sc_queue_add(queue, specs, NULL, ret_reason)
                     : sc_queue_add_bulk(queue, specs, count, NULL, NULL, ret_reason);
    sc_queue_free(queue);
    if (!err)
        *ret_result = json_null();
    return err;
}

const struct peer_command peer_trace_commands[] = {
    {"addTraced", do_add_traced},
    {NULL, NULL},
};
