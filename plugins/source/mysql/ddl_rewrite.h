/* plugins/source/mysql/ddl_rewrite.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * ddl_rewrite: the few places of a SHOW CREATE that a restore changes. Everything else stays as it
 * is, byte by byte. Texts are in the charset of their author's client and may hold any bytes.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include "mem.h"

#include <stdbool.h>

/** A piece of a text. */
struct my_span {
    size_t at;
    size_t len;
};

/**
 * Finds "DEFINER=user@host " with the blank behind it, in the beginning of a view, routine, trigger
 * or event.
 */
bool my_find_definer(const char *sql, size_t len, struct my_span *out);

/** Finds ENABLE, DISABLE or DISABLE ON SLAVE (or REPLICA) of an event. */
bool my_find_event_status(const char *sql, size_t len, struct my_span *out);

/** Finds the constant behind COMMENT, quotes included, in the head of a routine or event. */
bool my_find_comment(const char *sql, size_t len, struct my_span *out);

/** Appends a constant with backslashes as one for servers to whom these are nothing special. */
void my_add_unescaped(struct plug_bytes *out, const char *constant, size_t len);

/** Appends @sql without @span, and @instead in its place. */
void my_add_replaced(struct plug_bytes *out, const char *sql, size_t len,
                     const struct my_span *span, const char *instead);

/**
 * Appends the text of a trigger so that it can be made in another database than @from: its author
 * may have written names of trigger and table with the database. What the body says stays.
 */
void my_add_trigger_moved(struct plug_bytes *out, const char *sql, size_t len, const char *from);

/**
 * Appends the text of a view with @into where it names the database @from.
 *
 * @return 0; -1: it cannot be told what is a database, since a table has an alias of that name.
 */
int my_add_view_moved(struct plug_bytes *out, const char *sql, size_t len,
                      const char *const from_into[2]);

/** Whether a view of the database @own uses tables or functions of other databases. */
bool my_view_is_elsewhere(const char *sql, size_t len, const char *own);

/** Whether a view that uses nothing elsewhere reads from the table or view @name. */
bool my_view_uses(const char *sql, size_t len, const char *name);

/** Appends the text of a table with @into where a default is the next value of a sequence of the
 * database @from. */
void my_add_table_moved(struct plug_bytes *out, const char *sql, const char *const from_into[2]);
