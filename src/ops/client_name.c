#include "client_name.h"

static void append_base64(sc__str *out, sc_slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t v = (uint32_t)(unsigned char)bytes.ptr[i] << 16;

        if (left > 1)
            v |= (uint32_t)(unsigned char)bytes.ptr[i + 1] << 8;
        if (left > 2)
            v |= (unsigned char)bytes.ptr[i + 2];
        sc__str_char(out, digits[v >> 18]);
        sc__str_char(out, digits[v >> 12 & 63]);
        sc__str_char(out, left > 1 ? digits[v >> 6 & 63] : '=');
        sc__str_char(out, left > 2 ? digits[v & 63] : '=');
    }
}

static bool fits(sc_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '!' || text.ptr[i] > '~')
            return false;
    return true;
}

void sc__worker_client_name(sc__str *out, sc_slice prefix, sc_slice queue, sc_slice worker)
{
    if (!fits(prefix))
        return;
    sc__str_append(out, prefix);
    sc__str_char(out, ':');
    append_base64(out, queue);
    if (!worker.len || !fits(worker))
        return;
    sc__str_text(out, ":w:");
    sc__str_append(out, worker);
}

void sc__events_client_name(sc__str *out, sc_slice prefix, sc_slice queue)
{
    if (!fits(prefix))
        return;
    sc__worker_client_name(out, prefix, queue, SC_S(""));
    sc__str_text(out, ":qe");
}
