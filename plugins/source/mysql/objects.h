/* plugins/source/mysql/objects.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * objects: what else is in a database than tables, as objects.json has it. Every object has `kind`,
 * `name` and `sql`, and these, where its kind has them: `definer` as in the statement, `sql_mode`,
 * `charset` and `connection_collation` (of the author's client), `database_collation` (of the
 * database at that time).
 *
 *   database                charset, collation
 *   sequence                row: the one row of it, eight texts
 *   function, procedure, package, package body
 *   view                    columns; broken: why it cannot be used, when it cannot; elsewhere: it
 *                           uses another database, itself or by a view, and so may not be made
 * where that is not trigger                 table; in the order in which they fire event status,
 * time_zone, created (seconds since 1970), ends: it will once
 *
 * Thread-safety: a connection belongs to one thread at a time.
 */
#pragma once

#include "ddl.h"

/**
 * Appends the objects of the current database to the list @out. The session has no
 * character_set_results, so that texts come as they are stored.
 */
int my_objects_read(struct my_conn *conn, const struct my_database *database, json_t *out,
                    struct backstay_error *err) __attribute__((warn_unused_result));

/** The objects of one kind: for (size_t i = 0; (object = my_object_next(objects, kind, &i));) */
const json_t *my_object_next(const json_t *objects, const char *kind, size_t *at);
