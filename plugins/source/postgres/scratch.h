/* plugins/source/postgres/scratch.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * scratch: throwaway places to restore into: an instance that we start, with databases under their
 * own names; or, with the option scratch_server, databases of ours on a server that is there.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include "conn.h"

enum pg_scratch_kind {
    PG_SCRATCH_NONE,     /* an ordinary target */
    PG_SCRATCH_INSTANCE, /* a server of our own */
    PG_SCRATCH_DATABASES /* on the scratch server */
};

/** What a restore's location means. */
enum pg_scratch_kind pg_scratch_kind(const char *location);

/**
 * Where to connect for a scratch location. The strings are those of @pg and @location.
 *
 * @database as pg_scratch_database() named it; NULL: one that exists, to create others from.
 */
struct pg_place pg_scratch_place(const struct pg *pg, const char *location, const char *database);

/** The name that database @name of the snapshot has there. Caller frees. */
char *pg_scratch_database(const char *location, const char *name);

/**
 * Marks a database on the scratch server as ours to remove, with its comment; has no effect for an
 * instance. To be called when it was created, and again after a comment of its own was restored.
 */
int pg_scratch_mark(struct pg_conn *conn, const struct pg *pg, const char *location,
                    const char *database, struct backstay_error *err)
    __attribute__((warn_unused_result));

/**
 * Why the instance of @location is no longer there, when that is so: "it grew larger than ...". To
 * be asked when its connections break. Caller frees; NULL: it is there, or is no instance.
 */
char *pg_scratch_ended(const char *location);

/** How many instances and databases of earlier runs wait to be removed. */
unsigned pg_scratch_leftovers(const struct pg *pg);

/** Tells a preflight whether snapshots of version @major can be restored into a scratch place. */
void pg_scratch_look(const struct pg *pg, int major, struct backstay_report *report);

/* ---- its two kinds; scratch.c chooses */

int pg_instance_create(const struct pg *pg, struct backstay_scratch *out,
                       struct backstay_error *err) __attribute__((warn_unused_result));
int pg_instance_remove(const struct pg *pg, const char *marker, struct backstay_error *err)
    __attribute__((warn_unused_result));
unsigned pg_instance_reap(const struct pg *pg, bool count_only);

/** Whether one could be made. @how receives with what, or why not; the caller frees it. */
bool pg_instance_possible(const struct pg *pg, int major, char **how);

int pg_scratch_server_create(const struct pg *pg, struct backstay_scratch *out,
                             struct backstay_error *err) __attribute__((warn_unused_result));
int pg_scratch_server_remove(const struct pg *pg, const char *marker, struct backstay_error *err)
    __attribute__((warn_unused_result));
unsigned pg_scratch_server_reap(const struct pg *pg, bool count_only);
bool pg_scratch_server_possible(const struct pg *pg, int major, char **how);

/** What locations and markers are made of. */
#define PG_SCRATCH_APPLICATION "backstay-scratch"            /* of an instance's location */
#define PG_SCRATCH_SCHEME      "backstay-scratch-databases:" /* of the other's */
#define PG_SCRATCH_DATABASE    "backstay_scratch_"           /* how their names begin */
#define PG_SCRATCH_ROLE        "backstay"                    /* an instance's superuser */

/** The database that a person most likely wants to see. Caller frees. */
char *pg_scratch_first_database(const struct pg *pg);
