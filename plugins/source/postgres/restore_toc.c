/* plugins/source/postgres/restore_toc.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "restore_toc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char header_begin[] = "--\n-- TOC entry ";
static const char script_end[] = "\n--\n-- PostgreSQL database dump complete\n--\n";

static const char script_completed[] = "\n-- Completed on ";

/* ---- what pg_restore says */

static int collect(void *ctx, const void *data, size_t len)
{
    plug_bytes_add(ctx, data, len);
    return 0;
}

static int ask(const struct pg_toc_options *options, bool list, struct plug_bytes *out,
               struct backstay_error *err)
{
    PLUG_AUTO_FREE char *section = plug_strf("--section=%s", options->section);
    const char *argv[12] = {options->tool->path, "--verbose", section, options->archive};
    const char *const env[] = {"LC_MESSAGES=C", "LC_ALL=C.UTF-8", NULL};
    struct plug_child child = {
        .argv = argv, .env = env, .host = options->host, .output = collect, .ctx = out};
    size_t n = 4;

    argv[n++] = list ? "--list" : "--file=-";
    if (options->no_owner) {
        argv[n++] = "--no-owner";
        argv[n++] = "--no-privileges";
    }
    if (options->no_tablespaces)
        argv[n++] = "--no-tablespaces";
    plug_bytes_add(out, "", 0);
    int r = plug_child_run(&child, err);
    if (r > 0) {
        PLUG_AUTO_FREE char *why = plug_child_why(&child);
        r = options->host->fail(options->host, err, BACKSTAY_ERR_CORRUPT,
                                "%s cannot read schema.dump: %s", options->tool->path, why);
    }
    plug_bytes_free(&child.said);
    return r;
}

/* ---- the list: which items there are */

struct known {
    int id;
    uint32_t class_oid;
    uint32_t oid;
};

struct known_list {
    struct known *items;
    size_t n;
    size_t cap;
};

static int by_id(const void *a, const void *b)
{
    const struct known *x = a;
    const struct known *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

static void read_list(struct known_list *out, char *list)
{
    char *rest;

    for (char *line = strtok_r(list, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        struct known known;
        if (sscanf(line, "%d; %u %u ", &known.id, &known.class_oid, &known.oid) != 3)
            continue;
        out->items = plug_grow(out->items, &out->cap, out->n + 1, sizeof *out->items);
        out->items[out->n++] = known;
    }
    if (out->n)
        qsort(out->items, out->n, sizeof *out->items, by_id);
}

static bool is_known(const struct known_list *list, const struct pg_item *item)
{
    struct known key = {.id = item->id};
    const struct known *found =
        list->n ? bsearch(&key, list->items, list->n, sizeof key, by_id) : NULL;

    return found && found->class_oid == item->class_oid && found->oid == item->oid;
}

/* ---- the script */

static char *copy(const char *from, const char *to)
{
    return plug_strf("%.*s", (int)(to - from), from);
}

/* The last occurrence of @what in [from, to). */
static const char *find_last(const char *from, const char *to, const char *what)
{
    size_t len = strlen(what);
    const char *found = NULL;

    for (const char *at = from; (at = memmem(at, (size_t)(to - at), what, len)) != NULL; at++)
        found = at;
    return found;
}

static void read_needs(struct pg_item *item, const char *at)
{
    size_t cap = 0;
    char *end;

    for (long id = strtol(at, &end, 10); end != at; id = strtol(at, &end, 10)) {
        item->needs = plug_grow(item->needs, &cap, item->n_needs + 1, sizeof *item->needs);
        item->needs[item->n_needs++] = (int)id;
        at = end;
        if (*at == '\n')
            break;
    }
}

/* "-- Name: orders; Type: TABLE; Schema: public; Owner: shop" */
static void read_name(struct pg_item *item, const char *line, const char *end)
{
    const char *schema = find_last(line, end, "; Schema: ");
    const char *type = schema ? find_last(line, schema, "; Type: ") : NULL;
    const char *owner = schema ? find_last(schema, end, "; Owner: ") : NULL;

    if (type == NULL || owner == NULL)
        return;
    PLUG_AUTO_FREE char *in = copy(schema + strlen("; Schema: "), owner);
    item->kind = copy(type + strlen("; Type: "), schema);
    item->label = plug_strf("%s %s%s%.*s", item->kind, strcmp(in, "-") == 0 ? "" : in,
                            strcmp(in, "-") == 0 ? "" : ".", (int)(type - line), line);
}

/* Reads the header at @at. @return where its SQL begins, or NULL: it is none. */
static const char *read_header(struct pg_item *item, const char *at)
{
    /* A copy, since sscanf(3) looks for the end of the whole script. */
    char first[64] = "";

    (void)snprintf(first, sizeof first, "%.*s", (int)strcspn(at + 3, "\n"), at + 3);
    if (sscanf(first, "-- TOC entry %d (class %u OID %u)", &item->id, &item->class_oid,
               &item->oid) != 3)
        return NULL;
    for (at = strchr(at + 3, '\n'); at; at = strchr(at, '\n')) {
        at++;
        const char *end = strchrnul(at, '\n');
        if (strncmp(at, "-- Dependencies:", 16) == 0)
            read_needs(item, at + 16);
        else if (strncmp(at, "-- Name: ", 9) == 0)
            read_name(item, at + 9, end);
        else if (strncmp(at, "--\n", 3) == 0 && item->kind)
            return at + 3;
        else if (strncmp(at, "-- ", 3) != 0)
            return NULL;
    }
    return NULL;
}

static void clear_item(struct pg_item *item)
{
    free(item->kind);
    free(item->label);
    free(item->needs);
    free(item->sql);
    *item = (struct pg_item){0};
}

/* The next header from @at on. @body receives where its SQL begins. NULL: there is none. */
static const char *next_header(const struct known_list *known, struct pg_item *item, const char *at,
                               const char **body)
{
    while ((at = strstr(at, header_begin)) != NULL) {
        *body = read_header(item, at);
        if (*body && is_known(known, item))
            return at;
        clear_item(item);
        at++;
    }
    return NULL;
}

/* What the items that follow depend on, and pg_restore writes only where it changes. */
struct state {
    char *tablespace;
    char *method;
};

static bool take_state(struct state *state, const char *line)
{
    char **where = strncmp(line, "SET default_tablespace = ", 25) == 0 ? &state->tablespace
                   : strncmp(line, "SET default_table_access_method = ", 34) == 0 ? &state->method
                                                                                  : NULL;
    size_t quotes = 0;

    if (where == NULL || strchr(line, '\n') || line[strlen(line) - 1] != ';')
        return false;
    for (const char *at = line; *at; at++)
        quotes += *at == '\'';
    if (quotes % 2)
        return false;
    /* The one that comes last in the script is met first. */
    free(*where);
    *where = plug_strdup(line);
    return true;
}

/* Cuts the settings for later items off the end of @sql. */
static void cut_state(char *sql, struct state *state)
{
    struct state found = {0};

    for (;;) {
        size_t len = strlen(sql);
        while (len && sql[len - 1] == '\n')
            sql[--len] = '\0';
        char *line = strrchr(sql, '\n');
        line = line ? line + 1 : sql;
        if (*line == '\0' || !take_state(&found, line))
            break;
        *line = '\0';
    }
    if (found.tablespace) {
        free(state->tablespace);
        state->tablespace = found.tablespace;
    }
    if (found.method) {
        free(state->method);
        state->method = found.method;
    }
}

/* The session has the usual settings; the others are made for one item and unmade after it. */
static const char usual_tablespace[] = "SET default_tablespace = '';";
static const char usual_method[] = "SET default_table_access_method = heap;";

static bool is_usual(const struct state *state)
{
    return (state->tablespace == NULL || strcmp(state->tablespace, usual_tablespace) == 0) &&
           (state->method == NULL || strcmp(state->method, usual_method) == 0);
}

/* Servers with certain security fixes number the changes of a column in an option of its own, which
 * pg_dump leaves out if it knows it. Other servers refuse the option, and the number belongs to the
 * column that was dumped. What takes its place changes nothing on a new column. */
static char *without_versions(char *sql)
{
    static const char option[] = "pg_attver=";
    static const char only[] = "SET (pg_attver=";
    struct plug_bytes out = {0};
    const char *from = sql;

    for (const char *at = sql; (at = strstr(at, option)) != NULL; at++) {
        const char *end = at + strlen(option);
        const char *set = at - (strlen(only) - strlen(option));
        end += strspn(end, "0123456789");
        if (set < from || (*end != ')' && *end != ','))
            continue;
        bool alone = *end == ')' && strncmp(set, only, strlen(only)) == 0;
        const char *begin = alone ? set : *end == ')' ? at - strlen(", ") : at;
        plug_bytes_add(&out, from, (size_t)(begin - from));
        plug_bytes_text(&out, alone ? "RESET (n_distinct" : "");
        from = *end == ',' ? end + strlen(", ") : end;
    }
    if (from == sql)
        return sql;
    plug_bytes_text(&out, from);
    free(sql);
    return out.data;
}

static void add_item(struct pg_toc *toc, struct pg_item *item, char *sql, struct state *state)
{
    struct state own = {state->tablespace ? plug_strdup(state->tablespace) : NULL,
                        state->method ? plug_strdup(state->method) : NULL};

    cut_state(sql, state);
    if (pg_item_is(item, "TABLE") || pg_item_is(item, "FOREIGN TABLE") ||
        pg_item_is(item, "MATERIALIZED VIEW"))
        sql = without_versions(sql);
    if (is_usual(&own)) {
        item->sql = sql;
    } else {
        item->sql = plug_strf("%s %s\n%s\n%s %s", own.tablespace ? own.tablespace : "",
                              own.method ? own.method : "", sql, usual_tablespace, usual_method);
        free(sql);
    }
    free(own.tablespace);
    free(own.method);
    toc->items = plug_grow(toc->items, &toc->cap, toc->n + 1, sizeof *toc->items);
    toc->items[toc->n++] = *item;
    *item = (struct pg_item){0};
}

static void add_setting(struct pg_toc *toc, const char *sql)
{
    toc->settings =
        plug_grow(toc->settings, &toc->settings_cap, toc->n_settings + 1, sizeof *toc->settings);
    toc->settings[toc->n_settings++] = plug_strdup(sql);
}

/* Of what comes before the first item, what sets the session up. Our own sessions have no
 * time-outs already, and the names of those change from version to version. */
static void read_settings(struct pg_toc *toc, char *text, struct state *state)
{
    char *rest;

    cut_state(text, state);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if ((strncmp(line, "SET ", 4) != 0 && strncmp(line, "SELECT pg_catalog.set_config", 28)) ||
            strstr(line, "_timeout = ") || strncmp(line, "SET default_table", 17) == 0)
            continue;
        add_setting(toc, line);
    }
    add_setting(toc, usual_tablespace);
    add_setting(toc, usual_method);
}

static int by_position_id(const void *a, const void *b)
{
    const struct pg_position *x = a;
    const struct pg_position *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

static void index_items(struct pg_toc *toc)
{
    toc->positions = plug_alloc(toc->n, sizeof *toc->positions);
    for (size_t i = 0; i < toc->n; i++)
        toc->positions[i] = (struct pg_position){toc->items[i].id, i};
    if (toc->n)
        qsort(toc->positions, toc->n, sizeof *toc->positions, by_position_id);
}

/* Ends @script at @end, and before the line above it that says when the dump was complete. */
static void end_script(char *script, char *end)
{
    char *completed = (char *)(uintptr_t)find_last(script, end, script_completed);
    const char *line_end = completed ? strchr(completed + 1, '\n') : NULL;

    if (line_end && line_end + strspn(line_end, "\n") >= end)
        *completed = '\0';
    *end = '\0';
}

int pg_toc_parse(struct pg_toc *out, char *script, char *list)
{
    struct known_list known = {0};
    struct state state = {0};
    struct pg_item item = {0};
    struct pg_item next = {0};
    const char *body = script;
    const char *next_body;
    bool first = true;
    char *end = (char *)(uintptr_t)find_last(script, script + strlen(script), script_end);

    if (end)
        end_script(script, end);
    read_list(&known, list);
    for (const char *at = script; at;) {
        at = next_header(&known, &next, body, &next_body);
        body += strspn(body, "\n");
        char *text = copy(body, at ? at : body + strlen(body));
        if (first) {
            read_settings(out, text, &state);
            free(text);
        } else {
            add_item(out, &item, text, &state);
        }
        first = false;
        item = next;
        next = (struct pg_item){0};
        body = next_body;
    }
    free(known.items);
    free(state.tablespace);
    free(state.method);
    index_items(out);
    return end ? 0 : -1;
}

int pg_toc_read(struct pg_toc *out, const struct pg_toc_options *options,
                struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes script = {0};
    PLUG_AUTO_BYTES struct plug_bytes list = {0};

    *out = (struct pg_toc){0};
    if (ask(options, true, &list, err) != 0 || ask(options, false, &script, err) != 0)
        return -1;
    if (pg_toc_parse(out, script.data, list.data) == 0)
        return 0;
    pg_toc_free(out);
    return options->host->fail(options->host, err, BACKSTAY_ERR_CORRUPT,
                               "what %s writes of schema.dump has no end", options->tool->path);
}

void pg_toc_free(struct pg_toc *toc)
{
    for (size_t i = 0; i < toc->n; i++)
        clear_item(&toc->items[i]);
    for (size_t i = 0; i < toc->n_settings; i++)
        free(toc->settings[i]);
    free(toc->items);
    free(toc->positions);
    free(toc->settings);
    *toc = (struct pg_toc){0};
}

const struct pg_item *pg_toc_find(const struct pg_toc *toc, int id)
{
    const struct pg_position key = {.id = id};
    const struct pg_position *found =
        toc->n ? bsearch(&key, toc->positions, toc->n, sizeof key, by_position_id) : NULL;

    return found ? &toc->items[found->index] : NULL;
}

void pg_toc_keep(struct pg_toc *toc, const unsigned char *marks)
{
    size_t n = 0;

    for (size_t i = 0; i < toc->n; i++) {
        if (marks[i])
            toc->items[n++] = toc->items[i];
        else
            clear_item(&toc->items[i]);
    }
    toc->n = n;
    free(toc->positions);
    index_items(toc);
}

bool pg_item_is(const struct pg_item *item, const char *kind)
{
    return strcmp(item->kind, kind) == 0;
}

/* ---- making them */

int pg_toc_prepare(const struct pg_toc *toc, struct pg_conn *conn, struct backstay_error *err)
{
    for (size_t i = 0; i < toc->n_settings; i++)
        if (pg_run(conn, err, toc->settings[i]) != 0 && !pg_error_is(conn, "42704"))
            return -1;
    return 0;
}

static bool exists_already(const struct pg_conn *conn)
{
    static const char *const states[] = {"42710", "42P06", "42P07", "42723"};

    for (size_t i = 0; i < PLUG_COUNT(states); i++)
        if (pg_error_is(conn, states[i]))
            return true;
    return false;
}

int pg_item_make(const struct pg_item *item, struct pg_conn *conn, struct backstay_error *err)
{
    const struct backstay_host *host = conn->host;

    if (pg_run(conn, err, item->sql) == 0)
        return 0;
    if (item->shared && exists_already(conn)) {
        host->log(host, BACKSTAY_LOG_INFO, "%s is there already and is used as it is", item->label);
        return PG_ITEM_EXISTS;
    }
    PLUG_AUTO_FREE char *why = plug_strdup(err->text);
    return host->fail(host, err, err->kind, "make %s: %s%s", item->label, why,
                      pg_error_is(conn, "42501")
                          ? "; restore with --no-owner, or as a member of the roles that own it"
                          : "");
}
