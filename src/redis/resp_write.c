#include "resp.h"

static size_t digits_of(size_t n)
{
    size_t digits = 1;

    while (n >= 10) {
        n /= 10;
        digits++;
    }
    return digits;
}

static char *write_header(char *out, char type, size_t n)
{
    size_t digits = digits_of(n);

    *out++ = type;
    for (size_t i = digits; i > 0; i--) {
        out[i - 1] = (char)('0' + n % 10);
        n /= 10;
    }
    out += digits;
    *out++ = '\r';
    *out++ = '\n';
    return out;
}

sc_err sc__resp_command_size(const sc_slice *argv, size_t argc, size_t max, size_t *ret_size)
{
    size_t size = 3 + digits_of(argc);

    if (argc == 0)
        return SC_EINVAL;
    for (size_t i = 0; i < argc; i++) {
        size_t around = 5 + digits_of(argv[i].len);

        if (size > max || argv[i].len > max - size)
            return SC_ETOOBIG;
        size += around + argv[i].len;
    }
    if (size > max)
        return SC_ETOOBIG;
    *ret_size = size;
    return SC_OK;
}

char *sc__resp_command_write(char *out, const sc_slice *argv, size_t argc)
{
    out = write_header(out, '*', argc);
    for (size_t i = 0; i < argc; i++) {
        out = write_header(out, '$', argv[i].len);
        if (argv[i].len)
            memcpy(out, argv[i].ptr, argv[i].len);
        out += argv[i].len;
        *out++ = '\r';
        *out++ = '\n';
    }
    return out;
}

void sc__resp_command_append(sc__str *out, const sc_slice *argv, size_t argc)
{
    size_t size;
    sc_err err = sc__resp_command_size(argv, argc, SIZE_MAX / 4, &size);

    if (err)
        out->err = err;
    if (err || sc__str_reserve(out, size))
        return;
    sc__resp_command_write(out->ptr + out->len, argv, argc);
    out->len += size;
}
