/* plugins/source/postgres/restore_wish.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "restore_wish.h"

#include <stdlib.h>
#include <string.h>

enum { JOBS_MAX = 64 };

static bool is_true(const struct backstay_target *target, const char *key)
{
    const char *value = plug_target_option(target, key);

    return value && strcmp(value, "true") == 0;
}

static int read_jobs(struct pg_wish *wish, const struct pg *pg,
                     const struct backstay_target *target, struct backstay_error *err)
{
    const char *text = plug_target_option(target, "jobs");
    char *end;

    wish->jobs = pg->jobs;
    if (text == NULL)
        return 0;
    long jobs = strtol(text, &end, 10);
    if (*text == '\0' || *end || jobs < 1 || jobs > JOBS_MAX)
        return pg->host->fail(pg->host, err, BACKSTAY_ERR_CONFIG,
                              "\"jobs\" is \"%s\": 1 to %d are possible", text, JOBS_MAX);
    wish->jobs = (unsigned)jobs;
    return 0;
}

int pg_wish_read(struct pg_wish *out, const struct pg *pg, const struct backstay_target *target,
                 struct backstay_error *err)
{
    *out = (struct pg_wish){
        .database = plug_target_option(target, "database"),
        .schema_only = is_true(target, "schema_only"),
        .data_only = is_true(target, "data_only"),
        .no_owner = is_true(target, "no_owner"),
        .replace = plug_target_option(target, "replace"),
    };
    if (out->schema_only && out->data_only)
        return pg->host->fail(pg->host, err, BACKSTAY_ERR_CONFIG,
                              "\"schema_only\" and \"data_only\" exclude each other");
    if (out->replace && (out->data_only || plug_target_option(target, "table")))
        return pg->host->fail(pg->host, err, BACKSTAY_ERR_CONFIG,
                              "a database can only be replaced as a whole; leave out \"replace\" "
                              "or the choice of tables and rows");
    if (read_jobs(out, pg, target, err) != 0)
        return -1;
    out->tables = plug_alloc(target->n_options, sizeof *out->tables);
    for (uint32_t i = 0; i < target->n_options; i++)
        if (strcmp(target->options[i].key, "table") == 0)
            out->tables[out->n_tables++] = target->options[i].value;
    return 0;
}

void pg_wish_free(struct pg_wish *wish)
{
    free(wish->tables);
    *wish = (struct pg_wish){0};
}

/* "a.b" of a."b" and of "a"."b": names as people type them. */
static char *unquote(const char *label)
{
    struct plug_bytes out = {0};
    bool inside = false;

    plug_bytes_text(&out, "");
    for (; *label; label++) {
        if (*label != '"')
            plug_bytes_add(&out, label, 1);
        else if (inside && label[1] == '"')
            plug_bytes_add(&out, label++, 1);
        else
            inside = !inside;
    }
    return out.data;
}

bool pg_wish_has_table(const struct pg_wish *wish, const char *label, size_t *which)
{
    PLUG_AUTO_FREE char *plain = unquote(label);

    for (size_t i = 0; i < wish->n_tables; i++) {
        if (strcmp(wish->tables[i], label) != 0 && strcmp(wish->tables[i], plain) != 0)
            continue;
        if (which)
            *which = i;
        return true;
    }
    return false;
}

bool pg_wish_is_partial(const struct pg_wish *wish)
{
    return wish->n_tables > 0 || wish->schema_only || wish->data_only;
}
