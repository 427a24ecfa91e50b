/* src/cli/cmd_config.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay config show
 */
#include "cli/cli.h"
#include "cli/commands.h"

#include <string.h>

#define MASK "***"

/* One option of a section as it is shown: a secret that is written out is masked. */
struct shown {
    struct stay_cli *cli;
    const char *kind;
    const struct stay_config_section *section;
};

static const char *visible(const struct shown *shown, const char *option, const char *text)
{
    if (stay_reference_is(text))
        return text;
    return stay_cli_is_secret(shown->cli, shown->kind, shown->section->type, option) ? MASK : text;
}

/* Whether @text reads back as itself without quotes, whatever YAML makes of plain words. */
static bool is_plain(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789_./+=%") == len;
}

static void add_scalar(struct stay_buf *out, const char *text)
{
    const char *colon = strchr(text, ':');

    /* A colon is plain unless a space or the end follows. */
    if (is_plain(text) || (stay_reference_is(text) && colon && is_plain(colon + 1)))
        stay_buf_str(out, text);
    else
        stay_json_add_string(out, text, strlen(text));
}

static void add_option(struct stay_buf *out, const struct shown *shown,
                       const struct stay_setting *setting)
{
    stay_buf_str(out, "    ");
    add_scalar(out, setting->name);
    stay_buf_str(out, ": ");
    if (setting->items == NULL) {
        add_scalar(out, visible(shown, setting->name, setting->text));
    } else {
        stay_buf_char(out, '[');
        for (size_t i = 0; i < setting->n_items; i++) {
            stay_buf_str(out, i ? ", " : "");
            add_scalar(out, visible(shown, setting->name, setting->items[i]));
        }
        stay_buf_char(out, ']');
    }
    stay_buf_char(out, '\n');
}

static void add_sections(struct stay_buf *out, struct stay_cli *cli, const char *key,
                         const struct stay_config_sections *sections)
{
    struct shown shown = {.cli = cli};

    if (sections->n == 0)
        return;
    shown.kind = sections == &cli->config->sources ? "source" : "destination";
    stay_buf_printf(out, "%s:\n", key);
    for (size_t i = 0; i < sections->n; i++) {
        shown.section = &sections->items[i];
        stay_buf_printf(out, "  %s:\n    type: %s\n", shown.section->name, shown.section->type);
        for (size_t at = 0; at < shown.section->n_settings; at++)
            add_option(out, &shown, &shown.section->settings[at]);
    }
}

/* The value of a key at the top as text for the caller to free, or NULL where it has none. */
static char *value_of(const struct stay_config *config, const struct stay_config_key *key)
{
    const void *member = (const char *)config + key->offset;
    const struct stay_setting *given = &config->given[key - stay_config_keys];

    if (given->name)
        return stay_strdup(given->text);
    if (key->default_text)
        return stay_strdup(key->default_text);
    if (key->type == STAY_CONFIG_NUMBER)
        return stay_strf("%lld", (long long)*(const int64_t *)member);
    const char *text = *(const char *const *)member;
    return text ? stay_strdup(text) : NULL;
}

static void add_key(struct stay_buf *out, struct stay_cli *cli, const struct stay_config_key *key)
{
    const struct stay_config *config = cli->config;

    if (key->type == STAY_CONFIG_LATER)
        return;
    if (key->type == STAY_CONFIG_SECTIONS) {
        add_sections(out, cli, key->name, (const void *)((const char *)config + key->offset));
        return;
    }
    stay_auto_str char *text = value_of(config, key);
    if (text == NULL)
        return;
    stay_buf_printf(out, "%s: ", key->name);
    add_scalar(out, text);
    stay_buf_str(out, config->given[key - stay_config_keys].name ? "\n" : "  # default\n");
}

static json_t *sections_json(struct stay_cli *cli, const struct stay_config_sections *sections)
{
    json_t *all = json_object();
    struct shown shown = {.cli = cli};

    shown.kind = sections == &cli->config->sources ? "source" : "destination";
    for (size_t i = 0; i < sections->n; i++) {
        json_t *one = json_object();
        shown.section = &sections->items[i];
        (void)json_object_set_new(one, "type", stay_output_string(shown.section->type));
        for (size_t at = 0; at < shown.section->n_settings; at++) {
            const struct stay_setting *setting = &shown.section->settings[at];
            json_t *value = setting->items ? json_array() : NULL;
            for (size_t item = 0; item < setting->n_items; item++)
                (void)json_array_append_new(
                    value,
                    stay_output_string(visible(&shown, setting->name, setting->items[item])));
            if (value == NULL)
                value = stay_output_string(visible(&shown, setting->name, setting->text));
            (void)json_object_set_new_nocheck(one, setting->name, value);
        }
        (void)json_object_set_new(all, shown.section->name, one);
    }
    return all;
}

static int show_json(struct stay_cli *cli, struct stay_err *err)
{
    json_t *object = json_object();

    (void)json_object_set_new(object, "file", stay_output_string(cli->config->file));
    for (size_t i = 0; i < STAY_CONFIG_KEYS; i++) {
        const struct stay_config_key *key = &stay_config_keys[i];
        const void *member = (const char *)cli->config + key->offset;
        if (key->type == STAY_CONFIG_LATER)
            continue;
        stay_auto_str char *text =
            key->type == STAY_CONFIG_SECTIONS ? NULL : value_of(cli->config, key);
        (void)json_object_set_new(object, key->name,
                                  key->type == STAY_CONFIG_SECTIONS ? sections_json(cli, member)
                                                                    : stay_output_string(text));
    }
    return stay_output_json(&cli->output, object, err);
}

static int run(struct stay_cli *cli, const void *options, struct stay_err *err)
{
    stay_auto_buf struct stay_buf out = {0};

    (void)options;
    if (stay_cli_config(cli, err) < 0)
        return -1;
    if (cli->output.json)
        return show_json(cli, err);
    stay_buf_printf(&out, "# %s\n", cli->config->file);
    for (size_t i = 0; i < STAY_CONFIG_KEYS; i++)
        add_key(&out, cli, &stay_config_keys[i]);
    stay_output_text(&cli->output, "%s", out.data);
    return 0;
}

const struct stay_command stay_cmd_config_show = {
    .name = "config show",
    .group = "Configuration",
    .summary = "show the configuration in force, with secrets masked",
    .operands = "",
    .description = "References (env:, file:, cred:, exec:) are shown, not what they lead to.",
    .run = run,
};
