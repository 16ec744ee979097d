/* redis/tls.c: rediss://, with certificates made for the test */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <storychain/cache.h>

#include "support/server.h"
#include "support/test.h"

struct tls_server {
    struct test_server base;
    char url[64];
    char ca[128], other_ca[128], cert[128], key[128];
};

static const char *in_folder(char out[128], const char *name)
{
    snprintf(out, 128, "%s/%s", test_folder(), name);
    return out;
}

static void run(const char *command)
{
    char line[2048];

    snprintf(line, sizeof(line), "cd %s && { %s; } >openssl.log 2>&1", test_folder(), command);
    if (system(line) != 0)
        fail_msg("failed: %s", command);
}

/* Two authorities; a server's certificate for localhost by the first. */
static void make_certificates(void)
{
    run("openssl ecparam -name prime256v1 -genkey -noout -out ca.key && openssl req -x509 -new "
        "-key ca.key -days 2 "
        "-subj /CN=first -out ca.pem");
    run("openssl ecparam -name prime256v1 -genkey -noout -out other.key && openssl req -x509 -new "
        "-key other.key "
        "-days 2 -subj /CN=second -out other.pem");
    run("openssl ecparam -name prime256v1 -genkey -noout -out server.key && openssl req -new -key "
        "server.key -subj "
        "/CN=server -out server.csr && echo 'subjectAltName=DNS:localhost,DNS:redis.example' >ext "
        "&& openssl x509 "
        "-req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out "
        "server.pem");
}

static void start(struct tls_server *s, const char *auth_clients)
{
    static char port[8];
    const char *args[] = {"--tls-port",
                          port,
                          "--tls-cert-file",
                          s->cert,
                          "--tls-key-file",
                          s->key,
                          "--tls-ca-cert-file",
                          s->ca,
                          "--tls-auth-clients",
                          auth_clients,
                          "--bind",
                          "127.0.0.1",
                          NULL};

    make_certificates();
    in_folder(s->ca, "ca.pem");
    in_folder(s->other_ca, "other.pem");
    in_folder(s->cert, "server.pem");
    in_folder(s->key, "server.key");
    test_free_port(port);
    snprintf(s->url, sizeof(s->url), "rediss://localhost:%s", port);
    test_server_start_args(&s->base, args);
}

/* What waiting for a connection gives, and why. */
static sc_err try(const sc_client_opts *opts, int64_t wait_ms, sc_reason *reason)
{
    sc_client *client;
    sc_err err;

    *reason = (sc_reason){""};
    assert_ok(sc_client_new(opts, &client, reason));
    err = sc_client_wait_ready(client, wait_ms, reason);
    sc_client_free(client);
    return err;
}

static void assert_accepted(const sc_client_opts *opts)
{
    sc_reason reason;

    assert_ok(try(opts, 60000, &reason));
}

/* Tries until it hears why: no attempt may have come so far on a busy machine. */
static void assert_refused(const sc_client_opts *opts, const char *why)
{
    sc_reason reason;

    do
        assert_err(try(opts, 500, &reason), SC_ETIMEDOUT);
    while (strstr(reason.text, "no answer yet"));
    if (!strstr(reason.text, why))
        fail_msg("the reason is \"%s\", without \"%s\"", reason.text, why);
}

TEST(commands_of_all_sizes_go_through_tls)
{
    struct tls_server s;
    start(&s, "no");
    sc_client_opts opts = {.url = s.url, .tls_ca_file = s.ca};
    sc_client *client;
    size_t big = (size_t)20 * 1024 * 1024;
    char *bytes = malloc(big);
    memset(bytes, 'x', big);
    assert_ok(sc_client_new(&opts, &client, NULL));

    for (size_t len = 1; len <= big; len = len * 20) {
        const sc_slice set[] = {SC_S("SET"), SC_S("k"), {bytes, len}};
        const sc_slice get[] = {SC_S("GET"), SC_S("k")};
        sc_reply *reply;

        assert_ok(sc_client_call(client, set, 3, &reply));
        sc_reply_free(reply);
        assert_ok(sc_client_call(client, get, 2, &reply));
        assert_true(reply->str.len == len && memcmp(reply->str.ptr, bytes, len) == 0);
        sc_reply_free(reply);
    }

    sc_client_free(client);
    free(bytes);
}

TEST(a_certificate_of_a_stranger_is_refused)
{
    struct tls_server s;
    start(&s, "no");

    sc_client_opts opts = {.url = s.url, .tls_ca_file = s.other_ca};
    assert_refused(&opts, "certificate is not accepted");
    opts.tls_ca_file = NULL; /* the system's store does not know it either */
    assert_refused(&opts, "certificate is not accepted");

    opts.tls_insecure = true;
    assert_accepted(&opts);
}

TEST(the_name_is_checked_against_the_certificate)
{
    struct tls_server s;
    start(&s, "no");

    sc_client_opts opts = {.url = s.url, .tls_ca_file = s.ca, .tls_server_name = "evil.example"};
    assert_refused(&opts, "hostname mismatch");
    opts.tls_server_name = "127.0.0.1";
    assert_refused(&opts, "IP address mismatch");

    opts.tls_server_name = "redis.example";
    assert_accepted(&opts);
}

TEST(a_server_that_asks_for_a_certificate_gets_ours)
{
    struct tls_server s;
    start(&s, "yes");

    sc_client_opts opts = {.url = s.url, .tls_ca_file = s.ca};
    assert_refused(&opts, "");
    opts.tls_cert_file = s.cert;
    opts.tls_key_file = s.key;

    assert_accepted(&opts);
}

static bool gives(sc_cache *cache, const char *expected, sc_cache_source source)
{
    sc_cache_value value;
    bool same;

    assert_ok(sc_cache_get(cache, SC_S("k"), &value));
    same = sc_slice_eq(value.bytes, sc_slice_of(expected)) && value.source == source;
    sc_cache_value_release(&value);
    return same;
}

TEST(a_caches_own_connection_has_its_clients_certificate_user_and_database)
{
    const sc_slice set[] = {SC_S("SET"), SC_S("k"), SC_S("w")};
    const sc_cache_opts near = {.timeout_ms = 10000, .near_bytes = 100000};
    struct tls_server s;
    start(&s, "yes");
    sc_client_opts opts = {.tls_ca_file = s.ca, .tls_cert_file = s.cert, .tls_key_file = s.key};
    sc_client *client;
    sc_cache *cache;
    sc_reply *reply;
    char url[128];
    test_redis(&s.base, "ACL SETUSER ann on >secret ~* +@all");
    snprintf(url, sizeof(url), "rediss://ann:secret@%s/3", s.url + strlen("rediss://"));
    opts.url = url;
    assert_ok(sc_client_new(&opts, &client, NULL));
    assert_ok(sc_cache_new(client, &near, &cache, NULL));

    assert_ok(sc_cache_set(cache, SC_S("k"), SC_S("v"), 60000));
    wait_until(gives(cache, "v", SC_CACHE_NEAR));
    assert_ok(sc_client_call(client, set, 3, &reply));
    sc_reply_free(reply);

    wait_until(gives(cache, "w", SC_CACHE_NEAR));
    assert_string_equal(test_redis(&s.base, "EXISTS k"), "0"); /* in database 0 */
    sc_cache_free(cache);
    sc_client_free(client);
}

TEST(files_that_can_not_be_used_are_refused_at_once)
{
    sc_client *client = NULL;
    sc_reason reason = {""};
    char other_key[128], ca[128];
    make_certificates();
    in_folder(other_key, "other.key");
    in_folder(ca, "ca.pem");

    sc_client_opts opts = {.url = "rediss://localhost", .tls_ca_file = "/nowhere.pem"};
    assert_err(sc_client_new(&opts, &client, &reason), SC_EINVAL);
    assert_non_null(strstr(reason.text, "/nowhere.pem"));

    opts = (sc_client_opts){.url = "rediss://localhost", .tls_cert_file = ca};
    assert_err(sc_client_new(&opts, &client, &reason), SC_EINVAL);
    opts.tls_key_file = other_key;
    assert_err(sc_client_new(&opts, &client, &reason), SC_EINVAL);
    assert_non_null(strstr(reason.text, "other.key"));
}

TEST(a_server_without_tls_is_no_server)
{
    struct test_server server;
    char port[8], url[64];
    test_free_port(port);
    snprintf(url, sizeof(url), "rediss://127.0.0.1:%s", port);
    test_server_start_args(&server, (const char *const[]){"--port", port, NULL});

    sc_client_opts opts = {.url = url, .connect_timeout_ms = 300};

    assert_refused(&opts, url);
}
