/* plugins/source/postgres/kept.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * pg_dump reads which objects there are in our snapshot, and asks the server for some definitions,
 * which come from the present. Tables are locked; of a function that was dropped in between it
 * writes one without arguments, of a type "???", and says nothing. So what the snapshot has and
 * nobody locks is looked for again when pg_dump is done: what is still there was there all the
 * time.
 */
#include "run.h"

#include <stdlib.h>
#include <string.h>

/* A row's xmin is another after every change. Below 16384 are the objects of initdb. */
#define OWN "x.oid >= 16384"
#define TAG "|| ' ' || x.oid || '.' || x.xmin AS row"

static const char rows_sql[] =
    "SELECT 'function ' || x.proname " TAG " FROM pg_catalog.pg_proc x WHERE " OWN
    " AND NOT pg_catalog.pg_is_other_temp_schema(x.pronamespace)"
    " UNION ALL SELECT 'type ' || x.typname " TAG " FROM pg_catalog.pg_type x WHERE " OWN
    " AND x.typtype <> 'c' AND x.typcategory <> 'A'"
    " AND NOT pg_catalog.pg_is_other_temp_schema(x.typnamespace)"
    " UNION ALL SELECT 'operator ' || x.oprname " TAG " FROM pg_catalog.pg_operator x WHERE " OWN
    /* Not its xmin: REFRESH MATERIALIZED VIEW changes that, and no definition. */
    " UNION ALL SELECT 'relation ' || x.relname || ' ' || x.oid FROM pg_catalog.pg_class x "
    "WHERE " OWN " AND x.relkind IN ('v', 'm', 'S', 'f', 'c')"
    " AND NOT pg_catalog.pg_is_other_temp_schema(x.relnamespace)"
    " UNION ALL SELECT 'statistics ' || x.stxname " TAG
    " FROM pg_catalog.pg_statistic_ext x WHERE " OWN
    " UNION ALL SELECT 'constraint ' || x.conname " TAG
    " FROM pg_catalog.pg_constraint x WHERE " OWN " AND x.contypid <> 0";

static char *list_rows(struct pg_conn *conn, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *sql = plug_strf(
        "SELECT coalesce(pg_catalog.array_agg(row), '{}')::text FROM (%s) rows", rows_sql);

    return pg_value(conn, err, sql);
}

static int compare(const struct pg_run *run, struct pg_conn *conn, const char *rows,
                   struct backstay_error *err)
{
    PLUG_AUTO_FREE char *sql =
        plug_strf("SELECT row FROM pg_catalog.unnest($1::pg_catalog.text[]) AS old(row)"
                  " EXCEPT SELECT row FROM (%s) rows LIMIT 1",
                  rows_sql);
    PGresult *gone = pg_query(conn, err, sql, &rows, 1);
    int r = gone ? PQntuples(gone) > 0 : -1;

    if (r > 0) {
        const char *row = pg_cell(gone, 0, 0);
        const char *end = strrchr(row, ' ');
        (void)run->pg->host->fail(run->pg->host, err, BACKSTAY_ERR_TRANSIENT,
                                  "%s: %.*s was changed or dropped while pg_dump read its "
                                  "definition; run the backup at another time than such changes, "
                                  "or raise \"lock_timeout\" for more tries",
                                  conn->label, (int)(end ? end - row : 0), row);
    }
    PQclear(gone);
    return r;
}

int pg_dump_kept(struct pg_run *run, struct backstay_error *err)
{
    struct pg_conn *conn = pg_run_side(run, err);
    char *rows = NULL;
    int r = -1;

    if (conn && pg_hold_join(&run->hold, conn, err) == 0 && (rows = list_rows(conn, err)) != NULL &&
        pg_run(conn, err, "COMMIT") == 0)
        r = compare(run, conn, rows, err);
    free(rows);
    return r;
}
