/* src/cli/table.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/table.h"

#include <string.h>

struct stay_table {
    const struct stay_column *columns;
    size_t n_columns;
    size_t *widths;
    STAY_VEC(char *) cells;
};

/* Characters of UTF-8: those that are wide or combine are rare in what tables show. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += (*text & 0xc0) != 0x80;
    return width;
}

struct stay_table *stay_table_new(const struct stay_column *columns, size_t n)
{
    struct stay_table *table = stay_new(struct stay_table);

    table->columns = columns;
    table->n_columns = n;
    table->widths = stay_calloc(n, sizeof *table->widths);
    for (size_t i = 0; i < n; i++)
        table->widths[i] = width_of(columns[i].title);
    return table;
}

void stay_table_row(struct stay_table *table, const char *const *cells)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        char *cell = stay_strdup(cells[i]);
        stay_output_disarm(cell);
        *stay_vec_push(&table->cells) = cell;
        table->widths[i] = STAY_MAX(table->widths[i], width_of(cell));
    }
}

static void print_cell(const struct stay_table *table, size_t column, const char *text,
                       struct stay_output *output)
{
    int padding = (int)(table->widths[column] - width_of(text));
    bool last = column + 1 == table->n_columns;
    const char *gap = column ? "  " : "";

    if (table->columns[column].right)
        stay_output_text(output, "%s%*s%s", gap, padding, "", text);
    else
        stay_output_text(output, "%s%s%*s", gap, text, last ? 0 : padding, "");
}

void stay_table_print(const struct stay_table *table, struct stay_output *output)
{
    if (table->cells.n == 0)
        return;
    stay_output_text(output, "%s", output->colour ? "\033[1m" : "");
    for (size_t i = 0; i < table->n_columns; i++)
        print_cell(table, i, table->columns[i].title, output);
    stay_output_text(output, "%s\n", output->colour ? "\033[0m" : "");
    for (size_t i = 0; i < table->cells.n; i++) {
        size_t column = i % table->n_columns;
        print_cell(table, column, table->cells.items[i], output);
        if (column + 1 == table->n_columns)
            stay_output_text(output, "\n");
    }
}

void stay_table_free(struct stay_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->cells.n; i++)
        free(table->cells.items[i]);
    stay_vec_free(&table->cells);
    free(table->widths);
    free(table);
}
