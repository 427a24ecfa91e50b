/* plugins/source/mysql/create_repair.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * create_repair: answers of SHOW CREATE TABLE that the server itself does not understand.
 *
 * Thread-safety: a connection belongs to one thread at a time.
 */
#pragma once

#include "conn.h"

/** The text of @table of @database as the server can read it. Caller frees. NULL: @err. */
char *my_create_repaired(struct my_conn *conn, const char *database, const char *table,
                         const char *create, struct backstay_error *err);
