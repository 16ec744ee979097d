/* What a StoryChain server answers on a path of its own. */
#ifndef CLI_HTTP_GET_H
#define CLI_HTTP_GET_H

#include "base/str.h"

/* The body of a 200 that comes within two seconds, appended to `out`. SC_ECONNECT otherwise, with a reason. */
SC_MUST_USE sc_err http_get(const char *url, sc__str *out, sc_reason *ret_reason);

#endif
