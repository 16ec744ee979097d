#include "process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static int64_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long long total, resident = 0;

    if (!file)
        return 0;
    if (fscanf(file, "%lld %lld", &total, &resident) != 2)
        resident = 0;
    fclose(file);
    return (int64_t)resident * sysconf(_SC_PAGESIZE);
}

static int64_t open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int64_t count = -3; /* ".", "..", and the folder itself */

    if (!folder)
        return 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* Field 22 of /proc/self/stat: ticks from boot to the process' start. */
static int64_t started_ms(void)
{
    FILE *file = fopen("/proc/self/stat", "re");
    unsigned long long ticks = 0;
    struct timespec boot;
    int got;

    if (!file)
        return 0;
    got = fscanf(file,
                 "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
                 "%*d %*d %*d %*d %llu",
                 &ticks);
    fclose(file);
    if (got != 1 || clock_gettime(CLOCK_BOOTTIME, &boot))
        return 0;
    return sc__wall_ms() - ((int64_t)boot.tv_sec * 1000 + boot.tv_nsec / 1000000) +
           (int64_t)(ticks * 1000 / (unsigned long long)sysconf(_SC_CLK_TCK));
}

void process_look(struct process_info *ret_info)
{
    struct rusage used = {0};

    getrusage(RUSAGE_SELF, &used);
    ret_info->resident_bytes = resident_bytes();
    ret_info->open_files = open_files();
    ret_info->cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                      (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    ret_info->started_ms = started_ms();
}
