#include "paths.h"

#include "base/error.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static sc_err make_one(const char *path, sc_reason *ret_reason)
{
    if (!mkdir(path, 0700) || errno == EEXIST)
        return SC_OK;
    return sc__because(ret_reason,
                       errno == EACCES || errno == EROFS || errno == EPERM ? SC_EPERM : SC_EIO,
                       "the state folder %s can't be made: %s; name another with --state-dir", path,
                       strerror(errno));
}

sc_err state_folder_make(const char *folder, sc_reason *ret_reason)
{
    char path[PATH_MAX];
    struct stat st;
    sc_err err = SC_OK;

    if (!*folder)
        return sc__because(ret_reason, SC_EINVAL,
                           "the name of the state folder is empty; name one with --state-dir");
    if (snprintf(path, sizeof(path), "%s", folder) >= (int)sizeof(path))
        return sc__because(
            ret_reason, SC_EINVAL,
            "the path of the state folder is too long; name another with --state-dir");
    for (char *slash = strchr(path + 1, '/'); !err && slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        err = make_one(path, ret_reason);
        *slash = '/';
    }
    if (!err)
        err = make_one(path, ret_reason);
    if (err)
        return err;
    if (stat(path, &st) || !S_ISDIR(st.st_mode))
        return sc__because(ret_reason, SC_EIO, "%s is not a folder; name another with --state-dir",
                           path);
    if (access(path, W_OK | X_OK))
        return sc__because(ret_reason, SC_EPERM,
                           "the state folder %s is not ours to write: %s; mend its rights, or name "
                           "another with --state-dir",
                           path, strerror(errno));
    return SC_OK;
}

/* What sqlite:// URLs hold must be absolute, and stays true when the process changes its folder. */
static char *below(const char *before, const char *folder, const char *name, sc__arena *arena)
{
    char real[PATH_MAX];

    return sc__arena_printf(arena, "%s%s/%s", before, realpath(folder, real) ? real : folder, name);
}

char *state_store_url(const char *folder, sc__arena *arena)
{
    return below("sqlite://", folder, "storychain.db", arena);
}

char *state_redis_folder(const char *folder, sc__arena *arena)
{
    return below("", folder, "redis", arena);
}

char *state_mail_folder(const char *folder, sc__arena *arena)
{
    return below("", folder, "mail", arena);
}
