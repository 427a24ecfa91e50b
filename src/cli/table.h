/* src/cli/table.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * table: columns that are as wide as their widest cell, for people.
 *
 * Layer: cli. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "cli/output.h"

struct stay_table;

struct stay_column {
    const char *title;
    bool right; /* numbers */
};

/** @columns are constant data that outlive the table. */
struct stay_table *stay_table_new(const struct stay_column *columns, size_t n);

/** Adds a row of as many cells as there are columns; copied, control characters become '?'. */
void stay_table_row(struct stay_table *table, const char *const *cells);

/** Writes titles and rows as stay_output_text(). A table without rows writes nothing. */
void stay_table_print(const struct stay_table *table, struct stay_output *output);

/** NULL is allowed. */
void stay_table_free(struct stay_table *table);
STAY_DEFINE_AUTO(struct stay_table, stay_table_free)
