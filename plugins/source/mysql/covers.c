/* plugins/source/mysql/covers.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which of the recorded facts a restore must reproduce.
 */
#include "wish.h"

#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"table:", "sequence:", "count:"};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool begins_with_kind(const char *text)
{
    for (size_t i = 0; i < PLUG_COUNT(kinds); i++)
        if (begins(text, kinds[i]))
            return true;
    return false;
}

/* A fact of one of several databases has "DB/" before it. @return the fact without it; @database:
 * its length. */
static const char *without_database(const char *fact, size_t *database)
{
    *database = 0;
    if (begins_with_kind(fact))
        return fact;
    for (const char *at = fact; (at = strchr(at, '/')) != NULL; at++) {
        if (begins_with_kind(at + 1)) {
            *database = (size_t)(at - fact);
            return at + 1;
        }
    }
    return fact;
}

/* table:LABEL:rows, table:LABEL:digest; a label may have colons. */
static bool is_of_table(const struct my_wish *wish, const char *fact)
{
    const char *end = strrchr(fact, ':');
    const char *label = fact + strlen("table:");

    if (!begins(fact, "table:") || end < label)
        return false;
    PLUG_AUTO_FREE char *text = plug_strf("%.*s", (int)(end - label), label);
    return my_wish_has_table(wish, text, NULL);
}

int my_covers(void *self, const struct backstay_target *target, const char *fact)
{
    struct backstay_error ignored = {.size = sizeof ignored};
    struct my_wish wish;
    size_t database;
    const char *name = without_database(fact, &database);
    bool values = begins(name, "table:") || begins(name, "sequence:");
    bool covered = true;

    if (my_wish_read(&wish, self, target, &ignored) != 0)
        return 1;
    if (wish.database && database)
        covered = strlen(wish.database) == database && memcmp(fact, wish.database, database) == 0;
    if (wish.n_tables > 0)
        covered = covered && is_of_table(&wish, name);
    if (wish.schema_only)
        covered = covered && !values;
    if (wish.data_only)
        covered = covered && values;
    my_wish_free(&wish);
    return covered;
}
