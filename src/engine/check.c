/* src/engine/check.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Data comes before snapshots, so that a snapshot can be told which of its entries are lost.
 */
#include "engine/check_private.h"

#include <string.h>

const char *stay_finding_kind_name(enum stay_finding_kind kind)
{
    static const char *const names[] = {"note", "damage", "loss"};

    return names[kind];
}

void stay_check_note(struct stay_check *check, enum stay_finding_kind kind, const char *object,
                     const char *path, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    (void)pthread_mutex_lock(&check->mutex);
    *stay_vec_push(&check->result->findings) = (struct stay_finding){
        kind, stay_strdup(object), path ? stay_strdup(path) : NULL, stay_strdup(text)};
    if (kind != STAY_FINDING_NOTE)
        check->result->n_damage++;
    (void)pthread_mutex_unlock(&check->mutex);
}

void stay_check_bad_frame(struct stay_check *check, size_t frame)
{
    atomic_store(&check->bad_frames[frame], 1);
    atomic_store(&check->any_bad_frame, true);
}

static void damaged_index(void *ctx, const char *object, const struct stay_err *why)
{
    stay_check_note(ctx, STAY_FINDING_DAMAGE, object, NULL, "%s", why->text);
}

/*
 * Backups may go on meanwhile. Each writes lock, packs, index, snapshot, record, and takes the lock
 * away; reading in the order locks, snapshots, index, objects sees everything that a seen thing
 * refers to. Documents come from the repository, never from a local cache: that is what is checked.
 */
static int read_lists(struct stay_check *check, struct stay_err *err)
{
    const struct stay_repository *repository = check->options->repository;
    const struct stay_index_watch watch = {damaged_index, check};
    size_t n;

    if (stay_run_locks(repository, &check->locks, err) < 0 ||
        stay_repository_snapshots(repository, NULL, &check->snapshots, err) < 0 ||
        stay_repository_index(repository, NULL, &check->index, &watch, err) < 0 ||
        stay_dest_list(repository->dest, "", &check->objects, err) < 0)
        return -1;
    (void)stay_index_frames(check->index, &n);
    check->bad_frames = stay_calloc(n, sizeof *check->bad_frames);
    check->result->snapshots = check->snapshots.n;
    return 0;
}

static void set_phase(const struct stay_check *check, const char *phase)
{
    if (check->options->progress)
        atomic_store(&check->options->progress->phase, phase);
}

static int run(struct stay_check *check, struct stay_err *err)
{
    set_phase(check, "checking documents");
    if (read_lists(check, err) < 0 || stay_check_documents(check, err) < 0 ||
        stay_check_packs(check, err) < 0)
        return -1;
    if (check->options->data_percent > 0) {
        set_phase(check, "reading packs");
        if (stay_check_data(check, err) < 0)
            return -1;
    }
    stay_check_bases(check);
    set_phase(check, "checking snapshots");
    return stay_check_snapshots(check, err);
}

int stay_check(const struct stay_check_options *options, struct stay_check_result *result,
               struct stay_err *err)
{
    struct stay_check check = {.options = options, .result = result};

    *result = (struct stay_check_result){0};
    (void)pthread_mutex_init(&check.mutex, NULL);
    check.records = stay_map_new(free);
    int rc = run(&check, err);
    stay_map_free(check.records);
    stay_vec_free(&check.snapshots);
    stay_dest_list_free(&check.locks);
    stay_dest_list_free(&check.objects);
    stay_index_free(check.index);
    free((void *)check.bad_frames);
    (void)pthread_mutex_destroy(&check.mutex);
    return rc;
}

void stay_check_result_free(struct stay_check_result *result)
{
    for (size_t i = 0; i < result->findings.n; i++) {
        free(result->findings.items[i].object);
        free(result->findings.items[i].path);
        free(result->findings.items[i].text);
    }
    stay_vec_free(&result->findings);
}
