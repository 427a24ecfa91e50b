/* tests/support/fake_feed.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support/fake_feed.h"

#include "support/random.h"

#include <stdio.h>
#include <string.h>

struct backstay_cursor {
    struct fake_entry *copy; /* dies with the next use, so that holding on to it is found out */
    struct fake_snapshot *home;
};

struct backstay_reader {
    const struct fake_entry *fake;
    size_t at;
};

static struct fake_feed *self_of(struct backstay_feed *abi)
{
    return abi->ctx;
}

static void violation(struct fake_feed *feed, uint64_t index, const char *what)
{
    (void)pthread_mutex_lock(&feed->lock);
    stay_buf_printf(&feed->violations, "%s: %s\n", feed->snapshot->entries.items[index]->entry.path,
                    what);
    (void)pthread_mutex_unlock(&feed->lock);
}

static void count_handles(struct fake_feed *feed, int change)
{
    (void)pthread_mutex_lock(&feed->lock);
    feed->open_handles += (unsigned)change;
    (void)pthread_mutex_unlock(&feed->lock);
}

/* ---------------------------------------------------------------- cursors and readers */

static struct backstay_cursor *feed_cursor_open(struct backstay_feed *abi)
{
    count_handles(self_of(abi), 1);
    return stay_new(struct backstay_cursor);
}

static void feed_cursor_close(struct backstay_feed *abi, struct backstay_cursor *cursor)
{
    if (cursor == NULL)
        return;
    count_handles(self_of(abi), -1);
    fake_snapshot_free(cursor->home);
    free(cursor);
}

static const struct backstay_entry *feed_entry(struct backstay_feed *abi,
                                               struct backstay_cursor *cursor, uint64_t index)
{
    struct fake_feed *feed = self_of(abi);

    fake_snapshot_free(cursor->home);
    cursor->home = NULL;
    (void)pthread_mutex_lock(&feed->lock);
    bool fail = feed->fail_at != 0 && ++feed->asked >= feed->fail_at;
    (void)pthread_mutex_unlock(&feed->lock);
    if (fail || index >= abi->n_entries)
        return NULL;
    cursor->home = fake_snapshot_new();
    cursor->copy =
        fake_snapshot_add(cursor->home, &feed->snapshot->entries.items[index]->entry, NULL, 0);
    return &cursor->copy->entry;
}

static int feed_open(struct backstay_feed *abi, uint64_t index, struct backstay_reader **out)
{
    struct fake_feed *feed = self_of(abi);

    count_handles(feed, 1);
    *out = stay_new(struct backstay_reader);
    (*out)->fake = feed->snapshot->entries.items[index];
    return 0;
}

static ssize_t feed_read(struct backstay_feed *abi, struct backstay_reader *reader, void *data,
                         size_t len)
{
    size_t n = STAY_MIN(len, reader->fake->content_len - reader->at);

    (void)abi;
    if (n > 0)
        memcpy(data, reader->fake->content + reader->at, n);
    reader->at += n;
    return (ssize_t)n;
}

static void feed_close(struct backstay_feed *abi, struct backstay_reader *reader)
{
    count_handles(self_of(abi), -1);
    free(reader);
}

/* ---------------------------------------------------------------- reports */

static void feed_problem(struct backstay_feed *abi, uint64_t index, const char *fmt, ...)
    BACKSTAY_PRINTF(3, 4);

static void feed_problem(struct backstay_feed *abi, uint64_t index, const char *fmt, ...)
{
    struct fake_feed *feed = self_of(abi);
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    (void)pthread_mutex_lock(&feed->lock);
    if (feed->outcomes[index].problem == NULL)
        feed->outcomes[index].problem = stay_strdup(text);
    (void)pthread_mutex_unlock(&feed->lock);
}

static void feed_done(struct backstay_feed *abi, uint64_t index, int kept)
{
    struct fake_feed *feed = self_of(abi);

    (void)pthread_mutex_lock(&feed->lock);
    feed->outcomes[index].done++;
    feed->outcomes[index].kept += kept != 0;
    (void)pthread_mutex_unlock(&feed->lock);
}

/* ---------------------------------------------------------------- bulk */

struct delivery {
    uint64_t index;
    size_t offset;
    size_t len;
    bool whole;
};

struct bulk {
    struct fake_feed *feed;
    const struct backstay_bulk *ops;
    void *ctx;
    STAY_VEC(struct delivery) deliveries;
    size_t next;
    unsigned *left; /* pieces of each entry that are still to come */
    bool *broken;
};

static void plan_entry(struct bulk *bulk, uint64_t index)
{
    const struct fake_feed *feed = bulk->feed;
    const struct fake_entry *fake = feed->snapshot->entries.items[index];
    bool damaged = feed->damaged && strcmp(feed->damaged, fake->entry.path) == 0;

    bulk->broken[index] = damaged;
    if (fake->content_len <= feed->piece_bytes && !damaged) {
        *stay_vec_push(&bulk->deliveries) =
            (struct delivery){.index = index, .len = fake->content_len, .whole = true};
        return;
    }
    /* The first piece of a damaged one is missing, and a single one still calls finish(). */
    size_t first = damaged ? STAY_MIN(feed->piece_bytes, fake->content_len) : 0;
    for (size_t at = first; at < fake->content_len; at += feed->piece_bytes) {
        *stay_vec_push(&bulk->deliveries) =
            (struct delivery){.index = index,
                              .offset = at,
                              .len = STAY_MIN(feed->piece_bytes, fake->content_len - at)};
        bulk->left[index]++;
    }
    if (bulk->left[index] == 0) {
        *stay_vec_push(&bulk->deliveries) = (struct delivery){.index = index};
        bulk->left[index] = 1;
    }
}

static void shuffle(struct bulk *bulk)
{
    struct stay_random random = {bulk->feed->seed};

    for (size_t i = bulk->deliveries.n; i > 1; i--) {
        size_t j = stay_random_below(&random, i);
        struct delivery swap = bulk->deliveries.items[i - 1];
        bulk->deliveries.items[i - 1] = bulk->deliveries.items[j];
        bulk->deliveries.items[j] = swap;
    }
}

static void judge(struct bulk *bulk, uint64_t index, int r, const struct backstay_error *err)
{
    struct fake_feed *feed = bulk->feed;

    if (r == 0)
        return;
    if (err->text[0] == '\0')
        violation(feed, index, "failed without a text");
    feed_problem(&feed->abi, index, "%s", err->text);
    __atomic_store_n(&bulk->broken[index], true, __ATOMIC_RELAXED);
}

static void call_hook(struct fake_feed *feed, const char *call, const char *path)
{
    if (feed->hook)
        feed->hook(feed->hook_ctx, call, path);
}

static void deliver(struct bulk *bulk, const struct delivery *delivery)
{
    struct fake_feed *feed = bulk->feed;
    const struct fake_entry *fake = feed->snapshot->entries.items[delivery->index];
    struct backstay_error err = {.size = sizeof err};
    /* A copy of the exact length: reading past it is found out. */
    stay_auto_free char *data =
        delivery->len > 0 ? stay_memdup(fake->content + delivery->offset, delivery->len) : NULL;

    if (delivery->whole) {
        call_hook(feed, "whole", fake->entry.path);
        judge(bulk, delivery->index,
              bulk->ops->whole(bulk->ctx, delivery->index, &fake->entry, data, delivery->len, &err),
              &err);
        return;
    }
    if (delivery->len > 0) {
        call_hook(feed, "piece", fake->entry.path);
        judge(bulk, delivery->index,
              bulk->ops->piece(bulk->ctx, delivery->index, &fake->entry, delivery->offset, data,
                               delivery->len, &err),
              &err);
    }
    if (__atomic_sub_fetch(&bulk->left[delivery->index], 1, __ATOMIC_ACQ_REL) > 0)
        return;
    bool damaged = __atomic_load_n(&bulk->broken[delivery->index], __ATOMIC_RELAXED);
    if (damaged)
        feed_problem(&feed->abi, delivery->index, "content is damaged");
    call_hook(feed, "finish", fake->entry.path);
    err.text[0] = '\0';
    judge(bulk, delivery->index,
          bulk->ops->finish(bulk->ctx, delivery->index, &fake->entry, damaged, &err), &err);
}

static void *deliver_all(void *arg)
{
    struct bulk *bulk = arg;
    size_t at;

    while ((at = __atomic_fetch_add(&bulk->next, 1, __ATOMIC_RELAXED)) < bulk->deliveries.n)
        deliver(bulk, &bulk->deliveries.items[at]);
    return NULL;
}

static int feed_bulk(struct backstay_feed *abi, const struct backstay_bulk *ops, void *ctx,
                     const unsigned char *wanted)
{
    struct fake_feed *feed = self_of(abi);
    struct bulk bulk = {.feed = feed, .ops = ops, .ctx = ctx};
    pthread_t threads[16];
    unsigned n = STAY_MIN(feed->threads, 16u);

    feed->bulk_calls++;
    bulk.left = stay_calloc(abi->n_entries + 1, sizeof *bulk.left);
    bulk.broken = stay_calloc(abi->n_entries + 1, sizeof *bulk.broken);
    for (uint64_t i = 0; i < abi->n_entries; i++) {
        bool is_file = feed->snapshot->entries.items[i]->entry.type == BACKSTAY_FILE;
        bool bit = wanted == NULL || wanted[i / 8] >> (i % 8) & 1;
        if (bit && !is_file && wanted)
            violation(feed, i, "content is wanted, but it is not a file");
        if (bit && is_file)
            plan_entry(&bulk, i);
    }
    shuffle(&bulk);
    for (unsigned i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, deliver_all, &bulk) != 0)
            abort();
    for (unsigned i = 0; i < n; i++)
        (void)pthread_join(threads[i], NULL);
    stay_vec_free(&bulk.deliveries);
    free(bulk.left);
    free(bulk.broken);
    return 0;
}

/* ---------------------------------------------------------------- life */

void fake_feed_init(struct fake_feed *feed, const struct fake_snapshot *snapshot)
{
    *feed = (struct fake_feed){
        .snapshot = snapshot,
        .threads = 2,
        .piece_bytes = 1 << 20,
        .seed = 1,
        .abi = {.size = sizeof feed->abi,
                .ctx = feed,
                .n_entries = snapshot->entries.n,
                .cursor_open = feed_cursor_open,
                .cursor_close = feed_cursor_close,
                .entry = feed_entry,
                .open = feed_open,
                .read = feed_read,
                .close = feed_close,
                .bulk = feed_bulk,
                .problem = feed_problem,
                .done = feed_done},
    };
    (void)pthread_mutex_init(&feed->lock, NULL);
    feed->outcomes = stay_calloc(snapshot->entries.n + 1, sizeof *feed->outcomes);
}

void fake_feed_finish(struct fake_feed *feed, int result)
{
    if (feed->open_handles != 0)
        stay_buf_str(&feed->violations, "a cursor or reader was not closed\n");
    for (uint64_t i = 0; result == 0 && i < feed->abi.n_entries; i++) {
        const struct fake_outcome *outcome = &feed->outcomes[i];
        if (outcome->done == 0 && outcome->problem == NULL)
            violation(feed, i, "neither done nor a problem");
        if (outcome->done > 1)
            violation(feed, i, "done twice");
        if (outcome->done > 0 && outcome->problem)
            violation(feed, i, "done and a problem");
    }
}

void fake_feed_free(struct fake_feed *feed)
{
    for (uint64_t i = 0; i < feed->abi.n_entries; i++)
        free(feed->outcomes[i].problem);
    free(feed->outcomes);
    stay_buf_free(&feed->violations);
    (void)pthread_mutex_destroy(&feed->lock);
}

const struct fake_outcome *fake_feed_outcome(const struct fake_feed *feed, const char *path)
{
    for (uint64_t i = 0; i < feed->abi.n_entries; i++)
        if (strcmp(feed->snapshot->entries.items[i]->entry.path, path) == 0)
            return &feed->outcomes[i];
    abort();
}

size_t fake_feed_problems(const struct fake_feed *feed, const char **first)
{
    size_t n = 0;

    *first = NULL;
    for (uint64_t i = 0; i < feed->abi.n_entries; i++) {
        if (feed->outcomes[i].problem == NULL)
            continue;
        if (n++ == 0)
            *first = feed->outcomes[i].problem;
    }
    return n;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char *fake_report_text(const struct fake_report *report)
{
    STAY_VEC(char *) lines = {0};
    struct stay_buf text = {0};
    size_t at = 0;
    const void *name;
    size_t len;
    void *value;

    while (stay_map_next(report->facts, &at, &name, &len, &value))
        *stay_vec_push(&lines) =
            stay_strf("%.*s=%s", (int)len, (const char *)name, (const char *)value);
    if (lines.n)
        qsort(lines.items, lines.n, sizeof *lines.items, by_text);
    for (size_t i = 0; i < lines.n; i++) {
        stay_buf_printf(&text, "%s\n", lines.items[i]);
        free(lines.items[i]);
    }
    stay_vec_free(&lines);
    return stay_buf_take(&text);
}
