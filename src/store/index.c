/* src/store/index.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The chunk table is one sorted array. Ids are evenly spread, so a look-up interpolates: two or
 * three probes where a binary search takes twenty.
 */
#include "store/index.h"

#include "store/index_private.h"

#include <string.h>
#include <sys/mman.h>

struct stay_index *stay_index_new(void)
{
    struct stay_index *index = stay_new(struct stay_index);

    index->pack_numbers = stay_map_new(NULL);
    return index;
}

static void unmap(struct stay_index *index)
{
    if (index->mapping)
        (void)munmap(index->mapping, index->mapped_bytes);
    index->mapping = NULL;
}

void stay_index_free(struct stay_index *index)
{
    if (index == NULL)
        return;
    if (index->mapping == NULL) {
        stay_vec_free(&index->packs);
        stay_vec_free(&index->frames);
        stay_vec_free(&index->chunks);
        stay_vec_free(&index->bases);
    }
    unmap(index);
    stay_vec_free(&index->objects);
    stay_map_free(index->pack_numbers);
    free(index->absent);
    free(index);
}

/* A table out of the mapping, so that it can grow. */
#define own_table(table)                                                                           \
    ({                                                                                             \
        __auto_type own_ = (table);                                                                \
        size_t bytes_ = own_->n * sizeof *own_->items;                                             \
        void *copy_ = stay_malloc(bytes_);                                                         \
        own_->items = bytes_ ? memcpy(copy_, own_->items, bytes_) : copy_;                         \
        own_->cap = own_->n;                                                                       \
    })

static void own_tables(struct stay_index *index)
{
    if (index->mapping == NULL)
        return;
    own_table(&index->packs);
    own_table(&index->frames);
    own_table(&index->chunks);
    own_table(&index->bases);
    unmap(index);
}

static void add_frame(struct stay_index *index, uint32_t pack, uint32_t number,
                      const struct stay_frame_info *info)
{
    uint32_t frame_number = (uint32_t)index->frames.n;

    *stay_vec_push(&index->frames) = (struct stay_index_frame){
        .offset = info->offset,
        .pack = pack,
        .number = number,
        .stored = info->stored,
        .raw = info->raw,
        .codec = info->codec,
        .n_bases = (uint32_t)info->bases.n,
        .first_base = (uint32_t)index->bases.n,
    };
    for (size_t i = 0; i < info->bases.n; i++)
        *stay_vec_push(&index->bases) = info->bases.items[i];
    for (size_t i = 0; i < info->chunks.n; i++) {
        const struct stay_frame_chunk *chunk = &info->chunks.items[i];
        *stay_vec_push(&index->chunks) =
            (struct stay_index_chunk){chunk->id, frame_number, chunk->bytes, chunk->offset};
    }
}

void stay_index_add(struct stay_index *index, const struct stay_pack *pack)
{
    int64_t known = stay_index_find_pack(index, &pack->id);

    if (known >= 0) {
        if ((size_t)known < index->n_absent_known)
            index->absent[known] = false;
        return;
    }
    own_tables(index);
    uint32_t pack_number = (uint32_t)index->packs.n;
    *stay_vec_push(&index->packs) = (struct stay_index_pack){
        pack->id, pack->bytes, (uint32_t)index->frames.n, (uint32_t)pack->frames.n};
    stay_map_set(index->pack_numbers, &pack->id, sizeof pack->id, (void *)(index->packs.n));
    for (size_t i = 0; i < pack->frames.n; i++)
        add_frame(index, pack_number, (uint32_t)i, &pack->frames.items[i]);
}

void stay_index_note(struct stay_index *index, const struct stay_id *id)
{
    *stay_vec_push(&index->objects) = *id;
}

static int by_id(const void *a, const void *b)
{
    const struct stay_index_chunk *x = a;
    const struct stay_index_chunk *y = b;
    int order = memcmp(&x->id, &y->id, sizeof x->id);

    if (order == 0)
        order = x->frame < y->frame ? -1 : x->frame > y->frame;
    return order;
}

/* Sorts what is new and merges it with what was sorted: cheap when little is new. */
void stay_index_sort(struct stay_index *index)
{
    size_t n = index->chunks.n;
    size_t old = index->n_sorted;
    size_t fresh = n - old;

    if (fresh == 0)
        return;
    struct stay_index_chunk *chunks = index->chunks.items;
    qsort(chunks + old, fresh, sizeof *chunks, by_id);
    if (old > 0) {
        stay_auto_free struct stay_index_chunk *tail = stay_calloc(fresh, sizeof *tail);
        memcpy(tail, chunks + old, fresh * sizeof *tail);
        for (size_t to = n; fresh > 0; to--) {
            bool take_old = old > 0 && by_id(&chunks[old - 1], &tail[fresh - 1]) > 0;
            chunks[to - 1] = take_old ? chunks[--old] : tail[--fresh];
        }
    }
    index->n_sorted = n;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, STAY_ID_BYTES);
}

size_t stay_index_keep(struct stay_index *index, const struct stay_id *packs, size_t n)
{
    size_t missing = 0;

    free(index->absent);
    index->absent = stay_calloc(index->packs.n, sizeof *index->absent);
    for (size_t i = 0; i < index->packs.n; i++) {
        index->absent[i] = n == 0 || bsearch(&index->packs.items[i].id, packs, n, sizeof *packs,
                                             compare_ids) == NULL;
        missing += index->absent[i];
    }
    index->n_absent_known = index->packs.n;
    return missing;
}

bool stay_index_has_pack(const struct stay_index *index, uint32_t pack)
{
    return pack >= index->n_absent_known || !index->absent[pack];
}

static uint64_t leading(const struct stay_id *id)
{
    uint64_t value;

    memcpy(&value, id->bytes, sizeof value);
    return __builtin_bswap64(value);
}

/* The first chunk whose id is not below @id, by interpolation narrowed to a short linear walk. */
static size_t lower_bound(const struct stay_index *index, const struct stay_id *id)
{
    const struct stay_index_chunk *chunks = index->chunks.items;
    size_t low = 0;
    size_t high = index->n_sorted;
    uint64_t key = leading(id);

    for (int round = 0; high - low > 16; round++) {
        uint64_t first = leading(&chunks[low].id);
        uint64_t last = leading(&chunks[high - 1].id);
        size_t middle = low + (high - low) / 2;
        if (round < 8 && last > first && key >= first && key <= last)
            middle = low + (size_t)((double)(key - first) / (double)(last - first) *
                                    (double)(high - low - 1));
        if (memcmp(&chunks[middle].id, id, sizeof *id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low < high && memcmp(&chunks[low].id, id, sizeof *id) < 0)
        low++;
    return low;
}

const struct stay_index_chunk *stay_index_copies(const struct stay_index *index,
                                                 const struct stay_id *id, size_t *n)
{
    const struct stay_index_chunk *chunks = index->chunks.items;
    size_t first = lower_bound(index, id);
    size_t end = first;

    while (end < index->n_sorted && stay_id_equal(&chunks[end].id, id))
        end++;
    *n = end - first;
    return *n ? &chunks[first] : NULL;
}

const struct stay_index_chunk *stay_index_find(const struct stay_index *index,
                                               const struct stay_id *id)
{
    size_t n;
    const struct stay_index_chunk *copies = stay_index_copies(index, id, &n);

    for (size_t i = 0; i < n; i++)
        if (stay_index_has_pack(index, index->frames.items[copies[i].frame].pack))
            return &copies[i];
    return NULL;
}

const struct stay_index_chunk *stay_index_find_any(const struct stay_index *index,
                                                   const struct stay_id *id)
{
    const struct stay_index_chunk *found = stay_index_find(index, id);
    size_t n;

    return found ? found : stay_index_copies(index, id, &n);
}

int64_t stay_index_find_pack(const struct stay_index *index, const struct stay_id *id)
{
    const void *number = stay_map_get(index->pack_numbers, id, sizeof *id);

    return number ? (int64_t)(uintptr_t)number - 1 : -1;
}

const struct stay_index_pack *stay_index_packs(const struct stay_index *index, size_t *n)
{
    *n = index->packs.n;
    return index->packs.items;
}

const struct stay_index_frame *stay_index_frames(const struct stay_index *index, size_t *n)
{
    *n = index->frames.n;
    return index->frames.items;
}

const struct stay_index_chunk *stay_index_chunks(const struct stay_index *index, size_t *n)
{
    *n = index->chunks.n;
    return index->chunks.items;
}

const struct stay_frame_base *stay_index_bases(const struct stay_index *index,
                                               const struct stay_index_frame *frame, size_t *n)
{
    *n = frame->n_bases;
    return index->bases.items + frame->first_base;
}

int64_t stay_index_find_base(const struct stay_index *index, const struct stay_frame_base *base)
{
    int64_t number = stay_index_find_pack(index, &base->pack);

    if (number < 0 || base->number >= index->packs.items[number].n_frames)
        return -1;
    return (int64_t)index->packs.items[number].first_frame + base->number;
}

struct stay_frame_info stay_index_frame_info(const struct stay_index *index,
                                             const struct stay_index_frame *frame)
{
    struct stay_frame_info info = {
        .offset = frame->offset,
        .stored = frame->stored,
        .raw = frame->raw,
        .codec = (enum stay_codec)frame->codec,
    };

    info.bases.n = frame->n_bases;
    info.bases.items = index->bases.items + frame->first_base;
    return info;
}

struct stay_frame_info stay_index_frame_info_owned(const struct stay_index *index,
                                                   const struct stay_index_frame *frame)
{
    struct stay_frame_info borrowed = stay_index_frame_info(index, frame);
    struct stay_frame_info info = borrowed;

    info.bases.items = NULL;
    info.bases.n = info.bases.cap = 0;
    for (size_t i = 0; i < borrowed.bases.n; i++)
        *stay_vec_push(&info.bases) = borrowed.bases.items[i];
    return info;
}
