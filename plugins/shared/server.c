/* plugins/shared/server.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "server.h"

#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { NAME_BYTES = 32, TRIES = 16, START_MS = 10000, POLL_MS = 20, LOG_BYTES = 2048 };

static int fail_errno(const struct plug_server *server, struct backstay_error *err,
                      const char *what, const char *path)
{
    int kind = errno == ENOSPC || errno == EDQUOT ? BACKSTAY_ERR_SPACE : BACKSTAY_ERR_IO;

    return server->host->fail(server->host, err, kind, "%s %s: %s", what, path,
                              strerrordesc_np(errno));
}

/* ---- children */

static const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", NULL};

struct plug_child plug_server_child(const struct plug_server *server, const char *const *argv)
{
    return (struct plug_child){
        .argv = argv,
        .env = environment,
        .only_env = 1,
        .uid = server->user.uid,
        .gid = server->user.gid,
        .as_user = server->user.other,
        .close_group = 1,
        .host = server->host,
    };
}

/* ---- the folder */

size_t plug_server_parents(const struct plug_server_kind *kind, const char *out[3])
{
    const char *temporary = getenv("TMPDIR");
    size_t n = 0;

    const char *const all[] = {kind->folder, temporary, "/var/tmp"};

    for (size_t i = 0; i < PLUG_COUNT(all); i++) {
        bool again = false;
        for (size_t k = 0; k < n; k++)
            again |= all[i] && strcmp(all[i], out[k]) == 0;
        if (all[i] && all[i][0] == '/' && !again)
            out[n++] = all[i];
    }
    return n;
}

static void random_name(struct plug_bytes *path)
{
    unsigned char random[6];

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        abort();
    for (size_t i = 0; i < sizeof random; i++)
        plug_bytes_format(path, "%02x", random[i]);
}

/* Makes a folder of a new name that begins with @prefix. @return its path, or NULL with errno. */
static char *make_folder(const char *parent, const char *prefix, const char *name)
{
    for (int i = 0; i < TRIES; i++) {
        struct plug_bytes path = {0};
        plug_bytes_format(&path, "%s/%s", parent, prefix);
        if (name) {
            size_t from = path.len;
            plug_names_escape(&path, name);
            plug_bytes_cut(&path, PLUG_MIN(path.len, from + NAME_BYTES));
            plug_bytes_text(&path, "-");
        }
        random_name(&path);
        if (mkdir(path.data, 0700) == 0)
            return path.data;
        plug_bytes_free(&path);
        if (errno != EEXIST)
            break;
    }
    return NULL;
}

/* Whether the server's user can get into @folder: its parents may be closed to it. */
static bool can_enter(const struct plug_server *server, const char *folder)
{
    const char *const argv[] = {"/bin/sh", "-c", "cd \"$1\"", "sh", folder, NULL};
    struct plug_child child = plug_server_child(server, argv);
    struct backstay_error why = {.size = sizeof why};

    int r = plug_child_run(&child, &why);
    plug_bytes_free(&child.said);
    return r == 0;
}

static int choose_parent(const char **out, const struct plug_server *server,
                         const struct plug_server_kind *kind, struct backstay_error *err)
{
    const struct backstay_host *host = server->host;
    const char *parents[3];
    size_t n = plug_server_parents(kind, parents);

    for (size_t i = 0; i < n; i++) {
        *out = parents[i];
        if (can_enter(server, parents[i]))
            return 0;
        if (host->cancelled(host))
            return host->fail(host, err, BACKSTAY_ERR_CANCELLED, "stopped");
        if (kind->folder)
            break;
    }
    return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                      "make a scratch place in %s: it is not there, or the user %s, who runs the "
                      "server, cannot enter it; give another place with \"%s\"",
                      *out, server->user.name, kind->option);
}

static int open_folder(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int hand_to_user(const struct plug_server *server, int fd)
{
    return server->user.other ? fchown(fd, server->user.uid, server->user.gid) : 0;
}

/* Sockets have names of at most 107 bytes, and to clients a comma ends the name of a host. */
static int choose_sockets(struct plug_server *server, const struct plug_server_kind *kind,
                          struct backstay_error *err)
{
    struct sockaddr_un address;
    size_t len = strlen(server->path) + 1 + kind->socket_name_len;

    if (len < sizeof address.sun_path && strchr(server->path, ',') == NULL) {
        server->sockets = plug_strdup(server->path);
        return 0;
    }
    server->sockets = make_folder("/tmp", PLUG_SOCKETS_PREFIX, NULL);
    if (server->sockets == NULL)
        return fail_errno(server, err, "make a folder for sockets in", "/tmp");
    int fd = open_folder(server->sockets);
    if (fd < 0 || hand_to_user(server, fd) != 0) {
        (void)fail_errno(server, err, "prepare", server->sockets);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    close(fd);
    server->marker.sockets = plug_strdup(server->sockets);
    return 0;
}

/* ---- files in it */

static int write_file(int folder, const char *name, const char *text, mode_t mode)
{
    size_t len = strlen(text);
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

    if (fd < 0)
        return -1;
    ssize_t n = write(fd, text, len);
    if (n >= 0 && (size_t)n < len)
        errno = ENOSPC;
    if (n != (ssize_t)len || fchmod(fd, mode) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int plug_server_put(struct plug_server *server, const char *name, const char *text,
                    struct backstay_error *err)
{
    int fd = write_file(server->fd, name, text, 0600);

    if (fd < 0 || hand_to_user(server, fd) != 0) {
        PLUG_AUTO_FREE char *path = plug_strf("%s/%s", server->path, name);
        (void)fail_errno(server, err, "write", path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return close(fd);
}

/* The marker stays ours: that is how a later run knows that it may act on it. */
static int put_marker(struct plug_server *server, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *text = plug_marker_text(&server->marker);
    static const char beside[] = PLUG_SERVER_MARKER ".new";
    int fd = write_file(server->fd, beside, text, 0644);

    if (fd >= 0)
        close(fd);
    if (fd < 0 || renameat(server->fd, beside, server->fd, PLUG_SERVER_MARKER) != 0)
        return fail_errno(server, err, "write the marker of", server->path);
    return 0;
}

int plug_server_keep(struct plug_server *server, struct backstay_error *err)
{
    server->marker.kept = true;
    return put_marker(server, err);
}

/* ---- creating */

static int fill_folder(struct plug_server *server, const struct plug_server_kind *kind,
                       struct backstay_error *err)
{
    struct stat st;

    server->fd = open_folder(server->path);
    if (server->fd < 0 || fstat(server->fd, &st) != 0)
        return fail_errno(server, err, "open", server->path);
    server->marker.inode = st.st_ino;
    if (choose_sockets(server, kind, err) != 0 || put_marker(server, err) != 0)
        return -1;
    if (hand_to_user(server, server->fd) != 0)
        return fail_errno(server, err, "give to its user:", server->path);
    return plug_server_put(server, "watch.sh", plug_watch_script, err);
}

static void undo(const struct plug_server *server, const struct plug_server_kind *kind)
{
    const struct backstay_host *host = server->host;
    struct backstay_error why = {.size = sizeof why};

    /* An empty one may have no marker yet. */
    if (server->sockets && strcmp(server->sockets, server->path) != 0)
        (void)rmdir(server->sockets);
    if (rmdir(server->path) != 0 && plug_server_remove(host, kind, server->path, &why) != 0)
        host->log(host, BACKSTAY_LOG_WARN, "%s", why.text);
}

int plug_server_create(struct plug_server *out, const struct backstay_host *host,
                       const struct plug_server_kind *kind, int64_t expires,
                       struct backstay_error *err)
{
    const char *parent = "";

    *out = (struct plug_server){.host = host, .fd = -1};
    out->marker = plug_marker_mine(kind->name, host->name);
    out->marker.expires = expires;
    int r = plug_user_find(&out->user, host, &kind->user, err);
    if (r == 0 && out->marker.started == 0)
        r = host->fail(host, err, BACKSTAY_ERR_CONFIG,
                       "a scratch place needs /proc, and it is not mounted");
    if (r == 0)
        r = choose_parent(&parent, out, kind, err);
    if (r == 0) {
        out->path = make_folder(parent, PLUG_SERVER_PREFIX, host->name);
        if (out->path == NULL)
            r = fail_errno(out, err, "make a scratch place in", parent);
    }
    if (r == 0)
        r = fill_folder(out, kind, err);
    if (r != 0) {
        if (out->path)
            undo(out, kind);
        plug_server_free(out);
    }
    return r;
}

void plug_server_free(struct plug_server *server)
{
    if (server->fd >= 0)
        close(server->fd);
    free(server->path);
    free(server->sockets);
    plug_marker_free(&server->marker);
    *server = (struct plug_server){.fd = -1};
}

/* ---- starting */

static bool exists(int folder, const char *name)
{
    return faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Until the watch has written who the server is, nobody could end it: so we wait for that even
 * when we are asked to stop. */
static int wait_started(const struct plug_server *server, struct backstay_error *err)
{
    for (int ms = 0; ms < START_MS; ms += POLL_MS) {
        if (exists(server->fd, "server.pid"))
            return 0;
        (void)poll(NULL, 0, POLL_MS);
    }
    return server->host->fail(server->host, err, BACKSTAY_ERR_IO,
                              "start a server in %s: its watch does not answer; is setsid there?",
                              server->path);
}

int plug_server_start(struct plug_server *server, const char *signal, int64_t space_bytes,
                      struct backstay_error *err)
{
    PLUG_AUTO_FREE char *expires = plug_strf("%lld", (long long)server->marker.expires);
    PLUG_AUTO_FREE char *kib = plug_strf("%lld", (long long)(space_bytes + 1023) / 1024);
    PLUG_AUTO_FREE char *creator = plug_strf("%ld", (long)server->marker.creator);
    PLUG_AUTO_FREE char *started = plug_strf("%lld", (long long)server->marker.started);
    const char *const argv[] = {
        "/bin/sh",
        "-c",
        "cd \"$1\" && setsid /bin/sh \"$1/watch.sh\" run \"$@\" </dev/null >/dev/null 2>&1 &",
        "sh",
        server->path,
        server->sockets,
        signal,
        expires,
        kib,
        creator,
        started,
        NULL};
    struct plug_child child = plug_server_child(server, argv);

    child.no_network = 1;
    int r = plug_child_run(&child, err);
    if (r > 0) {
        PLUG_AUTO_FREE char *why = plug_child_why(&child);
        (void)server->host->fail(server->host, err, BACKSTAY_ERR_IO, "start a server in %s: %s",
                                 server->path, why);
    }
    plug_bytes_free(&child.said);
    return r == 0 ? wait_started(server, err) : -1;
}

/* The end of a file that somebody else may have made into anything. Caller frees; NULL: absent. */
static char *read_end(int folder, const char *name)
{
    struct stat st;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    char *text = plug_alloc(LOG_BYTES + 1, 1);
    ssize_t n = pread(fd, text, LOG_BYTES, st.st_size > LOG_BYTES ? st.st_size - LOG_BYTES : 0);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static const char *last_line(char *text)
{
    size_t len = strlen(text);

    while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
        text[--len] = '\0';
    char *line = strrchr(text, '\n');
    return line ? line + 1 : text;
}

/* Why it ended is what a server says last, but for those that name the cause and then end with
 * what follows from it. */
static const char *last_words(char *log)
{
    static const char *const causes[] = {"[ERROR]", "FATAL:  ", "PANIC:  "};
    char *line = NULL;

    for (size_t i = 0; i < PLUG_COUNT(causes) && line == NULL; i++)
        line = strstr(log, causes[i]);
    if (line == NULL)
        return last_line(log);
    while (line > log && line[-1] != '\n')
        line--;
    line[strcspn(line, "\n")] = '\0';
    return line;
}

char *plug_server_ended(const char *path)
{
    int folder = open_folder(path);

    if (folder < 0)
        return plug_strf("%s is gone", path);
    PLUG_AUTO_FREE char *why = read_end(folder, "ended");
    PLUG_AUTO_FREE char *log = read_end(folder, "log");
    close(folder);
    if (why == NULL)
        return NULL;
    const char *said = log ? last_words(log) : "";
    return plug_strf("%s%s%s", last_line(why), said[0] ? "; its last words: " : "", said);
}

const char *plug_server_short_name(const char *path, size_t most)
{
    const char *slash = strrchr(path, '/');

    return strlen(path) <= most || slash == NULL ? path : slash + 1;
}
