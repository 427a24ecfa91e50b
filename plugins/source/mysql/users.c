/* plugins/source/mysql/users.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The accounts of the server with the hashes of their passwords. Nobody needs this file to restore
 * a database, but whoever has lost the server does.
 */
#include "ddl.h"
#include "ddl_lex.h"
#include "ddl_rewrite.h"

#include <stdlib.h>
#include <string.h>

/* Accounts that a server makes by itself, and that a new one has already. */
static const char mariadb_accounts[] =
    "SELECT User, Host, is_role, x509_issuer, x509_subject, ssl_cipher FROM mysql.user"
    " WHERE NOT (User = 'mariadb.sys' AND Host = 'localhost') ORDER BY is_role DESC, 1, 2";
static const char mysql_accounts[] =
    "SELECT User, Host, 'N', x509_issuer, x509_subject, ssl_cipher FROM mysql.user WHERE NOT (Host "
    "= 'localhost' AND"
    " User IN ('mysql.sys', 'mysql.session', 'mysql.infoschema')) ORDER BY 1, 2";

enum { REQUIRED = 3, FIRST_REQUIRED = 3 }; /* issuer, subject, cipher; their first column */

struct account {
    char *name;               /* 'user'@'host', or a role */
    bool is_role;             /* of MariaDB: MySQL's are accounts */
    char *required[REQUIRED]; /* of a client's certificate */
};

static void add_quoted(struct plug_bytes *out, const char *text)
{
    plug_bytes_text(out, "'");
    for (; *text; text++)
        plug_bytes_format(out, strchr("'\\", *text) ? "\\%c" : "%c", *text);
    plug_bytes_text(out, "'");
}

/* What everybody may: no account, but it has grants. */
static bool is_public(MYSQL_ROW row, bool is_role)
{
    return is_role && strcmp(my_cell(row, 0), "PUBLIC") == 0;
}

static char *account_name(MYSQL_ROW row, bool is_role)
{
    struct plug_bytes name = {0};

    if (is_public(row, is_role))
        return plug_strdup("PUBLIC");
    add_quoted(&name, my_cell(row, 0));
    if (!is_role) {
        plug_bytes_text(&name, "@");
        add_quoted(&name, my_cell(row, 1));
    }
    return name.data;
}

/* ---- reading */

/* Servers write what is required of a certificate without escapes. */
static void add_repaired(struct plug_bytes *out, const char *answer, const struct account *account)
{
    static const char *const words[REQUIRED] = {"ISSUER ", "SUBJECT ", "CIPHER "};
    PLUG_AUTO_FREE char *text = plug_strdup(answer);

    for (size_t i = 0; i < REQUIRED; i++) {
        const char *value = account->required[i];
        PLUG_AUTO_FREE char *wrong = plug_strf("%s'%s'", words[i], value);
        const char *at = strstr(text, wrong);
        PLUG_AUTO_BYTES struct plug_bytes right = {0};
        if (at == NULL || strpbrk(value, "'\\") == NULL)
            continue;
        plug_bytes_add(&right, text, (size_t)(at - text));
        plug_bytes_text(&right, words[i]);
        add_quoted(&right, value);
        plug_bytes_text(&right, at + strlen(wrong));
        free(text);
        text = plug_strdup(right.data);
    }
    plug_bytes_format(out, "%s;\n", text);
}

int my_users_readable(struct my_conn *conn, char **grant, struct backstay_error *err)
{
    enum { DENIED_TABLE = 1142, DENIED_COLUMN = 1143, DENIED_DATABASE = 1044 };
    MYSQL_RES *rows = my_query(conn, err, "SELECT User, Host FROM mysql.user LIMIT 1");

    *grant = NULL;
    if (rows) {
        mysql_free_result(rows);
        return 1;
    }
    if (conn->error != DENIED_TABLE && conn->error != DENIED_COLUMN &&
        conn->error != DENIED_DATABASE)
        return -1;
    PLUG_AUTO_FREE char *user = my_value(conn, err, "SELECT CURRENT_USER()");
    if (user == NULL)
        return -1;
    /* CURRENT_USER() is user@host: the last at sign is ours. */
    char *host = strrchr(user, '@');
    PLUG_AUTO_BYTES struct plug_bytes name = {0};
    if (host)
        *host++ = '\0';
    add_quoted(&name, user);
    plug_bytes_text(&name, "@");
    add_quoted(&name, host ? host : "%");
    *grant = plug_strf("GRANT SELECT ON mysql.* TO %s", name.data);
    return 0;
}

/*
 * Appends what @show answers about an account, a statement in each row.
 *
 * @return 0; 1: the server does not use it (it has the name of a host, and none are looked up); -1.
 */
static int add_answers(struct my_conn *conn, struct plug_bytes *out, const struct account *account,
                       const char *show, struct backstay_error *err)
{
    enum { NO_SUCH_USER = 1133, NO_SUCH_GRANT = 1141 };
    PLUG_AUTO_FREE char *sql = plug_strf("%s %s", show, account->name);
    MYSQL_RES *rows = my_query(conn, err, sql);

    if (rows == NULL)
        return conn->error == NO_SUCH_USER || conn->error == NO_SUCH_GRANT ? 1 : -1;
    unsigned last = mysql_num_fields(rows) - 1;
    for (MYSQL_ROW row; (row = mysql_fetch_row(rows)) != NULL;)
        add_repaired(out, my_cell(row, last), account);
    mysql_free_result(rows);
    return 0;
}

/* Finds "DEFAULT ROLE a, b " of MySQL; otherwise the end of the text. */
static struct my_span default_roles(const char *text, size_t len)
{
    struct my_lexer lexer = {.at = text, .end = text + len};
    struct my_span span = {.at = len};

    for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END;) {
        if (!my_token_is(&token, "DEFAULT") || !my_lex_skip(&lexer, "ROLE"))
            continue;
        do {
            (void)my_lex_next(&lexer);
            if (my_lex_skip(&lexer, "@"))
                (void)my_lex_next(&lexer);
        } while (my_lex_skip(&lexer, ","));
        span.at = (size_t)(token.at - text);
        span.len = (size_t)(lexer.at - token.at);
        return span;
    }
    return span;
}

/* The answer "CREATE USER ..." becomes one that can be run where the account exists. Roles that are
 * active by default must exist and be granted before they are said to be, so these come last. */
static int add_create(struct my_conn *conn, struct plug_bytes *out, struct plug_bytes *roles,
                      const struct account *account, struct backstay_error *err)
{
    static const char create[] = "CREATE USER ";
    PLUG_AUTO_BYTES struct plug_bytes answer = {0};

    if (strcmp(account->name, "PUBLIC") == 0)
        return 0;
    if (account->is_role) {
        plug_bytes_format(out, "CREATE ROLE IF NOT EXISTS %s;\n", account->name);
        return 0;
    }
    int r = add_answers(conn, &answer, account, "SHOW CREATE USER", err);
    if (r > 0)
        plug_bytes_format(out, "-- The server does not use the account %s\n", account->name);
    if (r != 0)
        return r > 0 ? 0 : -1;
    if (answer.len < sizeof create || strncmp(answer.data, create, sizeof create - 1) != 0)
        return conn->host->fail(conn->host, err, BACKSTAY_ERR_IO,
                                "%s: SHOW CREATE USER does not answer CREATE USER for %s",
                                conn->label, account->name);
    plug_bytes_text(out, "CREATE USER IF NOT EXISTS ");
    const struct my_span rest = default_roles(answer.data, answer.len);
    plug_bytes_add(out, answer.data + sizeof create - 1, rest.at - (sizeof create - 1));
    plug_bytes_text(out, answer.data + rest.at + rest.len);
    if (rest.len)
        plug_bytes_format(roles, "ALTER USER %s %.*s;\n", account->name, (int)rest.len,
                          answer.data + rest.at);
    return 0;
}

static int add_grants(struct my_conn *conn, struct plug_bytes *out, const struct account *account,
                      struct backstay_error *err)
{
    return add_answers(conn, out, account, "SHOW GRANTS FOR", err) < 0 ? -1 : 0;
}

/* ---- all accounts */

static void free_account(struct account *account)
{
    free(account->name);
    for (size_t i = 0; i < REQUIRED; i++)
        free(account->required[i]);
}

static int list(struct my_conn *conn, struct account **accounts, size_t *n,
                struct backstay_error *err)
{
    MYSQL_RES *rows = my_query(conn, err, conn->mariadb ? mariadb_accounts : mysql_accounts);

    if (rows == NULL)
        return -1;
    *n = 0;
    *accounts = plug_alloc((size_t)mysql_num_rows(rows) + 1, sizeof **accounts);
    for (MYSQL_ROW row; (row = mysql_fetch_row(rows)) != NULL;) {
        bool is_role = *my_cell(row, 2) == 'Y';
        struct account *account = &(*accounts)[(*n)++];
        *account = (struct account){.name = account_name(row, is_role), .is_role = is_role};
        for (unsigned i = 0; i < REQUIRED; i++)
            account->required[i] = plug_strdup(my_cell(row, FIRST_REQUIRED + i));
    }
    mysql_free_result(rows);
    return 0;
}

static int add_all(struct my_conn *conn, struct plug_bytes *out, struct backstay_error *err)
{
    struct account *accounts = NULL;
    size_t n = 0;
    PLUG_AUTO_BYTES struct plug_bytes roles = {0};
    int r = list(conn, &accounts, &n, err);

    for (size_t i = 0; r == 0 && i < n; i++)
        r = add_create(conn, out, &roles, &accounts[i], err);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = add_grants(conn, out, &accounts[i], err);
    plug_bytes_text(out, roles.data ? roles.data : "");
    for (size_t i = 0; i < n; i++)
        free_account(&accounts[i]);
    free(accounts);
    return r;
}

static int read_all(struct my_conn *conn, struct plug_bytes *out, struct backstay_error *err)
{
    enum { HEX_SINCE = 80017 };

    plug_bytes_text(out, "-- Accounts of the server, with the hashes of their passwords: keep it "
                         "secret\n-- Run by: mariadb --binary-mode (or mysql ...), when "
                         "the databases are there, since rights name tables\n"
                         "SET NAMES utf8mb4, sql_mode = '';\n");
    /* The hashes of caching_sha2_password are bytes that are no text. */
    if (!conn->mariadb && conn->version >= HEX_SINCE &&
        my_run(conn, err, "SET print_identified_with_as_hex = 1") != 0)
        return -1;
    return add_all(conn, out, err);
}

int my_users_send(const struct my_place *place, struct backstay_sink *sink,
                  struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes out = {0};
    PLUG_AUTO_FREE char *grant = NULL;
    struct my_conn *conn = NULL;

    if (my_connect(&conn, place, err) != 0)
        return -1;
    int r = my_users_readable(conn, &grant, err);
    if (r == 0) {
        r = sink->warn(sink, NULL, 0,
                       "accounts are not in the backup: this account may not read them; run %s, "
                       "or set users: false",
                       grant);
    } else if (r > 0) {
        r = read_all(conn, &out, err);
        if (r == 0)
            r = plug_send(sink, "users.sql", out.data, out.len);
    }
    my_disconnect(conn);
    return r;
}
