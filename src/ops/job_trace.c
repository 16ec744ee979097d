#include "job_trace.h"

#include "base/json.h"
#include "base/json_scan.h"

/* Has it metadata of its own, or `omc` (omitContext)? */
static bool is_settled(sc__json_value stored)
{
    sc__json_value value;
    sc_slice key;
    size_t at = 0;

    while (sc__json_next(stored, &at, &key, &value))
        if (sc_slice_eq(key, SC_S("tm")) ||
            (sc_slice_eq(key, SC_S("omc")) && sc__json_is_true(value)))
            return true;
    return false;
}

void sc__job_trace_write(sc__str *out, sc_slice stored, sc_slice metadata)
{
    sc__json_value value;
    sc_slice open;

    if (sc__json_scan(stored, &value, NULL) || value.kind != SC__JSON_OBJECT || is_settled(value)) {
        sc__str_append(out, stored);
        return;
    }
    open = (sc_slice){value.text.ptr, value.text.len - 1}; /* without its last brace */
    sc__str_append(out, open);
    sc__str_text(out, open.len > 1 ? ",\"tm\":" : "\"tm\":");
    sc__str_json(out, metadata);
    sc__str_char(out, '}');
}

sc_slice sc__job_trace_read(sc__arena *arena, sc_slice stored)
{
    AUTO_JSON *opts = NULL;
    sc_slice text;
    char *copied;

    if (sc__json_parse(stored, &opts, NULL))
        return (sc_slice){NULL, 0};
    text = sc__json_text(opts, "tm");
    copied = text.len ? sc__arena_dup(arena, text) : NULL;
    return copied ? (sc_slice){copied, text.len} : (sc_slice){NULL, 0};
}
