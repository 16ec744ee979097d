#include "import.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/utf8.h"

#include "source.h"

static sc_err cannot_read(const struct source *source)
{
    sc_err err = errno == ENOENT ? SC_ENOTFOUND : errno == EACCES ? SC_EPERM : SC_EIO;

    return source_refuse(source, err, 0, "can't be read: %s", strerror(errno));
}

static sc_err read_all(struct source *source, FILE *file)
{
    struct stat st;
    char *bytes;
    size_t len;

    if (fstat(fileno(file), &st))
        return cannot_read(source);
    if (!S_ISREG(st.st_mode))
        return source_refuse(source, SC_EIO, 0, "is not a file with a story in it");
    if (st.st_size > IMPORT_FILE_MAX)
        return source_refuse(source, SC_ETOOBIG, 0, "has %lld bytes; the limit is %d (64 MiB)",
                             (long long)st.st_size, IMPORT_FILE_MAX);
    bytes = sc__arena_alloc(source->arena, (size_t)st.st_size + 1);
    if (!bytes)
        return source_refuse(source, SC_ENOMEM, 0, "out of memory");
    len = fread(bytes, 1, (size_t)st.st_size, file);
    if (ferror(file))
        return cannot_read(source);
    source->text = (sc_slice){bytes, len};
    return SC_OK;
}

static size_t line_of(sc_slice text, size_t offset)
{
    size_t line = 1;

    for (size_t i = 0; i < offset; i++)
        line += text.ptr[i] == '\n';
    return line;
}

/* UTF-8 without NUL; a byte order mark at the beginning is dropped. */
static sc_err check_encoding(struct source *source)
{
    static const sc_slice mark = {"\xef\xbb\xbf", 3};
    const char *nul;
    size_t bad;

    if (!sc__utf8_valid(source->text, &bad))
        return source_refuse(source, SC_ESYNTAX, line_of(source->text, bad),
                             "is not UTF-8: byte 0x%02x at offset %zu",
                             (unsigned char)source->text.ptr[bad], bad);
    nul = source->text.len ? memchr(source->text.ptr, '\0', source->text.len) : NULL;
    if (nul)
        return source_refuse(source, SC_ESYNTAX,
                             line_of(source->text, (size_t)(nul - source->text.ptr)),
                             "has a NUL byte at offset %zu", (size_t)(nul - source->text.ptr));
    if (source->text.len >= mark.len && memcmp(source->text.ptr, mark.ptr, mark.len) == 0) {
        source->text.ptr += mark.len;
        source->text.len -= mark.len;
    }
    return SC_OK;
}

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);

    return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

static sc_err parse(struct source *source, struct story_bundle *ret_story)
{
    struct draft draft = {.room = 0};
    sc_err err;

    if (!source->text.len)
        return source_refuse(source, SC_EINVAL, 0, "is empty");
    err = check_encoding(source);
    if (err)
        return err;
    if (ends_with(source->name, ".json"))
        err = import_read_json(source, &draft);
    else if (ends_with(source->name, ".md") || ends_with(source->name, ".markdown"))
        err = import_read_markdown(source, &draft);
    else
        err = source_refuse(source, SC_EINVAL, 0,
                            "is of a kind that is not known: a story's file ends in .json, .md or "
                            ".markdown");
    if (!err)
        err = draft_check(source, &draft);
    if (!err)
        *ret_story = draft.bundle;
    return err;
}

/* The checks put their reasons together in place, so there must be one. */
sc_err import_parse(const char *name, sc_slice text, sc__arena *arena,
                    struct story_bundle *ret_story, sc_reason *ret_reason)
{
    struct source source = {name, text, arena, ret_reason};
    sc_reason unread;

    if (!ret_reason)
        source.ret_reason = &unread;
    return parse(&source, ret_story);
}

sc_err story_read_file(const char *path, sc__arena *arena, struct story_bundle *ret_story,
                       sc_reason *ret_reason)
{
    struct source source = {path, {NULL, 0}, arena, ret_reason};
    FILE *file = fopen(path, "rbe");
    sc_err err;

    if (!file)
        return cannot_read(&source);
    err = read_all(&source, file);
    fclose(file);
    return err ? err : import_parse(path, source.text, arena, ret_story, ret_reason);
}

static sc_err store_bundle(struct store *store, const struct source *source,
                           struct story_bundle *bundle, store_progress progress, void *user,
                           struct import_result *ret_result)
{
    sc_err err =
        store_bundle_insert(store, bundle, progress, user, source->arena, source->ret_reason);

    if (err)
        return source_place(source, err, 0);
    *ret_result = (struct import_result){bundle->story.id, bundle->story.slug, bundle->story.title,
                                         bundle->chapters.count};
    return SC_OK;
}

sc_err story_import(struct store *store, const char *path, store_progress progress, void *user,
                    sc__arena *arena, struct import_result *ret_result, sc_reason *ret_reason)
{
    const struct source source = {path, {NULL, 0}, arena, ret_reason};
    struct story_bundle bundle;
    sc_err err = story_read_file(path, arena, &bundle, ret_reason);

    return err ? err : store_bundle(store, &source, &bundle, progress, user, ret_result);
}

sc_err story_import_text(struct store *store, const char *name, sc_slice text, sc__arena *arena,
                         struct import_result *ret_result, sc_reason *ret_reason)
{
    const struct source source = {name, text, arena, ret_reason};
    struct story_bundle bundle;
    sc_err err = import_parse(name, text, arena, &bundle, ret_reason);

    return err ? err : store_bundle(store, &source, &bundle, NULL, NULL, ret_result);
}
