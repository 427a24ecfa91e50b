/* src/engine/backup.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The order of things: lock, index, read the source, packs, index objects, snapshot, record,
 * unlock. The local caches come last: they may lag behind what is stored but never run ahead of it.
 */
#include "engine/backup.h"

#include "store/lock.h"
#include "store/record.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A destination of this run, from opening to its record. */
struct copy {
    struct stay_repository *repository;
    struct stay_index *index;
    char *cache;
    size_t slot; /* in the pipeline */
    bool locked;
    bool unrecorded; /* a snapshot was sent, its record was not stored: the lock has to stay */
};

struct run {
    const struct stay_backup_options *options;
    struct stay_backup_result *result;
    struct copy copies[STAY_DESTINATIONS_MAX];
    struct stay_lock *lock;
    struct stay_last *last;
    struct stay_pipeline *pipeline;
    struct stay_sink *sink;
    struct stay_sink_result read;
    struct stay_last_writer *writer;
    char *last_path;
    char *scratch;
    char host[256];
    char id[STAY_RUN_ID + 1];
    int64_t started_ns;
    int64_t started_mono_ns;
};

static void free_run(struct run *run)
{
    stay_last_writer_free(run->writer);
    stay_sink_result_free(&run->read);
    stay_sink_free(run->sink);
    stay_pipeline_free(run->pipeline);
    stay_last_free(run->last);
    for (size_t i = 0; i < run->options->n_dests; i++) {
        stay_index_free(run->copies[i].index);
        stay_repository_free(run->copies[i].repository);
        free(run->copies[i].cache);
    }
    stay_lock_free(run->lock);
    free(run->last_path);
    free(run->scratch);
}

static void set_phase(const struct run *run, const char *phase)
{
    if (run->options->progress)
        atomic_store(&run->options->progress->phase, phase);
}

/* ---- preparation */

static int prepare_state(struct run *run, struct stay_err *err)
{
    const char *state = run->options->state_dir;
    const char *source = stay_source_name(run->options->source);
    stay_auto_str char *locks = stay_strf("%s/locks", state);
    stay_auto_str char *cache = stay_strf("%s/cache", state);

    if (stay_fs_mkdirs(locks, 0700, err) < 0 || stay_fs_mkdirs(cache, 0700, err) < 0)
        return stay_prefix(err, "state folder");
    int rc = stay_lock_take(&run->lock, locks, source, err);
    if (rc == STAY_LOCK_BUSY)
        return stay_fail(err, STAY_ERR_LOCKED,
                         "source %s is being backed up by another process right now", source);
    if (rc < 0)
        return -1;
    run->last_path = stay_strf("%s/%s.last", cache, source);
    run->scratch = stay_strdup(cache);
    if (!run->options->read_all)
        run->last = stay_last_open(run->last_path);
    return 0;
}

static int open_copy(struct run *run, size_t i, struct stay_err *err)
{
    const struct stay_backup_dest *dest = &run->options->dests[i];
    struct copy *copy = &run->copies[i];

    if (dest->dest == NULL) {
        *err = dest->open_error;
        return -1;
    }
    if (stay_repository_open(&copy->repository, dest->dest, err) < 0 ||
        stay_run_lock(copy->repository, run->id, stay_source_name(run->options->source), run->host,
                      run->started_ns, err) < 0)
        return -1;
    copy->locked = true;
    copy->cache = stay_strf("%s/cache/%s.index", run->options->state_dir, copy->repository->id);
    return stay_repository_index(copy->repository, copy->cache, &copy->index, NULL, err);
}

static void miss(struct run *run, size_t i, const struct stay_err *why)
{
    struct stay_backup_copy *copy = &run->result->copies[i];

    if (copy->error.kind != STAY_ERR_NONE)
        return;
    copy->error = *why;
    copy->snapshot[0] = '\0';
    run->result->n_missing++;
}

/* Opens every destination; those that cannot be used are noted. @return how many can. */
static size_t open_copies(struct run *run)
{
    size_t usable = 0;

    for (size_t i = 0; i < run->options->n_dests; i++) {
        struct stay_err why = {0};
        run->result->copies[i].dest = run->options->dests[i].name;
        run->copies[i].slot = usable;
        if (open_copy(run, i, &why) < 0)
            miss(run, i, &why);
        else
            usable++;
    }
    return usable;
}

static bool usable(const struct run *run, size_t i)
{
    return run->result->copies[i].error.kind == STAY_ERR_NONE;
}

static int start_pipeline(struct run *run, struct stay_err *err)
{
    const struct stay_backup_options *options = run->options;
    struct stay_repository *repositories[STAY_DESTINATIONS_MAX];
    struct stay_index *indexes[STAY_DESTINATIONS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < options->n_dests; i++) {
        if (!usable(run, i))
            continue;
        repositories[n] = run->copies[i].repository;
        indexes[n++] = run->copies[i].index;
    }
    const struct stay_pipeline_options pipeline = {
        .repositories = repositories,
        .indexes = indexes,
        .n = n,
        .level = options->level,
        .threads = options->threads,
        .memory_limit = options->memory_limit,
        .cancel = options->cancel,
        .progress = options->progress,
    };
    if (stay_pipeline_new(&run->pipeline, &pipeline, err) < 0)
        return -1;
    const struct stay_sink_options sink = {
        .pipeline = run->pipeline,
        .last = run->last,
        .scratch = run->scratch,
        .memory_bytes = options->memory_limit / 8,
        .progress = options->progress,
        .now_ns = run->started_ns,
    };
    run->sink = stay_sink_new(&sink);
    return 0;
}

/* ---- reading */

/* The error that matters is the one that stopped the run, not the plugin's "I was stopped". */
static int read_source(struct run *run, struct stay_err *err)
{
    set_phase(run, "reading");
    int rc = stay_source_backup(run->options->source, stay_sink_abi(run->sink), err);
    if (rc == 0) {
        set_phase(run, "finishing");
        rc = stay_sink_finish(run->sink, run->last_path, &run->read, &run->writer, err);
    }
    if (rc < 0 && stay_sink_error(run->sink))
        *err = *stay_sink_error(run->sink);
    struct stay_err why = {0};
    int stored = stay_pipeline_finish(run->pipeline, &why);
    if (stored < 0 && (rc == 0 || err->kind != STAY_ERR_SPACE)) {
        *err = why;
        return -1;
    }
    return rc;
}

/* ---- writing down */

/*
 * The first half of an id is the fraction of the instant's second, the other half random: ids
 * differ as random ones do, and the names of snapshots sort by time even within a second.
 */
static void name_snapshot(struct run *run)
{
    int64_t fraction = run->read.instant_ns % STAY_NS_PER_S;
    unsigned part =
        (unsigned)((fraction < 0 ? fraction + STAY_NS_PER_S : fraction) * 65536 / STAY_NS_PER_S);

    run->result->instant_ns = run->read.instant_ns;
    (void)snprintf(run->result->id, sizeof run->result->id, "%04x%.4s", part, run->id);
}

static void place_stream(struct stay_snapshot *snapshot, enum stay_snapshot_streams which,
                         const struct stay_pieces *pieces, const struct stay_index *index,
                         struct stay_map *packs, struct stay_map *frames)
{
    struct stay_snapshot_stream *stream = &snapshot->streams[which];
    size_t n;
    const struct stay_index_frame *table = stay_index_frames(index, &n);
    const struct stay_index_pack *pack_table = stay_index_packs(index, &n);

    stream->bytes = pieces->total;
    for (size_t i = 0; i < pieces->n; i++) {
        const struct stay_index_chunk *chunk = stay_index_find(index, &pieces->ids[i]);
        if (chunk == NULL)
            abort(); /* it was stored or known a moment ago */
        const struct stay_index_frame *frame = &table[chunk->frame];
        void *known = stay_map_get(frames, &chunk->frame, sizeof chunk->frame);
        if (known == NULL) {
            void *pack = stay_map_get(packs, &pack_table[frame->pack].id, STAY_ID_BYTES);
            *stay_vec_push(&snapshot->stream_frames) =
                (struct stay_snapshot_frame){(uint32_t)(uintptr_t)pack - 1, frame->number,
                                             stay_index_frame_info_owned(index, frame)};
            known = (void *)(uintptr_t)snapshot->stream_frames.n;
            stay_map_set(frames, &chunk->frame, sizeof chunk->frame, known);
        }
        *stay_vec_push(&stream->chunks) = (struct stay_snapshot_chunk){
            chunk->id, chunk->bytes, (uint32_t)(uintptr_t)known - 1, chunk->offset};
    }
}

static void place_streams(struct run *run, size_t i, struct stay_snapshot *snapshot)
{
    stay_auto(stay_map_free) struct stay_map *packs = stay_map_new(NULL);
    stay_auto(stay_map_free) struct stay_map *frames = stay_map_new(NULL);

    for (size_t k = 0; k < snapshot->packs.n; k++)
        stay_map_set(packs, &snapshot->packs.items[k].id, STAY_ID_BYTES,
                     (void *)(uintptr_t)(k + 1));
    for (int k = 0; k < STAY_STREAMS; k++)
        place_stream(snapshot, (enum stay_snapshot_streams)k, &run->read.streams[k],
                     run->copies[i].index, packs, frames);
}

static struct stay_snapshot *make_snapshot(struct run *run, size_t i)
{
    const struct stay_backup_options *options = run->options;
    struct stay_snapshot *snapshot = stay_new(struct stay_snapshot);

    memcpy(snapshot->id, run->result->id, sizeof snapshot->id);
    memcpy(snapshot->run, run->id, sizeof snapshot->run);
    snapshot->source = stay_strdup(stay_source_name(options->source));
    snapshot->type = stay_strdup(stay_source_type(options->source));
    snapshot->app = options->app ? stay_strdup(options->app) : NULL;
    snapshot->host = stay_strdup(run->host);
    snapshot->version = stay_strdup(BACKSTAY_VERSION);
    snapshot->instant_ns = run->read.instant_ns;
    snapshot->started_ns = run->started_ns;
    snapshot->finished_ns = stay_clock_now(options->clock);
    snapshot->counts = run->read.counts;
    snapshot->counts.bytes_new = stay_pipeline_new_bytes(run->pipeline);
    snapshot->counts.bytes_stored = stay_pipeline_stored(run->pipeline, run->copies[i].slot);
    snapshot->details = json_incref(run->read.details);
    stay_pipeline_references(run->pipeline, run->copies[i].slot, snapshot);
    place_streams(run, i, snapshot);
    return snapshot;
}

static int write_record(struct run *run, size_t i, const struct stay_snapshot *snapshot,
                        struct stay_err *err)
{
    const char *name = run->result->copies[i].snapshot;
    const struct stay_record record = {
        .kind = "backup",
        .result = snapshot->counts.warnings ? "warnings" : "ok",
        .run = run->id,
        .source = snapshot->source,
        .host = run->host,
        .snapshot = name,
        .started_ns = run->started_ns,
        .finished_ns = snapshot->finished_ns,
        .counts = &snapshot->counts,
    };

    return stay_record_put(run->copies[i].repository, &record, err);
}

/* A copy counts once its snapshot is durable. A record that fails after that is a warning. */
static int write_copy(struct run *run, size_t i, struct stay_err *err)
{
    const struct stay_err *failed = stay_pipeline_error(run->pipeline, run->copies[i].slot);
    struct stay_backup_copy *copy = &run->result->copies[i];
    stay_auto_buf struct stay_buf text = {0};
    struct stay_err why = {0};

    if (failed) {
        *err = *failed;
        return -1;
    }
    stay_auto(stay_snapshot_free) struct stay_snapshot *snapshot = make_snapshot(run, i);
    copy->bytes_stored = snapshot->counts.bytes_stored;
    stay_snapshot_encode(&text, snapshot, run->copies[i].repository->id);
    (void)stay_snapshot_name(copy->snapshot, snapshot->source, snapshot->instant_ns, snapshot->id);
    run->copies[i].unrecorded = true; /* also when put fails: only its answer may have been lost */
    if (stay_dest_put(run->copies[i].repository->dest, copy->snapshot, text.data, text.len, err) <
        0)
        return -1;
    run->result->counts = snapshot->counts;
    run->copies[i].unrecorded = write_record(run, i, snapshot, &why) < 0;
    if (run->copies[i].unrecorded)
        stay_log(STAY_LOG_WARN, "the snapshot is stored, its record is not: %s", why.text);
    return 0;
}

static void write_copies(struct run *run)
{
    for (size_t i = 0; i < run->options->n_dests; i++) {
        struct stay_err why = {0};
        if (usable(run, i) && write_copy(run, i, &why) < 0)
            miss(run, i, &why);
    }
}

/* The record of a run that made no snapshot: best effort, the run has failed already. */
static void write_failures(struct run *run, const struct stay_err *why)
{
    for (size_t i = 0; i < run->options->n_dests; i++) {
        const struct stay_record record = {
            .kind = "backup",
            .result = "failed",
            .run = run->id,
            .source = stay_source_name(run->options->source),
            .host = run->host,
            .error = why->text,
            .started_ns = run->started_ns,
            .finished_ns = stay_clock_now(run->options->clock),
        };
        if (run->copies[i].locked)
            (void)!stay_record_put(run->copies[i].repository, &record, NULL);
    }
}

/* Where a snapshot may be without its record, the lock stays as after a crash: it tells check that
 * the run was cut off, and that no record was lost. */
static void unlock_copies(struct run *run)
{
    for (size_t i = 0; i < run->options->n_dests; i++) {
        const struct copy *copy = &run->copies[i];
        struct stay_err why = {0};
        if (copy->locked && !copy->unrecorded &&
            stay_run_unlock(copy->repository, run->id, &why) < 0)
            stay_log(STAY_LOG_WARN, "%s", why.text);
    }
}

static void save_caches(struct run *run)
{
    struct stay_err why = {0};

    if (run->writer && stay_last_commit(run->writer, &why) < 0)
        stay_log(STAY_LOG_WARN, "%s: the next backup will read every file", why.text);
    for (size_t i = 0; i < run->options->n_dests; i++) {
        if (usable(run, i) && run->result->copies[i].bytes_stored > 0 &&
            stay_index_save(run->copies[i].index, run->copies[i].cache, &why) < 0)
            stay_log(STAY_LOG_WARN, "%s: the next run will read the index again", why.text);
    }
}

/* ---- the run */

static int no_copy(const struct run *run, struct stay_err *err)
{
    *err = run->result->copies[0].error;
    return -1;
}

static int run_backup(struct run *run, struct stay_err *err)
{
    set_phase(run, "preparing");
    if (prepare_state(run, err) < 0)
        return -1;
    if (open_copies(run) == 0)
        return no_copy(run, err);
    if (start_pipeline(run, err) < 0 || read_source(run, err) < 0)
        return -1;
    set_phase(run, "writing the snapshot");
    name_snapshot(run);
    write_copies(run);
    if (run->result->n_missing == run->result->n_copies)
        return no_copy(run, err);
    save_caches(run);
    return 0;
}

int stay_backup(const struct stay_backup_options *options, struct stay_backup_result *result,
                struct stay_err *err)
{
    unsigned char id[STAY_RUN_ID / 2];
    struct run run = {.options = options, .result = result};

    *result = (struct stay_backup_result){.n_copies = options->n_dests};
    run.started_ns = stay_clock_now(options->clock);
    run.started_mono_ns = stay_clock_mono(options->clock);
    stay_random(id, sizeof id);
    stay_hex_encode(run.id, id, sizeof id);
    if (gethostname(run.host, sizeof run.host - 1) != 0)
        (void)snprintf(run.host, sizeof run.host, "unknown");
    int rc = run_backup(&run, err);
    if (rc < 0)
        write_failures(&run, err);
    unlock_copies(&run);
    result->elapsed_ns = stay_clock_mono(options->clock) - run.started_mono_ns;
    free_run(&run);
    return rc;
}
