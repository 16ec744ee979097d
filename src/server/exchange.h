/* An exchange: a request's way from libmicrohttpd to its handler, and the answer's way back.
 *
 * libmicrohttpd's callbacks; `cls` is the server's struct http_shared. A request is checked when
 * its head is there, suspended while a runner answers it, and resumed to be sent. */
#ifndef SERVER_EXCHANGE_H
#define SERVER_EXCHANGE_H

#include <microhttpd.h>

#include "request.h"

void *exchange_on_target(void *cls, const char *target, struct MHD_Connection *connection);

enum MHD_Result exchange_on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *upload,
                                    size_t *upload_len, void **context);

void exchange_on_completed(void *cls, struct MHD_Connection *connection, void **context,
                           enum MHD_RequestTerminationCode code);

void exchange_on_connection(void *cls, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode code);

#endif
