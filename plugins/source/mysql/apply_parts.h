/* plugins/source/mysql/apply_parts.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * apply_parts: what the files of apply share.
 *
 * Thread-safety: a connection belongs to one thread at a time.
 */
#pragma once

#include "apply.h"

/** Runs a statement of any bytes; @what it is to do, for the message. @return 0 or -1 with @err. */
int my_apply_bytes(struct my_conn *conn, const char *what, const struct plug_bytes *sql,
                   struct backstay_error *err) __attribute__((warn_unused_result));

/** Makes the new database the current one. */
int my_apply_use(struct my_conn *conn, const struct my_apply *apply, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Whether an object is to be made; whether the database gets another name. */
bool my_apply_wants(const struct my_apply *apply, const json_t *object);
bool my_apply_moves(const struct my_apply *apply);
