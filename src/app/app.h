/* The container: makes every part of StoryChain once, in order, and takes them down in reverse.
 *
 *   database -> Redis -> cache -> mail, services -> queues -> processors -> schedules
 *
 * HTTP and the commands stand above it and use the members of `struct app`, which don't change
 * between app_start() and app_stop(). What happens meanwhile is told to the log hook
 * (sc_set_log). */
#ifndef APP_APP_H
#define APP_APP_H

#include <storychain/cache.h>
#include <storychain/client.h>
#include <storychain/embedded.h>

#include "app/services/catalog.h"

struct analytics;
struct mailer;
struct queues;
struct schedules;
struct teller;
struct watchdog;

/* Zeroed but for state_dir: everything of our own, in that folder, and nothing runs in the background. */
struct app_opts {
    const char *state_dir;     /* made (mode 0700) if missing; must be ours to write */
    const char *redis_url;     /* NULL: a server of our own, in state_dir/redis */
    const char *redis_program; /* of our own server; NULL: valkey-server or redis-server on PATH */
    const char *store_url;     /* NULL: SQLite, state_dir/storychain.db */
    const char
        *smtp_url; /* smtp[s]://[user:password@]host[:port]; NULL: a maildir, state_dir/mail */
    const char *mail_from;    /* NULL: "StoryChain <storychain@localhost>" */
    const char *site_url;     /* begins links in mails; NULL: "http://127.0.0.1:8080" */
    const char *queue_prefix; /* NULL: "bull" */
    int64_t cache_timeout_ms; /* how long the cache waits for Redis; 0: its own default */
    bool run_processors;      /* take jobs of the five queues */
    bool run_schedules;       /* register the six schedules and run what is due */
};

struct app {
    struct app_opts opts; /* a copy, defaults filled in */
    struct store *store;
    sc_embedded *redis; /* NULL when redis_url was given */
    sc_client *client;
    sc_cache *cache;
    struct mailer *mailer;
    struct analytics *analytics;
    struct notifier *notifier;
    struct catalog catalog; /* what the services of stories, chapters and users work on */
    struct queues *queues;
    struct schedules *schedules;
    struct teller *teller;     /* of chapters that people could not be told of at once */
    struct watchdog *watchdog; /* starts our own Redis again when it died */
};

/* How the services' cache is: 32 MiB of what it read are held in the process, and confirmed with each read, for what one process has
 * written another must not miss. */
sc_cache_opts app_cache_opts(void);

/* `opts` is copied. Waits up to 10 s for Redis. On failure everything is taken down again and the
 * reason says which part failed and why: SC_EIO, SC_EBUSY (the state folder is in use),
 * SC_ETIMEDOUT, SC_EAUTH, SC_EINVAL, … */
SC_MUST_USE sc_err app_start(const struct app_opts *opts, struct app **ret_app,
                             sc_reason *ret_reason);

/* Stops taking jobs, gives running ones up to `drain_ms`, hands the rest back to their queues,
 * closes everything in reverse order and frees. `*ret_handed_back` (may be NULL) counts the jobs
 * handed back. NULL is fine. */
void app_stop(struct app *app, int64_t drain_ms, int *ret_handed_back);

#endif
