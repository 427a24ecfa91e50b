/* plugins/source/postgres/covers.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which of the recorded facts a restore must reproduce.
 */
#include "conn.h"
#include "names.h"
#include "restore_wish.h"
#include "send.h"

#include <stdlib.h>
#include <string.h>

/* A fact of one of several databases has "DB/" before it; a table's own name may have a slash, but
 * only after the colon of "table:". @return the fact without it; @database: its length. */
static const char *without_database(const char *fact, size_t *database)
{
    size_t len = strcspn(fact, ":/");

    *database = fact[len] == '/' ? len : 0;
    return fact[len] == '/' ? fact + len + 1 : fact;
}

static bool is_of_database(const char *fact, size_t len, const char *database)
{
    PLUG_AUTO_BYTES struct plug_bytes escaped = {0};

    plug_names_escape(&escaped, database);
    return (strlen(database) == len && memcmp(fact, database, len) == 0) ||
           (escaped.len == len && memcmp(fact, escaped.data, len) == 0);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* ---- tables that were chosen together with others */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void note(struct pg *pg, const char *label)
{
    pg->chosen = plug_grow(pg->chosen, &pg->chosen_cap, pg->n_chosen + 1, sizeof *pg->chosen);
    pg->chosen[pg->n_chosen++] = plug_strdup(label);
}

static bool was_loaded(const struct pg *pg, const char *label)
{
    return pg->n_chosen > 0 &&
           bsearch(&label, pg->chosen, pg->n_chosen, sizeof *pg->chosen, by_text) != NULL;
}

/* Facts about a hash-partitioned table are about all of its parts. */
static bool is_whole(const json_t *tables, const char *whole)
{
    size_t i;
    json_t *table;

    json_array_foreach(tables, i, table)
    {
        if (strcmp(plug_json_get(table, "whole"), whole) == 0 &&
            !json_is_true(json_object_get(table, "wanted")))
            return false;
    }
    return true;
}

void pg_covers_note(struct pg *pg, const json_t *tables)
{
    size_t i;
    json_t *table;

    json_array_foreach(tables, i, table)
    {
        const char *whole = plug_json_get(table, "whole");
        if (!json_is_true(json_object_get(table, "wanted")))
            continue;
        if (whole[0] == '\0')
            note(pg, plug_json_get(table, "label"));
        else if (is_whole(tables, whole))
            note(pg, whole);
    }
    if (pg->n_chosen)
        qsort(pg->chosen, pg->n_chosen, sizeof *pg->chosen, by_text);
}

/* ---- facts */

/* table:LABEL:rows, table:LABEL:digest@15; a label may have colons. */
static bool is_of_table(const struct pg *pg, const struct pg_wish *wish, const char *fact)
{
    const char *end = strrchr(fact, ':');

    if (!begins(fact, "table:") || end < fact + 6)
        return false;
    PLUG_AUTO_FREE char *label = plug_strf("%.*s", (int)(end - fact - 6), fact + 6);
    return pg_wish_has_table(wish, label, NULL) || was_loaded(pg, label);
}

int pg_covers(void *self, const struct backstay_target *target, const char *fact)
{
    struct backstay_error ignored = {.size = sizeof ignored};
    struct pg_wish wish;
    size_t database;
    const char *name = without_database(fact, &database);
    bool rows = begins(name, "table:");
    bool values = rows || begins(name, "sequence:") || begins(name, "large-objects:");
    bool covered = true;

    if (pg_wish_read(&wish, self, target, &ignored) != 0)
        return 1;
    if (wish.database && database)
        covered = is_of_database(fact, database, wish.database);
    if (wish.n_tables > 0)
        covered = covered && is_of_table(self, &wish, name);
    if (wish.schema_only)
        covered = covered && !values;
    if (wish.data_only)
        covered = covered && values;
    pg_wish_free(&wish);
    return covered;
}
