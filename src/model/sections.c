/* src/model/sections.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "model/sections.h"

#include <string.h>

enum { NAME_MAX_BYTES = 64 };

/* What the functions here need to know about the place that they are in. */
struct place {
    const char *file;
    const char *kind; /* "source" or "destination" */
    const char *name; /* of the section */
    struct stay_problems *problems;
};

static bool is_name(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= NAME_MAX_BYTES &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len;
}

#define ADD(place, node, ...)                                                                      \
    stay_problems_add((place)->problems, (place)->file, (node)->line, (node)->column, __VA_ARGS__)

/* Checks one scalar of an option; @what names it. @return whether it can be used. */
static bool check_scalar(const struct place *place, const struct stay_yaml *node, const char *what)
{
    if (node->type != STAY_YAML_SCALAR)
        ADD(place, node, "%s of %s `%s` must be one value, not %s", what, place->kind, place->name,
            stay_yaml_form(node));
    else if (node->empty)
        ADD(place, node, "%s of %s `%s` has no value", what, place->kind, place->name);
    else if (stay_reference_is_empty(node->text))
        ADD(place, node, "%s of %s `%s`: the reference `%s` says nothing after its colon", what,
            place->kind, place->name, node->text);
    else
        return true;
    return false;
}

static void read_list(const struct place *place, struct stay_setting *setting,
                      const struct stay_yaml *node)
{
    const char **items = stay_calloc(node->n, sizeof *items);

    setting->items = items;
    for (size_t i = 0; i < node->n; i++) {
        stay_auto_str char *what = stay_strf("item %zu of `%s`", i + 1, setting->name);
        if (check_scalar(place, node->items[i], what))
            items[setting->n_items++] = node->items[i]->text;
    }
}

static void read_option(const struct place *place, struct stay_config_section *section,
                        const struct stay_yaml *key, const struct stay_yaml *node)
{
    struct stay_setting setting = {
        .name = key->text, .file = place->file, .line = node->line, .column = node->column};
    stay_auto_str char *what = stay_strf("`%s`", key->text);

    if (node->type == STAY_YAML_MAP) {
        ADD(place, node, "`%s` of %s `%s` must be one value or a list, not a map", key->text,
            place->kind, place->name);
        return;
    }
    if (node->type == STAY_YAML_LIST)
        read_list(place, &setting, node);
    else if (check_scalar(place, node, what))
        setting.text = node->text;
    else
        return;
    section->settings[section->n_settings++] = setting;
}

static void read_type(const struct place *place, struct stay_config_section *section,
                      const struct stay_yaml *map)
{
    const struct stay_yaml *type = stay_yaml_get(map, "type");

    if (type == NULL)
        ADD(place, map, "%s `%s` has no `type`; `backstay plugin list` shows the types",
            place->kind, place->name);
    else if (!check_scalar(place, type, "`type`"))
        return;
    else if (!is_name(type->text))
        ADD(place, type,
            "`type` of %s `%s` must be the name of a plugin, not `%s`; `backstay plugin list` "
            "shows them",
            place->kind, place->name, type->text);
    else
        section->type = type->text;
}

static void check_name(const struct place *place, const struct stay_yaml *key)
{
    if (!is_name(key->text))
        ADD(place, key, "`%s` cannot be the name of a %s: use 1 to %d letters, digits, `_` and `-`",
            key->text, place->kind, NAME_MAX_BYTES);
    else if (strcmp(key->text, "latest") == 0)
        ADD(place, key,
            "`latest` cannot be the name of a %s: on the command line it means the newest snapshot",
            place->kind);
}

static void read_section(struct stay_config_sections *sections, const struct place *place,
                         const struct stay_yaml *key, const struct stay_yaml *map)
{
    check_name(place, key);
    if (map->type != STAY_YAML_MAP) {
        if (map->empty)
            ADD(place, map, "%s `%s` has no `type` and no options", place->kind, place->name);
        else
            ADD(place, map, "%s `%s` must be a map with a `type` and options, not %s", place->kind,
                place->name, stay_yaml_form(map));
        return;
    }
    struct stay_config_section *section = stay_vec_push(sections);
    *section = (struct stay_config_section){
        .name = key->text,
        .where = {.name = key->text, .file = place->file, .line = key->line, .column = key->column},
        .settings = stay_calloc(map->n, sizeof *section->settings),
    };
    read_type(place, section, map);
    for (size_t i = 0; i < map->n; i++)
        if (map->keys[i]->type == STAY_YAML_SCALAR && strcmp(map->keys[i]->text, "type") != 0)
            read_option(place, section, map->keys[i], map->items[i]);
}

void stay_sections_read(struct stay_config_sections *sections, const char *file, const char *key,
                        const struct stay_yaml *node, struct stay_problems *problems)
{
    struct place place = {.file = file, .problems = problems};

    place.kind = strcmp(key, "sources") == 0 ? "source" : "destination";
    if (node->empty || (node->type == STAY_YAML_MAP && node->n == 0)) {
        ADD(&place, node, "`%s` has no entries", key);
        return;
    }
    if (node->type != STAY_YAML_MAP) {
        ADD(&place, node, "`%s` must be a map of names, each with a `type`, not %s", key,
            stay_yaml_form(node));
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        if (node->keys[i]->type != STAY_YAML_SCALAR)
            continue;
        place.name = node->keys[i]->text;
        read_section(sections, &place, node->keys[i], node->items[i]);
    }
}

void stay_sections_free(struct stay_config_sections *sections)
{
    for (size_t i = 0; i < sections->n; i++) {
        struct stay_config_section *section = &sections->items[i];
        for (size_t at = 0; at < section->n_settings; at++)
            free((void *)section->settings[at].items);
        free(section->settings);
    }
    stay_vec_free(sections);
}

static bool written_out(const struct stay_setting *setting)
{
    if (setting->text)
        return !stay_reference_is(setting->text);
    for (size_t i = 0; i < setting->n_items; i++)
        if (!stay_reference_is(setting->items[i]))
            return true;
    return false;
}

static void check_section(const struct stay_config *config, const char *kind,
                          const struct stay_config_section *section,
                          stay_config_secret_fn *is_secret, void *ctx,
                          struct stay_problems *problems)
{
    for (size_t i = 0; i < section->n_settings; i++) {
        const struct stay_setting *setting = &section->settings[i];
        if (!written_out(setting) || !is_secret(ctx, kind, section->type, setting->name))
            continue;
        stay_problems_add(problems, setting->file, setting->line, setting->column,
                          "`%s` of %s `%s` is a secret, and others can read it (mode %04o): run "
                          "`chmod 600 %s`, or write env:NAME, file:PATH or cred:NAME instead",
                          setting->name, kind, section->name, config->mode, config->file);
    }
}

int stay_config_check_secrets(const struct stay_config *config, stay_config_secret_fn *is_secret,
                              void *ctx, struct stay_problems *problems, struct stay_err *err)
{
    if ((config->mode & 077) == 0)
        return 0;
    for (size_t i = 0; i < config->sources.n; i++)
        check_section(config, "source", &config->sources.items[i], is_secret, ctx, problems);
    for (size_t i = 0; i < config->destinations.n; i++)
        check_section(config, "destination", &config->destinations.items[i], is_secret, ctx,
                      problems);
    return stay_problems_fail(problems, err);
}
