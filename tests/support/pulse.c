#include "pulse.h"

#include <poll.h>

#include "base/clock.h"
#include "test.h"

enum { BEAT_MS = 10, MOMENT_MS = 50 };

static void *beat(void *arg)
{
    struct pulse *pulse = arg;

    while (!atomic_load(&pulse->stopping)) {
        int64_t began_ms = sc__mono_ms(), took_ms;

        atomic_store(&pulse->beat_ms, began_ms);
        poll(NULL, 0, BEAT_MS);
        if (pulse->server)
            test_server_answers(pulse->server);
        took_ms = sc__mono_ms() - began_ms;
        if (took_ms > MOMENT_MS)
            atomic_fetch_add(pulse->still_ms, took_ms);
    }
    return NULL;
}

void pulse_start(struct pulse *pulse, const struct test_server *server, _Atomic int64_t *still_ms)
{
    *pulse = (struct pulse){.server = server};
    pulse->still_ms = still_ms ? still_ms : &pulse->own_ms;
    pulse->beat_ms = sc__mono_ms();
    assert_int_equal(pthread_create(&pulse->thread, NULL, beat, pulse), 0);
}

int64_t pulse_still_ms(const struct pulse *pulse)
{
    int64_t beat_ms = sc__mono_ms() - atomic_load(&pulse->beat_ms);

    return atomic_load(pulse->still_ms) + (beat_ms > MOMENT_MS ? beat_ms : 0);
}

int64_t pulse_stop(struct pulse *pulse)
{
    atomic_store(&pulse->stopping, true);
    pthread_join(pulse->thread, NULL);
    return atomic_load(pulse->still_ms);
}
