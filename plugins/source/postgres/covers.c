/* plugins/source/postgres/covers.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which of the recorded facts a restore must reproduce.
 */
#include "names.h"
#include "restore_wish.h"

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

/* table:LABEL:rows, table:LABEL:digest@15; a label may have colons. */
static bool is_of_table(const struct pg_wish *wish, const char *fact)
{
    const char *end = strrchr(fact, ':');

    if (!begins(fact, "table:") || end < fact + 6)
        return false;
    PLUG_AUTO_FREE char *label = plug_strf("%.*s", (int)(end - fact - 6), fact + 6);
    return pg_wish_has_table(wish, label, NULL);
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
        covered = covered && is_of_table(&wish, name);
    if (wish.schema_only)
        covered = covered && !values;
    if (wish.data_only)
        covered = covered && values;
    pg_wish_free(&wish);
    return covered;
}
