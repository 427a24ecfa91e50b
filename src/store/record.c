/* src/store/record.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "store/record.h"

#include <string.h>
#include <unistd.h>

char *stay_record_name(char out[static STAY_RECORD_NAME_MAX], const struct stay_record *record)
{
    char time[24];

    (void)stay_time_compact(time, record->started_ns);
    (void)snprintf(out, STAY_RECORD_NAME_MAX, "records/%.4s/%.2s/%s-%s-%s.json", time, time + 4,
                   time, record->kind, record->run);
    return out;
}

int stay_record_put(const struct stay_repository *repository, const struct stay_record *record,
                    struct stay_err *err)
{
    char name[STAY_RECORD_NAME_MAX];
    stay_auto(json_decref) json_t *object = json_object();
    stay_auto_buf struct stay_buf text = {0};

    (void)stay_record_name(name, record);
    stay_doc_set_u64(object, "format", 1);
    stay_doc_set_text(object, "kind", "record");
    stay_doc_set_text(object, "name", name);
    stay_doc_set_text(object, "repository", repository->id);
    stay_doc_set_text(object, "about", record->kind);
    stay_doc_set_text(object, "result", record->result);
    stay_doc_set_text(object, "run", record->run);
    stay_doc_set_text(object, "source", record->source);
    stay_doc_set_text(object, "host", record->host);
    stay_doc_set_text(object, "version", BACKSTAY_VERSION);
    stay_doc_set_time(object, "started", record->started_ns);
    stay_doc_set_time(object, "finished", record->finished_ns);
    if (record->snapshot)
        stay_doc_set_text(object, "snapshot", record->snapshot);
    if (record->error)
        stay_doc_set_text(object, "error", record->error);
    if (record->counts)
        (void)json_object_set_new(object, "counts", stay_snapshot_counts_json(record->counts));
    stay_doc_seal(&text, object);
    return stay_dest_put(repository->dest, name, text.data, text.len, err);
}

static int decode_record(struct stay_record_seen *out, const json_t *object, const char *name,
                         const char *repository_id, struct stay_err *err)
{
    const char *kind;
    const char *own_name;
    const char *repository;
    const char *run;

    if (stay_doc_string(object, "kind", &kind, err) < 0 ||
        stay_doc_string(object, "name", &own_name, err) < 0 ||
        stay_doc_string(object, "repository", &repository, err) < 0 ||
        stay_doc_string(object, "run", &run, err) < 0)
        return stay_prefix(err, "%s", name);
    if (strcmp(kind, "record") != 0 || strcmp(own_name, name) != 0 ||
        strcmp(repository, repository_id) != 0)
        return stay_fail(err, STAY_ERR_CORRUPT,
                         "%s is really %s of repository %s: objects were swapped", name, own_name,
                         repository);
    const char *snapshot = json_string_value(json_object_get(object, "snapshot"));
    *out = (struct stay_record_seen){
        .name = stay_strdup(name),
        .snapshot = snapshot ? stay_strdup(snapshot) : NULL,
        .run = stay_strdup(run),
    };
    return 0;
}

int stay_record_get(const struct stay_repository *repository, const char *name,
                    struct stay_record_seen *out, struct stay_err *err)
{
    stay_auto(json_decref) json_t *object = NULL;
    stay_auto_buf struct stay_buf text = {0};

    int rc = stay_dest_get_all(repository->dest, name, STAY_DOC_MAX, &text, err);
    if (rc == STAY_DEST_MISSING)
        return stay_fail(err, STAY_ERR_CORRUPT, "%s vanished", name);
    if (rc < 0 || stay_doc_open(&object, &text, name, err) < 0)
        return -1;
    return decode_record(out, object, name, repository->id, err);
}

void stay_record_seen_free(struct stay_record_seen *record)
{
    free(record->name);
    free(record->snapshot);
    free(record->run);
    *record = (struct stay_record_seen){0};
}

int stay_run_lock(const struct stay_repository *repository, const char *run, const char *source,
                  const char *host, int64_t now_ns, struct stay_err *err)
{
    stay_auto(json_decref) json_t *object = json_object();
    stay_auto_buf struct stay_buf text = {0};
    stay_auto_str char *name = stay_strf("locks/%s.json", run);

    stay_doc_set_u64(object, "format", 1);
    stay_doc_set_text(object, "kind", "lock");
    stay_doc_set_text(object, "run", run);
    stay_doc_set_text(object, "source", source);
    stay_doc_set_text(object, "host", host);
    stay_doc_set_u64(object, "pid", (uint64_t)getpid());
    stay_doc_set_time(object, "started", now_ns);
    stay_doc_seal(&text, object);
    return stay_dest_put(repository->dest, name, text.data, text.len, err);
}

int stay_run_unlock(const struct stay_repository *repository, const char *run, struct stay_err *err)
{
    stay_auto_str char *name = stay_strf("locks/%s.json", run);

    return stay_dest_remove(repository->dest, name, err) < 0 ? -1 : 0;
}

int stay_run_locks(const struct stay_repository *repository, struct stay_dest_list *out,
                   struct stay_err *err)
{
    return stay_dest_list(repository->dest, "locks/", out, err);
}
