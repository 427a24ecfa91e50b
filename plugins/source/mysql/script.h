/* plugins/source/mysql/script.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * script: the statements that scripts and restores have in common.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include "ddl.h"

/**
 * The statements that give @table (an object of tables.json) its keys, or with @key "foreign_keys"
 * its foreign keys; @into is its name, quoted. One for all, but for FULLTEXT keys, of which a
 * server makes one at a time.
 *
 * @return a new list of texts.
 */
json_t *my_script_keys(const json_t *table, const char *key, const char *into);

/** Appends the statement that sets a sequence to where it was; @into is its name, quoted. */
void my_script_sequence(struct plug_bytes *out, const json_t *sequence, const char *into);

/** Appends "SET ..." for the session in which an object was made. */
void my_script_session(struct plug_bytes *out, const json_t *object);

/** What follows "SET " in a session that makes tables and loads rows, whatever the product. */
extern const char my_script_settings[];

/** The views of objects.json, those before others which are used by them. A new list. */
json_t *my_script_views(const json_t *objects);

/** Appends `CREATE OR REPLACE` ... instead of `CREATE` .... */
void my_script_or_replace(struct plug_bytes *out, const char *sql, size_t len);

/** Appends "ALTER DEFINER=... EVENT `name` STATUS" for an event of the text @sql. */
void my_script_event_status(struct plug_bytes *out, const json_t *event, const char *sql,
                            size_t len);
