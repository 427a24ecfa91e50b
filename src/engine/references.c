/* src/engine/references.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "engine/references.h"

#include <string.h>

/* Marks what one frame is built on. @return whether anything was new. */
static bool mark_bases(const struct stay_index *index, const struct stay_index_frame *frame,
                       unsigned char *used)
{
    bool fresh = false;
    size_t n;
    const struct stay_frame_base *bases = stay_index_bases(index, frame, &n);

    for (size_t i = 0; i < n; i++) {
        int64_t base = stay_index_find_base(index, &bases[i]);
        if (base >= 0 && !used[base]) {
            used[base] = 1;
            fresh = true;
        }
    }
    return fresh;
}

void stay_references_close(const struct stay_index *index, unsigned char *used)
{
    size_t n;
    const struct stay_index_frame *frames = stay_index_frames(index, &n);

    /* A base is older than what is built on it, so one round from the end does nearly always. */
    for (bool fresh = true; fresh;) {
        fresh = false;
        for (size_t i = n; i-- > 0;)
            if (used[i] && frames[i].n_bases > 0)
                fresh |= mark_bases(index, &frames[i], used);
    }
}

static void add_frame(struct stay_snapshot_pack *pack, const struct stay_index *index,
                      const struct stay_index_frame *frame)
{
    struct stay_snapshot_frames *last =
        pack->frames.n ? &pack->frames.items[pack->frames.n - 1] : NULL;
    size_t n;
    const struct stay_frame_base *bases = stay_index_bases(index, frame, &n);

    if (last && n == 0 && last->bases.n == 0 && last->last + 1 == frame->number &&
        last->codec == (enum stay_codec)frame->codec) {
        last->last++;
        return;
    }
    struct stay_snapshot_frames *run = stay_vec_push(&pack->frames);
    memset(run, 0, sizeof *run);
    run->first = run->last = frame->number;
    run->codec = (enum stay_codec)frame->codec;
    for (size_t i = 0; i < n; i++)
        *stay_vec_push(&run->bases) = bases[i];
}

void stay_references_add(struct stay_snapshot *snapshot, const struct stay_index *index,
                         unsigned char *used)
{
    struct stay_snapshot_pack *pack = NULL;
    uint32_t number = 0;
    size_t n;
    const struct stay_index_pack *packs = stay_index_packs(index, &n);
    const struct stay_index_frame *frames = stay_index_frames(index, &n);

    stay_references_close(index, used);
    for (size_t i = 0; i < n; i++) {
        if (!used[i])
            continue;
        if (pack == NULL || number != frames[i].pack) {
            number = frames[i].pack;
            pack = stay_vec_push(&snapshot->packs);
            memset(pack, 0, sizeof *pack);
            pack->id = packs[number].id;
            pack->bytes = packs[number].bytes;
        }
        add_frame(pack, index, &frames[i]);
    }
}
