#include "keys.h"

#include "base/error.h"
#include "base/str.h"

enum { NAME_MAX_BYTES = 512 };

static const char *const suffixes[] = {
#define X(name, suffix, type, content) suffix,
    SC_QUEUE_KEYS(X)
#undef X
};

static sc_err check_name(const char *what, sc_slice name, bool colon_allowed, sc_reason *ret_reason)
{
    int shown = name.len < 64 ? (int)name.len : 64;

    if (!name.len)
        return sc__because(ret_reason, SC_EINVAL, "the %s is empty", what);
    if (name.len > NAME_MAX_BYTES)
        return sc__because(ret_reason, SC_EINVAL, "the %s has %zu bytes; the limit is %d", what,
                           name.len, NAME_MAX_BYTES);
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];

        if (c < 0x20 || c == 0x7f)
            return sc__because(ret_reason, SC_EINVAL, "the %s has the control byte 0x%02x at %zu",
                               what, c, i);
        if (c == ':' && !colon_allowed)
            return sc__because(ret_reason, SC_EINVAL,
                               "the %s \"%.*s\" has a ':', which separates the parts of a key",
                               what, shown, name.ptr);
    }
    return SC_OK;
}

/* Braces choose a cluster's slot, so they must mean just that: "{name}", "{tag}name". */
static sc_err check_braces(sc_slice name, sc_reason *ret_reason)
{
    const char *close = memchr(name.ptr, '}', name.len);
    const char *open = memchr(name.ptr, '{', name.len);
    size_t braces = 0;

    for (size_t i = 0; i < name.len; i++)
        braces += name.ptr[i] == '{' || name.ptr[i] == '}';
    if (!braces || (braces == 2 && open == name.ptr && close && close > open + 1))
        return SC_OK;
    return sc__because(ret_reason, SC_EINVAL,
                       "the queue name \"%.*s\" has braces that are no hash tag (\"{name}\")",
                       name.len < 64 ? (int)name.len : 64, name.ptr);
}

sc_err sc__queue_names_check(sc_slice prefix, sc_slice name, sc_reason *ret_reason)
{
    sc_err err = check_name("queue name", name, false, ret_reason);

    if (!err)
        err = check_braces(name, ret_reason);
    if (!err)
        err = check_name("queue prefix", prefix, true, ret_reason);
    return err;
}

sc_err sc__queue_keys_init(sc__queue_keys *keys, sc_slice prefix, sc_slice name,
                           sc_reason *ret_reason)
{
    AUTO_STR all = STR_MAX(64 * 1024);
    size_t starts[SC__QUEUE_KEY_COUNT], base_len;
    sc_err err;

    if (!prefix.len)
        prefix = SC_S("bull");
    err = sc__queue_names_check(prefix, name, ret_reason);
    if (err)
        return err;
    base_len = prefix.len + 1 + name.len + 1;
    sc__str_printf(&all, "%.*s:%.*s:", (int)prefix.len, prefix.ptr, (int)name.len, name.ptr);
    for (size_t i = 0; i < SC__QUEUE_KEY_COUNT; i++) {
        starts[i] = all.len;
        sc__str_printf(&all, "%.*s:%.*s:%s", (int)prefix.len, prefix.ptr, (int)name.len, name.ptr,
                       suffixes[i]);
    }
    err = sc__str_take(&all, &keys->memory);
    if (err)
        return err;
    keys->base = (sc_slice){keys->memory, base_len};
    for (size_t i = 0; i < SC__QUEUE_KEY_COUNT; i++)
        keys->key[i] = (sc_slice){keys->memory + starts[i], base_len + strlen(suffixes[i])};
    return SC_OK;
}

sc_err sc__queue_job_key(sc__str *out, const sc__queue_keys *keys, sc_slice id, const char *suffix,
                         sc_reason *ret_reason)
{
    sc__str_append(out, keys->base);
    sc__str_append(out, id);
    sc__str_text(out, suffix);
    if (out->err)
        return sc__because(ret_reason, out->err, "the job id: %s", sc_err_text(out->err));
    return SC_OK;
}

void sc__queue_keys_release(sc__queue_keys *keys)
{
    sc_free(keys->memory);
    *keys = (sc__queue_keys){0};
}
