/* plugins/source/postgres/target.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * target: the server and the database that a restore goes into: what must hold before anything is
 * changed, creating it, and putting it in its place at the end.
 *
 * Thread-safety: belongs to the thread that opened it.
 */
#pragma once

#include "meta.h"
#include "restore_saved.h"
#include "restore_wish.h"
#include "scratch.h"

struct pg_into {
    const struct pg *pg;
    const struct backstay_host *host;
    const struct pg_wish *wish;
    const char *url;
    enum pg_scratch_kind scratch;
    struct pg_conn *server; /* to a database that stays out of it */
    struct pg_conn *conn;   /* to the database, from pg_into_make() on */
    char *name;             /* of the database that is loaded */
    char *named;            /* what it is called at the end */
    bool exists;            /* before the restore, under @named */
    bool created;           /* by us: removed when the restore fails */
};

/**
 * Connects, and decides the name: that of @url, or on a scratch place that of @saved. A server that
 * is older than the one that was backed up is refused. The caller calls pg_into_close() in any
 * case.
 */
int pg_into_open(struct pg_into *into, const struct pg_saved *saved, struct backstay_error *err)
    __attribute__((warn_unused_result));

/**
 * Whether @saved can be restored here. Changes nothing, but that roles are made on an instance.
 *
 * @return 0; -1 with @err, which says what is missing.
 */
int pg_into_check(struct pg_into *into, const struct pg_saved *saved, const json_t *globals,
                  struct backstay_error *err) __attribute__((warn_unused_result));

/** Creates the database where it must be, and connects to it. */
int pg_into_make(struct pg_into *into, const struct pg_saved *saved, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Another connection to the database. */
int pg_into_connect(const struct pg_into *into, struct pg_conn **out, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Owner and settings of the database; then it takes the place of the one that it replaces. */
int pg_into_finish(struct pg_into *into, const struct pg_saved *saved, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** After a failure: removes what was created, and says in @err what became of it. */
void pg_into_abandon(struct pg_into *into, struct backstay_error *err);

/** Disconnects. */
void pg_into_close(struct pg_into *into);

/* ---- target_check.c */

/** Whether the existing database, connected in @conn, may be loaded into. */
int pg_into_check_empty(const struct pg_into *into, struct pg_conn *conn,
                        struct backstay_error *err) __attribute__((warn_unused_result));

/** Whether the wanted tables are absent, or with "data_only" present, empty and free of what would
 * refuse rows. */
int pg_into_check_tables(const struct pg_into *into, struct pg_conn *conn,
                         const struct pg_saved *saved, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Roles and extensions. */
int pg_into_check_needs(struct pg_into *into, const struct pg_saved *saved, const json_t *globals,
                        struct backstay_error *err) __attribute__((warn_unused_result));

/** Whether a table of tables.json is one of those to restore. */
bool pg_into_wants(const struct pg_into *into, const json_t *table);

/* ---- target_place.c */

/** Gives the database that was restored under a name of ours the one that was asked for. */
int pg_into_name(struct pg_into *into, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Renames the database that is there, and the new one to its name. */
int pg_into_replace(struct pg_into *into, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** @base with @end, shortened to what a name of PostgreSQL may have. Caller frees. */
char *pg_into_derive(const char *base, const char *end);
