/* src/engine/check_data.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Packs: whether they are there, and whether every byte of them is what it was.
 */
#include "engine/check_private.h"

#include <string.h>

/* The frames of each pack in the index are consecutive: this is where they begin and end. */
struct span {
    size_t first;
    size_t n;
};

/* One pack to be read. */
struct pack_job {
    char *name;
    struct stay_id id;
    int64_t number; /* in the index; -1: not there */
    struct span frames;
};

struct reading {
    struct stay_check *check;
    struct stay_compressor **compressors;
    struct stay_digest **digests;
    struct stay_buf *buffers;
    const struct stay_index_frame *frames;
    const struct stay_index_chunk **by_frame; /* chunks, grouped by frame */
    size_t *frame_start;                      /* into by_frame */
    _Atomic uint64_t bytes;
    _Atomic uint64_t packs;
};

static void lose_pack(struct stay_check *check, const struct span *frames)
{
    for (size_t i = 0; i < frames->n; i++)
        stay_check_bad_frame(check, frames->first + i);
}

/* Of a pack that has become shorter, the frames at its beginning can still be read. */
static void lose_tail(struct stay_check *check, const struct span *span, uint64_t bytes)
{
    size_t n;
    const struct stay_index_frame *frames = stay_index_frames(check->index, &n);

    for (size_t i = span->first; i < span->first + span->n; i++)
        if (frames[i].offset + frames[i].stored > bytes)
            stay_check_bad_frame(check, i);
}

static struct span *pack_spans(const struct stay_check *check)
{
    size_t n;
    const struct stay_index_pack *packs = stay_index_packs(check->index, &n);
    struct span *spans = stay_calloc(n, sizeof *spans);

    for (size_t i = 0; i < n; i++)
        spans[i] = (struct span){packs[i].first_frame, packs[i].n_frames};
    return spans;
}

static void check_listed_pack(struct stay_check *check, const struct stay_dest_object *object,
                              const struct span *spans)
{
    struct stay_id id;
    size_t n;

    if (stay_pack_parse_name(&id, object->name) < 0) {
        stay_check_note(check, STAY_FINDING_DAMAGE, object->name, NULL, "is not named like a pack");
        return;
    }
    check->result->packs++;
    int64_t number = stay_index_find_pack(check->index, &id);
    if (number < 0) {
        stay_check_note(check, STAY_FINDING_NOTE, object->name, NULL,
                        "is in no index: left over from an interrupted run, or its index is lost");
        return;
    }
    uint64_t bytes = stay_index_packs(check->index, &n)[number].bytes;
    if (bytes != object->bytes) {
        stay_check_note(check, STAY_FINDING_DAMAGE, object->name, NULL,
                        "has %llu bytes instead of %llu", (unsigned long long)object->bytes,
                        (unsigned long long)bytes);
        lose_tail(check, &spans[number], object->bytes);
    }
}

/* Packs that the index knows and that are not there at all (of another size: reported above). */
static void check_absent_packs(struct stay_check *check, const struct span *spans)
{
    char name[STAY_PACK_NAME_MAX];
    size_t n;
    const struct stay_index_pack *packs = stay_index_packs(check->index, &n);
    stay_auto(stay_map_free) struct stay_map *seen = stay_map_new(NULL);

    for (size_t i = 0; i < check->objects.n; i++)
        stay_map_set(seen, check->objects.items[i].name, strlen(check->objects.items[i].name),
                     check);
    for (size_t i = 0; i < n; i++) {
        (void)stay_pack_name(name, &packs[i].id);
        if (stay_map_get(seen, name, strlen(name)))
            continue;
        stay_check_note(check, STAY_FINDING_DAMAGE, name, NULL, "is missing");
        lose_pack(check, &spans[i]);
    }
}

int stay_check_packs(struct stay_check *check, struct stay_err *err)
{
    stay_auto_free struct span *spans = pack_spans(check);

    if (stay_cancelled(check->options->cancel))
        return stay_fail_cancelled(err);
    for (size_t i = 0; i < check->objects.n; i++)
        if (stay_str_starts(check->objects.items[i].name, "packs/"))
            check_listed_pack(check, &check->objects.items[i], spans);
    check_absent_packs(check, spans);
    return 0;
}

/* ---- contents */

/* Groups the chunk table by frame, by counting. */
static void group_chunks(struct reading *reading, const struct stay_index *index)
{
    size_t n_frames;
    size_t n;
    const struct stay_index_chunk *chunks = stay_index_chunks(index, &n);

    reading->frames = stay_index_frames(index, &n_frames);
    reading->frame_start = stay_calloc(n_frames + 2, sizeof *reading->frame_start);
    reading->by_frame = stay_calloc(n, sizeof *reading->by_frame);
    for (size_t i = 0; i < n; i++)
        reading->frame_start[chunks[i].frame + 2]++;
    for (size_t i = 2; i < n_frames + 2; i++)
        reading->frame_start[i] += reading->frame_start[i - 1];
    for (size_t i = 0; i < n; i++)
        reading->by_frame[reading->frame_start[chunks[i].frame + 1]++] = &chunks[i];
}

/* Decodes a frame and compares each chunk that the index says is in it. */
static int check_frame(struct reading *reading, unsigned worker, const char *pack, size_t number,
                       struct stay_buf *scratch, struct stay_err *err)
{
    const struct stay_frame_info info =
        stay_index_frame_info(reading->check->index, &reading->frames[number]);
    const char *tar;

    if (stay_frame_decode(reading->compressors[worker], &info, pack + info.offset, scratch, &tar,
                          err) < 0)
        return -1;
    for (size_t i = reading->frame_start[number]; i < reading->frame_start[number + 1]; i++) {
        const struct stay_index_chunk *chunk = reading->by_frame[i];
        struct stay_id sum;
        stay_digest_of(reading->digests[worker], tar + chunk->offset, chunk->bytes, &sum);
        if (!stay_id_equal(&sum, &chunk->id))
            return stay_fail(err, STAY_ERR_CORRUPT, "a chunk is not what its name says");
    }
    return 0;
}

static void check_frames(struct reading *reading, unsigned worker, const struct pack_job *job,
                         const struct stay_buf *data)
{
    stay_auto_buf struct stay_buf scratch = {0};

    for (size_t i = 0; i < job->frames.n; i++) {
        size_t number = job->frames.first + i;
        const struct stay_index_frame *frame = &reading->frames[number];
        struct stay_err why = {0};
        if (frame->offset + frame->stored > data->len)
            (void)stay_fail(&why, STAY_ERR_CORRUPT, "the pack ends before it");
        else if (check_frame(reading, worker, data->data, number, &scratch, &why) == 0)
            continue;
        stay_check_bad_frame(reading->check, number);
        stay_check_note(reading->check, STAY_FINDING_DAMAGE, job->name, NULL, "frame %u: %s",
                        frame->number, why.text);
    }
}

/* A pack that no index knows is compared with its name and with itself. */
static void check_unknown(struct reading *reading, unsigned worker, const struct pack_job *job,
                          const struct stay_buf *data)
{
    struct stay_pack pack = {0};
    struct stay_err why = {0};

    if (stay_pack_read(&pack, &job->id, data->data, data->len, reading->compressors[worker], &why) <
        0)
        stay_check_note(reading->check, STAY_FINDING_DAMAGE, job->name, NULL, "%s", why.text);
    stay_pack_free(&pack);
}

static int read_pack(void *ctx, void *item, unsigned worker, bool failed, struct stay_err *err)
{
    struct reading *reading = ctx;
    const struct pack_job *job = item;
    struct stay_buf *data = &reading->buffers[worker];
    struct stay_check *check = reading->check;
    struct stay_err why = {0};
    struct stay_id sum;

    if (failed)
        return 0;
    if (stay_cancelled(check->options->cancel))
        return stay_fail_cancelled(err);
    stay_buf_clear(data);
    int rc =
        stay_dest_get_all(check->options->repository->dest, job->name, STAY_PACK_MAX, data, &why);
    if (rc != 0) {
        stay_check_note(check, STAY_FINDING_DAMAGE, job->name, NULL, "cannot be read: %s",
                        rc < 0 ? why.text : "it vanished");
        lose_pack(check, &job->frames);
        return 0;
    }
    stay_progress_add(&reading->bytes, data->len);
    stay_progress_add(&reading->packs, 1);
    if (check->options->progress)
        stay_progress_add(&check->options->progress->bytes_done, data->len);
    if (job->number < 0) {
        check_unknown(reading, worker, job, data);
        return 0;
    }
    stay_digest_of(reading->digests[worker], data->data, data->len, &sum);
    if (!stay_id_equal(&sum, &job->id))
        stay_check_note(check, STAY_FINDING_DAMAGE, job->name, NULL,
                        "its content is not what it was");
    check_frames(reading, worker, job, data);
    return 0;
}

/* Which packs of a part to read: by their names, which are as good as random, moved on each day by
 * the snapshots that there are, so that repeated partial checks do not look at the same ones. */
static bool chosen(const struct stay_check *check, const struct stay_id *id)
{
    unsigned draw =
        ((unsigned)id->bytes[0] << 8 | id->bytes[1]) + (unsigned)check->snapshots.n * 7919;

    return draw % 100 < check->options->data_percent;
}

static size_t make_jobs(struct stay_check *check, const struct span *spans, struct pack_job *jobs)
{
    size_t n = 0;
    uint64_t bytes = 0;

    for (size_t i = 0; i < check->objects.n; i++) {
        const struct stay_dest_object *object = &check->objects.items[i];
        struct pack_job *job = &jobs[n];
        if (stay_pack_parse_name(&job->id, object->name) < 0 || !chosen(check, &job->id))
            continue;
        job->name = object->name;
        job->number = stay_index_find_pack(check->index, &job->id);
        job->frames = job->number >= 0 ? spans[job->number] : (struct span){0};
        bytes += object->bytes;
        n++;
    }
    if (check->options->progress)
        atomic_store(&check->options->progress->bytes_total, bytes);
    return n;
}

static void make_tools(struct reading *reading, unsigned threads)
{
    reading->compressors = stay_calloc(threads, sizeof(struct stay_compressor *));
    reading->digests = stay_calloc(threads, sizeof(struct stay_digest *));
    reading->buffers = stay_calloc(threads, sizeof *reading->buffers);
    for (unsigned i = 0; i < threads; i++) {
        reading->compressors[i] = stay_compressor_new(STAY_COMPRESS_LEVEL);
        reading->digests[i] = stay_digest_new();
    }
}

static void free_tools(struct reading *reading, unsigned threads)
{
    for (unsigned i = 0; i < threads; i++) {
        stay_compressor_free(reading->compressors[i]);
        stay_digest_free(reading->digests[i]);
        stay_buf_free(&reading->buffers[i]);
    }
    free(reading->compressors);
    free(reading->digests);
    free(reading->buffers);
    free(reading->by_frame);
    free(reading->frame_start);
}

int stay_check_data(struct stay_check *check, struct stay_err *err)
{
    stay_auto(stay_pool_free) struct stay_pool *pool = NULL;
    stay_auto_free struct span *spans = pack_spans(check);
    stay_auto_free struct pack_job *jobs = stay_calloc(check->objects.n, sizeof *jobs);
    unsigned threads = check->options->threads ? check->options->threads : 1;
    struct reading reading = {.check = check};

    size_t n = make_jobs(check, spans, jobs);
    group_chunks(&reading, check->index);
    make_tools(&reading, threads);
    int rc = stay_pool_new(&pool, threads, threads, read_pack, &reading, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        stay_pool_submit(pool, &jobs[i]);
    if (rc == 0)
        rc = stay_pool_finish(pool, err);
    check->result->packs_read = atomic_load(&reading.packs);
    check->result->bytes_read = atomic_load(&reading.bytes);
    free_tools(&reading, threads);
    return rc;
}

/* ---- frames that are built on others */

static bool bases_readable(const struct stay_check *check, const struct stay_index_frame *frame)
{
    size_t n;
    const struct stay_frame_base *bases = stay_index_bases(check->index, frame, &n);

    for (size_t i = 0; i < n; i++) {
        int64_t base = stay_index_find_base(check->index, &bases[i]);
        if (base < 0 || atomic_load(&check->bad_frames[base]))
            return false;
    }
    return true;
}

void stay_check_bases(struct stay_check *check)
{
    char name[STAY_PACK_NAME_MAX];
    size_t n;
    const struct stay_index_pack *packs = stay_index_packs(check->index, &n);
    const struct stay_index_frame *frames = stay_index_frames(check->index, &n);

    for (bool fresh = true; fresh;) {
        fresh = false;
        for (size_t i = 0; i < n; i++) {
            if (frames[i].n_bases == 0 || atomic_load(&check->bad_frames[i]) ||
                bases_readable(check, &frames[i]))
                continue;
            stay_check_note(check, STAY_FINDING_DAMAGE,
                            stay_pack_name(name, &packs[frames[i].pack].id), NULL,
                            "frame %u is built on a frame that cannot be read", frames[i].number);
            stay_check_bad_frame(check, i);
            fresh = true;
        }
    }
}
