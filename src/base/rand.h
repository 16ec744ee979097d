/* Random numbers from the kernel, for tokens and jitter. */
#ifndef SC_BASE_RAND_H
#define SC_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

#define SC__TOKEN_LEN 32

uint64_t sc__rand_u64(void);
double sc__rand_unit(void); /* in [0, 1) */

/* 128 random bits as hex digits and a NUL: lock tokens, UUID material. */
void sc__rand_token(char out[SC__TOKEN_LEN + 1]);

#endif
