/* plugins/source/mysql/inventory.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * How many objects of each kind there are: counted from what SHOW CREATE says and not from the
 * information schema, which shows more of them to accounts with more rights.
 */
#include "create.h"
#include "ddl.h"
#include "objects.h"

#include <stdlib.h>
#include <string.h>

/* Without views that cannot be made everywhere. */
static size_t count_objects(const json_t *objects, const char *kind)
{
    const json_t *object;
    size_t n = 0;

    for (size_t i = 0; (object = my_object_next(objects, kind, &i)) != NULL;)
        n += json_object_get(object, "broken") == NULL &&
             json_object_get(object, "elsewhere") == NULL;
    return n;
}

static struct my_create_counts count_tables(json_t *tables)
{
    struct my_create_counts all = {0};
    const char *name;
    json_t *table;

    json_object_foreach(tables, name, table)
    {
        size_t len;
        PLUG_AUTO_FREE char *create = my_ddl_text(table, "create", &len);
        const struct my_create_counts counts = my_create_count(create);
        all.columns += counts.columns;
        all.generated += counts.generated;
        all.indexes += counts.indexes;
        all.foreign_keys += counts.foreign_keys;
        all.checks += counts.checks;
        all.partitions += counts.partitions;
        all.versioned += counts.versioned;
    }
    return all;
}

static void report_count(struct plug_facts *facts, const char *kind, size_t n)
{
    plug_fact_number(facts, (int64_t)n, "count:%s", kind);
}

static void report_tables(struct plug_facts *facts, json_t *tables)
{
    const struct my_create_counts counts = count_tables(tables);

    report_count(facts, "tables", json_object_size(tables));
    report_count(facts, "columns", counts.columns);
    report_count(facts, "generated-columns", counts.generated);
    report_count(facts, "indexes", counts.indexes);
    report_count(facts, "foreign-keys", counts.foreign_keys);
    report_count(facts, "check-constraints", counts.checks);
    report_count(facts, "partitions", counts.partitions);
    report_count(facts, "versioned-tables", counts.versioned);
}

static void report_objects(const struct my_conn *conn, const struct my_database *database,
                           const json_t *objects, struct plug_facts *facts)
{
    static const char *const kinds[][2] = {
        {"view", "views"},
        {"trigger", "triggers"},
        {"sequence", "sequences"},
        {"function", "functions"},
        {"procedure", "procedures"},
        {"package", "packages"},
        {"package body", "package-bodies"},
        {"event", "events"},
    };
    enum { NEED_NO_TABLE = 3 }; /* the kinds from here on are left out when tables are chosen */
    size_t n = conn->my->tables.n ? NEED_NO_TABLE : PLUG_COUNT(kinds);
    const json_t *sequence;

    for (size_t i = 0; i < n; i++)
        report_count(facts, kinds[i][1], count_objects(objects, kinds[i][0]));
    for (size_t i = 0; (sequence = my_object_next(objects, "sequence", &i)) != NULL;) {
        PLUG_AUTO_FREE char *label = my_label(database->label, plug_json_get(sequence, "name"));
        const json_t *value = json_array_get(json_object_get(sequence, "row"), 0);
        plug_fact(facts, value ? json_string_value(value) : "", "sequence:%s:value", label);
    }
}

static int read_now(struct my_conn *conn, const struct my_database *database, struct my_ddl *out,
                    struct backstay_error *err)
{
    struct my_tables tables = {0};

    if (my_tables_read(&tables, conn->my, conn, database, err) != 0) {
        my_tables_free(&tables);
        return -1;
    }
    const char **names = plug_alloc(tables.n + 1, sizeof *names);
    for (size_t i = 0; i < tables.n; i++)
        names[i] = tables.items[i].name;
    const struct my_ddl_wish wish = {.database = database, .names = names, .n = tables.n};
    int r = my_ddl_read(conn, &wish, out, err);
    free(names);
    my_tables_free(&tables);
    return r;
}

int my_inventory_facts(struct my_conn *conn, const struct my_database *database,
                       const struct my_ddl *ddl, struct plug_facts *facts,
                       struct backstay_error *err)
{
    struct my_ddl now = {0};

    if (ddl == NULL && read_now(conn, database, &now, err) != 0)
        return -1;
    report_tables(facts, ddl ? ddl->tables : now.tables);
    report_objects(conn, database, ddl ? ddl->objects : now.objects, facts);
    my_ddl_free(&now);
    return facts->failed ? -1 : 0;
}
