/* plugins/source/mysql/target.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * target: the server that a restore goes to and each database that it makes there: what must hold
 * before anything is changed, making it, and putting it in its place at the end.
 *
 * Thread-safety: belongs to the thread that opened it; my_target_connect() from any thread.
 */
#pragma once

#include "apply.h"
#include "restore_saved.h"
#include "scratch.h"
#include "wish.h"

#include <stdatomic.h>

struct my_target {
    struct my *my;
    const struct backstay_host *host;
    const struct my_wish *wish;
    const char *location;
    enum my_scratch_kind scratch;
    struct my_place place; /* names no database */
    char *database;        /* that the location names, or NULL */
    struct my_conn *conn;
    atomic_bool local;    /* LOAD DATA LOCAL is allowed */
    int64_t packet_bytes; /* max_allowed_packet */
    bool interleaved;     /* several may load into a table with AUTO_INCREMENT at once */
};

/** One database on its way. */
struct my_into {
    struct my_target *target;
    char *name;   /* of the database that is loaded */
    char *named;  /* what it is called at the end */
    bool exists;  /* before the restore, under @named */
    bool made;    /* something in it was changed */
    bool created; /* by us: removed when the restore fails */
};

/** Connects and looks at the server. Release with my_target_close() in any case. */
int my_target_open(struct my_target *target, struct backstay_error *err)
    __attribute__((warn_unused_result));
void my_target_close(struct my_target *target);

/** Another connection, its session set up for loading. @patient: locks are waited for as long as it
 * takes, since only we know the databases. */
int my_target_connect(const struct my_target *target, bool patient, struct my_conn **out,
                      struct backstay_error *err) __attribute__((warn_unused_result));

/** Decides the name of @saved there. Release with my_into_close() in any case. */
int my_into_open(struct my_into *into, const struct my_saved *saved, struct backstay_error *err)
    __attribute__((warn_unused_result));
void my_into_close(struct my_into *into);

/** Creates the database where it must be. */
int my_into_make(struct my_into *into, const struct my_apply *apply, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** After a failure: removes what was created, and says in @err what became of it. */
void my_into_abandon(struct my_into *into, struct backstay_error *err);

/* ---- target_check.c */

/**
 * Whether the database can be made there. Changes nothing.
 *
 * @return 0; -1 with @err, which says what is missing.
 */
int my_into_check(struct my_into *into, const struct my_saved *saved, const struct my_apply *apply,
                  struct backstay_error *err) __attribute__((warn_unused_result));

/* ---- target_place.c */

/** Whether the database that is there can be replaced. Changes nothing. */
int my_into_check_replaced(struct my_into *into, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Moves what is in the old database into one that is kept, and the new one in its place; @apply is
 * how the new one was made. */
int my_into_replace(struct my_into *into, const struct my_apply *apply, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** @base with @end, shortened to what a name may have. Caller frees. */
char *my_into_derive(const char *base, const char *end);
