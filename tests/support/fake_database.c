/* tests/support/fake_database.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * How it can misbehave:
 *   lose_row      a restore drops the last row of each table
 *   change_value  a restore changes a byte
 *   add_table     a restore makes one more table
 *   fail_restore  a restore fails in the middle
 *   fail_probe    a copy cannot be asked
 *   fail_scratch  a scratch place cannot be made
 *   fail_remove   a scratch place cannot be removed
 *   wait          a restore waits until it is cancelled
 *   no_facts      a backup records no facts
 *   fail_check, warn_check, bad_check: what a preflight says
 */
#include "support/fake_database.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TABLE_MAX = 1 << 20 };

static int misbehaves(const struct fake_database *db, const char *how)
{
    return db->misbehave && strcmp(db->misbehave, how) == 0;
}

static int fail_with(struct backstay_error *err, const char *what, const char *why)
{
    err->kind = BACKSTAY_ERR_IO;
    (void)snprintf(err->text, sizeof err->text, "%s: %s", what, why);
    return -1;
}

/* The folder of a location. */
static const char *folder_of(const char *location)
{
    const char *host = strncmp(location, "fake://", 7) == 0 ? strchr(location, '@') : NULL;
    const char *slash = host ? strchr(host, '/') : NULL;

    return slash ? slash : location;
}

static ssize_t read_table(const char *folder, const char *name, char **out)
{
    char path[PATH_MAX];
    ssize_t len = -1;

    *out = NULL;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -1;
    char *data = malloc(TABLE_MAX);
    if (data)
        len = (ssize_t)fread(data, 1, TABLE_MAX, file);
    (void)fclose(file);
    *out = data;
    return len;
}

static int write_table(const char *folder, const char *name, const char *data, size_t len)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return -1;
    size_t written = fwrite(data, 1, len, file);
    return fclose(file) == 0 && written == len ? 0 : -1;
}

/* Calls @each for every table. @return how many there are, or -1. */
static int each_table(const char *folder, int (*each)(void *ctx, const char *name), void *ctx)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, NULL, alphasort);
    int tables = n < 0 ? -1 : 0;

    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.' && tables >= 0)
            tables = each(ctx, entries[i]->d_name) < 0 ? -1 : tables + 1;
        free(entries[i]);
    }
    free(entries);
    return tables;
}

/* ---- facts */

/* Where facts go: to the sink of a backup, or to the report of a probe. */
struct facts {
    const struct fake_database *db;
    const char *folder;
    struct backstay_sink *sink;
    struct backstay_report *report;
};

static void tell(const struct facts *facts, const char *name, unsigned long long number)
{
    char value[24];

    (void)snprintf(value, sizeof value, "%llu", number);
    if (facts->sink && misbehaves(facts->db, "no_facts"))
        return;
    if (facts->sink)
        (void)facts->sink->fact(facts->sink, name, value);
    else
        facts->report->fact(facts->report, name, value);
}

static void tell_table(const struct facts *facts, const char *table, const char *data, ssize_t len)
{
    const char *version = facts->db->version ? facts->db->version : "1";
    unsigned long long rows = 0;
    unsigned long long digest = 0;
    char name[NAME_MAX + 64];

    for (ssize_t i = 0; i < len; i++) {
        rows += data[i] == '\n';
        digest = digest * 31 + (unsigned char)data[i];
    }
    (void)snprintf(name, sizeof name, "table:%s:rows", table);
    tell(facts, name, rows);
    (void)snprintf(name, sizeof name, "table:%s:digest@%s", table, version);
    tell(facts, name, digest);
}

static int probe_table(void *ctx, const char *table)
{
    const struct facts *facts = ctx;
    char *data;
    ssize_t len = read_table(facts->folder, table, &data);

    if (len >= 0)
        tell_table(facts, table, data, len);
    free(data);
    return len < 0 ? -1 : 0;
}

static int fake_probe(void *self, const struct backstay_target *target,
                      struct backstay_report *report, struct backstay_error *err)
{
    const struct fake_database *db = self;
    struct facts facts = {
        .db = db, .folder = target ? folder_of(target->location) : db->folder, .report = report};

    if (misbehaves(db, "fail_probe"))
        return fail_with(err, "ask the copy", "connection lost");
    int tables = each_table(facts.folder, probe_table, &facts);
    if (tables < 0)
        return fail_with(err, facts.folder, strerror(errno));
    tell(&facts, "count:tables", (unsigned long long)tables);
    return 0;
}

static int has_option(const struct backstay_target *target, const char *key, const char *value)
{
    for (uint32_t i = 0; i < target->n_options; i++)
        if (strcmp(target->options[i].key, key) == 0 &&
            (value == NULL || strcmp(target->options[i].value, value) == 0))
            return 1;
    return 0;
}

static int chosen(const struct backstay_target *target, const char *table)
{
    return !has_option(target, "table", NULL) || has_option(target, "table", table);
}

static int fake_covers(void *self, const struct backstay_target *target, const char *fact)
{
    char table[NAME_MAX + 1];

    (void)self;
    if (strncmp(fact, "table:", 6) != 0)
        return !has_option(target, "table", NULL);
    (void)snprintf(table, sizeof table, "%.*s", (int)strcspn(fact + 6, ":"), fact + 6);
    return chosen(target, table) && !has_option(target, "schema_only", NULL);
}

/* ---- backup */

static int send_table(void *ctx, const char *table)
{
    const struct facts *facts = ctx;
    char *data;
    ssize_t len = read_table(facts->folder, table, &data);
    const struct backstay_entry entry = {.size = sizeof entry,
                                         .type = BACKSTAY_FILE,
                                         .path = table,
                                         .path_len = strlen(table),
                                         .bytes = (uint64_t)len};

    if (len >= 0)
        tell_table(facts, table, data, len);
    int rc = len < 0 ? -1 : facts->sink->whole(facts->sink, &entry, data, (size_t)len, NULL, 0);
    free(data);
    return rc;
}

static int fake_backup(void *self, struct backstay_sink *sink, struct backstay_error *err)
{
    const struct fake_database *db = self;
    struct facts facts = {.db = db, .folder = db->folder, .sink = sink};
    int tables = each_table(db->folder, send_table, &facts);

    if (tables < 0)
        return fail_with(err, db->folder, strerror(errno));
    tell(&facts, "count:tables", (unsigned long long)tables);
    return 0;
}

/* ---- restore */

static int restore_table(const struct fake_database *db, const char *folder,
                         struct backstay_feed *feed, uint64_t index, const char *table)
{
    char *data = malloc(TABLE_MAX);
    struct backstay_reader *reader = NULL;
    size_t len = 0;
    ssize_t n = -1;

    if (data && feed->open(feed, index, &reader) == 0) {
        while ((n = feed->read(feed, reader, data + len, TABLE_MAX - len)) > 0)
            len += (size_t)n;
        feed->close(feed, reader);
    }
    if (n == 0 && len && misbehaves(db, "lose_row"))
        for (len--; len && data[len - 1] != '\n'; len--)
            ;
    if (n == 0 && len && misbehaves(db, "change_value"))
        data[0] ^= 1;
    int rc = n == 0 ? write_table(folder, table, data, len) : 0;
    free(data);
    if (n == 0)
        feed->done(feed, index, 0);
    return rc;
}

static int wait_for_cancel(const struct fake_database *db)
{
    for (int i = 0; i < 200 && db->host && !db->host->cancelled(db->host); i++)
        (void)usleep(50000);
    return -1;
}

static int restore_chosen(const struct fake_database *db, const struct backstay_target *target,
                          struct backstay_feed *feed, struct backstay_error *err)
{
    struct backstay_cursor *cursor = feed->cursor_open(feed);
    const char *folder = folder_of(target->location);
    int rc = 0;

    for (uint64_t i = 0; i < feed->n_entries && rc == 0; i++) {
        const struct backstay_entry *entry = feed->entry(feed, cursor, i);
        if (entry == NULL || (i == feed->n_entries / 2 && misbehaves(db, "fail_restore"))) {
            rc = fail_with(err, folder, "the connection was lost");
            break;
        }
        if (chosen(target, entry->path) && !target->dry_run)
            rc = restore_table(db, folder, feed, i, entry->path);
        if (rc < 0)
            (void)fail_with(err, folder, strerror(errno));
    }
    feed->cursor_close(feed, cursor);
    return rc;
}

static int fake_restore(void *self, const struct backstay_target *target,
                        struct backstay_feed *feed, struct backstay_error *err)
{
    const struct fake_database *db = self;
    const char *folder = folder_of(target->location);

    if (misbehaves(db, "wait"))
        return wait_for_cancel(db);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return fail_with(err, folder, strerror(errno));
    if (has_option(target, "replace", NULL) &&
        !has_option(target, "replace", strrchr(folder, '/') + 1)) {
        err->kind = BACKSTAY_ERR_CONFIG;
        (void)snprintf(err->text, sizeof err->text, "that is not the name of the database");
        return -1;
    }
    if (misbehaves(db, "add_table") && write_table(folder, "surprise", "1\n", 2) < 0)
        return fail_with(err, folder, strerror(errno));
    return restore_chosen(db, target, feed, err);
}

/* ---- scratch places */

static int fake_scratch_create(void *self, struct backstay_scratch *out, struct backstay_error *err)
{
    const struct fake_database *db = self;

    if (misbehaves(db, "fail_scratch"))
        return fail_with(err, "make a scratch place", "no room");
    (void)snprintf(out->location, sizeof out->location, "%s/scratch-XXXXXX", db->scratch_parent);
    if (mkdtemp(out->location) == NULL)
        return fail_with(err, out->location, strerror(errno));
    (void)snprintf(out->marker, sizeof out->marker, "%.100s", strrchr(out->location, '/') + 1);
    (void)snprintf(out->hint, sizeof out->hint, "ls %.400s", out->location);
    return 0;
}

static int remove_table(void *ctx, const char *table)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/%s", (const char *)ctx, table);
    return unlink(path);
}

static int fake_scratch_remove(void *self, const struct backstay_scratch *scratch,
                               struct backstay_error *err)
{
    const struct fake_database *db = self;
    char folder[PATH_MAX];

    (void)snprintf(folder, sizeof folder, "%s/%s", db->scratch_parent, scratch->marker);
    if (misbehaves(db, "fail_remove"))
        return fail_with(err, folder, "busy");
    if (strncmp(scratch->marker, "scratch-", 8) != 0 || strchr(scratch->marker, '/') ||
        each_table(folder, remove_table, folder) < 0 || rmdir(folder) != 0)
        return fail_with(err, scratch->marker, "there is no such scratch place");
    return 0;
}

/* ---- preflight */

static int fake_check(void *self, struct backstay_report *report, struct backstay_error *err)
{
    const struct fake_database *db = self;

    if (misbehaves(db, "fail_check"))
        return fail_with(err, db->folder, "connection refused");
    report->finding(report, BACKSTAY_OK, "connection", "%s answers", db->folder);
    report->finding(report, BACKSTAY_INFO, "version", "%s", db->version ? db->version : "1");
    if (misbehaves(db, "warn_check") || misbehaves(db, "bad_check"))
        report->finding(report, BACKSTAY_WARNING, "rows", "some cannot be seen; run\nGRANT a;");
    if (misbehaves(db, "bad_check"))
        report->finding(report, BACKSTAY_BAD, "rights", "table orders cannot be read");
    return 0;
}

const struct backstay_source *fake_database_ops(void)
{
    static const struct backstay_option rows[] = {
        {.size = sizeof rows[0],
         .type = BACKSTAY_OPTION_LIST,
         .name = "table",
         .help = "Only these tables"},
        {.size = sizeof rows[0],
         .type = BACKSTAY_OPTION_BOOL,
         .name = "schema_only",
         .help = "No rows"},
        {.size = sizeof rows[0],
         .type = BACKSTAY_OPTION_STRING,
         .name = "replace",
         .help = "The name of the database that is replaced"},
    };
    static const struct backstay_option *const options[] = {&rows[0], &rows[1], &rows[2]};
    static const struct backstay_source ops = {
        .size = sizeof ops,
        .check = fake_check,
        .backup = fake_backup,
        .restore = fake_restore,
        .probe = fake_probe,
        .scratch_create = fake_scratch_create,
        .scratch_remove = fake_scratch_remove,
        .restore_options = options,
        .n_restore_options = sizeof options / sizeof options[0],
        .covers = fake_covers,
    };

    return &ops;
}
