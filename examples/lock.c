/* Work that only one process may do at a time: waits up to a minute for its turn, then does a step for each line of input. Start it
 * twice. Needs a Redis at 127.0.0.1:6379. */
#include <stdio.h>
#include <storychain/lock.h>

int main(void)
{
    const sc_lock_opts opts = {.wait_ms = 60 * 1000};
    sc_client *client;
    sc_lock *lock;
    sc_reason why;

    if (sc_client_new(NULL, &client, NULL))
        return 1;
    if (sc_lock_acquire(client, SC_S("hello:lock"), &opts, &lock, &why)) {
        fprintf(stderr, "%s\n", why.text);
        sc_client_free(client);
        return 1;
    }
    /* What the work writes carries the number, so that its store can refuse who was overtaken. */
    for (int step = 1; sc_lock_is_held(lock) && getchar() != EOF; step++)
        printf("holder %lld, step %d\n", (long long)sc_lock_number(lock), step);
    if (sc_lock_release(lock))
        fprintf(stderr, "the lock was lost meanwhile\n");
    sc_client_free(client);
    return 0;
}
