/* plugins/source/postgres/cell.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is in the rows that a query answers.
 */
#include "conn.h"

#include <stdlib.h>

char *pg_value(struct pg_conn *conn, struct backstay_error *err, const char *sql)
{
    PGresult *rows = pg_query(conn, err, sql, NULL, 0);

    if (rows == NULL)
        return NULL;
    char *text = plug_strdup(PQntuples(rows) > 0 ? pg_cell(rows, 0, 0) : "");
    PQclear(rows);
    return text;
}

const char *pg_cell(const PGresult *rows, int row, int column)
{
    return PQgetvalue(rows, row, column);
}

bool pg_cell_true(const PGresult *rows, int row, int column)
{
    return PQgetvalue(rows, row, column)[0] == 't';
}

int64_t pg_cell_number(const PGresult *rows, int row, int column)
{
    return strtoll(PQgetvalue(rows, row, column), NULL, 10);
}
