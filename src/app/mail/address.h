/* Mail addresses: "ada@example.org", or with a name: "Ada Lovelace <ada@example.org>".
 *
 * The grammar is RFC 5321's mailbox without its rarities (quoted local parts, comments, address
 * literals): what is accepted can stand in a header and in an SMTP command as it is. Reading takes
 * time linear in the text. */
#ifndef APP_MAIL_ADDRESS_H
#define APP_MAIL_ADDRESS_H

#include <storychain/base.h>

struct address {
    sc_slice name; /* UTF-8 without control characters; may be empty */
    sc_slice spec; /* local@domain */
    sc_slice domain;
};

/* Slices of `text`. SC_ESYNTAX with what is wrong. */
SC_MUST_USE sc_err address_parse(sc_slice text, struct address *ret_address, sc_reason *ret_reason);

#endif
