/* plugins/source/mysql/apply_objects.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Routines, views, triggers, events: each in a session as that of its author, which the server
 * keeps with it.
 */
#include "apply_parts.h"
#include "ddl_rewrite.h"
#include "objects.h"
#include "script.h"

#include <errmsg.h>
#include <stdlib.h>
#include <string.h>

/* ---- one object */

/* The statement that makes @object, changed as the restore wants it. */
static int build(struct my_conn *conn, const struct my_apply *apply, const json_t *object,
                 struct plug_bytes *out, struct backstay_error *err)
{
    const char *const names[] = {apply->from, apply->into};
    const char *kind = plug_json_get(object, "kind");
    PLUG_AUTO_BYTES struct plug_bytes owned = {0};
    struct my_span span;
    size_t len;
    PLUG_AUTO_FREE char *sql = my_ddl_text(object, "sql", &len);

    if (apply->no_owner && my_find_definer(sql, len, &span))
        my_add_replaced(&owned, sql, len, &span, "");
    else
        plug_bytes_add(&owned, sql, len);
    if (strcmp(plug_json_get(object, "status"), "ENABLED") == 0 &&
        my_find_event_status(owned.data, owned.len, &span))
        my_add_replaced(out, owned.data, owned.len, &span, "DISABLE");
    else if (strcmp(kind, "trigger") == 0 && my_apply_moves(apply))
        my_add_trigger_moved(out, owned.data, owned.len, apply->from);
    else if (strcmp(kind, "view") != 0 || !my_apply_moves(apply))
        plug_bytes_add(out, owned.data, owned.len);
    else if (my_add_view_moved(out, owned.data, owned.len, names) != 0)
        return conn->host->fail(conn->host, err, BACKSTAY_ERR_CONFIG,
                                "make the view %s in the database %s: one of its tables has the "
                                "alias %s, the name of the database that it comes from; restore "
                                "into a database of that name",
                                plug_json_get(object, "name"), apply->into, apply->from);
    return 0;
}

static int collate(struct my_conn *conn, const struct my_apply *apply, const char *collation,
                   struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "ALTER DATABASE ");
    my_add_ident(&sql, apply->into);
    plug_bytes_format(&sql, " COLLATE %s", collation);
    return my_run(conn, err, sql.data);
}

/* The session of @object's author, in which @sql runs. */
static int run_in_session(struct my_conn *conn, const json_t *object, const struct plug_bytes *sql,
                          struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes session = {0};
    PLUG_AUTO_FREE char *what =
        plug_strf("make the %s %s", plug_json_get(object, "kind"), plug_json_get(object, "name"));
    bool ends = json_is_true(json_object_get(object, "ends"));

    my_script_session(&session, object);
    if (my_run(conn, err, session.data) != 0 ||
        (ends && my_runf(conn, err, "SET timestamp = %lld",
                         (long long)json_integer_value(json_object_get(object, "created"))) != 0))
        return -1;
    return my_apply_bytes(conn, what, sql, err);
}

/* Runs a statement as @object's author would, in a database as it was then; what follows finds all
 * as it is now. */
static int run_as_author(struct my_conn *conn, const struct my_apply *apply, const json_t *object,
                         const struct plug_bytes *sql, struct backstay_error *err)
{
    size_t at = 0;
    const json_t *database = my_object_next(apply->objects, "database", &at);
    const char *now = plug_json_get(database, "collation");
    const char *then = plug_json_get(object, "database_collation");
    bool other = *then && *now && strcmp(then, now) != 0;
    struct backstay_error ignored = {.size = sizeof ignored};

    if (other && collate(conn, apply, then, err) != 0)
        return -1;
    int r = run_in_session(conn, object, sql, err);
    unsigned error = conn->error;
    r |= my_runf(conn, r ? &ignored : err, "SET NAMES utf8mb4, %s", my_script_settings);
    if (json_is_true(json_object_get(object, "ends")))
        r |= my_run(conn, r ? &ignored : err, "SET timestamp = DEFAULT");
    if (other)
        r |= collate(conn, apply, now, r ? &ignored : err);
    conn->error = error ? error : conn->error;
    return r;
}

static int make(struct my_conn *conn, const struct my_apply *apply, const json_t *object,
                struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    return build(conn, apply, object, &sql, err) != 0
               ? -1
               : run_as_author(conn, apply, object, &sql, err);
}

static int make_all(struct my_conn *conn, const struct my_apply *apply, const char *kind,
                    struct backstay_error *err)
{
    const json_t *object;

    if (my_apply_use(conn, apply, err) != 0)
        return -1;
    for (size_t i = 0; (object = my_object_next(apply->objects, kind, &i)) != NULL;)
        if (my_apply_wants(apply, object) && make(conn, apply, object, err) != 0)
            return -1;
    return 0;
}

/* ---- kinds */

int my_apply_routines(struct my_conn *conn, const struct my_apply *apply,
                      struct backstay_error *err)
{
    static const char *const kinds[] = {"function", "procedure", "package", "package body"};

    for (size_t i = 0; i < PLUG_COUNT(kinds); i++)
        if (make_all(conn, apply, kinds[i], err) != 0)
            return -1;
    return 0;
}

/* Why a view that cannot be made need not be: it could not be used when it was backed up, or uses a
 * database that is not here. Caller frees. NULL: it must be made. */
static char *excuse(struct my_conn *conn, const struct my_apply *apply, const json_t *view)
{
    struct backstay_error why = {.size = sizeof why};

    if (*plug_json_get(view, "broken"))
        return plug_strf("not made: it could not be used when it was backed up: %s",
                         plug_json_get(view, "broken"));
    if (!json_object_get(view, "elsewhere") || make(conn, apply, view, &why) == 0)
        return NULL;
    return plug_strf("not made: it uses another database: %s", why.text);
}

/* Removes those from the list, and says so. */
static void leave_excused(struct my_conn *conn, const struct my_apply *apply, json_t *views)
{
    for (size_t i = 0; i < json_array_size(views);) {
        const json_t *view = json_array_get(views, i);
        PLUG_AUTO_FREE char *text = excuse(conn, apply, view);
        if (text == NULL) {
            i++;
            continue;
        }
        if (apply->note)
            apply->note(apply->ctx, "view", plug_json_get(view, "name"), text);
        (void)json_array_remove(views, i);
    }
}

/* Makes those of @views that can be made, and removes them from the list. */
static int make_some(struct my_conn *conn, const struct my_apply *apply, json_t *views,
                     struct backstay_error *err)
{
    for (size_t i = 0; i < json_array_size(views);) {
        *err = (struct backstay_error){.size = sizeof *err};
        if (make(conn, apply, json_array_get(views, i), err) == 0)
            (void)json_array_remove(views, i);
        else if (conn->host->cancelled(conn->host) ||
                 (conn->error >= CR_MIN_ERROR && conn->error <= CR_MAX_ERROR))
            return -1;
        else
            i++;
    }
    return 0;
}

static json_t *wanted_views(const struct my_apply *apply)
{
    json_t *views = my_script_views(apply->objects);

    for (size_t i = 0; i < json_array_size(views);)
        if (my_apply_wants(apply, json_array_get(views, i)))
            i++;
        else
            (void)json_array_remove(views, i);
    return views;
}

int my_apply_views(struct my_conn *conn, const struct my_apply *apply, struct backstay_error *err)
{
    json_t *views = wanted_views(apply);
    size_t left;
    int r = my_apply_use(conn, apply, err);

    do {
        left = json_array_size(views);
        r = r ? r : make_some(conn, apply, views, err);
    } while (r == 0 && json_array_size(views) < left);
    if (r == 0)
        leave_excused(conn, apply, views);
    if (json_array_size(views))
        r = -1;
    json_decref(views);
    return r;
}

int my_apply_triggers(struct my_conn *conn, const struct my_apply *apply,
                      struct backstay_error *err)
{
    return make_all(conn, apply, "trigger", err);
}

static int enable(struct my_conn *conn, const struct my_apply *apply, const json_t *event,
                  struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes made = {0};
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    struct my_span definer;
    size_t len;
    PLUG_AUTO_FREE char *text = my_ddl_text(event, "sql", &len);

    if (apply->no_owner && my_find_definer(text, len, &definer))
        my_add_replaced(&made, text, len, &definer, "");
    else
        plug_bytes_add(&made, text, len);
    my_script_event_status(&sql, event, made.data, made.len);
    return run_as_author(conn, apply, event, &sql, err);
}

int my_apply_events(struct my_conn *conn, const struct my_apply *apply, struct backstay_error *err)
{
    const json_t *event;

    if (make_all(conn, apply, "event", err) != 0)
        return -1;
    for (size_t i = 0; (event = my_object_next(apply->objects, "event", &i)) != NULL;)
        if (!apply->no_events && my_apply_wants(apply, event) &&
            strcmp(plug_json_get(event, "status"), "ENABLED") == 0 &&
            enable(conn, apply, event, err) != 0)
            return -1;
    return 0;
}
