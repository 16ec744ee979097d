#include "traffic.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "prometheus.h"
#include "routes.h"

static const int statuses[] = {200, 201, 202, 204, 304, 400, 403, 404, 405,
                               409, 413, 415, 421, 422, 429, 500, 503};
static const double bounds_s[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5};

enum {
    STATUSES = sizeof(statuses) / sizeof(*statuses),
    SLOTS = STATUSES + 1, /* and all others */
    BOUNDS = sizeof(bounds_s) / sizeof(*bounds_s)
};

struct traffic {
    size_t rows;                              /* routes, and one for requests that fit none */
    atomic_uint_fast64_t buckets[BOUNDS + 1]; /* by duration; the last: longer */
    atomic_uint_fast64_t total_ns;
    atomic_uint_fast64_t counts[]; /* rows of SLOTS */
};

sc_err traffic_new(struct traffic **ret_traffic)
{
    size_t rows = routes_count() + 1;
    struct traffic *traffic =
        sc__calloc(1, sizeof(*traffic) + rows * SLOTS * sizeof(traffic->counts[0]));

    if (!traffic)
        return SC_ENOMEM;
    traffic->rows = rows;
    *ret_traffic = traffic;
    return SC_OK;
}

void traffic_free(struct traffic *traffic)
{
    sc_free(traffic);
}

static void add(atomic_uint_fast64_t *counter, uint64_t by)
{
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

static uint64_t value_of(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit((atomic_uint_fast64_t *)(uintptr_t)counter, memory_order_relaxed);
}

void traffic_count(struct traffic *traffic, const struct route *route, int status, int64_t took_ns)
{
    size_t row = route ? (size_t)(route - routes) : traffic->rows - 1, slot = 0, bucket = 0;

    while (slot < STATUSES && statuses[slot] != status)
        slot++;
    while (bucket < BOUNDS && (double)took_ns / 1e9 > bounds_s[bucket])
        bucket++;
    add(&traffic->counts[row * SLOTS + slot], 1);
    add(&traffic->buckets[bucket], 1);
    add(&traffic->total_ns, (uint64_t)took_ns);
}

static void write_counts(const struct traffic *traffic, size_t row, sc__str *out)
{
    const char *path = row + 1 < traffic->rows ? routes[row].path : "none";
    const char *method = row + 1 < traffic->rows ? routes[row].method : "any";

    for (size_t slot = 0; slot < SLOTS; slot++) {
        uint64_t count = value_of(&traffic->counts[row * SLOTS + slot]);

        if (!count)
            continue;
        sc__str_printf(out, "storychain_http_requests_total{method=\"%s\",route=\"%s\",status=\"",
                       method, path);
        if (slot < STATUSES)
            sc__str_int(out, statuses[slot]);
        else
            sc__str_text(out, "other");
        sc__str_printf(out, "\"} %llu\n", (unsigned long long)count);
    }
}

static void write_durations(const struct traffic *traffic, sc__str *out)
{
    uint64_t counts[BOUNDS + 1];

    for (size_t i = 0; i <= BOUNDS; i++)
        counts[i] = value_of(&traffic->buckets[i]);
    prometheus_histogram(out, "storychain_http_request_duration_seconds",
                         "From a request's first line to its answer's end", bounds_s, counts,
                         BOUNDS, (double)value_of(&traffic->total_ns) / 1e9);
}

void traffic_write(const struct traffic *traffic, sc__str *out)
{
    prometheus_family(out, "storychain_http_requests_total", "counter",
                      "Requests answered, by route and status");
    for (size_t row = 0; row < traffic->rows; row++)
        write_counts(traffic, row, out);
    write_durations(traffic, out);
}
