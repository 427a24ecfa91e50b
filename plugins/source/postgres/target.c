/* plugins/source/postgres/target.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "target.h"

#include "wait.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { PAUSE_MS = 500 };

#define DROP_TRIES_NS (10 * INT64_C(1000000000))

/* ---- opening */

/* The database that the url names, or NULL. */
static int read_url(const struct pg_into *into, char **database, struct backstay_error *err)
{
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(into->url, &why);
    bool is_url = strstr(into->url, "://") || strchr(into->url, '=');

    *database = NULL;
    if (options == NULL || !is_url) {
        /* libpq's own text may quote the url with its password. */
        PQfreemem(why);
        PQconninfoFree(options);
        return into->host->fail(into->host, err, BACKSTAY_ERR_CONFIG,
                                "the place to restore to is no connection of PostgreSQL; write "
                                "postgresql://user@host/database");
    }
    for (const PQconninfoOption *option = options; option->keyword; option++)
        if (strcmp(option->keyword, "dbname") == 0 && option->val && option->val[0])
            *database = plug_strdup(option->val);
    PQconninfoFree(options);
    return 0;
}

static int connect_server(struct pg_into *into, struct backstay_error *err)
{
    const char *const candidates[] = {"postgres", "template1", into->named};
    struct backstay_error first = {.size = sizeof first};

    if (into->scratch == PG_SCRATCH_DATABASES) {
        const struct pg_place place = pg_scratch_place(into->pg, into->url, NULL);
        return pg_connect(&into->server, into->host, &place, err);
    }
    for (size_t i = 0; i < PLUG_COUNT(candidates); i++) {
        const struct pg_place place = {.url = into->url, .database = candidates[i]};
        if (pg_connect(&into->server, into->host, &place, err) == 0)
            return 0;
        if (i == 0)
            first = *err;
        if (err->kind != BACKSTAY_ERR_CONFIG && err->kind != BACKSTAY_ERR_AUTH)
            return -1;
    }
    *err = first;
    return -1;
}

static int look_up(struct pg_into *into, const char *name, bool *exists, struct backstay_error *err)
{
    PGresult *rows = pg_query(into->server, err,
                              "SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1", &name, 1);

    if (rows == NULL)
        return -1;
    *exists = PQntuples(rows) > 0;
    PQclear(rows);
    return 0;
}

static int check_version(const struct pg_into *into, const struct pg_saved *saved,
                         struct backstay_error *err)
{
    json_int_t version = json_integer_value(json_object_get(saved->database, "server_version_num"));

    if (version / 10000 <= into->server->major)
        return 0;
    return into->host->fail(into->host, err, BACKSTAY_ERR_CONFIG,
                            "%s is a backup of PostgreSQL %d and %s is version %d, which cannot "
                            "load it; restore into version %d or newer",
                            saved->name, (int)(version / 10000), into->server->label,
                            into->server->major, (int)(version / 10000));
}

int pg_into_open(struct pg_into *into, const struct pg_saved *saved, struct backstay_error *err)
{
    into->scratch = pg_scratch_kind(into->url);
    if (into->scratch != PG_SCRATCH_NONE)
        into->named = pg_scratch_database(into->url, saved->name);
    else if (read_url(into, &into->named, err) != 0)
        return -1;
    if (into->named == NULL)
        return into->host->fail(into->host, err, BACKSTAY_ERR_CONFIG,
                                "the url names no database to restore into; write "
                                "postgresql://user@host/%s or another name",
                                saved->name);
    if (connect_server(into, err) != 0 || check_version(into, saved, err) != 0 ||
        look_up(into, into->named, &into->exists, err) != 0)
        return -1;
    into->name = plug_strdup(into->named);
    return 0;
}

void pg_into_close(struct pg_into *into)
{
    pg_disconnect(into->conn);
    pg_disconnect(into->server);
    free(into->name);
    free(into->named);
    into->conn = into->server = NULL;
    into->name = into->named = NULL;
}

/* ---- before anything is changed */

static int check_existing(struct pg_into *into, const struct pg_saved *saved,
                          struct backstay_error *err)
{
    const struct pg_place place = pg_scratch_place(into->pg, into->url, into->named);
    struct pg_conn *conn;

    if (into->wish->replace && strcmp(into->wish->replace, into->named) != 0)
        return into->host->fail(into->host, err, BACKSTAY_ERR_CONFIG,
                                "\"%s\" may be replaced, but the place to restore to is database "
                                "\"%s\"; nothing was changed",
                                into->wish->replace, into->named);
    if (into->wish->replace)
        return 0;
    if (pg_connect(&conn, into->host, &place, err) != 0)
        return -1;
    int r = into->wish->n_tables || into->wish->data_only
                ? pg_into_check_tables(into, conn, saved, err)
                : pg_into_check_empty(into, conn, err);
    pg_disconnect(conn);
    return r;
}

int pg_into_check(struct pg_into *into, const struct pg_saved *saved, const json_t *globals,
                  struct backstay_error *err)
{
    if (into->exists && check_existing(into, saved, err) != 0)
        return -1;
    if (!into->exists && into->wish->data_only)
        return into->host->fail(into->host, err, BACKSTAY_ERR_CONFIG,
                                "there is no database %s whose tables could be filled; restore "
                                "without --data-only",
                                into->named);
    return into->wish->data_only ? 0 : pg_into_check_needs(into, saved, globals, err);
}

/* ---- creating */

char *pg_into_derive(const char *base, const char *end)
{
    enum { NAME_MAX_BYTES = 63 };
    size_t len = PLUG_MIN(strlen(base), NAME_MAX_BYTES - strlen(end));

    /* Not in the middle of a character. */
    while (len > 0 && base[len] != '\0' && ((unsigned char)base[len] & 0xC0) == 0x80)
        len--;
    return plug_strf("%.*s%s", (int)len, base, end);
}

static int name_beside(struct pg_into *into, struct backstay_error *err)
{
    uint32_t random = 0;
    char end[32];
    bool taken = true;

    while (taken) {
        if (getrandom(&random, sizeof random, 0) != sizeof random)
            abort();
        (void)snprintf(end, sizeof end, "_backstay_%08x", random);
        free(into->name);
        into->name = pg_into_derive(into->named, end);
        if (look_up(into, into->name, &taken, err) != 0)
            return -1;
    }
    return 0;
}

/* What protects a backup from views that turn up under its hands would keep materialized views from
 * being filled. */
static const char unrestrict_sql[] =
    "SELECT pg_catalog.set_config(name, '', false) FROM pg_catalog.pg_settings"
    " WHERE name = 'restrict_nonsystem_relation_kind'";

int pg_into_connect(const struct pg_into *into, struct pg_conn **out, struct backstay_error *err)
{
    const struct pg_place place = pg_scratch_place(into->pg, into->url, into->name);

    if (pg_connect(out, into->host, &place, err) != 0)
        return -1;
    if (pg_run(*out, err, unrestrict_sql) == 0)
        return 0;
    pg_disconnect(*out);
    *out = NULL;
    return -1;
}

int pg_into_make(struct pg_into *into, const struct pg_saved *saved, struct backstay_error *err)
{
    bool fresh = !into->exists || into->wish->replace;

    /* Whatever ends us, a database that is not complete does not have the name of one that is. A
     * scratch place goes as a whole. */
    if (fresh && into->scratch == PG_SCRATCH_NONE && name_beside(into, err) != 0)
        return -1;
    if (fresh) {
        if (pg_database_create(into->server, saved->database, into->name, err) != 0)
            return -1;
        into->created = true;
        if (pg_scratch_mark(into->server, into->pg, into->url, into->name, err) != 0)
            return -1;
    }
    return pg_into_connect(into, &into->conn, err);
}

/* ---- the end */

int pg_into_finish(struct pg_into *into, const struct pg_saved *saved, struct backstay_error *err)
{
    bool with_owner = into->created && !into->wish->no_owner;

    if (pg_wish_is_partial(into->wish) && !into->created)
        return 0;
    if (pg_database_apply(into->server, saved->database, into->name, with_owner, err) != 0 ||
        pg_scratch_mark(into->server, into->pg, into->url, into->name, err) != 0)
        return -1;
    if (!into->created || into->scratch != PG_SCRATCH_NONE)
        return 0;
    /* Nobody may be connected to a database that is renamed. */
    pg_disconnect(into->conn);
    into->conn = NULL;
    return into->exists ? pg_into_replace(into, err) : pg_into_name(into, err);
}

static int never(const struct backstay_host *host)
{
    (void)host;
    return 0;
}

/* That a connection was lost while it had nothing to do shows when it is used. */
static int run_again(struct pg_into *into, const char *sql, struct backstay_error *err)
{
    if (into->server && pg_run(into->server, err, sql) == 0)
        return 0;
    if (into->server && PQstatus(into->server->pq) == CONNECTION_OK)
        return -1;
    pg_disconnect(into->server);
    into->server = NULL;
    if (connect_server(into, err) != 0)
        return -1;
    return pg_run(into->server, err, sql);
}

/* Also after a cancellation, which would stop every other statement, and when the connection was
 * lost with everything else. */
static int drop(struct pg_into *into, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    struct backstay_host patient = *into->host;
    const struct backstay_host *host = into->host;

    patient.cancelled = never;
    into->host = &patient;
    into->server->host = &patient;
    plug_bytes_text(&sql, "DROP DATABASE ");
    pg_add_ident(&sql, into->name);
    plug_bytes_text(&sql, " WITH (FORCE)");
    /* A server that crashed is back soon. */
    int64_t deadline = pg_now_ns() + DROP_TRIES_NS;
    int r = run_again(into, sql.data, err);
    while (r != 0 && err->kind == BACKSTAY_ERR_TRANSIENT && pg_now_ns() < deadline) {
        (void)poll(NULL, 0, PAUSE_MS);
        r = run_again(into, sql.data, err);
    }
    into->host = host;
    if (into->server)
        into->server->host = host;
    return r;
}

static void add_to(struct backstay_error *err, char *text)
{
    size_t len = strlen(err->text);

    (void)snprintf(err->text + len, sizeof err->text - len, "; %s", text);
    free(text);
}

/* The name that a database has only while it is filled means nothing to anybody. */
static void call_by_name(const struct pg_into *into, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes text = {0};
    const char *at = err->text;
    const char *next;

    if (strcmp(into->name, into->named) == 0)
        return;
    while ((next = strstr(at, into->name)) != NULL) {
        plug_bytes_add(&text, at, (size_t)(next - at));
        plug_bytes_text(&text, into->named);
        at = next + strlen(into->name);
    }
    plug_bytes_text(&text, at);
    (void)into->host->fail(into->host, err, err->kind, "%s", text.data);
}

void pg_into_abandon(struct pg_into *into, struct backstay_error *err)
{
    struct backstay_error why = {.size = sizeof why};

    call_by_name(into, err);

    if (!into->created) {
        if (into->conn)
            add_to(err, plug_strf("what was restored into database %s before that is still there",
                                  into->named));
        return;
    }
    pg_disconnect(into->conn);
    into->conn = NULL;
    if (drop(into, &why) == 0)
        add_to(err, plug_strf("the new database %s was removed again", into->named));
    else
        add_to(err, plug_strf("what was restored is in database %s, which is incomplete and could "
                              "not be removed: %s",
                              into->name, why.text));
    into->created = false;
}
