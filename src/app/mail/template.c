#include "template.h"

#include <stdio.h>

#include "base/error.h"

#include "app/text_rules.h"
#include "mail_templates.h"

/* Sections and partials inside each other. Ours need three. */
enum { DEPTH_MAX = 8 };

/* Where names are looked up: the innermost object first. */
struct scope {
    const json_t *object;
    const struct scope *outer;
};

struct render {
    const struct template_input *input;
    bool html;
    sc__str *out;
    sc_reason *reason;
};

static const char *extension(const struct render *r)
{
    return r->html ? "html" : "txt";
}

static bool find_file(sc_slice name, const char *kind, sc_slice *ret_text)
{
    for (const struct mail_template *t = mail_templates; t->name; t++) {
        if (!sc_slice_eq(name, sc_slice_of(t->name)) || strcmp(kind, t->kind) != 0)
            continue;
        *ret_text = (sc_slice){t->text, t->len};
        return true;
    }
    return false;
}

static const json_t *look_up(const struct scope *scope, sc_slice field)
{
    const json_t *value = NULL;

    for (; scope && !value; scope = scope->outer)
        value = json_object_getn(scope->object, field.ptr, field.len);
    return json_is_null(value) ? NULL : value;
}

static bool is_there(const json_t *value)
{
    if (!value || json_is_false(value))
        return false;
    if (json_is_string(value))
        return json_string_length(value) > 0;
    return !json_is_array(value) || json_array_size(value) > 0;
}

static sc_err bad_field(struct render *r, sc_slice field, const char *what)
{
    return sc__because(r->reason, SC_EPAYLOAD, "field \"context.%.*s\" %s, for template \"%.*s\"",
                       (int)field.len, field.ptr, what, (int)r->input->name.len,
                       r->input->name.ptr);
}

/* ---- Values ---- */

static void write_escaped(sc__str *out, sc_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '&':
            sc__str_text(out, "&amp;");
            break;
        case '<':
            sc__str_text(out, "&lt;");
            break;
        case '>':
            sc__str_text(out, "&gt;");
            break;
        case '"':
            sc__str_text(out, "&quot;");
            break;
        case '\'':
            sc__str_text(out, "&#39;");
            break;
        default:
            sc__str_char(out, text.ptr[i]);
        }
    }
}

static void write_text(struct render *r, sc_slice text)
{
    if (r->html)
        write_escaped(r->out, text);
    else
        sc__str_append(r->out, text);
}

static sc_err write_url(struct render *r, sc_slice field, sc_slice url)
{
    if (!link_is_valid(url))
        return bad_field(r, field, LINK_NEEDED);
    if (link_is_path(url))
        write_text(r, sc_slice_of(r->input->site_url));
    write_text(r, url);
    return SC_OK;
}

static sc_err write_value(struct render *r, const struct scope *scope, sc_slice field)
{
    const json_t *value = look_up(scope, field);
    sc_slice text = {json_string_value(value), json_string_length(value)};

    if (!value)
        return bad_field(r, field, "is missing");
    if (json_is_integer(value)) {
        sc__str_int(r->out, json_integer_value(value));
        return SC_OK;
    }
    if (!json_is_string(value))
        return bad_field(r, field, "must be a text or a whole number");
    if (field.len > 3 && memcmp(field.ptr + field.len - 3, "Url", 3) == 0)
        return write_url(r, field, text);
    write_text(r, text);
    return SC_OK;
}

/* ---- The text between {{ and }} ---- */

static size_t find(sc_slice text, size_t from, const char *needle)
{
    const char *at =
        from < text.len ? memmem(text.ptr + from, text.len - from, needle, strlen(needle)) : NULL;

    return at ? (size_t)(at - text.ptr) : text.len;
}

/* Where the section that `field` opens before `from` ends: at its {{/field}}. Sections of the same
 * field don't nest. */
static size_t find_end(sc_slice text, size_t from, sc_slice field)
{
    char tag[64];

    snprintf(tag, sizeof(tag), "{{/%.*s}}", (int)field.len, field.ptr);
    return find(text, from, tag);
}

static sc_err render_text(struct render *r, sc_slice text, const struct scope *scope, int depth);

static sc_err render_each(struct render *r, sc_slice body, const struct scope *scope, int depth,
                          sc_slice field)
{
    const json_t *list = look_up(scope, field);
    size_t count = json_array_size(list);

    if (count == 0)
        return bad_field(r, field, "must be a list that isn't empty");
    for (size_t i = 0; i < count; i++) {
        const struct scope inner = {json_array_get(list, i), scope};
        sc_err err;

        if (!json_is_object(inner.object))
            return bad_field(r, field, "must be a list of objects");
        err = render_text(r, body, &inner, depth + 1);
        if (err)
            return err;
    }
    return SC_OK;
}

static sc_err render_section(struct render *r, sc_slice body, const struct scope *scope, int depth,
                             sc_slice tag)
{
    sc_slice field = {tag.ptr + 1, tag.len - 1};

    if (tag.ptr[0] == '*')
        return render_each(r, body, scope, depth, field);
    if (is_there(look_up(scope, field)) != (tag.ptr[0] == '#'))
        return SC_OK;
    return render_text(r, body, scope, depth + 1);
}

static sc_err render_file(struct render *r, sc_slice name, const struct scope *scope, int depth)
{
    sc_slice text;

    if (!find_file(name, extension(r), &text))
        return sc__because(r->reason, SC_ENOTFOUND, "there is no mail template \"%.*s\"",
                           (int)(name.len < 64 ? name.len : 64), name.ptr);
    return render_text(r, text, scope, depth + 1);
}

static sc_err render_text(struct render *r, sc_slice text, const struct scope *scope, int depth)
{
    size_t at = 0;

    if (depth > DEPTH_MAX)
        return sc__because(r->reason, SC_EINTERNAL, "a mail template includes itself");
    while (at < text.len) {
        size_t open = find(text, at, "{{"), close = find(text, open, "}}"), end;
        sc_slice tag;
        sc_err err;

        sc__str_append(r->out, (sc_slice){text.ptr + at, open - at});
        if (open == text.len)
            break;
        if (close == text.len || close == open + 2)
            return sc__because(r->reason, SC_EINTERNAL, "a mail template has an open {{");
        tag = (sc_slice){text.ptr + open + 2, close - open - 2};
        at = close + 2;
        if (tag.ptr[0] == '>') {
            err = render_file(r, (sc_slice){tag.ptr + 1, tag.len - 1}, scope, depth);
        } else if (strchr("#^*", tag.ptr[0])) {
            end = find_end(text, at, (sc_slice){tag.ptr + 1, tag.len - 1});
            err = render_section(r, (sc_slice){text.ptr + at, end - at}, scope, depth, tag);
            at = find(text, end, "}}") + 2;
        } else {
            err = write_value(r, scope, tag);
        }
        if (err)
            return err;
    }
    return SC_OK;
}

static sc_err render_form(const struct template_input *input, bool html, const json_t *always,
                          sc__str *out, sc_reason *ret_reason)
{
    struct render r = {input, html, out, ret_reason};
    const struct scope outer = {always, NULL}, scope = {input->context, &outer};
    sc_err err = render_file(&r, input->name, &scope, 0);

    if (!err && out->err)
        return sc__because(ret_reason, out->err, "the mail is over %d KiB long",
                           TEMPLATE_OUT_MAX / 1024);
    return err;
}

sc_err template_render(const struct template_input *input, sc__str *out_text, sc__str *out_html,
                       sc_reason *ret_reason)
{
    AUTO_JSON *always = json_pack("{s:s, s:s%}", "siteUrl", input->site_url, "subject",
                                  input->subject.ptr, input->subject.len);
    sc_err err;

    if (!always)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    err = render_form(input, false, always, out_text, ret_reason);
    if (err)
        return err;
    return render_form(input, true, always, out_html, ret_reason);
}
