/* plugins/source/mysql/ddl_lex.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * ddl_lex: the tokens of a statement, as far as SHOW CREATE needs them.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include "mem.h"

#include <stdbool.h>

enum my_token_kind {
    MY_TOKEN_END,
    MY_TOKEN_WORD,   /* a keyword, a name without quotes, a number */
    MY_TOKEN_IDENT,  /* `name` */
    MY_TOKEN_STRING, /* 'text' */
    MY_TOKEN_DOUBLE, /* "text", or a name with the sql_mode ANSI_QUOTES */
    MY_TOKEN_SIGN,   /* one byte */
    MY_TOKEN_BROKEN, /* a quote that does not end */
};

/** A piece of the statement, quotes included. Borrowed. */
struct my_token {
    enum my_token_kind kind;
    const char *at;
    size_t len;
};

/** Where we are in a statement. @at and @end are set by the caller. */
struct my_lexer {
    const char *at;
    const char *end;
};

/**
 * The next token. Comments are skipped; of those that a version executes (slash, star,
 * exclamation mark, number) what is inside is not.
 */
struct my_token my_lex_next(struct my_lexer *lexer);

/** Whether a token is the keyword @word (in capitals) or the sign @word. */
bool my_token_is(const struct my_token *token, const char *word);

/** Skips the next token when it is @word. @return whether it was. */
bool my_lex_skip(struct my_lexer *lexer, const char *word);

/** Whether a token can be a name, and its text without quotes (caller frees). */
bool my_token_is_name(const struct my_token *token);
char *my_token_name(const struct my_token *token);

/** Whether it is the name @name. */
bool my_token_names(const struct my_token *token, const char *name);

/** Appends what a constant of the kind MY_TOKEN_STRING stands for. */
void my_token_value(const struct my_token *token, struct plug_bytes *out);
