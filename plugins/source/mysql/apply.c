/* plugins/source/mysql/apply.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The database, sequences, tables and their keys.
 */
#include "apply.h"

#include "apply_parts.h"
#include "create.h"
#include "ddl_rewrite.h"
#include "objects.h"
#include "script.h"

#include <stdlib.h>
#include <string.h>

int my_apply_bytes(struct my_conn *conn, const char *what, const struct plug_bytes *sql,
                   struct backstay_error *err)
{
    my_wait_for(conn);
    if (mysql_real_query(conn->db, sql->data, sql->len) != 0)
        return my_fail(conn, what, err);
    do {
        MYSQL_RES *rows = mysql_use_result(conn->db);
        if (rows)
            mysql_free_result(rows);
        if (mysql_errno(conn->db))
            return my_fail(conn, what, err);
    } while (mysql_next_result(conn->db) == 0);
    return mysql_errno(conn->db) ? my_fail(conn, what, err) : 0;
}

int my_apply_use(struct my_conn *conn, const struct my_apply *apply, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "USE ");
    my_add_ident(&sql, apply->into);
    return my_run(conn, err, sql.data);
}

bool my_apply_wants(const struct my_apply *apply, const json_t *object)
{
    return apply->wants == NULL ||
           apply->wants(apply->ctx, plug_json_get(object, "kind"), plug_json_get(object, "name"),
                        plug_json_get(object, "table"));
}

bool my_apply_moves(const struct my_apply *apply)
{
    return strcmp(apply->from, apply->into) != 0;
}

/* ---- the session */

/* Numbers of errors that say: this server has no such setting, or not for us. */
static bool is_no_setting(unsigned error)
{
    enum {
        UNKNOWN = 1193,
        DENIED = 1227,
        GLOBAL_ONLY = 1229,
        READ_ONLY = 1238,
        WRONG_VALUE = 1231
    };

    return error == UNKNOWN || error == DENIED || error == GLOBAL_ONLY || error == READ_ONLY ||
           error == WRONG_VALUE;
}

int my_apply_session(struct my_conn *conn, struct backstay_error *err)
{
    static const char *const mariadb[] = {
        "system_versioning_alter_history = KEEP",
        "system_versioning_insert_history = 1",
        "check_constraint_checks = 0",
        "explicit_defaults_for_timestamp = 1",
        "character_set_collations = ''",
        "innodb_strict_mode = 0",
    };
    static const char *const mysql[] = {
        "sql_generate_invisible_primary_key = 0",
        "sql_require_primary_key = 0",
        "innodb_strict_mode = 0",
        "explicit_defaults_for_timestamp = 1",
    };
    const char *const *settings = conn->mariadb ? mariadb : mysql;
    size_t n = conn->mariadb ? PLUG_COUNT(mariadb) : PLUG_COUNT(mysql);

    if (my_runf(conn, err, "SET NAMES utf8mb4, %s", my_script_settings) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (my_runf(conn, err, "SET SESSION %s", settings[i]) != 0 && !is_no_setting(conn->error))
            return -1;
    return 0;
}

/* ---- the database */

static int make_database(struct my_conn *conn, const struct my_apply *apply, const char *verb,
                         const char *how, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_format(&sql, "%s ", verb);
    my_add_ident(&sql, apply->into);
    plug_bytes_text(&sql, how);
    return my_run(conn, err, sql.data);
}

int my_apply_database(struct my_conn *conn, const struct my_apply *apply,
                      struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes begin = {0};
    size_t at = 0;
    const json_t *database = my_object_next(apply->objects, "database", &at);
    const char *text = plug_json_get(database, "sql");

    plug_bytes_text(&begin, "CREATE DATABASE ");
    my_add_ident(&begin, plug_json_get(database, "name"));
    if (database == NULL || strncmp(text, begin.data, begin.len) != 0)
        return conn->host->fail(conn->host, err, BACKSTAY_ERR_CORRUPT,
                                "the description of the database %s in the backup is not what the "
                                "backup writes",
                                apply->from);
    text += begin.len;
    return make_database(conn, apply, "CREATE DATABASE IF NOT EXISTS", text, err) != 0 ||
                   (*text && make_database(conn, apply, "ALTER DATABASE", text, err) != 0)
               ? -1
               : 0;
}

/* ---- sequences */

int my_apply_sequences(struct my_conn *conn, const struct my_apply *apply,
                       struct backstay_error *err)
{
    const json_t *sequence;

    if (my_apply_use(conn, apply, err) != 0)
        return -1;
    for (size_t i = 0; (sequence = my_object_next(apply->objects, "sequence", &i)) != NULL;) {
        PLUG_AUTO_BYTES struct plug_bytes sql = {0};
        PLUG_AUTO_FREE char *into = my_qualified(apply->into, plug_json_get(sequence, "name"));
        if (!my_apply_wants(apply, sequence))
            continue;
        my_script_sequence(&sql, sequence, into);
        if (my_run(conn, err, plug_json_get(sequence, "sql")) != 0 ||
            my_run(conn, err, sql.data) != 0)
            return -1;
    }
    return 0;
}

/* ---- tables */

int my_apply_table(struct my_conn *conn, const struct my_apply *apply, const json_t *table,
                   struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    PLUG_AUTO_FREE char *what = plug_strf("make the table %s", plug_json_get(table, "name"));
    size_t len;
    PLUG_AUTO_FREE char *bare = my_ddl_text(table, "create_bare", &len);

    if (my_apply_use(conn, apply, err) != 0)
        return -1;
    if (my_apply_moves(apply))
        my_add_table_moved(&sql, bare, (const char *const[]){apply->from, apply->into});
    else
        plug_bytes_text(&sql, bare);
    return my_apply_bytes(conn, what, &sql, err);
}

static int make_keys(struct my_conn *conn, const struct my_apply *apply, const json_t *table,
                     const char *key, struct backstay_error *err)
{
    const char *name = plug_json_get(table, "name");
    PLUG_AUTO_FREE char *into = my_qualified(apply->into, name);
    PLUG_AUTO_FREE char *what = plug_strf("give the table %s its %s", name,
                                          strcmp(key, "keys") == 0 ? "keys" : "foreign keys");
    json_t *statements = my_script_keys(table, key, into);
    const json_t *text;
    size_t i;
    int r = 0;

    json_array_foreach(statements, i, text)
    {
        size_t len = json_string_length(text);
        const struct plug_bytes sql = {.data = (char *)json_string_value(text), .len = len};
        if (r == 0)
            r = my_apply_bytes(conn, what, &sql, err);
    }
    json_decref(statements);
    return r;
}

int my_apply_keys(struct my_conn *conn, const struct my_apply *apply, const json_t *table,
                  struct backstay_error *err)
{
    return make_keys(conn, apply, table, "keys", err);
}

int my_apply_foreign_keys(struct my_conn *conn, const struct my_apply *apply, const json_t *table,
                          struct backstay_error *err)
{
    return make_keys(conn, apply, table, "foreign_keys", err);
}
