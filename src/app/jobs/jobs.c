#include "jobs.h"

/* At different times of the night, so that they don't meet. Each missed day has its figures made; of what cleans up or looks at the present one run
 * does for all. */
const struct scheduled_job scheduled_jobs[] = {
    {"cleanup-old-autosaves", "0 3 * * *", "{\"type\":\"autosave\",\"daysOld\":30}", SC_CATCHUP_ONE,
     0, job_cleanup},
    {"cleanup-expired-sessions", "0 4 * * *", "{\"type\":\"sessions\"}", SC_CATCHUP_ONE, 0,
     job_cleanup},
    {"aggregate-daily-stats", "0 0 * * *", "{\"type\":\"daily\"}", SC_CATCHUP_ALL, 14,
     job_daily_stats},
    {"cleanup-old-notifications", "0 5 * * 0", "{\"type\":\"notifications\",\"daysOld\":90}",
     SC_CATCHUP_ONE, 0, job_cleanup},
    {"refresh-trending-stories", "*/30 * * * *", "{}", SC_CATCHUP_ONE, 0, job_trending},
    {"health-check", "*/5 * * * *", "{}", SC_CATCHUP_NONE, 0, job_health_check},
    {NULL, NULL, NULL, SC_CATCHUP_LATE, 0, NULL},
};

const struct scheduled_job *scheduled_job_find(sc_slice name)
{
    for (const struct scheduled_job *job = scheduled_jobs; job->name; job++)
        if (sc_slice_eq(name, sc_slice_of(job->name)))
            return job;
    return NULL;
}
