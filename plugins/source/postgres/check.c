/* plugins/source/postgres/check.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The preflight: the server once, then each database.
 */
#include "check_parts.h"
#include "run.h"
#include "scratch.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAMES_SHOWN = 5 };

/* ---- how it is said */

void pg_look_say(const struct pg_look *look, int severity, const char *subject, const char *fmt,
                 ...)
{
    PLUG_AUTO_FREE char *full = plug_strf("%s%s", look->prefix, subject);
    char *text;
    va_list ap;

    va_start(ap, fmt);
    int len = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (len < 0)
        abort();
    look->report->finding(look->report, severity, full, "%s", text);
    free(text);
}

void pg_names_add(struct pg_names *names, const char *name)
{
    if (names->n < NAMES_SHOWN) {
        plug_bytes_text(&names->text, names->n ? ", " : "");
        for (; *name; name++) /* a line of its own would pass for a statement */
            plug_bytes_add(&names->text, *name == '\n' ? " " : name, 1);
    }
    names->n++;
}

const char *pg_names_text(struct pg_names *names)
{
    if (names->n > NAMES_SHOWN)
        plug_bytes_format(&names->text, " and %zu more", names->n - NAMES_SHOWN);
    return names->text.data ? names->text.data : "";
}

void pg_names_free(struct pg_names *names)
{
    plug_bytes_free(&names->text);
}

void pg_look_grant_role(const struct pg_look *look, struct plug_bytes *sql, const char *role)
{
    bool each = look->conn->major >= 16; /* inheriting is a matter of each membership */

    if (!look->inherits && !each)
        plug_bytes_format(sql, "\nALTER ROLE %s INHERIT;", look->role);
    plug_bytes_format(sql, "\nGRANT %s TO %s%s;", role, look->role,
                      !look->inherits && each ? " WITH INHERIT TRUE" : "");
}

/* ---- what is looked at */

static int look_at_database(struct pg_look *look, struct backstay_error *err)
{
    if (pg_tables_read(&look->tables, look->pg, look->conn, err) != 0)
        return -1;
    int r = pg_look_rights(look, err);
    if (r == 0)
        r = pg_look_large_objects(look, err);
    if (r == 0)
        r = pg_look_objects(look, err);
    if (r == 0)
        r = pg_look_locks(look, err);
    pg_tables_free(&look->tables);
    return r;
}

static int connect_to(struct pg_look *look, const char *database, struct backstay_error *err)
{
    const struct pg_place place = pg_place_of(look->pg, database);

    pg_disconnect(look->conn);
    look->conn = NULL;
    return pg_connect(&look->conn, look->pg->host, &place, err);
}

static int look_at_server(struct pg_look *look, struct backstay_error *err)
{
    const char *prefix = look->prefix;

    look->prefix = "";
    int r = pg_look_server(look, err);
    if (r == 0 && look->advice)
        r = pg_look_state(look, err);
    look->prefix = prefix;
    return r;
}

/* One database of several that refuses us keeps nothing from being said of the others, unless the
 * server was not reached at all. */
static int look_at(struct pg_look *look, const char *database, bool alone,
                   struct backstay_error *err)
{
    if (connect_to(look, database, err) != 0) {
        bool reached = look->role != NULL || err->kind != BACKSTAY_ERR_TRANSIENT;
        if (alone || !reached || err->kind == BACKSTAY_ERR_CANCELLED)
            return -1;
        pg_look_say(look, BACKSTAY_BAD, "connection", "%s", err->text);
        return 0;
    }
    if (look->role == NULL && look_at_server(look, err) != 0)
        return -1;
    return look_at_database(look, err);
}

static int look_at_all(const struct pg *pg, bool advice, struct backstay_report *report,
                       struct backstay_error *err)
{
    struct pg_look look = {.pg = pg, .report = report, .advice = advice, .prefix = ""};
    char **names;
    size_t n;
    int r = pg_databases(pg, &names, &n, err);

    for (size_t i = 0; i < n; i++) {
        PLUG_AUTO_FREE char *prefix = n > 1 ? plug_strf("%s: ", names[i]) : plug_strdup("");
        look.prefix = prefix;
        if (r == 0)
            r = look_at(&look, names[i], n == 1, err);
        free(names[i]);
    }
    free(names);
    free(look.role);
    pg_disconnect(look.conn);
    return r;
}

int pg_preflight(struct pg *pg, struct backstay_report *report, struct backstay_error *err)
{
    return look_at_all(pg, false, report, err);
}

static void look_at_leftovers(const struct pg *pg, struct backstay_report *report)
{
    unsigned n = pg_scratch_leftovers(pg);

    if (n)
        report->finding(report, BACKSTAY_INFO, "scratch",
                        "left behind by earlier runs: %u; the next restore to scratch removes "
                        "what is there",
                        n);
}

int pg_check(void *self, struct backstay_report *report, struct backstay_error *err)
{
    int r = look_at_all(self, true, report, err);

    if (r == 0)
        look_at_leftovers(self, report);
    return r;
}
