/* server/routes.c: the table. */
#include "server/handlers.h"
#include "server/routes.h"
#include "support/test.h"

TEST(every_route_is_in_the_manual)
{
    static char manual[64 * 1024];
    FILE *file = fopen(SC_SOURCE_DIR "/docs/http.md", "re");
    char line[256];

    assert_non_null(file);
    manual[fread(manual, 1, sizeof(manual) - 1, file)] = '\0';
    fclose(file);

    for (size_t i = 0; i < routes_count(); i++) {
        snprintf(line, sizeof(line), "`%s %s", routes[i].method, routes[i].path);
        if (!strstr(manual, line))
            fail_msg("docs/http.md does not have %s`", line);
    }
}

TEST(no_two_routes_answer_the_same_and_each_says_what_it_is_for)
{
    for (size_t i = 0; i < routes_count(); i++) {
        assert_non_null(routes[i].handler);
        assert_true(routes[i].summary[0] >= 'A' && routes[i].summary[0] <= 'Z');
        for (size_t j = 0; j < i; j++)
            assert_false(strcmp(routes[i].method, routes[j].method) == 0 &&
                         strcmp(routes[i].path, routes[j].path) == 0);
    }
}

static sc_err find(struct http_shared *shared, const char *target, const struct route **ret_route,
                   char *ret_param, size_t size)
{
    struct request *request = request_new(shared, target);
    char allowed[ROUTES_ALLOW];
    sc_err err;

    assert_non_null(request);
    request->method = "GET";
    err = routes_find(request, ret_route, allowed, NULL);
    request->route = err ? NULL : *ret_route;
    snprintf(ret_param, size, "%s", request->params[0].ptr ? request->params[0].ptr : "");
    request_free(request);
    return err;
}

TEST(parts_of_a_path_are_decoded_after_it_is_cut)
{
    struct http_shared shared = {.max_body = 1024};
    const struct route *route = NULL;
    char param[64];

    assert_ok(find(&shared, "/api/stories/a%2Fb%20%C3%A9/tree?x=/y", &route, param, sizeof(param)));

    assert_string_equal(route->path, "/api/stories/:slug/tree");
    assert_string_equal(param, "a/b \xc3\xa9");
}

TEST(fixed_parts_go_before_parameters)
{
    struct http_shared shared = {.max_body = 1024};
    const struct route *route = NULL;
    char param[64];

    assert_ok(find(&shared, "/api/users/u1/notifications/count", &route, param, sizeof(param)));

    assert_true(route->handler == route_notification_count);
    assert_string_equal(param, "u1");
}
