/* plugins/source/mysql/probe.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The facts of live databases, or of restored copies: read as a backup reads them, and sent
 * nowhere.
 */
#include "run.h"
#include "scratch.h"

#include <stdlib.h>
#include <string.h>

/* @several: facts have the names of their databases before them. */
static int probe(const struct my_place *place, struct my_database *databases, size_t n,
                 bool several, struct backstay_report *report, struct backstay_error *err)
{
    struct my_run run;

    my_run_begin(&run, place->my);
    run.place = place;
    run.databases = databases;
    run.n_databases = n;
    run.several = several;
    run.facts = plug_facts_of_report(report, "");
    int r = my_run_read(&run, err);
    if (r == 0 && my_run_facts(&run, err) != 0)
        r = -1;
    my_run_end(&run);
    return r;
}

static int probe_live(const struct my *my, struct backstay_report *report,
                      struct backstay_error *err)
{
    struct my_place place;
    char **names;
    size_t n;

    if (my_place_read(&place, my, my->url, err) != 0)
        return -1;
    int r = my_databases(my, &place, &names, &n, err);
    struct my_database *databases = plug_alloc(n + 1, sizeof *databases);
    for (size_t i = 0; i < n; i++)
        databases[i] = (struct my_database){names[i], names[i]};
    if (r == 0)
        r = probe(&place, databases, n, n > 1, report, err);
    free(databases);
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
    my_place_free(&place);
    return r;
}

/* What the last restore of this instance made. */
static int probe_copies(const struct my *my, const struct my_place *place,
                        struct backstay_report *report, struct backstay_error *err)
{
    struct my_database *databases = plug_alloc(my->n_copies, sizeof *databases);
    bool several = false;

    for (size_t i = 0; i < my->n_copies; i++) {
        databases[i] = (struct my_database){my->copies[i].into, my->copies[i].from};
        several = several || my->copies[i].several;
    }
    int r = probe(place, databases, my->n_copies, several, report, err);
    free(databases);
    return r;
}

/* A copy whose history is not known: that of the only database that the options name. */
static int probe_place(const struct my *my, const struct my_place *place,
                       struct backstay_report *report, struct backstay_error *err)
{
    struct my_place source;
    struct my_database database = {.name = place->database};

    if (database.name == NULL)
        return my->host->fail(my->host, err, BACKSTAY_ERR_CONFIG,
                              "the url of the copy names no database");
    if (my_place_read(&source, my, my->url, err) != 0)
        return -1;
    if (my->databases.n == 1)
        database.label = my->databases.items[0];
    else
        database.label = source.database ? source.database : place->database;
    int r = probe(place, &database, 1, false, report, err);
    my_place_free(&source);
    return r;
}

int my_probe(void *self, const struct backstay_target *target, struct backstay_report *report,
             struct backstay_error *err)
{
    const struct my *my = self;
    struct my_place place;

    if (target == NULL)
        return probe_live(my, report, err);
    if (my_scratch_place(&place, my, target->location, err) != 0)
        return -1;
    int r = my->n_copies > 0 ? probe_copies(my, &place, report, err)
                             : probe_place(my, &place, report, err);
    my_place_free(&place);
    return r;
}

void my_copies_add(struct my *my, const char *from, const char *into, bool several)
{
    struct my_copy *grown = reallocarray(my->copies, my->n_copies + 1, sizeof *grown);

    if (grown == NULL)
        abort();
    grown[my->n_copies++] = (struct my_copy){plug_strdup(from), plug_strdup(into), several};
    my->copies = grown;
}

void my_copies_clear(struct my *my)
{
    for (size_t i = 0; i < my->n_copies; i++) {
        free(my->copies[i].from);
        free(my->copies[i].into);
    }
    free(my->copies);
    my->copies = NULL;
    my->n_copies = 0;
}
