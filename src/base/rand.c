#include "rand.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static void fill(void *out, size_t len)
{
    /* Up to 256 bytes getrandom() neither blocks nor is cut short once the kernel's pool is up. */
    if (getrandom(out, len, 0) != (ssize_t)len)
        abort();
}

uint64_t sc__rand_u64(void)
{
    uint64_t value;

    fill(&value, sizeof(value));
    return value;
}

double sc__rand_unit(void)
{
    return (double)(sc__rand_u64() >> 11) * 0x1p-53;
}

void sc__rand_token(char out[SC__TOKEN_LEN + 1])
{
    snprintf(out, SC__TOKEN_LEN + 1, "%016llx%016llx", (unsigned long long)sc__rand_u64(),
             (unsigned long long)sc__rand_u64());
}

void sc__rand_uuid(char out[SC__UUID_LEN + 1])
{
    uint64_t high = sc__rand_u64(), low = sc__rand_u64();

    high = (high & ~UINT64_C(0xf000)) | UINT64_C(0x4000);                       /* version */
    low = (low & ~UINT64_C(0xc000000000000000)) | UINT64_C(0x8000000000000000); /* variant */
    snprintf(out, SC__UUID_LEN + 1, "%08llx-%04llx-%04llx-%04llx-%012llx",
             (unsigned long long)(high >> 32), (unsigned long long)(high >> 16 & 0xffff),
             (unsigned long long)(high & 0xffff), (unsigned long long)(low >> 48),
             (unsigned long long)(low & UINT64_C(0xffffffffffff)));
}
