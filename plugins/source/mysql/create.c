/* plugins/source/mysql/create.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Servers sort keys as they are made: PRIMARY and UNIQUE, then other ones, then FULLTEXT, each in
 * the order of their making. So a key that stays in the bare table keeps those before it of its
 * kind there too.
 */
#include "create.h"

#include "ddl_lex.h"
#include "send.h"

#include <stdlib.h>
#include <string.h>

enum item_kind { COLUMN, PRIMARY, UNIQUE, KEY, FULLTEXT, FOREIGN, OTHER };

struct item {
    enum item_kind kind;
    const char *at;
    size_t len;
    struct my_lexer inside; /* what is in the parentheses of a key; empty: not understood */
    bool later;             /* made when the rows are there */
};

struct create {
    const char *text;
    const char *tail; /* from the line with the closing parenthesis */
    struct item *items;
    size_t n;
    size_t cap;
};

/* ---- lines */

static struct my_lexer lexer_of(const struct item *item)
{
    return (struct my_lexer){.at = item->at, .end = item->at + item->len};
}

static enum item_kind kind_of(struct my_lexer *lexer)
{
    static const struct {
        const char *words[2];
        enum item_kind kind;
    } rows[] = {
        {{"PRIMARY", "KEY"}, PRIMARY}, {{"UNIQUE", "KEY"}, UNIQUE}, {{"FULLTEXT", "KEY"}, FULLTEXT},
        {{"SPATIAL", "KEY"}, KEY},     {{"VECTOR", "KEY"}, KEY},    {{"KEY", NULL}, KEY},
    };
    struct my_token token = my_lex_next(lexer);

    if (token.kind == MY_TOKEN_IDENT)
        return COLUMN;
    for (size_t i = 0; i < PLUG_COUNT(rows); i++)
        if (my_token_is(&token, rows[i].words[0]))
            return rows[i].words[1] == NULL || my_lex_skip(lexer, rows[i].words[1]) ? rows[i].kind
                                                                                    : OTHER;
    if (!my_token_is(&token, "CONSTRAINT"))
        return OTHER;
    token = my_lex_next(lexer);
    return token.kind == MY_TOKEN_IDENT && my_lex_skip(lexer, "FOREIGN") &&
                   my_lex_skip(lexer, "KEY")
               ? FOREIGN
               : OTHER;
}

/* Moves @lexer, which stands behind an opening parenthesis, behind the closing one. */
static struct my_lexer parenthesis(struct my_lexer *lexer)
{
    struct my_lexer inside = {.at = lexer->at, .end = lexer->at};
    int depth = 1;

    for (;;) {
        struct my_token token = my_lex_next(lexer);
        if (token.kind == MY_TOKEN_END || token.kind == MY_TOKEN_BROKEN)
            return (struct my_lexer){.at = lexer->end, .end = lexer->end};
        depth += my_token_is(&token, "(") - my_token_is(&token, ")");
        if (depth == 0) {
            inside.end = token.at;
            return inside;
        }
    }
}

static void understand(struct item *item)
{
    struct my_lexer lexer = lexer_of(item);

    item->kind = kind_of(&lexer);
    if (item->kind == COLUMN || item->kind == OTHER)
        return;
    struct my_token token = my_lex_next(&lexer);
    if (token.kind == MY_TOKEN_IDENT && item->kind != PRIMARY && item->kind != FOREIGN)
        token = my_lex_next(&lexer);
    if (my_token_is(&token, "("))
        item->inside = parenthesis(&lexer);
    if (item->inside.at == item->inside.end)
        item->kind = OTHER;
}

static void add_item(struct create *create, const char *at, const char *end)
{
    if (create->n == create->cap)
        create->items =
            plug_grow(create->items, &create->cap, create->n + 1, sizeof *create->items);
    struct item *item = &create->items[create->n++];
    *item = (struct item){.at = at, .len = (size_t)(end - at)};
    understand(item);
}

static const char between[] = ",\n  ";

/* Finds the lines: "CREATE TABLE `t` (\n  ", items with @between, "\n) ...". */
static bool find_items(struct create *create)
{
    struct my_lexer lexer = {.at = create->text, .end = create->text + strlen(create->text)};
    int depth = 1;

    if (!my_lex_skip(&lexer, "CREATE") || !my_lex_skip(&lexer, "TABLE") ||
        my_lex_next(&lexer).kind != MY_TOKEN_IDENT || !my_lex_skip(&lexer, "(") ||
        strncmp(lexer.at, "\n  ", 3) != 0)
        return false;
    const char *begin = lexer.at + 3;
    for (;;) {
        struct my_token token = my_lex_next(&lexer);
        if (token.kind == MY_TOKEN_END || token.kind == MY_TOKEN_BROKEN)
            return false;
        depth += my_token_is(&token, "(") - my_token_is(&token, ")");
        if (depth == 0) {
            add_item(create, begin, token.at - 1);
            create->tail = token.at - 1;
            return *create->tail == '\n';
        }
        if (depth == 1 && my_token_is(&token, ",")) {
            if (strncmp(token.at, between, sizeof between - 1) != 0)
                return false;
            add_item(create, begin, token.at);
            begin = token.at + sizeof between - 1;
        }
    }
}

/* ---- what must stay */

static bool mentions(struct my_lexer lexer, const char *word)
{
    for (struct my_token token;
         (token = my_lex_next(&lexer)).kind != MY_TOKEN_END && token.kind != MY_TOKEN_BROKEN;)
        if (my_token_is(&token, word))
            return true;
    return false;
}

static bool has_name(struct my_lexer lexer, const char *name)
{
    for (struct my_token token;
         (token = my_lex_next(&lexer)).kind != MY_TOKEN_END && token.kind != MY_TOKEN_BROKEN;)
        if (token.kind == MY_TOKEN_IDENT && my_token_names(&token, name))
            return true;
    return false;
}

static bool begins_with_name(struct my_lexer lexer, const char *name)
{
    struct my_token token = my_lex_next(&lexer);

    return token.kind == MY_TOKEN_IDENT && my_token_names(&token, name);
}

static char *column_name(const struct item *item)
{
    struct my_lexer lexer = lexer_of(item);
    struct my_token token = my_lex_next(&lexer);

    return my_token_name(&token);
}

/* Other engines may know no keys that are added, or not gain by it. */
static bool engine_adds_keys(const struct create *create)
{
    struct my_lexer lexer = {.at = create->tail, .end = create->tail + strlen(create->tail)};

    for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END;) {
        if (!my_token_is(&token, "ENGINE") || !my_lex_skip(&lexer, "="))
            continue;
        token = my_lex_next(&lexer);
        return my_token_is(&token, "InnoDB") || my_token_is(&token, "MyISAM") ||
               my_token_is(&token, "Aria");
    }
    return false;
}

static void stay_with_those_before(struct create *create, struct item *kept)
{
    for (struct item *item = create->items; item <= kept; item++)
        if (item->kind == kept->kind)
            item->later = false;
}

/* AUTO_INCREMENT wants a key of its column: as the first one, or further behind with MyISAM. */
static void keep_key_of_counter(struct create *create, const char *column)
{
    struct item *found = NULL;

    for (struct item *item = create->items; item < create->items + create->n; item++) {
        if (item->kind != PRIMARY && item->kind != UNIQUE && item->kind != KEY)
            continue;
        if (begins_with_name(item->inside, column)) {
            found = item;
            break;
        }
        if (found == NULL && has_name(item->inside, column))
            found = item;
    }
    if (found)
        stay_with_those_before(create, found);
}

static bool not_null(const struct create *create, const char *name)
{
    for (const struct item *item = create->items; item < create->items + create->n; item++) {
        if (item->kind != COLUMN)
            continue;
        PLUG_AUTO_FREE char *column = column_name(item);
        struct my_lexer lexer = lexer_of(item);
        if (strcmp(column, name) != 0)
            continue;
        for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END;)
            if (my_token_is(&token, "NOT") && my_lex_skip(&lexer, "NULL"))
                return true;
    }
    return false;
}

/* Without a primary key the rows lie in the order of the first unique key that has no NULLs. */
static void keep_order_of_rows(struct create *create)
{
    for (struct item *item = create->items; item < create->items + create->n; item++) {
        if (item->kind == PRIMARY)
            return;
        if (item->kind != UNIQUE)
            continue;
        struct my_lexer lexer = item->inside;
        bool all = true;
        for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END;) {
            PLUG_AUTO_FREE char *name = my_token_name(&token);
            all = all && (token.kind != MY_TOKEN_IDENT || not_null(create, name));
        }
        if (all)
            stay_with_those_before(create, item);
        return;
    }
}

static bool on_base_of_stored(const struct create *create, const struct item *foreign)
{
    struct my_lexer lexer = foreign->inside;

    for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END;) {
        PLUG_AUTO_FREE char *name = my_token_name(&token);
        for (const struct item *item = create->items; item < create->items + create->n; item++)
            if (token.kind == MY_TOKEN_IDENT && item->kind == COLUMN &&
                mentions(lexer_of(item), "STORED") && has_name(lexer_of(item), name))
                return true;
    }
    return false;
}

static void keep_all(struct create *create, enum item_kind kind)
{
    for (struct item *item = create->items; item < create->items + create->n; item++)
        if (item->kind == kind)
            item->later = false;
}

static void decide(struct create *create)
{
    struct my_lexer tail = {.at = create->tail, .end = create->tail + strlen(create->tail)};
    bool partitions = mentions(tail, "PARTITION");
    bool adds_keys = engine_adds_keys(create);

    for (struct item *item = create->items; item < create->items + create->n; item++)
        item->later = adds_keys && (item->kind == UNIQUE || item->kind == KEY ||
                                    item->kind == FULLTEXT || item->kind == FOREIGN);
    for (struct item *item = create->items; item < create->items + create->n; item++) {
        if (item->kind == COLUMN && mentions(lexer_of(item), "AUTO_INCREMENT")) {
            PLUG_AUTO_FREE char *column = column_name(item);
            keep_key_of_counter(create, column);
        }
        if ((item->kind == UNIQUE && mentions(lexer_of(item), "OVERLAPS")))
            stay_with_those_before(create, item);
        /* It would make keys for itself where there is none. */
        if (item->kind == FOREIGN && on_base_of_stored(create, item)) {
            keep_all(create, UNIQUE);
            keep_all(create, KEY);
            keep_all(create, FOREIGN);
        }
    }
    /* PARTITION BY KEY () takes the columns of a unique key. */
    if (partitions)
        keep_all(create, UNIQUE);
    keep_order_of_rows(create);
}

/* ---- columns */

/* The name behind COLLATE, outside of parentheses; @before is where that word begins. */
static struct my_token collation_of(struct my_lexer lexer, struct my_token *before)
{
    int depth = 0;

    for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END;) {
        depth += my_token_is(&token, "(") - my_token_is(&token, ")");
        if (depth != 0 || !my_token_is(&token, "COLLATE"))
            continue;
        *before = token;
        (void)my_lex_skip(&lexer, "=");
        return my_lex_next(&lexer);
    }
    return (struct my_token){0};
}

/*
 * MySQL writes the collation of the table to columns that nobody has given one, and would take it
 * for given when it reads that, and answer CHARACTER SET besides from then on.
 */
static void add_column(struct plug_bytes *out, const struct create *create, const struct item *item)
{
    struct my_lexer tail = {.at = create->tail + 2, .end = create->tail + strlen(create->tail)};
    struct my_token word;
    struct my_token before = {0};
    struct my_token own = collation_of(lexer_of(item), &before);
    struct my_token all = collation_of(tail, &word);

    if (item->kind != COLUMN || own.kind != MY_TOKEN_WORD || own.len != all.len ||
        memcmp(own.at, all.at, own.len) != 0 ||
        mentions((struct my_lexer){.at = item->at, .end = own.at}, "CHARACTER")) {
        plug_bytes_add(out, item->at, item->len);
        return;
    }
    const char *rest = own.at + own.len;
    plug_bytes_add(out, item->at, (size_t)(before.at - 1 - item->at));
    plug_bytes_add(out, rest, (size_t)(item->at + item->len - rest));
}

/* ---- the answer */

static json_t *in_one_piece(const char *text)
{
    PLUG_AUTO_FREE char *bare = my_create_portable(text);
    json_t *out = json_object();

    (void)json_object_set_new(out, "create_bare", plug_json_text(bare));
    (void)json_object_set_new(out, "keys", json_array());
    (void)json_object_set_new(out, "foreign_keys", json_array());
    return out;
}

json_t *my_create_split(const char *text)
{
    PLUG_AUTO_FREE char *whole = my_create_portable(text);
    struct create create = {.text = whole};
    PLUG_AUTO_BYTES struct plug_bytes bare = {0};

    if (!find_items(&create) || create.items[0].kind != COLUMN) {
        free(create.items);
        return in_one_piece(text);
    }
    decide(&create);
    json_t *out = json_object();
    json_t *keys = json_array();
    json_t *foreign_keys = json_array();
    plug_bytes_add(&bare, create.text, (size_t)(create.items[0].at - create.text));
    for (size_t i = 0; i < create.n; i++) {
        const struct item *item = &create.items[i];
        json_t *later = item->later ? json_stringn(item->at, item->len) : NULL;
        if (later) {
            (void)json_array_append_new(item->kind == FOREIGN ? foreign_keys : keys, later);
            continue;
        }
        plug_bytes_text(&bare, i ? between : "");
        add_column(&bare, &create, item);
    }
    plug_bytes_text(&bare, create.tail);
    (void)json_object_set_new(out, "create_bare", plug_json_text(bare.data));
    (void)json_object_set_new(out, "keys", keys);
    (void)json_object_set_new(out, "foreign_keys", foreign_keys);
    free(create.items);
    return out;
}

/* ---- counting */

static size_t count_partitions(struct my_lexer lexer)
{
    struct my_token before = {0};
    size_t n = 0;

    for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END; before = token)
        n += my_token_is(&before, "PARTITION") && token.kind != MY_TOKEN_SIGN &&
             !my_token_is(&token, "BY");
    return n;
}

struct my_create_counts my_create_count(const char *text)
{
    struct create create = {.text = text};
    struct my_create_counts counts = {0};

    if (find_items(&create)) {
        struct my_lexer tail = {.at = create.tail, .end = text + strlen(text)};
        counts.partitions = count_partitions(tail);
        counts.versioned = mentions(tail, "VERSIONING");
    }
    for (const struct item *item = create.items; item < create.items + create.n; item++) {
        bool column = item->kind == COLUMN;
        counts.columns += column;
        counts.generated += column && mentions(lexer_of(item), "GENERATED");
        counts.foreign_keys += item->kind == FOREIGN;
        counts.checks += item->kind == OTHER && mentions(lexer_of(item), "CHECK");
        counts.indexes += !column && item->kind != FOREIGN && item->kind != OTHER;
    }
    free(create.items);
    return counts;
}

/* ---- bytes that are no text */

static void add_hex(struct plug_bytes *out, const struct my_token *token)
{
    PLUG_AUTO_BYTES struct plug_bytes bytes = {0};

    my_token_value(token, &bytes);
    plug_bytes_text(out, "X'");
    for (size_t i = 0; i < bytes.len; i++)
        plug_bytes_format(out, "%02X", (unsigned char)bytes.data[i]);
    plug_bytes_text(out, "'");
}

char *my_create_portable(const char *create)
{
    struct my_lexer lexer = {.at = create, .end = create + strlen(create)};
    struct plug_bytes out = {0};
    const char *done = create;

    for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END;) {
        if (token.kind != MY_TOKEN_STRING)
            continue;
        json_t *text = json_stringn(token.at, token.len);
        if (text == NULL) {
            plug_bytes_add(&out, done, (size_t)(token.at - done));
            add_hex(&out, &token);
            done = token.at + token.len;
        }
        json_decref(text);
    }
    plug_bytes_text(&out, done);
    return out.data;
}
