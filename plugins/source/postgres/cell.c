/* plugins/source/postgres/cell.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is in the rows that a query answers.
 */
#include "meta.h"

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

json_t *pg_query_json(struct pg_conn *conn, struct backstay_error *err, const char *sql,
                      const char *const *params, int n)
{
    json_error_t why;
    PGresult *rows = pg_query(conn, err, sql, params, n);

    if (rows == NULL)
        return NULL;
    json_t *json = plug_json_parse(PQntuples(rows) > 0 ? pg_cell(rows, 0, 0) : "", &why);
    PQclear(rows);
    if (json == NULL)
        (void)conn->host->fail(conn->host, err, BACKSTAY_ERR_IO,
                               "%s: a document of the server is no JSON: %s", conn->label,
                               why.text);
    return json;
}
