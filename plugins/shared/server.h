/* plugins/shared/server.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * server: a throwaway database server in a folder of ours, run by a user without rights.
 *
 * The folder `backstay-scratch-SOURCE-RANDOM` has mode 0700, belongs to that user and holds
 * `backstay-scratch.json` (see marker), which belongs to us. A process of its own, watch.sh, in its
 * own session, runs the server, ends it when its time or space is over or we are gone, and removes
 * the folder. What it could not remove, because it was killed, the next plug_server_reap() does.
 *
 * Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "child.h"
#include "marker.h"
#include "user.h"

struct plug_server {
    const struct backstay_host *host;
    struct plug_user user;
    char *path;    /* of the folder, absolute */
    char *sockets; /* where its sockets go: @path, unless that is too long or odd for them */
    int fd;        /* of the folder */
    struct plug_marker marker;
};

/** What kind of server, and where its folders are made and looked for. */
struct plug_server_kind {
    const char *name;       /* "postgres" */
    const char *option;     /* that @folder comes from: "scratch_folder" */
    const char *folder;     /* NULL: $TMPDIR, else /var/tmp */
    const char *signal;     /* that ends it at once: "QUIT" */
    size_t socket_name_len; /* of the longest socket in @sockets */
    struct plug_user_wish user;
};

/**
 * Makes the folder. Its end is @expires, in seconds since 1970.
 *
 * @return 0, release with plug_server_free(), which leaves the folder; -1 with @err.
 */
int plug_server_create(struct plug_server *out, const struct backstay_host *host,
                       const struct plug_server_kind *kind, int64_t expires,
                       struct backstay_error *err) __attribute__((warn_unused_result));
void plug_server_free(struct plug_server *server);

/** Writes a file into the folder, readable for its user. @return 0 or -1 with @err. */
int plug_server_put(struct plug_server *server, const char *name, const char *text,
                    struct backstay_error *err) __attribute__((warn_unused_result));

/** A child that runs @argv as the server's user, without our environment; to be completed. */
struct plug_child plug_server_child(const struct plug_server *server, const char *const *argv);

/**
 * Starts the shell script `server` of the folder, which must end in an `exec` of the server. Its
 * output goes to `log`. When we are root it has no network, so that what is restored, which may
 * hold code and passwords, talks to nobody; its sockets are files.
 *
 * @space_bytes the most that the folder may grow to; 0: any size.
 */
int plug_server_start(struct plug_server *server, const char *signal, int64_t space_bytes,
                      struct backstay_error *err) __attribute__((warn_unused_result));

/** From now on it outlives us. */
int plug_server_keep(struct plug_server *server, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Why the server in the folder @path has ended, and its last words; NULL: it has not. Caller
 * frees. */
char *plug_server_ended(const char *path);

/** How a folder is named in a marker of at most @most bytes: by its path or by its last part. */
const char *plug_server_short_name(const char *path, size_t most);

/**
 * Ends the server and removes the folder of @name, a path or a last part. It does not stop for a
 * cancellation.
 *
 * @return 0, also when it was gone already; -1 with @err (CONFIG when it is none of ours).
 */
int plug_server_remove(const struct backstay_host *host, const struct plug_server_kind *kind,
                       const char *name, struct backstay_error *err)
    __attribute__((warn_unused_result));

/**
 * Removes what nobody wants any more.
 *
 * @count_only true: leaves them there.
 * @return how many there are, or how many were removed.
 */
unsigned plug_server_reap(const struct backstay_host *host, const struct plug_server_kind *kind,
                          bool count_only);

/** A copy of @host that never says that it was cancelled: for cleaning up. */
struct backstay_host plug_host_deaf(const struct backstay_host *host);

#define PLUG_SERVER_PREFIX  "backstay-scratch-"
#define PLUG_SERVER_MARKER  "backstay-scratch.json"
#define PLUG_SOCKETS_PREFIX "backstay-sockets-"

/** The folders in which servers of this kind may be; @out has room for three. @return how many. */
size_t plug_server_parents(const struct plug_server_kind *kind, const char *out[3]);

/** The text of watch.sh. */
extern const char plug_watch_script[];
