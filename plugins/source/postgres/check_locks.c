/* plugins/source/postgres/check_locks.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Locks that nobody gives back, and whether the server has room for ours.
 */
#include "check_parts.h"

#include <stdlib.h>

/* ---- prepared transactions */

enum { COL_OID, COL_GID, COL_SINCE, COL_OWNER };

/* Locks of a prepared transaction have no process. Which transaction they are of shows in that on
 * its own number. */
static const char prepared_sql[] =
    "SELECT DISTINCT l.relation, pg_catalog.quote_literal(p.gid), p.prepared, p.owner"
    " FROM pg_catalog.pg_prepared_xacts p JOIN pg_catalog.pg_locks x"
    "  ON x.locktype = 'transactionid' AND x.pid IS NULL AND x.transactionid = p.transaction"
    " JOIN pg_catalog.pg_locks l ON l.pid IS NULL AND l.virtualtransaction = x.virtualtransaction"
    " WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.granted"
    " AND p.database = pg_catalog.current_database() ORDER BY 3, 2, 1";

static int look_at_prepared(const struct pg_look *look, struct backstay_error *err)
{
    PGresult *rows = pg_query(look->conn, err, prepared_sql, NULL, 0);

    if (rows == NULL)
        return -1;
    for (int i = 0; i < PQntuples(rows); i++) {
        const struct pg_table *table =
            pg_tables_find(&look->tables, (uint32_t)pg_cell_number(rows, i, COL_OID));
        const char *gid = pg_cell(rows, i, COL_GID);
        if (table)
            pg_look_say(look, BACKSTAY_BAD, "prepared transaction",
                        "%s of %s, prepared at %s, keeps %s locked, which a backup would wait for; "
                        "end it:\nCOMMIT PREPARED %s;\nor:\nROLLBACK PREPARED %s;",
                        gid, pg_cell(rows, i, COL_OWNER), pg_cell(rows, i, COL_SINCE), table->label,
                        gid, gid);
    }
    PQclear(rows);
    return 0;
}

/* ---- room */

/* pg_dump shares our locks on tables, and takes one on each view. */
static const char room_sql[] =
    "SELECT s.per, s.per * s.sessions,"
    " (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c"
    "  WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace NOT IN (SELECT n.oid"
    "  FROM pg_catalog.pg_namespace n WHERE n.nspname ~ '^pg_' OR n.nspname = "
    "'information_schema')),"
    " s.sessions FROM (SELECT"
    " pg_catalog.current_setting('max_locks_per_transaction')::int8 AS per,"
    " pg_catalog.current_setting('max_connections')::int8"
    "  + pg_catalog.current_setting('max_prepared_transactions')::int8 AS sessions) s";

static int look_at_room(const struct pg_look *look, struct backstay_error *err)
{
    PGresult *row = pg_query(look->conn, err, room_sql, NULL, 0);

    if (row == NULL)
        return -1;
    int64_t room = pg_cell_number(row, 0, 1);
    int64_t wanted = pg_cell_number(row, 0, 2);
    int64_t sessions = PLUG_MAX(pg_cell_number(row, 0, 3), 1);
    if (wanted > room - room / 5)
        pg_look_say(look, BACKSTAY_WARNING, "locks",
                    "a backup locks %lld tables and views at once, and the server has room for "
                    "about %lld locks of all sessions; set max_locks_per_transaction = %lld (now "
                    "%s) and restart the server",
                    (long long)wanted, (long long)room,
                    (long long)((wanted + wanted / 2) / sessions + 1), pg_cell(row, 0, 0));
    PQclear(row);
    return 0;
}

int pg_look_locks(const struct pg_look *look, struct backstay_error *err)
{
    if (look_at_prepared(look, err) != 0)
        return -1;
    return look->advice ? look_at_room(look, err) : 0;
}
