/* src/store/repository_index.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Loading the index: from the local cache as far as that reaches, the rest from the repository. The
 * packs are listed each time: a chunk counts as stored only when its pack is there with the size
 * that it must have, so a lost pack heals at the next backup.
 */
#include "store/repository.h"

#include <string.h>

enum { INDEX_OBJECT_MAX = 64 * 1024 * 1024 };

typedef STAY_VEC(struct stay_id) id_list;

static int list_objects(struct stay_dest *dest, id_list *out, struct stay_err *err)
{
    stay_auto_dest_list struct stay_dest_list list = {0};
    static const char prefix[] = "index/";

    if (stay_dest_list(dest, prefix, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < list.n; i++) {
        const char *name = list.items[i].name + sizeof prefix - 1;
        struct stay_id id;
        if (strlen(name) == STAY_ID_HEX && stay_id_parse(&id, name) == 0)
            *stay_vec_push(out) = id;
        else
            stay_log(STAY_LOG_WARN, "unexpected object %s: ignored", list.items[i].name);
    }
    return 0;
}

static int read_object(struct stay_dest *dest, struct stay_index *index, const struct stay_id *id,
                       struct stay_err *err)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    stay_auto_buf struct stay_buf data = {0};
    char hex[STAY_ID_HEX + 1];
    stay_auto_str char *name = stay_strf("index/%s", stay_id_hex(hex, id));
    struct stay_id sum;

    int rc = stay_dest_get_all(dest, name, INDEX_OBJECT_MAX, &data, err);
    if (rc == STAY_DEST_MISSING)
        return stay_fail(err, STAY_ERR_CORRUPT, "it vanished");
    if (rc < 0)
        return -1;
    stay_digest_of(digest, data.data, data.len, &sum);
    if (!stay_id_equal(&sum, id))
        return stay_fail(err, STAY_ERR_CORRUPT, "its content is not what it was");
    return stay_index_decode(index, data.data, data.len, err);
}

static void report_damage(struct stay_dest *dest, const struct stay_id *id,
                          const struct stay_index_watch *watch, const struct stay_err *why)
{
    char hex[STAY_ID_HEX + 1];
    stay_auto_str char *name = stay_strf("index/%s", stay_id_hex(hex, id));

    if (watch)
        watch->damaged(watch->ctx, name, why);
    else
        stay_log(STAY_LOG_WARN, "destination %s: %s: %s", stay_dest_name(dest), name, why->text);
}

/* Reads what the cache does not cover. An object that cannot be read only costs space: its chunks
 * count as not stored. */
static int read_rest(struct stay_dest *dest, struct stay_index *index, const id_list *ids,
                     const bool *covered, const struct stay_index_watch *watch,
                     struct stay_err *err)
{
    for (size_t i = 0; i < ids->n; i++) {
        struct stay_err why = {0};
        if (covered[i])
            continue;
        if (read_object(dest, index, &ids->items[i], &why) == 0) {
            stay_index_note(index, &ids->items[i]);
            continue;
        }
        if (why.kind != STAY_ERR_CORRUPT) {
            *err = why;
            return -1;
        }
        report_damage(dest, &ids->items[i], watch, &why);
    }
    stay_index_sort(index);
    return 0;
}

static int keep_existing(struct stay_dest *dest, struct stay_index *index, struct stay_err *err)
{
    stay_auto_dest_list struct stay_dest_list list = {0};
    id_list packs = {0};

    if (stay_dest_list(dest, "packs/", &list, err) < 0)
        return -1;
    for (size_t i = 0; i < list.n; i++) {
        struct stay_id id;
        size_t n;
        if (stay_pack_parse_name(&id, list.items[i].name) < 0)
            continue;
        int64_t number = stay_index_find_pack(index, &id);
        if (number >= 0 && stay_index_packs(index, &n)[number].bytes == list.items[i].bytes)
            *stay_vec_push(&packs) = id;
    }
    size_t missing = stay_index_keep(index, packs.items, packs.n);
    stay_vec_free(&packs);
    if (missing > 0)
        stay_log(STAY_LOG_WARN,
                 "destination %s: %zu packs of the index are missing or have another size; what "
                 "was in them is stored again as it is met",
                 stay_dest_name(dest), missing);
    return 0;
}

int stay_repository_index(const struct stay_repository *repository, const char *cache,
                          struct stay_index **out, const struct stay_index_watch *watch,
                          struct stay_err *err)
{
    stay_auto(stay_index_free) struct stay_index *index = NULL;
    id_list ids = {0};
    size_t n_covered = 0;
    int rc = -1;

    if (list_objects(repository->dest, &ids, err) < 0) {
        stay_vec_free(&ids);
        return -1;
    }
    stay_auto_free bool *covered = stay_calloc(ids.n, sizeof *covered);
    if (cache == NULL || stay_index_map(&index, cache, ids.items, ids.n, covered, &n_covered) != 0)
        index = stay_index_new();
    if (read_rest(repository->dest, index, &ids, covered, watch, err) == 0 &&
        keep_existing(repository->dest, index, err) == 0)
        rc = 0;
    struct stay_err why = {0};
    if (rc == 0 && cache && n_covered < ids.n && stay_index_save(index, cache, &why) < 0)
        stay_log(STAY_LOG_WARN, "%s: the next run will read the index again", why.text);
    stay_vec_free(&ids);
    if (rc == 0)
        *out = stay_steal(&index);
    return rc;
}
