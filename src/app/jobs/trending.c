/* refresh-trending-stories: computes the trending list anew and puts it into the cache. */
#include "jobs.h"

#include "app/services/trending.h"

sc_err job_trending(struct job_run_now *now, const json_t *data, json_t *result,
                    sc_reason *ret_reason)
{
    int64_t count;
    sc_err err = trending_refresh(&job_app(now)->catalog, &count, ret_reason);

    (void)data;
    if (!err)
        json_object_set_new(result, "stories", json_integer(count));
    return err;
}
