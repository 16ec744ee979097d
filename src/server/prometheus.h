/* Prometheus' text format, version 0.0.4. */
#ifndef SERVER_PROMETHEUS_H
#define SERVER_PROMETHEUS_H

#include "base/str.h"

/* The two comment lines before a metric's samples. */
void prometheus_family(sc__str *out, const char *name, const char *type, const char *help);

/* A family of one sample without labels. */
void prometheus_value(sc__str *out, const char *name, const char *type, const char *help,
                      double value);

/* A family that is a histogram: `counts` of what is at most as large as each of `bounds`, and not as the one before; one more count for
 * what is larger than all. */
void prometheus_histogram(sc__str *out, const char *name, const char *help, const double *bounds,
                          const uint64_t *counts, size_t bound_count, double sum);

/* A sample with a label, and a second one unless `name2` is NULL. */
void prometheus_sample(sc__str *out, const char *name, const char *label, sc_slice text,
                       const char *label2, const char *text2, double value);

#endif
