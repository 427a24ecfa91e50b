/* plugins/source/mysql/ddl_lex.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ddl_lex.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool starts(const struct my_lexer *lexer, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(lexer->end - lexer->at) >= len && memcmp(lexer->at, text, len) == 0;
}

static void skip_past(struct my_lexer *lexer, const char *text)
{
    const char *at = memmem(lexer->at, (size_t)(lexer->end - lexer->at), text, strlen(text));

    lexer->at = at ? at + strlen(text) : lexer->end;
}

/* The beginning of a comment that is executed: its text counts as the statement's. */
static bool skip_version(struct my_lexer *lexer)
{
    size_t len = starts(lexer, "/*!") ? 3 : starts(lexer, "/*M!") ? 4 : 0;

    if (len == 0)
        return false;
    lexer->at += len;
    while (lexer->at < lexer->end && isdigit((unsigned char)*lexer->at))
        lexer->at++;
    return true;
}

static bool skip_comment(struct my_lexer *lexer)
{
    if (skip_version(lexer))
        return true;
    if (starts(lexer, "/*")) {
        lexer->at += 2;
        skip_past(lexer, "*/");
        return true;
    }
    if (starts(lexer, "*/")) {
        lexer->at += 2;
        return true;
    }
    if (*lexer->at == '#' || (starts(lexer, "--") && (lexer->end - lexer->at == 2 ||
                                                      (unsigned char)lexer->at[2] <= ' '))) {
        skip_past(lexer, "\n");
        return true;
    }
    return false;
}

static void skip_space(struct my_lexer *lexer)
{
    while (lexer->at < lexer->end) {
        if (isspace((unsigned char)*lexer->at))
            lexer->at++;
        else if (!skip_comment(lexer))
            return;
    }
}

/* @at is behind the opening quote. NULL: the quote does not end. */
static const char *end_of_quoted(const char *at, const char *end, char quote)
{
    for (; at < end; at++) {
        if (*at == '\\' && quote != '`') {
            at++;
        } else if (*at == quote) {
            if (at + 1 >= end || at[1] != quote)
                return at + 1;
            at++;
        }
    }
    return NULL;
}

static struct my_token quoted(struct my_lexer *lexer)
{
    struct my_token token = {.at = lexer->at};
    char quote = *lexer->at;
    const char *end = end_of_quoted(lexer->at + 1, lexer->end, quote);

    token.kind = quote == '`' ? MY_TOKEN_IDENT : quote == '"' ? MY_TOKEN_DOUBLE : MY_TOKEN_STRING;
    if (end == NULL) {
        token.kind = MY_TOKEN_BROKEN;
        end = lexer->end;
    }
    token.len = (size_t)(end - token.at);
    lexer->at = end;
    return token;
}

struct my_token my_lex_next(struct my_lexer *lexer)
{
    skip_space(lexer);
    struct my_token token = {.at = lexer->at};

    if (lexer->at >= lexer->end)
        return token;
    if (*lexer->at == '`' || *lexer->at == '\'' || *lexer->at == '"')
        return quoted(lexer);
    if (is_word(*lexer->at)) {
        token.kind = MY_TOKEN_WORD;
        while (lexer->at < lexer->end && is_word(*lexer->at))
            lexer->at++;
    } else {
        token.kind = MY_TOKEN_SIGN;
        lexer->at++;
    }
    token.len = (size_t)(lexer->at - token.at);
    return token;
}

bool my_token_is(const struct my_token *token, const char *word)
{
    return (token->kind == MY_TOKEN_WORD || token->kind == MY_TOKEN_SIGN) &&
           token->len == strlen(word) && strncasecmp(token->at, word, token->len) == 0;
}

bool my_lex_skip(struct my_lexer *lexer, const char *word)
{
    struct my_lexer ahead = *lexer;
    struct my_token token = my_lex_next(&ahead);

    if (!my_token_is(&token, word))
        return false;
    *lexer = ahead;
    return true;
}

bool my_token_is_name(const struct my_token *token)
{
    return token->kind == MY_TOKEN_WORD || token->kind == MY_TOKEN_IDENT ||
           token->kind == MY_TOKEN_DOUBLE || token->kind == MY_TOKEN_STRING;
}

char *my_token_name(const struct my_token *token)
{
    if (token->kind == MY_TOKEN_WORD || token->len < 2)
        return plug_strf("%.*s", (int)token->len, token->at);
    char *name = plug_alloc(token->len, 1);
    char *out = name;
    const char *end = token->at + token->len - 1;
    for (const char *at = token->at + 1; at < end; at++) {
        /* A doubled quote, or a backslash where backslashes escape. */
        if ((*at == *token->at || (*at == '\\' && token->kind != MY_TOKEN_IDENT)) && at + 1 < end)
            at++;
        *out++ = *at;
    }
    return name;
}

bool my_token_names(const struct my_token *token, const char *name)
{
    if (!my_token_is_name(token))
        return false;
    PLUG_AUTO_FREE char *own = my_token_name(token);
    return strcmp(own, name) == 0;
}

void my_token_value(const struct my_token *token, struct plug_bytes *out)
{
    static const char escapes[][2] = {{'0', '\0'}, {'n', '\n'}, {'r', '\r'},
                                      {'t', '\t'}, {'b', '\b'}, {'Z', '\032'}};
    const char *end = token->at + token->len - 1;

    for (const char *at = token->at + 1; at < end; at++) {
        bool escape = *at == '\\';
        char c = *at;
        if ((escape || c == '\'') && at + 1 < end)
            c = *++at;
        for (size_t i = 0; escape && i < PLUG_COUNT(escapes); i++)
            if (escapes[i][0] == *at)
                c = escapes[i][1];
        plug_bytes_add(out, &c, 1);
    }
}
