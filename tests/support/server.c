#include "server.h"

#include "test.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 32, WORDS_MAX = 256, OUT_MAX = 64 * 1024 };

static const char *extra[ARGS_MAX];

const char *test_server_program(void)
{
    const char *program = getenv("SC_TEST_SERVER");

    return program ? program : "redis-server";
}

const char *test_server_software(void)
{
    return strstr(test_server_program(), "valkey") ? "valkey" : "redis";
}

static void spawn(struct test_server *server)
{
    const char *argv[64] = {
        test_server_program(), "--port", "0", "--unixsocket", server->socket, "--dir",
        server->folder,        "--save", "",  "--daemonize",  "no",           "--logfile",
        "server.log"};
    size_t n = 13;

    for (size_t i = 0; extra[i]; i++)
        argv[n++] = extra[i];
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execvp(argv[0], (char *const *)argv);
        fprintf(stderr, "cannot run %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
}

static int dial(const struct test_server *server)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(to.sun_path, sizeof(to.sun_path), "%s", server->socket);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool test_server_answers(const struct test_server *server)
{
    char reply[64] = "";
    int fd = dial(server);
    bool ok;

    if (fd < 0)
        return false;
    ok = write(fd, "PING\r\n", 6) == 6 && read(fd, reply, sizeof(reply) - 1) > 0 && reply[0] == '+';
    close(fd);
    return ok;
}

static void start(struct test_server *server)
{
    spawn(server);
    wait_until(test_server_answers(server));
}

/* Redis 7.0 cuts off the command in which it was killed at the end of its log, but not the transaction that this was part of: at the next
 * start but one, what was written behind would belong to that. So it writes the log anew. */
static void write_log_anew(const struct test_server *server)
{
    if (strcmp(test_redis(server, "CONFIG GET appendonly"), "appendonly yes") != 0)
        return;
    test_redis(server, "BGREWRITEAOF");
    wait_until(strstr(test_redis(server, "INFO persistence"), "aof_rewrite_in_progress:0") &&
               strstr(test_redis(server, "INFO persistence"), "aof_rewrite_scheduled:0"));
}

void test_server_restart(struct test_server *server)
{
    start(server);
    write_log_anew(server);
}

void test_server_start_args(struct test_server *server, const char *const *more_args)
{
    static int count;
    size_t n = 0;

    for (; more_args && more_args[n] && n < ARGS_MAX - 1; n++)
        extra[n] = more_args[n];
    extra[n] = NULL;
    snprintf(server->folder, sizeof(server->folder), "%s/redis%d", test_folder(), count++);
    assert_int_equal(mkdir(server->folder, 0700), 0);
    snprintf(server->socket, sizeof(server->socket), "%s/redis.sock", server->folder);
    snprintf(server->url, sizeof(server->url), "unix://%s", server->socket);
    start(server);
}

void test_free_port(char out[8])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    close(fd);
    snprintf(out, 8, "%d", ntohs(at.sin_port));
}

void test_server_start(struct test_server *server)
{
    test_server_start_args(server, NULL);
}

void test_server_kill(struct test_server *server, int signal_number)
{
    int status;

    kill(server->pid, signal_number);
    waitpid(server->pid, &status, 0);
}

sc_client *test_server_client(const struct test_server *server)
{
    /* Longer than the machine may stand still. */
    sc_client_opts opts = {.url = server->url, .command_timeout_ms = 30000};
    sc_client *client = NULL;
    sc_reason reason = {""};

    if (sc_client_new(&opts, &client, &reason) || sc_client_wait_ready(client, 30000, &reason))
        fail_msg("no client for %s: %s", server->url, reason.text);
    return client;
}

/* A tiny reader of RESP2, apart from the library's own, so that tests don't trust what they test. */
struct reader {
    FILE *in;
    char *out;
    size_t len;
};

static void put(struct reader *r, const char *bytes, size_t len)
{
    if (r->len + len >= OUT_MAX)
        len = OUT_MAX - 1 - r->len;
    memcpy(r->out + r->len, bytes, len);
    r->len += len;
    r->out[r->len] = '\0';
}

static void read_reply(struct reader *r)
{
    char line[4096];
    long n;

    if (!fgets(line, sizeof(line), r->in)) {
        put(r, "(eof)", 5);
        return;
    }
    line[strcspn(line, "\r\n")] = '\0';
    n = strtol(line + 1, NULL, 10);
    if (line[0] == '$' && n >= 0) {
        char *bytes = malloc((size_t)n + 2);

        if (bytes && fread(bytes, 1, (size_t)n + 2, r->in) == (size_t)n + 2)
            put(r, bytes, (size_t)n);
        free(bytes);
    } else if (line[0] == '*' && n >= 0) {
        for (long i = 0; i < n; i++) {
            if (i)
                put(r, " ", 1);
            read_reply(r);
        }
    } else if ((line[0] == '$' || line[0] == '*') && n < 0) {
        put(r, "(nil)", 5);
    } else {
        put(r, line + 1, strlen(line + 1));
    }
}

/* By one descriptor: a second one, by dup(), may get a number that libuv has closed, of which ThreadSanitizer knows nothing and
 * so reports a race. */
static void send_words(int fd, const sc_slice *words, size_t count)
{
    char *bytes = NULL;
    size_t len = 0, sent = 0;
    FILE *to = open_memstream(&bytes, &len);

    assert_non_null(to);
    fprintf(to, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        fprintf(to, "$%zu\r\n", words[i].len);
        fwrite(words[i].ptr, 1, words[i].len, to);
        fputs("\r\n", to);
    }
    fclose(to);
    while (sent < len) {
        ssize_t n = send(fd, bytes + sent, len - sent, MSG_NOSIGNAL);

        assert_true(n > 0);
        sent += (size_t)n;
    }
    free(bytes);
}

const char *test_redis_words(const struct test_server *server, const sc_slice *words, size_t count)
{
    static char out[OUT_MAX];
    struct reader r = {.out = out};
    int fd = dial(server);

    assert_true(fd >= 0);
    send_words(fd, words, count);
    r.in = fdopen(fd, "r");
    out[0] = '\0';
    read_reply(&r);
    fclose(r.in);
    return out;
}

const char *test_redis(const struct test_server *server, const char *command)
{
    char *copy = strdup(command), *save = NULL;
    sc_slice words[WORDS_MAX];
    const char *reply;
    size_t n = 0;

    assert_non_null(copy);
    for (char *w = strtok_r(copy, " ", &save); w && n < WORDS_MAX; w = strtok_r(NULL, " ", &save))
        words[n++] = sc_slice_of(w);
    reply = test_redis_words(server, words, n);
    free(copy);
    return reply;
}
