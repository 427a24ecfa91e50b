/* plugins/source/mysql/apply_preflight.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a server cannot make is said before anything is made, with all tables that are concerned.
 */
#include "apply_parts.h"
#include "ddl_lex.h"
#include "ddl_rewrite.h"
#include "objects.h"
#include "snapshot.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAMES_SHOWN = 5 };

struct preflight {
    struct my_conn *conn;
    const struct my_apply *apply;
    void (*finding)(void *ctx, const char *subject, const char *text);
    void *ctx;
    int found;
};

static void report(struct preflight *check, const char *subject, const char *text)
{
    check->found++;
    check->finding(check->ctx, subject, text);
}

/* ---- who is concerned */

/* By name of what is missing: a list of "table x", "view y". */
static void concern(json_t *all, const char *what, const char *kind, const char *name)
{
    json_t *list = json_object_get(all, what);
    PLUG_AUTO_FREE char *text = plug_strf("%s %s", kind, name);

    if (list == NULL) {
        list = json_array();
        (void)json_object_set_new(all, what, list);
    }
    size_t n = json_array_size(list);
    if (n == 0 || strcmp(json_string_value(json_array_get(list, n - 1)), text) != 0)
        (void)json_array_append_new(list, plug_json_text(text));
}

static char *names_of(const json_t *list)
{
    struct plug_bytes out = {0};
    size_t n = json_array_size(list);

    for (size_t i = 0; i < n && i < NAMES_SHOWN; i++)
        plug_bytes_format(&out, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
    if (n > NAMES_SHOWN)
        plug_bytes_format(&out, " and %zu more", n - NAMES_SHOWN);
    return out.data;
}

static bool wants_table(const struct my_apply *apply, const json_t *table)
{
    const char *name = plug_json_get(table, "name");

    return apply->wants == NULL || apply->wants(apply->ctx, "table", name, name);
}

/* ---- collations */

static json_t *collations_of(const struct my_apply *apply)
{
    static const char *const keys[] = {"collation", "connection_collation", "database_collation"};
    json_t *all = json_object();
    const json_t *item;
    size_t i;

    json_array_foreach(apply->tables, i, item)
    {
        const json_t *collation;
        size_t k;
        if (!wants_table(apply, item))
            continue;
        json_array_foreach(json_object_get(item, "collations"), k, collation)
            concern(all, json_string_value(collation), "table", plug_json_get(item, "name"));
    }
    json_array_foreach(apply->objects, i, item)
    {
        if (strcmp(plug_json_get(item, "kind"), "database") != 0 && !my_apply_wants(apply, item))
            continue;
        for (size_t k = 0; k < PLUG_COUNT(keys); k++)
            if (*plug_json_get(item, keys[k]))
                concern(all, plug_json_get(item, keys[k]), plug_json_get(item, "kind"),
                        plug_json_get(item, "name"));
    }
    return all;
}

/* The name of a collation begins with that of its charset. @return 1, 0, -1. */
static int knows_collation(struct my_conn *conn, const char *name, struct backstay_error *err)
{
    enum { UNKNOWN_CHARSET = 1115, UNKNOWN_COLLATION = 1273, WRONG_CHARSET = 1253 };
    int len = (int)strcspn(name, "_");

    if (my_runf(conn, err, "DO CONVERT('' USING %.*s) COLLATE %s", len, name, name) == 0)
        return 1;
    return conn->error == UNKNOWN_CHARSET || conn->error == UNKNOWN_COLLATION ||
                   conn->error == WRONG_CHARSET
               ? 0
               : -1;
}

static int check_collations(struct preflight *check, struct backstay_error *err)
{
    json_t *all = collations_of(check->apply);
    const char *name;
    json_t *list;
    int r = 0;

    json_object_foreach(all, name, list)
    {
        int known = r < 0 ? -1 : knows_collation(check->conn, name, err);
        if (known < 0)
            r = -1;
        if (known != 0)
            continue;
        PLUG_AUTO_FREE char *who = names_of(list);
        PLUG_AUTO_FREE char *subject = plug_strf("collation %s", name);
        PLUG_AUTO_FREE char *text = plug_strf(
            "unknown to %s, but needed by %s; restore into a server of the product and version "
            "that the backup comes from, or give the source's tables a collation that both know "
            "(utf8mb4_unicode_ci) and make another backup",
            check->conn->label, who);
        report(check, subject, text);
    }
    json_decref(all);
    return r;
}

/* ---- engines */

static char *engine_of(const char *create)
{
    struct my_lexer lexer = {.at = create, .end = create + strlen(create)};
    unsigned depth = 0;

    for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END;) {
        depth += my_token_is(&token, "(");
        depth -= depth && my_token_is(&token, ")");
        if (depth == 0 && my_token_is(&token, "ENGINE") && my_lex_skip(&lexer, "=")) {
            token = my_lex_next(&lexer);
            return my_token_name(&token);
        }
    }
    return plug_strdup("");
}

static bool has_engine(MYSQL_RES *rows, const char *name)
{
    mysql_data_seek(rows, 0);
    for (MYSQL_ROW row; (row = mysql_fetch_row(rows)) != NULL;)
        if (strcasecmp(my_cell(row, 0), name) == 0)
            return true;
    return false;
}

static int check_engines(struct preflight *check, struct backstay_error *err)
{
    json_t *all = json_object();
    const json_t *table;
    const char *name;
    json_t *list;
    size_t i;
    MYSQL_RES *rows = my_query(
        check->conn, err,
        "SELECT ENGINE FROM information_schema.ENGINES WHERE SUPPORT IN ('YES', 'DEFAULT')");

    json_array_foreach(check->apply->tables, i, table)
    {
        size_t len;
        PLUG_AUTO_FREE char *create = my_ddl_text(table, "create", &len);
        PLUG_AUTO_FREE char *engine = engine_of(create);
        if (*engine && wants_table(check->apply, table))
            concern(all, engine, "table", plug_json_get(table, "name"));
    }
    json_object_foreach(all, name, list)
    {
        if (rows == NULL || has_engine(rows, name))
            continue;
        PLUG_AUTO_FREE char *who = names_of(list);
        PLUG_AUTO_FREE char *subject = plug_strf("engine %s", name);
        PLUG_AUTO_FREE char *text = plug_strf("%s does not have it, but it is needed by %s; "
                                              "install the plugin, or restore into another server",
                                              check->conn->label, who);
        report(check, subject, text);
    }
    json_decref(all);
    mysql_free_result(rows);
    return rows ? 0 : -1;
}

/* ---- the other product */

/* Words of a table's text that MySQL does not know. */
static const struct {
    const char *words[3];
    const char *what;
} features[] = {
    {{"WITH", "SYSTEM", "VERSIONING"}, "system versioning"},
    {{"PERIOD", "FOR", NULL}, "periods"},
    {{"nextval", "(", NULL}, "defaults from sequences"},
    {{"uuid", NULL, NULL}, "the type uuid"},
    {{"inet4", NULL, NULL}, "the type inet4"},
    {{"inet6", NULL, NULL}, "the type inet6"},
    {{"IGNORED", NULL, NULL}, "ignored indexes"},
};

/* A single word is a type, and no function of that name. */
static bool follow(struct my_lexer lexer, const char *const words[3])
{
    if (words[1] == NULL)
        return !my_lex_skip(&lexer, "(");
    return my_lex_skip(&lexer, words[1]) && (words[2] == NULL || my_lex_skip(&lexer, words[2]));
}

static bool has_words(const char *create, const char *const words[3])
{
    struct my_lexer lexer = {.at = create, .end = create + strlen(create)};

    for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END;)
        if (my_token_is(&token, words[0]) && follow(lexer, words))
            return true;
    return false;
}

/* A key that begins with two parentheses: KEY `x` ((`a` + 1)). */
static bool has_expression_key(const json_t *table)
{
    static const char *const words[3] = {"(", "(", NULL};
    const json_t *key;
    size_t i;

    json_array_foreach(json_object_get(table, "keys"), i,
                       key) if (has_words(json_string_value(key), words)) return true;
    return false;
}

static void check_features(struct preflight *check)
{
    static const char *const kinds[] = {"sequence", "package", "package body"};
    json_t *all = json_object();
    const json_t *item;
    const char *what;
    json_t *list;
    size_t i;

    json_array_foreach(check->apply->tables, i, item)
    {
        size_t len;
        PLUG_AUTO_FREE char *create = my_ddl_text(item, "create", &len);
        const char *name = plug_json_get(item, "name");
        if (!wants_table(check->apply, item))
            continue;
        for (size_t k = 0; k < PLUG_COUNT(features); k++)
            if (!check->conn->mariadb && has_words(create, features[k].words))
                concern(all, features[k].what, "table", name);
        if (check->conn->mariadb && has_expression_key(item))
            concern(all, "indexes of expressions", "table", name);
        if (check->conn->mariadb && strstr(create, " INVISIBLE */"))
            concern(all, "what MySQL calls invisible", "table", name);
    }
    json_array_foreach(check->apply->objects, i, item)
    {
        const char *kind = plug_json_get(item, "kind");
        for (size_t k = 0; k < PLUG_COUNT(kinds); k++)
            if (!check->conn->mariadb && strcmp(kind, kinds[k]) == 0 &&
                my_apply_wants(check->apply, item))
                concern(all, "sequences and packages", kind, plug_json_get(item, "name"));
    }
    json_object_foreach(all, what, list)
    {
        PLUG_AUTO_FREE char *who = names_of(list);
        PLUG_AUTO_FREE char *text =
            plug_strf("%s has no such thing, but it is needed by %s; restore into a %s server",
                      check->conn->label, who, check->conn->mariadb ? "MySQL" : "MariaDB");
        report(check, what, text);
    }
    json_decref(all);
}

/* ---- whose objects */

static bool is_account(const struct my_span *span, const char *sql, const char *account)
{
    struct my_lexer lexer = {.at = sql + span->at, .end = sql + span->at + span->len};
    struct my_token user;

    if (!my_lex_skip(&lexer, "DEFINER") || !my_lex_skip(&lexer, "="))
        return false;
    user = my_lex_next(&lexer);
    PLUG_AUTO_FREE char *name = my_token_name(&user);
    (void)my_lex_skip(&lexer, "@");
    struct my_token host = my_lex_next(&lexer);
    PLUG_AUTO_FREE char *at = my_token_name(&host);
    PLUG_AUTO_FREE char *whole = plug_strf("%s@%s", name, at);
    return strcmp(whole, account) == 0;
}

static bool may_name_others(const char *grants)
{
    static const char *const rights[] = {"SUPER", "SET USER", "SET_USER_ID", "SET_ANY_DEFINER"};

    for (size_t i = 0; i < PLUG_COUNT(rights); i++)
        if (my_grants_have(grants, rights[i]))
            return true;
    return false;
}

static int check_definers(struct preflight *check, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *grants = my_grants_read(check->conn, err);
    PLUG_AUTO_FREE char *account =
        grants ? my_value(check->conn, err, "SELECT CURRENT_USER()") : NULL;
    json_t *all = json_object();
    const json_t *object;
    size_t i;

    json_array_foreach(check->apply->objects, i, object)
    {
        struct my_span span;
        size_t len;
        PLUG_AUTO_FREE char *sql = my_ddl_text(object, "sql", &len);
        if (account && my_apply_wants(check->apply, object) && my_find_definer(sql, len, &span) &&
            !is_account(&span, sql, account))
            concern(all, "", plug_json_get(object, "kind"), plug_json_get(object, "name"));
    }
    const json_t *list = json_object_get(all, "");
    if (list && grants && !may_name_others(grants)) {
        PLUG_AUTO_FREE char *who = names_of(list);
        PLUG_AUTO_FREE char *text = plug_strf(
            "%s may not make objects of other accounts (%s); restore with --no-owner, or run: "
            "GRANT %s ON *.* TO the account",
            account, who,
            check->conn->mariadb            ? "SET USER"
            : check->conn->version >= 80200 ? "SET_ANY_DEFINER, ALLOW_NONEXISTENT_DEFINER"
                                            : "SET_USER_ID");
        report(check, "DEFINER", text);
    }
    json_decref(all);
    return account ? 0 : -1;
}

/* ---- functions and the binary log */

static bool is_harmless(const char *sql)
{
    static const char *const words[] = {"\n    DETERMINISTIC\n", "\n    NO SQL\n",
                                        "\n    READS SQL DATA\n"};

    for (size_t i = 0; i < PLUG_COUNT(words); i++)
        if (strstr(sql, words[i]))
            return true;
    return false;
}

static int check_functions(struct preflight *check, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *strict =
        my_value(check->conn, err, "SELECT @@log_bin AND NOT @@log_bin_trust_function_creators");
    json_t *all = json_object();
    const json_t *function;

    for (size_t i = 0;
         (function = my_object_next(check->apply->objects, "function", &i)) != NULL;) {
        size_t len;
        PLUG_AUTO_FREE char *sql = my_ddl_text(function, "sql", &len);
        if (my_apply_wants(check->apply, function) && !is_harmless(sql))
            concern(all, "", "function", plug_json_get(function, "name"));
    }
    const json_t *list = json_object_get(all, "");
    if (list && strict && strcmp(strict, "1") == 0) {
        PLUG_AUTO_FREE char *who = names_of(list);
        PLUG_AUTO_FREE char *text =
            plug_strf("%s keeps a binary log and refuses functions that do not say whether they "
                      "change rows (%s); run SET GLOBAL log_bin_trust_function_creators = 1 there "
                      "until the restore is done",
                      check->conn->label, who);
        report(check, "binary log", text);
    }
    json_decref(all);
    return strict ? 0 : -1;
}

int my_apply_preflight(struct my_conn *conn, const struct my_apply *apply,
                       void (*finding)(void *ctx, const char *subject, const char *text), void *ctx,
                       struct backstay_error *err)
{
    struct preflight check = {.conn = conn, .apply = apply, .finding = finding, .ctx = ctx};

    if (check_collations(&check, err) != 0 || check_engines(&check, err) != 0 ||
        check_functions(&check, err) != 0 || (!apply->no_owner && check_definers(&check, err) != 0))
        return -1;
    check_features(&check);
    return check.found;
}
