/* Random numbers from the kernel, for tokens and jitter. */
#ifndef SC_BASE_RAND_H
#define SC_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

#define SC__TOKEN_LEN 32

uint64_t sc__rand_u64(void);
double sc__rand_unit(void); /* in [0, 1) */

/* 128 random bits as hex digits and a NUL: lock tokens. */
void sc__rand_token(char out[SC__TOKEN_LEN + 1]);

/* A random UUID (RFC 9562's version 4) in lower case and a NUL. */
#define SC__UUID_LEN 36
void sc__rand_uuid(char out[SC__UUID_LEN + 1]);

#endif
