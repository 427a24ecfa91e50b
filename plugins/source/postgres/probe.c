/* plugins/source/postgres/probe.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The facts of a live database, or of a restored copy: read as a backup reads them, and sent
 * nowhere.
 */
#include "run.h"

#include <stdlib.h>
#include <string.h>

static int probe(const struct pg *pg, const struct pg_place *place, const char *prefix,
                 struct backstay_report *report, struct backstay_error *err)
{
    struct pg_run run;

    pg_run_begin(&run, pg);
    run.folder = plug_strdup("");
    run.place = *place;
    run.facts = plug_facts_of_report(report, prefix);
    int r = pg_run_database(&run, err);
    pg_run_end(&run);
    return r;
}

/* What the last restore of this instance made, each under the prefix of its facts. */
static int probe_copies(const struct pg *pg, const char *location, struct backstay_report *report,
                        struct backstay_error *err)
{
    int r = 0;

    for (size_t i = 0; i < pg->n_copies && r == 0; i++) {
        const struct pg_place place = {.url = location, .database = pg->copies[i].database};
        r = probe(pg, &place, pg->copies[i].prefix, report, err);
    }
    return r;
}

static int probe_live(const struct pg *pg, struct backstay_report *report,
                      struct backstay_error *err)
{
    char **names;
    size_t n;
    int r = pg_databases(pg, &names, &n, err);

    for (size_t i = 0; i < n; i++) {
        const struct pg_place place = pg_place_of(pg, names[i]);
        PLUG_AUTO_FREE char *prefix = n > 1 ? plug_strf("%s/", names[i]) : plug_strdup("");
        if (r == 0)
            r = probe(pg, &place, prefix, report, err);
        free(names[i]);
    }
    free(names);
    return r;
}

int pg_probe(void *self, const struct backstay_target *target, struct backstay_report *report,
             struct backstay_error *err)
{
    const struct pg *pg = self;

    if (target == NULL)
        return probe_live(pg, report, err);
    if (pg->n_copies > 0)
        return probe_copies(pg, target->location, report, err);
    const struct pg_place place = {.url = target->location};
    return probe(pg, &place, "", report, err);
}

void pg_copies_add(struct pg *pg, const char *prefix, const char *database)
{
    struct pg_copy *grown = reallocarray(pg->copies, pg->n_copies + 1, sizeof *grown);

    if (grown == NULL)
        abort();
    grown[pg->n_copies++] = (struct pg_copy){plug_strdup(prefix), plug_strdup(database)};
    pg->copies = grown;
}

void pg_copies_clear(struct pg *pg)
{
    for (size_t i = 0; i < pg->n_copies; i++) {
        free(pg->copies[i].prefix);
        free(pg->copies[i].database);
    }
    free(pg->copies);
    for (size_t i = 0; i < pg->n_chosen; i++)
        free(pg->chosen[i]);
    free(pg->chosen);
    pg->chosen = NULL;
    pg->n_chosen = 0;
    pg->chosen_cap = 0;
    pg->copies = NULL;
    pg->n_copies = 0;
}
