/* plugins/source/postgres/pooler.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * pooler: whether a connection is to a server, or to a pooler in front of one, and of which kind.
 *
 * Thread-safety: a connection belongs to one thread.
 */
#pragma once

#include "conn.h"

/**
 * Refuses a connection whose transactions a pooler spreads over several sessions. To be called
 * before anything is set on the session, since the pooler gives it to another client next.
 *
 * @place where @conn is connected, for a second connection.
 * @return 0: the server itself, or a pooler that keeps sessions; -1 with @err.
 */
int pg_pooler_refuse(struct pg_conn *conn, const struct pg_place *place, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Whether a pooler is between us and the server: 1, 0, or -1 with @err. */
int pg_pooler_between(struct pg_conn *conn, struct backstay_error *err)
    __attribute__((warn_unused_result));
