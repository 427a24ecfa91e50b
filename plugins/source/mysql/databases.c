/* plugins/source/mysql/databases.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which databases the options name.
 */
#include "run.h"

#include <stdlib.h>
#include <string.h>

static void keep_name(char ***out, size_t *n, const char *name)
{
    char **grown = reallocarray(*out, *n + 1, sizeof *grown);

    if (grown == NULL)
        abort();
    grown[(*n)++] = plug_strdup(name);
    *out = grown;
}

/* All, or whether one is there. */
static int look(const struct my *my, struct my_conn *conn, char ***out, size_t *n,
                struct backstay_error *err)
{
    static const char all[] =
        "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN"
        " ('mysql', 'information_schema', 'performance_schema', 'sys') ORDER BY SCHEMA_NAME";
    MYSQL_RES *rows;
    MYSQL_ROW row;

    if (my->databases.n == 1 && strcmp(my->databases.items[0], "all") == 0) {
        rows = my_query(conn, err, all);
        while (rows && (row = mysql_fetch_row(rows)) != NULL)
            keep_name(out, n, my_cell(row, 0));
        if (rows)
            mysql_free_result(rows);
        return rows ? 0 : -1;
    }
    for (size_t i = 0; i < my->databases.n; i++)
        keep_name(out, n, my->databases.items[i]);
    if (*n == 0 && conn->place.database)
        keep_name(out, n, conn->place.database);
    if (*n == 0)
        return my->host->fail(my->host, err, BACKSTAY_ERR_CONFIG,
                              "no database is named: give one in the url or as \"database\", or "
                              "several as \"databases\"");
    return 0;
}

static int look_for(const struct my *my, struct my_conn *conn, const char *name,
                    struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ");
    my_add_literal(&sql, name, strlen(name));
    PLUG_AUTO_FREE char *found = my_value(conn, err, sql.data);
    if (found == NULL)
        return -1;
    if (strcmp(found, "0") != 0)
        return 0;
    return my->host->fail(my->host, err, BACKSTAY_ERR_CONFIG,
                          "%s: there is no database %s, or the account may not see it", conn->label,
                          name);
}

int my_databases(const struct my *my, const struct my_place *place, char ***out, size_t *n,
                 struct backstay_error *err)
{
    struct my_conn *conn = NULL;

    *out = NULL;
    *n = 0;
    int r = my_connect(&conn, place, err);
    if (r == 0)
        r = look(my, conn, out, n, err);
    for (size_t i = 0; i < *n && r == 0; i++)
        r = look_for(my, conn, (*out)[i], err);
    my_disconnect(conn);
    return r;
}
