/* tests/unit/engine/rig.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * rig: up to three repositories in memory, and pipelines, backups and readers over them, for tests
 * of the engine.
 *
 * Layer: tests. Uses: engine. Thread-safety: one thread, except for what is said of its parts.
 */
#pragma once

#include "engine/backup.h"
#include "engine/fetch.h"
#include "engine/view.h"

#include "unit/store/stores.h"

enum { RIG_STORES = 3, RIG_THREADS = 2 };

struct rig {
    struct made_store *stores[RIG_STORES];
    struct stay_repository *repositories[RIG_STORES]; /* those of the stores */
    struct stay_index *indexes[RIG_STORES];           /* of the run that is open */
    size_t n;
    struct stay_pipeline *pipeline; /* of the run that is open */
    struct stay_cancel cancel;
    struct stay_progress progress;
    char *folder; /* for states and temporary files */
    struct stay_err err;
};

/** @n repositories that cut alike. */
static inline struct rig *new_rig(size_t n)
{
    struct rig *rig = stay_new(struct rig);

    rig->n = n;
    assert_int_equal(stay_fs_make_scratch(&rig->folder, "/tmp/backstay-engine-", NULL), 0);
    for (size_t i = 0; i < n; i++) {
        struct made_store *store = i ? empty_store() : new_store();
        if (i) {
            assert_ok(stay_repository_init(store->dest, &rig->repositories[0]->chunker,
                                           stay_clock_system(), &rig->err),
                      rig->err);
            assert_ok(stay_repository_open(&store->repository, store->dest, &rig->err), rig->err);
        }
        rig->stores[i] = store;
        rig->repositories[i] = store->repository;
    }
    return rig;
}

/** Ends the run that is open. */
static inline void rig_close(struct rig *rig)
{
    stay_pipeline_free(rig->pipeline);
    rig->pipeline = NULL;
    for (size_t i = 0; i < rig->n; i++) {
        stay_index_free(rig->indexes[i]);
        rig->indexes[i] = NULL;
    }
}

static inline void free_rig(struct rig *rig)
{
    rig_close(rig);
    for (size_t i = 0; i < rig->n; i++)
        free_store(rig->stores[i]);
    assert_int_equal(stay_fs_remove_tree(rig->folder, NULL), 0);
    free(rig->folder);
    free(rig);
}

/** Begins a run: indexes as they are in the repositories now, and a pipeline. */
static inline void rig_open(struct rig *rig)
{
    const struct stay_pipeline_options options = {
        .repositories = rig->repositories,
        .indexes = rig->indexes,
        .n = rig->n,
        .level = 1,
        .threads = RIG_THREADS,
        .memory_limit = (size_t)256 << 20,
        .cancel = &rig->cancel,
        .progress = &rig->progress,
    };

    rig_close(rig);
    for (size_t i = 0; i < rig->n; i++)
        assert_ok(
            stay_repository_index(rig->repositories[i], NULL, &rig->indexes[i], NULL, &rig->err),
            rig->err);
    assert_ok(stay_pipeline_new(&rig->pipeline, &options, &rig->err), rig->err);
}

/** Makes calls to store @i fail, as the rule says. */
static inline void rig_fail(struct rig *rig, size_t i, enum stay_dest_op op, const char *prefix,
                            unsigned nth)
{
    stay_failing_dest_add(rig->stores[i]->failing,
                          &(struct stay_failing_rule){.op = op,
                                                      .prefix = prefix,
                                                      .nth = nth,
                                                      .times = UINT32_MAX,
                                                      .kind = BACKSTAY_ERR_SPACE});
}

/** How many bytes all packs of store @i have. */
static inline uint64_t rig_pack_bytes(const struct rig *rig, size_t i)
{
    stay_auto_dest_list struct stay_dest_list list = {0};
    uint64_t bytes = 0;

    assert_int_equal(stay_dest_list(rig->stores[i]->dest, "packs/", &list, NULL), 0);
    for (size_t k = 0; k < list.n; k++)
        bytes += list.items[k].bytes;
    return bytes;
}

/** Appends the content of @n chunks, read from store @i and verified. @return 0 or -1. */
static inline int rig_read(const struct rig *rig, size_t i, const struct stay_id *ids, size_t n,
                           struct stay_buf *out)
{
    stay_auto(stay_index_free) struct stay_index *index = NULL;
    stay_auto(stay_fetch_free) struct stay_fetch *fetch = stay_fetch_new(rig->stores[i]->dest);
    size_t unused;

    if (stay_repository_index(rig->repositories[i], NULL, &index, NULL, NULL) < 0)
        return -1;
    for (size_t k = 0; k < n; k++) {
        const struct stay_index_chunk *chunk = stay_index_find(index, &ids[k]);
        const char *tar;
        if (chunk == NULL)
            return -1;
        const struct stay_index_frame *frame = &stay_index_frames(index, &unused)[chunk->frame];
        const struct stay_frame_info info = stay_index_frame_info(index, frame);
        const struct stay_id *pack = &stay_index_packs(index, &unused)[frame->pack].id;
        if (stay_fetch_frame(fetch, pack, &info, &tar, NULL) < 0 ||
            stay_fetch_verify(fetch, tar, chunk->offset, chunk->bytes, &ids[k], NULL) < 0)
            return -1;
        stay_buf_add(out, tar + chunk->offset, chunk->bytes);
    }
    return 0;
}

/* ---- sources made of functions */

/** A source whose backup and restore are a test's. */
struct script {
    int (*backup)(struct backstay_sink *sink, void *ctx);
    int (*restore)(struct backstay_feed *feed, const struct backstay_target *target, void *ctx);
    void *ctx;
};

static inline int script_result(int rc, struct backstay_error *err)
{
    if (rc < 0) {
        err->kind = BACKSTAY_ERR_IO;
        (void)snprintf(err->text, sizeof err->text, "the script stopped");
    }
    return rc;
}

static inline int script_backup(void *self, struct backstay_sink *sink, struct backstay_error *err)
{
    const struct script *script = self;

    return script_result(script->backup(sink, script->ctx), err);
}

static inline int script_restore(void *self, const struct backstay_target *target,
                                 struct backstay_feed *feed, struct backstay_error *err)
{
    const struct script *script = self;

    return script_result(script->restore(feed, target, script->ctx), err);
}

static const struct backstay_source script_ops = {
    .size = sizeof script_ops, .backup = script_backup, .restore = script_restore};

static inline struct backstay_entry file_entry(const char *path, uint64_t bytes)
{
    return (struct backstay_entry){.size = sizeof(struct backstay_entry),
                                   .type = BACKSTAY_FILE,
                                   .flags = BACKSTAY_ENTRY_HAS_MODE,
                                   .mode = 0644,
                                   .path = path,
                                   .path_len = strlen(path),
                                   .bytes = bytes};
}

/** Sends a file; its token is its content's first bytes. */
static inline int send_file(struct backstay_sink *sink, const char *path, const void *data,
                            size_t len)
{
    const struct backstay_entry entry = file_entry(path, len);
    size_t token = STAY_MIN(len, (size_t)BACKSTAY_TOKEN_MAX);

    int same = sink->unchanged(sink, path, strlen(path), data, token);
    return same ? STAY_MIN(same, 0) : sink->whole(sink, &entry, data, len, data, token);
}

static inline int send_folder(struct backstay_sink *sink, const char *path)
{
    struct backstay_entry entry = file_entry(path, 0);

    entry.type = BACKSTAY_DIR;
    entry.mode = 0755;
    return sink->whole(sink, &entry, NULL, 0, NULL, 0);
}

/** Backs up @source to all stores. */
static inline int rig_backup_source(struct rig *rig, struct stay_source *source,
                                    struct stay_backup_result *result)
{
    struct stay_backup_dest dests[RIG_STORES] = {0};

    for (size_t i = 0; i < rig->n; i++) {
        dests[i].dest = rig->stores[i]->dest;
        dests[i].name = "disk";
    }
    const struct stay_backup_options options = {
        .source = source,
        .dests = dests,
        .n_dests = rig->n,
        .state_dir = rig->folder,
        .level = 1,
        .threads = RIG_THREADS,
        .memory_limit = (size_t)256 << 20,
        .cancel = &rig->cancel,
        .progress = &rig->progress,
        .clock = stay_clock_system(),
    };
    return stay_backup(&options, result, &rig->err);
}

/** Backs up what @script sends to all stores, as the source "media". */
static inline int rig_backup(struct rig *rig, struct script *script,
                             struct stay_backup_result *result)
{
    stay_auto(stay_source_free) struct stay_source *source =
        stay_source_wrap("media", "script", &script_ops, script);

    return rig_backup_source(rig, source, result);
}

/** The newest snapshot of store @i; the caller frees it. */
static inline struct stay_view *rig_view(struct rig *rig, size_t i)
{
    struct stay_view *view = NULL;

    assert_ok(stay_view_open(&view, rig->repositories[i], "media@latest", RIG_THREADS, rig->folder,
                             &rig->err),
              rig->err);
    return view;
}
