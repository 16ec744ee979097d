/* A label of Prometheus' text format: name="text", with \, " and line ends escaped. */
#ifndef SC_BASE_PROM_LABEL_H
#define SC_BASE_PROM_LABEL_H

#include "str.h"

void sc__prom_label(sc__str *out, sc_slice name, sc_slice text);

#endif
