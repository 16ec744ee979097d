#include "codes.h"

#include "base/error.h"

sc_err sc__code_err(int64_t code, sc_reason *ret_reason)
{
    switch (code) {
#define X(value, err, text)                                                                        \
    case value:                                                                                    \
        return sc__because(ret_reason, err, text);
        SC_SCRIPT_CODES(X)
#undef X
    default:
        break;
    }
    if (code >= 0)
        return SC_OK;
    return sc__because(ret_reason, SC_EINTERNAL, "a script answered with the unknown code %lld",
                       (long long)code);
}
