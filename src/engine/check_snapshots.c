/* src/engine/check_snapshots.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "engine/check_private.h"
#include "engine/references.h"

#include <string.h>

static bool has_lock(const struct stay_check *check, const char *run)
{
    stay_auto_str char *name = stay_strf("locks/%s.json", run);

    for (size_t i = 0; i < check->locks.n; i++)
        if (strcmp(check->locks.items[i].name, name) == 0)
            return true;
    return false;
}

/* A run that was cut off between snapshot and record left its lock; without one, the record is
 * gone. */
static void check_record(const struct stay_check_exam *exam)
{
    if (stay_map_get(exam->check->records, exam->name, strlen(exam->name)))
        return;
    if (has_lock(exam->check, exam->snapshot->run))
        stay_check_note(exam->check, STAY_FINDING_NOTE, exam->name, NULL,
                        "its run has not written its record (yet, or was interrupted)");
    else
        stay_check_damage(exam, "the record of its run is missing");
}

/* The frames that one entry of the snapshot's list names, compared with the index. */
static void check_pack(const struct stay_check_exam *exam, const struct stay_snapshot_pack *pack,
                       const struct stay_index_pack *known)
{
    char name[STAY_PACK_NAME_MAX];

    if (known->bytes != pack->bytes)
        stay_check_damage(exam, "says another size of a pack than the index");
    for (size_t k = 0; k < pack->frames.n; k++) {
        const struct stay_snapshot_frames *run = &pack->frames.items[k];
        if (run->last >= known->n_frames) {
            stay_check_note(exam->check, STAY_FINDING_DAMAGE, exam->name, NULL,
                            "refers to frame %u of %s, which has %u", run->last,
                            stay_pack_name(name, &pack->id), known->n_frames);
            continue;
        }
        for (uint32_t at = run->first; at <= run->last; at++) {
            const struct stay_index_frame *frame = &exam->frames[known->first_frame + at];
            exam->referenced[known->first_frame + at] = 1;
            if (frame->codec != (uint32_t)run->codec || frame->n_bases != run->bases.n)
                stay_check_damage(exam, "says another codec of a frame than the index");
        }
    }
}

/* What named frames are built on must be named too: that is what keeps it from being removed. */
static void check_bases_named(const struct stay_check_exam *exam)
{
    size_t n;

    (void)stay_index_frames(exam->check->index, &n);
    stay_auto_free unsigned char *closed = stay_calloc(n, 1);
    if (n)
        memcpy(closed, exam->referenced, n);
    stay_references_close(exam->check->index, closed);
    if (n && memcmp(closed, exam->referenced, n) != 0)
        stay_check_damage(exam, "does not name all frames that its frames are built on");
}

/* Marks the frames that the snapshot names, comparing what it says of them with the index. */
static void check_references(const struct stay_check_exam *exam)
{
    const struct stay_index *index = exam->check->index;
    char name[STAY_PACK_NAME_MAX];
    size_t n;
    const struct stay_index_pack *packs = stay_index_packs(index, &n);

    for (size_t i = 0; i < exam->snapshot->packs.n; i++) {
        const struct stay_snapshot_pack *pack = &exam->snapshot->packs.items[i];
        int64_t number = stay_index_find_pack(index, &pack->id);
        if (number >= 0)
            check_pack(exam, pack, &packs[number]);
        else
            stay_check_note(exam->check, STAY_FINDING_DAMAGE, exam->name, NULL,
                            "refers to %s, which is in no index", stay_pack_name(name, &pack->id));
    }
    check_bases_named(exam);
}

static int check_manifest(const struct stay_check_exam *exam, struct stay_err *err)
{
    const struct stay_check_options *options = exam->check->options;
    stay_auto(stay_tree_free) struct stay_tree *tree = NULL;
    struct stay_err why = {0};
    size_t bytes;
    size_t lines;

    if (stay_tree_load(&tree, options->repository->dest, exam->snapshot, options->threads,
                       options->scratch, &why) < 0) {
        if (why.kind != STAY_ERR_CORRUPT) {
            *err = why;
            return -1;
        }
        stay_check_damage(exam, why.text);
        return 0;
    }
    const struct stay_err *missing = stay_tree_damage(tree, &bytes, &lines);
    if (missing)
        stay_check_note(exam->check, STAY_FINDING_DAMAGE, exam->name, NULL,
                        "%zu bytes of its manifest are lost, and the entries in them: %s", bytes,
                        missing->text);
    return stay_check_entries(exam, tree, err);
}

/* Facts and notes: read as text; their lines are not interpreted here. */
static int check_text(const struct stay_check_exam *exam, enum stay_snapshot_streams which,
                      struct stay_err *err)
{
    const struct stay_check_options *options = exam->check->options;
    struct stay_text text = {0};
    struct stay_err why = {0};

    if (stay_text_load(&text, options->repository->dest, exam->snapshot, which, 1, options->scratch,
                       &why) < 0) {
        *err = why;
        return -1;
    }
    if (text.missing_bytes)
        stay_check_note(exam->check, STAY_FINDING_DAMAGE, exam->name, NULL,
                        "its %s are damaged: %s", stay_snapshot_stream_name(which),
                        text.first_damage.text);
    stay_text_free(&text);
    return 0;
}

static int check_snapshot(struct stay_check *check, const struct stay_snapshot_ref *ref,
                          struct stay_err *err)
{
    stay_auto(stay_snapshot_free) struct stay_snapshot *snapshot = NULL;
    struct stay_err why = {0};
    size_t n;

    if (stay_repository_snapshot(check->options->repository, ref->name, &snapshot, &why) < 0) {
        if (why.kind != STAY_ERR_CORRUPT && why.kind != STAY_ERR_ABSENT) {
            *err = why;
            return -1;
        }
        stay_check_note(check, STAY_FINDING_DAMAGE, ref->name, NULL, "%s", why.text);
        return 0;
    }
    const struct stay_index_frame *frames = stay_index_frames(check->index, &n);
    stay_auto_free unsigned char *referenced = stay_calloc(n, 1);
    const struct stay_check_exam exam = {check, ref->name, snapshot, frames, referenced};
    check_record(&exam);
    check_references(&exam);
    if (check_manifest(&exam, err) < 0 || check_text(&exam, STAY_FACTS, err) < 0 ||
        check_text(&exam, STAY_NOTES, err) < 0)
        return -1;
    return 0;
}

int stay_check_snapshots(struct stay_check *check, struct stay_err *err)
{
    for (size_t i = 0; i < check->snapshots.n; i++) {
        if (stay_cancelled(check->options->cancel))
            return stay_fail_cancelled(err);
        if (check_snapshot(check, &check->snapshots.items[i], err) < 0)
            return -1;
    }
    return 0;
}
