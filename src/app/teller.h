/* The teller: tells people of chapters that they could not be told of at once. One thread, one look
 * at the start and then every half a minute. */
#ifndef APP_TELLER_H
#define APP_TELLER_H

#include "app/services/catalog.h"

struct teller;

/* Uses what `catalog` names until teller_stop. */
SC_MUST_USE sc_err teller_start(const struct catalog *catalog, struct teller **ret_teller,
                                sc_reason *ret_reason);
void teller_stop(struct teller *teller); /* waits for a chapter it is at; NULL is fine */

#endif
