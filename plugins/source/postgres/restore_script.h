/* plugins/source/postgres/restore_script.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * restore_script: DB/load.sh, which loads a database from the files of its entries with pg_restore
 * and psql alone.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include <jansson.h>

/** The script for the tables of @tables (tables.json). @database: its name, to say so. Caller
 * frees. */
char *pg_load_script(const json_t *tables, const char *database);
