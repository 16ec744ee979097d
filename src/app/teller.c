#include "teller.h"

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"

#include "app/services/chapters.h"

#include "patrol.h"

enum { LOOK_EVERY_S = 30 };

struct teller {
    const struct catalog *catalog;
    struct patrol *patrol;
    bool failing; /* the last look did; said once */
};

static int look(void *user)
{
    struct teller *teller = user;
    sc_reason why = {""};
    int64_t told = 0;
    sc_err err = chapter_tell_pending(teller->catalog, &told, &why);

    if (told)
        sc__log(SC_LOG_INFO, "people were told of %lld chapters, late", (long long)told);
    if (err && !teller->failing)
        sc__log(SC_LOG_WARN, "people can't be told of new chapters now, it will be tried again: %s",
                why.text);
    teller->failing = err != SC_OK;
    return LOOK_EVERY_S;
}

sc_err teller_start(const struct catalog *catalog, struct teller **ret_teller,
                    sc_reason *ret_reason)
{
    struct teller *teller = sc__calloc(1, sizeof(*teller));
    sc_err err;

    if (!teller)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    teller->catalog = catalog;
    err = patrol_start(look, teller, &teller->patrol, ret_reason);
    if (err) {
        sc_free(teller);
        return err;
    }
    *ret_teller = teller;
    return SC_OK;
}

void teller_stop(struct teller *teller)
{
    if (!teller)
        return;
    patrol_stop(teller->patrol);
    sc_free(teller);
}
