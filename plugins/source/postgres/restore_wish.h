/* plugins/source/postgres/restore_wish.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * restore_wish: what the options of a restore ask for.
 *
 * Thread-safety: does not change once read.
 */
#pragma once

#include "postgres.h"

struct pg_wish {
    const char *database; /* of the snapshot; NULL: the only one, or all of them */
    const char **tables;  /* as they were written; borrowed from the target */
    size_t n_tables;
    bool schema_only;
    bool data_only;
    bool no_owner;
    const char *replace; /* the database that may be replaced, or NULL */
    unsigned jobs;
};

/** @return 0, release with pg_wish_free(); -1 with @err when options contradict each other. */
int pg_wish_read(struct pg_wish *out, const struct pg *pg, const struct backstay_target *target,
                 struct backstay_error *err) __attribute__((warn_unused_result));
void pg_wish_free(struct pg_wish *wish);

/**
 * Whether the table of this label is asked for: by its label, or by its names without quotes.
 * @which, when not NULL, receives the number of the option that names it.
 */
bool pg_wish_has_table(const struct pg_wish *wish, const char *label, size_t *which);

/** Whether the wish leaves out anything of a database. */
bool pg_wish_is_partial(const struct pg_wish *wish);
