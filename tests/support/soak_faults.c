/* What breaks in a soak, for how long, and how it is mended. */
#include <poll.h>
#include <signal.h>

#include "base/clock.h"
#include "soak.h"
#include "test.h"

struct breaking {
    struct soak *s;
    struct test_server *server;
    struct relay *relay;
    uint64_t *random;
    int64_t ms; /* for how long */
    int process;
};

static void say(struct breaking *b, const char *command)
{
    const char *reply = test_redis(b->server, command);

    if (reply[0] == '-' || strstr(reply, "ERR "))
        fail_msg("%s: %s", command, reply);
}

static void stop_server(struct breaking *b)
{
    kill(b->server->pid, SIGSTOP);
}

static void go_on_server(struct breaking *b)
{
    kill(b->server->pid, SIGCONT);
}

static void kill_server(struct breaking *b)
{
    test_server_kill(b->server, SIGKILL);
}

static void restart_server(struct breaking *b)
{
    test_server_restart(b->server);
}

static void cut_all(struct breaking *b)
{
    say(b, "CLIENT KILL TYPE normal");
    say(b, "CLIENT KILL TYPE pubsub");
}

static void hold_back(struct breaking *b, const char *what)
{
    char command[64];

    snprintf(command, sizeof(command), "CLIENT PAUSE %lld %s", (long long)b->ms, what);
    say(b, command);
}

static void hold_back_writes(struct breaking *b)
{
    hold_back(b, "WRITE");
}

static void hold_back_all(struct breaking *b)
{
    hold_back(b, "ALL");
}

static void go_on_clients(struct breaking *b)
{
    say(b, "CLIENT UNPAUSE"); /* of "all" it is held back itself until that is over */
}

static void forget_scripts(struct breaking *b)
{
    say(b, "SCRIPT FLUSH");
}

static void fill_memory(struct breaking *b)
{
    say(b, "CONFIG SET maxmemory 1");
}

static void free_memory(struct breaking *b)
{
    say(b, "CONFIG SET maxmemory 0");
}

static void become_replica(struct breaking *b)
{
    say(b, "REPLICAOF 127.0.0.1 1");
}

static void become_primary(struct breaking *b)
{
    say(b, "REPLICAOF NO ONE");
}

static void refuse_writes(struct breaking *b)
{
    say(b, "CONFIG SET min-replicas-to-write 1");
}

static void take_writes(struct breaking *b)
{
    say(b, "CONFIG SET min-replicas-to-write 0");
}

static void slow_relay(struct breaking *b)
{
    relay_delay(b->relay, 20 + (int)(soak_random(b->random) % 600));
}

static void quick_relay(struct breaking *b)
{
    relay_delay(b->relay, 0);
}

static void silence_relay(struct breaking *b)
{
    relay_silence(b->relay, true);
}

static void unsilence_relay(struct breaking *b)
{
    relay_silence(b->relay, false);
}

static void cut_relay(struct breaking *b)
{
    relay_cut(b->relay, 1 + (long)(soak_random(b->random) % 2000));
}

static void kill_process(struct breaking *b)
{
    b->s->processes[b->process].works = false;
    kill(b->s->processes[b->process].pid, SIGKILL);
}

static void await_process(struct breaking *b)
{
    wait_until(b->s->processes[b->process].works);
}

static void stop_process(struct breaking *b)
{
    kill(b->s->processes[b->process].pid, SIGSTOP);
}

static void go_on_process(struct breaking *b)
{
    kill(b->s->processes[b->process].pid, SIGCONT);
}

static void order(struct breaking *b, int order)
{
    b->s->order = order;
    b->s->order_to = b->process;
}

static void restart_workers(struct breaking *b)
{
    order(b, SOAK_RESTART);
}

static void pause_workers(struct breaking *b)
{
    order(b, SOAK_PAUSE);
}

static void narrow_workers(struct breaking *b)
{
    order(b, SOAK_FEWER);
}

static void pause_queue(struct breaking *b)
{
    order(b, SOAK_PAUSE_QUEUE);
}

static void nothing(struct breaking *b)
{
    (void)b;
}

static const struct fault {
    const char *name;
    void (*begin)(struct breaking *b);
    void (*end)(struct breaking *b);
    int64_t most_ms;
} of_server[] =
    {
        {"the server stands still", stop_server, go_on_server, 12000},
        {"the server stands still for a moment", stop_server, go_on_server, 1000},
        {"the server is killed", kill_server, restart_server, 1500},
        {"connections are cut", cut_all, cut_all, 300},
        {"writes are held back", hold_back_writes, go_on_clients, 3000},
        {"all is held back", hold_back_all, go_on_clients, 3000},
        {"scripts are forgotten", forget_scripts, forget_scripts, 100},
        {"memory is full", fill_memory, free_memory, 2000},
        {"the server is a replica", become_replica, become_primary, 2000},
        {"writes are refused", refuse_writes, take_writes, 2000},
        {"the relay is slow", slow_relay, quick_relay, 4000},
        {"the relay is silent", silence_relay, unsilence_relay, 9000},
        {"the relay cuts", cut_relay, cut_relay, 200},
},
  of_process[] = {
      {"a process is killed", kill_process, await_process, 100},
      {"a process stands still", stop_process, go_on_process, 4000},
      {"workers are closed", restart_workers, nothing, 100},
      {"workers are paused", pause_workers, nothing, 100},
      {"workers have fewer slots", narrow_workers, nothing, 100},
      {"a queue is paused", pause_queue, nothing, 100},
};

enum {
    SERVER_FAULTS = sizeof(of_server) / sizeof(*of_server),
    PROCESS_FAULTS = sizeof(of_process) / sizeof(*of_process)
};

/* The server's own end would be a fault that is not ours. */
static void assert_server_lives(const struct test_server *server)
{
    if (!strstr(test_redis(server, "PING"), "PONG"))
        fail_msg("the server has ended by itself");
}

const char *soak_break(struct soak *s, struct test_server *server, struct relay *relay)
{
    static uint64_t random;
    static char name[128];
    struct breaking b = {.s = s, .server = server, .relay = relay, .random = &random};
    const struct fault *first, *second;
    bool both;

    if (!random)
        random = s->seed * 7919;
    first = &of_server[soak_random(&random) % SERVER_FAULTS];
    second = &of_process[soak_random(&random) % PROCESS_FAULTS];
    both = soak_random(&random) % 2;
    b.process = 1 + (int)(soak_random(&random) % (SOAK_PROCESSES - 1));
    b.ms = first->most_ms < s->longest_ms ? first->most_ms : s->longest_ms;
    b.ms = 1 + (int64_t)(soak_random(&random) % (uint64_t)b.ms);
    first->begin(&b);
    soak_rest(b.ms / 2);
    if (both)
        second->begin(&b);
    soak_rest(b.ms - b.ms / 2);
    first->end(&b);
    if (both) {
        soak_rest((int64_t)(soak_random(&random) % (uint64_t)(second->most_ms < s->longest_ms
                                                                  ? second->most_ms
                                                                  : s->longest_ms)));
        second->end(&b);
    }
    wait_until(s->order_to < 0);
    assert_server_lives(server);
    snprintf(name, sizeof(name), "%s%s%s, %lld ms", first->name, both ? ", " : "",
             both ? second->name : "", (long long)b.ms);
    return name;
}
