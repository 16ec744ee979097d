#include "text_rules.h"

#include "base/error.h"
#include "base/utf8.h"
#include "mail/address.h"

static bool is_blank(sc_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!strchr(" \t\r\n", text.ptr[i]) || !text.ptr[i])
            return false;
    return true;
}

sc_err text_check(const char *what, sc_slice text, size_t max, sc_reason *ret_reason)
{
    size_t bad;

    if (is_blank(text))
        return sc__because(ret_reason, SC_EINVAL, "%s is missing", what);
    if (text.len > max)
        return sc__because(ret_reason, SC_ETOOBIG, "%s has %zu bytes; the limit is %zu", what,
                           text.len, max);
    if (!sc__utf8_valid(text, &bad))
        return sc__because(ret_reason, SC_EINVAL, "%s is not UTF-8 (at byte %zu)", what, bad);
    if (memchr(text.ptr, '\0', text.len))
        return sc__because(ret_reason, SC_EINVAL, "%s has a NUL character", what);
    return SC_OK;
}

sc_err line_check(const char *what, sc_slice text, size_t max, sc_reason *ret_reason)
{
    sc_err err = text_check(what, text, max, ret_reason);

    if (err)
        return err;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return sc__because(ret_reason, SC_EINVAL,
                               "%s has a line break or another control character", what);
    return SC_OK;
}

sc_err slug_check(const char *what, sc_slice slug, sc_reason *ret_reason)
{
    sc_err err = line_check(what, slug, SLUG_MAX, ret_reason);

    if (err || slug_is_valid(slug))
        return err;
    return sc__because(
        ret_reason, SC_EINVAL,
        "%s \"%.*s\" is not one: use letters A-Z a-z, digits, '-' and '_', and begin "
        "with a letter or digit",
        what, (int)slug.len, slug.ptr);
}

static bool starts_with(sc_slice s, const char *begin)
{
    return s.len >= strlen(begin) && memcmp(s.ptr, begin, strlen(begin)) == 0;
}

bool link_is_path(sc_slice link)
{
    return starts_with(link, "/") && !starts_with(link, "//");
}

bool link_is_valid(sc_slice link)
{
    /* Browsers read a backslash as a slash: "/\\host" would leave the site. */
    for (size_t i = 0; i < link.len; i++)
        if ((unsigned char)link.ptr[i] <= ' ' || link.ptr[i] == 0x7f || link.ptr[i] == '\\')
            return false;
    return link_is_path(link) || starts_with(link, "https://") || starts_with(link, "http://");
}

sc_err email_check(const char *what, sc_slice email, sc_reason *ret_reason)
{
    struct address address;
    sc_reason why;

    if (address_parse(email, &address, &why))
        return sc__because(ret_reason, SC_EINVAL, "%s \"%.*s\" %s", what, (int)email.len, email.ptr,
                           why.text);
    if (address.spec.len != email.len)
        return sc__because(ret_reason, SC_EINVAL, "%s \"%.*s\" is more than an address", what,
                           (int)email.len, email.ptr);
    return SC_OK;
}
