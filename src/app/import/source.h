/* A file that is being read, and what was found in it so far. */
#ifndef APP_IMPORT_SOURCE_H
#define APP_IMPORT_SOURCE_H

#include "app/store/store.h"
#include "app/text_rules.h"

struct source {
    const char *name; /* of the file, for sentences */
    sc_slice text;    /* UTF-8 without NUL; lines end with '\n' in Markdown */
    sc__arena *arena;
    sc_reason *ret_reason;
};

/* Gives `err` back with "NAME:LINE: …", or "NAME: …" for line 0. */
sc_err source_refuse(const struct source *source, sc_err err, size_t line, const char *fmt, ...)
    SC_PRINTF(4, 5);

/* Puts "NAME:LINE: " before the sentence that a check has left in the source's reason. */
sc_err source_place(const struct source *source, sc_err err, size_t line);

/* A story as it stands in the file. */
struct draft {
    struct story_bundle bundle;
    sc_slice tags[TAGS_MAX];
    size_t tag_count;
    size_t title_line;   /* 0: not known */
    size_t heading_line; /* of "# …" in Markdown; 0: none yet */
    size_t *lines;       /* of bundle.chapters */
    size_t room;         /* items that those two lists can hold */
};

/* A copy in the arena. SC_ETOOBIG. */
SC_MUST_USE sc_err source_copy(const struct source *source, sc_slice text, sc_slice *ret_copy);

/* Append a zeroed one, valid until the next is appended. SC_ETOOBIG: there are too many. */
SC_MUST_USE sc_err draft_add_chapter(const struct source *source, struct draft *draft, size_t line,
                                     struct chapter **ret_chapter);
SC_MUST_USE sc_err draft_add_member(const struct source *source, struct members *members,
                                    struct member **ret_member);

SC_MUST_USE sc_err draft_add_tag(const struct source *source, struct draft *draft, size_t line,
                                 sc_slice tag);
/* "published" or "draft" */
SC_MUST_USE sc_err draft_set_status(const struct source *source, struct draft *draft, size_t line,
                                    sc_slice status);

/* The parsers. They fill in what the file says; draft_check() looks whether it holds together. */
SC_MUST_USE sc_err import_read_json(const struct source *source, struct draft *ret_draft);
SC_MUST_USE sc_err import_read_markdown(const struct source *source, struct draft *ret_draft);

/* Completes slugs, checks all texts and the tree of chapters, and orders them: parents before
 * children, else as in the file. */
SC_MUST_USE sc_err draft_check(const struct source *source, struct draft *draft);

/* All of it, for one text: what the fuzzer calls. */
SC_MUST_USE sc_err import_parse(const char *name, sc_slice text, sc__arena *arena,
                                struct story_bundle *ret_story, sc_reason *ret_reason);

#endif
