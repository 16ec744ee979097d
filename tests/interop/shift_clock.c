/* For LD_PRELOAD: the date of a program, moved by the ms that stand in the first eight bytes of the file SHIFT_CLOCK. (libfaketime and the
 * server's jemalloc call each other for ever.) */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift_ms;

__attribute__((constructor)) static void open_shift(void)
{
    const char *path = getenv("SHIFT_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*shift_ms), PROT_READ, MAP_SHARED, fd, 0);

    if (map != MAP_FAILED)
        shift_ms = map;
    if (fd >= 0)
        close(fd);
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
    int64_t ms = shift_ms && id == CLOCK_REALTIME ? *shift_ms : 0;
    int code = (int)syscall(SYS_clock_gettime, id, ret);

    ret->tv_sec += ms / 1000;
    return code;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    struct timespec now;
    int code = clock_gettime(CLOCK_REALTIME, &now);

    (void)zone;
    ret->tv_sec = now.tv_sec;
    ret->tv_usec = now.tv_nsec / 1000;
    return code;
}

time_t time(time_t *ret)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}
