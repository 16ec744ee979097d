#include "watchdog.h"

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"

#include "patrol.h"

enum { LOOK_EVERY_S = 1, REST_MAX_S = 30 };

struct watchdog {
    sc_embedded *redis;
    struct patrol *patrol;
    int rest_s; /* longer after each start that failed */
};

static bool revive(const struct watchdog *dog)
{
    sc_reason why = {""};

    sc__log(SC_LOG_WARN, "our own Redis server died; starting it again");
    if (!sc_embedded_restart(dog->redis, &why)) {
        sc__log(SC_LOG_INFO, "our own Redis server runs again, process %lld",
                (long long)sc_embedded_pid(dog->redis));
        return true;
    }
    sc__log(SC_LOG_ERROR, "our own Redis server does not start: %s", why.text);
    return false;
}

static int look(void *user)
{
    struct watchdog *dog = user;

    if (sc_embedded_is_alive(dog->redis) || revive(dog))
        dog->rest_s = LOOK_EVERY_S;
    else
        dog->rest_s = dog->rest_s * 2 < REST_MAX_S ? dog->rest_s * 2 : REST_MAX_S;
    return dog->rest_s;
}

sc_err watchdog_start(sc_embedded *redis, struct watchdog **ret_watchdog, sc_reason *ret_reason)
{
    struct watchdog *dog = sc__calloc(1, sizeof(*dog));
    sc_err err;

    if (!dog)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    dog->redis = redis;
    dog->rest_s = LOOK_EVERY_S;
    err = patrol_start(look, dog, &dog->patrol, ret_reason);
    if (err) {
        sc_free(dog);
        return err;
    }
    *ret_watchdog = dog;
    return SC_OK;
}

void watchdog_stop(struct watchdog *dog)
{
    if (!dog)
        return;
    patrol_stop(dog->patrol);
    sc_free(dog);
}
