/* Fails jobs that other programs put into the queue `export`, with the reason for which our own
 * are refused. */
#include "app/processors.h"

sc_outcome process_export(sc_run *run, const sc_job *job, const json_t *payload, void *user)
{
    (void)job, (void)payload, (void)user;
    return sc_run_fail(run, SC_GIVE_UP, "%s", queue_rule_of(QUEUE_EXPORT)->refuses);
}
