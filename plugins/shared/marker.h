/* plugins/shared/marker.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * marker: what is written beside a scratch place, so that a later run knows that it is ours and
 * whether anybody still wants it: a small JSON document.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include "mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct plug_marker {
    char *kind;    /* of the server: "postgres" */
    char *source;  /* the configured name of the source */
    char *machine; /* its host name */
    char *boot;    /* changes when the machine starts again */
    char *pids;    /* the pid namespace, in which @creator counts */
    char *sockets; /* folder of the server's sockets, or NULL */
    pid_t creator;
    int64_t started; /* when @creator began, in ticks since the machine started */
    int64_t created; /* seconds since 1970 */
    int64_t expires;
    uint64_t uid;   /* of @creator */
    uint64_t inode; /* of the folder: a copy of the marker in another folder marks nothing */
    bool kept;      /* it outlives @creator */
};

/** A marker of this process. @kind and @source are copied. Release with plug_marker_free(). */
struct plug_marker plug_marker_mine(const char *kind, const char *source);
void plug_marker_free(struct plug_marker *marker);

/** As text. Caller frees. */
char *plug_marker_text(const struct plug_marker *marker);

/** Reads a text. @return whether it is a marker; then it is to be freed. */
bool plug_marker_parse(struct plug_marker *out, const char *text, size_t len);

/** When process @pid began; 0 when it has ended or /proc does not show it. */
int64_t plug_marker_started(pid_t pid);

/** Whether it was made on this machine, by the same user. */
bool plug_marker_is_ours(const struct plug_marker *marker);

/**
 * Whether nobody wants the place of a marker of ours any more: its time is over, the machine was
 * started anew, or its creator is gone and did not keep it.
 */
bool plug_marker_is_over(const struct plug_marker *marker);
