#include "prom_label.h"

void sc__prom_label(sc__str *out, sc_slice name, sc_slice text)
{
    sc__str_append(out, name);
    sc__str_text(out, "=\"");
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '\\' || c == '"')
            sc__str_char(out, '\\');
        if (c == '\n')
            sc__str_text(out, "\\n");
        else
            sc__str_char(out, c);
    }
    sc__str_char(out, '"');
}
