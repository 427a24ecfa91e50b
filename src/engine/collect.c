/* src/engine/collect.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A record in memory and in a file has the same form: three lengths, then path, token and line. In
 * memory they lie in blocks; a table of pointers is sorted.
 */
#include "engine/collect.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1024 * 1024, READ_BYTES = 256 * 1024, LENGTHS = 3 * sizeof(uint32_t) };

/* A sorted run in an unlinked file, read through a window. */
struct run {
    int fd;
    uint64_t at; /* of the window's end in the file */
    struct stay_buf window;
    size_t used; /* of the window */
    struct stay_last_record record;
    bool done;
};

struct stay_collect {
    pthread_mutex_t mutex;
    char *scratch;
    size_t limit_bytes;
    size_t held_bytes;
    size_t count;
    STAY_VEC(char *) blocks;
    size_t block_used;
    size_t block_cap;
    STAY_VEC(const char *) records;
    STAY_VEC(struct run) runs;
};

int stay_path_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, STAY_MIN(a_len, b_len));

    if (order == 0)
        order = a_len < b_len ? -1 : a_len > b_len;
    return order;
}

struct stay_collect *stay_collect_new(const char *scratch, size_t limit_bytes)
{
    struct stay_collect *collect = stay_new(struct stay_collect);

    (void)pthread_mutex_init(&collect->mutex, NULL);
    collect->scratch = stay_strdup(scratch);
    collect->limit_bytes = STAY_MAX(limit_bytes, (size_t)BLOCK_BYTES); /* a run is a file */
    return collect;
}

static void drop_blocks(struct stay_collect *collect)
{
    for (size_t i = 0; i < collect->blocks.n; i++)
        free(collect->blocks.items[i]);
    collect->blocks.n = 0;
    collect->records.n = 0;
    collect->block_used = collect->block_cap = collect->held_bytes = 0;
}

void stay_collect_free(struct stay_collect *collect)
{
    if (collect == NULL)
        return;
    drop_blocks(collect);
    for (size_t i = 0; i < collect->runs.n; i++) {
        (void)close(collect->runs.items[i].fd);
        stay_buf_free(&collect->runs.items[i].window);
    }
    stay_vec_free(&collect->blocks);
    stay_vec_free(&collect->records);
    stay_vec_free(&collect->runs);
    (void)pthread_mutex_destroy(&collect->mutex);
    free(collect->scratch);
    free(collect);
}

static size_t stored_bytes(const struct stay_last_record *record)
{
    return LENGTHS + record->path_len + record->token_len + record->line_len;
}

static void store(char *to, const struct stay_last_record *record)
{
    memcpy(to, &record->path_len, 4);
    memcpy(to + 4, &record->token_len, 4);
    memcpy(to + 8, &record->line_len, 4);
    to += LENGTHS;
    memcpy(to, record->path, record->path_len);
    to += record->path_len;
    if (record->token_len)
        memcpy(to, record->token, record->token_len);
    memcpy(to + record->token_len, record->line, record->line_len);
}

static void load(struct stay_last_record *out, const char *from)
{
    memcpy(&out->path_len, from, 4);
    memcpy(&out->token_len, from + 4, 4);
    memcpy(&out->line_len, from + 8, 4);
    out->path = from + LENGTHS;
    out->token = out->path + out->path_len;
    out->line = out->path + out->path_len + out->token_len;
}

static int by_path(const void *a, const void *b)
{
    struct stay_last_record x;
    struct stay_last_record y;

    load(&x, *(const char *const *)a);
    load(&y, *(const char *const *)b);
    return stay_path_compare(x.path, x.path_len, y.path, y.path_len);
}

static void sort_records(struct stay_collect *collect)
{
    if (collect->records.n)
        qsort(collect->records.items, collect->records.n, sizeof *collect->records.items, by_path);
}

/* Writes what is held as a sorted run. */
static int spill(struct stay_collect *collect, struct stay_err *err)
{
    stay_auto_buf struct stay_buf out = {0};
    struct run run = {0};

    sort_records(collect);
    if (stay_fs_unnamed(&run.fd, collect->scratch, err) < 0)
        return -1;
    *stay_vec_push(&collect->runs) = run;
    for (size_t i = 0; i < collect->records.n; i++) {
        struct stay_last_record record;
        load(&record, collect->records.items[i]);
        stay_buf_add(&out, collect->records.items[i], stored_bytes(&record));
        if (out.len < BLOCK_BYTES && i + 1 < collect->records.n)
            continue;
        if (stay_fs_write_all(run.fd, collect->scratch, out.data, out.len, err) < 0)
            return stay_prefix(err, "keep the list of entries");
        stay_buf_clear(&out);
    }
    drop_blocks(collect);
    return 0;
}

static char *room_for(struct stay_collect *collect, size_t bytes)
{
    if (collect->block_cap - collect->block_used < bytes) {
        collect->block_cap = STAY_MAX(bytes, (size_t)BLOCK_BYTES);
        collect->block_used = 0;
        *stay_vec_push(&collect->blocks) = stay_malloc(collect->block_cap);
        collect->held_bytes += collect->block_cap;
    }
    char *to = collect->blocks.items[collect->blocks.n - 1] + collect->block_used;
    collect->block_used += bytes;
    return to;
}

int stay_collect_add(struct stay_collect *collect, const struct stay_last_record *record,
                     struct stay_err *err)
{
    int rc = 0;

    (void)pthread_mutex_lock(&collect->mutex);
    if (collect->held_bytes > collect->limit_bytes)
        rc = spill(collect, err);
    if (rc == 0) {
        char *to = room_for(collect, stored_bytes(record));
        store(to, record);
        *stay_vec_push(&collect->records) = to;
        collect->count++;
    }
    (void)pthread_mutex_unlock(&collect->mutex);
    return rc;
}

size_t stay_collect_count(const struct stay_collect *collect)
{
    return collect->count;
}

/* Makes sure that @want bytes lie in the window behind what is used. @return 0, 1 at the end, -1.
 */
static int fill(struct run *run, size_t want, struct stay_err *err)
{
    while (run->window.len - run->used < want) {
        stay_buf_consume(&run->window, run->used);
        run->used = 0;
        size_t room = STAY_MAX(want - run->window.len, (size_t)READ_BYTES);
        void *to = stay_buf_reserve(&run->window, room);
        ssize_t n = pread(run->fd, to, room, (off_t)run->at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return stay_fail_errno(err, STAY_ERR_IO, "read the list of entries");
        if (n == 0)
            return 1;
        run->at += (uint64_t)n;
        run->window.len += (size_t)n;
    }
    return 0;
}

static int advance(struct run *run, struct stay_err *err)
{
    int rc = fill(run, LENGTHS, err);

    if (rc == 0) {
        load(&run->record, run->window.data + run->used);
        rc = fill(run, stored_bytes(&run->record), err);
    }
    if (rc < 0)
        return -1;
    run->done = rc > 0;
    if (!run->done) {
        load(&run->record, run->window.data + run->used);
        run->used += stored_bytes(&run->record);
    }
    return 0;
}

static struct run *smallest(struct stay_collect *collect)
{
    struct run *best = NULL;

    for (size_t i = 0; i < collect->runs.n; i++) {
        struct run *run = &collect->runs.items[i];
        if (!run->done &&
            (best == NULL || stay_path_compare(run->record.path, run->record.path_len,
                                               best->record.path, best->record.path_len) < 0))
            best = run;
    }
    return best;
}

int stay_collect_each(struct stay_collect *collect,
                      int (*each)(void *ctx, const struct stay_last_record *record,
                                  struct stay_err *err),
                      void *ctx, struct stay_err *err)
{
    struct stay_last_record record;
    int rc = 0;

    if (collect->runs.n == 0) {
        sort_records(collect);
        for (size_t i = 0; i < collect->records.n && rc == 0; i++) {
            load(&record, collect->records.items[i]);
            rc = each(ctx, &record, err);
        }
        return rc;
    }
    if (collect->records.n && spill(collect, err) < 0)
        return -1;
    for (size_t i = 0; i < collect->runs.n; i++)
        if (advance(&collect->runs.items[i], err) < 0)
            return -1;
    for (struct run *run = smallest(collect); run && rc == 0; run = smallest(collect)) {
        rc = each(ctx, &run->record, err);
        if (rc == 0 && advance(run, err) < 0)
            return -1;
    }
    return rc;
}
