#include "job_limits.h"

#include <stddef.h>

#include "base/error.h"

#define DATE_MAX INT64_C(99999999999999) /* year 5138; scripts keep no more digits */

static const struct limit {
    sc_slice name;
    size_t offset;
    int64_t least; /* -1: "none" can be said */
} limits[] = {
    {{"expiresAt", 9}, offsetof(sc_job_opts, expires_at_ms), 0},
    {{"startWithin", 11}, offsetof(sc_job_opts, start_within_ms), 0},
    {{"softTimeout", 11}, offsetof(sc_job_opts, soft_timeout_ms), -1},
    {{"hardTimeout", 11}, offsetof(sc_job_opts, hard_timeout_ms), -1},
};

enum { LIMITS = sizeof(limits) / sizeof(*limits) };

static int64_t value_of(const sc_job_opts *opts, const struct limit *limit)
{
    return *(const int64_t *)((const char *)opts + limit->offset);
}

static int64_t *place_of(sc_job_opts *opts, const struct limit *limit)
{
    return (int64_t *)((char *)opts + limit->offset);
}

bool sc__job_limits_any(const sc_job_opts *opts)
{
    return opts->expires_at_ms || opts->start_within_ms || opts->soft_timeout_ms ||
           opts->hard_timeout_ms;
}

sc_err sc__job_limits_check(const sc_job_opts *opts, sc_reason *ret_reason)
{
    for (size_t i = 0; i < LIMITS; i++) {
        int64_t value = value_of(opts, &limits[i]);

        if (value < limits[i].least || value > DATE_MAX)
            return sc__because(ret_reason, SC_EINVAL, "%s is %lld; it must be from %lld to %lld",
                               limits[i].name.ptr, (long long)value, (long long)limits[i].least,
                               (long long)DATE_MAX);
    }
    return SC_OK;
}

void sc__job_limits_write(sc__str *out, const sc_job_opts *opts)
{
    const char *before = ",\"sc\":{\"";

    if (!sc__job_limits_any(opts))
        return;
    for (size_t i = 0; i < LIMITS; i++) {
        int64_t value = value_of(opts, &limits[i]);

        if (!value)
            continue;
        sc__str_text(out, before);
        sc__str_append(out, limits[i].name);
        sc__str_text(out, "\":");
        sc__str_int(out, value);
        before = ",\"";
    }
    sc__str_char(out, '}');
}

void sc__job_limits_read(sc__json_value value, sc_job_opts *opts)
{
    sc__json_value member;
    sc_slice key;
    size_t at = 0;

    if (value.kind != SC__JSON_OBJECT)
        return;
    while (sc__json_next(value, &at, &key, &member))
        for (size_t i = 0; i < LIMITS; i++) {
            int64_t number = sc__json_integer(member, 0);

            if (sc_slice_eq(key, limits[i].name))
                *place_of(opts, &limits[i]) =
                    number < limits[i].least || number > DATE_MAX ? 0 : number;
        }
}

int64_t sc__job_limits_expiry(const sc_job_opts *opts, int64_t created_ms)
{
    int64_t expiry = opts->expires_at_ms ? opts->expires_at_ms : INT64_MAX, within;

    if (!opts->start_within_ms)
        return expiry;
    within = created_ms < DATE_MAX ? created_ms : DATE_MAX;
    within += (opts->delay_ms < DATE_MAX ? opts->delay_ms : DATE_MAX) + opts->start_within_ms;
    return within < expiry ? within : expiry;
}
