/* plugins/source/mysql/check_objects.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Tables and other objects of a database that a backup cannot keep, or a restore not make, as they
 * are.
 */
#include "check_parts.h"

#include <stdlib.h>
#include <string.h>

/* ---- tables */

static void look_at_engines(const struct my_look *look)
{
    MY_AUTO_NAMES struct my_names torn = {0};
    MY_AUTO_NAMES struct my_names remote = {0};

    for (size_t i = 0; i < look->tables.n; i++) {
        const struct my_table *table = &look->tables.items[i];
        PLUG_AUTO_FREE char *name = plug_strf("%s (%s)", table->label, table->engine);
        if (table->no_rows)
            my_names_add(&remote, name);
        else if (!table->snapshot && !table->structure_only)
            my_names_add(&torn, name);
    }
    if (torn.n)
        my_look_say(look, BACKSTAY_WARNING, "engines",
                    "%zu tables have no snapshots, so their rows are those of the moment when they "
                    "are read: %s; ALTER TABLE ... ENGINE=InnoDB changes that, structure_only "
                    "leaves their rows out",
                    torn.n, my_names_text(&torn));
    if (remote.n)
        my_look_say(look, BACKSTAY_INFO, "engines",
                    "%zu tables have no rows of their own, only their structure is kept: %s",
                    remote.n, my_names_text(&remote));
}

static void look_at_keys(const struct my_look *look)
{
    MY_AUTO_NAMES struct my_names whole = {0};

    for (size_t i = 0; i < look->tables.n; i++) {
        const struct my_table *table = &look->tables.items[i];
        if (table->key_name == NULL && table->bytes > look->my->split_bytes && !table->no_rows &&
            !table->structure_only)
            my_names_add(&whole, table->label);
    }
    if (whole.n)
        my_look_say(look, BACKSTAY_INFO, "keys",
                    "%zu large tables have no key that is unique and without NULL, so that each is "
                    "read by one connection alone: %s",
                    whole.n, my_names_text(&whole));
}

/* ---- other objects */

static int names_of(struct my_names *out, const struct my_look *look, const char *sql, bool tables,
                    struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes text = {0};
    const char *name = look->database.name;
    const char *at = strstr(sql, "%s");

    plug_bytes_add(&text, sql, (size_t)(at - sql));
    my_add_literal(&text, name, strlen(name));
    plug_bytes_text(&text, at + 2);
    MYSQL_RES *rows = my_query(look->conn, err, text.data);
    MYSQL_ROW row;
    while (rows && (row = mysql_fetch_row(rows)) != NULL)
        if (!tables || my_wants_table(look->my, name, my_cell(row, 0)))
            my_names_add(out, my_cell(row, 0));
    if (rows)
        mysql_free_result(rows);
    return rows ? 0 : -1;
}

/* What stands in the way of a whole round trip. */
static const struct {
    const char *subject;
    const char *what;   /* after how many */
    const char *advice; /* after which */
    const char *sql;    /* whose first column is names; %s the database */
    bool tables;        /* names are chosen as those of tables */
    bool doctor;        /* for people only: it comes back as it is; needs to read accounts */
} rows[] = {
    {"views", "views cannot be used (what they are made from is gone, or their definer may not)",
     "mend or drop them: a restore cannot make what cannot be used",
     /* Asked for the number of rows, MariaDB looks into a view. */
     "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'VIEW' AND"
     " TABLE_ROWS IS NULL AND TABLE_COMMENT <> 'VIEW' AND TABLE_COMMENT <> '' AND TABLE_SCHEMA = "
     "%s",
     true, false},
    {"definers", "accounts define objects and are not there, so that these objects cannot be used",
     "make the accounts, or the objects anew",
     "SELECT DISTINCT d.definer FROM ("
     "SELECT TABLE_SCHEMA AS s, DEFINER AS definer FROM information_schema.VIEWS"
     " UNION SELECT TRIGGER_SCHEMA, DEFINER FROM information_schema.TRIGGERS"
     " UNION SELECT ROUTINE_SCHEMA, DEFINER FROM information_schema.ROUTINES"
     " UNION SELECT EVENT_SCHEMA, DEFINER FROM information_schema.EVENTS) AS d"
     " WHERE d.s = %s AND d.definer <> '' AND NOT EXISTS (SELECT 1 FROM mysql.user AS u"
     " WHERE CONVERT(CONCAT(u.User, '@', u.Host) USING utf8mb4) COLLATE utf8mb4_bin ="
     " CONVERT(d.definer USING utf8mb4) COLLATE utf8mb4_bin"
     " OR (u.Host = '' AND CONVERT(u.User USING utf8mb4) COLLATE utf8mb4_bin ="
     " CONVERT(d.definer USING utf8mb4) COLLATE utf8mb4_bin)) ORDER BY 1",
     false, true},
};

int my_look_objects(const struct my_look *look, struct backstay_error *err)
{
    bool accounts = my_look_grants(look->grants, "SELECT", "mysql");

    look_at_engines(look);
    look_at_keys(look);
    for (size_t i = 0; i < PLUG_COUNT(rows); i++) {
        MY_AUTO_NAMES struct my_names names = {0};
        if (rows[i].doctor && !(look->advice && accounts))
            continue;
        if (names_of(&names, look, rows[i].sql, rows[i].tables, err) != 0)
            return -1;
        if (names.n)
            my_look_say(look, BACKSTAY_WARNING, rows[i].subject, "%zu %s: %s; %s", names.n,
                        rows[i].what, my_names_text(&names), rows[i].advice);
    }
    return 0;
}
