/* plugins/source/mysql/ddl_rewrite.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ddl_rewrite.h"

#include "conn.h"
#include "ddl_lex.h"

#include <stdlib.h>
#include <string.h>

static struct my_lexer lexer_of(const char *sql, size_t len)
{
    return (struct my_lexer){.at = sql, .end = sql + len};
}

/* ---- DEFINER */

/* user, user@host, CURRENT_USER, CURRENT_USER(). */
static bool skip_account(struct my_lexer *lexer)
{
    struct my_token token = my_lex_next(lexer);

    if (!my_token_is_name(&token))
        return false;
    if (my_lex_skip(lexer, "@")) {
        token = my_lex_next(lexer);
        return my_token_is_name(&token);
    }
    return !my_lex_skip(lexer, "(") || my_lex_skip(lexer, ")");
}

static const char *next_at(struct my_lexer lexer)
{
    return my_lex_next(&lexer).at;
}

/* Moves behind the definer, if there is one. */
static bool skip_beginning(struct my_lexer *lexer, const char **definer)
{
    *definer = NULL;
    if (!my_lex_skip(lexer, "CREATE"))
        return false;
    if (my_lex_skip(lexer, "OR") && !my_lex_skip(lexer, "REPLACE"))
        return false;
    if (my_lex_skip(lexer, "ALGORITHM")) {
        if (!my_lex_skip(lexer, "=") || my_lex_next(lexer).kind != MY_TOKEN_WORD)
            return false;
    }
    const char *at = next_at(*lexer);
    if (!my_lex_skip(lexer, "DEFINER"))
        return true;
    *definer = at;
    return my_lex_skip(lexer, "=") && skip_account(lexer);
}

bool my_find_definer(const char *sql, size_t len, struct my_span *out)
{
    struct my_lexer lexer = lexer_of(sql, len);
    const char *definer;

    if (!skip_beginning(&lexer, &definer) || definer == NULL)
        return false;
    *out =
        (struct my_span){.at = (size_t)(definer - sql), .len = (size_t)(next_at(lexer) - definer)};
    return true;
}

void my_add_replaced(struct plug_bytes *out, const char *sql, size_t len,
                     const struct my_span *span, const char *instead)
{
    plug_bytes_add(out, sql, span->at);
    plug_bytes_text(out, instead);
    plug_bytes_add(out, sql + span->at + span->len, len - span->at - span->len);
}

/* ---- events */

bool my_find_event_status(const char *sql, size_t len, struct my_span *out)
{
    struct my_lexer lexer = lexer_of(sql, len);
    const char *definer;

    if (!skip_beginning(&lexer, &definer) || !my_lex_skip(&lexer, "EVENT"))
        return false;
    for (;;) {
        struct my_token token = my_lex_next(&lexer);
        if (token.kind == MY_TOKEN_END || token.kind == MY_TOKEN_BROKEN)
            return false;
        if (my_token_is(&token, "ON") && my_lex_skip(&lexer, "COMPLETION"))
            break;
    }
    (void)my_lex_skip(&lexer, "NOT");
    if (!my_lex_skip(&lexer, "PRESERVE"))
        return false;
    const char *begin = next_at(lexer);
    if (my_lex_skip(&lexer, "DISABLE")) {
        struct my_lexer ahead = lexer;
        if (my_lex_skip(&ahead, "ON") &&
            (my_lex_skip(&ahead, "SLAVE") || my_lex_skip(&ahead, "REPLICA")))
            lexer = ahead;
    } else if (!my_lex_skip(&lexer, "ENABLE")) {
        return false;
    }
    *out = (struct my_span){.at = (size_t)(begin - sql), .len = (size_t)(lexer.at - begin)};
    return true;
}

/* ---- comments */

bool my_find_comment(const char *sql, size_t len, struct my_span *out)
{
    /* A server writes those of routines on lines of their own, before the body. */
    static const char line[] = "\n    COMMENT '";
    struct my_lexer lexer = lexer_of(sql, len);
    struct my_span status;
    const char *at = memmem(sql, len, line, sizeof line - 1);

    if (my_find_event_status(sql, len, &status))
        lexer.at = sql + status.at + status.len;
    else
        lexer.at = at ? at : lexer.end;
    if (!my_lex_skip(&lexer, "COMMENT"))
        return false;
    struct my_token token = my_lex_next(&lexer);
    *out = (struct my_span){.at = (size_t)(token.at - sql), .len = token.len};
    return token.kind == MY_TOKEN_STRING;
}

void my_add_unescaped(struct plug_bytes *out, const char *constant, size_t len)
{
    const struct my_token token = {.kind = MY_TOKEN_STRING, .at = constant, .len = len};
    PLUG_AUTO_BYTES struct plug_bytes value = {0};

    my_token_value(&token, &value);
    plug_bytes_text(out, "'");
    for (size_t i = 0; i < value.len; i++)
        plug_bytes_add(out, value.data[i] == '\'' ? "''" : &value.data[i],
                       value.data[i] == '\'' ? 2 : 1);
    plug_bytes_text(out, "'");
}

/* ---- triggers */

/* Copies up to the lexer's next name, and that name without the database @from before it. */
static void copy_name(struct plug_bytes *out, struct my_lexer *lexer, const char **done,
                      const char *from)
{
    struct my_token token = my_lex_next(lexer);
    struct my_lexer ahead = *lexer;

    if (!my_lex_skip(&ahead, "."))
        return;
    struct my_token name = my_lex_next(&ahead);
    if (my_token_is_name(&name) && my_token_names(&token, from)) {
        plug_bytes_add(out, *done, (size_t)(token.at - *done));
        *done = name.at;
    }
    *lexer = ahead;
}

void my_add_trigger_moved(struct plug_bytes *out, const char *sql, size_t len, const char *from)
{
    struct my_lexer lexer = lexer_of(sql, len);
    const char *done = sql;
    const char *definer;

    if (skip_beginning(&lexer, &definer) && my_lex_skip(&lexer, "TRIGGER")) {
        if (my_lex_skip(&lexer, "IF"))
            (void)(my_lex_skip(&lexer, "NOT") && my_lex_skip(&lexer, "EXISTS"));
        copy_name(out, &lexer, &done, from);
        for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END;)
            if (my_token_is(&token, "ON")) {
                copy_name(out, &lexer, &done, from);
                break;
            }
    }
    plug_bytes_add(out, done, (size_t)(sql + len - done));
}

/* ---- views */

/* TRIM(x FROM y) and EXTRACT(x FROM y) have a FROM without tables. */
static bool has_own_from(const struct my_token *token, struct my_lexer lexer)
{
    return (my_token_is(token, "trim") || my_token_is(token, "extract")) &&
           my_lex_skip(&lexer, "(");
}

/*
 * A server prints a view in one of two ways: when all of its tables are in the current database,
 * without databases, else each table with its own.
 */
static bool names_databases(struct my_lexer lexer)
{
    enum { DEEPEST = 63 };
    uint64_t functions = 0; /* bit n: the parenthesis of depth n is one of such a function */
    unsigned depth = 0;

    for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END;) {
        if (my_token_is(&token, "(") && depth < DEEPEST)
            functions &= ~(UINT64_C(1) << ++depth);
        else if (my_token_is(&token, ")") && depth > 0)
            depth--;
        else if (has_own_from(&token, lexer) && depth < DEEPEST && my_lex_skip(&lexer, "("))
            functions |= UINT64_C(1) << ++depth;
        if (!my_token_is(&token, "from") || functions >> depth & 1)
            continue;
        struct my_lexer ahead = lexer;
        while (my_lex_skip(&ahead, "("))
            ;
        if (my_lex_next(&ahead).kind == MY_TOKEN_IDENT && my_lex_skip(&ahead, "."))
            return true;
    }
    return false;
}

/* Behind a name that is followed by a point: is it the database of a function? */
static bool is_call(struct my_lexer lexer)
{
    return my_lex_skip(&lexer, ".") && my_lex_next(&lexer).kind == MY_TOKEN_IDENT &&
           my_lex_skip(&lexer, "(");
}

static bool is_alias(const struct my_token *before)
{
    return before->kind == MY_TOKEN_IDENT || my_token_is(before, ")");
}

bool my_view_is_elsewhere(const char *sql, size_t len, const char *own)
{
    struct my_lexer lexer = lexer_of(sql, len);
    struct my_token before = {0};

    if (names_databases(lexer))
        return true;
    for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END; before = token)
        if (token.kind == MY_TOKEN_IDENT && !my_token_is(&before, ".") && is_call(lexer) &&
            !my_token_names(&token, own))
            return true;
    return false;
}

bool my_view_uses(const char *sql, size_t len, const char *name)
{
    struct my_lexer lexer = lexer_of(sql, len);
    struct my_token before = {0};

    for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END;
         before = token) {
        struct my_lexer ahead = lexer;
        /* Columns come with a table and a point, or are names behind AS. */
        if (token.kind == MY_TOKEN_IDENT && !my_token_is(&before, ".") && !is_alias(&before) &&
            !my_token_is(&before, "AS") && !my_token_is(&before, "VIEW") &&
            my_token_names(&token, name) && !my_lex_skip(&ahead, "."))
            return true;
    }
    return false;
}

static void copy_and_rename(struct plug_bytes *out, const char **done, const struct my_token *token,
                            const char *into)
{
    plug_bytes_add(out, *done, (size_t)(token->at - *done));
    my_add_ident(out, into);
    *done = token->at + token->len;
}

int my_add_view_moved(struct plug_bytes *out, const char *sql, size_t len,
                      const char *const from_into[2])
{
    struct my_lexer lexer = lexer_of(sql, len);
    struct my_token before = {0};
    const char *done = sql;
    const char *definer;

    if (!skip_beginning(&lexer, &definer))
        lexer = lexer_of(sql, len);
    bool all = names_databases(lexer);
    for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END;
         before = token) {
        if (token.kind != MY_TOKEN_IDENT || my_token_is(&before, ".") ||
            !my_token_names(&token, from_into[0]))
            continue;
        struct my_lexer ahead = lexer;
        if (!my_lex_skip(&ahead, ".")) {
            if (all && is_alias(&before))
                return -1;
            continue;
        }
        if (!all && !is_call(lexer))
            continue;
        copy_and_rename(out, &done, &token, from_into[1]);
    }
    plug_bytes_add(out, done, (size_t)(sql + len - done));
    return 0;
}

/* ---- tables */

void my_add_table_moved(struct plug_bytes *out, const char *sql, const char *const from_into[2])
{
    struct my_lexer lexer = lexer_of(sql, strlen(sql));
    struct my_token before = {0};
    const char *done = sql;

    for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END;
         before = token) {
        struct my_lexer ahead = lexer;
        if (my_token_is(&before, "(") && token.kind == MY_TOKEN_IDENT &&
            my_token_names(&token, from_into[0]) && my_lex_skip(&ahead, "."))
            copy_and_rename(out, &done, &token, from_into[1]);
    }
    plug_bytes_text(out, done);
}
