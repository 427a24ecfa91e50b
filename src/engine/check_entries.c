/* src/engine/check_entries.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A manifest is checked in slices by several threads: decoding its lines is what takes the time.
 */
#include "engine/check_private.h"

#include <string.h>

enum { SLICE = 4096 };

struct loss {
    char *path;
    const char *why;
};

struct slice {
    size_t first;
    size_t end;
};

struct entries {
    const struct stay_check_exam *exam;
    const struct stay_tree *tree;
    struct stay_manifest_entry *decoded; /* one for each thread */
    atomic_bool unreferenced;
    atomic_bool unsorted;
    pthread_mutex_t mutex; /* guards what follows */
    STAY_VEC(struct loss) losses;
};

void stay_check_damage(const struct stay_check_exam *exam, const char *text)
{
    stay_check_note(exam->check, STAY_FINDING_DAMAGE, exam->name, NULL, "%s", text);
}

/* A readable copy of a chunk, preferably in a frame that the snapshot names. NULL: none, @why says.
 */
static const struct stay_index_chunk *find_copy(const struct stay_check_exam *exam,
                                                const struct stay_id *id, const char **why)
{
    const struct stay_check *check = exam->check;
    const struct stay_index_chunk *found = NULL;
    size_t n;
    const struct stay_index_chunk *copies = stay_index_copies(check->index, id, &n);

    *why = "a chunk of it is in no pack that exists";
    for (size_t i = 0; i < n; i++) {
        uint32_t frame = copies[i].frame;
        bool bad = atomic_load_explicit(&check->bad_frames[frame], memory_order_relaxed) != 0;
        if (bad && stay_index_has_pack(check->index, exam->frames[frame].pack))
            *why = "a chunk of it lies in a damaged frame";
        if (!bad && (found == NULL || exam->referenced[frame]))
            found = &copies[i];
    }
    return found;
}

/* Why an entry cannot be restored, or NULL. */
static const char *entry_loss(struct entries *entries, const struct stay_manifest_entry *entry)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < entry->chunks.n; i++) {
        const char *why;
        const struct stay_index_chunk *chunk =
            find_copy(entries->exam, &entry->chunks.items[i], &why);
        if (chunk == NULL)
            return why;
        if (!entries->exam->referenced[chunk->frame])
            atomic_store(&entries->unreferenced, true);
        bytes += chunk->bytes;
    }
    if (entry->entry.type == BACKSTAY_FILE && bytes != stay_manifest_content_bytes(&entry->entry))
        return "its chunks do not add up to its size";
    return NULL;
}

static void note_loss(struct entries *entries, const char *path, const char *why)
{
    (void)pthread_mutex_lock(&entries->mutex);
    *stay_vec_push(&entries->losses) = (struct loss){stay_strdup(path), why};
    (void)pthread_mutex_unlock(&entries->mutex);
}

/* The path of the entry before a slice, for its order; empty where there is none or it is damaged.
 */
static void path_before(const struct entries *entries, size_t first, struct stay_buf *out,
                        struct stay_manifest_entry *decoded)
{
    if (first > 0 && stay_tree_entry(entries->tree, first - 1, decoded, NULL) == 0)
        stay_buf_add(out, decoded->entry.path, decoded->entry.path_len);
}

static int check_slice(void *ctx, void *item, unsigned worker, bool failed, struct stay_err *err)
{
    struct entries *entries = ctx;
    const struct slice *slice = item;
    struct stay_manifest_entry *decoded = &entries->decoded[worker];
    stay_auto_buf struct stay_buf before = {0};

    if (failed)
        return 0;
    if (stay_cancelled(entries->exam->check->options->cancel))
        return stay_fail_cancelled(err);
    path_before(entries, slice->first, &before, decoded);
    for (size_t i = slice->first; i < slice->end; i++) {
        struct stay_err why = {0};
        if (stay_tree_entry(entries->tree, i, decoded, &why) < 0) {
            stay_check_damage(entries->exam, why.text);
            continue;
        }
        const struct backstay_entry *entry = &decoded->entry;
        if (before.data && strcmp(before.data, entry->path) >= 0)
            atomic_store(&entries->unsorted, true);
        stay_buf_clear(&before);
        stay_buf_add(&before, entry->path, entry->path_len);
        const char *loss = entry_loss(entries, decoded);
        if (loss)
            note_loss(entries, entry->path, loss);
    }
    return 0;
}

static int check_slices(struct entries *entries, struct stay_err *err)
{
    unsigned threads = STAY_MAX(entries->exam->check->options->threads, 1u);
    size_t n = (stay_tree_count(entries->tree) + SLICE - 1) / SLICE;
    stay_auto(stay_pool_free) struct stay_pool *pool = NULL;
    stay_auto_free struct slice *slices = stay_calloc(n, sizeof *slices);
    stay_auto_free struct stay_manifest_entry *decoded = stay_calloc(threads, sizeof *decoded);

    entries->decoded = decoded;
    int rc = stay_pool_new(&pool, threads, threads, check_slice, entries, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        slices[i] =
            (struct slice){i * SLICE, STAY_MIN((i + 1) * SLICE, stay_tree_count(entries->tree))};
        stay_pool_submit(pool, &slices[i]);
    }
    if (rc == 0)
        rc = stay_pool_finish(pool, err);
    for (unsigned i = 0; i < threads; i++)
        stay_manifest_entry_free(&decoded[i]);
    return rc;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct loss *)a)->path, ((const struct loss *)b)->path);
}

/* In the order of paths, whichever thread found them. */
static void report_losses(struct entries *entries)
{
    if (entries->losses.n)
        qsort(entries->losses.items, entries->losses.n, sizeof *entries->losses.items, by_path);
    for (size_t i = 0; i < entries->losses.n; i++) {
        const struct loss *loss = &entries->losses.items[i];
        stay_check_note(entries->exam->check, STAY_FINDING_LOSS, entries->exam->name, loss->path,
                        "%s", loss->why);
        free(loss->path);
    }
    stay_vec_free(&entries->losses);
}

int stay_check_entries(const struct stay_check_exam *exam, const struct stay_tree *tree,
                       struct stay_err *err)
{
    struct entries entries = {.exam = exam, .tree = tree};

    (void)pthread_mutex_init(&entries.mutex, NULL);
    int rc = check_slices(&entries, err);
    report_losses(&entries);
    (void)pthread_mutex_destroy(&entries.mutex);
    exam->check->result->entries += stay_tree_count(tree);
    if (stay_tree_count(tree) != exam->snapshot->counts.entries)
        stay_check_note(exam->check, STAY_FINDING_DAMAGE, exam->name, NULL,
                        "its manifest has %zu entries instead of %llu", stay_tree_count(tree),
                        (unsigned long long)exam->snapshot->counts.entries);
    if (atomic_load(&entries.unsorted))
        stay_check_damage(exam, "its manifest is not sorted");
    if (atomic_load(&entries.unreferenced))
        stay_check_damage(exam, "has chunks in frames that it does not name");
    return rc;
}
