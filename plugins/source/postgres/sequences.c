/* plugins/source/postgres/sequences.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where sequences stand. pg_dump would say it only together with the rows of tables. A sequence
 * knows no snapshots: one that is read after the snapshot began stands at or beyond every value
 * that the snapshot's rows have.
 */
#include "catalog.h"
#include "meta.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 200 };

enum {
    COL_SCHEMA,
    COL_NAME,
    COL_TABLE_SCHEMA,
    COL_TABLE,
    COL_IDENTITY,
    COL_USAGE,
    COL_SELECT,
    COL_UNREADABLE
};

/* Those of extensions are made by them; the ones that an extension names as configuration have
 * values that are somebody's data. */
static const char list_sql[] =
    "SELECT n.nspname, c.relname, tn.nspname, t.relname, d.deptype = 'i',"
    " coalesce(has_schema_privilege(n.oid, 'USAGE'), true),"
    " coalesce(has_sequence_privilege(c.oid, 'SELECT'), true),"
    " c.relpersistence = 'u' AND pg_is_in_recovery()"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid"
    "  AND d.objsubid = 0 AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0"
    "  AND d.deptype IN ('a', 'i')"
    " LEFT JOIN pg_class t ON t.oid = d.refobjid"
    " LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace"
    " LEFT JOIN pg_depend m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid"
    "  AND m.objsubid = 0 AND m.deptype = 'e'"
    " LEFT JOIN pg_extension e ON e.oid = m.refobjid"
    " WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'"
    " AND n.nspname <> 'information_schema' AND (m.objid IS NULL OR c.oid = ANY (e.extconfig))"
    " ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";

/* ---- reading */

bool pg_wants_sequence(const struct pg *pg, const struct pg_owned *sequence)
{
    if (sequence->table[0] && pg_wants_table(pg, sequence->table_schema, sequence->table))
        return true;
    return !sequence->identity && pg_wants_table(pg, sequence->schema, sequence->name);
}

static bool wanted(const struct pg *pg, const PGresult *rows, int row)
{
    const struct pg_owned sequence = {
        .schema = pg_cell(rows, row, COL_SCHEMA),
        .name = pg_cell(rows, row, COL_NAME),
        .table_schema = pg_cell(rows, row, COL_TABLE_SCHEMA),
        .table = pg_cell(rows, row, COL_TABLE),
        .identity = pg_cell_true(rows, row, COL_IDENTITY),
    };

    return pg_wants_sequence(pg, &sequence);
}

static int refuse(struct pg_conn *conn, const PGresult *rows, int row, struct backstay_error *err)
{
    const char *schema = pg_cell(rows, row, COL_SCHEMA);
    const char *name = pg_cell(rows, row, COL_NAME);
    PLUG_AUTO_FREE char *label = pg_label(schema, name);
    PLUG_AUTO_FREE char *qualified = pg_qualified(schema, name);
    PLUG_AUTO_BYTES struct plug_bytes grant = {0};

    plug_bytes_text(&grant, "GRANT ");
    if (pg_cell_true(rows, row, COL_USAGE)) {
        plug_bytes_format(&grant, "SELECT ON SEQUENCE %s", qualified);
    } else {
        plug_bytes_text(&grant, "USAGE ON SCHEMA ");
        pg_add_ident(&grant, schema);
    }
    plug_bytes_text(&grant, " TO ");
    pg_add_ident(&grant, PQuser(conn->pq));
    return conn->host->fail(conn->host, err, BACKSTAY_ERR_AUTH,
                            "%s: sequence %s cannot be read by role %s: %s", conn->label, label,
                            PQuser(conn->pq), grant.data);
}

static json_t *describe(const PGresult *rows, int row)
{
    json_t *sequence = json_object();
    const char *table = pg_cell(rows, row, COL_TABLE);

    (void)json_object_set_new(sequence, "schema", plug_json_text(pg_cell(rows, row, COL_SCHEMA)));
    (void)json_object_set_new(sequence, "name", plug_json_text(pg_cell(rows, row, COL_NAME)));
    if (table[0]) {
        PLUG_AUTO_FREE char *owner = pg_label(pg_cell(rows, row, COL_TABLE_SCHEMA), table);
        (void)json_object_set_new(sequence, "owned_by", plug_json_text(owner));
    }
    return sequence;
}

/* Lists what is to be read into @out, without values. */
static int list(const struct pg *pg, struct pg_conn *conn, json_t *out, struct backstay_error *err)
{
    int unreadable = 0;
    int r = 0;
    PGresult *rows = pg_query(conn, err, list_sql, NULL, 0);

    if (rows == NULL)
        return -1;
    for (int row = 0; row < PQntuples(rows) && r == 0; row++) {
        if (!wanted(pg, rows, row))
            continue;
        if (pg_cell_true(rows, row, COL_UNREADABLE))
            unreadable++;
        else if (!pg_cell_true(rows, row, COL_USAGE) || !pg_cell_true(rows, row, COL_SELECT))
            r = refuse(conn, rows, row, err);
        else
            (void)json_array_append_new(out, describe(rows, row));
    }
    PQclear(rows);
    if (unreadable)
        conn->host->log(conn->host, BACKSTAY_LOG_WARN,
                        "%s is a standby, on which the values of %d unlogged sequences cannot be "
                        "read: they are not in the backup",
                        conn->label, unreadable);
    return r;
}

/* @return -1, with an error that says more than the server does. */
static int explain(struct pg_conn *conn, struct backstay_error *err)
{
    const char *why = pg_error_is(conn, "42P01")   ? "a sequence was dropped while the backup ran"
                      : pg_error_is(conn, "55P03") ? "a sequence is locked by another session"
                                                   : NULL;

    if (why)
        (void)conn->host->fail(conn->host, err, BACKSTAY_ERR_TRANSIENT, "%s: %s: run it again",
                               conn->label, why);
    return -1;
}

/* Reads the values of @n sequences from number @first on. They are texts in the document, since jq
 * and others make floating-point numbers of numbers. */
static int read_values(struct pg_conn *conn, json_t *sequences, size_t first, size_t n,
                       struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    for (size_t i = first; i < first + n; i++) {
        const json_t *sequence = json_array_get(sequences, i);
        PLUG_AUTO_FREE char *from =
            pg_qualified(plug_json_get(sequence, "schema"), plug_json_get(sequence, "name"));
        plug_bytes_format(&sql, "%sSELECT %zu, last_value, is_called FROM %s",
                          i > first ? " UNION ALL " : "", i, from);
    }
    PGresult *rows = pg_query(conn, err, sql.data, NULL, 0);
    if (rows == NULL)
        return explain(conn, err);
    for (int row = 0; row < PQntuples(rows); row++) {
        json_t *sequence = json_array_get(sequences, (size_t)pg_cell_number(rows, row, 0));
        (void)json_object_set_new(sequence, "last_value", json_string(pg_cell(rows, row, 1)));
        (void)json_object_set_new(sequence, "is_called", json_boolean(pg_cell_true(rows, row, 2)));
    }
    PQclear(rows);
    return 0;
}

/* With a limit on the time that a sequence's lock may take: DROP and ALTER wait for us else, and
 * whoever holds it may be waiting for a person. */
static int read_all(const struct pg *pg, struct pg_conn *conn, json_t *sequences,
                    struct backstay_error *err)
{
    size_t n = json_array_size(sequences);

    if (n == 0)
        return 0;
    if (pg_runf(conn, err, "SET lock_timeout = '%lldms'",
                (long long)(pg->lock_timeout_ns / 1000000)) != 0)
        return -1;
    for (size_t i = 0; i < n; i += BATCH)
        if (read_values(conn, sequences, i, PLUG_MIN(n - i, (size_t)BATCH), err) != 0)
            return -1;
    return pg_run(conn, err, "SET lock_timeout = 0");
}

int pg_sequences_read(const struct pg *pg, struct pg_conn *conn, json_t **out,
                      struct backstay_error *err)
{
    json_t *sequences = json_array();

    if (list(pg, conn, sequences, err) != 0 || read_all(pg, conn, sequences, err) != 0) {
        json_decref(sequences);
        return -1;
    }
    *out = sequences;
    return 0;
}

/* ---- putting back */

static bool is_listed(const json_t *tables, const char *label)
{
    size_t i;
    const json_t *table;

    if (tables == NULL)
        return true;
    json_array_foreach(tables, i,
                       table) if (strcmp(json_string_value(table) ? json_string_value(table) : "",
                                         label) == 0) return true;
    return false;
}

static long long last_value(const json_t *sequence)
{
    return strtoll(plug_json_get(sequence, "last_value"), NULL, 10);
}

static bool is_called(const json_t *sequence)
{
    return json_is_true(json_object_get(sequence, "is_called"));
}

static void add_setval(struct plug_bytes *sql, const json_t *sequence)
{
    PLUG_AUTO_FREE char *name =
        pg_qualified(plug_json_get(sequence, "schema"), plug_json_get(sequence, "name"));

    plug_bytes_text(sql, sql->len ? ", setval(" : "SELECT setval(");
    pg_add_literal(sql, name);
    plug_bytes_format(sql, ", %lld, %s)", last_value(sequence),
                      is_called(sequence) ? "true" : "false");
}

int pg_sequences_apply(struct pg_conn *conn, const json_t *sequences, const json_t *tables,
                       struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    size_t i;
    size_t n = 0;
    const json_t *sequence;

    json_array_foreach(sequences, i, sequence)
    {
        if (!is_listed(tables, plug_json_get(sequence, "owned_by")))
            continue;
        add_setval(&sql, sequence);
        if (++n % BATCH != 0)
            continue;
        if (pg_run(conn, err, sql.data) != 0)
            return -1;
        plug_bytes_cut(&sql, 0);
    }
    return sql.len ? pg_run(conn, err, sql.data) : 0;
}

int pg_sequences_facts(const json_t *sequences, struct plug_facts *facts)
{
    size_t i;
    const json_t *sequence;

    json_array_foreach(sequences, i, sequence)
    {
        PLUG_AUTO_FREE char *label =
            pg_label(plug_json_get(sequence, "schema"), plug_json_get(sequence, "name"));
        PLUG_AUTO_FREE char *value = plug_strf("%lld %s", last_value(sequence),
                                               is_called(sequence) ? "called" : "not-called");
        plug_fact(facts, value, "sequence:%s:value", label);
    }
    return facts->failed ? -1 : 0;
}
