/* plugins/source/postgres/check_server.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The server and the way to it: who connects, how well protected, which versions meet.
 */
#include "check_parts.h"
#include "pooler.h"
#include "tool.h"

#include <stdlib.h>
#include <string.h>

/* Besides one connection for each job, of which one holds the locks: their watch, and pg_dump. */
enum { CONNECTIONS_BESIDE = 2 };

/* ---- the connection */

static char *setting_of(const struct pg_conn *conn, const char *keyword)
{
    PQconninfoOption *options = PQconninfo(conn->pq);
    char *value = NULL;

    if (options == NULL)
        abort();
    for (const PQconninfoOption *option = options; option->keyword; option++)
        if (strcmp(option->keyword, keyword) == 0 && option->val)
            value = plug_strdup(option->val);
    PQconninfoFree(options);
    return value ? value : plug_strdup("");
}

static bool through_socket(const struct pg_conn *conn)
{
    const char *host = PQhost(conn->pq);

    return host == NULL || host[0] == '\0' || host[0] == '/' || host[0] == '@';
}

static bool on_loopback(const struct pg_conn *conn)
{
    const char *address = PQhostaddr(conn->pq);

    return address && (strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0);
}

static void say_tls(const struct pg_look *look, const char *mode)
{
    PGconn *pq = look->conn->pq;
    const char *protocol = PQsslAttribute(pq, "protocol");
    const char *cipher = PQsslAttribute(pq, "cipher");
    bool verified = strcmp(mode, "verify-full") == 0;

    pg_look_say(look, verified ? BACKSTAY_OK : BACKSTAY_INFO, "encryption",
                "%s with %s, sslmode=%s%s", protocol ? protocol : "TLS", cipher ? cipher : "?",
                mode,
                verified ? ""
                         : ": who the server is was not fully verified; use sslmode=verify-full "
                           "with sslrootcert");
}

static void look_at_encryption(const struct pg_look *look)
{
    const struct pg_conn *conn = look->conn;
    PLUG_AUTO_FREE char *mode = setting_of(conn, "sslmode");

    if (PQsslInUse(conn->pq))
        say_tls(look, mode);
    else if (PQgssEncInUse(conn->pq))
        pg_look_say(look, BACKSTAY_OK, "encryption", "GSSAPI");
    else if (through_socket(conn) || on_loopback(conn))
        pg_look_say(look, BACKSTAY_OK, "encryption", "none; nothing leaves this machine");
    else
        pg_look_say(look, BACKSTAY_WARNING, "encryption",
                    "none: %srows can be read and changed on the way to %s; set ssl = on on the "
                    "server, and sslmode=verify-full (or require) in the url",
                    PQconnectionUsedPassword(conn->pq) ? "the log-in and all " : "",
                    PQhost(conn->pq));
}

static int look_at_connection(const struct pg_look *look, struct backstay_error *err)
{
    int pooler = pg_pooler_between(look->conn, err);

    if (pooler < 0)
        return -1;
    pg_look_say(look, BACKSTAY_OK, "connection", "role %s, %s%s", look->role, look->conn->label,
                pooler ? ", through a pooler in session mode" : "");
    return 0;
}

static void look_at_version(const struct pg_look *look)
{
    const struct pg_conn *conn = look->conn;
    const char *version = PQparameterStatus(conn->pq, "server_version");
    const char *kind = look->standby ? "standby" : "primary";

    if (conn->major > PG_NEWEST)
        pg_look_say(look, look->advice ? BACKSTAY_WARNING : BACKSTAY_INFO, "server",
                    "PostgreSQL %s, %s: this version of Backstay was tested with %d to %d",
                    version ? version : "?", kind, PG_OLDEST, PG_NEWEST);
    else
        pg_look_say(look, BACKSTAY_OK, "server", "PostgreSQL %s, %s", version ? version : "?",
                    kind);
}

static void look_at_programs(const struct pg_look *look)
{
    static const char *const programs[] = {"pg_dump", "pg_restore"};
    const struct backstay_host *host = look->pg->host;

    for (size_t i = 0; i < PLUG_COUNT(programs); i++) {
        struct backstay_error why = {.size = sizeof why};
        struct pg_tool tool;
        if (pg_tool_find(&tool, host, programs[i], look->conn->major, look->pg->bin, &why) != 0) {
            pg_look_say(look, i == 0 ? BACKSTAY_BAD : BACKSTAY_INFO, programs[i], "%s%s", why.text,
                        i == 0 ? "" : "; restores need it");
            continue;
        }
        pg_look_say(look, BACKSTAY_OK, programs[i], "%s, version %d.%d", tool.path, tool.major,
                    tool.version % 10000);
        pg_tool_free(&tool);
    }
}

/* ---- the role */

enum {
    COL_ROLE,
    COL_SUPERUSER,
    COL_BYPASSES,
    COL_INHERITS,
    COL_READS_ALL,
    COL_LIMIT,
    COL_DATABASE_LIMIT,
    COL_UNTIL,
    COL_SOON,
    COL_STANDBY,
    COL_FREE
};

static const char role_sql[] = "SELECT " PG_SQL_IDENT(
    "r.rolname") ", r.rolsuper, r.rolbypassrls, r.rolinherit,"
                 " EXISTS (SELECT FROM pg_catalog.pg_roles a WHERE a.rolname = 'pg_read_all_data'"
                 "  AND pg_catalog.pg_has_role(a.oid, 'USAGE')),"
                 " r.rolconnlimit, d.datconnlimit, r.rolvaliduntil,"
                 " coalesce(r.rolvaliduntil < pg_catalog.now() + '14 days', false),"
                 " pg_catalog.pg_is_in_recovery(),"
                 " pg_catalog.current_setting('max_connections')::int8"
                 "  - pg_catalog.current_setting('superuser_reserved_connections')::int8"
                 "  - coalesce(pg_catalog.current_setting('reserved_connections', true)::int8, 0)"
                 "  - (SELECT pg_catalog.sum(numbackends) FROM pg_catalog.pg_stat_database)"
                 " FROM pg_catalog.pg_roles r, pg_catalog.pg_database d"
                 " WHERE r.rolname = CURRENT_USER AND d.datname = pg_catalog.current_database()";

static void look_at_role(const struct pg_look *look, const PGresult *row)
{
    if (look->superuser)
        pg_look_say(look, BACKSTAY_INFO, "role",
                    "%s is a superuser; a role that may only read is enough for backups",
                    look->role);
    else
        pg_look_say(look, BACKSTAY_OK, "role", "%s is no superuser%s%s", look->role,
                    pg_cell_true(row, 0, COL_READS_ALL) ? ", has pg_read_all_data" : "",
                    pg_cell_true(row, 0, COL_BYPASSES) ? ", has BYPASSRLS" : "");
    if (look->advice && pg_cell_true(row, 0, COL_SOON))
        pg_look_say(look, BACKSTAY_WARNING, "role",
                    "the password of %s is valid until %s only:\nALTER ROLE %s VALID UNTIL "
                    "'infinity';",
                    look->role, pg_cell(row, 0, COL_UNTIL), look->role);
}

static void look_at_limits(const struct pg_look *look, const PGresult *row)
{
    int64_t wanted = (int64_t)look->pg->jobs + CONNECTIONS_BESIDE;
    int64_t of_role = pg_cell_number(row, 0, COL_LIMIT);
    int64_t of_database = pg_cell_number(row, 0, COL_DATABASE_LIMIT);
    int64_t left = pg_cell_number(row, 0, COL_FREE) + 1; /* ours will be gone */

    if (!look->superuser && of_role >= 0 && of_role < wanted)
        pg_look_say(look, BACKSTAY_BAD, "connections",
                    "role %s may have %lld connections, a backup with %u jobs needs %lld; set "
                    "fewer \"jobs\", or:\nALTER ROLE %s CONNECTION LIMIT %lld;",
                    look->role, (long long)of_role, look->pg->jobs, (long long)wanted, look->role,
                    (long long)wanted);
    if (!look->superuser && of_database >= 0 && of_database < wanted)
        pg_look_say(look, BACKSTAY_BAD, "connections",
                    "database %s may have %lld connections, a backup with %u jobs needs %lld",
                    look->conn->database, (long long)of_database, look->pg->jobs,
                    (long long)wanted);
    if (look->advice && left < wanted)
        pg_look_say(look, BACKSTAY_WARNING, "connections",
                    "the server has %lld connections left, a backup with %u jobs needs %lld; set "
                    "fewer \"jobs\", or raise max_connections",
                    (long long)left, look->pg->jobs, (long long)wanted);
}

int pg_look_server(struct pg_look *look, struct backstay_error *err)
{
    PGresult *row = pg_query(look->conn, err, role_sql, NULL, 0);

    if (row == NULL)
        return -1;
    look->role = plug_strdup(pg_cell(row, 0, COL_ROLE));
    look->superuser = pg_cell_true(row, 0, COL_SUPERUSER);
    look->inherits = pg_cell_true(row, 0, COL_INHERITS);
    look->standby = pg_cell_true(row, 0, COL_STANDBY);
    int r = look_at_connection(look, err);
    if (r == 0) {
        look_at_encryption(look);
        look_at_version(look);
        look_at_role(look, row);
        look_at_limits(look, row);
        look_at_programs(look);
        if (look->pg->globals)
            pg_look_say(look, BACKSTAY_INFO, "passwords",
                        "roles are in the backup without their passwords: set those anew after a "
                        "restore on another server");
    }
    PQclear(row);
    return r;
}
