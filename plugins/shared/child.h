/* plugins/shared/child.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * child: a program run to its end: its standard output is handed on, the end of what it says on
 * standard error is kept for messages. It dies with us and is stopped when the host says so.
 *
 * Thread-safety: one child belongs to one thread.
 */
#pragma once

#include "mem.h"

#include <backstay/plugin.h>

#include <sys/types.h>

struct plug_child {
    const char *const *argv; /* argv[0] is the path; ends with NULL; holds no secrets */
    const char *const *env;  /* "NAME=value", added to or replacing ours; NULL: none */
    int only_env;            /* 1: it gets nothing of our environment, which may hold secrets */
    uid_t uid;               /* run as this user and group; used when @as_user is 1 */
    gid_t gid;
    int as_user;
    int close_group; /* 1: the child leads a process group of its own */

    /** 1: it reaches no other machine, nor what listens on this one. As root only: others may not
     * cut a network off. */
    int no_network;
    const struct backstay_host *host;

    /** Receives the output; NULL: it is dropped. Non-zero ends the child; the run answers -1. */
    int (*output)(void *ctx, const void *data, size_t len);
    void *ctx;

    /** Asked ten times a second; non-zero ends the child as a failing output() does. NULL: never.
     */
    int (*stopped)(void *ctx);

    struct plug_bytes said; /* out: the last kilobytes of standard error; to be freed */
    int status;             /* out: as of waitpid(2) */
};

/**
 * Runs it and waits for its end.
 *
 * @return 0 when it ended with exit code 0; 1 when it ended otherwise (@status, @said); -1 with
 * @err when it could not be started, was stopped by the host, or output() or stopped() ended it
 * (@err is then untouched: they know why).
 */
int plug_child_run(struct plug_child *child, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** What it said as one line, or how it ended when it said nothing: for a message. Caller frees. */
char *plug_child_why(const struct plug_child *child);
