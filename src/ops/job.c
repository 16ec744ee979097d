#include <storychain/job.h>

static const char *const names[] = {
#define X(name, text) text,
    SC_JOB_STATES(X)
#undef X
};

const char *sc_job_state_name(sc_job_state state)
{
    return (unsigned)state < SC_JOB_STATE_COUNT ? names[state] : names[SC_JOB_UNKNOWN];
}

sc_job_state sc_job_state_of(sc_slice name)
{
    for (int i = 0; i < SC_JOB_STATE_COUNT; i++)
        if (sc_slice_eq(name, sc_slice_of(names[i])))
            return (sc_job_state)i;
    return SC_JOB_UNKNOWN;
}

void sc_job_free(sc_job *job)
{
    sc_free(job);
}
