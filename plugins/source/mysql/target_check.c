/* plugins/source/mysql/target_check.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What must hold before a restore changes anything.
 */
#include "objects.h"
#include "restore.h"

#include <stdlib.h>
#include <string.h>

/* ---- an existing database */

static char *contents_sql(const char *name)
{
    static const char *const from[] = {
        "SELECT CONCAT(LOWER(TABLE_TYPE), ' ', TABLE_NAME) FROM information_schema.TABLES"
        " WHERE TABLE_SCHEMA = ",
        " UNION ALL SELECT CONCAT(LOWER(ROUTINE_TYPE), ' ', ROUTINE_NAME)"
        " FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ",
        " UNION ALL SELECT CONCAT('event ', EVENT_NAME) FROM information_schema.EVENTS"
        " WHERE EVENT_SCHEMA = ",
    };
    struct plug_bytes sql = {0};

    for (size_t i = 0; i < PLUG_COUNT(from); i++) {
        plug_bytes_text(&sql, from[i]);
        my_add_literal(&sql, name, strlen(name));
    }
    plug_bytes_text(&sql, " LIMIT 1");
    return sql.data;
}

static int check_empty(const struct my_into *into, struct backstay_error *err)
{
    const struct my_target *target = into->target;
    PLUG_AUTO_FREE char *sql = contents_sql(into->named);
    PLUG_AUTO_FREE char *found = my_value(target->conn, err, sql);

    if (found == NULL)
        return -1;
    if (*found == '\0')
        return 0;
    return target->host->fail(target->host, err, BACKSTAY_ERR_CONFIG,
                              "the database %s of %s is not empty (it has %s), and nothing is "
                              "restored over what is there; name a database that does not exist, "
                              "or restore with --replace, which keeps what is there under another "
                              "name",
                              into->named, target->conn->label, found);
}

/* ---- tables */

static char *exists_sql(const char *what, const char *database, const char *table)
{
    struct plug_bytes sql = {0};

    plug_bytes_format(&sql, "SELECT %s = ", what);
    my_add_literal(&sql, database, strlen(database));
    plug_bytes_format(&sql,
                      " AND %s = ", strstr(what, "TRIGGERS") ? "EVENT_OBJECT_TABLE" : "TABLE_NAME");
    my_add_literal(&sql, table, strlen(table));
    plug_bytes_text(&sql, " LIMIT 1");
    return sql.data;
}

static int check_filled(const struct my_into *into, const char *name, const char *label,
                        struct backstay_error *err)
{
    const struct my_target *target = into->target;
    PLUG_AUTO_FREE char *qualified = my_qualified(into->named, name);
    PLUG_AUTO_FREE char *sql = plug_strf("SELECT EXISTS (SELECT 1 FROM %s)", qualified);
    PLUG_AUTO_FREE char *filled = my_value(target->conn, err, sql);

    if (filled == NULL)
        return -1;
    if (*filled != '1')
        return 0;
    return target->host->fail(target->host, err, BACKSTAY_ERR_CONFIG,
                              "table %s of %s has rows already, and none are added to them; empty "
                              "it first (TRUNCATE) or restore into another database",
                              label, target->conn->label);
}

/* A trigger would change what is loaded, or other tables. */
static int check_triggers(const struct my_into *into, const char *name, const char *label,
                          struct backstay_error *err)
{
    const struct my_target *target = into->target;
    PLUG_AUTO_FREE char *sql =
        exists_sql("TRIGGER_NAME FROM information_schema.TRIGGERS WHERE EVENT_MANIPULATION ="
                   " 'INSERT' AND TRIGGER_SCHEMA",
                   into->named, name);
    PLUG_AUTO_FREE char *found = my_value(target->conn, err, sql);

    if (found == NULL)
        return -1;
    if (*found == '\0')
        return 0;
    return target->host->fail(target->host, err, BACKSTAY_ERR_CONFIG,
                              "rows cannot be loaded into table %s of %s: it has the trigger %s, "
                              "which would run for each of them; drop it before (SHOW CREATE "
                              "TRIGGER tells how to make it again), or restore into a new database",
                              label, target->conn->label, found);
}

static int check_table(const struct my_into *into, const json_t *table, struct backstay_error *err)
{
    const struct my_target *target = into->target;
    const struct backstay_host *host = target->host;
    const char *name = plug_json_get(table, "name");
    const char *label = plug_json_get(table, "label");
    PLUG_AUTO_FREE char *sql = exists_sql("TABLE_NAME FROM information_schema.TABLES WHERE "
                                          "TABLE_SCHEMA",
                                          into->named, name);
    PLUG_AUTO_FREE char *found = my_value(target->conn, err, sql);

    if (found == NULL)
        return -1;
    if (*found && !target->wish->data_only)
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "table %s exists already in the database %s of %s, and nothing is "
                          "restored over it; restore into another database, or its rows alone with "
                          "--data-only",
                          label, into->named, target->conn->label);
    if (!target->wish->data_only)
        return 0;
    if (*found == '\0')
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "there is no table %s in the database %s of %s whose rows could be "
                          "restored; restore without --data-only",
                          label, into->named, target->conn->label);
    if (check_filled(into, name, label, err) != 0)
        return -1;
    return check_triggers(into, name, label, err);
}

static int check_tables(const struct my_into *into, const struct my_saved *saved,
                        struct backstay_error *err)
{
    const json_t *table;
    size_t i;

    json_array_foreach(saved->tables, i, table)
    {
        if (my_restore_wants(into->target->wish, table) && check_table(into, table, err) != 0)
            return -1;
    }
    return 0;
}

static int check_existing(struct my_into *into, const struct my_saved *saved,
                          struct backstay_error *err)
{
    const struct my_target *target = into->target;
    const struct my_wish *wish = target->wish;

    if (wish->replace && strcmp(wish->replace, into->named) != 0)
        return target->host->fail(target->host, err, BACKSTAY_ERR_CONFIG,
                                  "\"%s\" may be replaced, but the place to restore to is database "
                                  "\"%s\"; nothing was changed",
                                  wish->replace, into->named);
    if (wish->replace)
        return my_into_check_replaced(into, err);
    return wish->n_tables || wish->data_only ? check_tables(into, saved, err)
                                             : check_empty(into, err);
}

/* ---- what the server must have */

/* All that is missing, in one message. */
struct findings {
    const struct backstay_host *host;
    struct plug_bytes text;
    unsigned n;
};

static void add_finding(void *ctx, const char *subject, const char *text)
{
    enum { IN_MESSAGE = 3 };
    struct findings *findings = ctx;

    if (findings->n++ < IN_MESSAGE)
        plug_bytes_format(&findings->text, "%s%s: %s", findings->text.len ? "; " : "", subject,
                          text);
    findings->host->log(findings->host, BACKSTAY_LOG_WARN, "%s: %s", subject, text);
}

/* ---- the modes of the sessions in which objects were made */

/* @modes without @mode, which is one of the words between its commas. Caller frees. */
static char *without_mode(const char *modes, const char *mode)
{
    struct plug_bytes out = {0};

    plug_bytes_text(&out, "");
    while (*modes) {
        size_t len = strcspn(modes, ",");
        if (len != strlen(mode) || strncmp(modes, mode, len) != 0)
            plug_bytes_format(&out, "%s%.*s", out.len ? "," : "", (int)len, modes);
        modes += len + (modes[len] == ',');
    }
    return out.data;
}

/* MariaDB's default has a mode that MySQL 8 has not, and that means nothing to an object. */
static void drop_modes(const struct my_saved *saved, const struct my_conn *conn)
{
    json_t *object;
    size_t i;

    if (conn->mariadb)
        return;
    json_array_foreach(saved->objects, i, object)
    {
        if (json_object_get(object, "sql_mode") == NULL)
            continue;
        PLUG_AUTO_FREE char *kept =
            without_mode(plug_json_get(object, "sql_mode"), "NO_AUTO_CREATE_USER");
        (void)json_object_set_new(object, "sql_mode", json_string(kept));
    }
}

static int check_mode(struct my_conn *conn, const struct my_apply *apply, const json_t *object,
                      struct findings *findings, struct backstay_error *err)
{
    enum { WRONG_VALUE = 1231 };
    const char *mode = plug_json_get(object, "sql_mode");
    const char *kind = plug_json_get(object, "kind");
    const char *name = plug_json_get(object, "name");
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    if (*mode == '\0' || !apply->wants(apply->ctx, kind, name, plug_json_get(object, "table")))
        return 0;
    plug_bytes_text(&sql, "SET SESSION sql_mode = ");
    my_add_literal(&sql, mode, strlen(mode));
    if (my_run(conn, err, sql.data) == 0)
        return 0;
    if (conn->error != WRONG_VALUE)
        return -1;
    PLUG_AUTO_FREE char *text = plug_strf("unknown to %s, but the %s %s was made in it; restore "
                                          "into a server of the product and version that the "
                                          "backup comes from",
                                          conn->label, kind, name);
    PLUG_AUTO_FREE char *subject = plug_strf("sql_mode %s", mode);
    add_finding(findings, subject, text);
    return 0;
}

static int check_modes(const struct my_into *into, const struct my_saved *saved,
                       const struct my_apply *apply, struct findings *findings,
                       struct backstay_error *err)
{
    struct my_conn *conn = into->target->conn;
    const char *last = "";
    const json_t *object;
    size_t i;

    drop_modes(saved, conn);
    json_array_foreach(saved->objects, i, object)
    {
        const char *mode = plug_json_get(object, "sql_mode");
        if (strcmp(mode, last) != 0 && check_mode(conn, apply, object, findings, err) != 0)
            return -1;
        last = mode;
    }
    return my_apply_session(conn, err);
}

static int check_needs(const struct my_into *into, const struct my_saved *saved,
                       const struct my_apply *apply, struct backstay_error *err)
{
    const struct my_target *target = into->target;
    struct findings findings = {.host = target->host};
    int r = my_apply_preflight(target->conn, apply, add_finding, &findings, err);

    if (r >= 0)
        r = check_modes(into, saved, apply, &findings, err);
    if (r == 0 && findings.n)
        r = target->host->fail(target->host, err, BACKSTAY_ERR_CONFIG,
                               "%s cannot take the database %s as it is (%u reasons); nothing was "
                               "changed; %s",
                               target->conn->label, saved->name, findings.n, findings.text.data);
    plug_bytes_free(&findings.text);
    return r;
}

int my_into_check(struct my_into *into, const struct my_saved *saved, const struct my_apply *apply,
                  struct backstay_error *err)
{
    const struct my_target *target = into->target;

    if (into->exists && check_existing(into, saved, err) != 0)
        return -1;
    if (!into->exists && target->wish->data_only)
        return target->host->fail(target->host, err, BACKSTAY_ERR_CONFIG,
                                  "there is no database %s whose tables could be filled; restore "
                                  "without --data-only",
                                  into->named);
    return target->wish->data_only ? 0 : check_needs(into, saved, apply, err);
}
