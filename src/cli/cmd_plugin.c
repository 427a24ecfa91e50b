/* src/cli/cmd_plugin.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay plugin list, backstay plugin show NAME
 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/table.h"

#include <string.h>

static const char *kind_of(const struct backstay_plugin *plugin)
{
    return plugin->kind == BACKSTAY_SOURCE ? "source" : "destination";
}

static const char *text_of(const char *text)
{
    return text ? text : "";
}

/* The plugin folder may come from the configuration; without one there is the default. */
static int prepare(struct stay_cli *cli, struct stay_err *err)
{
    stay_auto_str char *path = NULL;

    if (cli->globals->config == NULL && stay_config_find(&path, NULL, &cli->resolver, NULL) < 0)
        return 0;
    return stay_cli_config(cli, err);
}

static json_t *describe(const struct stay_loaded *loaded)
{
    const struct backstay_plugin *plugin = loaded->plugin;
    json_t *object = json_object();

    (void)json_object_set_new(object, "kind", json_string(kind_of(plugin)));
    (void)json_object_set_new(object, "name", stay_output_string(plugin->name));
    (void)json_object_set_new(object, "version", stay_output_string(plugin->version));
    (void)json_object_set_new(object, "abi", json_integer(plugin->abi));
    (void)json_object_set_new(object, "summary", stay_output_string(plugin->summary));
    (void)json_object_set_new(object, "path", stay_output_string(loaded->path));
    return object;
}

static int list_json(struct stay_cli *cli, const struct stay_loaded *all, size_t n,
                     struct stay_err *err)
{
    json_t *list = json_array();
    json_t *object = json_object();

    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, describe(&all[i]));
    (void)json_object_set_new(object, "folder",
                              stay_output_string(stay_loader_folder(stay_cli_loader(cli))));
    (void)json_object_set_new(object, "plugins", list);
    return stay_output_json(&cli->output, object, err);
}

static int run_list(struct stay_cli *cli, const void *options, struct stay_err *err)
{
    static const struct stay_column columns[] = {
        {"KIND", false}, {"NAME", false}, {"VERSION", false}, {"SUMMARY", false}};
    stay_auto(stay_table_free) struct stay_table *table =
        stay_table_new(columns, STAY_COUNT(columns));
    const struct stay_loaded *all = NULL;
    size_t n = 0;

    (void)options;
    if (prepare(cli, err) < 0 || stay_loader_all(stay_cli_loader(cli), &all, &n, err) < 0)
        return -1;
    if (cli->output.json)
        return list_json(cli, all, n, err);
    for (size_t i = 0; i < n; i++) {
        const struct backstay_plugin *plugin = all[i].plugin;
        stay_table_row(table,
                       (const char *const[]){kind_of(plugin), plugin->name,
                                             text_of(plugin->version), text_of(plugin->summary)});
    }
    stay_table_print(table, &cli->output);
    if (n == 0)
        stay_output_text(&cli->output, "there are no plugins in %s\n",
                         stay_loader_folder(stay_cli_loader(cli)));
    return 0;
}

static const char *type_name(uint32_t type)
{
    static const char *const names[] = {
        [BACKSTAY_OPTION_STRING] = "string",     [BACKSTAY_OPTION_BOOL] = "true|false",
        [BACKSTAY_OPTION_INT] = "number",        [BACKSTAY_OPTION_SIZE] = "size",
        [BACKSTAY_OPTION_DURATION] = "duration", [BACKSTAY_OPTION_SPACE] = "size or percent",
        [BACKSTAY_OPTION_LIST] = "list",         [BACKSTAY_OPTION_PATH] = "path",
    };

    return type < STAY_COUNT(names) && names[type] ? names[type] : "?";
}

static json_t *describe_option(const struct backstay_option *option)
{
    json_t *object = json_object();

    (void)json_object_set_new(object, "name", stay_output_string(option->name));
    (void)json_object_set_new(object, "type", json_string(type_name(option->type)));
    (void)json_object_set_new(object, "default", stay_output_string(option->default_text));
    (void)json_object_set_new(object, "required",
                              json_boolean(option->flags & BACKSTAY_OPTION_REQUIRED));
    (void)json_object_set_new(object, "secret",
                              json_boolean(option->flags & BACKSTAY_OPTION_SECRET));
    (void)json_object_set_new(object, "help", stay_output_string(option->help));
    return object;
}

static json_t *describe_options(const struct backstay_option *const *options, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, describe_option(options[i]));
    return list;
}

/* What `backstay restore` can be asked for with this type. */
static const struct backstay_option *const *restore_options(const struct backstay_plugin *plugin,
                                                            size_t *n)
{
    *n = 0;
    return plugin->kind == BACKSTAY_SOURCE ? stay_source_restore_options(plugin->source, n) : NULL;
}

static void show_json(json_t *list, const struct stay_loaded *loaded)
{
    const struct backstay_plugin *plugin = loaded->plugin;
    json_t *object = describe(loaded);
    size_t n;
    const struct backstay_option *const *restore = restore_options(plugin, &n);

    (void)json_object_set_new(object, "options",
                              describe_options(plugin->options, plugin->n_options));
    (void)json_object_set_new(object, "restore_options", describe_options(restore, n));
    (void)json_array_append_new(list, object);
}

static const char *note_of(const struct backstay_option *option)
{
    bool required = option->flags & BACKSTAY_OPTION_REQUIRED;
    bool secret = option->flags & BACKSTAY_OPTION_SECRET;

    if (required && secret)
        return "required, secret";
    return required ? "required" : secret ? "secret" : text_of(option->default_text);
}

static void show_restore_options(struct stay_cli *cli, const struct backstay_plugin *plugin)
{
    static const struct stay_column columns[] = {
        {"RESTORE OPTION", false}, {"TYPE", false}, {"HELP", false}};
    stay_auto(stay_table_free) struct stay_table *table =
        stay_table_new(columns, STAY_COUNT(columns));
    size_t n;
    const struct backstay_option *const *options = restore_options(plugin, &n);

    for (size_t i = 0; i < n; i++)
        stay_table_row(table, (const char *const[]){options[i]->name, type_name(options[i]->type),
                                                    text_of(options[i]->help)});
    if (n)
        stay_output_text(&cli->output, "\n");
    stay_table_print(table, &cli->output);
}

static void show_text(struct stay_cli *cli, const struct stay_loaded *loaded, bool first)
{
    static const struct stay_column columns[] = {
        {"OPTION", false}, {"TYPE", false}, {"DEFAULT", false}, {"HELP", false}};
    const struct backstay_plugin *plugin = loaded->plugin;
    stay_auto(stay_table_free) struct stay_table *table =
        stay_table_new(columns, STAY_COUNT(columns));

    stay_output_text(&cli->output, "%s%s %s %s: %s\n%s\n\n", first ? "" : "\n", kind_of(plugin),
                     plugin->name, text_of(plugin->version), text_of(plugin->summary),
                     loaded->path);
    for (uint32_t i = 0; i < plugin->n_options; i++) {
        const struct backstay_option *option = plugin->options[i];
        stay_table_row(table, (const char *const[]){option->name, type_name(option->type),
                                                    note_of(option), text_of(option->help)});
    }
    stay_table_print(table, &cli->output);
    show_restore_options(cli, plugin);
}

static int fail_unknown(const char *name, const struct stay_loaded *all, size_t n,
                        const char *folder, struct stay_err *err)
{
    stay_auto_free const char **names = stay_calloc(n, sizeof *names);

    for (size_t i = 0; i < n; i++)
        names[i] = all[i].plugin->name;
    const char *nearest = stay_str_nearest(name, names, n);
    if (nearest)
        return stay_fail(err, STAY_ERR_USAGE, "there is no plugin `%s` in %s, did you mean `%s`?",
                         name, folder, nearest);
    return stay_fail(err, STAY_ERR_USAGE,
                     "there is no plugin `%s` in %s; `backstay plugin list` shows what there is",
                     name, folder);
}

static int run_show(struct stay_cli *cli, const void *options, struct stay_err *err)
{
    const char *name = cli->operands->items[0];
    const struct stay_loaded *all = NULL;
    size_t shown = 0;
    size_t n = 0;

    (void)options;
    if (prepare(cli, err) < 0 || stay_loader_all(stay_cli_loader(cli), &all, &n, err) < 0)
        return -1;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        if (strcmp(all[i].plugin->name, name) != 0)
            continue;
        show_json(list, &all[i]);
        show_text(cli, &all[i], shown++ == 0);
    }
    if (shown && cli->output.json)
        return stay_output_json(&cli->output, json_pack("{s:o}", "plugins", list), err);
    json_decref(list);
    if (shown == 0)
        return fail_unknown(name, all, n, stay_loader_folder(stay_cli_loader(cli)), err);
    return 0;
}

const struct stay_command stay_cmd_plugin_list = {
    .name = "plugin list",
    .group = "Configuration",
    .summary = "list the types that sources and destinations can have",
    .operands = "",
    .run = run_list,
};

const struct stay_command stay_cmd_plugin_show = {
    .name = "plugin show",
    .group = "Configuration",
    .summary = "show the options of a type, with their defaults",
    .operands = "NAME",
    .least = 1,
    .most = 1,
    .run = run_show,
};
