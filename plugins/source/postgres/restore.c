/* plugins/source/postgres/restore.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- schema.dump */

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno != EINTR)
            return -1;
        data += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* pg_restore wants a file that it can read in any order. */
static int copy_archive(struct pg_restoring *restoring, struct backstay_error *err)
{
    enum { ARCHIVE_MAX = 1 << 30 };
    const struct backstay_host *host = restoring->host;
    PLUG_AUTO_BYTES struct plug_bytes content = {0};

    if (plug_receive(restoring->feed, restoring->saved->schema, ARCHIVE_MAX, &content, host, err) !=
        0)
        return -1;
    restoring->archive = plug_strf("%s/schema.dump", host->scratch_dir);
    int fd = open(restoring->archive, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int r = fd < 0 ? -1 : write_all(fd, content.data, content.len);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (r != 0)
        return host->fail(host, err, error == ENOSPC ? BACKSTAY_ERR_SPACE : BACKSTAY_ERR_IO,
                          "write %s: %s", restoring->archive, strerrordesc_np(error));
    return 0;
}

static int read_items(struct pg_restoring *restoring, struct backstay_error *err)
{
    struct pg_toc_options options = {
        .host = restoring->host,
        .tool = &restoring->tool,
        .archive = restoring->archive,
        .section = "pre-data",
        .no_owner = restoring->wish->no_owner,
        .no_tablespaces = restoring->into.scratch != PG_SCRATCH_NONE,
    };

    if (pg_toc_read(&restoring->before, &options, err) != 0)
        return -1;
    options.section = "post-data";
    return pg_toc_read(&restoring->after, &options, err);
}

/* That of the target where there is one: what a newer one writes, it may not understand. But none
 * older than the pg_dump that wrote the archive. */
static int find_tool(struct pg_restoring *restoring, struct backstay_error *err)
{
    const json_t *version = json_object_get(restoring->saved->database, "dump_version");
    int dump = (int)json_integer_value(version) / 10000;
    int least = PLUG_MAX(dump, restoring->into.server->major);

    if (pg_tool_find(&restoring->tool, restoring->host, "pg_restore", least, restoring->pg->bin,
                     err) == 0)
        return 0;
    if (dump >= least || dump == 0)
        return -1;
    return pg_tool_find(&restoring->tool, restoring->host, "pg_restore", dump, restoring->pg->bin,
                        err);
}

/* ---- pre-data */

/* What belongs to the database's owner on one server may belong to the system on another. And who
 * gives a security label its meaning is a library of the server, which not every one has loaded. */
static bool may_fail(const struct pg_item *item, const struct pg_conn *conn)
{
    if (pg_item_is(item, "SECURITY LABEL") && pg_error_is(conn, "22023"))
        return true;
    return pg_error_is(conn, "42501") && (strcmp(item->label, "SCHEMA public") == 0 ||
                                          strncmp(item->label, "COMMENT EXTENSION ", 18) == 0 ||
                                          strcmp(item->label, "COMMENT SCHEMA public") == 0 ||
                                          strcmp(item->label, "ACL SCHEMA public") == 0);
}

static int make_item(struct pg_restoring *restoring, const struct pg_item *item, bool whole,
                     struct backstay_error *err)
{
    struct pg_conn *conn = restoring->into.conn;

    if (whole && pg_run(conn, err, "SAVEPOINT item") != 0)
        return -1;
    int r = pg_item_make(item, conn, err);
    if (r < 0 && !may_fail(item, conn))
        return -1;
    if (r < 0)
        restoring->host->log(restoring->host, BACKSTAY_LOG_WARN, "%s", err->text);
    if (!whole)
        return 0;
    return pg_run(conn, err, r == 0 ? "RELEASE item" : "ROLLBACK TO item");
}

/* Many items at once take one journey and one transaction. When that fails, they are made one by
 * one, to know which it is. */
static int make_some(struct pg_restoring *restoring, size_t first, size_t n, bool whole,
                     struct backstay_error *err)
{
    const struct pg_item *items = restoring->before.items + first;
    struct pg_conn *conn = restoring->into.conn;
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    for (size_t i = 0; i < n; i++)
        plug_bytes_format(&sql, "%s\n", items[i].sql);
    if (whole && pg_run(conn, err, "SAVEPOINT item") != 0)
        return -1;
    if (pg_run(conn, err, sql.data) == 0)
        return whole ? pg_run(conn, err, "RELEASE item") : 0;
    if (PQstatus(conn->pq) == CONNECTION_BAD || err->kind == BACKSTAY_ERR_CANCELLED ||
        (whole && pg_run(conn, err, "ROLLBACK TO item; RELEASE item") != 0))
        return -1;
    for (size_t i = 0; i < n; i++)
        if (make_item(restoring, &items[i], whole, err) != 0)
            return -1;
    return 0;
}

static int make_before(struct pg_restoring *restoring, struct backstay_error *err)
{
    enum { TOGETHER = 50 };
    struct pg_conn *conn = restoring->into.conn;
    const struct pg_toc *toc = &restoring->before;
    /* A database of ours is removed when this fails. Thousands of tables in one transaction would
     * need more locks than a server has room for. */
    bool whole = !restoring->into.created;
    int r = pg_toc_prepare(toc, conn, err);

    if (r == 0)
        r = pg_run(conn, err, whole ? "BEGIN" : "SET synchronous_commit = off");
    for (size_t i = 0; i < toc->n && r == 0; i += TOGETHER)
        r = make_some(restoring, i, PLUG_MIN((size_t)TOGETHER, toc->n - i), whole, err);
    if (r == 0)
        r = pg_run(conn, err, whole ? "COMMIT" : "RESET synchronous_commit");
    return r;
}

/* ---- rows and what comes after them */

/* Foreign keys and triggers of tables that are there already. When the role may not do this, there
 * are none: that was looked at before. */
static int set_guards_aside(const struct pg_restoring *restoring, struct pg_conn *conn,
                            struct backstay_error *err)
{
    if (!restoring->wish->data_only ||
        pg_run(conn, err, "SET session_replication_role = replica") == 0 ||
        pg_error_is(conn, "42501"))
        return 0;
    return -1;
}

static int enter(void *ctx, void **own, struct backstay_error *err)
{
    const struct pg_restoring *restoring = ctx;
    struct pg_conn *conn;

    if (pg_into_connect(&restoring->into, &conn, err) != 0)
        return -1;
    conn->stop = &restoring->work.stopped;
    *own = conn;
    if (pg_toc_prepare(&restoring->after, conn, err) == 0 &&
        pg_run(conn, err, "SET synchronous_commit = off") == 0 &&
        set_guards_aside(restoring, conn, err) == 0)
        return 0;
    pg_disconnect(conn);
    return -1;
}

static void leave(void *ctx, void *own)
{
    (void)ctx;
    pg_disconnect(own);
}

/* Rows or an item that the server refused keep no others from being looked at; everything else hits
 * the other tasks as well. A database without some of its rows is not restored: its first failure
 * is what the restore answers, and the rows of other tables are loaded only to find out about them.
 * Of chosen tables, those that can be restored are. */
static bool task_failed(void *ctx, struct plug_task *task, const struct backstay_error *err)
{
    struct pg_restoring *restoring = ctx;
    struct backstay_feed *feed = restoring->feed;

    (void)task;
    bool one = err->kind == BACKSTAY_ERR_IO || err->kind == BACKSTAY_ERR_CORRUPT;
    bool whole = restoring->wish->n_tables == 0;

    if (one && (restoring->n_failed++ > 0 || !whole))
        feed->problem(feed, restoring->saved->schema, "%s", err->text);
    if (whole)
        atomic_store(&restoring->rows_missing, true);
    return one;
}

static int do_work(struct pg_restoring *restoring, struct backstay_error *err)
{
    restoring->work = (struct plug_tasks){
        .host = restoring->host,
        .jobs = restoring->wish->jobs,
        .enter = enter,
        .leave = leave,
        .failed = task_failed,
        .ctx = restoring,
    };
    if (!restoring->wish->schema_only) {
        if (pg_load_plan(restoring, err) != 0 || pg_post_plan(restoring, err) != 0)
            return -1;
        pg_load_add(restoring);
        if (restoring->wish->n_tables == 0)
            pg_load_add_objects(restoring);
    }
    pg_post_add(restoring);
    int r = plug_tasks_run(&restoring->work, err);
    if (r != 0 && restoring->wish->n_tables > 0 && !atomic_load(&restoring->work.stopped))
        return 0;
    return r;
}

/* ---- what is beside tables */

/* Labels of the tables whose sequences are set; NULL: all. */
static json_t *chosen_labels(const struct pg_restoring *restoring)
{
    json_t *labels;
    size_t i;
    json_t *table;

    if (restoring->wish->n_tables == 0)
        return NULL;
    labels = json_array();
    json_array_foreach(restoring->saved->tables, i, table)
    {
        if (pg_into_wants(&restoring->into, table))
            (void)json_array_append(labels, json_object_get(table, "label"));
    }
    return labels;
}

static int load_rest(struct pg_restoring *restoring, struct backstay_error *err)
{
    struct pg_conn *conn = restoring->into.conn;
    json_t *labels = chosen_labels(restoring);
    int r = 0;

    if (!restoring->wish->schema_only && restoring->saved->sequences)
        r = pg_sequences_apply(conn, restoring->saved->sequences, labels, err);
    if (r == 0 && restoring->into.created && !restoring->wish->schema_only)
        r = pg_post_analyze_rest(restoring, err);
    json_decref(labels);
    return r;
}

/* ---- one database */

static int restore_database(struct pg_restoring *restoring, struct backstay_error *err)
{
    struct pg_into *into = &restoring->into;

    if (pg_into_make(into, restoring->saved, err) != 0 || make_before(restoring, err) != 0 ||
        do_work(restoring, err) != 0 || load_rest(restoring, err) != 0 ||
        pg_into_finish(into, restoring->saved, err) != 0) {
        pg_into_abandon(into, err);
        return -1;
    }
    return 0;
}

static void count_entry(const struct pg_restoring *restoring, const char *name)
{
    uint64_t index = pg_saved_find(restoring->saved, restoring->feed, name);

    if (index != UINT64_MAX)
        restoring->feed->done(restoring->feed, index, 0);
}

/* Rows and large objects were counted as they were loaded. */
static void count_documents(const struct pg_restoring *restoring)
{
    static const char *const names[] = {"database.json",  "schema.dump", "tables.json",
                                        "sequences.json", "load.sh",     "large-objects.json"};

    for (size_t i = 0; i < PLUG_COUNT(names); i++)
        count_entry(restoring, names[i]);
}

/* Of a dry run: what would have been loaded. */
static void count_rows(const struct pg_restoring *restoring)
{
    size_t i;
    size_t k;
    json_t *table;
    json_t *file;

    if (restoring->wish->schema_only)
        return;
    json_array_foreach(restoring->saved->tables, i, table)
    {
        json_array_foreach(json_object_get(table, "files"), k, file)
        {
            if (pg_into_wants(&restoring->into, table))
                count_entry(restoring, plug_json_get(file, "path"));
        }
    }
    json_array_foreach(restoring->saved->objects, i, table)
    {
        PLUG_AUTO_FREE char *name = pg_load_object_path(table);
        if (restoring->wish->n_tables == 0)
            count_entry(restoring, name);
    }
}

static void free_restoring(struct pg_restoring *restoring)
{
    for (size_t i = 0; i < restoring->n_tables; i++) {
        free(restoring->tables[i].qualified);
        free(restoring->tables[i].root);
    }
    free(restoring->tables);
    free(restoring->streams);
    free(restoring->batches);
    free(restoring->analyses);
    plug_tasks_free(&restoring->work);
    pg_toc_free(&restoring->before);
    pg_toc_free(&restoring->after);
    pg_tool_free(&restoring->tool);
    if (restoring->archive)
        (void)unlink(restoring->archive);
    free(restoring->archive);
    pg_into_close(&restoring->into);
}

/* What is restored, as far as the archive says it. */
static int read_archive(struct pg_restoring *restoring, struct backstay_error *err)
{
    if (restoring->wish->data_only && restoring->wish->n_tables == 0)
        return 0;
    if (find_tool(restoring, err) != 0 || copy_archive(restoring, err) != 0 ||
        read_items(restoring, err) != 0)
        return -1;
    return pg_restore_choose(restoring, err);
}

static int restore_one(struct pg_restoring *restoring, const json_t *globals,
                       const struct backstay_target *target, struct backstay_error *err)
{
    if (pg_into_open(&restoring->into, restoring->saved, err) != 0 ||
        read_archive(restoring, err) != 0 ||
        pg_into_check(&restoring->into, restoring->saved, globals, err) != 0)
        return -1;
    if (target->dry_run)
        count_rows(restoring);
    else if (restore_database(restoring, err) != 0)
        return -1;
    count_documents(restoring);
    return 0;
}

/* ---- the whole */

static int choose(const struct pg_saved_list *list, const struct pg_wish *wish, bool scratch,
                  size_t *chosen, const struct backstay_host *host, struct backstay_error *err)
{
    for (size_t i = 0; wish->database && i < list->n; i++) {
        if (strcmp(list->items[i].name, wish->database) == 0) {
            *chosen = i;
            return 0;
        }
    }
    if (wish->database)
        return host->fail(host, err, BACKSTAY_ERR_CONFIG, "the snapshot has no database %s",
                          wish->database);
    *chosen = list->n == 1 ? 0 : SIZE_MAX;
    if (list->n > 1 && (wish->n_tables > 0 || !scratch))
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "the snapshot has %zu databases, such as %s and %s: choose one with "
                          "--database, or restore all of them into a scratch place",
                          list->n, list->items[0].name, list->items[1].name);
    return 0;
}

static int restore_all(struct pg *pg, const struct pg_wish *wish, struct pg_saved_list *list,
                       const struct backstay_target *target, struct backstay_feed *feed,
                       struct backstay_error *err)
{
    const struct backstay_host *host = pg->host;
    size_t chosen = SIZE_MAX;

    for (size_t i = 0; i < list->n; i++)
        if (pg_saved_load(&list->items[i], feed, host, err) != 0)
            return -1;
    if (choose(list, wish, pg_scratch_kind(target->location) != PG_SCRATCH_NONE, &chosen, host,
               err) != 0)
        return -1;
    for (size_t i = 0; i < list->n; i++) {
        if (chosen != SIZE_MAX && chosen != i)
            continue;
        struct pg_restoring restoring = {
            .pg = pg,
            .host = host,
            .wish = wish,
            .feed = feed,
            .saved = &list->items[i],
            .into = {.pg = pg, .host = host, .wish = wish, .url = target->location}};
        int r = restore_one(&restoring, list->globals, target, err);
        PLUG_AUTO_FREE char *prefix =
            list->n > 1 ? plug_strf("%s/", list->items[i].name) : plug_strdup("");
        if (r == 0) {
            pg_copies_add(pg, prefix, restoring.into.named);
            pg_covers_note(pg, restoring.saved->tables);
        }
        free_restoring(&restoring);
        if (r != 0)
            return -1;
    }
    return 0;
}

/* An instance that was ended, because it grew too large or too old, says so to nobody who was
 * connected to it. */
static void explain(const struct pg *pg, const struct backstay_target *target,
                    struct backstay_error *err)
{
    PLUG_AUTO_FREE char *ended =
        err->kind == BACKSTAY_ERR_TRANSIENT ? pg_scratch_ended(target->location) : NULL;

    if (ended)
        (void)pg->host->fail(pg->host, err, BACKSTAY_ERR_SPACE,
                             "the scratch instance was ended: %s", ended);
}

int pg_restore(void *self, const struct backstay_target *target, struct backstay_feed *feed,
               struct backstay_error *err)
{
    struct pg *pg = self;
    struct pg_wish wish;
    struct pg_saved_list list;

    pg_copies_clear(pg);
    if (pg_wish_read(&wish, pg, target, err) != 0)
        return -1;
    int r = pg_saved_read(&list, feed, pg->host, err);
    if (r == 0) {
        r = restore_all(pg, &wish, &list, target, feed, err);
        if (r == 0 && list.globals)
            feed->done(feed, list.globals_index, 0);
        if (r != 0)
            explain(pg, target, err);
        pg_saved_free(&list);
    }
    pg_wish_free(&wish);
    return r;
}
