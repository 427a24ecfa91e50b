/* plugins/source/mysql/target_place.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A database takes the place of another one, which is kept. Databases have no new names; tables
 * have: one statement moves all old ones out and all new ones in, and foreign keys follow them.
 * What is no table cannot be moved: it is made again, from the snapshot in the database that is
 * replaced, and from what was read before in the one that is kept. Tables with triggers cannot be
 * moved either, so that the old ones are without theirs for the moment before they move.
 */
#include "ddl_rewrite.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RENAME_TRIES = 5 };

/* What is under way. */
struct replacement {
    struct my_into *into;
    struct my plain; /* the source without its choice of tables */
    struct my_conn *conn;
    struct my_database database; /* the old one */
    struct my_ddl old;           /* how it is made */
    char *kept;                  /* where it goes */
};

/* ---- lists of names */

/* The first column, as texts. A new list; NULL: @err. */
static json_t *names(struct my_conn *conn, const char *select, const char *database,
                     struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    json_t *list = json_array();
    MYSQL_ROW row;

    plug_bytes_text(&sql, select);
    my_add_literal(&sql, database, strlen(database));
    MYSQL_RES *rows = my_query(conn, err, sql.data);
    while (rows && (row = mysql_fetch_row(rows)) != NULL)
        (void)json_array_append_new(list, json_string(my_cell(row, 0)));
    if (rows)
        mysql_free_result(rows);
    else
        json_decref(list);
    return rows ? list : NULL;
}

static const char tables_sql[] =
    "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM "
    "VERSIONED') AND TABLE_SCHEMA = ";

static const char movable_sql[] =
    "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM "
    "VERSIONED', 'SEQUENCE') AND TABLE_SCHEMA = ";

/* What is dropped by name, each in a statement of its own. Packages are only known in that mode. */
static const struct {
    const char *before; /* the name */
    const char *after;
    const char *select;
} droppable[] = {
    {"DROP TRIGGER ", "",
     "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = "},
    {"DROP VIEW ", "", "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = "},
    {"DROP EVENT ", "", "SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = "},
    {"DROP FUNCTION ", "",
     "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_TYPE"
     " = 'FUNCTION' AND ROUTINE_SCHEMA = "},
    {"DROP PROCEDURE ", "",
     "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_TYPE"
     " = 'PROCEDURE' AND ROUTINE_SCHEMA = "},
    {"SET sql_mode = 'ORACLE'; DROP PACKAGE ", "; SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
     "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'PACKAGE' AND"
     " ROUTINE_SCHEMA = "},
};

/* Drops those of @droppable[first] to @droppable[last] that a database has. */
static int drop(struct my_conn *conn, const char *database, size_t first, size_t last,
                struct backstay_error *err)
{
    int r = 0;

    for (size_t i = first; i <= last && r == 0; i++) {
        json_t *list = names(conn, droppable[i].select, database, err);
        const json_t *name;
        size_t k;
        r = list ? 0 : -1;
        json_array_foreach(list, k, name)
        {
            PLUG_AUTO_FREE char *qualified = my_qualified(database, json_string_value(name));
            if (r == 0)
                r = my_runf(conn, err, "%s%s%s", droppable[i].before, qualified,
                            droppable[i].after);
        }
        json_decref(list);
    }
    return r;
}

/* ---- the old database */

static int read_old(struct replacement *all, struct backstay_error *err)
{
    struct my_conn *conn = all->conn;
    json_t *list = names(conn, tables_sql, all->database.name, err);

    if (list == NULL)
        return -1;
    const char **texts = plug_alloc(json_array_size(list) + 1, sizeof *texts);
    const struct my_ddl_wish wish = {
        .database = &all->database, .names = texts, .n = json_array_size(list)};
    for (size_t i = 0; i < wish.n; i++)
        texts[i] = json_string_value(json_array_get(list, i));
    int r = my_ddl_read(conn, &wish, &all->old, err);
    free(texts);
    json_decref(list);
    return r;
}

static int begin(struct replacement *all, struct my_into *into, struct backstay_error *err)
{
    struct my_place place = into->target->place;

    *all = (struct replacement){.into = into, .plain = *into->target->my};
    all->plain.tables = all->plain.exclude_tables = (struct my_patterns){0};
    all->database = (struct my_database){into->named, into->named};
    place.my = &all->plain;
    if (my_connect(&all->conn, &place, err) != 0)
        return -1;
    return read_old(all, err);
}

static void end(struct replacement *all)
{
    my_ddl_free(&all->old);
    my_disconnect(all->conn);
    free(all->kept);
}

/* A foreign key follows the table that it points to. */
static int check_references(const struct my_into *into, struct backstay_error *err)
{
    const struct my_target *target = into->target;
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) FROM"
                          " information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_SCHEMA = ");
    my_add_literal(&sql, into->named, strlen(into->named));
    plug_bytes_text(&sql, " AND TABLE_SCHEMA <> REFERENCED_TABLE_SCHEMA LIMIT 1");
    PLUG_AUTO_FREE char *found = my_value(target->conn, err, sql.data);
    if (found == NULL)
        return -1;
    if (*found == '\0')
        return 0;
    return target->host->fail(target->host, err, BACKSTAY_ERR_CONFIG,
                              "the database %s cannot be replaced: a foreign key of %s, in another "
                              "database, points to it and would go on pointing to the old tables; "
                              "drop it before and make it again, or restore into a new database",
                              into->named, found);
}

int my_into_check_replaced(struct my_into *into, struct backstay_error *err)
{
    struct replacement all;
    int r = begin(&all, into, err);

    end(&all);
    return r == 0 ? check_references(into, err) : -1;
}

/* ---- moving */

static char *name_of_old(const struct my_into *into)
{
    struct tm now;
    time_t t = time(NULL);
    char end_of_name[40];

    (void)gmtime_r(&t, &now);
    (void)strftime(end_of_name, sizeof end_of_name, "_before_%Y%m%d_%H%M%S", &now);
    return my_into_derive(into->named, end_of_name);
}

static void add_moves(struct plug_bytes *sql, const json_t *list, const char *from, const char *to)
{
    const json_t *name;
    size_t i;

    json_array_foreach(list, i, name)
    {
        PLUG_AUTO_FREE char *old = my_qualified(from, json_string_value(name));
        PLUG_AUTO_FREE char *new = my_qualified(to, json_string_value(name));
        plug_bytes_format(sql, "%s%s TO %s", sql->len ? ", " : "RENAME TABLE ", old, new);
    }
}

static int rename_tables(const struct replacement *all, struct backstay_error *err)
{
    enum { LOCK_WAIT = 1205, DEADLOCK = 1213 };
    const struct my_into *into = all->into;
    struct my_conn *conn = all->conn;
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    json_t *old = names(conn, movable_sql, into->named, err);
    json_t *new = old ? names(conn, movable_sql, into->name, err) : NULL;
    int r = new ? 0 : -1;

    add_moves(&sql, old, into->named, all->kept);
    add_moves(&sql, new, into->name, into->named);
    for (int i = 0; i < RENAME_TRIES && new &&sql.len; i++) {
        r = my_run(conn, err, sql.data);
        if (r == 0 || (conn->error != LOCK_WAIT && conn->error != DEADLOCK))
            break;
    }
    json_decref(old);
    json_decref(new);
    return r;
}

/* Defaults go on naming the sequences of the database in which they were made. */
static int move_defaults(struct my_conn *conn, const char *from, const char *into,
                         struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes select = {0};
    MYSQL_ROW row;
    int r = 0;

    if (!conn->mariadb)
        return 0;
    plug_bytes_text(&select, "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_DEFAULT"
                             " FROM information_schema.COLUMNS JOIN information_schema.TABLES"
                             " USING (TABLE_SCHEMA, TABLE_NAME)"
                             " WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')"
                             " AND COLUMN_DEFAULT LIKE '%nextval(%' AND DATA_TYPE LIKE '%int%'"
                             " AND TABLE_SCHEMA = ");
    my_add_literal(&select, into, strlen(into));
    MYSQL_RES *rows = my_query(conn, err, select.data);
    if (rows == NULL)
        return -1;
    while (r == 0 && (row = mysql_fetch_row(rows)) != NULL) {
        PLUG_AUTO_BYTES struct plug_bytes sql = {0};
        PLUG_AUTO_FREE char *table = my_qualified(into, my_cell(row, 0));
        plug_bytes_format(&sql, "ALTER TABLE %s ALTER COLUMN ", table);
        my_add_ident(&sql, my_cell(row, 1));
        plug_bytes_text(&sql, " SET DEFAULT ");
        my_add_table_moved(&sql, my_cell(row, 2), (const char *const[]){from, into});
        r = my_run(conn, err, sql.data);
    }
    mysql_free_result(rows);
    return r;
}

/* ---- making again */

typedef int step_fn(struct my_conn *, const struct my_apply *, struct backstay_error *);

static int make_rest(struct my_conn *conn, const struct my_apply *apply, struct backstay_error *err)
{
    static step_fn *const steps[] = {my_apply_routines, my_apply_views, my_apply_triggers,
                                     my_apply_events};

    for (size_t i = 0; i < PLUG_COUNT(steps); i++)
        if (steps[i](conn, apply, err) != 0)
            return -1;
    return 0;
}

/* Triggers that are there, and who else is asked. */
struct missing {
    const json_t *there; /* a list of names */
    const struct my_apply *apply;
};

static bool wants_missing(void *ctx, const char *kind, const char *name, const char *table)
{
    const struct missing *missing = ctx;
    const struct my_apply *apply = missing->apply;
    const json_t *there;
    size_t i;

    json_array_foreach(missing->there, i, there)
    {
        if (strcmp(json_string_value(there), name) == 0)
            return false;
    }
    return apply->wants == NULL || apply->wants(apply->ctx, kind, name, table);
}

static int make_missing_triggers(struct my_conn *conn, const struct my_apply *apply,
                                 struct backstay_error *err)
{
    json_t *there = names(conn, droppable[0].select, apply->into, err);
    struct missing missing = {.there = there, .apply = apply};
    struct my_apply changed = *apply;

    changed.wants = wants_missing;
    changed.ctx = &missing;
    int r = there ? my_apply_triggers(conn, &changed, err) : -1;
    json_decref(there);
    return r;
}

/* The old tables are where they were: their triggers come back, those of the new ones, too. */
static int give_back(const struct replacement *all, const struct my_apply *old,
                     const struct my_apply *new, struct backstay_error *err)
{
    const struct backstay_host *host = all->into->target->host;
    PLUG_AUTO_FREE char *why = plug_strdup(err->text);
    struct backstay_error more = {.size = sizeof more};
    struct my_apply back = *old;
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    back.into = back.from;
    if (my_apply_session(all->conn, &more) != 0 ||
        make_missing_triggers(all->conn, &back, &more) != 0 ||
        make_missing_triggers(all->conn, new, &more) != 0)
        host->log(host, BACKSTAY_LOG_ERROR, "triggers that were dropped from %s are not back: %s",
                  all->into->named, more.text);
    plug_bytes_text(&sql, "DROP DATABASE ");
    my_add_ident(&sql, all->kept);
    if (my_run(all->conn, &more, sql.data) != 0)
        host->log(host, BACKSTAY_LOG_WARN, "%s", more.text);
    all->into->created = all->into->made = false;
    return host->fail(host, err, err->kind == BACKSTAY_ERR_TRANSIENT ? BACKSTAY_ERR_IO : err->kind,
                      "everything is restored into the database %s, but it could not take the "
                      "place of %s, which is as it was; end what uses its tables (SHOW "
                      "PROCESSLIST) and restore again, or use the new database: %s",
                      all->into->name, all->into->named, why);
}

/* From here on the new tables are in their place. */
static int complete(const struct replacement *all, const struct my_apply *apply,
                    struct backstay_error *err)
{
    const struct my_into *into = all->into;
    const struct backstay_host *host = into->target->host;
    PLUG_AUTO_BYTES struct plug_bytes drop_sql = {0};

    plug_bytes_text(&drop_sql, "DROP DATABASE ");
    my_add_ident(&drop_sql, into->name);
    if (move_defaults(all->conn, into->name, into->named, err) == 0 &&
        drop(all->conn, into->named, 1, PLUG_COUNT(droppable) - 1, err) == 0 &&
        my_apply_database(all->conn, apply, err) == 0 && make_rest(all->conn, apply, err) == 0 &&
        my_run(all->conn, err, drop_sql.data) == 0)
        return 0;
    PLUG_AUTO_FREE char *why = plug_strdup(err->text);
    return host->fail(host, err, err->kind,
                      "the tables of %s are those of the snapshot now, and the old ones are in %s, "
                      "but not everything else is in its place: %s",
                      into->named, all->kept, why);
}

/* What is kept is for the case that somebody misses something: it does not have to be whole. */
static void complete_kept(const struct replacement *all, const struct my_apply *old)
{
    const struct backstay_host *host = all->into->target->host;
    struct backstay_error why = {.size = sizeof why};
    PLUG_AUTO_BYTES struct plug_bytes name = {0};

    my_add_ident(&name, all->kept);
    if (move_defaults(all->conn, all->into->named, all->kept, &why) != 0 ||
        make_rest(all->conn, old, &why) != 0)
        host->log(host, BACKSTAY_LOG_WARN,
                  "the database %s has all tables and rows of the one that was replaced, but not "
                  "everything else: %s",
                  all->kept, why.text);
    host->log(host, BACKSTAY_LOG_NOTE,
              "what was replaced is kept as the database %s; when it is no longer needed: DROP "
              "DATABASE %s;",
              all->kept, name.data);
}

static int swap(struct replacement *all, const struct my_apply *apply, struct backstay_error *err)
{
    struct my_into *into = all->into;
    struct my_apply new = *apply;
    struct my_apply old = {
        .objects = all->old.objects, .from = into->named, .into = all->kept, .no_events = true};

    new.into = into->named;
    new.no_events = into->target->scratch == MY_SCRATCH_DATABASES;
    if (my_apply_session(all->conn, err) != 0 || my_apply_database(all->conn, &old, err) != 0)
        return -1;
    if (drop(all->conn, into->named, 0, 0, err) != 0 ||
        drop(all->conn, into->name, 0, 0, err) != 0 || rename_tables(all, err) != 0)
        return give_back(all, &old, apply, err);
    into->created = into->made = false;
    int r = complete(all, &new, err);
    complete_kept(all, &old);
    return r;
}

int my_into_replace(struct my_into *into, const struct my_apply *apply, struct backstay_error *err)
{
    struct replacement all;
    int r = begin(&all, into, err);

    all.kept = name_of_old(into);
    if (r == 0)
        r = swap(&all, apply, err);
    end(&all);
    return r;
}
