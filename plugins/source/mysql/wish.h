/* plugins/source/mysql/wish.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * wish: what the options of a restore ask for.
 *
 * Thread-safety: does not change once read.
 */
#pragma once

#include "mysql_source.h"

struct my_wish {
    const char *database; /* of the snapshot; NULL: the only one, or all of them */
    const char **tables;  /* as they were written; borrowed from the target */
    size_t n_tables;
    bool schema_only;
    bool data_only;
    bool no_owner;
    const char *replace; /* the database that may be replaced, or NULL */
    unsigned jobs;
};

/** @return 0, release with my_wish_free(); -1 with @err when options contradict each other. */
int my_wish_read(struct my_wish *out, const struct my *my, const struct backstay_target *target,
                 struct backstay_error *err) __attribute__((warn_unused_result));
void my_wish_free(struct my_wish *wish);

/**
 * Whether the table of this label is asked for: by its label, by its names without quotes, or by
 * its name without the database. Sets @used[i], when @used is not NULL, of each option that names
 * it.
 */
bool my_wish_has_table(const struct my_wish *wish, const char *label, bool *used);

/** Whether the wish leaves out anything of a database. */
bool my_wish_is_partial(const struct my_wish *wish);
