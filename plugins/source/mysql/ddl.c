/* plugins/source/mysql/ddl.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ddl.h"

#include "create.h"
#include "create_repair.h"
#include "objects.h"

#include <stdlib.h>
#include <string.h>

/* ---- texts */

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *my_ddl_text(const json_t *object, const char *key, size_t *len)
{
    const char *text = plug_json_get(object, key);
    size_t n = strlen(text);

    *len = n;
    if (strncmp(text, "\\x", 2) != 0 || n % 2 != 0)
        return plug_strdup(text);
    char *out = plug_alloc(n / 2, 1);
    *len = n / 2 - 1;
    for (size_t i = 0; i < *len; i++) {
        int high = digit(text[2 + 2 * i]);
        int low = digit(text[3 + 2 * i]);
        if (high < 0 || low < 0) {
            free(out);
            *len = n;
            return plug_strdup(text);
        }
        out[i] = (char)(high << 4 | low);
    }
    return out;
}

/* ---- tables */

static int read_table(struct my_conn *conn, const char *database, const char *name, json_t *tables,
                      struct backstay_error *err)
{
    enum { GONE = 1146, COLUMNS = 2 };
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "SHOW CREATE TABLE ");
    my_add_ident(&sql, name);
    MYSQL_RES *rows = my_query(conn, err, sql.data);
    if (rows == NULL) {
        if (conn->error == GONE)
            (void)conn->host->fail(conn->host, err, BACKSTAY_ERR_TRANSIENT,
                                   "%s: the table %s was removed while it was to be read; run the "
                                   "backup again",
                                   conn->label, name);
        return -1;
    }
    MYSQL_ROW row = mysql_fetch_row(rows);
    PLUG_AUTO_FREE char *create =
        row && mysql_num_fields(rows) == COLUMNS ? plug_strdup(my_cell(row, 1)) : NULL;
    mysql_free_result(rows);
    if (create == NULL)
        return conn->host->fail(conn->host, err, BACKSTAY_ERR_TRANSIENT,
                                "%s: %s is no table any more; run the backup again", conn->label,
                                name);
    PLUG_AUTO_FREE char *repaired = my_create_repaired(conn, database, name, create, err);
    if (repaired == NULL)
        return -1;
    json_t *object = my_create_split(repaired);
    (void)json_object_set_new(object, "create", plug_json_text(create));
    (void)json_object_set_new(object, "collations", json_array());
    (void)json_object_set_new(tables, name, object);
    return 0;
}

/* Those that a table's text names, and those that it leaves out because they are the default. */
static int read_collations(struct my_conn *conn, const char *database, json_t *tables,
                           struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes name = {0};

    my_add_literal(&name, database, strlen(database));
    PLUG_AUTO_FREE char *sql = plug_strf(
        "SELECT TABLE_NAME, TABLE_COLLATION FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s"
        " AND TABLE_COLLATION IS NOT NULL"
        " UNION SELECT TABLE_NAME, COLLATION_NAME FROM information_schema.COLUMNS"
        " WHERE TABLE_SCHEMA = %s AND COLLATION_NAME IS NOT NULL ORDER BY 1, 2",
        name.data, name.data);
    MYSQL_RES *rows = my_query(conn, err, sql);
    if (rows == NULL)
        return -1;
    for (MYSQL_ROW row; (row = mysql_fetch_row(rows)) != NULL;) {
        json_t *table = json_object_get(tables, row[0]);
        if (table)
            (void)json_array_append_new(json_object_get(table, "collations"), json_string(row[1]));
    }
    mysql_free_result(rows);
    return 0;
}

/* ---- all of it */

static int read_all(struct my_conn *conn, const struct my_ddl_wish *wish, struct my_ddl *out,
                    struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes use = {0};

    plug_bytes_text(&use, "USE ");
    my_add_ident(&use, wish->database->name);
    if (my_run(conn, err, use.data) != 0 ||
        my_run(conn, err, "SET character_set_results = NULL") != 0)
        return -1;
    for (size_t i = 0; i < wish->n; i++)
        if (read_table(conn, wish->database->name, wish->names[i], out->tables, err) != 0)
            return -1;
    if (read_collations(conn, wish->database->name, out->tables, err) != 0)
        return -1;
    return my_objects_read(conn, wish->database, out->objects, err);
}

int my_ddl_read(struct my_conn *conn, const struct my_ddl_wish *wish, struct my_ddl *out,
                struct backstay_error *err)
{
    PLUG_AUTO_FREE char *results = my_value(conn, err, "SELECT @@character_set_results");

    *out = (struct my_ddl){.tables = json_object(), .objects = json_array()};
    int r = results ? read_all(conn, wish, out, err) : -1;
    if (r == 0)
        r = my_runf(conn, err, "SET character_set_results = %s", *results ? results : "NULL");
    if (r != 0)
        my_ddl_free(out);
    return r;
}

void my_ddl_free(struct my_ddl *ddl)
{
    json_decref(ddl->tables);
    json_decref(ddl->objects);
    *ddl = (struct my_ddl){0};
}
