/* plugins/source/mysql/check_state.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is advice about the server: its binary log, accounts, settings, scratch places.
 */
#include "check_parts.h"
#include "ddl.h"
#include "scratch.h"

#include <stdlib.h>
#include <string.h>

static int look_at_log(const struct my_look *look, struct backstay_error *err)
{
    struct my_conn *conn = look->conn;
    const char *right = conn->mariadb ? "BINLOG MONITOR" : "REPLICATION CLIENT";
    PLUG_AUTO_FREE char *on = my_value(conn, err, "SELECT @@log_bin");
    PLUG_AUTO_FREE char *format = on ? my_value(conn, err, "SELECT @@binlog_format") : NULL;

    if (format == NULL)
        return -1;
    if (strcmp(on, "1") != 0 && strcmp(on, "ON") != 0)
        my_look_say(look, BACKSTAY_INFO, "binary log",
                    "off: a snapshot brings back its own instant and none between; log_bin in the "
                    "server's settings switches it on");
    else if (look->ways[0] == MY_WAY_COMPARE || my_look_grants(look->grants, right, NULL))
        my_look_say(look, BACKSTAY_OK, "binary log",
                    "on, format %s; each snapshot says its position in it", format);
    else
        my_look_say(look, BACKSTAY_INFO, "binary log",
                    "on, format %s, but %s may not see the position; as an administrator:\nGRANT "
                    "%s ON *.* TO %s;",
                    format, look->account, right, look->account);
    return 0;
}

static int look_at_users(const struct my_look *look, struct backstay_error *err)
{
    char *grant = NULL;

    if (!look->my->users) {
        my_look_say(look, BACKSTAY_OK, "accounts", "not in the backup, as \"users\" says");
        return 0;
    }
    int r = my_users_readable(look->conn, &grant, err);
    if (r > 0)
        my_look_say(look, BACKSTAY_OK, "accounts", "readable; they are in the backup");
    else if (r == 0)
        my_look_say(look, BACKSTAY_WARNING, "accounts",
                    "not in the backup, as %s may not read them; set users: false, or as an "
                    "administrator:\n%s;",
                    look->account, grant);
    free(grant);
    return r < 0 ? -1 : 0;
}

static int look_at_settings(const struct my_look *look, struct backstay_error *err)
{
    struct my_conn *conn = look->conn;
    PLUG_AUTO_FREE char *modes = my_value(conn, err, "SELECT @@GLOBAL.sql_mode");
    PLUG_AUTO_FREE char *charset =
        modes ? my_value(conn, err,
                         "SELECT CONCAT(@@GLOBAL.character_set_server, ' (',"
                         " @@GLOBAL.collation_server, ')')")
              : NULL;
    PLUG_AUTO_FREE char *scheduler =
        charset ? my_value(conn, err, "SELECT @@GLOBAL.event_scheduler") : NULL;
    PLUG_AUTO_FREE char *lower =
        scheduler ? my_value(conn, err, "SELECT @@lower_case_table_names") : NULL;

    if (lower == NULL)
        return -1;
    my_look_say(look, BACKSTAY_INFO, "settings",
                "character set %s, event_scheduler %s, sql_mode %s: none of these matters to a "
                "backup, whose sessions set their own",
                charset, scheduler, *modes ? modes : "''");
    if (strcmp(lower, "0") != 0)
        my_look_say(look, BACKSTAY_INFO, "names",
                    "lower_case_table_names is %s here: a server where it is 0, such as a scratch "
                    "instance, tells upper from lower case, and views and routines whose texts "
                    "spell names otherwise do not find their tables there",
                    lower);
    return 0;
}

int my_look_state(const struct my_look *look, struct backstay_error *err)
{
    if (look_at_log(look, err) != 0 || look_at_users(look, err) != 0 ||
        look_at_settings(look, err) != 0)
        return -1;
    PLUG_AUTO_FREE char *version = my_value(look->conn, err, "SELECT VERSION()");
    if (version == NULL)
        return -1;
    my_scratch_look(look->my, version, look->report);
    return 0;
}
