/* The system's time zone data: its files, and which ones they are. Where it has none, copies of the machine that built us. */
#ifndef SC_BASE_TZ_DATA_H
#define SC_BASE_TZ_DATA_H

#include <storychain/base.h>

/* Tells a file from the one that an update puts in its place. All 0: neither file nor copy. */
typedef struct sc__tz_stamp {
    bool is_copy; /* and the rest is 0 */
    uint64_t device, inode;
    int64_t size, changed_ns;
} sc__tz_stamp;

/* The bytes of a file of the folder, or of a copy; free with sc_free. SC_EIO, also for files of more than 256 KB; `path` is set
 * for a message then, too. The first copy that is read is told to the log. */
SC_MUST_USE sc_err sc__tz_read(const char *name, char *path, size_t path_size, sc_slice *ret_bytes,
                               sc__tz_stamp *ret_stamp);

#endif
