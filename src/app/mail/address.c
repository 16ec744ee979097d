#include "address.h"

#include "base/error.h"
#include "base/utf8.h"

/* RFC 5321, 4.5.3.1. */
enum { LOCAL_MAX = 64, DOMAIN_MAX = 253, LABEL_MAX = 63, TEXT_MAX = 512 };

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* "atext" of RFC 5322. */
static bool is_atom_char(char c)
{
    return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* Atoms with single dots between them. */
static bool is_dot_atom(sc_slice s)
{
    bool after_dot = true;

    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '.' ? after_dot : !is_atom_char(s.ptr[i]))
            return false;
        after_dot = s.ptr[i] == '.';
    }
    return !after_dot;
}

/* Labels of letters, digits and inner hyphens. One label alone ("localhost") is fine. */
static bool is_domain(sc_slice s)
{
    size_t label = 0;

    if (s.len == 0 || s.len > DOMAIN_MAX)
        return false;
    for (size_t i = 0; i <= s.len; i++) {
        if (i == s.len || s.ptr[i] == '.') {
            if (label == 0 || label > LABEL_MAX || s.ptr[i - 1] == '-')
                return false;
            label = 0;
        } else if (is_alnum(s.ptr[i]) || (s.ptr[i] == '-' && label > 0)) {
            label++;
        } else {
            return false;
        }
    }
    return true;
}

static sc_slice trim(sc_slice s)
{
    while (s.len && s.ptr[0] == ' ') {
        s.ptr++;
        s.len--;
    }
    while (s.len && s.ptr[s.len - 1] == ' ')
        s.len--;
    return s;
}

static bool has_control(sc_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
            return true;
    return false;
}

/* Splits "name <spec>"; a name may stand in double quotes. */
static bool split(sc_slice text, struct address *address)
{
    const char *open = text.len ? memchr(text.ptr, '<', text.len) : NULL;
    sc_slice name;

    if (!open) {
        address->name = (sc_slice){NULL, 0};
        address->spec = text;
        return true;
    }
    if (text.ptr[text.len - 1] != '>')
        return false;
    name = trim((sc_slice){text.ptr, (size_t)(open - text.ptr)});
    if (name.len >= 2 && name.ptr[0] == '"' && name.ptr[name.len - 1] == '"') {
        name.ptr++;
        name.len -= 2;
    }
    address->name = name;
    address->spec = (sc_slice){open + 1, text.len - (size_t)(open - text.ptr) - 2};
    return true;
}

sc_err address_parse(sc_slice text, struct address *ret_address, sc_reason *ret_reason)
{
    struct address address = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    const char *at;
    sc_slice local;

    if (text.len > TEXT_MAX)
        return sc__because(ret_reason, SC_ESYNTAX, "is longer than %d bytes", TEXT_MAX);
    if (has_control(text) || !sc__utf8_valid(text, NULL))
        return sc__because(ret_reason, SC_ESYNTAX, "holds a control character or is not UTF-8");
    text = trim(text);
    if (text.len == 0)
        return sc__because(ret_reason, SC_ESYNTAX, "is empty");
    if (!split(text, &address))
        return sc__because(ret_reason, SC_ESYNTAX, "has a '<' without a '>' at the end");
    at = address.spec.len ? memchr(address.spec.ptr, '@', address.spec.len) : NULL;
    if (!at)
        return sc__because(ret_reason, SC_ESYNTAX, "has no '@'");
    local = (sc_slice){address.spec.ptr, (size_t)(at - address.spec.ptr)};
    address.domain = (sc_slice){at + 1, address.spec.len - local.len - 1};
    if (local.len > LOCAL_MAX || !is_dot_atom(local))
        return sc__because(ret_reason, SC_ESYNTAX,
                           "has before the '@' something that is not letters, digits, dots and "
                           "!#$%%&'*+-/=?^_`{|}~");
    if (!is_domain(address.domain))
        return sc__because(ret_reason, SC_ESYNTAX,
                           "has behind the '@' something that is not a domain name (write others "
                           "than ASCII ones as xn--…)");
    *ret_address = address;
    return SC_OK;
}
