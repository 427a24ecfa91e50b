/* plugins/source/mysql/script_send.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The .sql entries. They are for the stock client in --binary-mode, in which it obeys none of its
 * own commands but DELIMITER and changes no byte, and with --comments, which it would leave out.
 * The delimiter is one that the text does not have.
 */
#include "ddl.h"
#include "ddl_rewrite.h"
#include "names.h"
#include "objects.h"
#include "script.h"

#include <stdlib.h>
#include <string.h>

struct script {
    struct backstay_sink *sink;
    const char *dir;
    const json_t *tables;
    const json_t *objects;
    const json_t *database;
};

/* ---- pieces */

static void begin(const struct script *script, struct plug_bytes *out, bool use)
{
    plug_bytes_format(
        out,
        "-- Run by: mariadb --binary-mode --comments --local-infile=1 (or mysql ...), in the "
        "order of the files' names\n"
        "SET NAMES utf8mb4, %s;\n"
        "/*M!100517 SET explicit_defaults_for_timestamp = 1 */;\n"
        "/*M!100302 SET check_constraint_checks = 0 */;\n"
        "/*M!100304 SET system_versioning_alter_history = KEEP */;\n"
        "/*M!101100 SET system_versioning_insert_history = 1 */;\n"
        "/*M!110200 SET character_set_collations = '' */;\n",
        my_script_settings);
    if (use) {
        plug_bytes_text(out, "USE ");
        my_add_ident(out, plug_json_get(script->database, "name"));
        plug_bytes_text(out, ";\n");
    }
}

static bool contains(const char *text, size_t len, const char *what)
{
    return memmem(text, len, what, strlen(what)) != NULL;
}

/* Appends a statement that may have semicolons inside. */
static void add_block(struct plug_bytes *out, const char *sql, size_t len)
{
    char delimiter[16] = ";;";

    for (unsigned i = 1; contains(sql, len, delimiter); i++)
        (void)snprintf(delimiter, sizeof delimiter, "$%u$", i);
    plug_bytes_format(out, "DELIMITER %s\n", delimiter);
    plug_bytes_add(out, sql, len);
    plug_bytes_format(out, "\n%s\nDELIMITER ;\n", delimiter);
}

static void add_collate(struct plug_bytes *out, const json_t *database, const char *collation)
{
    plug_bytes_text(out, "ALTER DATABASE ");
    my_add_ident(out, plug_json_get(database, "name"));
    plug_bytes_format(out, " COLLATE %s;\n", collation);
}

/* Appends what makes an object, or does @sql about it, in the session of its author. */
static void add_object(const struct script *script, struct plug_bytes *out, const json_t *object,
                       const struct plug_bytes *sql)
{
    const char *now = plug_json_get(script->database, "collation");
    const char *then = plug_json_get(object, "database_collation");
    bool other = *then && strcmp(then, now) != 0;
    bool ends = json_is_true(json_object_get(object, "ends"));

    if (other)
        add_collate(out, script->database, then);
    my_script_session(out, object);
    plug_bytes_text(out, ";\n");
    if (ends)
        plug_bytes_format(out, "SET timestamp = %lld;\n",
                          (long long)json_integer_value(json_object_get(object, "created")));
    add_block(out, sql->data, sql->len);
    if (ends)
        plug_bytes_text(out, "SET timestamp = DEFAULT;\n");
    plug_bytes_format(out, "SET NAMES utf8mb4, %s;\n", my_script_settings);
    if (other)
        add_collate(out, script->database, now);
}

static int send(const struct script *script, const char *name, const struct plug_bytes *text)
{
    PLUG_AUTO_FREE char *path = plug_strf("%s%s", script->dir, name);

    return plug_send(script->sink, path, text->data, text->len);
}

/* ---- the database, sequences, tables, keys */

static int send_database(const struct script *script)
{
    PLUG_AUTO_BYTES struct plug_bytes out = {0};

    begin(script, &out, false);
    plug_bytes_format(&out, "%s;\n", plug_json_get(script->database, "sql"));
    return send(script, "01-database.sql", &out);
}

static int send_sequences(const struct script *script)
{
    PLUG_AUTO_BYTES struct plug_bytes out = {0};
    const json_t *sequence;

    begin(script, &out, true);
    for (size_t i = 0; (sequence = my_object_next(script->objects, "sequence", &i)) != NULL;) {
        PLUG_AUTO_BYTES struct plug_bytes name = {0};
        my_add_ident(&name, plug_json_get(sequence, "name"));
        plug_bytes_format(&out, "%s;\n", plug_json_get(sequence, "sql"));
        my_script_sequence(&out, sequence, name.data);
        plug_bytes_text(&out, ";\n");
    }
    return send(script, "02-sequences.sql", &out);
}

static int send_tables(const struct script *script)
{
    PLUG_AUTO_BYTES struct plug_bytes out = {0};
    const json_t *table;
    size_t i;

    begin(script, &out, true);
    json_array_foreach(script->tables, i, table)
    {
        size_t len;
        PLUG_AUTO_FREE char *bare = my_ddl_text(table, "create_bare", &len);
        plug_bytes_add(&out, bare, len);
        plug_bytes_text(&out, ";\n");
    }
    return send(script, "03-tables.sql", &out);
}

static int send_keys(const struct script *script, const char *key, const char *name)
{
    PLUG_AUTO_BYTES struct plug_bytes out = {0};
    const json_t *table;
    size_t i;

    begin(script, &out, true);
    json_array_foreach(script->tables, i, table)
    {
        PLUG_AUTO_BYTES struct plug_bytes into = {0};
        const json_t *text;
        size_t k;
        my_add_ident(&into, plug_json_get(table, "name"));
        json_t *statements = my_script_keys(table, key, into.data);
        json_array_foreach(statements, k, text)
            plug_bytes_format(&out, "%s;\n", json_string_value(text));
        json_decref(statements);
    }
    return send(script, name, &out);
}

/* ---- objects */

static void add_kind(const struct script *script, struct plug_bytes *out, const char *kind)
{
    const json_t *object;

    for (size_t i = 0; (object = my_object_next(script->objects, kind, &i)) != NULL;) {
        struct plug_bytes sql = {0};
        sql.data = my_ddl_text(object, "sql", &sql.len);
        add_object(script, out, object, &sql);
        free(sql.data);
    }
}

static int send_routines(const struct script *script)
{
    static const char *const kinds[] = {"function", "procedure", "package", "package body"};
    PLUG_AUTO_BYTES struct plug_bytes out = {0};

    begin(script, &out, true);
    for (size_t i = 0; i < PLUG_COUNT(kinds); i++)
        add_kind(script, &out, kinds[i]);
    return send(script, "07-routines.sql", &out);
}

/* A view of the same columns: whatever the order, the views that use it can be made. */
static void add_placeholder(struct plug_bytes *out, const json_t *view)
{
    const json_t *column;
    size_t i;

    plug_bytes_text(out, "CREATE VIEW ");
    my_add_ident(out, plug_json_get(view, "name"));
    plug_bytes_text(out, " AS SELECT ");
    json_array_foreach(json_object_get(view, "columns"), i, column)
    {
        plug_bytes_text(out, i ? ", 1 AS " : "1 AS ");
        my_add_ident(out, json_string_value(column));
    }
    plug_bytes_text(out, ";\n");
}

static void add_view(const struct script *script, struct plug_bytes *out, const json_t *view)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    size_t len;
    PLUG_AUTO_FREE char *text = my_ddl_text(view, "sql", &len);

    my_script_or_replace(&sql, text, len);
    add_object(script, out, view, &sql);
}

static void add_views(const struct script *script, struct plug_bytes *out, const json_t *views,
                      bool elsewhere)
{
    const json_t *view;
    size_t i;

    json_array_foreach(views, i, view)
    {
        if ((json_object_get(view, "elsewhere") != NULL) != elsewhere)
            continue;
        if (json_object_get(view, "broken"))
            plug_bytes_text(out, "-- A view is left out that could not be used when it was backed "
                                 "up; objects.json has it\n");
        else
            add_view(script, out, view);
    }
}

static int send_views(const struct script *script)
{
    PLUG_AUTO_BYTES struct plug_bytes out = {0};
    json_t *views = my_script_views(script->objects);
    const json_t *view;
    size_t i;

    begin(script, &out, true);
    json_array_foreach(views, i, view) if (json_array_size(json_object_get(view, "columns")))
        add_placeholder(&out, view);
    add_views(script, &out, views, false);
    plug_bytes_text(&out, "-- From here on views use other databases\n");
    add_views(script, &out, views, true);
    json_decref(views);
    return send(script, "08-views.sql", &out);
}

static int send_triggers(const struct script *script)
{
    PLUG_AUTO_BYTES struct plug_bytes out = {0};

    begin(script, &out, true);
    add_kind(script, &out, "trigger");
    return send(script, "09-triggers.sql", &out);
}

static void add_event(const struct script *script, struct plug_bytes *out, const json_t *event,
                      bool enable)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    struct my_span status;
    size_t len;
    PLUG_AUTO_FREE char *text = my_ddl_text(event, "sql", &len);
    bool enabled = strcmp(plug_json_get(event, "status"), "ENABLED") == 0;

    if (enable && !enabled)
        return;
    if (enable)
        my_script_event_status(&sql, event, text, len);
    else if (enabled && my_find_event_status(text, len, &status))
        my_add_replaced(&sql, text, len, &status, "DISABLE");
    else
        plug_bytes_add(&sql, text, len);
    add_object(script, out, event, &sql);
}

static int send_events(const struct script *script)
{
    PLUG_AUTO_BYTES struct plug_bytes out = {0};
    const json_t *event;

    begin(script, &out, true);
    for (size_t i = 0; (event = my_object_next(script->objects, "event", &i)) != NULL;)
        add_event(script, &out, event, false);
    plug_bytes_text(&out, "-- From here on events run\n");
    for (size_t i = 0; (event = my_object_next(script->objects, "event", &i)) != NULL;)
        add_event(script, &out, event, true);
    return send(script, "10-events.sql", &out);
}

/* ---- rows */

static int send_load(const struct script *script, const json_t *table)
{
    static const char folder[] = "04-data/";
    PLUG_AUTO_BYTES struct plug_bytes out = {0};
    PLUG_AUTO_BYTES struct plug_bytes path = {0};
    PLUG_AUTO_BYTES struct plug_bytes into = {0};
    const char *name = plug_json_get(table, "name");
    const json_t *files = json_object_get(table, "files");
    const json_t *file;
    size_t i;

    if (json_array_size(files) == 0)
        return 0;
    my_add_ident(&into, name);
    begin(script, &out, true);
    json_array_foreach(files, i, file)
    {
        const char *at = plug_json_get(file, "path");
        if (strncmp(at, folder, sizeof folder - 1) == 0)
            at += sizeof folder - 1;
        PLUG_AUTO_FREE char *load = my_script_load(table, into.data, at);
        plug_bytes_format(&out, "%s;\n", load);
    }
    plug_bytes_text(&path, folder);
    plug_names_escape(&path, name);
    plug_bytes_text(&path, ".sql");
    return send(script, path.data, &out);
}

/* A cell on its way into a column: into it, or into a variable whose expression is its value. */
static void add_column(struct plug_bytes *columns, struct plug_bytes *set, const json_t *column,
                       size_t i)
{
    const char *as = plug_json_get(column, "as");
    const char *expr = strcmp(as, "hex") == 0 ? "UNHEX(@v)" : as;

    plug_bytes_text(columns, i ? ", " : "");
    if (*expr == '\0' || strcmp(expr, "text") == 0) {
        my_add_ident(columns, plug_json_get(column, "name"));
        return;
    }
    plug_bytes_format(columns, "@v%zu", i);
    plug_bytes_text(set, set->len ? ", " : " SET ");
    my_add_ident(set, plug_json_get(column, "name"));
    plug_bytes_text(set, " = ");
    for (const char *at; (at = strstr(expr, "@v")) != NULL; expr = at + 2) {
        plug_bytes_add(set, expr, (size_t)(at - expr));
        plug_bytes_format(set, "@v%zu", i);
    }
    plug_bytes_text(set, expr);
}

char *my_script_load(const json_t *table, const char *into, const char *name)
{
    PLUG_AUTO_BYTES struct plug_bytes columns = {0};
    PLUG_AUTO_BYTES struct plug_bytes set = {0};
    PLUG_AUTO_BYTES struct plug_bytes file = {0};
    const json_t *column;
    size_t i;

    json_array_foreach(json_object_get(table, "columns"), i, column)
        add_column(&columns, &set, column, i);
    for (; *name; name++)
        plug_bytes_format(&file, strchr("'\\", *name) ? "\\%c" : "%c", *name);
    return plug_strf("LOAD DATA LOCAL INFILE '%s' INTO TABLE %s CHARACTER SET utf8mb4"
                     " FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n'"
                     " (%s)%s",
                     file.data, into, columns.data ? columns.data : "@none",
                     set.data ? set.data : "");
}

int my_scripts_send(struct backstay_sink *sink, const char *dir, const json_t *tables,
                    const json_t *objects)
{
    size_t at = 0;
    const struct script script = {.sink = sink,
                                  .dir = dir,
                                  .tables = tables,
                                  .objects = objects,
                                  .database = my_object_next(objects, "database", &at)};
    PLUG_AUTO_FREE char *path = plug_strf("%sobjects.json", dir);
    const json_t *table;
    size_t i;

    if (plug_send_json(sink, path, json_incref((json_t *)objects)) != 0 ||
        send_database(&script) != 0 || send_sequences(&script) != 0 || send_tables(&script) != 0 ||
        send_keys(&script, "keys", "05-keys.sql") != 0 ||
        send_keys(&script, "foreign_keys", "06-foreign-keys.sql") != 0 ||
        send_routines(&script) != 0 || send_views(&script) != 0 || send_triggers(&script) != 0 ||
        send_events(&script) != 0)
        return -1;
    json_array_foreach(script.tables, i, table) if (send_load(&script, table) != 0) return -1;
    return 0;
}
