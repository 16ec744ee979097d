/* Probes: whether the process runs. */
#include "handlers.h"
#include "request.h"

sc_err route_healthz(struct request *request, sc_reason *ret_reason)
{
    (void)ret_reason;
    return answer_json_copy(request, 200, SC_S("{\"status\":\"ok\"}\n"));
}
