/* src/model/schema.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "model/schema.h"

#include <inttypes.h>
#include <string.h>

#define MEMBER(name) offsetof(struct stay_config, name)
#define MIB          (INT64_C(1) << 20)
#define TIB          (INT64_C(1) << 40)

const struct stay_config_key stay_config_keys[STAY_CONFIG_KEYS] = {
    {"app", STAY_CONFIG_TEXT, NULL, 0, 0, MEMBER(app),
     "What the backups belong to, for people and reports"},
    {"sources", STAY_CONFIG_SECTIONS, NULL, 0, 0, MEMBER(sources),
     "What is backed up: names, each with a `type` and the options of that type"},
    {"destinations", STAY_CONFIG_SECTIONS, NULL, 1, 0, MEMBER(destinations),
     "Where backups are stored: names, each with a `type` and the options of that type"},
    {"state_dir", STAY_CONFIG_PATH, NULL, 0, 0, MEMBER(state_dir),
     "The folder for locks, caches and scratch space; default: /var/lib/backstay for root, else "
     "~/.local/state/backstay"},
    {"plugin_dir", STAY_CONFIG_PATH, NULL, 0, 0, MEMBER(plugin_dir),
     "The folder of the plugins; default: where they were installed"},
    {"memory_limit", STAY_CONFIG_SIZE, "512MiB", 128 * MIB, TIB, MEMBER(memory_limit),
     "How much memory a run may use"},
    {"threads", STAY_CONFIG_NUMBER, NULL, 1, 1024, MEMBER(threads),
     "How many threads work at once; default: the number of CPUs"},
    {"compression", STAY_CONFIG_NUMBER, "3", 1, 19, MEMBER(compression),
     "The level of zstd: 1 is fastest, 19 is smallest"},
    {"jobs", STAY_CONFIG_LATER, NULL, 0, 0, 0,
     "run `backstay backup` from cron or from a systemd timer instead"},
    {"encryption", STAY_CONFIG_LATER, NULL, 0, 0, 0,
     "repositories are not encrypted yet, so use an encrypted disk or bucket"},
    {"objectives", STAY_CONFIG_LATER, NULL, 0, 0, 0,
     "`backstay list` shows how old the newest snapshot is"},
    {"keep", STAY_CONFIG_LATER, NULL, 0, 0, 0, "every snapshot is kept"},
    {"verify", STAY_CONFIG_LATER, NULL, 0, 0, 0,
     "run `backstay check --read-data`, and restore to try it"},
    {"checks", STAY_CONFIG_LATER, NULL, 0, 0, 0, "restored data is not queried yet"},
    {"drills", STAY_CONFIG_LATER, NULL, 0, 0, 0, "rehearse with `backstay restore` by hand"},
    {"alerts", STAY_CONFIG_LATER, NULL, 0, 0, 0,
     "let cron or systemd report an exit code that is not 0"},
    {"metrics", STAY_CONFIG_LATER, NULL, 0, 0, 0, "read the output of `backstay stats --json`"},
};

const struct stay_config_key *stay_schema_find(const char *name)
{
    for (size_t i = 0; i < STAY_CONFIG_KEYS; i++)
        if (strcmp(stay_config_keys[i].name, name) == 0)
            return &stay_config_keys[i];
    return NULL;
}

const char *stay_schema_nearest(const char *name)
{
    const char *names[STAY_CONFIG_KEYS];

    for (size_t i = 0; i < STAY_CONFIG_KEYS; i++)
        names[i] = stay_config_keys[i].name;
    return stay_str_nearest(name, names, STAY_CONFIG_KEYS);
}

static int store_text(char **member, const struct stay_config_key *key, char *value,
                      struct stay_err *err)
{
    stay_auto_str char *mine = value;

    if (*mine == '\0')
        return stay_fail(err, STAY_ERR_CONFIG, "`%s` is empty", key->name);
    free(*member);
    *member = stay_steal(&mine);
    return 0;
}

static char *path_in(const char *folder, const char *text)
{
    if (*text == '/' || *text == '\0')
        return stay_strdup(text);
    return stay_strf("%s/%s", folder, text);
}

static int store_size(int64_t *member, const struct stay_config_key *key, const char *text,
                      struct stay_err *err)
{
    char least[16];
    char most[16];
    int64_t value;

    if (stay_str_size(text, &value) < 0)
        return stay_fail(err, STAY_ERR_CONFIG, "`%s` must be a size like 512MiB, not `%s`",
                         key->name, text);
    if (value < key->least || value > key->most)
        return stay_fail(err, STAY_ERR_CONFIG, "`%s` must be from %s to %s, not `%s`", key->name,
                         stay_str_bytes(least, (uint64_t)key->least),
                         stay_str_bytes(most, (uint64_t)key->most), text);
    *member = value;
    return 0;
}

static int store_number(int64_t *member, const struct stay_config_key *key, const char *text,
                        struct stay_err *err)
{
    int64_t value;

    if (stay_str_i64(text, &value) < 0 || value < key->least || value > key->most)
        return stay_fail(err, STAY_ERR_CONFIG,
                         "`%s` must be a whole number from %" PRId64 " to %" PRId64 ", not `%s`",
                         key->name, key->least, key->most, text);
    *member = value;
    return 0;
}

int stay_schema_store(struct stay_config *config, const struct stay_config_key *key,
                      const char *text, struct stay_err *err)
{
    void *member = (char *)config + key->offset;

    switch (key->type) {
    case STAY_CONFIG_TEXT:
        return store_text(member, key, stay_strdup(text), err);
    case STAY_CONFIG_PATH:
        return store_text(member, key, path_in(config->folder, text), err);
    case STAY_CONFIG_SIZE:
        return store_size(member, key, text, err);
    case STAY_CONFIG_NUMBER:
        return store_number(member, key, text, err);
    default:
        return stay_fail(err, STAY_ERR_CONFIG, "`%s` is not one value", key->name);
    }
}

void stay_schema_defaults(struct stay_config *config)
{
    for (size_t i = 0; i < STAY_CONFIG_KEYS; i++)
        if (stay_config_keys[i].default_text &&
            stay_schema_store(config, &stay_config_keys[i], stay_config_keys[i].default_text,
                              NULL) < 0)
            abort();
}
