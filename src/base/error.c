#include "error.h"

#include <stdio.h>

const char *sc_err_name(sc_err err)
{
    switch (err) {
#define X(name, value, text)                                                                       \
    case SC_##name:                                                                                \
        return "SC_" #name;
        SC_ERR_MAP(X)
#undef X
    }
    return "SC_unknown";
}

const char *sc_err_text(sc_err err)
{
    switch (err) {
#define X(name, value, text)                                                                       \
    case SC_##name:                                                                                \
        return text;
        SC_ERR_MAP(X)
#undef X
    }
    return "an error of a newer version";
}

const char *sc_version(void)
{
    return SC_VERSION;
}

sc_err sc__because(sc_reason *reason, sc_err err, const char *fmt, ...)
{
    va_list args;

    if (!reason)
        return err;
    va_start(args, fmt);
    vsnprintf(reason->text, sizeof(reason->text), fmt, args);
    va_end(args);
    return err;
}
