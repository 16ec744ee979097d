#include "maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/rand.h"

static sc_err failed(sc_reason *reason, const char *doing, const char *path)
{
    return sc__because(reason, SC_EIO, "can't %s %s: %s", doing, path, strerror(errno));
}

static sc_err make_folder(const char *path, sc_reason *ret_reason)
{
    struct stat st;

    if (mkdir(path, 0700) == 0 || (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return SC_OK;
    return failed(ret_reason, "make the mail folder", path);
}

sc_err maildir_prepare(const char *folder, sc_reason *ret_reason)
{
    static const char *const parts[] = {"", "/tmp", "/new", "/cur"};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        sc_err err;

        if ((size_t)snprintf(path, sizeof(path), "%s%s", folder, parts[i]) >= sizeof(path))
            return sc__because(ret_reason, SC_EIO, "the mail folder's path is too long");
        err = make_folder(path, ret_reason);
        if (err)
            return err;
    }
    return SC_OK;
}

static bool is_name(const char *name)
{
    size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    return len > 0 && len < 200 && name[len] == '\0' && name[0] != '.';
}

static bool write_all(int fd, sc_slice bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes.ptr += n;
        bytes.len -= (size_t)n;
    }
    return true;
}

static sc_err write_file(const char *path, sc_slice bytes, sc_reason *ret_reason)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    sc_err err = SC_OK;

    if (fd < 0)
        return failed(ret_reason, "write the mail", path);
    if (!write_all(fd, bytes) || fsync(fd))
        err = failed(ret_reason, "write the mail", path);
    if (close(fd) && !err)
        err = failed(ret_reason, "write the mail", path);
    if (err)
        unlink(path);
    return err;
}

/* The rename is on the disk only when its folder is. */
static sc_err flush_folder(const char *path, sc_reason *ret_reason)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    sc_err err = SC_OK;

    if (fd < 0 || fsync(fd))
        err = failed(ret_reason, "flush the mail folder", path);
    if (fd >= 0)
        close(fd);
    return err;
}

/* A reader that has seen the mail moved it to cur/<name>:2,<flags>. */
static bool was_read(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct dirent *entry;
    size_t len = strlen(name);
    bool found = false;
    DIR *cur;
    int fd;

    snprintf(path, sizeof(path), "%s/cur", folder);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cur = fd >= 0 ? fdopendir(fd) : NULL;
    if (fd >= 0 && !cur)
        close(fd);
    while (cur && !found && (entry = readdir(cur)))
        found = strncmp(entry->d_name, name, len) == 0 && strchr(":", entry->d_name[len]);
    if (cur)
        closedir(cur);
    return found;
}

sc_err maildir_deliver(const char *folder, const char *name, sc_slice mail, sc_reason *ret_reason)
{
    char from[PATH_MAX], to[PATH_MAX], unique[SC__TOKEN_LEN + 1];
    sc_err err;

    if (!is_name(name))
        return sc__because(ret_reason, SC_EINVAL, "\"%s\" can't be the name of a mail's file",
                           name);
    if (was_read(folder, name))
        return SC_OK;
    sc__rand_token(unique);
    if ((size_t)snprintf(from, sizeof(from), "%s/tmp/%s.%s", folder, name, unique) >= sizeof(from))
        return sc__because(ret_reason, SC_EIO, "the mail folder's path is too long");
    snprintf(to, sizeof(to), "%s/new/%s", folder, name);
    err = write_file(from, mail, ret_reason);
    if (err)
        return err;
    if (rename(from, to)) {
        err = failed(ret_reason, "deliver the mail to", to);
        unlink(from);
        return err;
    }
    to[strlen(to) - strlen(name)] = '\0';
    return flush_folder(to, ret_reason);
}
