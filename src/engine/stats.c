/* src/engine/stats.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "engine/stats.h"

static int count_snapshots(const struct stay_repository *repository, struct stay_stats *out,
                           struct stay_err *err)
{
    struct stay_snapshot_list list = {0};
    int rc = stay_repository_snapshots(repository, NULL, &list, err);

    out->snapshots = list.n;
    for (size_t i = 0; i < list.n && rc == 0; i++) {
        stay_auto(stay_snapshot_free) struct stay_snapshot *snapshot = NULL;
        rc = stay_repository_snapshot(repository, list.items[i].name, &snapshot, err);
        if (rc == 0)
            out->raw_bytes += snapshot->counts.bytes;
    }
    stay_vec_free(&list);
    return rc;
}

static int count_objects(const struct stay_repository *repository, struct stay_stats *out,
                         struct stay_err *err)
{
    stay_auto_dest_list struct stay_dest_list list = {0};

    if (stay_dest_list(repository->dest, "", &list, err) < 0)
        return -1;
    for (size_t i = 0; i < list.n; i++) {
        if (stay_str_starts(list.items[i].name, "packs/")) {
            out->packs++;
            out->stored_bytes += list.items[i].bytes;
        } else {
            out->other_bytes += list.items[i].bytes;
        }
    }
    return 0;
}

static void count_chunks(const struct stay_index *index, struct stay_stats *out)
{
    size_t n;
    const struct stay_index_chunk *chunks = stay_index_chunks(index, &n);

    for (size_t i = 0; i < n; i++) {
        if (i > 0 && stay_id_equal(&chunks[i].id, &chunks[i - 1].id))
            continue;
        out->chunks++;
        out->unique_bytes += chunks[i].bytes;
    }
    (void)stay_index_frames(index, &n);
    out->frames = n;
}

int stay_stats(const struct stay_repository *repository, const char *cache, struct stay_stats *out,
               struct stay_err *err)
{
    stay_auto(stay_index_free) struct stay_index *index = NULL;

    *out = (struct stay_stats){.space.size = sizeof out->space};
    if (count_snapshots(repository, out, err) < 0 || count_objects(repository, out, err) < 0 ||
        stay_repository_index(repository, cache, &index, NULL, err) < 0 ||
        stay_dest_space(repository->dest, &out->space, err) < 0)
        return -1;
    count_chunks(index, out);
    return 0;
}
