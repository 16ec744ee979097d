#include "timer.h"

#include "base/mem.h"

struct sc__timer {
    uv_timer_t uv;
    void (*fire)(void *arg);
    void *arg;
};

static void on_timeout(uv_timer_t *uv)
{
    sc__timer *timer = (sc__timer *)uv;

    timer->fire(timer->arg);
}

sc_err sc__timer_new(sc__loop *loop, void (*fire)(void *arg), void *arg, sc__timer **ret_timer)
{
    sc__timer *timer = sc__calloc(1, sizeof(*timer));

    if (!timer)
        return SC_ENOMEM;
    uv_timer_init(sc__loop_uv(loop), &timer->uv);
    timer->fire = fire;
    timer->arg = arg;
    *ret_timer = timer;
    return SC_OK;
}

void sc__timer_start(sc__timer *timer, int64_t after_ms)
{
    /* libuv counts from the start of this turn of the loop; bring that up to now. */
    uv_update_time(timer->uv.loop);
    uv_timer_start(&timer->uv, on_timeout, after_ms > 0 ? (uint64_t)after_ms : 0, 0);
}

void sc__timer_stop(sc__timer *timer)
{
    uv_timer_stop(&timer->uv);
}

bool sc__timer_is_active(const sc__timer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->uv);
}

static void on_closed(uv_handle_t *uv)
{
    sc_free(uv);
}

void sc__timer_free(sc__timer *timer)
{
    if (timer)
        uv_close((uv_handle_t *)&timer->uv, on_closed);
}
