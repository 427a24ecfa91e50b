/* plugins/source/mysql/tsv.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * tsv: a row as a line of what LOAD DATA reads by default: cells separated by tabs, backslashes
 * before what would be misunderstood, \N for NULL.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include "catalog.h"

/**
 * Appends a row, its line break included.
 *
 * @return how many of the cells that are texts are no valid UTF-8; their bytes are kept.
 */
unsigned my_tsv_row(struct plug_bytes *out, const struct my_table *table, MYSQL_ROW row,
                    const unsigned long *lengths);

/** Appends @len bytes of a cell, which is not NULL: cells may come in pieces. */
void my_tsv_piece(struct plug_bytes *out, enum my_form form, const char *from, size_t len);

/** Whether the cells that are texts are valid UTF-8. @return as my_tsv_row(). */
unsigned my_tsv_look(const struct my_table *table, MYSQL_ROW row, const unsigned long *lengths);
