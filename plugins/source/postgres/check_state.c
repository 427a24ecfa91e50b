/* plugins/source/postgres/check_state.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What else the server does for its data: archive, slots, standby. No backup of ours depends on it,
 * but whoever looks after backups wants to know when it does not work.
 */
#include "check_parts.h"
#include "scratch.h"

/* ---- the archive */

static const char archive_sql[] =
    "SELECT pg_catalog.current_setting('archive_mode'), a.archived_count, a.last_archived_wal,"
    " a.last_archived_time, a.failed_count, a.last_failed_wal, a.last_failed_time,"
    " coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false)"
    " FROM pg_catalog.pg_stat_archiver a";

static int look_at_archive(const struct pg_look *look, struct backstay_error *err)
{
    PGresult *row = pg_query(look->conn, err, archive_sql, NULL, 0);

    if (row == NULL)
        return -1;
    if (pg_cell(row, 0, 0)[0] == 'o' && pg_cell(row, 0, 0)[1] == 'f')
        pg_look_say(look, BACKSTAY_INFO, "archive", "archive_mode is off");
    else if (pg_cell_true(row, 0, 7))
        pg_look_say(look, BACKSTAY_WARNING, "archive",
                    "the server cannot archive its WAL: %s failures, the last of %s at %s; WAL "
                    "stays on its disk until it can: see the server's log",
                    pg_cell(row, 0, 4), pg_cell(row, 0, 5), pg_cell(row, 0, 6));
    else if (pg_cell(row, 0, 2)[0])
        pg_look_say(look, BACKSTAY_INFO, "archive", "archive_mode is %s, %s was archived at %s",
                    pg_cell(row, 0, 0), pg_cell(row, 0, 2), pg_cell(row, 0, 3));
    else
        pg_look_say(look, BACKSTAY_INFO, "archive", "archive_mode is %s, nothing archived yet",
                    pg_cell(row, 0, 0));
    PQclear(row);
    return 0;
}

/* ---- replication slots */

enum { SLOT_NAME, SLOT_TYPE, SLOT_ACTIVE, SLOT_STATUS, SLOT_KEPT, SLOT_TOO_MUCH, SLOT_QUOTED };

/* More than max_wal_size is more than the server would keep for itself. */
static const char slots_sql[] =
    "SELECT x.slot_name, x.slot_type, x.active, x.wal_status, pg_catalog.pg_size_pretty(x.kept),"
    " coalesce(x.kept > x.most, false), pg_catalog.quote_literal(x.slot_name)"
    " FROM (SELECT s.*, pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery()"
    "  THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END,"
    "  s.restart_lsn)::int8 AS kept,"
    "  (SELECT g.setting::int8 * 1048576 FROM pg_catalog.pg_settings g"
    "   WHERE g.name = 'max_wal_size') AS most"
    " FROM pg_catalog.pg_replication_slots s WHERE NOT s.temporary) x ORDER BY x.slot_name";

static void look_at_slot(const struct pg_look *look, const PGresult *rows, int i)
{
    const char *name = pg_cell(rows, i, SLOT_NAME);
    const char *active = pg_cell_true(rows, i, SLOT_ACTIVE) ? "in use" : "not in use";

    if (pg_cell(rows, i, SLOT_STATUS)[0] == 'l')
        pg_look_say(look, BACKSTAY_WARNING, "slot",
                    "%s is lost: the WAL that it needs was removed; make its consumer anew and "
                    "drop it:\nSELECT pg_drop_replication_slot(%s);",
                    name, pg_cell(rows, i, SLOT_QUOTED));
    else if (pg_cell_true(rows, i, SLOT_TOO_MUCH))
        pg_look_say(look, BACKSTAY_WARNING, "slot",
                    "%s is %s and keeps %s of WAL on the server's disk, more than max_wal_size; "
                    "see to its consumer, or drop it:\nSELECT pg_drop_replication_slot(%s);",
                    name, active, pg_cell(rows, i, SLOT_KEPT), pg_cell(rows, i, SLOT_QUOTED));
    else
        pg_look_say(look, BACKSTAY_INFO, "slot", "%s (%s) is %s%s%s", name,
                    pg_cell(rows, i, SLOT_TYPE), active,
                    pg_cell(rows, i, SLOT_KEPT)[0] ? " and keeps WAL: " : "",
                    pg_cell(rows, i, SLOT_KEPT));
}

static int look_at_slots(const struct pg_look *look, struct backstay_error *err)
{
    PGresult *rows = pg_query(look->conn, err, slots_sql, NULL, 0);

    if (rows == NULL)
        return -1;
    for (int i = 0; i < PQntuples(rows); i++)
        look_at_slot(look, rows, i);
    PQclear(rows);
    return 0;
}

/* ---- a standby */

static int look_at_standby(const struct pg_look *look, struct backstay_error *err)
{
    if (!look->standby)
        return 0;
    PGresult *row = pg_query(look->conn, err,
                             "SELECT pg_catalog.pg_last_xact_replay_timestamp(),"
                             " pg_catalog.current_setting('hot_standby_feedback')::bool,"
                             " pg_catalog.current_setting('max_standby_streaming_delay')",
                             NULL, 0);
    if (row == NULL)
        return -1;
    const char *at = pg_cell(row, 0, 0);
    pg_look_say(look, BACKSTAY_INFO, "standby",
                "a backup is as old as what was replayed; the last transaction is of %s",
                at[0] ? at : "a time that is not known");
    if (!pg_cell_true(row, 0, 1))
        pg_look_say(look, BACKSTAY_INFO, "standby",
                    "a change on the primary may cancel a backup that runs longer than %s: set "
                    "hot_standby_feedback = on, or a longer max_standby_streaming_delay",
                    pg_cell(row, 0, 2));
    PQclear(row);
    return 0;
}

int pg_look_state(const struct pg_look *look, struct backstay_error *err)
{
    if (look_at_archive(look, err) != 0 || look_at_slots(look, err) != 0)
        return -1;
    pg_scratch_look(look->pg, look->conn->major, look->report);
    return look_at_standby(look, err);
}
