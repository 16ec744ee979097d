#include "peer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

/* The tables of all parts. */
static const struct peer_command *const tables[] = {
    peer_queue_commands,     peer_control_commands, peer_worker_commands, peer_steering_commands,
    peer_scheduler_commands, peer_event_commands,   peer_flow_commands,   peer_inspect_commands,
    peer_take_commands,      peer_steps_commands,   peer_trace_commands,
};

void peer_emit(json_t *event)
{
    flockfile(stdout);
    json_dumpf(event, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    funlockfile(stdout);
    json_decref(event);
}

static sc_err run(struct peer *peer, const json_t *request, json_t **ret_result,
                  sc_reason *ret_reason)
{
    const char *op = json_string_value(json_object_get(request, "op"));

    for (size_t t = 0; op && t < sizeof(tables) / sizeof(*tables); t++)
        for (const struct peer_command *c = tables[t]; c->name; c++)
            if (strcmp(c->name, op) == 0)
                return c->run(peer, request, ret_result, ret_reason);
    return sc__because(ret_reason, SC_EINVAL, "no op %s", op ? op : "given");
}

static void answer(struct peer *peer, const char *line)
{
    sc_reason reason = {""};
    json_t *request = NULL, *result = NULL, *reply;
    sc_err err = sc__json_parse(sc_slice_of(line), &request, &reason);

    if (!err)
        err = run(peer, request, &result, &reason);
    if (err)
        reply = json_pack("{s:{s:s, s:s}}", "error", "code", sc_err_name(err), "reason",
                          reason.text[0] ? reason.text : sc_err_text(err));
    else
        reply = json_pack("{s:o}", "result", result);
    json_object_set(reply, "id", json_object_get(request, "id"));
    json_decref(request);
    peer_emit(reply);
}

int main(int argc, char **argv)
{
    struct peer peer = {0};
    sc_client_opts opts = {.url = argc > 1 ? argv[1] : NULL};
    sc_reason reason;
    char *line = NULL;
    size_t cap = 0;

    if (sc_client_new(&opts, &peer.client, &reason)) {
        fprintf(stderr, "tests_peer: %s\n", reason.text);
        return 1;
    }
    while (getline(&line, &cap, stdin) > 0)
        answer(&peer, line);
    for (size_t i = 0; i < sizeof(peer.workers) / sizeof(*peer.workers); i++)
        sc_worker_free(peer.workers[i]);
    for (size_t i = 0; i < sizeof(peer.readers) / sizeof(*peer.readers); i++)
        sc_events_free(peer.readers[i]);
    sc_scheduler_guard_stop(peer.guard);
    for (size_t i = 0; i < peer.queue_count; i++)
        sc_queue_free(peer.queues[i]);
    sc_client_free(peer.client);
    free(line);
    return 0;
}
