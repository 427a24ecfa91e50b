/* src/model/config.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "model/config.h"

#include "model/schema.h"
#include "model/sections.h"
#include "model/yaml.h"

#include <errno.h>
#include <libgen.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 1 << 18 };

/* What a run takes in any case, and what each of its threads adds; tests measure that it is enough.
 */
#define BASE_BYTES   (INT64_C(96) * 1024 * 1024)
#define THREAD_BYTES (INT64_C(24) * 1024 * 1024)

int stay_config_find(char **out, const char *given, const struct stay_resolver *resolver,
                     struct stay_err *err)
{
    static const char *const usual[] = {"./backstay.yaml", "/etc/backstay/backstay.yaml"};
    const char *named = given ? given : resolver->get(resolver->ctx, "BACKSTAY_CONFIG");

    if (named && *named) {
        *out = stay_strdup(named);
        return 0;
    }
    for (size_t i = 0; i < STAY_COUNT(usual); i++) {
        if (stay_fs_exists(usual[i])) {
            *out = stay_strdup(usual[i]);
            return 0;
        }
    }
    return stay_fail(err, STAY_ERR_CONFIG,
                     "there is no configuration: --config is not given, $BACKSTAY_CONFIG is not "
                     "set, %s and %s do not exist",
                     usual[0], usual[1]);
}

/* The folder of @file, absolute. */
static char *folder_of(const char *file)
{
    stay_auto_str char *copy = stay_strdup(file);
    const char *folder = dirname(copy);

    if (*folder == '/')
        return stay_strdup(folder);
    stay_auto_str char *here = getcwd(NULL, 0);
    if (here == NULL)
        return stay_strdup(folder);
    return strcmp(folder, ".") == 0 ? stay_strdup(here) : stay_strf("%s/%s", here, folder);
}

static void read_scalar(struct stay_config *config, const struct stay_config_key *key,
                        const struct stay_yaml *node, struct stay_problems *problems)
{
    struct stay_err err = {0};

    if (node->type != STAY_YAML_SCALAR || node->empty) {
        stay_problems_add(problems, config->file, node->line, node->column,
                          node->empty ? "`%s` has no value" : "`%s` must be one value, not %s",
                          key->name, stay_yaml_form(node));
        return;
    }
    config->given[key - stay_config_keys] = (struct stay_setting){
        .name = key->name,
        .text = node->text,
        .file = config->file,
        .line = node->line,
        .column = node->column,
    };
    if (stay_reference_is(node->text)) {
        if (stay_reference_is_empty(node->text))
            stay_problems_add(problems, config->file, node->line, node->column,
                              "`%s`: the reference `%s` says nothing after its colon", key->name,
                              node->text);
        return;
    }
    if (stay_schema_store(config, key, node->text, &err) < 0)
        stay_problems_add(problems, config->file, node->line, node->column, "%s", err.text);
}

static void refuse_unknown(const struct stay_config *config, const struct stay_yaml *key,
                           struct stay_problems *problems)
{
    const char *nearest = stay_schema_nearest(key->text);
    stay_auto_buf struct stay_buf known = {0};

    if (nearest) {
        stay_problems_add(problems, config->file, key->line, key->column,
                          "unknown key `%s`, did you mean `%s`?", key->text, nearest);
        return;
    }
    for (size_t i = 0; i < STAY_CONFIG_KEYS; i++)
        if (stay_config_keys[i].type != STAY_CONFIG_LATER)
            stay_buf_printf(&known, "%s%s", known.len ? ", " : "", stay_config_keys[i].name);
    stay_problems_add(problems, config->file, key->line, key->column,
                      "unknown key `%s`; there are %s", key->text, known.data);
}

static void read_key(struct stay_config *config, const struct stay_yaml *name,
                     const struct stay_yaml *node, struct stay_problems *problems)
{
    const struct stay_config_key *key = stay_schema_find(name->text);

    if (key == NULL)
        refuse_unknown(config, name, problems);
    else if (key->type == STAY_CONFIG_LATER)
        stay_problems_add(problems, config->file, name->line, name->column,
                          "`%s` is not supported by this version: %s", key->name, key->help);
    else if (key->type == STAY_CONFIG_SECTIONS)
        stay_sections_read((void *)((char *)config + key->offset), config->file, key->name, node,
                           problems);
    else
        read_scalar(config, key, node, problems);
}

static void read_root(struct stay_config *config, struct stay_problems *problems)
{
    const struct stay_yaml *root = config->root;

    if (root->type != STAY_YAML_MAP) {
        stay_problems_add(problems, config->file, root->line, root->column,
                          "a configuration is a map of keys to values, not %s",
                          stay_yaml_form(root));
        return;
    }
    for (size_t i = 0; i < root->n; i++)
        if (root->keys[i]->type == STAY_YAML_SCALAR)
            read_key(config, root->keys[i], root->items[i], problems);
    if (stay_yaml_get(root, "destinations") == NULL)
        stay_problems_add(problems, config->file, root->line, root->column,
                          "`destinations` is missing: it says where backups are stored");
}

int stay_config_parse(struct stay_config **out, const char *data, size_t len, const char *file,
                      struct stay_problems *problems, struct stay_err *err)
{
    stay_auto(stay_config_free) struct stay_config *config = stay_new(struct stay_config);

    config->file = stay_strdup(file);
    config->folder = folder_of(file);
    stay_schema_defaults(config);
    if (len > FILE_BYTES_MAX)
        return stay_fail(err, STAY_ERR_CONFIG, "configuration %s is larger than %d bytes", file,
                         FILE_BYTES_MAX);
    config->root = stay_yaml_read(data, len, file, problems);
    if (config->root)
        read_root(config, problems);
    if (stay_problems_fail(problems, err) < 0)
        return -1;
    *out = stay_steal(&config);
    return 0;
}

static int check_trust(const char *path, const struct stat *st, struct stay_err *err)
{
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return stay_fail(err, STAY_ERR_CONFIG,
                         "configuration %s belongs to uid %u, neither to root nor to the caller "
                         "(uid %u): it could run commands as the caller; chown it",
                         path, (unsigned)st->st_uid, (unsigned)geteuid());
    if (S_ISREG(st->st_mode) && st->st_mode & S_IWOTH)
        return stay_fail(err, STAY_ERR_CONFIG,
                         "everybody can write configuration %s (mode %04o): it could run commands "
                         "as the caller; run chmod o-w on it",
                         path, (unsigned)(st->st_mode & 07777));
    return 0;
}

int stay_config_load(struct stay_config **out, const char *path, struct stay_problems *problems,
                     struct stay_err *err)
{
    struct stay_buf content = {0};
    struct stat st;

    if (stat(path, &st) != 0)
        return stay_fail_errno(err, STAY_ERR_CONFIG, "read configuration %s", path);
    if (check_trust(path, &st, err) < 0)
        return -1;
    int outcome = stay_fs_read(&content, path, FILE_BYTES_MAX, err);
    if (outcome < 0) {
        if (err)
            err->kind = STAY_ERR_CONFIG;
        (void)stay_prefix(err, "read configuration");
    } else {
        outcome = stay_config_parse(out, content.data, content.len, path, problems, err);
    }
    if (outcome == 0 && S_ISREG(st.st_mode))
        (*out)->mode = (unsigned)st.st_mode & 07777;
    if (content.data)
        stay_wipe(content.data, content.cap);
    stay_buf_free(&content);
    return outcome;
}

static int64_t usable_cpus(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

static int default_state_dir(char **out, const struct stay_resolver *resolver, unsigned uid,
                             struct stay_err *err)
{
    const char *state = resolver->get(resolver->ctx, "XDG_STATE_HOME");
    const char *home = resolver->get(resolver->ctx, "HOME");

    if (uid == 0)
        *out = stay_strdup("/var/lib/backstay");
    else if (state && *state == '/')
        *out = stay_strf("%s/backstay", state);
    else if (home && *home == '/')
        *out = stay_strf("%s/.local/state/backstay", home);
    else
        return stay_fail(err, STAY_ERR_CONFIG,
                         "`state_dir` is not given, and neither $XDG_STATE_HOME nor $HOME says "
                         "where it should be");
    return 0;
}

/* Each thread takes buffers and a compressor, about THREAD_BYTES, besides what every run takes. */
static int fit_threads(struct stay_config *config, struct stay_err *err)
{
    int64_t most = STAY_MAX((config->memory_limit - BASE_BYTES) / THREAD_BYTES, INT64_C(1));
    char limit[16];

    if (config->threads == 0)
        config->threads = STAY_MIN((int64_t)usable_cpus(), most);
    if (config->threads > most)
        return stay_fail(err, STAY_ERR_CONFIG,
                         "%s: %lld threads do not fit into a memory_limit of %s: at most %lld do",
                         config->file, (long long)config->threads,
                         stay_str_bytes(limit, (uint64_t)config->memory_limit), (long long)most);
    return 0;
}

int stay_config_resolve(struct stay_config *config, const struct stay_resolver *resolver,
                        unsigned uid, struct stay_err *err)
{
    for (size_t i = 0; i < STAY_CONFIG_KEYS; i++) {
        const struct stay_setting *given = &config->given[i];
        stay_auto_settings struct stay_settings resolved = {0};
        if (given->name == NULL || !stay_reference_is(given->text))
            continue;
        if (stay_settings_resolve(&resolved, given, 1, resolver, err) < 0)
            return -1;
        if (stay_schema_store(config, &stay_config_keys[i], resolved.items[0].text, err) < 0)
            return stay_prefix(err, "%s:%d:%d", given->file, given->line, given->column);
    }
    if (fit_threads(config, err) < 0)
        return -1;
    if (config->state_dir == NULL)
        return default_state_dir(&config->state_dir, resolver, uid, err);
    return 0;
}

const struct stay_config_section *stay_config_section(const struct stay_config_sections *sections,
                                                      const char *name)
{
    for (size_t i = 0; i < sections->n; i++)
        if (strcmp(sections->items[i].name, name) == 0)
            return &sections->items[i];
    return NULL;
}

void stay_config_free(struct stay_config *config)
{
    if (config == NULL)
        return;
    stay_sections_free(&config->sources);
    stay_sections_free(&config->destinations);
    stay_yaml_free(config->root);
    free(config->file);
    free(config->folder);
    free(config->app);
    free(config->state_dir);
    free(config->plugin_dir);
    free(config);
}
