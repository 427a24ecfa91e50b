/* plugins/source/mysql/ddl.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * ddl: the structure of a database as statements, read at a backup and written as scripts that the
 * stock client runs; the accounts of the server.
 *
 * Texts come from SHOW CREATE and are kept exactly. Those of routines, triggers, events and views
 * are kept as bytes in the charset that their author's client had, because the server only accepts
 * them so and answers the same SHOW CREATE again; a text that is no UTF-8 is in the documents as
 * plug_json_text() writes it and is got back by my_ddl_text(). apply.h is the way back.
 *
 * Thread-safety: a connection belongs to one thread at a time; documents that nobody changes may be
 * read by any number.
 */
#pragma once

#include "catalog.h"
#include "send.h"

/** The structure of one database. Release with my_ddl_free(). */
struct my_ddl {
    /* By name of table: {create, create_bare, keys[], foreign_keys[], collations[]}; json_update()
     * them into the objects of tables.json. */
    json_t *tables;
    /* objects.json: a list of {kind, name, sql, ...}. The first is the database itself. */
    json_t *objects;
};

/** What my_ddl_read() is to read. */
struct my_ddl_wish {
    const struct my_database *database;
    const char *const *names; /* of the @n base tables that are in the backup */
    size_t n;
};

/**
 * Reads how a database is made: itself, the tables of @wish, and of everything else
 * what my_wants_table() (views, sequences, triggers by their table) chooses. Routines, packages and
 * events are left out when the option `tables` chooses tables. Changes the session of @conn and
 * sets it right again, and makes @database its current one; needs no snapshot, and does not end one
 * (no statement in it commits).
 *
 * An object whose text we may not see is a failure that says what to grant.
 *
 * @return 0; -1 with @err (AUTH: rights are missing; TRANSIENT: an object went away meanwhile).
 */
int my_ddl_read(struct my_conn *conn, const struct my_ddl_wish *wish, struct my_ddl *out,
                struct backstay_error *err) __attribute__((warn_unused_result));
void my_ddl_free(struct my_ddl *ddl);

/**
 * Sends objects.json and every .sql entry of a database into the folder @dir ("shop/"): 01 to 03,
 * 05 to 10 and 04-data/<table>.sql. @tables is the finished list of tables.json: name, create_bare,
 * keys, foreign_keys of my_ddl_read(), structure_only, columns [{name, as}], files [{path}].
 *
 * columns[].as says how a cell of a file becomes a value: "text" (or absent): it is the value;
 * "hex": UNHEX() of it; anything else is an expression in which @v stands for the cell.
 *
 * @return 0, or -1: stop.
 */
int my_scripts_send(struct backstay_sink *sink, const char *dir, const json_t *tables,
                    const json_t *objects) __attribute__((warn_unused_result));

/**
 * The statement LOAD DATA LOCAL INFILE 'NAME' INTO TABLE INTO ... for a file of @table (an object
 * of tables.json); @into is as it is to be written there, quoted. Caller frees.
 */
char *my_script_load(const json_t *table, const char *into, const char *name);

/**
 * Sends users.sql: accounts, roles, grants; on a connection of its own, since SHOW CREATE USER may
 * commit. Rights that are missing are a warning of the snapshot that says what to grant.
 *
 * @return 0; -1: stop, with @err unless the sink said so.
 */
int my_users_send(const struct my_place *place, struct backstay_sink *sink,
                  struct backstay_error *err) __attribute__((warn_unused_result));

/**
 * Whether we may read accounts; otherwise *@grant is the statement that a person must run (caller
 * frees).
 *
 * @return 1, 0, or -1 with @err.
 */
int my_users_readable(struct my_conn *conn, char **grant, struct backstay_error *err)
    __attribute__((warn_unused_result));

/**
 * Reports count:KIND of @database (tables, views, indexes and so on, of what the options choose)
 * and sequence:LABEL:value, as @ddl has them; with @ddl NULL, as they are now.
 */
int my_inventory_facts(struct my_conn *conn, const struct my_database *database,
                       const struct my_ddl *ddl, struct plug_facts *facts,
                       struct backstay_error *err) __attribute__((warn_unused_result));

/** The bytes of a text of these documents; *@len without the NUL that follows. Caller frees. */
char *my_ddl_text(const json_t *object, const char *key, size_t *len);
