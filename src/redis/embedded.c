#include <storychain/embedded.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "aof.h"
#include "ask.h"
#include "child.h"
#include "reply.h"

enum { ANSWER_WITHIN_MS = 10000, END_WITHIN_MS = 10000, ASK_MS = 2000, PAUSE_MS = 10 };
enum { TEXTS_MAX = 64 * 1024, ARGS_MAX = 32, FILE_MAX = 4096 };

struct sc_embedded {
    sc__arena texts;    /* what all pointers below point into */
    const char *folder; /* without links and dots */
    const char *program;
    const char *socket, *url, *log, *pid_file;
    const char *argv[ARGS_MAX];
    int lock_fd; /* held as long as this lives: one process to a folder */
    sc__child *child;
};

/* paths */

static const char *join(sc__arena *texts, const char *folder, const char *name)
{
    return sc__arena_printf(texts, "%s/%s", folder, name);
}

/* A socket's path has to fit its address, 107 bytes. Where the folder's own is too long, the socket is in
 * a folder of ours in /tmp that is named after it. */
static const char *socket_path(sc__arena *texts, const char *folder)
{
    const char *path = join(texts, folder, "redis.sock");

    if (!path || strlen(path) < sizeof(((struct sockaddr_un *)0)->sun_path))
        return path;
    return sc__arena_printf(texts, "/tmp/storychain-%u-%016llx/redis.sock", (unsigned)geteuid(),
                            (unsigned long long)XXH64(folder, strlen(folder), 0));
}

/* A path may hold what means something in a URL. */
static const char *url_of(sc__arena *texts, const char *path)
{
    AUTO_STR url = STR_MAX(PATH_MAX * 3);

    sc__str_text(&url, "unix://");
    for (const char *at = path; *at; at++)
        if (strchr("%?#", *at) || *at <= ' ' || *at > '~')
            sc__str_printf(&url, "%%%02X", (unsigned char)*at);
        else
            sc__str_char(&url, *at);
    return url.err ? NULL : sc__arena_dup(texts, sc__str_slice(&url));
}

static bool is_in_folder(const sc_embedded *e)
{
    return strncmp(e->socket, e->folder, strlen(e->folder)) == 0;
}

static void socket_folder(const sc_embedded *e, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%.*s", (int)(strrchr(e->socket, '/') - e->socket), e->socket);
}

/* Others can write to /tmp: the folder must be a real one, ours, and closed to them. */
static sc_err make_socket_folder(const sc_embedded *e, sc_reason *reason)
{
    char folder[PATH_MAX];
    struct stat st;

    if (is_in_folder(e))
        return SC_OK;
    socket_folder(e, folder);
    if (mkdir(folder, 0700) && errno != EEXIST)
        return sc__because(reason, SC_EIO, "%s can't be made: %s", folder, strerror(errno));
    if (lstat(folder, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_mode & 077) != 0)
        return sc__because(reason, SC_EPERM,
                           "%s, where the socket of Redis goes because the path of %s is too long, "
                           "belongs to someone else; use a shorter path",
                           folder, e->folder);
    return SC_OK;
}

static sc_err find_folder(sc_embedded *e, const char *folder, sc_reason *reason)
{
    char real[PATH_MAX];

    if (!realpath(folder, real))
        return sc__because(reason, SC_EIO, "the folder %s can't be used: %s", folder,
                           strerror(errno));
    if (access(real, R_OK | W_OK | X_OK))
        return sc__because(reason, SC_EIO, "the folder %s can't be written to: %s", real,
                           strerror(errno));
    e->folder = sc__arena_dup(&e->texts, sc_slice_of(real));
    if (!e->folder)
        return SC_ENOMEM;
    e->socket = socket_path(&e->texts, e->folder);
    e->log = join(&e->texts, e->folder, "redis.log");
    e->pid_file = join(&e->texts, e->folder, "redis.pid");
    e->url = e->socket ? url_of(&e->texts, e->socket) : NULL;
    if (!e->log || !e->pid_file || !e->url)
        return SC_ENOMEM;
    return make_socket_folder(e, reason);
}

/* the program */

static const char *find_on_path(sc__arena *texts, const char *name)
{
    const char *path = getenv("PATH");

    if (!path || !*path)
        path = "/usr/local/bin:/usr/bin:/bin";
    while (*path) {
        size_t len = strcspn(path, ":");
        const char *file = sc__arena_printf(texts, "%.*s/%s", (int)len, path, name);

        if (file && len && access(file, X_OK) == 0)
            return file;
        path += len;
        path += *path == ':';
    }
    return NULL;
}

static sc_err find_program(sc_embedded *e, const char *program, sc_reason *reason)
{
    if (program && strchr(program, '/'))
        e->program = access(program, X_OK) ? NULL : sc__arena_dup(&e->texts, sc_slice_of(program));
    else if (program)
        e->program = find_on_path(&e->texts, program);
    else
        e->program = find_on_path(&e->texts, "valkey-server");
    if (!e->program && !program)
        e->program = find_on_path(&e->texts, "redis-server");
    if (e->program)
        return SC_OK;
    if (program)
        return sc__because(reason, SC_ENOTFOUND, "there is no program %s that we may run", program);
    return sc__because(reason, SC_ENOTFOUND,
                       "neither valkey-server nor redis-server is installed; install the package "
                       "redis-server (Debian, Ubuntu: apt install redis-server) or set REDIS_URL");
}

/* The paths it gets are absolute, so none can be taken for an option. */
static void fill_argv(sc_embedded *e)
{
    const char *const argv[] = {
        e->program,   "--port",
        "0",          "--unixsocket",
        e->socket,    "--unixsocketperm",
        "700",        "--dir",
        e->folder,    "--pidfile",
        e->pid_file,  "--daemonize",
        "no",         "--appendonly",
        "yes",        "--appendfsync",
        "everysec",   "--save",
        "",           "--maxmemory",
        "0",          "--maxmemory-policy",
        "noeviction",
    };

    memcpy(e->argv, argv, sizeof(argv));
}

/* one process to a folder */

static sc_err lock_folder(sc_embedded *e, sc_reason *reason)
{
    const char *path = join(&e->texts, e->folder, "lock");
    char owner[32] = "";

    if (!path)
        return SC_ENOMEM;
    e->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (e->lock_fd < 0)
        return sc__because(reason, SC_EIO, "%s can't be opened: %s", path, strerror(errno));
    if (flock(e->lock_fd, LOCK_EX | LOCK_NB)) {
        if (read(e->lock_fd, owner, sizeof(owner) - 1) < 0)
            owner[0] = '\0';
        owner[strcspn(owner, "\n")] = '\0';
        return sc__because(reason, SC_EBUSY,
                           "the folder %s is in use by another process (pid %s); end it, or use "
                           "another folder",
                           e->folder, owner);
    }
    if (ftruncate(e->lock_fd, 0) || dprintf(e->lock_fd, "%d\n", (int)getpid()) < 0)
        return sc__because(reason, SC_EIO, "%s can't be written: %s", path, strerror(errno));
    return SC_OK;
}

/* what an earlier process left behind */

static int64_t read_pid_file(const sc_embedded *e)
{
    char text[32] = "";
    int fd = open(e->pid_file, O_RDONLY | O_CLOEXEC);
    int64_t pid = 0;

    if (fd < 0)
        return 0;
    if (read(fd, text, sizeof(text) - 1) > 0)
        text[strcspn(text, "\n")] = '\0';
    close(fd);
    return sc__int_parse(sc_slice_of(text), &pid) && pid > 1 && pid < INT_MAX ? pid : 0;
}

/* A server works in the folder of its data, so this tells it from a stranger that got its old pid. */
static bool works_in(int64_t pid, const char *folder)
{
    char link[64], target[PATH_MAX];
    ssize_t len;

    snprintf(link, sizeof(link), "/proc/%lld/cwd", (long long)pid);
    len = readlink(link, target, sizeof(target));
    return len > 0 && (size_t)len == strlen(folder) && memcmp(target, folder, (size_t)len) == 0;
}

static bool says_our_folder(const sc_reply *reply, const char *folder)
{
    return (reply->type == SC_REPLY_ARRAY || reply->type == SC_REPLY_MAP) && reply->count == 2 &&
           sc_slice_eq(reply->items[1].str, sc_slice_of(folder));
}

/* Is nobody there, or one of ours (`*ret_pid`, else 0)? SC_EBUSY: somebody else. */
static sc_err look_for_server(const sc_embedded *e, int64_t *ret_pid, sc_reason *reason)
{
    static const sc_slice get_dir[] = {SC_S("CONFIG"), SC_S("GET"), SC_S("dir")};
    int64_t noted = read_pid_file(e), pid = 0;
    sc_reply *reply = NULL;
    sc_err err;
    bool ours;

    *ret_pid = 0;
    err = sc__ask(e->socket, get_dir, 3, ASK_MS, &reply, &pid);
    if (err == SC_ECONNECT || err == SC_ECONNLOST) {
        if (noted && works_in(noted, e->folder))
            *ret_pid = noted; /* on its way down */
        return SC_OK;
    }
    ours =
        pid && pid == noted && (err ? works_in(pid, e->folder) : says_our_folder(reply, e->folder));
    sc_reply_free(reply);
    if (!ours)
        return sc__because(reason, SC_EBUSY,
                           "a server that is not ours (pid %lld) listens on %s; end it, or use "
                           "another folder",
                           (long long)pid, e->socket);
    *ret_pid = pid;
    return SC_OK;
}

static bool await_end(const sc_embedded *e, int64_t pid, int64_t timeout_ms)
{
    int64_t until_ms = sc__mono_ms() + timeout_ms;

    while (works_in(pid, e->folder) && kill((pid_t)pid, 0) == 0) {
        if (sc__mono_ms() > until_ms)
            return false;
        poll(NULL, 0, PAUSE_MS);
    }
    return true;
}

/* Its data is ours to go on with; the process itself must go, for it would not end with us. */
static sc_err end_left_behind(const sc_embedded *e, sc_reason *reason)
{
    int64_t pid;
    sc_err err;

    err = look_for_server(e, &pid, reason);
    if (err || !pid)
        return err;
    if (kill((pid_t)pid, SIGTERM) == 0 && !await_end(e, pid, END_WITHIN_MS))
        kill((pid_t)pid, SIGKILL);
    if (!await_end(e, pid, END_WITHIN_MS))
        return sc__because(reason, SC_EBUSY,
                           "the server that was left in %s (pid %lld) can't be ended", e->folder,
                           (long long)pid);
    return SC_OK;
}

/* starting */

/* "…: * Ready to accept connections" is of no use; the last line that came before it died is. */
static void read_last_line(const char *path, char out[FILE_MAX])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    char *line;

    out[0] = '\0';
    if (fd < 0)
        return;
    if (lseek(fd, -(FILE_MAX - 1), SEEK_END) < 0)
        lseek(fd, 0, SEEK_SET);
    n = read(fd, out, FILE_MAX - 1);
    close(fd);
    while (n > 0 && (out[n - 1] == '\n' || out[n - 1] == ' '))
        n--;
    out[n > 0 ? n : 0] = '\0';
    line = strrchr(out, '\n');
    if (line)
        memmove(out, line + 1, strlen(line));
}

enum answer { NONE, LATE, LOADING, READY };

static enum answer ask_ping(const char *socket)
{
    static const sc_slice ping[] = {SC_S("PING")};
    enum answer answer = NONE;
    sc_reply *reply = NULL;
    sc_err err = sc__ask(socket, ping, 1, ASK_MS, &reply, NULL);

    if (err)
        return err == SC_ETIMEDOUT ? LATE : NONE;
    if (reply->type == SC_REPLY_STRING)
        answer = READY;
    else if (sc__reply_is_error(reply, "LOADING"))
        answer = LOADING;
    sc_reply_free(reply);
    return answer;
}

static sc_err await_answer(sc_embedded *e, sc_reason *reason)
{
    int64_t until_ms = sc__mono_ms() + ANSWER_WITHIN_MS;
    char last[FILE_MAX];
    enum answer answer;

    while ((answer = ask_ping(e->socket)) != READY) {
        bool up = sc__child_is_up(e->child), late = sc__mono_ms() >= until_ms;

        if (up && !late) {
            poll(NULL, 0, PAUSE_MS);
            continue;
        }
        if (up && answer == LOADING) /* much data; clients wait for it */
            return SC_OK;
        read_last_line(e->log, last);
        return sc__because(reason, SC_EIO, "%s %s; the end of %s: %.120s", e->program,
                           up ? "does not answer" : "ended at once", e->log, last);
    }
    return SC_OK;
}

static sc_err start(sc_embedded *e, const char *folder, const char *program, sc_reason *reason)
{
    sc_err err;

    err = find_folder(e, folder, reason);
    if (!err)
        err = find_program(e, program, reason);
    if (!err)
        err = lock_folder(e, reason);
    if (!err)
        err = end_left_behind(e, reason);
    if (err)
        return err;
    fill_argv(e);
    err = sc__child_new(e->argv, e->log, &e->child);
    return err ? err : sc_embedded_restart(e, reason);
}

sc_err sc_embedded_start(const char *folder, const char *program, sc_embedded **ret_server,
                         sc_reason *ret_reason)
{
    sc_embedded *e = sc__calloc(1, sizeof(*e));
    sc_reason reason = {""};
    sc_err err;

    if (!e)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    sc__arena_init(&e->texts, TEXTS_MAX);
    e->lock_fd = -1;
    err = start(e, folder, program, &reason);
    if (err) {
        sc_embedded_stop(e);
        return sc__because(ret_reason, err, "%s", reason.text[0] ? reason.text : sc_err_text(err));
    }
    *ret_server = e;
    return SC_OK;
}

sc_err sc_embedded_restart(sc_embedded *server, sc_reason *ret_reason)
{
    if (!sc__child_is_up(server->child) && read_pid_file(server)) /* the last one was killed */
        sc__aof_mend(server->program, server->folder, server->log);
    if (sc__child_start(server->child))
        return sc__because(ret_reason, SC_EIO,
                           "%s can't be started: there is no room for a process, or %s can't be "
                           "written to",
                           server->program, server->log);
    return await_answer(server, ret_reason);
}

static void remove_socket_folder(const sc_embedded *e)
{
    char folder[PATH_MAX];

    if (!e->socket || is_in_folder(e))
        return;
    socket_folder(e, folder);
    rmdir(folder); /* not if it isn't empty: then it isn't ours to remove */
}

void sc_embedded_stop(sc_embedded *server)
{
    if (!server)
        return;
    if (server->child)
        sc__child_stop(server->child, END_WITHIN_MS);
    sc__child_free(server->child);
    if (server->child)
        remove_socket_folder(server);
    if (server->lock_fd >= 0)
        close(server->lock_fd);
    sc__arena_release(&server->texts);
    sc_free(server);
}

/* looking */

sc_err sc_embedded_find(const char *folder, char **ret_url)
{
    char real[PATH_MAX], *copy = NULL;
    const char *path, *url = NULL;
    sc__arena texts;

    if (!realpath(folder, real))
        return SC_ENOTFOUND;
    sc__arena_init(&texts, TEXTS_MAX);
    path = socket_path(&texts, real);
    if (path && ask_ping(path) != NONE)
        url = url_of(&texts, path);
    if (url)
        copy = sc__strdup(url);
    sc__arena_release(&texts);
    if (!copy)
        return SC_ENOTFOUND;
    *ret_url = copy;
    return SC_OK;
}

const char *sc_embedded_url(const sc_embedded *server)
{
    return server->url;
}

const char *sc_embedded_program(const sc_embedded *server)
{
    return server->program;
}

int64_t sc_embedded_pid(const sc_embedded *server)
{
    return sc__child_pid(server->child);
}

bool sc_embedded_is_alive(sc_embedded *server)
{
    return sc__child_is_up(server->child);
}
