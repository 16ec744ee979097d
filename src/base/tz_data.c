#include "tz_data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "mem.h"
#include "tz.h"
#include "tz_names.h"
#include "zone_copies.h"

enum { FILE_BYTES_MAX = 256 * 1024, PATH_BYTES = 512 };

static sc__tz_stamp stamp_of(const struct stat *st)
{
    return (sc__tz_stamp){
        .device = st->st_dev,
        .inode = st->st_ino,
        .size = st->st_size,
        .changed_ns = st->st_mtim.tv_sec * 1000000000ll + st->st_mtim.tv_nsec,
    };
}

static sc_err read_all(int fd, size_t size, sc_slice *ret_bytes)
{
    char *bytes = sc__malloc(size ? size : 1);
    size_t len = 0;
    ssize_t n = 1;

    if (!bytes)
        return SC_ENOMEM;
    while (len < size && n) {
        n = read(fd, bytes + len, size - len);
        if (n < 0 && errno != EINTR) {
            sc_free(bytes);
            return SC_EIO;
        }
        len += n > 0 ? (size_t)n : 0;
    }
    *ret_bytes = (sc_slice){bytes, len};
    return SC_OK;
}

static void tell_copy(void)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;

    if (!atomic_flag_test_and_set(&told))
        sc__log(
            SC_LOG_WARN,
            "there is no time zone data in %s: the copy that is built in (%s) may be older than "
            "the clocks it is asked about; install the package tzdata",
            sc__tz_folder(), *SC__ZONE_COPIES_VERSION ? SC__ZONE_COPIES_VERSION : "?");
}

static sc_err read_copy(const char *name, sc_slice *ret_bytes, sc__tz_stamp *ret_stamp)
{
    const sc__zone_copy *copy = sc__tz_copy_find(sc_slice_of(name));
    char *bytes;

    if (!copy)
        return SC_EIO;
    bytes = sc__slice_dup((sc_slice){(const char *)copy->bytes, copy->len});
    if (!bytes)
        return SC_ENOMEM;
    *ret_bytes = (sc_slice){bytes, copy->len};
    *ret_stamp = (sc__tz_stamp){.is_copy = true};
    tell_copy();
    return SC_OK;
}

sc_err sc__tz_read(const char *name, char *path, size_t path_size, sc_slice *ret_bytes,
                   sc__tz_stamp *ret_stamp)
{
    sc_err err = SC_EIO;
    struct stat st;
    int fd;

    snprintf(path, path_size, "%s/%s", sc__tz_folder(), name);
    if (!sc__tz_has_folder())
        return read_copy(name, ret_bytes, ret_stamp);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return SC_EIO;
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size <= FILE_BYTES_MAX)
        err = read_all(fd, (size_t)st.st_size, ret_bytes);
    if (!err)
        *ret_stamp = stamp_of(&st);
    close(fd);
    return err;
}

bool sc_zone_is_stale(const sc_zone *zone)
{
    char path[PATH_BYTES];
    sc__tz_stamp now;
    struct stat st;

    if (!zone->stamp.inode && !zone->stamp.is_copy)
        return false;
    snprintf(path, sizeof(path), "%s/%s", sc__tz_folder(), zone->name);
    if (stat(path, &st))
        return false;
    now = stamp_of(&st);
    return now.device != zone->stamp.device || now.inode != zone->stamp.inode ||
           now.size != zone->stamp.size || now.changed_ns != zone->stamp.changed_ns;
}

/* The word behind `before` at the beginning of a file of the folder. */
static bool version_in(const char *name, const char *before,
                       char ret_version[SC_TZDB_VERSION_MAX + 1])
{
    char path[PATH_BYTES], line[64] = "";
    size_t skip = strlen(before), len;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", sc__tz_folder(), name);
    f = fopen(path, "re");
    if (!f)
        return false;
    if (!fgets(line, sizeof(line), f))
        line[0] = '\0';
    fclose(f);
    len = strncmp(line, before, skip) == 0 ? strcspn(line + skip, " \r\n") : 0;
    if (!len || len > SC_TZDB_VERSION_MAX)
        return false;
    memcpy(ret_version, line + skip, len);
    ret_version[len] = '\0';
    return true;
}

sc_err sc_tzdb_version(char ret_version[SC_TZDB_VERSION_MAX + 1])
{
    if (!sc__tz_has_folder() && *SC__ZONE_COPIES_VERSION) {
        snprintf(ret_version, SC_TZDB_VERSION_MAX + 1, "%s", SC__ZONE_COPIES_VERSION);
        return SC_OK;
    }
    /* Where tzdata is built with its sources there is tzdata.zi; BSDs and macOS have +VERSION. */
    return version_in("tzdata.zi", "# version ", ret_version) ||
                   version_in("+VERSION", "", ret_version)
               ? SC_OK
               : SC_ENOTFOUND;
}
