/* Options of scheduler jobs as other clients may have written them: what is made of them is JSON again. */
#include <stdlib.h>

#include "base/json_scan.h"
#include "ops/scheduler_opts.h"

static void must_be_object(sc__str *text)
{
    sc__json_value value;

    sc__str_char(text, '}');
    if (text->err)
        return;
    if (sc__json_scan(sc__str_slice(text), &value, NULL) || value.kind != SC__JSON_OBJECT)
        abort();
    sc__str_release(text);
    *text = STR_MAX(1 << 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sc_repeat repeat = {.pattern = SC_S("@daily"), .tz = SC_S("UTC"), .limit = 3};
    sc_slice stored = {(const char *)data, size};
    sc__str text = STR_MAX(1 << 20);
    sc__scheduler_opts opts;

    sc__scheduler_opts_read(stored, &opts);
    if (opts.priority < 0 || opts.count < 0 || opts.every_ms < 0)
        abort();
    sc__scheduler_head_write(&text, SC_S("a\"b"), stored, &repeat, 1);
    must_be_object(&text);
    sc__scheduler_next_head_write(&text, SC_S("id"), stored, 2, SC_S(""), SC_S(""));
    must_be_object(&text);
    sc__scheduler_next_head_write(&text, SC_S("id"), stored, 2, sc_slice_of(opts.pattern),
                                  sc_slice_of(opts.tz));
    must_be_object(&text);
    sc__scheduler_template_write(&text, stored);
    if (text.len && sc__json_check(sc__str_slice(&text), NULL))
        abort();
    sc__str_release(&text);
    return 0;
}
