/* plugins/source/postgres/restore_choose.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which items belong to chosen tables: the tables, with the parts of a partitioned one; whatever is
 * about them and nothing else (defaults, sequences of their columns, indexes, constraints,
 * triggers, rules, policies, rights, comments), foreign keys where both tables are chosen; and what
 * all that needs (schemas, types, functions), which is made where it is not there.
 */
#include "restore.h"

#include <stdlib.h>
#include <string.h>

enum mark { MARK_NONE, MARK_NEEDED, MARK_CHOSEN };

/* Both sections as one list, since items of one need items of the other. */
struct choice {
    struct pg_restoring *restoring;
    unsigned char *before; /* enum mark of each item */
    unsigned char *after;
};

/* @return where the mark of item @id is, or NULL; *@item receives the item. */
static unsigned char *mark_of(const struct choice *choice, int id, const struct pg_item **item)
{
    const struct pg_toc *before = &choice->restoring->before;
    const struct pg_toc *after = &choice->restoring->after;

    *item = pg_toc_find(before, id);
    if (*item)
        return &choice->before[*item - before->items];
    *item = pg_toc_find(after, id);
    return *item ? &choice->after[*item - after->items] : NULL;
}

static bool is_relation(const struct pg_item *item)
{
    return item->class_oid == PG_CLASS_RELATION && pg_item_is(item, "TABLE");
}

/* ---- the tables */

/* "public.orders" of "TABLE public.orders" */
static const char *name_of(const struct pg_item *table)
{
    return table->label + strlen("TABLE ");
}

/* A partitioned table has no rows of its own and is not in tables.json. */
static bool is_named(const struct pg_restoring *restoring, const struct pg_item *item)
{
    for (size_t i = 0; i < restoring->wish->n_tables; i++)
        if (strcmp(restoring->wish->tables[i], name_of(item)) == 0)
            return true;
    return false;
}

static json_t *table_of(const struct pg_restoring *restoring, const struct pg_item *item)
{
    size_t i;
    json_t *table;

    json_array_foreach(restoring->saved->tables, i, table)
    {
        if (json_integer_value(json_object_get(table, "oid")) == (json_int_t)item->oid)
            return table;
    }
    return NULL;
}

static void choose_tables(struct choice *choice)
{
    const struct pg_restoring *restoring = choice->restoring;

    for (size_t i = 0; i < restoring->before.n; i++) {
        const struct pg_item *item = &restoring->before.items[i];
        if (!is_relation(item))
            continue;
        const json_t *table = table_of(restoring, item);
        if (table ? pg_wish_has_table(restoring->wish, plug_json_get(table, "label"), NULL)
                  : is_named(restoring, item))
            choice->before[i] = MARK_CHOSEN;
    }
}

/* "TABLE ATTACH" has the name of the part, and needs both the part and the whole. */
static bool choose_part(const struct choice *choice, const struct pg_item *attach)
{
    const char *name = attach->label + strlen("TABLE ATTACH ");
    unsigned char *part = NULL;
    bool whole = false;

    for (size_t i = 0; i < attach->n_needs; i++) {
        const struct pg_item *need;
        unsigned char *mark = mark_of(choice, attach->needs[i], &need);
        if (mark == NULL || !is_relation(need))
            continue;
        if (strcmp(name_of(need), name) == 0)
            part = mark;
        else
            whole = whole || *mark == MARK_CHOSEN;
    }
    if (!whole || part == NULL || *part == MARK_CHOSEN)
        return false;
    *part = MARK_CHOSEN;
    return true;
}

static bool choose_parts(const struct choice *choice)
{
    const struct pg_toc *toc = &choice->restoring->before;
    bool changed = false;

    for (size_t i = 0; i < toc->n; i++)
        if (pg_item_is(&toc->items[i], "TABLE ATTACH") && choose_part(choice, &toc->items[i]))
            changed = true;
    return changed;
}

/* ---- what is about them */

static bool is_about(const struct pg_item *item)
{
    static const char *const kinds[] = {
        "DEFAULT",    "SEQUENCE",      "SEQUENCE OWNED BY", "INDEX",        "INDEX ATTACH",
        "CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT",  "TRIGGER",      "RULE",
        "POLICY",     "ROW SECURITY",  "STATISTICS",        "TABLE ATTACH", "COMMENT",
        "ACL",        "SECURITY LABEL"};

    for (size_t i = 0; i < PLUG_COUNT(kinds); i++)
        if (pg_item_is(item, kinds[i]))
            return true;
    return false;
}

/* It needs something chosen, and no table or index that is not. */
static bool belongs(const struct choice *choice, const struct pg_item *item)
{
    bool any = false;

    for (size_t i = 0; i < item->n_needs; i++) {
        const struct pg_item *need;
        const unsigned char *mark = mark_of(choice, item->needs[i], &need);
        if (mark == NULL)
            continue;
        if (*mark == MARK_CHOSEN)
            any = true;
        else if (is_relation(need) || pg_item_is(need, "INDEX") || pg_item_is(need, "CONSTRAINT"))
            return false;
    }
    return any;
}

static bool choose_about(const struct choice *choice, const struct pg_toc *toc,
                         unsigned char *marks)
{
    bool changed = false;

    for (size_t i = 0; i < toc->n; i++) {
        if (marks[i] == MARK_CHOSEN || !is_about(&toc->items[i]) ||
            !belongs(choice, &toc->items[i]))
            continue;
        marks[i] = MARK_CHOSEN;
        changed = true;
    }
    return changed;
}

/* ---- what they need */

static bool add_needs(const struct choice *choice, const struct pg_toc *toc,
                      const unsigned char *marks)
{
    bool changed = false;

    for (size_t i = 0; i < toc->n; i++) {
        for (size_t k = 0; k < toc->items[i].n_needs && marks[i] != MARK_NONE; k++) {
            const struct pg_item *need;
            unsigned char *mark = mark_of(choice, toc->items[i].needs[k], &need);
            if (mark == NULL || *mark != MARK_NONE)
                continue;
            *mark = MARK_NEEDED;
            changed = true;
        }
    }
    return changed;
}

/* Both sections each time: what one adds may be needed by the other. */
static bool choose_all_about(const struct choice *choice)
{
    bool before = choose_about(choice, &choice->restoring->before, choice->before);
    bool after = choose_about(choice, &choice->restoring->after, choice->after);

    return before || after;
}

static bool add_all_needs(const struct choice *choice)
{
    bool before = add_needs(choice, &choice->restoring->before, choice->before);
    bool after = add_needs(choice, &choice->restoring->after, choice->after);

    return before || after;
}

static void mark_all(struct choice *choice)
{
    choose_tables(choice);
    while (choose_parts(choice))
        continue;
    while (choose_all_about(choice))
        continue;
    while (add_all_needs(choice))
        continue;
}

/* ---- the outcome */

/* A foreign key to a table that is not restored: whoever has that table can add it. */
static void tell_left_out(const struct choice *choice)
{
    const struct pg_toc *toc = &choice->restoring->after;
    const struct backstay_host *host = choice->restoring->host;

    for (size_t i = 0; i < toc->n; i++) {
        const struct pg_item *item = &toc->items[i];
        const struct pg_item *of = NULL;
        bool chosen = false;
        for (size_t k = 0; k < item->n_needs && pg_item_is(item, "FK CONSTRAINT"); k++) {
            const unsigned char *mark = mark_of(choice, item->needs[k], &of);
            chosen = chosen || (mark && *mark == MARK_CHOSEN && is_relation(of));
        }
        if (chosen && choice->after[i] == MARK_NONE)
            host->log(host, BACKSTAY_LOG_NOTE,
                      "%s is left out, since one of its tables is not restored; to add it later: "
                      "%s",
                      item->label, item->sql);
    }
}

static void set_needed(struct pg_toc *toc, const unsigned char *marks)
{
    for (size_t i = 0; i < toc->n; i++)
        toc->items[i].shared = marks[i] == MARK_NEEDED;
}

static void set_wanted(const struct choice *choice)
{
    const struct pg_toc *toc = &choice->restoring->before;

    for (size_t i = 0; i < toc->n; i++) {
        json_t *table = choice->before[i] == MARK_CHOSEN && is_relation(&toc->items[i])
                            ? table_of(choice->restoring, &toc->items[i])
                            : NULL;
        if (table)
            (void)json_object_set_new(table, "wanted", json_true());
    }
}

static int check_wishes(const struct choice *choice, struct backstay_error *err)
{
    const struct pg_restoring *restoring = choice->restoring;
    const struct pg_wish *wish = restoring->wish;
    PLUG_AUTO_FREE bool *found = plug_alloc(wish->n_tables, sizeof *found);
    size_t i;
    json_t *table;

    json_array_foreach(restoring->saved->tables, i, table)
    {
        size_t which;
        if (pg_wish_has_table(wish, plug_json_get(table, "label"), &which))
            found[which] = true;
    }
    for (size_t k = 0; k < restoring->before.n; k++)
        for (size_t w = 0; w < wish->n_tables && is_relation(&restoring->before.items[k]); w++)
            if (strcmp(name_of(&restoring->before.items[k]), wish->tables[w]) == 0)
                found[w] = true;
    for (size_t w = 0; w < wish->n_tables; w++)
        if (!found[w])
            return restoring->host->fail(restoring->host, err, BACKSTAY_ERR_CONFIG,
                                         "the snapshot of %s has no table \"%s\"; names are "
                                         "written schema.table, such as public.orders",
                                         restoring->saved->name, wish->tables[w]);
    return 0;
}

int pg_restore_choose(struct pg_restoring *restoring, struct backstay_error *err)
{
    PLUG_AUTO_FREE unsigned char *before = plug_alloc(restoring->before.n, 1);
    PLUG_AUTO_FREE unsigned char *after = plug_alloc(restoring->after.n, 1);
    struct choice choice = {.restoring = restoring, .before = before, .after = after};

    if (restoring->wish->n_tables == 0)
        return 0;
    mark_all(&choice);
    if (check_wishes(&choice, err) != 0)
        return -1;
    set_wanted(&choice);
    if (!restoring->wish->data_only)
        tell_left_out(&choice);
    if (restoring->wish->data_only) {
        memset(before, 0, restoring->before.n);
        memset(after, 0, restoring->after.n);
    }
    set_needed(&restoring->before, before);
    set_needed(&restoring->after, after);
    pg_toc_keep(&restoring->before, before);
    pg_toc_keep(&restoring->after, after);
    return 0;
}
