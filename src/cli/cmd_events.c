/* storychain events: what happens in a queue, a line an event, until the user ends it. */
#include <signal.h>
#include <unistd.h>

#include <storychain/events.h>

#include "app/job_shapes.h"
#include "cmds.h"
#include "connect.h"
#include "signals.h"

enum { LINE_BYTES_MAX = 1024 * 1024 };

/* Fields that hold JSON in BullMQ's events. */
static bool is_json(const sc_event *event, sc_slice field)
{
    return (event->kind == SC_EVENT_COMPLETED && sc_slice_eq(field, SC_S("returnvalue"))) ||
           (event->kind == SC_EVENT_PROGRESS && sc_slice_eq(field, SC_S("data")));
}

static json_t *event_shape(const sc_event *event)
{
    json_t *shape = json_object(), *fields = json_object();

    for (size_t i = 0; i < event->field_count; i++) {
        const sc_event_field *f = &event->fields[i];

        json_object_setn_new(fields, f->name.len ? f->name.ptr : "", f->name.len,
                             is_json(event, f->name) ? value_shape(f->value)
                                                     : text_shape(f->value));
    }
    json_object_set_new(shape, "id", text_shape(event->id));
    json_object_set_new(shape, "event", text_shape(event->name));
    json_object_set_new(shape, "fields", fields);
    return shape;
}

static void write_json(sc__str *line, const sc_event *event)
{
    AUTO_JSON *shape = event_shape(event);

    sc__json_write(line, shape);
}

/* Other programs' bytes go to a terminal: quoted, so that none of them steers it. */
static void write_text(sc__str *line, const sc_event *event)
{
    sc__str_printf(line, "%.*s ", (int)event->id.len, event->id.ptr);
    sc__str_json(line, event->name);
    for (size_t i = 0; i < event->field_count; i++) {
        sc__str_char(line, ' ');
        sc__str_json(line, event->fields[i].name);
        sc__str_char(line, '=');
        sc__str_json(line, event->fields[i].value);
    }
}

/* Waiting for a slow reader of our output holds back nobody but ourselves. */
static void print_event(void *user, const sc_event *event)
{
    const struct cli *cli = user;
    AUTO_STR line = STR_MAX(LINE_BYTES_MAX);

    if (cli->json)
        write_json(&line, event);
    else
        write_text(&line, event);
    if (line.err)
        fprintf(stderr, "storychain events: %.*s is too long to be shown\n", (int)event->id.len,
                event->id.ptr);
    else
        printf("%.*s\n", (int)line.len, line.ptr);
    if (fflush(stdout))
        kill(getpid(), SIGTERM); /* nobody reads any more: the end, as if asked for */
}

static int follow(struct cli *cli, sc_queue *queue)
{
    const char *from = cli_flag(cli, "from");
    const sc_events_opts opts = {.last_id = sc_slice_of(from)};
    sc_events *events;
    sc_reason why = {""};
    sc_err err = sc_events_new(queue, &opts, &events, &why);

    if (err)
        return cli_fail_err(cli, err, &why, NULL);
    err = sc_events_start(events, print_event, cli);
    if (!err)
        signals_wait();
    sc_events_free(events);
    return err ? cli_fail_err(cli, err, NULL, NULL) : EXIT_OK;
}

int cmd_events(struct cli *cli)
{
    sc_client *client;
    sc_queue *queue;
    int code;

    if (!signals_start())
        return cli_fail(cli, EXIT_FAILED, "there is no room for a thread");
    code = cli_connect(cli, &client);
    if (code)
        return code;
    code = cli_check_queue(cli, client, sc_slice_of(cli->words[0]));
    if (!code)
        code = cli_open_queue(cli, client, sc_slice_of(cli->words[0]), &queue);
    if (!code) {
        code = follow(cli, queue);
        sc_queue_free(queue);
    }
    sc_client_free(client);
    return code;
}
