#include "job_encode.h"

#include "base/error.h"
#include "base/json_scan.h"
#include "base/utf8.h"
#include "ops/job_opts.h"
#include "ops/job_parent.h"

enum {
    DATA_MAX = 64 * 1024 * 1024,
    OPTS_MAX = 64 * 1024,
    NAME_MAX_BYTES = 4096,
};

static int shown(sc_slice text)
{
    return text.len < 64 ? (int)text.len : 64;
}

static sc_err check_name(const sc_job_spec *spec, sc_reason *ret_reason)
{
    if (!spec->name.len)
        return sc__because(ret_reason, SC_EINVAL, "the job has no name");
    if (spec->name.len > NAME_MAX_BYTES)
        return sc__because(ret_reason, SC_ETOOBIG, "the job's name has %zu bytes; the limit is %d",
                           spec->name.len, NAME_MAX_BYTES);
    if (!sc__utf8_valid(spec->name, NULL) ||
        (spec->opts &&
         (!sc__utf8_valid(spec->opts->id, NULL) || !sc__utf8_valid(spec->opts->dedup.id, NULL))))
        return sc__because(ret_reason, SC_EINVAL, "the job's name or one of its ids is not UTF-8");
    return SC_OK;
}

/* Workers in other languages parse it, so it must be JSON. */
static sc_err check_data(const sc_job_spec *spec, int64_t limit, sc_reason *ret_reason)
{
    sc_reason why;

    if (limit <= 0 || limit > DATA_MAX)
        limit = DATA_MAX;
    if (spec->data.len > (size_t)limit)
        return sc__because(ret_reason, SC_ETOOBIG,
                           "the data of job \"%.*s\" has %zu bytes; the limit is %lld",
                           shown(spec->name), spec->name.ptr, spec->data.len, (long long)limit);
    if (spec->data.len && sc__json_check(spec->data, &why))
        return sc__because(ret_reason, SC_EINVAL, "the data of job \"%.*s\" is %s",
                           shown(spec->name), spec->name.ptr, why.text);
    return SC_OK;
}

sc_err sc__job_make(const sc_job_spec *spec, const sc__add_job *defaults, int64_t size_limit,
                    int64_t now_ms, sc__add_job *ret_job, sc_reason *ret_reason)
{
    const sc_job_opts *opts = spec->opts;
    sc_err err = check_name(spec, ret_reason);

    if (!err)
        err = check_data(spec, opts ? opts->size_limit : size_limit, ret_reason);
    if (!err && opts)
        err = sc__job_opts_check(opts, ret_reason);
    if (err)
        return err;
    if (!opts)
        *ret_job = *defaults;
    else
        *ret_job = (sc__add_job){.id = opts->id,
                                 .delay_ms = opts->delay_ms,
                                 .priority = opts->priority,
                                 .lifo = opts->lifo,
                                 .dedup = opts->dedup.id.len > 0};
    ret_job->name = spec->name;
    ret_job->data = spec->data.len ? spec->data : SC_S("{}");
    ret_job->timestamp_ms = opts && opts->timestamp_ms ? opts->timestamp_ms : now_ms;
    return SC_OK;
}

void sc__encoded_init(sc__encoded *encoded)
{
    *encoded = (sc__encoded){STR_MAX(OPTS_MAX), STR_MAX(OPTS_MAX), STR_MAX(OPTS_MAX)};
}

void sc__encoded_release(sc__encoded *encoded)
{
    sc__str_release(&encoded->opts);
    sc__str_release(&encoded->parent_key);
    sc__str_release(&encoded->parent);
}

static sc_err first_err(const sc__encoded *encoded)
{
    if (encoded->opts.err)
        return encoded->opts.err;
    return encoded->parent.err ? encoded->parent.err : encoded->parent_key.err;
}

sc_err sc__job_encode(sc__encoded *encoded, const sc_job_opts *opts, sc__add_job *job,
                      sc_reason *ret_reason)
{
    sc_err err;

    sc__str_reset(&encoded->opts);
    sc__str_reset(&encoded->parent_key);
    sc__str_reset(&encoded->parent);
    sc__job_opts_write(&encoded->opts, opts);
    sc__parent_key_write(&encoded->parent_key, &opts->parent);
    sc__parent_write(&encoded->parent, opts);
    err = first_err(encoded);
    if (err)
        return sc__because(ret_reason, err, "the job's options: %s", sc_err_text(err));
    job->opts = sc__str_slice(&encoded->opts);
    job->parent_key = sc__str_slice(&encoded->parent_key);
    job->parent = sc__str_slice(&encoded->parent);
    return SC_OK;
}
