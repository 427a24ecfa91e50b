/* plugins/source/mysql/restore.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "restore.h"

#include "objects.h"
#include "script.h"

#include <stdlib.h>
#include <string.h>

/* ---- tables and rows */

static bool all_ours(const struct my_run_back *run)
{
    for (size_t i = 0; i < run->n_databases; i++)
        if (!run->databases[i].into.created)
            return false;
    return true;
}

static int enter(void *ctx, void **own, struct backstay_error *err)
{
    struct my_run_back *run = ctx;
    struct my_conn *conn;

    if (my_target_connect(&run->target, all_ours(run), &conn, err) != 0)
        return -1;
    conn->stop = &run->tasks.stopped;
    *own = conn;
    return 0;
}

static void leave(void *ctx, void *own)
{
    (void)ctx;
    my_disconnect(own);
}

/* Rows or a statement that the server refused keep no others from being looked at; everything else
 * hits the other tasks as well. A database without some of its rows is not restored: its first
 * failure is what the restore answers, and the rows of other tables are loaded only to find out
 * about them. Of chosen tables, those that can be restored are. */
static bool task_failed(void *ctx, struct plug_task *task, const struct backstay_error *err)
{
    struct my_run_back *run = ctx;
    const struct my_restoring *restoring = task->ctx;
    bool one = err->kind == BACKSTAY_ERR_IO || err->kind == BACKSTAY_ERR_CORRUPT;
    bool whole = run->wish->n_tables == 0;

    if (one && (run->n_failed++ > 0 || !whole))
        run->feed->problem(run->feed, restoring->saved->about, "%s", err->text);
    if (whole)
        atomic_store(&run->rows_missing, true);
    return one;
}

static int do_tasks(struct my_run_back *run, struct backstay_error *err)
{
    run->tasks.host = run->host;
    run->tasks.jobs = run->wish->jobs;
    run->tasks.enter = enter;
    run->tasks.leave = leave;
    run->tasks.failed = task_failed;
    run->tasks.ctx = run;
    my_load_add(run);
    int r = plug_tasks_run(&run->tasks, err);
    if (r != 0 && run->wish->n_tables > 0 && !atomic_load(&run->tasks.stopped))
        return 0;
    return r;
}

/* ---- before and after them */

static int set_sequences(const struct my_restoring *restoring, struct backstay_error *err)
{
    struct my_conn *conn = restoring->run->target.conn;
    const json_t *sequence;

    for (size_t i = 0;
         (sequence = my_object_next(restoring->saved->objects, "sequence", &i)) != NULL;) {
        const char *name = plug_json_get(sequence, "name");
        PLUG_AUTO_FREE char *into = my_qualified(restoring->into.name, name);
        PLUG_AUTO_BYTES struct plug_bytes sql = {0};
        if (!my_restore_wants_object((void *)(uintptr_t)restoring, "sequence", name, ""))
            continue;
        my_script_sequence(&sql, sequence, into);
        if (my_run(conn, err, sql.data) != 0)
            return -1;
    }
    return 0;
}

static int make_before(struct my_run_back *run, struct backstay_error *err)
{
    for (size_t i = 0; i < run->n_databases; i++) {
        struct my_restoring *restoring = &run->databases[i];
        if (my_into_make(&restoring->into, &restoring->apply, err) != 0)
            return -1;
        int r = run->wish->data_only ? set_sequences(restoring, err)
                                     : my_apply_sequences(run->target.conn, &restoring->apply, err);
        if (r != 0)
            return -1;
    }
    return 0;
}

static int put_in_place(struct my_run_back *run, struct backstay_error *err)
{
    for (size_t i = 0; i < run->n_databases; i++) {
        struct my_restoring *restoring = &run->databases[i];
        if (restoring->into.exists && run->wish->replace &&
            my_into_replace(&restoring->into, &restoring->apply, err) != 0)
            return -1;
    }
    return 0;
}

static int restore_databases(struct my_run_back *run, struct backstay_error *err)
{
    if (make_before(run, err) == 0 && do_tasks(run, err) == 0 && my_restore_after(run, err) == 0 &&
        put_in_place(run, err) == 0)
        return 0;
    for (size_t i = 0; i < run->n_databases; i++)
        my_into_abandon(&run->databases[i].into, err);
    return -1;
}

/* ---- counting */

static bool ends(const struct backstay_entry *entry, const char *with)
{
    size_t len = strlen(with);

    return entry->path_len >= len && memcmp(entry->path + entry->path_len - len, with, len) == 0;
}

/* Rows were counted as they were loaded; of a dry run they count as what would be. */
static void count_entries(const struct my_restoring *restoring, bool rows)
{
    struct backstay_feed *feed = restoring->run->feed;
    const struct plug_folder *folder = restoring->saved->folder;
    struct backstay_cursor *cursor = feed->cursor_open(feed);

    for (uint64_t i = folder->first; i <= folder->last; i++) {
        const struct backstay_entry *entry = feed->entry(feed, cursor, i);
        if (entry && (ends(entry, ".sql") || ends(entry, ".json") || rows))
            feed->done(feed, i, 0);
    }
    feed->cursor_close(feed, cursor);
}

/* ---- one restore */

static int look(struct my_run_back *run, struct backstay_error *err)
{
    for (size_t i = 0; i < run->n_databases; i++) {
        struct my_restoring *restoring = &run->databases[i];
        const struct my_saved *saved = restoring->saved;
        if (my_into_open(&restoring->into, saved, err) != 0)
            return -1;
        restoring->apply = (struct my_apply){
            .tables = saved->tables,
            .objects = saved->objects,
            .from = saved->name,
            .into = restoring->into.name,
            .no_owner = run->wish->no_owner || run->target.scratch == MY_SCRATCH_DATABASES,
            /* What is made beside another database is made there again. */
            .no_events = run->target.scratch == MY_SCRATCH_DATABASES ||
                         strcmp(restoring->into.name, restoring->into.named) != 0,
            .wants = my_restore_wants_object,
            .ctx = restoring,
            .note = my_restore_note,
        };
        if (my_into_check(&restoring->into, saved, &restoring->apply, err) != 0)
            return -1;
    }
    return 0;
}

/* Who restores may not be who decides about accounts, and those that are there have their reasons.
 */
static void tell_accounts(const struct my_run_back *run)
{
    if (run->target.scratch == MY_SCRATCH_NONE && !my_wish_is_partial(run->wish) &&
        plug_folder_find(run->feed, "", "users.sql") != UINT64_MAX)
        run->host->log(run->host, BACKSTAY_LOG_NOTE,
                       "accounts and their rights are not restored; users.sql of the snapshot has "
                       "the statements that make them");
}

static int restore_all(struct my_run_back *run, bool dry, struct backstay_error *err)
{
    if (my_saved_read(&run->saved, run->feed, run->host, err) != 0 ||
        my_target_open(&run->target, err) != 0 || my_restore_choose(run, err) != 0 ||
        look(run, err) != 0 || (!dry && restore_databases(run, err) != 0))
        return -1;
    for (size_t i = 0; i < run->n_databases; i++) {
        count_entries(&run->databases[i], dry);
        my_copies_add(run->my, run->databases[i].saved->name, run->databases[i].into.named,
                      run->saved.n > 1);
    }
    tell_accounts(run);
    return 0;
}

static void free_run(struct my_run_back *run)
{
    for (size_t i = 0; i < run->n_databases; i++) {
        my_load_free(&run->databases[i]);
        json_decref(run->databases[i].views);
        my_into_close(&run->databases[i].into);
    }
    free(run->databases);
    plug_tasks_free(&run->tasks);
    my_target_close(&run->target);
    my_saved_free(&run->saved);
}

int my_restore(void *self, const struct backstay_target *target, struct backstay_feed *feed,
               struct backstay_error *err)
{
    struct my *my = self;
    struct my_wish wish;

    my_copies_clear(my);
    if (my_wish_read(&wish, my, target, err) != 0)
        return -1;
    struct my_run_back run = {
        .my = my,
        .host = my->host,
        .wish = &wish,
        .feed = feed,
        .target = {.my = my, .host = my->host, .wish = &wish, .location = target->location},
    };
    int r = restore_all(&run, target->dry_run, err);
    PLUG_AUTO_FREE char *ended = r != 0 ? my_scratch_ended(my, target->location) : NULL;
    if (ended) {
        PLUG_AUTO_FREE char *why = plug_strdup(err->text);
        r = my->host->fail(my->host, err, err->kind, "%s; the scratch instance has ended: %s", why,
                           ended);
    }
    free_run(&run);
    my_wish_free(&wish);
    return r;
}
