/* src/engine/text.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A stream is read frame by frame, each frame once, by several threads; pieces land at their place.
 */
#include "engine/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { IN_MEMORY = 64 * 1024 * 1024 };

/* One frame's work: the chunks of the stream that lie in it. */
struct portion {
    const struct stay_snapshot_frame *frame;
    STAY_VEC(size_t) chunks;
};

struct loading {
    const struct stay_snapshot *snapshot;
    const struct stay_snapshot_stream *stream;
    uint64_t *offsets; /* of each chunk in the text */
    char *text;
    struct stay_window *window;  /* over the text; NULL: it is in memory */
    struct stay_fetch **fetches; /* one for each thread */
    pthread_mutex_t mutex;       /* guards what follows */
    size_t missing_bytes;
    struct stay_err first_damage;
};

static void note_damage(struct loading *loading, size_t chunk, const struct stay_err *why)
{
    uint32_t bytes = loading->stream->chunks.items[chunk].bytes;

    memset(loading->text + loading->offsets[chunk], '\n', bytes);
    (void)pthread_mutex_lock(&loading->mutex);
    loading->missing_bytes += bytes;
    if (loading->first_damage.kind == STAY_ERR_NONE)
        loading->first_damage = *why;
    (void)pthread_mutex_unlock(&loading->mutex);
}

static int load_portion(void *ctx, void *item, unsigned worker, bool failed, struct stay_err *err)
{
    struct loading *loading = ctx;
    const struct portion *portion = item;
    struct stay_fetch *fetch = loading->fetches[worker];
    const struct stay_snapshot_pack *pack = &loading->snapshot->packs.items[portion->frame->pack];
    struct stay_err why = {0};
    const char *tar = NULL;

    (void)failed;
    (void)err;
    int rc = stay_fetch_frame(fetch, &pack->id, &portion->frame->info, &tar, &why);
    for (size_t i = 0; i < portion->chunks.n; i++) {
        size_t number = portion->chunks.items[i];
        const struct stay_snapshot_chunk *chunk = &loading->stream->chunks.items[number];
        if (rc < 0 ||
            stay_fetch_verify(fetch, tar, chunk->offset, chunk->bytes, &chunk->id, &why) < 0)
            note_damage(loading, number, &why);
        else
            memcpy(loading->text + loading->offsets[number], tar + chunk->offset, chunk->bytes);
        if (loading->window)
            stay_window_touch(loading->window, chunk->bytes);
    }
    return 0;
}

/* Sorts the chunks of the stream by the frames they lie in. */
static struct portion *make_portions(struct loading *loading)
{
    struct portion *portions = stay_calloc(loading->snapshot->stream_frames.n, sizeof *portions);
    uint64_t at = 0;

    for (size_t i = 0; i < loading->stream->chunks.n; i++) {
        uint32_t frame = loading->stream->chunks.items[i].frame;
        portions[frame].frame = &loading->snapshot->stream_frames.items[frame];
        *stay_vec_push(&portions[frame].chunks) = i;
        loading->offsets[i] = at;
        at += loading->stream->chunks.items[i].bytes;
    }
    return portions;
}

static int load_all(struct loading *loading, unsigned threads, struct stay_err *err)
{
    stay_auto(stay_pool_free) struct stay_pool *pool = NULL;
    size_t n = loading->snapshot->stream_frames.n;

    if (stay_pool_new(&pool, threads, 2 * (size_t)threads, load_portion, loading, err) < 0)
        return -1;
    struct portion *portions = make_portions(loading);
    for (size_t i = 0; i < n; i++)
        if (portions[i].frame)
            stay_pool_submit(pool, &portions[i]);
    int rc = stay_pool_finish(pool, err);
    for (size_t i = 0; i < n; i++)
        stay_vec_free(&portions[i].chunks);
    free(portions);
    return rc;
}

static int make_room(struct stay_text *out, uint64_t bytes, const char *scratch,
                     struct stay_err *err)
{
    stay_auto_fd int fd = -1;

    if (bytes <= IN_MEMORY) {
        out->memory = stay_malloc(bytes);
        return 0;
    }
    if (stay_fs_unnamed(&fd, scratch, err) < 0)
        return -1;
    /* A hole would only be filled when it is written to, and end the program where no room is left.
     */
    errno = posix_fallocate(fd, 0, (off_t)bytes);
    if (errno != 0)
        return stay_fail_errno(err, STAY_ERR_IO, "make a temporary file of %llu bytes in %s",
                               (unsigned long long)bytes, scratch);
    out->window = stay_new(struct stay_window);
    if (stay_window_open(out->window, fd, bytes, PROT_READ | PROT_WRITE) < 0)
        return stay_fail_errno(err, STAY_ERR_IO, "map a temporary file");
    return 0;
}

int stay_text_load(struct stay_text *out, struct stay_dest *dest,
                   const struct stay_snapshot *snapshot, enum stay_snapshot_streams which,
                   unsigned threads, const char *scratch, struct stay_err *err)
{
    const struct stay_snapshot_stream *stream = &snapshot->streams[which];
    struct loading loading = {.snapshot = snapshot, .stream = stream};

    *out = (struct stay_text){.data = "", .len = stream->bytes};
    if (stream->chunks.n == 0)
        return 0;
    threads = threads ? threads : 1;
    if (make_room(out, stream->bytes, scratch, err) < 0) {
        stay_text_free(out);
        return -1;
    }
    loading.window = out->window;
    loading.text = out->window ? out->window->data : out->memory;
    stay_auto_free uint64_t *offsets = stay_calloc(stream->chunks.n, sizeof *offsets);
    stay_auto_free struct stay_fetch **fetches = stay_calloc(threads, sizeof *fetches);
    loading.offsets = offsets;
    loading.fetches = fetches;
    for (unsigned i = 0; i < threads; i++)
        fetches[i] = stay_fetch_new(dest);
    (void)pthread_mutex_init(&loading.mutex, NULL);
    int rc = load_all(&loading, threads, err);
    (void)pthread_mutex_destroy(&loading.mutex);
    for (unsigned i = 0; i < threads; i++)
        stay_fetch_free(fetches[i]);
    out->data = loading.text;
    out->missing_bytes = loading.missing_bytes;
    out->first_damage = loading.first_damage;
    if (rc < 0)
        stay_text_free(out);
    return rc;
}

void stay_text_free(struct stay_text *text)
{
    free(text->memory);
    if (text->window)
        stay_window_close(text->window);
    free(text->window);
    *text = (struct stay_text){0};
}
