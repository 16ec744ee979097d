/* aggregate-daily-stats: the figures of the day that ended, and of the one before, to which late events may
 * have come. */
#include "jobs.h"

enum { DAY_MS = 86400000, DAYS = 2 };

sc_err job_daily_stats(struct job_run_now *now, const json_t *data, json_t *result,
                       sc_reason *ret_reason)
{
    int64_t total = 0;

    (void)data;
    for (int i = 1; i <= DAYS; i++) {
        int64_t rows;
        sc_err err = store_day_aggregate(job_app(now)->store, job_due_ms(now) - (int64_t)i * DAY_MS,
                                         &rows, ret_reason);

        if (err)
            return err;
        total += rows;
    }
    json_object_set_new(result, "days", json_integer(DAYS));
    json_object_set_new(result, "figures", json_integer(total));
    return SC_OK;
}
