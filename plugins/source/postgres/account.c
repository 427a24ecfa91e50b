/* plugins/source/postgres/account.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What was read, written down: tables.json, load.sh and the facts of the tables.
 */
#include "restore_script.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

static void add_fact(struct pg_run *run, const char *label, bool portable,
                     const struct plug_rowsum *sum)
{
    char hex[PLUG_ROWSUM_HEX];
    PLUG_AUTO_FREE char *scope =
        portable ? plug_strdup("") : plug_strf("@%d", run->hold.control->major);

    plug_fact_number(&run->facts, (int64_t)sum->rows, "table:%s:rows", label);
    plug_fact(&run->facts, plug_rowsum_hex(sum, hex), "table:%s:digest%s", label, scope);
}

static int by_whole(const void *a, const void *b, void *ctx)
{
    const struct pg_table *tables = ctx;

    return strcmp(tables[*(const size_t *)a].whole, tables[*(const size_t *)b].whole);
}

/* The parts of a hash-partitioned table may get each other's rows when it is restored: facts are
 * about the whole. */
static void add_facts(struct pg_run *run)
{
    struct pg_table *tables = run->hold.tables.items;
    PLUG_AUTO_FREE size_t *parts = plug_alloc(run->hold.tables.n + 1, sizeof *parts);
    size_t n = 0;

    for (size_t i = 0; i < run->hold.tables.n; i++) {
        if (tables[i].whole)
            parts[n++] = i;
        else
            add_fact(run, tables[i].label, tables[i].portable, &run->sums[i]);
    }
    qsort_r(parts, n, sizeof *parts, by_whole, tables);
    for (size_t i = 0; i < n;) {
        const char *whole = tables[parts[i]].whole;
        struct plug_rowsum sum = {0};
        bool portable = true;
        for (; i < n && strcmp(tables[parts[i]].whole, whole) == 0; i++) {
            plug_rowsum_merge(&sum, &run->sums[parts[i]]);
            portable = portable && tables[parts[i]].portable;
        }
        add_fact(run, whole, portable, &sum);
    }
}

/* The units were read largest first; now those of a table lie together. */
static int by_part(const void *a, const void *b)
{
    const struct pg_unit *x = a;
    const struct pg_unit *y = b;

    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    return (x->part > y->part) - (x->part < y->part);
}

/* The entries of a table, from unit *@next on. */
static json_t *files_of(const struct pg_run *run, size_t table, size_t *next)
{
    json_t *files = json_array();

    for (; *next < run->n_units && run->units[*next].table == table; (*next)++) {
        const struct pg_unit *unit = &run->units[*next];
        PLUG_AUTO_FREE char *path = pg_unit_path(run, unit);
        (void)json_array_append_new(
            files, json_pack("{s:o, s:I, s:I}", "path", plug_json_text(path), "bytes",
                             (json_int_t)unit->sent, "rows", (json_int_t)unit->rows));
    }
    return files;
}

static json_t *describe(const struct pg_run *run, size_t i, size_t *next)
{
    const struct pg_table *table = &run->hold.tables.items[i];
    char hex[PLUG_ROWSUM_HEX];

    return json_pack(
        "{s:I, s:o, s:o, s:o, s:o*, s:o, s:o, s:o, s:s, s:b, s:b, s:b, s:b, s:o, s:I, s:s}", "oid",
        (json_int_t)table->oid, "schema", plug_json_text(table->schema), "name",
        plug_json_text(table->name), "label", plug_json_text(table->label), "whole",
        table->whole ? plug_json_text(table->whole) : NULL, "columns",
        plug_json_text(table->columns), "condition", plug_json_text(table->condition), "owner",
        plug_json_text(table->owner), "encoding", run->hold.encoding, "extension", table->extension,
        "unlogged", table->unlogged, "hashed", table->whole != NULL, "structure_only",
        table->structure_only, "files", files_of(run, i, next), "rows",
        (json_int_t)run->sums[i].rows, "digest", plug_rowsum_hex(&run->sums[i], hex));
}

static int send_list(struct pg_run *run, json_t *list)
{
    PLUG_AUTO_FREE char *path = plug_strf("%stables.json", run->folder);
    PLUG_AUTO_FREE char *script_path = plug_strf("%sload.sh", run->folder);
    PLUG_AUTO_FREE char *script = pg_load_script(list, run->name);

    if (plug_send_json(run->sink, path, list) != 0)
        return -1;
    return plug_send(run->sink, script_path, script, strlen(script));
}

int pg_run_account(struct pg_run *run)
{
    json_t *list = json_array();
    size_t next = 0;

    add_facts(run);
    if (run->n_units)
        qsort(run->units, run->n_units, sizeof *run->units, by_part);
    for (size_t i = 0; i < run->hold.tables.n; i++) {
        if (run->sink)
            (void)json_array_append_new(list, describe(run, i, &next));
    }
    if (run->sink == NULL) {
        json_decref(list);
        return run->facts.failed ? -1 : 0;
    }
    return send_list(run, list) != 0 || run->facts.failed ? -1 : 0;
}
