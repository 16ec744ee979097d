#include "logger.h"

#include "base/clock.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 16 * 1024 /* a text of which JSON escapes every byte */ };

static const char *const names[] = {[SC_LOG_DEBUG] = "debug",
                                    [SC_LOG_INFO] = "info",
                                    [SC_LOG_WARN] = "warn",
                                    [SC_LOG_ERROR] = "error"};

/* Set once before any thread starts. */
static sc_log_level least = SC_LOG_INFO;
static bool as_json, colours;

static void time_text(char out[32], bool date)
{
    int64_t now = sc__wall_ms();
    time_t seconds = now / 1000;
    struct tm tm;
    size_t n;

    gmtime_r(&seconds, &tm);
    n = strftime(out, 32, date ? "%Y-%m-%dT%H:%M:%S" : "%H:%M:%S", &tm);
    snprintf(out + n, 32 - n, ".%03dZ", (int)(now % 1000));
}

static void append_plain(sc__str *line, const char *text)
{
    for (; *text; text++)
        sc__str_char(line, (unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text);
}

static void write_line(sc_log_level level, const char *text, void *user)
{
    static const char *const paints[] = {[SC_LOG_DEBUG] = "\x1b[2m",
                                         [SC_LOG_INFO] = "",
                                         [SC_LOG_WARN] = "\x1b[33m",
                                         [SC_LOG_ERROR] = "\x1b[31m"};
    AUTO_STR line = STR_MAX(LOG_LINE_MAX);
    char when[32];

    (void)user;
    if (level < least)
        return;
    time_text(when, as_json);
    if (as_json) {
        sc__str_printf(&line, "{\"ts\":\"%s\",\"level\":\"%s\",\"msg\":", when, names[level]);
        sc__str_json(&line, sc_slice_of(text));
        sc__str_text(&line, "}\n");
    } else {
        sc__str_printf(&line, "%s %s%-5s ", when, colours ? paints[level] : "", names[level]);
        append_plain(&line, text);
        sc__str_text(&line, colours && *paints[level] ? "\x1b[0m\n" : "\n");
    }
    /* One write, so that lines of many threads don't mix. A log that can't be written is no reason to stop. */
    if (!line.err && write(STDERR_FILENO, line.ptr, line.len) < 0)
        return;
}

void logger_start(const char *level, const char *format)
{
    bool terminal = isatty(STDERR_FILENO);

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (!strcmp(names[i], level))
            least = (sc_log_level)i;
    as_json = !strcmp(format, "json") || (!strcmp(format, "auto") && !terminal);
    colours = terminal && !getenv("NO_COLOR");
    sc_set_log(write_line, NULL);
}
