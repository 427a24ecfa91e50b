/* src/engine/check_documents.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "engine/check_private.h"

#include <string.h>

/* The texts for people are part of the promise: somebody will need them when nothing else is left.
 */
static int check_assets(struct stay_check *check, struct stay_err *err)
{
    const struct stay_repository *repository = check->options->repository;
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();

    for (size_t i = 0; i < repository->n_files; i++) {
        const struct stay_repository_file *file = &repository->files[i];
        stay_auto_buf struct stay_buf text = {0};
        struct stay_id sum;
        int rc = stay_dest_get_all(repository->dest, file->name, STAY_DOC_MAX, &text, err);
        if (rc < 0)
            return -1;
        stay_digest_of(digest, text.data, text.len, &sum);
        if (rc == STAY_DEST_MISSING)
            stay_check_note(check, STAY_FINDING_DAMAGE, file->name, NULL, "is missing");
        else if (!stay_id_equal(&sum, &file->sum))
            stay_check_note(check, STAY_FINDING_DAMAGE, file->name, NULL,
                            "is not as it was written");
    }
    return 0;
}

/* What an index object says was found out when the index was loaded. */
static void check_index_name(struct stay_check *check, const char *name)
{
    const char *hex = name + sizeof "index/" - 1;
    struct stay_id id;

    if (strlen(hex) != STAY_ID_HEX || stay_id_parse(&id, hex) < 0)
        stay_check_note(check, STAY_FINDING_DAMAGE, name, NULL, "is not named by a SHA-256");
}

static int check_record(struct stay_check *check, const char *name, struct stay_err *err)
{
    struct stay_record_seen record = {0};
    struct stay_err why = {0};

    if (stay_record_get(check->options->repository, name, &record, &why) < 0) {
        if (why.kind != STAY_ERR_CORRUPT) {
            *err = why;
            return -1;
        }
        stay_check_note(check, STAY_FINDING_DAMAGE, name, NULL, "%s", why.text);
        return 0;
    }
    if (record.snapshot)
        stay_map_set(check->records, record.snapshot, strlen(record.snapshot),
                     stay_strdup(record.snapshot));
    stay_record_seen_free(&record);
    return 0;
}

static int by_name(const void *name, const void *object)
{
    return strcmp(name, ((const struct stay_dest_object *)object)->name);
}

static bool listed(const struct stay_dest_list *list, const char *name, size_t len)
{
    stay_auto_str char *text = stay_memdup(name, len);

    return list->n && bsearch(text, list->items, list->n, sizeof *list->items, by_name);
}

/* Each backup that says it made a snapshot must have it. */
static void check_promises(struct stay_check *check)
{
    const void *name;
    void *value;
    size_t len;

    for (size_t at = 0; stay_map_next(check->records, &at, &name, &len, &value);)
        if (!listed(&check->objects, name, len))
            stay_check_note(check, STAY_FINDING_DAMAGE, (const char *)value, NULL,
                            "the snapshot is missing, though a record says that it was made");
}

static void check_unknown(struct stay_check *check, const char *name)
{
    static const char *const known[] = {"backstay.json", "packs/", "index/", "snapshots/",
                                        "records/",      "locks/", "trash/"};
    struct stay_snapshot_ref ref;

    for (size_t i = 0; i < check->options->repository->n_files; i++)
        if (strcmp(check->options->repository->files[i].name, name) == 0)
            return;
    if (stay_str_starts(name, "snapshots/") && stay_snapshot_parse_name(&ref, name) < 0)
        stay_check_note(check, STAY_FINDING_DAMAGE, name, NULL, "is not named like a snapshot");
    for (size_t i = 0; i < STAY_COUNT(known); i++)
        if (stay_str_starts(name, known[i]))
            return;
    stay_check_note(check, STAY_FINDING_NOTE, name, NULL, "is not part of the repository");
}

int stay_check_documents(struct stay_check *check, struct stay_err *err)
{
    if (check_assets(check, err) < 0)
        return -1;
    for (size_t i = 0; i < check->objects.n; i++) {
        const char *name = check->objects.items[i].name;
        if (stay_cancelled(check->options->cancel))
            return stay_fail_cancelled(err);
        int rc = 0;
        if (stay_str_starts(name, "index/"))
            check_index_name(check, name);
        else if (stay_str_starts(name, "records/"))
            rc = check_record(check, name, err);
        else
            check_unknown(check, name);
        if (rc < 0)
            return -1;
    }
    check_promises(check);
    return 0;
}
