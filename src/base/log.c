#include "log.h"

#include <stdio.h>

static sc_log_cb log_cb;
static void *log_user;

void sc_set_log(sc_log_cb cb, void *user)
{
    log_user = user;
    log_cb = cb;
}

void sc__log(sc_log_level level, const char *fmt, ...)
{
    char text[1024];
    va_list args;

    if (!log_cb)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    log_cb(level, text, log_user);
}
