/* plugins/source/mysql/check_rights.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the account may not read. A server hides what one has no right to: tables, triggers and
 * events that are not there cannot be told from those that are not shown. So it is the grants that
 * are read, and what is not granted on the whole database counts as missing.
 */
#include "check_parts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- grants */

/* Whether the list "A, B (x, y), C" of @len bytes has @right without columns. */
static bool lists(const char *list, size_t len, const char *right)
{
    size_t want = strlen(right);
    int depth = 0;
    size_t from = 0;

    for (size_t i = 0; i <= len; i++) {
        char c = i < len ? list[i] : ',';
        depth += (c == '(') - (c == ')');
        if (c != ',' || depth > 0)
            continue;
        while (from < i && list[from] == ' ')
            from++;
        if (i - from == want && strncasecmp(list + from, right, want) == 0)
            return true;
        from = i + 1;
    }
    return false;
}

/* Whether a pattern of GRANT (% and _, escaped with a backslash) of @len bytes covers a name. */
static bool covers(const char *pattern, size_t len, const char *name)
{
    for (; len > 0; pattern++, len--) {
        if (*pattern == '%') {
            do {
                if (covers(pattern + 1, len - 1, name))
                    return true;
            } while (*name++);
            return false;
        }
        if (*pattern == '\\' && len > 1) {
            pattern++;
            len--;
        } else if (*pattern == '_' && *name) {
            name++;
            continue;
        }
        /* A backtick within a quoted name stands twice. */
        if (*pattern == '`' && len > 1 && pattern[1] == '`') {
            pattern++;
            len--;
        }
        if (*pattern != *name++)
            return false;
    }
    return *name == '\0';
}

/* What a line is about: @on after " ON ". @return 2: all of the server, 1: @database, 0: neither.
 */
static int scope_of(const char *on, size_t len, const char *database)
{
    const char *end = memmem(on, len, ".* TO ", strlen(".* TO "));

    if (end == NULL)
        end = memmem(on, len, ".* FROM ", strlen(".* FROM "));
    if (end == NULL)
        return 0;
    if (end == on + 1 && *on == '*')
        return 2;
    if (database == NULL || end < on + 2 || *on != '`')
        return 0;
    return covers(on + 1, (size_t)(end - on) - 2, database);
}

/* @what "GRANT " or "REVOKE ". */
static bool line_gives(const char *line, size_t len, const char *what, const char *right,
                       const char *database)
{
    size_t begin = strlen(what);
    const char *on = memmem(line, len, " ON ", 4);

    if (on == NULL || len < begin || strncmp(line, what, begin) != 0)
        return false;
    int scope = scope_of(on + 4, len - (size_t)(on + 4 - line), database);
    if (scope == 0 || (*what == 'R' && scope != 1))
        return false;
    size_t list = (size_t)(on - line) - begin;
    return lists(line + begin, list, right) || lists(line + begin, list, "ALL PRIVILEGES");
}

bool my_look_grants(const char *grants, const char *right, const char *database)
{
    bool given = false;

    for (const char *line = grants; *line; line += *line == '\n') {
        size_t len = strcspn(line, "\n");
        if (line_gives(line, len, "REVOKE ", right, database))
            return false;
        given = given || line_gives(line, len, "GRANT ", right, database);
        line += len;
    }
    return given;
}

/* ---- what is missing */

struct missing {
    const struct my_look *look;
    struct plug_bytes rights; /* "SELECT, SHOW VIEW" on the database */
    struct plug_bytes others; /* further statements, each on a line */
};

static void want(struct missing *missing, const char *right)
{
    const struct my_look *look = missing->look;

    if (my_look_grants(look->grants, right, look->database.name))
        return;
    plug_bytes_text(&missing->rights, missing->rights.len ? ", " : "");
    plug_bytes_text(&missing->rights, right);
}

/* Texts of routines are a matter of the server in both products. */
static void want_routines(struct missing *missing)
{
    const struct my_look *look = missing->look;
    const struct my_conn *conn = look->conn;

    if (my_look_grants(look->grants, "SELECT", NULL))
        return;
    if (conn->mariadb) {
        const bool show = conn->version >= 110300;
        /* Lines about one table end neither in .* nor in a pattern. */
        if (strstr(look->grants, "ON `mysql`.`proc` TO ") ||
            my_look_grants(look->grants, "SELECT", "mysql") ||
            (show && my_look_grants(look->grants, "SHOW CREATE ROUTINE", look->database.name)))
            return;
        plug_bytes_format(&missing->others, "\nGRANT SELECT ON mysql.proc TO %s;", look->account);
    } else if (!my_look_grants(look->grants, "SHOW_ROUTINE", NULL)) {
        plug_bytes_format(&missing->others, "\nGRANT %s ON *.* TO %s;",
                          conn->version >= 80020 ? "SHOW_ROUTINE" : "SELECT", look->account);
    }
}

static void find_missing(struct missing *missing)
{
    const struct my_look *look = missing->look;
    bool chosen = look->my->tables.n > 0;

    want(missing, "SELECT");
    want(missing, "SHOW VIEW");
    want(missing, "TRIGGER");
    if (look->n_ways && look->ways[0] == MY_WAY_LOCKS && look->my->jobs > 1)
        want(missing, "LOCK TABLES");
    if (chosen)
        return;
    want(missing, "EVENT");
    want_routines(missing);
}

/* The name of the database as GRANT has it, where _ and % are patterns. */
static void add_database(struct plug_bytes *out, const char *name)
{
    plug_bytes_text(out, "`");
    for (; *name; name++) {
        if (*name == '_' || *name == '%' || *name == '\\')
            plug_bytes_text(out, "\\");
        plug_bytes_text(out, *name == '`' ? "`" : "");
        plug_bytes_add(out, name, 1);
    }
    plug_bytes_text(out, "`.*");
}

int my_look_rights(const struct my_look *look, struct backstay_error *err)
{
    struct missing missing = {.look = look};
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    (void)err;
    find_missing(&missing);
    if (missing.rights.len) {
        plug_bytes_format(&sql, "\nGRANT %s ON ", missing.rights.data);
        add_database(&sql, look->database.name);
        plug_bytes_format(&sql, " TO %s;", look->account);
    }
    if (missing.others.len)
        plug_bytes_text(&sql, missing.others.data);
    /* Rights on single tables may be enough for chosen ones; reading them will tell. */
    if (sql.len)
        my_look_say(look, look->my->tables.n ? BACKSTAY_WARNING : BACKSTAY_BAD, "rights",
                    "%s may not see all of the database, and what it may not see would not be in "
                    "the backup; as an administrator:%s",
                    look->account, sql.data);
    else
        my_look_say(look, BACKSTAY_OK, "rights", "%zu tables, all of them readable",
                    look->tables.n);
    plug_bytes_free(&missing.rights);
    plug_bytes_free(&missing.others);
    return 0;
}
