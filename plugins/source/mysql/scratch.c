/* plugins/source/mysql/scratch.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "scratch.h"

#include "throwaway.h"

#include <stdlib.h>
#include <string.h>

/* ---- locations */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool ends(const char *text, const char *with)
{
    size_t len = strlen(text);

    return len >= strlen(with) && strcmp(text + len - strlen(with), with) == 0;
}

enum my_scratch_kind my_scratch_kind(const char *location)
{
    if (begins(location, MY_SCRATCH_SCHEME))
        return MY_SCRATCH_DATABASES;
    return ends(location, "/" MY_SCRATCH_SOCKET) ? MY_SCRATCH_INSTANCE : MY_SCRATCH_NONE;
}

/* The options of the source and the environment say how that is reached, which is another server.
 */
static void forget_secrets(struct my_place *place)
{
    char **const texts[] = {&place->ssl_ca, &place->ssl_cert, &place->ssl_key, &place->password};

    for (size_t i = 0; i < PLUG_COUNT(texts); i++) {
        free(*texts[i]);
        *texts[i] = NULL;
    }
    place->ssl_verify = 0;
    /* Without one the client library takes that of MYSQL_PWD. */
    place->password = plug_strdup("");
}

int my_scratch_place(struct my_place *out, const struct my *my, const char *location,
                     struct backstay_error *err)
{
    enum my_scratch_kind kind = my_scratch_kind(location);

    if (kind == MY_SCRATCH_DATABASES && my->scratch_server == NULL)
        return my->host->fail(my->host, err, BACKSTAY_ERR_CONFIG,
                              "this scratch place is on another server, and \"scratch_server\" is "
                              "not set");
    if (kind == MY_SCRATCH_DATABASES)
        location = my->scratch_server;
    if (my_place_read(out, my, location, err) != 0)
        return -1;
    if (kind == MY_SCRATCH_INSTANCE)
        forget_secrets(out);
    if (kind != MY_SCRATCH_NONE) {
        free(out->database);
        out->database = NULL;
    }
    return 0;
}

char *my_scratch_database(const char *location, const char *name)
{
    if (my_scratch_kind(location) != MY_SCRATCH_DATABASES)
        return plug_strdup(name);
    const char *base = location + strlen(MY_SCRATCH_SCHEME);
    return plug_throwaway_name(base, strcspn(base, "?"), name);
}

char *my_scratch_ended(const struct my *my, const char *location)
{
    struct backstay_error none = {.size = sizeof none};
    struct my_place place;
    char *why = NULL;

    if (my_scratch_kind(location) != MY_SCRATCH_INSTANCE ||
        my_scratch_place(&place, my, location, &none) != 0)
        return NULL;
    char *slash = place.socket ? strrchr(place.socket, '/') : NULL;
    if (slash) {
        *slash = '\0';
        why = plug_server_ended(place.socket);
    }
    my_place_free(&place);
    return why;
}

char *my_scratch_first_database(const struct my *my)
{
    struct backstay_error none = {.size = sizeof none};
    struct my_place place;

    if (my_place_read(&place, my, my->url, &none) != 0)
        return NULL;
    char *name = place.database ? plug_strdup(place.database) : NULL;
    my_place_free(&place);
    if (name == NULL && my->databases.n && strcmp(my->databases.items[0], "all") != 0)
        name = plug_strdup(my->databases.items[0]);
    return name;
}

/* ---- the plugin's functions */

int my_scratch_create(void *self, struct backstay_scratch *out, struct backstay_error *err)
{
    const struct my *my = self;

    (void)my_instance_reap(my, false);
    if (my->scratch_server == NULL)
        return my_instance_create(my, out, err);
    (void)my_scratch_server_reap(my, false);
    return my_scratch_server_create(my, out, err);
}

int my_scratch_remove(void *self, const struct backstay_scratch *scratch,
                      struct backstay_error *err)
{
    const struct my *my = self;

    if (begins(scratch->marker, MY_SCRATCH_SCHEME))
        return my_scratch_server_remove(my, scratch->marker, err);
    return my_instance_remove(my, scratch->marker, err);
}

unsigned my_scratch_leftovers(const struct my *my)
{
    return my_instance_reap(my, true) + (my->scratch_server ? my_scratch_server_reap(my, true) : 0);
}

void my_scratch_look(const struct my *my, const char *version, struct backstay_report *report)
{
    PLUG_AUTO_FREE char *how = NULL;
    bool possible = my->scratch_server ? my_scratch_server_possible(my, version, &how)
                                       : my_instance_possible(my, version, &how);
    /* A server that somebody has named is meant to be used; programs need not be there. */
    int otherwise = my->scratch_server ? BACKSTAY_WARNING : BACKSTAY_INFO;

    report->finding(report, possible ? BACKSTAY_OK : otherwise, "restore to scratch", "%s", how);
}
