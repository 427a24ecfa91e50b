/* plugins/source/postgres/dump.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * schema.dump: what pg_dump knows, in our snapshot and without rows. Its exit code is not taken for
 * a proof: it counts when pg_restore has read what was written.
 */
#include "child.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Long enough for whatever is short, short enough not to stall others behind us. */
#define LOCK_WAIT "--lock-wait-timeout=3000"

struct dump {
    struct pg_run *run;
    struct backstay_stream *stream;
    struct backstay_error *err;
    uint64_t bytes;
    char *copy; /* the path of what pg_restore is to read, and its file */
    int fd;
};

struct arguments {
    char **items;
    size_t n;
    size_t cap;
};

static void add(struct arguments *args, char *text)
{
    args->items = plug_grow(args->items, &args->cap, args->n + 2, sizeof *args->items);
    args->items[args->n++] = text;
    args->items[args->n] = NULL;
}

/* ---- what is left out: by exact names, so that our patterns alone decide */

static int leave_out_schemas(const struct pg *pg, struct pg_conn *conn, struct arguments *args,
                             struct backstay_error *err)
{
    if (pg->schemas.n == 0 && pg->exclude_schemas.n == 0)
        return 0;
    PGresult *rows = pg_query(conn, err,
                              "SELECT nspname FROM pg_catalog.pg_namespace"
                              " WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'",
                              NULL, 0);
    if (rows == NULL)
        return -1;
    for (int i = 0; i < PQntuples(rows); i++) {
        PLUG_AUTO_BYTES struct plug_bytes name = {0};
        pg_add_ident(&name, pg_cell(rows, i, 0));
        if (!pg_wants_schema(pg, pg_cell(rows, i, 0)))
            add(args, plug_strf("--exclude-schema=%s", name.data));
    }
    PQclear(rows);
    return 0;
}

static int choose_tables(const struct pg *pg, struct pg_conn *conn, struct arguments *args,
                         struct backstay_error *err)
{
    if (pg->tables.n == 0 && pg->exclude_tables.n == 0)
        return 0;
    PGresult *rows =
        pg_query(conn, err,
                 "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c"
                 " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                 " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_'"
                 " AND n.nspname <> 'information_schema'",
                 NULL, 0);
    if (rows == NULL)
        return -1;
    for (int i = 0; i < PQntuples(rows); i++) {
        PLUG_AUTO_FREE char *name = pg_qualified(pg_cell(rows, i, 0), pg_cell(rows, i, 1));
        bool wanted = pg_wants_table(pg, pg_cell(rows, i, 0), pg_cell(rows, i, 1));
        if (wanted && pg->tables.n)
            add(args, plug_strf("--table=%s", name));
        else if (!wanted && pg->tables.n == 0)
            add(args, plug_strf("--exclude-table=%s", name));
    }
    PQclear(rows);
    return 0;
}

int pg_dump_prepare(struct pg_run *run, struct backstay_error *err)
{
    static const char *const fixed[] = {"--format=custom", "--compress=0", "--section=pre-data",
                                        "--section=post-data", LOCK_WAIT};
    const char *no_large_objects = run->dump.major < 16 ? "--no-blobs" : "--no-large-objects";
    struct arguments args = {0};

    for (size_t i = 0; i < PLUG_COUNT(fixed); i++)
        add(&args, plug_strdup(fixed[i]));
    add(&args, plug_strdup(no_large_objects));
    /* As all that we send and read. Bytes of no encoding cannot be converted. */
    if (strcmp(run->hold.encoding, "SQL_ASCII") != 0)
        add(&args, plug_strdup("--encoding=UTF8"));
    add(&args, plug_strf("--snapshot=%s", run->hold.snapshot));
    int r = leave_out_schemas(run->pg, run->hold.control, &args, err);
    if (r == 0)
        r = choose_tables(run->pg, run->hold.control, &args, err);
    run->dump_args = args.items;
    return r;
}

/* ---- the copy that pg_restore reads */

static int is_stopped(void *ctx)
{
    const struct dump *dump = ctx;

    return atomic_load(&dump->run->crew.stopped);
}

static int fail_copy(struct dump *dump, const char *what)
{
    const struct backstay_host *host = dump->run->pg->host;

    return host->fail(host, dump->err, errno == ENOSPC ? BACKSTAY_ERR_SPACE : BACKSTAY_ERR_IO,
                      "%s %s: %s", what, dump->copy, strerrordesc_np(errno));
}

static int open_copy(struct dump *dump)
{
    dump->copy = plug_strf("%s/dump.check", dump->run->pg->host->scratch_dir);
    dump->fd = open(dump->copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return dump->fd < 0 ? fail_copy(dump, "create") : 0;
}

static int write_copy(struct dump *dump, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(dump->fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_copy(dump, "write");
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

static void close_copy(struct dump *dump)
{
    if (dump->fd >= 0) {
        close(dump->fd);
        (void)unlink(dump->copy);
    }
    free(dump->copy);
}

/* There are no rows in it, so its list of contents is all of it. */
static int check_copy(struct dump *dump)
{
    const struct pg_run *run = dump->run;
    const struct backstay_host *host = run->pg->host;
    const char *const argv[] = {run->reader.path, "--list", dump->copy, NULL};
    const char *const env[] = {"LC_MESSAGES=C", "LC_ALL=C.UTF-8", NULL};
    struct plug_child child = {
        .argv = argv, .env = env, .host = host, .stopped = is_stopped, .ctx = dump};
    int r = plug_child_run(&child, dump->err);

    if (r > 0) {
        PLUG_AUTO_FREE char *why = plug_child_why(&child);
        r = host->fail(host, dump->err, BACKSTAY_ERR_IO,
                       "%s: %s ended without an error, but %s cannot read what it wrote (%s); run "
                       "it by hand to see what is wrong with it",
                       run->hold.control->label, run->dump.path, run->reader.path, why);
    }
    plug_bytes_free(&child.said);
    return r;
}

/* ---- the entry */

static int receive(void *ctx, const void *data, size_t len)
{
    struct dump *dump = ctx;
    struct backstay_sink *sink = dump->run->sink;

    if (atomic_load(&dump->run->crew.stopped) || write_copy(dump, data, len) != 0)
        return -1;
    dump->bytes += len;
    return sink->write(sink, dump->stream, data, len);
}

static int record(struct dump *dump, const char *path)
{
    struct backstay_sink *sink = dump->run->sink;
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    const struct backstay_entry entry = {
        .size = sizeof entry,
        .type = BACKSTAY_FILE,
        .flags = BACKSTAY_ENTRY_HAS_MODE,
        .mode = 0600,
        .path = path,
        .path_len = strlen(path),
        .bytes = dump->bytes,
        .mtime_s = now.tv_sec,
        .uid = (uint32_t)geteuid(),
        .gid = (uint32_t)getegid(),
    };
    struct backstay_stream *stream = dump->stream;
    dump->stream = NULL;
    return sink->end(sink, stream, &entry, NULL, 0);
}

static bool has_one_of(const char *said, const char *const *words, size_t n)
{
    for (size_t i = 0; said && i < n; i++)
        if (strstr(said, words[i]))
            return true;
    return false;
}

/* Its message is the only thing that tells a lock that was not to be had from other failures; the
 * only statement timeout that it sets is the one around its locks. */
static bool is_lock_timeout(const char *said)
{
    static const char *const words[] = {"statement timeout", "lock timeout", "deadlock detected"};

    return has_one_of(said, words, PLUG_COUNT(words));
}

/* Views, sequences and functions are not locked by anybody: one that the snapshot has may be gone
 * when its definition is asked for. */
static bool is_gone(const char *said)
{
    static const char *const words[] = {"could not open relation with OID", "cache lookup failed",
                                        "does not exist", "appears to be empty",
                                        "returned no data"};

    return has_one_of(said, words, PLUG_COUNT(words));
}

static int fail_gone(const struct pg_run *run, const char *said, struct backstay_error *err)
{
    (void)run->pg->host->fail(run->pg->host, err, BACKSTAY_ERR_TRANSIENT,
                              "%s: something was dropped while pg_dump read its definition (%s); "
                              "run the backup at another time than such changes, or raise "
                              "\"lock_timeout\" for more tries",
                              run->hold.control->label, said);
    return 1;
}

int pg_dump_schema(struct pg_run *run, struct backstay_error *err)
{
    const struct backstay_host *host = run->pg->host;
    PLUG_AUTO_FREE char *path = plug_strf("%sschema.dump", run->folder);
    PLUG_AUTO_FREE char *said = NULL;
    struct dump dump = {.run = run, .err = err, .fd = -1};
    const struct pg_tool_run tool = {.tool = &run->dump,
                                     .conn = run->hold.control,
                                     .args = (const char *const *)run->dump_args,
                                     .output = receive,
                                     .stopped = is_stopped,
                                     .ctx = &dump};
    struct backstay_sink *sink = run->sink;
    int r = -1;

    err->kind = BACKSTAY_ERR_NONE;
    if (open_copy(&dump) == 0 && sink->begin(sink, path, strlen(path), &dump.stream) == 0)
        r = pg_tool_run(&tool, &said, err);
    if (r > 0)
        r = is_lock_timeout(said) ? 1 : is_gone(said) ? fail_gone(run, said, err) : -1;
    if (r == 0)
        r = check_copy(&dump);
    if (r == 0)
        r = pg_dump_kept(run, err);
    if (r == 0 && (pg_run_claim(run) != 0 || record(&dump, path) != 0))
        r = -1;
    if (r < 0 && err->kind == BACKSTAY_ERR_NONE)
        (void)host->fail(host, err, BACKSTAY_ERR_CANCELLED, "stopped");
    if (dump.stream)
        sink->abort(sink, dump.stream);
    close_copy(&dump);
    return r;
}
