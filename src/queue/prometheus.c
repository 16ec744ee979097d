/* A queue's figures as Prometheus' text, as BullMQ writes it. */
#include <storychain/inspect.h>

#include <stdio.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/prom_label.h"
#include "base/str.h"
#include "queue.h"

enum { TEXT_MAX = 1024 * 1024 };

/* BullMQ's order. */
static const sc_job_state shown[] = {
    SC_JOB_ACTIVE,      SC_JOB_COMPLETED, SC_JOB_DELAYED,          SC_JOB_FAILED,
    SC_JOB_PRIORITIZED, SC_JOB_WAITING,   SC_JOB_WAITING_CHILDREN,
};

static bool is_label_name(sc_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.len > 0;
}

/* The labels of all samples. */
struct labels {
    sc_slice queue;
    const sc_label *more;
    size_t count;
};

static void write_sample(sc__str *out, const char *name, const struct labels *labels,
                         const char *state, int64_t value)
{
    sc__str_text(out, name);
    sc__str_char(out, '{');
    sc__prom_label(out, SC_S("queue"), labels->queue);
    if (state) {
        sc__str_text(out, ", ");
        sc__prom_label(out, SC_S("state"), sc_slice_of(state));
    }
    for (size_t i = 0; i < labels->count; i++) {
        sc__str_text(out, ", ");
        sc__prom_label(out, labels->more[i].name, labels->more[i].value);
    }
    sc__str_text(out, "} ");
    sc__str_int(out, value);
}

static void write_counts(sc__str *out, const struct labels *labels, const sc_queue_counts *counts)
{
    sc__str_text(out, "# HELP bullmq_job_count Number of jobs in the queue by state\n"
                      "# TYPE bullmq_job_count gauge\n");
    for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
        write_sample(out, "bullmq_job_count", labels, sc_job_state_name(shown[i]),
                     counts->by_state[shown[i]]);
        sc__str_char(out, '\n');
    }
}

static sc_err write_total(sc__str *out, const struct labels *labels, sc_queue *queue,
                          sc_job_state kind, sc_reason *ret_reason)
{
    const char *state = sc_job_state_name(kind);
    char name[64];
    sc_metrics *metrics;
    sc_err err = sc_queue_get_metrics(queue, kind, 0, 0, &metrics, ret_reason);

    if (err)
        return err;
    snprintf(name, sizeof(name), "bullmq_job_%s_total", state);
    sc__str_printf(out, "# HELP %s Total number of %s jobs\n# TYPE %s counter\n", name, state,
                   name);
    write_sample(out, name, labels, NULL, metrics->count);
    sc_free(metrics);
    return SC_OK;
}

static sc_err check_labels(const sc_label *labels, size_t count, sc_reason *ret_reason)
{
    for (size_t i = 0; i < count; i++)
        if (!is_label_name(labels[i].name))
            return sc__because(ret_reason, SC_EINVAL, "\"%.*s\" is no name of a label",
                               (int)(labels[i].name.len < 64 ? labels[i].name.len : 64),
                               labels[i].name.ptr);
    return SC_OK;
}

sc_err sc_queue_export_prometheus(sc_queue *queue, const sc_label *labels, size_t label_count,
                                  char **ret_text, sc_reason *ret_reason)
{
    AUTO_STR out = STR_MAX(TEXT_MAX);
    const struct labels all = {sc_queue_name(queue), labels, label_count};
    sc_queue_counts counts;
    sc_err err = check_labels(labels, label_count, ret_reason);

    if (err)
        return err;
    err = sc_queue_get_counts(queue, &counts);
    if (err)
        return sc__because(ret_reason, err, "counting jobs: %s", sc_err_text(err));
    write_counts(&out, &all, &counts);
    err = write_total(&out, &all, queue, SC_JOB_COMPLETED, ret_reason);
    sc__str_char(&out, '\n');
    if (!err)
        err = write_total(&out, &all, queue, SC_JOB_FAILED, ret_reason);
    if (err)
        return err;
    err = sc__str_take(&out, ret_text);
    return err ? sc__because(ret_reason, err, "the text: %s", sc_err_text(err)) : SC_OK;
}
