/* plugins/source/mysql/position.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "position.h"

#include <stdlib.h>
#include <string.h>

void my_position_set(struct my_snapshot *snapshot, const char *file, const char *position)
{
    free(snapshot->file);
    free(snapshot->position);
    snapshot->file = plug_strdup(file);
    snapshot->position = plug_strdup(position);
}

int my_position_own(struct my_conn *conn, char **file, char **position, struct backstay_error *err)
{
    MYSQL_ROW row;
    MYSQL_RES *rows = my_query(conn, err,
                               "SHOW STATUS WHERE Variable_name IN"
                               " ('binlog_snapshot_file', 'binlog_snapshot_position')");

    if (rows == NULL)
        return -1;
    *file = plug_strdup("");
    *position = plug_strdup("");
    while ((row = mysql_fetch_row(rows)) != NULL) {
        char **to = strcasestr(my_cell(row, 0), "file") ? file : position;
        free(*to);
        *to = plug_strdup(my_cell(row, 1));
    }
    mysql_free_result(rows);
    return 0;
}

void my_position_server(struct my_snapshot *snapshot, struct my_conn *conn)
{
    enum { NEW_NAME = 80200 };
    struct backstay_error ignored = {.size = sizeof ignored};
    bool renamed = !conn->mariadb && conn->version >= NEW_NAME;
    MYSQL_RES *rows =
        my_query(conn, &ignored, renamed ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS");
    MYSQL_ROW row = rows ? mysql_fetch_row(rows) : NULL;

    if (row)
        my_position_set(snapshot, my_cell(row, 0), my_cell(row, 1));
    if (row && !conn->mariadb && mysql_num_fields(rows) > 4) {
        free(snapshot->gtid);
        snapshot->gtid = plug_strdup(my_cell(row, 4));
    }
    if (rows)
        mysql_free_result(rows);
}

void my_position_gtid(struct my_snapshot *snapshot, struct my_conn *conn)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    struct backstay_error ignored = {.size = sizeof ignored};

    if (!conn->mariadb || snapshot->file == NULL || *snapshot->file == '\0')
        return;
    plug_bytes_text(&sql, "SELECT BINLOG_GTID_POS(");
    my_add_literal(&sql, snapshot->file, strlen(snapshot->file));
    plug_bytes_format(&sql, ", %s)", snapshot->position);
    char *gtid = my_value(conn, &ignored, sql.data);
    if (gtid) {
        free(snapshot->gtid);
        snapshot->gtid = gtid;
    }
}

int my_position_instant(struct my_snapshot *snapshot, struct my_conn *conn,
                        struct backstay_error *err)
{
    PLUG_AUTO_FREE char *text = my_value(conn, err, "SELECT UNIX_TIMESTAMP(SYSDATE(6))");
    const char *point = text ? strchr(text, '.') : NULL;

    if (text == NULL)
        return -1;
    snapshot->instant_ns = strtoll(text, NULL, 10) * 1000000000;
    if (point)
        snapshot->instant_ns += strtoll(point + 1, NULL, 10) * 1000;
    return 0;
}

void my_position_source(struct my_snapshot *snapshot, struct my_conn *conn)
{
    struct backstay_error ignored = {.size = sizeof ignored};
    const char *const sql =
        "SELECT GROUP_CONCAT(CONCAT_WS('-', domain_id, server_id, seq_no) ORDER BY domain_id)"
        " FROM mysql.gtid_slave_pos AS p WHERE sub_id ="
        " (SELECT MAX(sub_id) FROM mysql.gtid_slave_pos AS q WHERE q.domain_id = p.domain_id)";

    if (!conn->mariadb)
        return;
    char *gtid = my_value(conn, &ignored, sql);
    if (gtid) {
        free(snapshot->source_gtid);
        snapshot->source_gtid = gtid;
    }
}
