/* ops/scheduler_rezone.c, lua/moveScheduler: new data of time zones */
#include <sys/stat.h>
#include <unistd.h>

#include "scheduler_fixture.h"

/* A folder of zones, whose one zone, Test/Zone, is a copy of `zone`. */
static void install(const char *zone, const char *version)
{
    char folder[128], command[512], line[64], path[256];
    FILE *f;

    snprintf(folder, sizeof(folder), "%s/zones", test_folder());
    mkdir(folder, 0700);
    snprintf(path, sizeof(path), "%s/Test", folder);
    mkdir(path, 0700);
    snprintf(command, sizeof(command),
             "cp /usr/share/zoneinfo/%s %s/Test/New && mv %s/Test/New %s/Test/Zone", zone, folder,
             folder, folder);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof(path), "%s/tzdata.zi", folder);
    f = fopen(path, "w");
    assert_non_null(f);
    snprintf(line, sizeof(line), "# version %s\n", version);
    fputs(line, f);
    fclose(f);
    if (!getenv("TZDIR")) /* once, before other threads read it */
        setenv("TZDIR", folder, 1);
}

static int64_t next_of(const char *id)
{
    return atoll(redis("ZSCORE bull:q:repeat %s", id));
}

TEST(new_data_of_zones_moves_the_runs_that_are_still_to_come)
{
    const int64_t hour = 3600 * 1000, day = 24 * hour;
    int64_t plain_ms, guarded_ms, utc, every_ms;
    sc_repeat repeat = SC_REPEAT_INIT;
    sc_scheduler_guard *guard = NULL;
    char id[32];

    unsetenv("TZDIR");
    install("Etc/GMT-1", "2026a");
    open_queue();
    plain_ms = upsert_pattern("plain", "0 3 * * *", "Test/Zone");
    utc = upsert_pattern("utc", "0 3 * * *", "");
    every_ms = upsert_every("every", day);
    repeat.pattern = SC_S("0 3 * * *");
    repeat.tz = SC_S("Test/Zone");
    repeat.jitter_ms = 1000;
    guarded_ms = upsert("guarded", &repeat);
    for (int i = 0; i < 230; i++) {
        snprintf(id, sizeof(id), "p%d", i);
        upsert_pattern(id, "0 3 * * *", "Test/Zone");
    }
    assert_ok(
        sc_scheduler_guard_start(queue, &(sc_scheduler_guard_opts){.interval_ms = 20}, &guard));

    install("Etc/GMT-5", "2026b");
    wait_until(next_of("plain") != plain_ms && next_of("guarded") != guarded_ms);
    for (int i = 0; i < 230; i++) {
        snprintf(id, sizeof(id), "p%d", i);
        wait_until(next_of(id) != plain_ms);
    }
    sc_scheduler_guard_stop(guard);

    assert_int_equal((next_of("plain") - plain_ms + day) % day, 20 * hour); /* four hours earlier */
    assert_true(next_of("plain") > now_ms() && next_of("plain") <= now_ms() + day);
    assert_int_equal(next_of("guarded") / 1000 / 60, next_of("plain") / 1000 / 60);
    assert_int_equal(next_of("utc"), utc);
    assert_true(next_of("every") == every_ms || next_of("every") == every_ms + day);
    assert_int_equal(pending(), 231 + 1 + 1 + (next_of("every") != every_ms));
    assert_string_equal(redis("EXISTS bull:q:repeat:plain:%lld", (long long)plain_ms), "0");
    assert_string_equal(redis("EXISTS bull:q:repeat:plain:%lld", (long long)next_of("plain")), "1");
    close_queue();
}

static atomic_int begun;

static void count_begun(sc_log_level level, const char *text, void *user)
{
    (void)level, (void)user;
    begun += strstr(text, "time zones have new data") != NULL;
}

TEST(new_data_that_came_while_the_server_was_away_counts_when_it_is_back)
{
    static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};
    sc_scheduler_guard *guard = NULL;
    sc_client_opts opts = {.command_timeout_ms = 500};
    sc_client *hasty = NULL;
    sc_queue *guarded = NULL;
    int64_t before;

    unsetenv("TZDIR");
    install("Etc/GMT-1", "2026a");
    test_server_start_args(&server, durable);
    opts.url = server.url;
    client = test_server_client(&server);
    assert_ok(sc_queue_new(client, SC_S("q"), NULL, &queue, NULL));
    assert_ok(sc_client_new(&opts, &hasty, NULL));
    assert_ok(sc_queue_new(hasty, SC_S("q"), NULL, &guarded, NULL));
    before = upsert_pattern("p", "0 3 * * *", "Test/Zone");
    sc_set_log(count_begun, NULL);
    assert_ok(
        sc_scheduler_guard_start(guarded, &(sc_scheduler_guard_opts){.interval_ms = 20}, &guard));
    wait_until(sweeps() >= 6);

    test_server_kill(&server, 9);
    install("Etc/GMT-5", "2026b");
    wait_until(begun >= 2); /* the first was in vain */
    test_server_restart(&server);
    wait_until(next_of("p") != before);

    sc_scheduler_guard_stop(guard);
    sc_queue_free(guarded);
    sc_client_free(hasty);
    close_queue();
}
