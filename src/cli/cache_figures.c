#include "cache_figures.h"

#include <stdlib.h>

#include "http_get.h"

enum { METRICS_MAX = 4 * 1024 * 1024 };

#define METRIC "storychain_cache_"

/* "storychain_cache_hits_total 12" becomes "hits": 12. What has labels is left out. */
static void add_metric(json_t *shape, char *line)
{
    char *value = strchr(line, ' '), *end;
    double number;

    if (strncmp(line, METRIC, strlen(METRIC)) != 0 || !value ||
        memchr(line, '{', (size_t)(value - line)))
        return;
    *value++ = '\0';
    line += strlen(METRIC);
    end = strstr(line, "_total");
    if (end && end[6] == '\0')
        *end = '\0';
    number = strtod(value, NULL);
    if (number == (double)(json_int_t)number)
        json_object_set_new(shape, line, json_integer((json_int_t)number));
    else
        json_object_set_new(shape, line, json_real(number));
}

json_t *cache_figures_read(const char *url)
{
    AUTO_STR text = STR_MAX(METRICS_MAX);
    json_t *shape;
    char *save;

    if (http_get(url, &text, NULL) || !text.len)
        return NULL;
    shape = json_object();
    for (char *line = strtok_r(text.ptr, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        add_metric(shape, line);
    if (json_object_size(shape))
        return shape;
    json_decref(shape); /* another program's */
    return NULL;
}
