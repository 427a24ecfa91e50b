/* plugins/source/postgres/scratch.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "scratch.h"

#include "throwaway.h"

#include <stdlib.h>
#include <string.h>

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* The value of one keyword of a url or keyword string; NULL: it is not in it. Caller frees. */
static char *keyword_of(const char *url, const char *keyword)
{
    PQconninfoOption *options = url ? PQconninfoParse(url, NULL) : NULL;
    char *value = NULL;

    for (const PQconninfoOption *o = options; o && o->keyword; o++)
        if (strcmp(o->keyword, keyword) == 0 && o->val)
            value = plug_strdup(o->val);
    PQconninfoFree(options);
    return value;
}

/* ---- locations */

enum pg_scratch_kind pg_scratch_kind(const char *location)
{
    if (begins(location, PG_SCRATCH_SCHEME))
        return PG_SCRATCH_DATABASES;
    PLUG_AUTO_FREE char *application = keyword_of(location, "application_name");
    return application && strcmp(application, PG_SCRATCH_APPLICATION) == 0 ? PG_SCRATCH_INSTANCE
                                                                           : PG_SCRATCH_NONE;
}

struct pg_place pg_scratch_place(const struct pg *pg, const char *location, const char *database)
{
    if (!begins(location, PG_SCRATCH_SCHEME))
        return (struct pg_place){.url = location, .database = database};
    /* libpq would connect to whatever is the default here. */
    if (pg->scratch_server == NULL)
        return (struct pg_place){.url = "host=/scratch_server-is-not-set"};
    /* Without a name in the url libpq would take that of the role. */
    PLUG_AUTO_FREE char *named = keyword_of(pg->scratch_server, "dbname");
    return (struct pg_place){
        .url = pg->scratch_server,
        .database = database            ? database
                    : named && named[0] ? NULL
                                        : "postgres",
    };
}

char *pg_scratch_database(const char *location, const char *name)
{
    if (!begins(location, PG_SCRATCH_SCHEME))
        return plug_strdup(name);
    const char *base = location + strlen(PG_SCRATCH_SCHEME);
    return plug_throwaway_name(base, strcspn(base, "?"), name);
}

char *pg_scratch_ended(const char *location)
{
    PLUG_AUTO_FREE char *folder = keyword_of(location, "host");

    if (folder == NULL || pg_scratch_kind(location) != PG_SCRATCH_INSTANCE)
        return NULL;
    return plug_server_ended(folder);
}

char *pg_scratch_first_database(const struct pg *pg)
{
    if (pg->database)
        return plug_strdup(pg->database);
    char *named = keyword_of(pg->url, "dbname");
    return named ? named : plug_strdup("postgres");
}

/* ---- the plugin's functions */

int pg_scratch_create(void *self, struct backstay_scratch *out, struct backstay_error *err)
{
    const struct pg *pg = self;

    (void)pg_instance_reap(pg, false);
    if (pg->scratch_server == NULL)
        return pg_instance_create(pg, out, err);
    (void)pg_scratch_server_reap(pg, false);
    return pg_scratch_server_create(pg, out, err);
}

int pg_scratch_remove(void *self, const struct backstay_scratch *scratch,
                      struct backstay_error *err)
{
    const struct pg *pg = self;

    if (begins(scratch->marker, PG_SCRATCH_SCHEME))
        return pg_scratch_server_remove(pg, scratch->marker, err);
    return pg_instance_remove(pg, scratch->marker, err);
}

unsigned pg_scratch_leftovers(const struct pg *pg)
{
    return pg_instance_reap(pg, true) + (pg->scratch_server ? pg_scratch_server_reap(pg, true) : 0);
}

void pg_scratch_look(const struct pg *pg, int major, struct backstay_report *report)
{
    PLUG_AUTO_FREE char *how = NULL;
    bool possible = pg->scratch_server ? pg_scratch_server_possible(pg, major, &how)
                                       : pg_instance_possible(pg, major, &how);
    /* A server that somebody has named is meant to be used; programs need not be there. */
    int otherwise = pg->scratch_server ? BACKSTAY_WARNING : BACKSTAY_INFO;

    report->finding(report, possible ? BACKSTAY_OK : otherwise, "restore to scratch", "%s", how);
}
