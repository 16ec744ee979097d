/* The grammar of cron expressions inside: what the reading of fields and that of whole expressions share. */
#ifndef SC_BASE_CRON_FIELDS_H
#define SC_BASE_CRON_FIELDS_H

#include "cron.h"

typedef enum sc__cron_field {
    SC__CRON_SECOND,
    SC__CRON_MINUTE,
    SC__CRON_HOUR,
    SC__CRON_DAY,
    SC__CRON_MONTH,
    SC__CRON_WEEKDAY,
    SC__CRON_YEAR
} sc__cron_field;

#define SC__CRON_FIELDS 7

#define SC__CRON_SHOWN_MAX 40 /* of a wrong text in a message */

/* An expression being read. */
typedef struct sc__cron_parser {
    const char *text, *end;     /* the whole expression */
    const char *at, *field_end; /* what is left of the field */
    sc__cron_field id;
    bool in_field;   /* what is wrong is wrong with a field, not with the expression */
    uint32_t random; /* state of H */
    uint32_t draw;   /* H of this field */
    bool has_seed;
    bool has_years;    /* a seventh field */
    bool has_overlap;  /* a list with some value twice */
    bool has_wildcard; /* '*', '?' or '/' in a field of the time */
    sc_cron *cron;
    sc__cron_days days;
    sc_slice words
        [SC__CRON_FIELDS]; /* the fields' texts; those that were left out lie outside of `text` */
    sc_cron_error *error;  /* may be NULL */
    sc_cron_warnings *warnings; /* may be NULL */
} sc__cron_parser;

/* Says what is wrong with the text from `from` to `to`, and gives SC_ESYNTAX. */
sc_err sc__cron_fail(sc__cron_parser *p, const char *from, const char *to, const char *fmt, ...)
    SC_PRINTF(4, 5);

/* Adds a warning about the text from `from` to `to`, if warnings are asked for and there is room. `id` is a field or
 * SC__CRON_FIELDS, the expression as a whole; `name` is kept. */
void sc__cron_warn(sc__cron_parser *p, const char *name, int id, const char *from, const char *to,
                   const char *fmt, ...) SC_PRINTF(6, 7);

/* Reads a whole expression into p->cron and p->days. `p` is all 0 but for cron, which is all 0 itself, error and
 * warnings. SC_ESYNTAX, SC_ETOOBIG. */
SC_MUST_USE sc_err sc__cron_read(sc_slice text, const sc_cron_opts *opts, sc__cron_parser *p);

/* True if cron-parser would refuse what was read. */
bool sc__cron_is_foreign(const sc__cron_parser *p);

/* Reads one field into p->cron and p->days. The fields draw from the seed in the order they are read in. */
SC_MUST_USE sc_err sc__cron_field_parse(sc__cron_parser *p, sc__cron_field id, sc_slice text);

#endif
