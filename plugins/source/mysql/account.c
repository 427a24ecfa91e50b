/* plugins/source/mysql/account.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What was read, written down: the objects of tables.json, and the facts of the tables.
 */
#include "run.h"

#include <string.h>

static json_t *files_of(const struct my_run *run, size_t table)
{
    json_t *files = json_array();

    for (size_t i = 0; i < run->n_units; i++) {
        const struct my_unit *unit = run->units[i];
        if (unit->table != table)
            continue;
        PLUG_AUTO_FREE char *path = my_unit_path(run, unit);
        (void)json_array_append_new(
            files, json_pack("{s:o, s:I, s:I}", "path", plug_json_text(path), "bytes",
                             (json_int_t)unit->sent, "rows", (json_int_t)unit->rows));
    }
    return files;
}

static json_t *columns_of(const struct my_table *table)
{
    json_t *columns = json_array();

    for (size_t i = 0; i < table->n_columns; i++) {
        const struct my_column *column = &table->columns[i];
        (void)json_array_append_new(
            columns, json_pack("{s:o, s:o, s:s, s:s}", "name", plug_json_text(column->name), "type",
                               plug_json_text(column->type), "charset", column->charset, "as",
                               my_column_as(column)));
    }
    return columns;
}

static json_t *describe(const struct my_run *run, size_t i)
{
    const struct my_table *table = &run->snapshot.tables.items[i];
    const struct plug_rowsum *sum = &run->results[i].sum;
    char hex[PLUG_ROWSUM_HEX];

    return json_pack("{s:o, s:o, s:s, s:s, s:b, s:b, s:b, s:o, s:o, s:I, s:s}", "name",
                     plug_json_text(table->name), "label", plug_json_text(table->label), "engine",
                     table->engine, "row_format", table->row_format, "history", table->history,
                     "structure_only", table->structure_only || table->no_rows, "consistent",
                     table->snapshot, "columns", columns_of(table), "files", files_of(run, i),
                     "rows", (json_int_t)sum->rows, "digest", plug_rowsum_hex(sum, hex));
}

json_t *my_run_describe(const struct my_run *run, const struct my_database *database)
{
    json_t *list = json_array();

    for (size_t i = 0; i < run->snapshot.tables.n; i++)
        if (strcmp(run->snapshot.tables.items[i].database, database->name) == 0)
            (void)json_array_append_new(list, describe(run, i));
    return list;
}

static const struct my_database *database_of(const struct my_run *run, const struct my_table *table)
{
    for (size_t i = 0; i < run->n_databases; i++)
        if (strcmp(run->databases[i].name, table->database) == 0)
            return &run->databases[i];
    return &run->databases[0];
}

/* How many there are of what; of a backup, as the structure says that it records. */
static int inventory(struct my_run *run, struct backstay_error *err)
{
    struct my_conn *conn = NULL;
    int r = my_connect(&conn, run->place, err);

    for (size_t i = 0; i < run->n_databases && r == 0; i++) {
        PLUG_AUTO_FREE char *prefix = my_run_prefix(run, run->databases[i].label);
        struct plug_facts facts = run->facts;
        facts.prefix = prefix;
        r = my_inventory_facts(conn, &run->databases[i], run->ddls ? &run->ddls[i] : NULL, &facts,
                               err);
        run->facts.failed = run->facts.failed || facts.failed;
    }
    my_disconnect(conn);
    return r;
}

int my_run_facts(struct my_run *run, struct backstay_error *err)
{
    for (size_t i = 0; i < run->snapshot.tables.n; i++) {
        const struct my_table *table = &run->snapshot.tables.items[i];
        const struct plug_rowsum *sum = &run->results[i].sum;
        PLUG_AUTO_FREE char *prefix = my_run_prefix(run, database_of(run, table)->label);
        char hex[PLUG_ROWSUM_HEX];
        if (table->no_rows)
            continue;
        plug_fact_number(&run->facts, (int64_t)sum->rows, "%stable:%s:rows", prefix, table->label);
        plug_fact(&run->facts, plug_rowsum_hex(sum, hex), "%stable:%s:digest", prefix,
                  table->label);
    }
    if (!run->facts.failed && inventory(run, err) != 0)
        return -1;
    if (run->facts.failed)
        return run->my->host->fail(run->my->host, err, BACKSTAY_ERR_CANCELLED, "stopped");
    return 0;
}
