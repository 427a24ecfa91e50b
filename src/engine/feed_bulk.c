/* src/engine/feed_bulk.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Bulk mode: the chunks of all wanted entries are sorted by where they are stored; threads take
 * stretches of neighbouring frames, decode each frame once and hand every piece to its entries.
 */
#include "engine/feed_private.h"

#include <string.h>

/* A piece of an entry: where it is stored and where it goes. */
struct item {
    uint64_t content_offset;
    uint32_t chunk; /* into the index */
    uint32_t frame;
    uint32_t target; /* into targets */
};

/* An entry with content. */
struct target {
    uint64_t entry; /* of the feed */
    atomic_uint left;
    uint32_t n_chunks;
    atomic_uint damaged;
};

/* Neighbouring frames of one pack: items first .. last. */
struct stretch {
    size_t first;
    size_t end;
};

struct bulk {
    struct stay_feed *feed;
    const struct backstay_bulk *ops;
    void *ctx;
    const struct stay_index *index;
    const struct stay_index_chunk *chunks;
    const struct stay_index_frame *frames;
    const struct stay_index_pack *packs;
    STAY_VEC(struct item) items;
    STAY_VEC(struct target) targets;
    STAY_VEC(struct stretch) stretches;
    struct hand *hands;
};

/* What one thread works with. */
struct hand {
    struct stay_fetch *fetch;
    struct stay_fetch *spare; /* for other copies of what is damaged; made when needed */
    struct stay_manifest_entry entry;
    uint64_t entry_number; /* decoded in entry; UINT64_MAX: none */
};

enum { STRETCH_BYTES = 4 * 1024 * 1024, GAP_BYTES = 64 * 1024 };

/* ---- planning */

static bool is_wanted(const unsigned char *wanted, uint64_t index)
{
    return wanted == NULL || (wanted[index / 8] >> (index % 8) & 1);
}

/* Adds the pieces of one file; without content or with chunks missing it is done right here. */
static void plan_entry(struct bulk *bulk, uint64_t number,
                       const struct stay_manifest_entry *decoded)
{
    const struct backstay_entry *entry = &decoded->entry;
    struct backstay_error error = {.size = sizeof error};
    size_t first = bulk->items.n;
    uint64_t at = 0;
    char hex[STAY_ID_HEX + 1];
    char text[256] = "";

    for (size_t i = 0; i < decoded->chunks.n && !text[0]; i++) {
        const struct stay_index_chunk *chunk =
            stay_index_find_any(bulk->index, &decoded->chunks.items[i]);
        if (chunk == NULL) {
            (void)snprintf(text, sizeof text, "chunk %.16s is in no pack that exists",
                           stay_id_hex(hex, &decoded->chunks.items[i]));
            break;
        }
        *stay_vec_push(&bulk->items) = (struct item){at, (uint32_t)(chunk - bulk->chunks),
                                                     chunk->frame, (uint32_t)bulk->targets.n};
        at += chunk->bytes;
    }
    if (!text[0] && at != stay_manifest_content_bytes(entry))
        (void)snprintf(text, sizeof text, "its chunks have %llu bytes instead of %llu",
                       (unsigned long long)at,
                       (unsigned long long)stay_manifest_content_bytes(entry));
    if (text[0]) {
        bulk->items.n = first;
        stay_feed_problem(bulk->feed, entry->path, text);
    } else if (decoded->chunks.n == 0) {
        if (bulk->ops->whole(bulk->ctx, number, entry, "", 0, &error) < 0)
            stay_feed_problem(bulk->feed, entry->path, error.text);
    } else {
        struct target *target = stay_vec_push(&bulk->targets);
        memset(target, 0, sizeof *target);
        target->entry = number;
        target->n_chunks = (uint32_t)decoded->chunks.n;
        atomic_init(&target->left, target->n_chunks);
    }
}

static int plan(struct bulk *bulk, const unsigned char *wanted, struct stay_err *err)
{
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};

    for (uint64_t i = 0; i < bulk->feed->options.n; i++) {
        if (stay_cancelled(bulk->feed->options.cancel))
            return stay_fail_cancelled(err);
        if (!is_wanted(wanted, i))
            continue;
        if (stay_feed_decode(bulk->feed, i, &entry, err) < 0)
            return -1;
        if (entry.entry.type == BACKSTAY_FILE)
            plan_entry(bulk, i, &entry);
    }
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct item *x = a;
    const struct item *y = b;

    if (x->frame != y->frame)
        return x->frame < y->frame ? -1 : 1;
    if (x->chunk != y->chunk)
        return x->chunk < y->chunk ? -1 : 1;
    return x->target < y->target ? -1 : x->target > y->target;
}

static void make_stretches(struct bulk *bulk)
{
    struct stretch *open = NULL;
    const struct stay_index_frame *begin = NULL;
    const struct stay_index_frame *before = NULL;

    for (size_t i = 0; i < bulk->items.n; i++) {
        const struct stay_index_frame *frame = &bulk->frames[bulk->items.items[i].frame];
        bool joins = open && frame->pack == begin->pack && frame->offset >= before->offset &&
                     frame->offset + frame->stored - begin->offset <= STRETCH_BYTES &&
                     frame->offset <= before->offset + before->stored + GAP_BYTES;
        if (!joins) {
            open = stay_vec_push(&bulk->stretches);
            open->first = i;
            begin = frame;
        }
        open->end = i + 1;
        before = frame;
    }
}

/* ---- handing out */

static const struct backstay_entry *entry_of(struct bulk *bulk, struct hand *hand, uint64_t number)
{
    if (hand->entry_number != number) {
        if (stay_feed_decode(bulk->feed, number, &hand->entry, NULL) < 0)
            abort(); /* it was decoded when planning */
        hand->entry_number = number;
    }
    return &hand->entry.entry;
}

static void damage(struct bulk *bulk, struct target *target, const struct backstay_entry *entry,
                   const char *text)
{
    if (atomic_exchange(&target->damaged, 1) == 0)
        stay_feed_problem(bulk->feed, entry->path, text);
}

static void finish_piece(struct bulk *bulk, struct target *target,
                         const struct backstay_entry *entry)
{
    struct backstay_error error = {.size = sizeof error};

    if (atomic_fetch_sub(&target->left, 1) != 1 || target->n_chunks == 1)
        return; /* of a single piece, whole() was or would have been all */
    int damaged = atomic_load(&target->damaged) != 0;
    if (bulk->ops->finish(bulk->ctx, target->entry, entry, damaged, &error) < 0)
        damage(bulk, target, entry, error.text);
}

/* Hands one piece to its entry; @data NULL: it could not be read, @why says so. */
static void deliver(struct bulk *bulk, struct hand *hand, const struct item *item, const char *data,
                    const char *why)
{
    struct target *target = &bulk->targets.items[item->target];
    const struct backstay_entry *entry = entry_of(bulk, hand, target->entry);
    uint32_t bytes = bulk->chunks[item->chunk].bytes;
    struct backstay_error error = {.size = sizeof error};
    int rc = 0;

    if (data == NULL)
        damage(bulk, target, entry, why);
    else if (target->n_chunks == 1)
        rc = bulk->ops->whole(bulk->ctx, target->entry, entry, data, bytes, &error);
    else
        rc = bulk->ops->piece(bulk->ctx, target->entry, entry, item->content_offset, data, bytes,
                              &error);
    if (rc < 0)
        damage(bulk, target, entry, error.text);
    else if (data)
        stay_feed_count(bulk->feed, bytes);
    finish_piece(bulk, target, entry);
}

static const char *other_copy(struct bulk *bulk, struct hand *hand,
                              const struct stay_index_chunk *bad)
{
    if (hand->spare == NULL)
        hand->spare = stay_fetch_new(bulk->feed->options.dest);
    return stay_feed_other_copy(bulk->feed, hand->spare, bad);
}

/* The items first .. end lie in one frame, sorted by chunk: each chunk's hash is compared once. */
static void deliver_frame(struct bulk *bulk, struct hand *hand, size_t first, size_t end,
                          const char *tar, const char *why)
{
    uint32_t verified = UINT32_MAX;
    struct stay_err err = {0};
    const char *data = NULL;

    for (size_t i = first; i < end; i++) {
        const struct item *item = &bulk->items.items[i];
        const struct stay_index_chunk *chunk = &bulk->chunks[item->chunk];
        if (item->chunk != verified) {
            bool sound = tar && stay_fetch_verify(hand->fetch, tar, chunk->offset, chunk->bytes,
                                                  &chunk->id, &err) == 0;
            data = sound ? tar + chunk->offset : other_copy(bulk, hand, chunk);
            verified = item->chunk;
        }
        deliver(bulk, hand, item, data, tar ? err.text : why);
    }
}

static size_t frame_end(const struct bulk *bulk, size_t first, size_t end)
{
    size_t i = first + 1;

    while (i < end && bulk->items.items[i].frame == bulk->items.items[first].frame)
        i++;
    return i;
}

static void work_stretch(struct bulk *bulk, struct hand *hand, const struct stretch *stretch,
                         bool one_by_one)
{
    const struct stay_index_frame *begin = &bulk->frames[bulk->items.items[stretch->first].frame];
    const struct stay_index_frame *last = &bulk->frames[bulk->items.items[stretch->end - 1].frame];
    const struct stay_id *pack = &bulk->packs[begin->pack].id;
    struct stay_err err = {0};

    if (!one_by_one &&
        stay_fetch_range(hand->fetch, pack, begin->offset,
                         (size_t)(last->offset + last->stored - begin->offset), &err) < 0) {
        /* a truncated pack may still give its first frames */
        work_stretch(bulk, hand, stretch, true);
        return;
    }
    for (size_t i = stretch->first; i < stretch->end;) {
        const struct stay_index_frame *frame = &bulk->frames[bulk->items.items[i].frame];
        const struct stay_frame_info info = stay_index_frame_info(bulk->index, frame);
        size_t end = frame_end(bulk, i, stretch->end);
        const char *tar = NULL;
        int rc =
            one_by_one ? stay_fetch_range(hand->fetch, pack, info.offset, info.stored, &err) : 0;
        if (rc == 0)
            rc = stay_fetch_decode(hand->fetch, &info, &tar, &err);
        deliver_frame(bulk, hand, i, end, rc < 0 ? NULL : tar, err.text);
        i = end;
    }
}

static int work(void *ctx, void *item, unsigned worker, bool failed, struct stay_err *err)
{
    struct bulk *bulk = ctx;

    (void)failed;
    if (stay_cancelled(bulk->feed->options.cancel))
        return stay_fail_cancelled(err);
    work_stretch(bulk, &bulk->hands[worker], item, false);
    return 0;
}

static int run(struct bulk *bulk, struct stay_err *err)
{
    unsigned threads = bulk->feed->options.threads ? bulk->feed->options.threads : 1;
    stay_auto(stay_pool_free) struct stay_pool *pool = NULL;
    stay_auto_free struct hand *hands = stay_calloc(threads, sizeof *hands);

    for (unsigned i = 0; i < threads; i++) {
        hands[i].fetch = stay_fetch_new(bulk->feed->options.dest);
        hands[i].entry_number = UINT64_MAX;
    }
    bulk->hands = hands;
    int rc = stay_pool_new(&pool, threads, 2 * (size_t)threads, work, bulk, err);
    for (size_t i = 0; rc == 0 && i < bulk->stretches.n && !stay_pool_failed(pool); i++)
        stay_pool_submit(pool, &bulk->stretches.items[i]);
    if (rc == 0)
        rc = stay_pool_finish(pool, err);
    for (unsigned i = 0; i < threads; i++) {
        stay_fetch_free(hands[i].fetch);
        stay_fetch_free(hands[i].spare);
        stay_manifest_entry_free(&hands[i].entry);
    }
    return rc;
}

int stay_feed_bulk(struct backstay_feed *abi, const struct backstay_bulk *ops, void *ctx,
                   const unsigned char *wanted)
{
    struct stay_feed *feed = abi->ctx;
    struct bulk bulk = {.feed = feed, .ops = ops, .ctx = ctx, .index = feed->options.index};
    struct stay_err err = {0};
    size_t n;

    bulk.chunks = stay_index_chunks(bulk.index, &n);
    bulk.frames = stay_index_frames(bulk.index, &n);
    bulk.packs = stay_index_packs(bulk.index, &n);
    int rc = plan(&bulk, wanted, &err);
    if (rc == 0) {
        if (bulk.items.n)
            qsort(bulk.items.items, bulk.items.n, sizeof *bulk.items.items, by_place);
        make_stretches(&bulk);
        rc = run(&bulk, &err);
    }
    if (rc < 0 && err.kind != STAY_ERR_CANCELLED)
        stay_log(STAY_LOG_ERROR, "%s", err.text);
    stay_vec_free(&bulk.items);
    stay_vec_free(&bulk.targets);
    stay_vec_free(&bulk.stretches);
    return rc;
}
