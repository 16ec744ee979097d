#include "prometheus.h"

#include <math.h>

#include "base/prom_label.h"

static void write_number(sc__str *out, double value)
{
    if (value == floor(value) && fabs(value) < 9e15)
        sc__str_int(out, (int64_t)value);
    else
        sc__str_printf(out, "%.6f", value);
    sc__str_char(out, '\n');
}

void prometheus_family(sc__str *out, const char *name, const char *type, const char *help)
{
    sc__str_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void prometheus_value(sc__str *out, const char *name, const char *type, const char *help,
                      double value)
{
    prometheus_family(out, name, type, help);
    sc__str_printf(out, "%s ", name);
    write_number(out, value);
}

void prometheus_sample(sc__str *out, const char *name, const char *label, sc_slice text,
                       const char *label2, const char *text2, double value)
{
    sc__str_printf(out, "%s{", name);
    sc__prom_label(out, sc_slice_of(label), text);
    if (label2) {
        sc__str_char(out, ',');
        sc__prom_label(out, sc_slice_of(label2), sc_slice_of(text2));
    }
    sc__str_text(out, "} ");
    write_number(out, value);
}

void prometheus_histogram(sc__str *out, const char *name, const char *help, const double *bounds,
                          const uint64_t *counts, size_t bound_count, double sum)
{
    uint64_t count = 0;

    prometheus_family(out, name, "histogram", help);
    for (size_t i = 0; i <= bound_count; i++) {
        count += counts[i];
        if (i < bound_count)
            sc__str_printf(out, "%s_bucket{le=\"%g\"} %llu\n", name, bounds[i],
                           (unsigned long long)count);
    }
    sc__str_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n%s_count %llu\n", name,
                   (unsigned long long)count, name, sum, name, (unsigned long long)count);
}
