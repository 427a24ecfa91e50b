/* plugins/source/postgres/catalog.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "catalog.h"

#include "names.h"

#include <stdlib.h>
#include <string.h>

/* ---- what the options choose */

static bool chosen(const struct pg_patterns *include, const struct pg_patterns *exclude,
                   const char *text)
{
    if (include->n && !plug_names_match_any(include->items, include->n, text))
        return false;
    return !plug_names_match_any(exclude->items, exclude->n, text);
}

bool pg_wants_schema(const struct pg *pg, const char *schema)
{
    return chosen(&pg->schemas, &pg->exclude_schemas, schema);
}

bool pg_wants_table(const struct pg *pg, const char *schema, const char *name)
{
    PLUG_AUTO_FREE char *text = plug_strf("%s.%s", schema, name);

    return pg_wants_schema(pg, schema) && chosen(&pg->tables, &pg->exclude_tables, text);
}

/* ---- the list */

enum {
    COL_OID,
    COL_SCHEMA,
    COL_NAME,
    COL_OWNER,
    COL_COLUMNS,
    COL_CONDITION,
    COL_EXTENSION,
    COL_HEAP,
    COL_UNLOGGED,
    COL_PORTABLE,
    COL_IDENTITY,
    COL_WHOLE_SCHEMA,
    COL_WHOLE
};

/* Nothing here opens a table, and so nothing waits for a lock on one. A table that belongs to an
 * extension is made by it; only the rows of those that the extension names as configuration are
 * somebody's data. Types whose text has not changed since version 13 are listed by their oids,
 * which are the same in every version. The parts of a hash-partitioned table have their columns in
 * the order of the whole, since a restore may share out the rows among them in another way: the
 * hash of an enum value is that of its oid. */
static const char list_sql[] =
    "SELECT c.oid, n.nspname, c.relname,"
    " pg_catalog.pg_get_userbyid(c.relowner), coalesce(a.columns, ''),"
    " coalesce(e.extcondition[pg_catalog.array_position(e.extconfig, c.oid)], ''),"
    " e.oid IS NOT NULL, coalesce(am.amname = 'heap', true), c.relpersistence = 'u',"
    " coalesce(a.portable, true), c.relfilenode || ' ' || coalesce(a.identity, ''),"
    " hn.nspname, h.relname"
    " FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam"
    " LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass"
    "  AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'"
    " LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid"
    " LEFT JOIN LATERAL (SELECT r.oid, r.relname, r.relnamespace FROM"
    "  pg_catalog.pg_partition_ancestors(c.oid) WITH ORDINALITY AS y(oid, nr)"
    "  JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = y.oid AND p.partstrat = 'h'"
    "  JOIN pg_catalog.pg_class r ON r.oid = y.oid ORDER BY y.nr DESC LIMIT 1) h"
    "  ON c.relispartition"
    " LEFT JOIN pg_catalog.pg_namespace hn ON hn.oid = h.relnamespace"
    " LEFT JOIN LATERAL (SELECT"
    "  pg_catalog.string_agg(pg_catalog.quote_ident(x.attname), ', ' ORDER BY"
    "   coalesce((SELECT w.attnum FROM pg_catalog.pg_attribute w WHERE w.attrelid = h.oid"
    "    AND w.attname = x.attname), x.attnum))"
    "   FILTER (WHERE x.attgenerated = '') AS columns,"
    "  pg_catalog.string_agg(x.attnum || ':' || x.attname || ':' || x.atttypid || "
    "x.attgenerated::pg_catalog.text,"
    "   ' ' ORDER BY x.attnum) AS identity,"
    "  pg_catalog.bool_and(t.typtype = 'e' OR coalesce(nullif(t.typelem, 0::pg_catalog.oid),"
    "   nullif(t.typbasetype, 0::pg_catalog.oid), t.oid) IN (16, 17, 18, 19, 20, 21, 23, 25, 26,"
    "   114, 142, 600, 650, 700, 701, 829, 774, 869, 1042, 1043, 1082, 1083, 1114, 1184, 1186,"
    "   1266, 1560, 1562, 1700, 2950, 3802)) AS portable"
    "  FROM pg_catalog.pg_attribute x JOIN pg_catalog.pg_type t ON t.oid = x.atttypid"
    "  WHERE x.attrelid = c.oid AND x.attnum > 0 AND NOT x.attisdropped) a ON true"
    " WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'"
    " AND n.nspname <> 'information_schema'"
    " AND (d.objid IS NULL OR c.oid = ANY (e.extconfig))";

static struct pg_table read_row(const PGresult *rows, int row)
{
    const char *columns = pg_cell(rows, row, COL_COLUMNS);

    return (struct pg_table){
        .oid = (uint32_t)pg_cell_number(rows, row, COL_OID),
        .schema = plug_strdup(pg_cell(rows, row, COL_SCHEMA)),
        .name = plug_strdup(pg_cell(rows, row, COL_NAME)),
        .qualified = pg_qualified(pg_cell(rows, row, COL_SCHEMA), pg_cell(rows, row, COL_NAME)),
        .label = pg_label(pg_cell(rows, row, COL_SCHEMA), pg_cell(rows, row, COL_NAME)),
        .whole = PQgetisnull(rows, row, COL_WHOLE) ? NULL
                                                   : pg_label(pg_cell(rows, row, COL_WHOLE_SCHEMA),
                                                              pg_cell(rows, row, COL_WHOLE)),
        .columns = columns[0] ? plug_strf("(%s)", columns) : plug_strdup(""),
        .condition = plug_strdup(pg_cell(rows, row, COL_CONDITION)),
        .owner = plug_strdup(pg_cell(rows, row, COL_OWNER)),
        .identity = plug_strdup(pg_cell(rows, row, COL_IDENTITY)),
        .heap = pg_cell_true(rows, row, COL_HEAP),
        .unlogged = pg_cell_true(rows, row, COL_UNLOGGED),
        .extension = pg_cell_true(rows, row, COL_EXTENSION),
        .portable = pg_cell_true(rows, row, COL_PORTABLE),
    };
}

static void free_table(struct pg_table *table)
{
    free(table->schema);
    free(table->name);
    free(table->qualified);
    free(table->label);
    free(table->whole);
    free(table->columns);
    free(table->condition);
    free(table->owner);
    free(table->identity);
}

static int by_oid(const void *a, const void *b)
{
    const struct pg_table *x = a;
    const struct pg_table *y = b;

    return (x->oid > y->oid) - (x->oid < y->oid);
}

int pg_tables_read(struct pg_tables *out, const struct pg *pg, struct pg_conn *conn,
                   struct backstay_error *err)
{
    PGresult *rows = pg_query(conn, err, list_sql, NULL, 0);

    pg_tables_free(out);
    if (rows == NULL)
        return -1;
    for (int row = 0; row < PQntuples(rows); row++) {
        const char *schema = pg_cell(rows, row, COL_SCHEMA);
        const char *name = pg_cell(rows, row, COL_NAME);
        if (!pg_wants_table(pg, schema, name))
            continue;
        PLUG_AUTO_FREE char *text = plug_strf("%s.%s", schema, name);
        struct pg_table table = read_row(rows, row);
        table.structure_only =
            plug_names_match_any(pg->structure_only.items, pg->structure_only.n, text);
        out->items = plug_grow(out->items, &out->cap, out->n + 1, sizeof *out->items);
        out->items[out->n++] = table;
    }
    PQclear(rows);
    if (out->n)
        qsort(out->items, out->n, sizeof *out->items, by_oid);
    return 0;
}

void pg_tables_free(struct pg_tables *tables)
{
    for (size_t i = 0; i < tables->n; i++)
        free_table(&tables->items[i]);
    free(tables->items);
    *tables = (struct pg_tables){0};
}

const struct pg_table *pg_tables_find(const struct pg_tables *tables, uint32_t oid)
{
    const struct pg_table key = {.oid = oid};

    return tables->n ? bsearch(&key, tables->items, tables->n, sizeof key, by_oid) : NULL;
}

/* ---- sizes, once the locks are held: these functions open the table */

static int read_sizes(struct pg_table *tables, size_t n, struct pg_conn *conn,
                      struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "SELECT pg_catalog.pg_relation_size(x.oid, 'main'),"
                          " pg_catalog.current_setting('block_size')::pg_catalog.int8"
                          " FROM pg_catalog.unnest('{");
    for (size_t i = 0; i < n; i++)
        plug_bytes_format(&sql, "%s%u", i ? "," : "", tables[i].oid);
    plug_bytes_text(&sql, "}'::pg_catalog.oid[]) WITH ORDINALITY AS x(oid, nr) ORDER BY x.nr");
    PGresult *rows = pg_query(conn, err, sql.data, NULL, 0);
    if (rows == NULL)
        return -1;
    for (int i = 0; i < PQntuples(rows) && (size_t)i < n; i++) {
        tables[i].bytes = pg_cell_number(rows, i, 0);
        tables[i].blocks = tables[i].bytes / PLUG_MAX(pg_cell_number(rows, i, 1), 1);
    }
    PQclear(rows);
    return 0;
}

int pg_tables_sizes(struct pg_tables *tables, struct pg_conn *conn, struct backstay_error *err)
{
    enum { BATCH = 1000 };

    for (size_t i = 0; i < tables->n; i += BATCH)
        if (read_sizes(tables->items + i, PLUG_MIN(tables->n - i, (size_t)BATCH), conn, err) != 0)
            return -1;
    return 0;
}

/* ---- reading */

/* A bare COPY of the table is quicker on the server than one of a query. */
char *pg_copy_out_sql(const struct pg_table *table, const struct pg_range *range,
                      const char *encoding)
{
    struct plug_bytes sql = {0};
    size_t len = strlen(table->columns);

    if (range->count == 0 && table->condition[0] == '\0')
        plug_bytes_format(&sql, "COPY %s %s", table->qualified, table->columns);
    else
        plug_bytes_format(&sql, "COPY (SELECT %.*s FROM ONLY %s", len ? (int)len - 2 : 0,
                          len ? table->columns + 1 : "", table->qualified);
    if (range->count > 0)
        plug_bytes_format(&sql, " WHERE ctid >= '(%lld,0)'", (long long)range->first);
    if (range->count > 0 && !range->last)
        plug_bytes_format(&sql, " AND ctid < '(%lld,0)'", (long long)(range->first + range->count));
    if (table->condition[0])
        plug_bytes_format(&sql, " %s", table->condition);
    if (range->count > 0 || table->condition[0])
        plug_bytes_text(&sql, ")");
    plug_bytes_format(&sql, " TO STDOUT WITH (ENCODING '%s')", encoding);
    return sql.data;
}
