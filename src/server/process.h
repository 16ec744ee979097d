/* What the process uses, read from /proc. */
#ifndef SERVER_PROCESS_H
#define SERVER_PROCESS_H

#include <stdint.h>

struct process_info {
    int64_t resident_bytes;
    int64_t open_files;
    double cpu_s;
    int64_t started_ms; /* wall */
};

/* Figures that can't be read are 0. */
void process_look(struct process_info *ret_info);

#endif
