/* Time. `wall` is the date, `mono` only goes forward and is for durations.
 *
 * Tests move time: sc__clock_shift() adds to what both clocks say, process-wide. */
#ifndef SC_BASE_CLOCK_H
#define SC_BASE_CLOCK_H

#include <stdint.h>

int64_t sc__wall_ms(void);
int64_t sc__mono_ms(void);
int64_t sc__mono_ns(void);
int64_t sc__mono_coarse_ms(void); /* up to 10 ms behind, and costs a quarter */

void sc__clock_shift(int64_t by_ms); /* for tests: adds up over calls */

#endif
