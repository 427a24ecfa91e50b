/* plugins/source/postgres/meta.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * meta: what a dump of a database does not have: roles, the database itself and its settings, the
 * values of sequences, large objects; and the inventory that facts are made of. Each is read in the
 * snapshot of the backup, is an entry in readable form, and can be put back.
 *
 * Reading functions are called inside of a transaction that sees the snapshot. All answer 0, or -1
 * with @err unless they say otherwise.
 *
 * Thread-safety: a connection belongs to one thread.
 */
#pragma once

#include "conn.h"
#include "send.h"

#include <stdbool.h>

/**
 * The document in the first column of the first row that a query answers, as plug_json_parse() has
 * it; parameters as for pg_query().
 *
 * @return it, released with json_decref() by the caller; NULL with @err.
 */
json_t *pg_query_json(struct pg_conn *conn, struct backstay_error *err, const char *sql,
                      const char *const *params, int n) __attribute__((warn_unused_result));

/* ---- globals.c: globals.json */

int pg_globals_read(struct pg_conn *conn, json_t **out, struct backstay_error *err);

/**
 * Creates the roles of @globals that the server does not have (without LOGIN and passwords), their
 * memberships and settings. For scratch instances. @only: JSON list of names, or NULL for all.
 */
int pg_globals_apply(struct pg_conn *conn, const json_t *globals, const json_t *only,
                     struct backstay_error *err);

/* ---- database.c: DB/database.json */

/**
 * Name, encoding, collation and its version, locale provider, owner, ACL, comment, ALTER DATABASE
 * settings (also per role), connection limit, extensions with version and schema, "roles": all that
 * own something in it or are granted something, server version, LSN.
 */
int pg_database_read(struct pg_conn *conn, json_t **out, struct backstay_error *err);

/** CREATE DATABASE @name with encoding and locale of @database, from template0. */
int pg_database_create(struct pg_conn *server, const json_t *database, const char *name,
                       struct backstay_error *err);

/** Owner, ACL, comment and settings. @with_owner false: settings only. Connected to any database.
 */
int pg_database_apply(struct pg_conn *server, const json_t *database, const char *name,
                      bool with_owner, struct backstay_error *err);

/** What a restore of @database would miss on this server: "roles" and "extensions", JSON lists. */
int pg_database_missing(struct pg_conn *conn, const json_t *database, json_t **out,
                        struct backstay_error *err);

/* ---- sequences.c: DB/sequences.json */

/** A relation by its name, and the table whose column it serves ("" for none) as a sequence. */
struct pg_owned {
    const char *schema;
    const char *name;
    const char *table_schema;
    const char *table;
    bool identity; /* the column is an identity column */
};

/**
 * Whether the options choose it. As pg_dump decides: a sequence comes with its table; other than
 * that of an identity column also by its own name.
 */
bool pg_wants_sequence(const struct pg *pg, const struct pg_owned *sequence);

int pg_sequences_read(const struct pg *pg, struct pg_conn *conn, json_t **out,
                      struct backstay_error *err);

/** setval() for each. @tables: JSON list of "schema.name" labels, only sequences owned by those
 * tables; NULL: all. */
int pg_sequences_apply(struct pg_conn *conn, const json_t *sequences, const json_t *tables,
                       struct backstay_error *err);

/** Facts sequence:LABEL:value = "last_value called" or "last_value not-called". */
int pg_sequences_facts(const json_t *sequences, struct plug_facts *facts);

/* ---- large_objects.c and large_load.c: DB/large-objects.json, DB/large-objects/OID */

/**
 * Sends all large objects of the database, about 100 in each transaction of its own that imports
 * @snapshot. The connection must not be in a transaction. @folder: "shop/". Facts: count and the
 * sum of the digests of number, content and comment ("large-objects:count", "...:digest").
 */
struct pg_large_objects {
    struct pg_conn *conn;
    const char *snapshot;       /* NULL: a probe, which reads as of now */
    struct backstay_sink *sink; /* NULL: a probe, which sends nothing */
    const char *folder;
    struct plug_facts *facts;
};
int pg_large_objects_read(const struct pg_large_objects *options, struct backstay_error *err);

/**
 * Creates the large object that @object of the list describes anew, with the content of entry
 * @index; comment, and with @with_owner owner and ACL as well. Within a transaction of the
 * caller's, which may hold about 100 of them, or else in one of its own.
 */
int pg_large_object_load(struct pg_conn *conn, struct backstay_feed *feed, uint64_t index,
                         const json_t *object, bool with_owner, struct backstay_error *err);

/* ---- inventory.c */

/**
 * Facts count:KIND for what the options choose and a dump restores: schemas, tables, partitioned
 * tables, foreign tables, views, materialized views, sequences, indexes (valid), constraints by
 * type (validated), triggers (by state), functions, aggregates, types, domains, enums, operators,
 * casts, rules, policies, event triggers, publications, statistics objects, extensions, collations,
 * text search objects, comments. Nothing that belongs to an extension or the system. When the
 * options choose tables one by one, only tables are counted.
 */
int pg_inventory(const struct pg *pg, struct pg_conn *conn, struct plug_facts *facts,
                 struct backstay_error *err);
