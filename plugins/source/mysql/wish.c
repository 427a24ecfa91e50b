/* plugins/source/mysql/wish.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "wish.h"

#include <stdlib.h>
#include <string.h>

enum { JOBS_MAX = 64 };

static bool is_true(const struct backstay_target *target, const char *key)
{
    const char *value = plug_target_option(target, key);

    return value && strcmp(value, "true") == 0;
}

static int read_jobs(struct my_wish *wish, const struct my *my,
                     const struct backstay_target *target, struct backstay_error *err)
{
    const char *text = plug_target_option(target, "jobs");
    char *end;

    wish->jobs = my->jobs;
    if (text == NULL)
        return 0;
    long jobs = strtol(text, &end, 10);
    if (*text == '\0' || *end || jobs < 1 || jobs > JOBS_MAX)
        return my->host->fail(my->host, err, BACKSTAY_ERR_CONFIG,
                              "\"jobs\" is \"%s\": 1 to %d are possible", text, JOBS_MAX);
    wish->jobs = (unsigned)jobs;
    return 0;
}

int my_wish_read(struct my_wish *out, const struct my *my, const struct backstay_target *target,
                 struct backstay_error *err)
{
    *out = (struct my_wish){
        .database = plug_target_option(target, "database"),
        .schema_only = is_true(target, "schema_only"),
        .data_only = is_true(target, "data_only"),
        .no_owner = is_true(target, "no_owner"),
        .replace = plug_target_option(target, "replace"),
    };
    if (out->schema_only && out->data_only)
        return my->host->fail(my->host, err, BACKSTAY_ERR_CONFIG,
                              "\"schema_only\" and \"data_only\" exclude each other");
    if (out->replace && (out->data_only || plug_target_option(target, "table")))
        return my->host->fail(my->host, err, BACKSTAY_ERR_CONFIG,
                              "a database can only be replaced as a whole; leave out \"replace\" "
                              "or the choice of tables and rows");
    if (read_jobs(out, my, target, err) != 0)
        return -1;
    out->tables = plug_alloc(target->n_options, sizeof *out->tables);
    for (uint32_t i = 0; i < target->n_options; i++)
        if (strcmp(target->options[i].key, "table") == 0)
            out->tables[out->n_tables++] = target->options[i].value;
    return 0;
}

void my_wish_free(struct my_wish *wish)
{
    free(wish->tables);
    *wish = (struct my_wish){0};
}

/* The names of a label, `a`.b, as people type them; @table: where the second one begins. */
static char *unquote(const char *label, size_t *table)
{
    struct plug_bytes out = {0};
    bool inside = false;

    *table = 0;
    plug_bytes_text(&out, "");
    for (; *label; label++) {
        if (*label == '`' && inside && label[1] == '`')
            plug_bytes_add(&out, label++, 1);
        else if (*label == '`')
            inside = !inside;
        else
            plug_bytes_add(&out, label, 1);
        if (*label == '.' && !inside && *table == 0)
            *table = out.len;
    }
    return out.data;
}

bool my_wish_has_table(const struct my_wish *wish, const char *label, bool *used)
{
    size_t table;
    PLUG_AUTO_FREE char *plain = unquote(label, &table);
    bool found = false;

    for (size_t i = 0; i < wish->n_tables; i++) {
        const char *wanted = wish->tables[i];
        if (strcmp(wanted, label) != 0 && strcmp(wanted, plain) != 0 &&
            strcmp(wanted, plain + table) != 0)
            continue;
        found = true;
        if (used)
            used[i] = true;
    }
    return found;
}

bool my_wish_is_partial(const struct my_wish *wish)
{
    return wish->n_tables > 0 || wish->schema_only || wish->data_only;
}
