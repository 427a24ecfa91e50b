/* src/store/repository.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "store/repository.h"

#include <string.h>

#define CONFIG_NAME "backstay.json"

static json_t *encode_sizes(const struct stay_chunk_sizes *sizes)
{
    return json_pack("{s:i, s:i, s:i}", "min", (int)sizes->min, "mean", (int)sizes->mean, "max",
                     (int)sizes->max);
}

static json_t *encode_chunker(const struct stay_chunker_params *params)
{
    char key[2 * STAY_CHUNKER_KEY_BYTES + 1] = {0};

    stay_hex_encode(key, params->key, sizeof params->key);
    return json_pack("{s:s, s:s, s:o, s:o}", "algorithm", "gear-1", "key", key, "plain",
                     encode_sizes(&params->plain), "dense", encode_sizes(&params->dense));
}

/* The checksums of the texts beside it, so that damage to them is noticed too. */
static json_t *encode_assets(void)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    json_t *object = json_object();
    size_t n;
    const struct stay_asset *assets = stay_assets(&n);

    for (size_t i = 0; i < n; i++) {
        struct stay_id id;
        char hex[STAY_ID_HEX + 1];
        stay_digest_of(digest, assets[i].data, assets[i].len, &id);
        stay_doc_set_text(object, assets[i].name, stay_id_hex(hex, &id));
    }
    return object;
}

static void encode_config(struct stay_buf *out, const struct stay_chunker_params *chunker,
                          int64_t now_ns)
{
    unsigned char id[STAY_REPOSITORY_ID / 2];
    char hex[STAY_REPOSITORY_ID + 1] = {0};
    stay_auto(json_decref) json_t *object = json_object();

    stay_random(id, sizeof id);
    stay_hex_encode(hex, id, sizeof id);
    stay_doc_set_u64(object, "format", 1);
    stay_doc_set_text(object, "kind", "repository");
    stay_doc_set_text(object, "id", hex);
    stay_doc_set_time(object, "created", now_ns);
    (void)json_object_set_new(object, "chunker", encode_chunker(chunker));
    (void)json_object_set_new(object, "recipients", json_array());
    (void)json_object_set_new(object, "files", encode_assets());
    stay_doc_seal(out, object);
}

int stay_repository_init(struct stay_dest *dest, const struct stay_chunker_params *like,
                         const struct stay_clock *clock, struct stay_err *err)
{
    struct stay_chunker_params params;
    stay_auto_buf struct stay_buf config = {0};
    stay_auto_buf struct stay_buf old = {0};
    size_t n;
    const struct stay_asset *assets = stay_assets(&n);

    int rc = stay_dest_get_all(dest, CONFIG_NAME, STAY_DOC_MAX, &old, err);
    if (rc <= 0)
        return rc < 0 ? -1 : STAY_REPOSITORY_EXISTS;
    for (size_t i = 0; i < n; i++)
        if (stay_dest_put(dest, assets[i].name, assets[i].data, assets[i].len, err) < 0)
            return -1;
    stay_chunker_defaults(&params);
    encode_config(&config, like ? like : &params, stay_clock_now(clock));
    rc = stay_dest_put_if_absent(dest, CONFIG_NAME, config.data, config.len, err);
    return rc == STAY_DEST_EXISTS ? STAY_REPOSITORY_EXISTS : rc;
}

static int decode_sizes(struct stay_chunk_sizes *sizes, const json_t *chunker, const char *key,
                        struct stay_err *err)
{
    const json_t *object;

    if (stay_doc_object(chunker, key, &object, err) < 0 ||
        stay_doc_u32(object, "min", &sizes->min, err) < 0 ||
        stay_doc_u32(object, "mean", &sizes->mean, err) < 0 ||
        stay_doc_u32(object, "max", &sizes->max, err) < 0)
        return -1;
    return 0;
}

static int decode_chunker(struct stay_chunker_params *params, const json_t *config,
                          struct stay_err *err)
{
    const json_t *object;
    const char *algorithm;
    const char *key;

    if (stay_doc_object(config, "chunker", &object, err) < 0 ||
        stay_doc_string(object, "algorithm", &algorithm, err) < 0 ||
        stay_doc_string(object, "key", &key, err) < 0 ||
        decode_sizes(&params->plain, object, "plain", err) < 0 ||
        decode_sizes(&params->dense, object, "dense", err) < 0)
        return -1;
    if (strcmp(algorithm, "gear-1") != 0 || strlen(key) != 2 * sizeof params->key ||
        stay_hex_decode(params->key, key, sizeof params->key) < 0 || !stay_chunker_valid(params))
        return stay_fail(err, STAY_ERR_CORRUPT, "the chunker parameters are not usable");
    return 0;
}

static int decode_files(struct stay_repository *repository, const json_t *config,
                        struct stay_err *err)
{
    const json_t *files;
    const char *name;
    json_t *sum;

    if (stay_doc_object(config, "files", &files, err) < 0)
        return -1;
    json_object_foreach((json_t *)files, name, sum)
    {
        struct stay_repository_file *file = &repository->files[repository->n_files];
        if (repository->n_files == STAY_REPOSITORY_FILES || strlen(name) >= sizeof file->name ||
            stay_doc_id(files, name, &file->sum, err) < 0)
            return stay_fail(err, STAY_ERR_CORRUPT, "its list of files is malformed");
        (void)snprintf(file->name, sizeof file->name, "%s", name);
        repository->n_files++;
    }
    return 0;
}

static int decode_config(struct stay_repository *repository, const json_t *config,
                         struct stay_err *err)
{
    const char *kind;
    const char *id;
    const json_t *recipients;
    uint64_t format = 0;

    if (stay_doc_u64(config, "format", &format, err) < 0)
        return -1;
    if (format != 1)
        return stay_fail(err, STAY_ERR_CONFIG,
                         "the repository has format %llu and this version reads format 1: use a "
                         "newer backstay",
                         (unsigned long long)format);
    if (stay_doc_string(config, "kind", &kind, err) < 0 ||
        stay_doc_string(config, "id", &id, err) < 0 ||
        stay_doc_time(config, "created", &repository->created_ns, err) < 0 ||
        stay_doc_array(config, "recipients", &recipients, err) < 0 ||
        decode_chunker(&repository->chunker, config, err) < 0 ||
        decode_files(repository, config, err) < 0)
        return -1;
    if (strcmp(kind, "repository") != 0 || strlen(id) != STAY_REPOSITORY_ID ||
        strspn(id, "0123456789abcdef") != STAY_REPOSITORY_ID)
        return stay_fail(err, STAY_ERR_CORRUPT, "its identity is malformed");
    if (json_array_size(recipients) > 0)
        return stay_fail(err, STAY_ERR_CONFIG,
                         "the repository is encrypted, which this version does not support: use "
                         "a newer backstay");
    memcpy(repository->id, id, sizeof repository->id);
    return 0;
}

int stay_repository_open(struct stay_repository **out, struct stay_dest *dest, struct stay_err *err)
{
    stay_auto(stay_repository_free) struct stay_repository *repository =
        stay_new(struct stay_repository);
    stay_auto(json_decref) json_t *config = NULL;
    stay_auto_buf struct stay_buf text = {0};

    int rc = stay_dest_get_all(dest, CONFIG_NAME, STAY_DOC_MAX, &text, err);
    if (rc < 0)
        return -1;
    if (rc == STAY_DEST_MISSING)
        return stay_fail(err, STAY_ERR_CONFIG,
                         "destination %s holds no repository (no %s there); make one with "
                         "\"backstay init\", and if there should be one, see that it is mounted",
                         stay_dest_name(dest), CONFIG_NAME);
    if (stay_doc_open(&config, &text, CONFIG_NAME, err) < 0 ||
        decode_config(repository, config, err) < 0)
        return stay_prefix(err, "destination %s", stay_dest_name(dest));
    repository->dest = dest;
    *out = stay_steal(&repository);
    return 0;
}

void stay_repository_free(struct stay_repository *repository)
{
    if (repository == NULL)
        return;
    stay_wipe(&repository->chunker, sizeof repository->chunker);
    free(repository);
}

int stay_repository_snapshot(const struct stay_repository *repository, const char *name,
                             struct stay_snapshot **out, struct stay_err *err)
{
    stay_auto_buf struct stay_buf text = {0};

    int rc = stay_dest_get_all(repository->dest, name, STAY_DOC_MAX, &text, err);
    if (rc == STAY_DEST_MISSING)
        return stay_fail(err, STAY_ERR_ABSENT, "there is no object %s", name);
    if (rc < 0)
        return -1;
    return stay_snapshot_decode(out, &text, name, repository->id, err);
}
