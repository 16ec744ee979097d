/* What our peers of the benchmarks share; see bench/README.md, "A peer". */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <storychain/client.h>

/* Ends the program with a line on stderr. `reason` may be NULL. */
void die(const char *what, sc_err err, const sc_reason *reason);

/* The server at 127.0.0.1, port BENCH_PORT (7391), connected. Dies. */
sc_client *connect_client(void);

/* To be called before any thread starts, so that await_sigterm() alone gets it. */
void block_sigterm(void);
void await_sigterm(void);

#endif
