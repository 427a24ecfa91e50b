/* plugins/source/mysql/keep.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * keep: the definitions of tables are kept from changing while a run begins, and, when it is short,
 * until it ends; but never longer than others may be made to wait.
 *
 * A snapshot keeps rows, not definitions: rows of a table that was altered or emptied after it
 * cannot be read any more.
 *
 * Thread-safety: begin and end in one thread.
 */
#pragma once

#include "snapshot.h"

#include <pthread.h>

struct my_keep {
    struct my_conn *conn; /* its transaction has opened every table */
    pthread_t thread;     /* ends the transaction in time */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int64_t end_ns; /* of CLOCK_MONOTONIC */
    bool running;
    bool ended; /* guarded by @mutex */
};

/**
 * Opens the tables, then looks whether the snapshot can still read each.
 *
 * @return 0; MY_KEEP_CHANGED: one was changed since (@err says which); -1 with @err. my_keep_end()
 * in any case.
 */
enum { MY_KEEP_CHANGED = 1 };
int my_keep_begin(struct my_keep *keep, const struct my_snapshot *snapshot,
                  const struct my_place *place, struct backstay_error *err)
    __attribute__((warn_unused_result));
void my_keep_end(struct my_keep *keep);

/** Whether the last error of @conn is that a table is not as it was. */
bool my_was_changed(const struct my_conn *conn);
