/* plugins/source/postgres/check_parts.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of a check share: who asks, what is looked at, and how it is said.
 *
 * Thread-safety: one thread.
 */
#pragma once

#include "catalog.h"
#include "check.h"

struct pg_look {
    const struct pg *pg;
    struct pg_conn *conn; /* the database being looked at */
    struct backstay_report *report;
    const char *prefix;      /* "shop: " before each subject, "" when there is one database */
    bool advice;             /* a person asks, no backup */
    bool superuser;          /* of the role that is connected, as the next ones */
    bool inherits;           /* uses the rights of the roles it is a member of */
    bool standby;            /* the server */
    char *role;              /* quoted where SQL needs it */
    struct pg_tables tables; /* of the database */
};

/**
 * SQL of the name @x as an identifier for statements that people copy: quoted where it must be, and
 * always on one line.
 */
#define PG_SQL_IDENT(x)                                                                            \
    "CASE WHEN pg_catalog.strpos(" x ", E'\\n') > 0 THEN 'U&' || pg_catalog.replace("              \
    "pg_catalog.replace(pg_catalog.quote_ident(" x "), '\\', '\\\\'), E'\\n', '\\000A')"           \
    " ELSE pg_catalog.quote_ident(" x ") END"

/** Reports a finding. */
void pg_look_say(const struct pg_look *look, int severity, const char *subject, const char *fmt,
                 ...) __attribute__((format(printf, 4, 5)));

/** Names for a message: the first few, and how many there are. Zero-initialise. */
struct pg_names {
    struct plug_bytes text;
    size_t n;
};
void pg_names_add(struct pg_names *names, const char *name);

/** "public.a, public.b and 7 more"; ends the list. Borrowed. */
const char *pg_names_text(struct pg_names *names);
void pg_names_free(struct pg_names *names);
#define PG_AUTO_NAMES __attribute__((cleanup(pg_names_free)))

/**
 * Appends the line "GRANT @role TO us;", and whatever it needs so that the right is in force at
 * once. @role is SQL.
 */
void pg_look_grant_role(const struct pg_look *look, struct plug_bytes *sql, const char *role);

/* The parts. Each answers 0, or -1 with @err when a query of its own failed. */

/** Connection, versions, role, programs: once for each server. Fills in the role's members. */
int pg_look_server(struct pg_look *look, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Archive, slots, standby: information and advice, once for each server. */
int pg_look_state(const struct pg_look *look, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** What the role may not read, row security and large objects included. */
int pg_look_rights(const struct pg_look *look, struct backstay_error *err)
    __attribute__((warn_unused_result));
int pg_look_large_objects(const struct pg_look *look, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Tables and other objects of which something is to be known. */
int pg_look_objects(const struct pg_look *look, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Locks: prepared transactions that keep them, and room for ours. */
int pg_look_locks(const struct pg_look *look, struct backstay_error *err)
    __attribute__((warn_unused_result));
