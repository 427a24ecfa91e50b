/* plugins/shared/server_end.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The end of throwaway servers: what is removed must be ours beyond doubt, since names in
 * a folder that everybody can write to are anybody's.
 */
#include "server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MARKER_BYTES = 8192 };

static int never(const struct backstay_host *host)
{
    (void)host;
    return 0;
}

struct backstay_host plug_host_deaf(const struct backstay_host *host)
{
    struct backstay_host deaf = *host;

    deaf.size = sizeof deaf;
    deaf.cancelled = never;
    return deaf;
}

/* ---- whose it is */

struct found {
    struct plug_marker marker;
    uid_t uid; /* of the folder */
    gid_t gid;
    bool ended;
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool has_prefix(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool read_marker(struct found *out, int folder, const struct stat *st)
{
    char text[MARKER_BYTES];
    struct stat own;
    int fd = openat(folder, PLUG_SERVER_MARKER, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t n = fd >= 0 && fstat(fd, &own) == 0 && S_ISREG(own.st_mode) && own.st_uid == geteuid()
                    ? read(fd, text, sizeof text)
                    : -1;

    if (fd >= 0)
        close(fd);
    if (n <= 0 || !plug_marker_parse(&out->marker, text, (size_t)n))
        return false;
    if (out->marker.inode == (uint64_t)st->st_ino && plug_marker_is_ours(&out->marker))
        return true;
    plug_marker_free(&out->marker);
    return false;
}

/* @return whether @path is a scratch folder of ours; then the marker is to be freed. */
static bool look(struct found *out, const struct plug_server_kind *kind, const char *path)
{
    struct stat st;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool ours = folder >= 0 && fstat(folder, &st) == 0 &&
                (geteuid() == 0 || st.st_uid == geteuid()) && read_marker(out, folder, &st);

    if (ours && strcmp(out->marker.kind, kind->name) != 0) {
        plug_marker_free(&out->marker);
        ours = false;
    }
    if (ours) {
        out->uid = st.st_uid;
        out->gid = st.st_gid;
        out->ended = faccessat(folder, "ended", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    }
    if (folder >= 0)
        close(folder);
    return ours;
}

/* A server that has ended is wanted only as long as its creator may ask why. */
static bool is_over(const struct found *found)
{
    return plug_marker_is_over(&found->marker) ||
           (found->ended && plug_marker_started(found->marker.creator) != found->marker.started);
}

/* ---- removing */

/* Where the server's user may not remove names, the folder itself is left to us. */
static int remove_rest(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (folder < 0)
        return errno == ENOENT ? 0 : -1;
    (void)unlinkat(folder, PLUG_SERVER_MARKER, 0);
    close(folder);
    return rmdir(path);
}

static const char *sockets_of(const struct plug_marker *marker, const char *path)
{
    const char *sockets = marker->sockets;

    return sockets && sockets[0] == '/' && has_prefix(base_name(sockets), PLUG_SOCKETS_PREFIX)
               ? sockets
               : path;
}

static int remove_found(const struct backstay_host *host, const struct plug_server_kind *kind,
                        const char *path, const struct found *found, struct backstay_error *err)
{
    const struct backstay_host deaf = plug_host_deaf(host);
    const struct plug_server server = {
        .host = &deaf,
        .user = {.uid = found->uid, .gid = found->gid, .other = found->uid != geteuid()},
    };
    const char *const argv[] = {"/bin/sh",
                                "-c",
                                plug_watch_script,
                                "watch.sh",
                                "end",
                                path,
                                sockets_of(&found->marker, path),
                                kind->signal,
                                NULL};
    struct plug_child child = plug_server_child(&server, argv);
    int r = plug_child_run(&child, err);
    PLUG_AUTO_FREE char *why = plug_child_why(&child);

    plug_bytes_free(&child.said);
    if (r < 0)
        return -1;
    if (remove_rest(path) == 0)
        return 0;
    return host->fail(host, err, BACKSTAY_ERR_IO, "remove the scratch place %s: %s", path,
                      r > 0 ? why : strerrordesc_np(errno));
}

/* The folder that @name means; NULL: there is none. Caller frees. */
static char *find(const struct plug_server_kind *kind, const char *name)
{
    const char *parents[3];
    size_t n = plug_server_parents(kind, parents);
    struct stat st;

    if (name[0] == '/')
        return lstat(name, &st) == 0 ? plug_strdup(name) : NULL;
    for (size_t i = 0; i < n && strchr(name, '/') == NULL; i++) {
        char *path = plug_strf("%s/%s", parents[i], name);
        if (lstat(path, &st) == 0)
            return path;
        free(path);
    }
    return NULL;
}

int plug_server_remove(const struct backstay_host *host, const struct plug_server_kind *kind,
                       const char *name, struct backstay_error *err)
{
    struct found found;

    if (!has_prefix(base_name(name), PLUG_SERVER_PREFIX))
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "%s is no scratch place: their names begin with " PLUG_SERVER_PREFIX,
                          name);
    PLUG_AUTO_FREE char *path = find(kind, name);
    if (path == NULL) {
        host->log(host, BACKSTAY_LOG_INFO, "the scratch place %s is gone already", name);
        return 0;
    }
    if (!look(&found, kind, path))
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "remove the scratch place %s: its " PLUG_SERVER_MARKER
                          " does not say that this user made it on this machine; remove it by hand "
                          "if it is yours",
                          path);
    int r = remove_found(host, kind, path, &found, err);
    plug_marker_free(&found.marker);
    return r;
}

/* ---- leftovers */

static unsigned reap_one(const struct backstay_host *host, const struct plug_server_kind *kind,
                         const char *path, bool count_only)
{
    struct backstay_error why = {.size = sizeof why};
    struct found found;
    unsigned n = 0;

    if (!look(&found, kind, path))
        return 0;
    if (is_over(&found)) {
        n = 1;
        if (!count_only && remove_found(host, kind, path, &found, &why) != 0) {
            host->log(host, BACKSTAY_LOG_WARN, "%s", why.text);
            n = 0;
        } else if (!count_only) {
            host->log(host, BACKSTAY_LOG_NOTE, "removed %s, which an earlier run left behind",
                      path);
        }
    }
    plug_marker_free(&found.marker);
    return n;
}

unsigned plug_server_reap(const struct backstay_host *host, const struct plug_server_kind *kind,
                          bool count_only)
{
    const char *parents[3];
    size_t n = plug_server_parents(kind, parents);
    unsigned count = 0;

    for (size_t i = 0; i < n; i++) {
        DIR *dir = opendir(parents[i]);
        struct dirent *entry;
        while (dir && !host->cancelled(host) && (entry = readdir(dir)) != NULL) {
            if (!has_prefix(entry->d_name, PLUG_SERVER_PREFIX))
                continue;
            PLUG_AUTO_FREE char *path = plug_strf("%s/%s", parents[i], entry->d_name);
            count += reap_one(host, kind, path, count_only);
        }
        if (dir)
            closedir(dir);
    }
    return count;
}
