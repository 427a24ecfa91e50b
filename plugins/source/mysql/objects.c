/* plugins/source/mysql/objects.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Sequences know no snapshots: one that is read after the snapshot began stands at or beyond every
 * value that the snapshot's rows have.
 */
#include "objects.h"

#include "ddl_rewrite.h"

#include <errmsg.h>
#include <stdlib.h>
#include <string.h>

/* Number of the error: somebody has removed what we were to read. */
enum {
    GONE_DATABASE = 1049,
    GONE_TABLE = 1146,
    GONE_ROUTINE = 1305,
    GONE_TRIGGER = 1360,
    GONE_EVENT = 1539,
    GONE_SEQUENCE = 4091
};

/* What a kind of object answers to SHOW CREATE; -1: no such column. */
struct kind {
    const char *name; /* as in objects.json */
    const char *show; /* SHOW CREATE ... */
    int sql;
    int sql_mode;
    int charset;       /* then collation_connection, and the database's when @sql_mode is there */
    const char *grant; /* what one needs to see the text */
};

static const struct kind database_kind = {"database", "DATABASE", 1, -1, -1, "SHOW DATABASES"};
static const struct kind sequence_kind = {"sequence", "SEQUENCE", 1, -1, -1, "SELECT"};
static const struct kind view_kind = {"view", "VIEW", 1, -1, 2, "SHOW VIEW"};
static const struct kind trigger_kind = {"trigger", "TRIGGER", 2, 1, 3, "TRIGGER"};
static const struct kind event_kind = {"event", "EVENT", 3, 1, 4, "EVENT"};
static const struct kind routine_kinds[] = {
    {"function", "FUNCTION", 2, 1, 3, NULL},
    {"procedure", "PROCEDURE", 2, 1, 3, NULL},
    {"package", "PACKAGE", 2, 1, 3, NULL},
    {"package body", "PACKAGE BODY", 2, 1, 3, NULL},
};

const json_t *my_object_next(const json_t *objects, const char *kind, size_t *at)
{
    while (*at < json_array_size(objects)) {
        const json_t *object = json_array_get(objects, (*at)++);
        if (strcmp(plug_json_get(object, "kind"), kind) == 0)
            return object;
    }
    return NULL;
}

/* ---- SHOW CREATE */

static void set_text(json_t *object, const char *key, const char *text)
{
    (void)json_object_set_new(object, key, plug_json_text(text));
}

static const char *grant_for(const struct my_conn *conn, const struct kind *kind)
{
    if (kind->grant)
        return kind->grant;
    return conn->mariadb ? "SELECT ON mysql.proc" : "SHOW_ROUTINE ON *.*";
}

static int hidden(struct my_conn *conn, const struct kind *kind, const char *name,
                  struct backstay_error *err)
{
    const char *grant = grant_for(conn, kind);

    return conn->host->fail(conn->host, err, BACKSTAY_ERR_AUTH,
                            "%s: the text of the %s %s is hidden from this account; a person who "
                            "may can run: GRANT %s%s TO CURRENT_USER of the backup",
                            conn->label, kind->name, name, grant,
                            strstr(grant, " ON ") ? "" : " ON its database");
}

static bool is_gone(unsigned error)
{
    static const unsigned gone[] = {GONE_DATABASE, GONE_TABLE, GONE_ROUTINE,
                                    GONE_TRIGGER,  GONE_EVENT, GONE_SEQUENCE};

    for (size_t i = 0; i < PLUG_COUNT(gone); i++)
        if (gone[i] == error)
            return true;
    return false;
}

/* The bytes of a constant in the charset of an author's client. */
static char *converted(struct my_conn *conn, const char *text, size_t len, const char *charset,
                       struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes query = {0};

    plug_bytes_text(&query, "SELECT CONVERT(CONVERT(X'");
    for (size_t i = 0; i < len; i++)
        plug_bytes_format(&query, "%02X", (unsigned char)text[i]);
    plug_bytes_format(&query, "' USING utf8mb4) USING %s)", charset);
    return my_value(conn, err, query.data);
}

/*
 * Servers answer the text of a routine or event as its author's client has sent it, but the comment
 * in it in UTF-8, and with backslashes even where the author's sql_mode has none: makes it fit the
 * rest. Caller frees. NULL: @err.
 */
static char *with_fitting_comment(struct my_conn *conn, const char *sql, const char *charset,
                                  const char *sql_mode, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes comment = {0};
    struct plug_bytes out = {0};
    struct my_span span;

    if (!my_find_comment(sql, strlen(sql), &span))
        return plug_strdup(sql);
    if (strstr(sql_mode, "NO_BACKSLASH_ESCAPES"))
        my_add_unescaped(&comment, sql + span.at, span.len);
    else
        plug_bytes_add(&comment, sql + span.at, span.len);
    if (strncmp(charset, "utf8", 4) != 0) {
        char *text = converted(conn, comment.data, comment.len, charset, err);
        if (text == NULL)
            return NULL;
        plug_bytes_cut(&comment, 0);
        plug_bytes_text(&comment, text);
        free(text);
    }
    my_add_replaced(&out, sql, strlen(sql), &span, comment.data);
    return out.data;
}

static json_t *object_of(struct my_conn *conn, const struct kind *kind, const char *name,
                         MYSQL_ROW row, struct backstay_error *err)
{
    const char *charset = kind->charset >= 0 ? my_cell(row, (unsigned)kind->charset) : "utf8mb4";
    const char *mode = kind->sql_mode >= 0 ? my_cell(row, (unsigned)kind->sql_mode) : NULL;
    PLUG_AUTO_FREE char *sql = mode ? with_fitting_comment(conn, row[kind->sql], charset, mode, err)
                                    : plug_strdup(row[kind->sql]);

    if (sql == NULL)
        return NULL;
    json_t *object = json_object();
    set_text(object, "kind", kind->name);
    set_text(object, "name", name);
    set_text(object, "sql", sql);
    if (mode)
        set_text(object, "sql_mode", mode);
    if (kind->charset >= 0) {
        unsigned at = (unsigned)kind->charset;
        set_text(object, "charset", charset);
        set_text(object, "connection_collation", my_cell(row, at + 1));
        if (mode)
            set_text(object, "database_collation", my_cell(row, at + 2));
    }
    return object;
}

/* Appends an object to @out. @return it, borrowed; NULL: @err. */
static json_t *show(struct my_conn *conn, const struct kind *kind, const char *name, json_t *out,
                    struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_format(&sql, "SHOW CREATE %s ", kind->show);
    my_add_ident(&sql, name);
    MYSQL_RES *rows = my_query(conn, err, sql.data);
    if (rows == NULL) {
        if (is_gone(conn->error))
            (void)conn->host->fail(conn->host, err, BACKSTAY_ERR_TRANSIENT,
                                   "%s: the %s %s was removed while it was to be read; run the "
                                   "backup again",
                                   conn->label, kind->name, name);
        return NULL;
    }
    MYSQL_ROW row = mysql_fetch_row(rows);
    json_t *object = NULL;
    if (row == NULL || row[kind->sql] == NULL || *row[kind->sql] == '\0') {
        (void)hidden(conn, kind, name, err);
    } else {
        object = object_of(conn, kind, name, row, err);
        if (object)
            (void)json_array_append_new(out, object);
    }
    mysql_free_result(rows);
    return object;
}

/* ---- lists */

/* Runs @select, whose %s stands for the database as a constant. */
static MYSQL_RES *list(struct my_conn *conn, const char *select, const char *database,
                       struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes literal = {0};
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    const char *at = strstr(select, "%s");

    my_add_literal(&literal, database, strlen(database));
    plug_bytes_add(&sql, select, (size_t)(at - select));
    plug_bytes_text(&sql, literal.data);
    plug_bytes_text(&sql, at + 2);
    return my_query(conn, err, sql.data);
}

static int read_database(struct my_conn *conn, const char *database, json_t *out,
                         struct backstay_error *err)
{
    MYSQL_RES *rows = list(conn,
                           "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME"
                           " FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s",
                           database, err);

    if (rows == NULL)
        return -1;
    MYSQL_ROW row = mysql_fetch_row(rows);
    json_t *object = show(conn, &database_kind, database, out, err);
    if (object && row) {
        set_text(object, "charset", my_cell(row, 0));
        set_text(object, "collation", my_cell(row, 1));
    }
    mysql_free_result(rows);
    return object ? 0 : -1;
}

/* ---- sequences */

static int read_sequence(struct my_conn *conn, const char *database, const char *name, json_t *out,
                         struct backstay_error *err)
{
    PLUG_AUTO_FREE char *qualified = my_qualified(database, name);
    PLUG_AUTO_FREE char *sql = plug_strf(
        "SELECT next_not_cached_value, minimum_value, maximum_value, start_value, increment,"
        " cache_size, cycle_option, cycle_count FROM %s",
        qualified);
    json_t *object = show(conn, &sequence_kind, name, out, err);
    MYSQL_RES *rows = object ? my_query(conn, err, sql) : NULL;

    if (rows == NULL)
        return -1;
    json_t *values = json_array();
    MYSQL_ROW row = mysql_fetch_row(rows);
    for (unsigned i = 0; row && i < mysql_num_fields(rows); i++)
        (void)json_array_append_new(values, json_string(my_cell(row, i)));
    (void)json_object_set_new(object, "row", values);
    mysql_free_result(rows);
    return 0;
}

static int read_sequences(struct my_conn *conn, const struct my_database *database, json_t *out,
                          struct backstay_error *err)
{
    if (!conn->mariadb)
        return 0;
    MYSQL_RES *rows = list(conn,
                           "SELECT TABLE_NAME FROM information_schema.TABLES"
                           " WHERE TABLE_TYPE = 'SEQUENCE' AND TABLE_SCHEMA = %s"
                           " ORDER BY CAST(TABLE_NAME AS BINARY)",
                           database->name, err);
    int r = rows ? 0 : -1;
    for (MYSQL_ROW row; r == 0 && (row = mysql_fetch_row(rows)) != NULL;)
        if (my_wants_table(conn->my, database->label, row[0]))
            r = read_sequence(conn, database->name, row[0], out, err);
    mysql_free_result(rows);
    return r;
}

/* ---- routines, views, triggers, events */

static int read_routines(struct my_conn *conn, const char *database, json_t *out,
                         struct backstay_error *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < PLUG_COUNT(routine_kinds); i++) {
        PLUG_AUTO_FREE char *select =
            plug_strf("SELECT ROUTINE_NAME FROM information_schema.ROUTINES"
                      " WHERE ROUTINE_TYPE = '%s' AND ROUTINE_SCHEMA = %%s"
                      " ORDER BY CAST(ROUTINE_NAME AS BINARY)",
                      routine_kinds[i].show);
        MYSQL_RES *rows = list(conn, select, database, err);
        r = rows ? 0 : -1;
        for (MYSQL_ROW row; r == 0 && (row = mysql_fetch_row(rows)) != NULL;)
            r = show(conn, &routine_kinds[i], row[0], out, err) ? 0 : -1;
        mysql_free_result(rows);
    }
    return r;
}

static int read_columns(struct my_conn *conn, const char *database, json_t *views,
                        struct backstay_error *err)
{
    MYSQL_RES *rows = list(conn,
                           "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS"
                           " WHERE TABLE_SCHEMA = %s ORDER BY TABLE_NAME, ORDINAL_POSITION",
                           database, err);

    if (rows == NULL)
        return -1;
    for (MYSQL_ROW row; (row = mysql_fetch_row(rows)) != NULL;) {
        json_t *view = json_object_get(views, row[0]);
        if (view)
            (void)json_array_append_new(json_object_get(view, "columns"), plug_json_text(row[1]));
    }
    mysql_free_result(rows);
    return 0;
}

/* A view that cannot be used, since what it uses is gone, shows no columns. */
static int find_broken(struct my_conn *conn, json_t *views, struct backstay_error *err)
{
    const char *name;
    json_t *view;

    json_object_foreach(views, name, view)
    {
        PLUG_AUTO_BYTES struct plug_bytes sql = {0};
        if (json_array_size(json_object_get(view, "columns")))
            continue;
        plug_bytes_text(&sql, "SHOW COLUMNS FROM ");
        my_add_ident(&sql, name);
        MYSQL_RES *rows = my_query(conn, err, sql.data);
        if (rows == NULL && mysql_errno(conn->db) >= CR_MIN_ERROR &&
            mysql_errno(conn->db) <= CR_MAX_ERROR)
            return -1;
        if (rows == NULL)
            set_text(view, "broken", mysql_error(conn->db));
        mysql_free_result(rows);
    }
    return 0;
}

static bool uses_one_elsewhere(const json_t *view, json_t *views)
{
    size_t len;
    PLUG_AUTO_FREE char *sql = my_ddl_text(view, "sql", &len);
    const char *name;
    json_t *other;

    json_object_foreach(views, name, other) if (json_object_get(other, "elsewhere") &&
                                                my_view_uses(sql, len, name)) return true;
    return false;
}

static void find_elsewhere(const char *database, json_t *views)
{
    const char *name;
    json_t *view;
    bool more = false;

    json_object_foreach(views, name, view)
    {
        size_t len;
        PLUG_AUTO_FREE char *sql = my_ddl_text(view, "sql", &len);
        if (my_view_is_elsewhere(sql, len, database)) {
            (void)json_object_set_new(view, "elsewhere", json_true());
            more = true;
        }
    }
    while (more) {
        more = false;
        json_object_foreach(views, name, view)
        {
            if (json_object_get(view, "elsewhere") || !uses_one_elsewhere(view, views))
                continue;
            (void)json_object_set_new(view, "elsewhere", json_true());
            more = true;
        }
    }
}

static int read_views(struct my_conn *conn, const struct my_database *database, json_t *out,
                      struct backstay_error *err)
{
    json_t *views = json_object();
    MYSQL_RES *rows = list(conn,
                           "SELECT TABLE_NAME FROM information_schema.TABLES"
                           " WHERE TABLE_TYPE = 'VIEW' AND TABLE_SCHEMA = %s"
                           " ORDER BY CAST(TABLE_NAME AS BINARY)",
                           database->name, err);
    int r = rows ? 0 : -1;

    for (MYSQL_ROW row; r == 0 && (row = mysql_fetch_row(rows)) != NULL;) {
        if (!my_wants_table(conn->my, database->label, row[0]))
            continue;
        json_t *view = show(conn, &view_kind, row[0], out, err);
        if (view == NULL) {
            r = -1;
            continue;
        }
        (void)json_object_set_new(view, "columns", json_array());
        (void)json_object_set(views, row[0], view);
    }
    mysql_free_result(rows);
    if (r == 0 && json_object_size(views))
        r = read_columns(conn, database->name, views, err);
    if (r == 0)
        r = find_broken(conn, views, err);
    find_elsewhere(database->name, views);
    json_decref(views);
    return r;
}

static int read_triggers(struct my_conn *conn, const struct my_database *database, json_t *out,
                         struct backstay_error *err)
{
    MYSQL_RES *rows =
        list(conn,
             "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS"
             " WHERE TRIGGER_SCHEMA = %s ORDER BY CAST(EVENT_OBJECT_TABLE AS BINARY),"
             " ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER",
             database->name, err);
    int r = rows ? 0 : -1;

    for (MYSQL_ROW row; r == 0 && (row = mysql_fetch_row(rows)) != NULL;) {
        if (!my_wants_table(conn->my, database->label, my_cell(row, 1)))
            continue;
        json_t *trigger = show(conn, &trigger_kind, row[0], out, err);
        if (trigger)
            set_text(trigger, "table", my_cell(row, 1));
        r = trigger ? 0 : -1;
    }
    mysql_free_result(rows);
    return r;
}

static int read_events(struct my_conn *conn, const char *database, json_t *out,
                       struct backstay_error *err)
{
    MYSQL_RES *rows = list(conn,
                           "SELECT EVENT_NAME, STATUS, TIME_ZONE, UNIX_TIMESTAMP(CREATED),"
                           " EXECUTE_AT IS NOT NULL OR ENDS IS NOT NULL"
                           " FROM information_schema.EVENTS WHERE EVENT_SCHEMA = %s"
                           " ORDER BY CAST(EVENT_NAME AS BINARY)",
                           database, err);
    int r = rows ? 0 : -1;

    for (MYSQL_ROW row; r == 0 && (row = mysql_fetch_row(rows)) != NULL;) {
        json_t *event = show(conn, &event_kind, row[0], out, err);
        if (event == NULL) {
            r = -1;
            continue;
        }
        set_text(event, "status", my_cell(row, 1));
        set_text(event, "time_zone", my_cell(row, 2));
        (void)json_object_set_new(event, "created", json_integer(my_cell_number(row, 3)));
        (void)json_object_set_new(event, "ends", json_boolean(my_cell_number(row, 4)));
    }
    mysql_free_result(rows);
    return r;
}

int my_objects_read(struct my_conn *conn, const struct my_database *database, json_t *out,
                    struct backstay_error *err)
{
    bool all = conn->my->tables.n == 0;

    if (read_database(conn, database->name, out, err) != 0 ||
        read_sequences(conn, database, out, err) != 0 ||
        (all && read_routines(conn, database->name, out, err) != 0) ||
        read_views(conn, database, out, err) != 0 || read_triggers(conn, database, out, err) != 0)
        return -1;
    return all ? read_events(conn, database->name, out, err) : 0;
}
