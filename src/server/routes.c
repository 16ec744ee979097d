#include "routes.h"

#include "base/error.h"
#include "handlers.h"

#define QUEUE "/api/queues/:queue"
#define JOB QUEUE "/jobs/:id"
#define STORY "/api/stories/:slug"
#define USER "/api/users/:id"
#define NOTES USER "/notifications"
#define AUTOSAVE USER "/autosaves/:slug/:chapter"

const struct route routes[] = {
    {"GET", "/", route_page, SCOPE_PROBE, "The dashboard"},
    {"GET", "/assets/:file", route_asset, SCOPE_PROBE, "A file of the dashboard"},
    {"GET", "/healthz", route_healthz, SCOPE_PROBE, "Whether the process runs"},
    {"GET", "/readyz", route_readyz, SCOPE_READ, "Whether Redis and the store answer"},
    {"GET", "/metrics", route_metrics, SCOPE_READ, "Figures as Prometheus text"},
    {"GET", "/api/server", route_server, SCOPE_READ, "What the server is and runs on"},

    {"GET", "/api/stories", route_stories, SCOPE_READ,
     "A list of stories (list=published, new, featured, trending), or those that have all words of "
     "q"},
    {"POST", "/api/stories", route_story_create, SCOPE_WRITE, "Begin a story"},
    {"GET", STORY, route_story, SCOPE_READ, "A story"},
    {"GET", STORY "/overview", route_story_overview, SCOPE_READ, "A story and its collaborators"},
    {"GET", STORY "/tree", route_story_tree, SCOPE_READ,
     "Its chapters in the order of reading, without text"},
    {"POST", STORY "/publish", route_story_publish, SCOPE_WRITE, "Make a draft public"},
    {"POST", STORY "/chapters", route_chapter_publish, SCOPE_WRITE, "Publish a chapter"},
    {"GET", STORY "/chapters/:chapter", route_chapter, SCOPE_READ, "A chapter"},
    {"PUT", STORY "/followers/:id", route_story_follow, SCOPE_WRITE, "Follow a story"},
    {"DELETE", STORY "/followers/:id", route_story_unfollow, SCOPE_WRITE, "Follow it no longer"},
    {"PUT", STORY "/collaborators/:id", route_collaborator_put, SCOPE_WRITE,
     "Let a user write with the author, or change the role"},
    {"DELETE", STORY "/collaborators/:id", route_collaborator_remove, SCOPE_WRITE,
     "End a collaboration"},

    {"POST", "/api/users", route_user_put, SCOPE_WRITE, "Add a user, or change name and email"},
    {"GET", USER, route_user, SCOPE_READ, "A user's profile"},
    {"GET", USER "/stories", route_user_stories, SCOPE_READ, "A user's stories"},
    {"GET", USER "/history/:slug", route_history, SCOPE_READ, "What a user has read of a story"},
    {"PUT", USER "/history/:slug/:chapter", route_history_read, SCOPE_WRITE,
     "Note that a user has read a chapter"},
    {"GET", AUTOSAVE, route_autosave, SCOPE_READ, "What a user is writing"},
    {"PUT", AUTOSAVE, route_autosave_put, SCOPE_WRITE, "Keep what a user is writing"},
    {"DELETE", AUTOSAVE, route_autosave_remove, SCOPE_WRITE, "Forget it"},
    {"GET", NOTES, route_notifications, SCOPE_READ, "A user's notifications, newest first"},
    {"POST", NOTES, route_notification_create, SCOPE_WRITE, "Tell a user something"},
    {"GET", NOTES "/count", route_notification_count, SCOPE_READ, "How many are unread"},
    {"POST", NOTES "/read", route_notifications_read, SCOPE_WRITE, "Mark all as read"},
    {"POST", NOTES "/:nid/read", route_notification_read, SCOPE_WRITE, "Mark one as read"},

    {"POST", "/api/events", route_event, SCOPE_WRITE, "Record what somebody did"},

    {"GET", "/api/queues", route_queues, SCOPE_READ, "All queues with their counts"},
    {"GET", QUEUE, route_queue, SCOPE_READ, "A queue with its counts"},
    {"POST", QUEUE "/pause", route_queue_pause, SCOPE_OPERATE, "Stop handing out jobs of a queue"},
    {"POST", QUEUE "/resume", route_queue_resume, SCOPE_OPERATE, "Hand out its jobs again"},
    {"GET", QUEUE "/jobs", route_queue_jobs, SCOPE_READ,
     "A queue's newest jobs, of a state or all"},
    {"GET", JOB, route_job, SCOPE_READ, "A job with its data, options, log and stack trace"},
    {"POST", JOB "/retry", route_job_retry, SCOPE_OPERATE, "Let a failed job wait again"},
    {"POST", JOB "/promote", route_job_promote, SCOPE_OPERATE, "Let a delayed job wait at once"},
    {"POST", JOB "/remove", route_job_remove, SCOPE_OPERATE, "Remove a job"},
    {"POST", JOB "/cancel", route_job_cancel, SCOPE_OPERATE,
     "Let a job fail for good, with a reason if the body has one, and tell it to stop if it runs"},
    {"GET", "/api/jobs", route_jobs, SCOPE_READ, "The newest jobs of all queues"},
    {"GET", "/api/schedules", route_schedules, SCOPE_READ, "Schedules by their next run"},
    {NULL, NULL, NULL, SCOPE_PROBE, NULL},
};

size_t routes_count(void)
{
    return sizeof(routes) / sizeof(*routes) - 1;
}

/* Cuts the next part of a path, which begins with '/'. */
static sc_slice next_part(sc_slice *rest)
{
    const char *end = rest->len > 1 ? memchr(rest->ptr + 1, '/', rest->len - 1) : NULL;
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    sc_slice part = {rest->ptr + 1, len - 1};

    rest->ptr += len;
    rest->len -= len;
    return part;
}

/* Whether the path is the route's; its parameters, still encoded, go to `raw`. */
static bool fits(const struct route *route, sc_slice path, sc_slice raw[REQUEST_PARAMS])
{
    sc_slice pattern = sc_slice_of(route->path);
    size_t n = 0;

    if (!path.len || path.ptr[0] != '/')
        return false;
    while (pattern.len && path.len) {
        sc_slice want = next_part(&pattern), part = next_part(&path);

        if (want.len && want.ptr[0] == ':') {
            if (!part.len)
                return false;
            raw[n++] = part;
        } else if (!sc_slice_eq(want, part))
            return false;
    }
    return !pattern.len && !path.len;
}

static void allow(char list[ROUTES_ALLOW], const char *method)
{
    size_t at = strlen(list);

    snprintf(list + at, ROUTES_ALLOW - at, "%s%s%s", at ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

sc_err routes_find(struct request *request, const struct route **ret_route,
                   char ret_allow[ROUTES_ALLOW], sc_reason *ret_reason)
{
    sc_slice raw[REQUEST_PARAMS] = {{NULL, 0}};

    ret_allow[0] = '\0';
    for (const struct route *r = routes; r->method; r++) {
        if (!fits(r, request->path, raw))
            continue;
        if (strcmp(r->method, request->method) != 0) {
            allow(ret_allow, r->method);
            continue;
        }
        *ret_route = r;
        for (size_t i = 0; i < REQUEST_PARAMS && raw[i].ptr; i++) {
            sc_err err = request_decode(request, raw[i], &request->params[i], ret_reason);

            if (err)
                return err;
        }
        return SC_OK;
    }
    *ret_route = NULL;
    return SC_OK;
}
