/* plugins/source/postgres/quote.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * quote: names and values as SQL, people and libpq write them.
 *
 * Thread-safety: all functions are.
 */
#pragma once

#include "mem.h"

struct pg_conn;

/** Appends an identifier or a string constant, quoted. */
void pg_add_ident(struct plug_bytes *sql, const char *name);
void pg_add_literal(struct plug_bytes *sql, const char *text);

/** "schema"."name". Caller frees. */
char *pg_qualified(const char *schema, const char *name);

/**
 * schema.name for facts and people: quoted where SQL would read it as something else, keywords
 * apart (those differ between majors, and a label must not). Caller frees.
 */
char *pg_label(const char *schema, const char *name);

/** The statement that lets our role connect to the database that @conn wants. Caller frees. */
char *pg_grant_connect(const struct pg_conn *conn);

/** A keyword string for client programs that connects as @conn does, to @database (NULL: the same),
 * without its password. Caller frees. */
char *pg_conninfo(const struct pg_conn *conn, const char *database);

/** "PGPASSWORD=..." for the environment of client programs, or NULL when none is used. */
char *pg_password_env(const struct pg_conn *conn);
