/* plugins/source/mysql/check_server.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The server and the way to it: who connects, how well protected, which version; and how all
 * connections of a backup will see one state.
 */
#include "check_parts.h"

#include <string.h>

/* What this version was tested with. */
enum { NEWEST_MARIADB = 1108, NEWEST_MYSQL = 907 };

/* ---- the connection */

static char *account_of(struct my_conn *conn, struct backstay_error *err)
{
    /* CURRENT_USER() is user@host: the last at sign is ours. */
    return my_value(conn, err,
                    "SELECT CONCAT(QUOTE(LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER())"
                    " - CHAR_LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)) - 1)), '@',"
                    " QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))");
}

static void look_at_encryption(const struct my_look *look)
{
    const struct my_conn *conn = look->conn;
    bool verified =
        conn->place.ssl_verify > 0 ||
        (conn->place.ssl_verify < 0 && (conn->place.ssl_ca || !my_place_is_local(&conn->place)));

    if (!conn->tls)
        my_look_say(look, BACKSTAY_OK, "encryption", "none; nothing leaves this machine");
    else if (verified)
        my_look_say(look, BACKSTAY_OK, "encryption",
                    "%s with %s; the server's certificate and name are verified",
                    mysql_get_ssl_cipher(conn->db) ? "TLS" : "?", mysql_get_ssl_cipher(conn->db));
    else
        my_look_say(look, my_place_is_local(&conn->place) ? BACKSTAY_INFO : BACKSTAY_WARNING,
                    "encryption",
                    "TLS with %s, but who the server is was not verified, so that somebody in "
                    "between could read the password and all rows; set ssl_ca, and ssl_verify: "
                    "true",
                    mysql_get_ssl_cipher(conn->db));
}

static void look_at_version(const struct my_look *look)
{
    const struct my_conn *conn = look->conn;
    const char *product = conn->mariadb ? "MariaDB" : "MySQL";
    unsigned newest = conn->mariadb ? NEWEST_MARIADB : NEWEST_MYSQL;

    if (conn->version / 100 > newest)
        my_look_say(look, look->advice ? BACKSTAY_WARNING : BACKSTAY_INFO, "server",
                    "%s %u.%u.%u: this version of Backstay was tested with %s", product,
                    conn->version / 10000, conn->version / 100 % 100, conn->version % 100,
                    conn->mariadb ? "MariaDB 10.5 to 11.8" : "MySQL 8.0 to 9.7");
    else
        my_look_say(look, BACKSTAY_OK, "server", "%s %u.%u.%u", product, conn->version / 10000,
                    conn->version / 100 % 100, conn->version % 100);
}

/* ---- the way to one state */

static void say_way(const struct my_look *look)
{
    const char *account = look->account;
    long long seconds = (long long)(look->my->lock_timeout_ns / 1000000000);
    enum my_way way = look->ways[0];

    if (look->my->jobs == 1 || way == MY_WAY_COMPARE)
        my_look_say(look, BACKSTAY_OK, "consistency", "%s; no locks",
                    my_way_name(look->my->jobs == 1 ? MY_WAY_SINGLE : way));
    else if (way == MY_WAY_STAGES)
        my_look_say(look, BACKSTAY_OK, "consistency", "%s, for at most %lld s", my_way_name(way),
                    seconds);
    else if (way == MY_WAY_LOCKS && look->conn->mariadb && look->my->consistency == MY_AUTO)
        my_look_say(look, BACKSTAY_OK, "consistency",
                    "%s, for at most %lld s; commits alone would wait after: GRANT RELOAD ON *.* "
                    "TO %s; and nobody with log_bin in the server's settings",
                    my_way_name(way), seconds, account);
    else if (way == MY_WAY_LOCKS)
        my_look_say(look, BACKSTAY_OK, "consistency", "%s, for at most %lld s", my_way_name(way),
                    seconds);
    else
        my_look_say(look, BACKSTAY_INFO, "consistency",
                    "%s, since \"consistency\" is snapshot and this server can only compare "
                    "snapshots with log_bin in its settings (MariaDB): one table after the other",
                    my_way_name(way));
}

int my_look_server(struct my_look *look, struct backstay_error *err)
{
    struct my_conn *conn = look->conn;

    look->account = account_of(conn, err);
    look->grants = look->account ? my_grants_read(conn, err) : NULL;
    if (look->grants == NULL)
        return -1;
    look->n_ways = my_snapshot_ways(look->ways, conn, look->my, err);
    if (look->n_ways < 0)
        return -1;
    my_look_say(look, BACKSTAY_OK, "connection", "account %s, %s", look->account, conn->label);
    look_at_encryption(look);
    look_at_version(look);
    if (look->n_ways > 0)
        say_way(look);
    return 0;
}
