/* plugins/source/mysql/position.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * position: when a snapshot is, by the server's clock and in its binary log.
 *
 * Thread-safety: one snapshot belongs to one thread.
 */
#pragma once

#include "snapshot.h"

/** Sets a place in the binary log. */
void my_position_set(struct my_snapshot *snapshot, const char *file, const char *position);

/**
 * Where the snapshot of this connection is (MariaDB); "" when there is no binary log. Caller frees
 * both, in any case.
 *
 * @return 0 or -1 with @err.
 */
int my_position_own(struct my_conn *conn, char **file, char **position, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Where the binary log is now; leaves the position open without the right or without a log. */
void my_position_server(struct my_snapshot *snapshot, struct my_conn *conn);

/** The GTID of the snapshot's position (MariaDB), where it can be told. */
void my_position_gtid(struct my_snapshot *snapshot, struct my_conn *conn);

/** Of a replica: how far it had replicated its source, as the snapshot of @conn sees it (MariaDB;
 * the GTID of a MySQL server says this as well), where we may see that. */
void my_position_source(struct my_snapshot *snapshot, struct my_conn *conn);

/** The server's clock. @return 0 or -1 with @err. */
int my_position_instant(struct my_snapshot *snapshot, struct my_conn *conn,
                        struct backstay_error *err) __attribute__((warn_unused_result));
