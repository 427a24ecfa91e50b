/* plugins/source/mysql/check.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The preflight: the server once, then each database.
 */
#include "check_parts.h"
#include "run.h"
#include "scratch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAMES_SHOWN = 5 };

/* ---- how it is said */

void my_look_say(const struct my_look *look, int severity, const char *subject, const char *fmt,
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

void my_names_add(struct my_names *names, const char *name)
{
    if (names->n < NAMES_SHOWN) {
        plug_bytes_text(&names->text, names->n ? ", " : "");
        for (; *name; name++) /* a line of its own would pass for a statement */
            plug_bytes_add(&names->text, *name == '\n' ? " " : name, 1);
    }
    names->n++;
}

const char *my_names_text(struct my_names *names)
{
    if (names->n > NAMES_SHOWN)
        plug_bytes_format(&names->text, " and %zu more", names->n - NAMES_SHOWN);
    return names->text.data ? names->text.data : "";
}

void my_names_free(struct my_names *names)
{
    plug_bytes_free(&names->text);
}

/* ---- what is looked at */

static int look_at_database(struct my_look *look, struct backstay_error *err)
{
    int r = my_tables_read(&look->tables, look->my, look->conn, &look->database, err);

    if (r == 0)
        r = my_look_rights(look, err);
    if (r == 0)
        r = my_look_objects(look, err);
    my_tables_free(&look->tables);
    return r;
}

static int look_at_databases(struct my_look *look, char *const *names, size_t n,
                             struct backstay_error *err)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        PLUG_AUTO_FREE char *prefix = n > 1 ? plug_strf("%s: ", names[i]) : plug_strdup("");
        look->prefix = prefix;
        look->database = (struct my_database){names[i], names[i]};
        /* Types of columns come in the charset that they have. */
        r = my_run(look->conn, err, "SET NAMES utf8mb4");
        if (r == 0)
            r = look_at_database(look, err);
        look->prefix = "";
    }
    return r;
}

static int look_at(struct my_look *look, const struct my_place *place, struct backstay_error *err)
{
    char **names = NULL;
    size_t n = 0;

    if (my_connect(&look->conn, place, err) != 0)
        return -1;
    int r = my_look_server(look, err);
    if (r == 0)
        r = my_databases(look->my, place, &names, &n, err);
    if (r == 0)
        r = look_at_databases(look, names, n, err);
    if (r == 0 && look->advice)
        r = my_look_state(look, err);
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
    return r;
}

static int look_at_all(const struct my *my, bool advice, struct backstay_report *report,
                       struct backstay_error *err)
{
    struct my_look look = {.my = my, .report = report, .advice = advice, .prefix = ""};
    struct my_place place;

    if (my_place_read(&place, my, my->url, err) != 0)
        return -1;
    int r = look_at(&look, &place, err);
    my_place_free(&place);
    my_disconnect(look.conn);
    free(look.account);
    free(look.grants);
    return r;
}

int my_preflight(struct my *my, struct backstay_report *report, struct backstay_error *err)
{
    return look_at_all(my, false, report, err);
}

int my_check(void *self, struct backstay_report *report, struct backstay_error *err)
{
    int r = look_at_all(self, true, report, err);
    unsigned n = r == 0 ? my_scratch_leftovers(self) : 0;

    if (n)
        report->finding(report, BACKSTAY_INFO, "scratch",
                        "left behind by earlier runs: %u; the next restore to scratch removes "
                        "what is there",
                        n);
    return r;
}
