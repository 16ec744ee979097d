/* server/http.c and what it stands on, without an app: routing, limits, refusals, files. */
#include "server/http.h"
#include "support/http.h"
#include "support/pulse.h"
#include "support/test.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

static struct http *start(const struct http_opts *given)
{
    struct http_opts opts = given ? *given : (struct http_opts){0};
    struct http *http = NULL;
    sc_reason reason = {""};

    opts.listen = opts.listen ? opts.listen : "127.0.0.1:0";
    if (http_start(&opts, &http, &reason))
        fail_msg("the server did not start: %s", reason.text);
    return http;
}

static void expect_problem(const struct test_answer *answer, int status)
{
    char text[32];

    assert_int_equal(answer->status, status);
    assert_string_equal(test_header(answer, "Content-Type"), "application/problem+json");
    snprintf(text, sizeof(text), "\"status\":%d,", status);
    assert_non_null(strstr(answer->body, text));
    assert_non_null(strstr(answer->body, "\"type\":\"about:blank\",\"title\":\""));
    assert_non_null(strstr(answer->body, "\"detail\":\""));
    assert_non_null(strstr(answer->body, "\"instance\":\""));
}

TEST(the_page_is_served_with_headers_that_keep_other_sites_out)
{
    struct http *http = start(NULL);
    struct test_answer answer = {0};

    test_http(http_url(http), "GET", "/", NULL, NULL, &answer);

    assert_int_equal(answer.status, 200);
    assert_string_equal(test_header(&answer, "Content-Type"), "text/html; charset=utf-8");
    assert_string_equal(test_header(&answer, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(test_header(&answer, "Referrer-Policy"), "no-referrer");
    assert_non_null(strstr(test_header(&answer, "Content-Security-Policy"), "default-src 'none'"));
    assert_null(strstr(test_header(&answer, "Content-Security-Policy"), "unsafe"));
    assert_null(test_header(&answer, "Server"));
    assert_null(test_header(&answer, "X-Powered-By"));
    test_answer_release(&answer);
    http_stop(http);
}

TEST(a_file_that_the_client_has_is_not_sent_again)
{
    struct http *http = start(NULL);
    struct test_answer answer = {0};
    char header[128];

    test_http(http_url(http), "GET", "/", NULL, NULL, &answer);
    snprintf(header, sizeof(header), "If-None-Match: %s\r\n", test_header(&answer, "ETag"));
    test_http(http_url(http), "GET", "/", header, NULL, &answer);

    assert_int_equal(answer.status, 304);
    assert_int_equal(answer.len, 0);
    test_answer_release(&answer);
    http_stop(http);
}

TEST(head_gives_the_headers_of_get_without_a_body)
{
    struct http *http = start(NULL);
    struct test_answer get = {0}, head = {0};

    test_http(http_url(http), "GET", "/healthz", NULL, NULL, &get);
    test_http(http_url(http), "HEAD", "/healthz", NULL, NULL, &head);

    assert_int_equal(head.status, 200);
    assert_int_equal(head.len, 0);
    assert_int_equal(atoi(test_header(&head, "Content-Length")), (int)get.len);
    test_answer_release(&get);
    test_answer_release(&head);
    http_stop(http);
}

TEST(an_unknown_path_is_404_and_a_wrong_method_405_with_allow)
{
    struct http *http = start(NULL);
    struct test_answer answer = {0};

    test_http(http_url(http), "GET", "/nowhere?x=1", NULL, NULL, &answer);
    expect_problem(&answer, 404);
    assert_non_null(strstr(answer.body, "\"instance\":\"/nowhere\""));
    test_http(http_url(http), "DELETE", "/healthz", NULL, NULL, &answer);
    expect_problem(&answer, 405);
    assert_string_equal(test_header(&answer, "Allow"), "GET, HEAD");
    test_http(http_url(http), "OPTIONS", "/", NULL, NULL, &answer);
    expect_problem(&answer, 405);

    test_answer_release(&answer);
    http_stop(http);
}

TEST(no_path_leads_out_of_the_files)
{
    static const char *const paths[] = {"/assets/../http.c",
                                        "/assets/..%2f..%2fetc%2fpasswd",
                                        "/assets/%2e%2e/%2e%2e/etc/passwd",
                                        "/../../../etc/passwd",
                                        "//etc/passwd",
                                        "/assets//etc/passwd",
                                        "/assets/",
                                        "/assets",
                                        "/assets/index.html/",
                                        "/index.html"};
    struct http *http = start(NULL);
    struct test_answer answer = {0};

    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        test_http(http_url(http), "GET", paths[i], NULL, NULL, &answer);
        expect_problem(&answer, 404);
    }

    test_answer_release(&answer);
    http_stop(http);
}

TEST(addresses_that_cannot_be_decoded_are_400)
{
    static const char *const paths[] = {"/assets/%",       "/assets/%2",       "/assets/%zz",
                                        "/assets/a%00b",   "/assets/%ff",      "/assets/%c0%af",
                                        "/assets/%0d%0aX", "/assets/%ed%a0%80"};
    struct http *http = start(NULL);
    struct test_answer answer = {0};

    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        test_http(http_url(http), "GET", paths[i], NULL, NULL, &answer);
        expect_problem(&answer, 400);
    }

    test_answer_release(&answer);
    http_stop(http);
}

TEST(requests_that_are_not_http_do_no_harm)
{
    static const char *const requests[] = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nBroken header line\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    };
    struct http *http = start(&(struct http_opts){.receive_ms = 500});
    struct test_answer answer = {0};

    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        test_http_raw(http_url(http), requests[i], strlen(requests[i]), &answer);
        assert_true(answer.status == 0 || (answer.status >= 400 && answer.status < 506));
    }
    do /* again when its request took longer than it may */
        test_http(http_url(http), "GET", "/healthz", NULL, NULL, &answer);
    while (!answer.status || answer.status == 408);

    assert_int_equal(answer.status, 200);
    test_answer_release(&answer);
    http_stop(http);
}

TEST(headers_over_their_limit_are_refused)
{
    struct http *http = start(NULL);
    struct test_answer answer = {0};
    size_t len = 100 * 1024;
    char *bytes = malloc(len);

    memset(bytes, 'a', len);
    memcpy(bytes, "GET / HTTP/1.1\r\nHost: localhost\r\nX: ", 37);
    memcpy(bytes + len - 4, "\r\n\r\n", 4);
    test_http_raw(http_url(http), bytes, len, &answer);
    assert_true(answer.status == 0 || answer.status == 413 || answer.status == 431);
    test_http(http_url(http), "GET", "/healthz", NULL, NULL, &answer);

    assert_int_equal(answer.status, 200);
    free(bytes);
    test_answer_release(&answer);
    http_stop(http);
}

TEST(who_asks_before_sending_too_much_is_told_at_once)
{
    static const char *const requests[] = {
        "POST /healthz HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
        "Content-Length: 2000000\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000000\r\n\r\n"};
    struct http *http = start(NULL);
    struct test_answer answer = {0};

    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        test_http_raw(http_url(http), requests[i], strlen(requests[i]), &answer);
        expect_problem(&answer, 413);
    }

    test_answer_release(&answer);
    http_stop(http);
}

TEST(a_name_that_was_pointed_here_is_not_answered)
{
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: evil.example:8080\r\nConnection: close\r\n\r\n";
    struct http *http = start(NULL);
    struct test_answer answer = {0};

    test_http_raw(http_url(http), request, sizeof(request) - 1, &answer);

    expect_problem(&answer, 421);
    test_answer_release(&answer);
    http_stop(http);
}

TEST(a_busy_port_is_said_in_one_sentence_with_its_address)
{
    struct http *http = start(NULL), *second = NULL;
    struct http_opts opts = {.listen = http_url(http) + strlen("http://")};
    sc_reason reason = {""};

    assert_err(http_start(&opts, &second, &reason), SC_EBUSY);

    assert_non_null(strstr(reason.text, opts.listen));
    assert_non_null(strstr(reason.text, "--listen"));
    http_stop(http);
}

TEST(addresses_that_cannot_be_listened_on_are_explained)
{
    static const char *const bad[] = {"",
                                      "8080",
                                      "127.0.0.1",
                                      "127.0.0.1:http",
                                      "127.0.0.1:70000",
                                      "::1:8080",
                                      "no.such.host.invalid:80"};
    struct http *http = NULL;
    sc_reason reason = {""};

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct http_opts opts = {.listen = bad[i]};

        assert_err(http_start(&opts, &http, &reason), SC_EINVAL);
    }
    assert_err(http_start(&(struct http_opts){.listen = "0.0.0.0:0"}, &http, &reason), SC_EPERM);

    assert_non_null(strstr(reason.text, "--allow-remote"));
    http = start(&(struct http_opts){.listen = "0.0.0.0:0", .allow_remote = true});
    http_stop(http);
}

/* Opens `count` connections that never finish their request. */
static void open_slow_ones(const char *url, int *fds, size_t count)
{
    static const char begin[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";

    for (size_t i = 0; i < count; i++) {
        fds[i] = test_http_dial(url);
        assert_int_equal(send(fds[i], begin, sizeof(begin) - 1, MSG_NOSIGNAL), sizeof(begin) - 1);
    }
}

TEST(a_thousand_slow_clients_do_not_stop_others)
{
    enum { SLOW = 1000 };
    static int fds[SLOW];
    struct http *http = start(NULL);
    struct test_answer answer = {0};
    struct pulse pulse;
    int64_t began;

    open_slow_ones(http_url(http), fds, SLOW);
    pulse_start(&pulse, NULL, NULL);
    began = sc__mono_ms();
    test_http(http_url(http), "GET", "/healthz", NULL, NULL, &answer);

    assert_int_equal(answer.status, 200);
    assert_true(sc__mono_ms() - began < 2000 + pulse_stop(&pulse));
    for (size_t i = 0; i < SLOW; i++)
        close(fds[i]);
    test_answer_release(&answer);
    http_stop(http);
}

static bool is_closed(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

TEST(slow_clients_that_take_all_connections_lose_them_soon)
{
    enum { SLOW = 40 };
    int fds[SLOW];
    struct http *http = start(&(struct http_opts){.max_connections_per_addr = SLOW});
    struct test_answer answer = {0};

    open_slow_ones(http_url(http), fds, SLOW);
    wait_until((test_http(http_url(http), "GET", "/healthz", NULL, NULL, &answer), answer.status));

    assert_int_equal(answer.status, 200);
    for (size_t i = 0; i < SLOW; i++)
        close(fds[i]);
    test_answer_release(&answer);
    http_stop(http);
}

TEST(a_client_that_drips_bytes_is_ended_at_its_deadline)
{
    struct http *http = start(&(struct http_opts){.receive_ms = 1000});
    int fd = test_http_dial(http_url(http));

    assert_int_equal(send(fd, "GET / HTTP/1.1\r\n", 16, MSG_NOSIGNAL), 16);
    wait_until(send(fd, "X", 1, MSG_NOSIGNAL) != 1 || is_closed(fd));

    close(fd);
    http_stop(http);
}

TEST(a_stopping_server_ends_idle_connections_at_once)
{
    struct http *http = start(NULL);
    int fd = test_http_dial(http_url(http));
    struct pulse pulse;
    int64_t began = sc__mono_ms();

    pulse_start(&pulse, NULL, NULL);
    http_stop(http);

    assert_true(sc__mono_ms() - began < 3000 + pulse_stop(&pulse));
    close(fd);
}
