/* src/cli/cmd_validate.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay validate
 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/exit.h"
#include "plugin/host.h"

#include <unistd.h>

struct options {
    bool resolve;
};

/* Keeps @err among the problems; its text says where already. */
static void keep(struct stay_problems *problems, const struct stay_err *err)
{
    if (problems->total++ < STAY_PROBLEMS_KEPT)
        problems->texts[problems->n++] = stay_strdup(err->text);
}

static int check_section(struct stay_cli *cli, enum backstay_plugin_kind kind,
                         const struct stay_config_section *section, bool resolve,
                         struct stay_err *err)
{
    stay_auto_settings struct stay_settings settings = {0};
    const struct backstay_plugin *plugin = NULL;
    const struct stay_host_env env = {
        .name = section->name,
        .base_folder = cli->config->folder,
        .section = &section->where,
    };

    if (stay_loader_get(stay_cli_loader(cli), kind, section->type, &plugin, err) < 0)
        return stay_prefix(err, "%s:%d:%d", section->where.file, section->where.line,
                           section->where.column);
    if (!resolve)
        stay_settings_defer(&settings, section->settings, section->n_settings);
    else if (stay_settings_resolve(&settings, section->settings, section->n_settings,
                                   &cli->resolver, err) < 0)
        return -1;
    return stay_host_check(plugin, settings.items, settings.n, &env, err);
}

static void check_sections(struct stay_cli *cli, enum backstay_plugin_kind kind,
                           const struct stay_config_sections *sections, bool resolve,
                           struct stay_problems *problems)
{
    for (size_t i = 0; i < sections->n; i++) {
        struct stay_err err = {0};
        if (check_section(cli, kind, &sections->items[i], resolve, &err) < 0)
            keep(problems, &err);
    }
}

static void check_all(struct stay_cli *cli, bool resolve, struct stay_problems *problems)
{
    struct stay_err err = {0};

    if (resolve && stay_config_resolve(cli->config, &cli->resolver, geteuid(), &err) < 0)
        keep(problems, &err);
    check_sections(cli, BACKSTAY_SOURCE, &cli->config->sources, resolve, problems);
    check_sections(cli, BACKSTAY_DESTINATION, &cli->config->destinations, resolve, problems);
}

static int report_json(struct stay_cli *cli, const struct stay_problems *problems,
                       struct stay_err *err)
{
    const struct stay_config *config = cli->config;
    json_t *object = json_object();
    json_t *list = json_array();

    for (size_t i = 0; i < problems->n; i++)
        (void)json_array_append_new(list, stay_output_string(problems->texts[i]));
    (void)json_object_set_new(object, "valid", json_boolean(problems->total == 0));
    (void)json_object_set_new(object, "file", stay_output_string(config ? config->file : NULL));
    (void)json_object_set_new(object, "sources",
                              json_integer(config ? (json_int_t)config->sources.n : 0));
    (void)json_object_set_new(object, "destinations",
                              json_integer(config ? (json_int_t)config->destinations.n : 0));
    (void)json_object_set_new(object, "problems", list);
    return stay_output_json(&cli->output, object, err);
}

static int report(struct stay_cli *cli, const struct stay_problems *problems, struct stay_err *err)
{
    const struct stay_config *config = cli->config;

    if (cli->output.json && report_json(cli, problems, err) < 0)
        return -1;
    for (size_t i = 0; i < problems->n; i++)
        stay_log(STAY_LOG_ERROR, "%s", problems->texts[i]);
    if (problems->total > problems->n)
        stay_log(STAY_LOG_ERROR, "and %zu more mistakes", problems->total - problems->n);
    if (problems->total)
        return STAY_EXIT_CONFIG;
    stay_output_say(&cli->output, "configuration %s is valid: %zu source%s, %zu destination%s\n",
                    config->file, config->sources.n, config->sources.n == 1 ? "" : "s",
                    config->destinations.n, config->destinations.n == 1 ? "" : "s");
    return 0;
}

static int run(struct stay_cli *cli, const void *options, struct stay_err *err)
{
    const struct options *given = options;
    stay_auto_problems struct stay_problems problems = {0};

    if (stay_cli_read_config(cli, &problems, err) == 0)
        check_all(cli, given->resolve, &problems);
    else if (problems.total == 0)
        return -1;
    return report(cli, &problems, err);
}

static const struct stay_option options[] = {
    {"resolve", 0, STAY_OPTION_FLAG, false, offsetof(struct options, resolve), NULL, NULL,
     "also follow references (env:, file:, cred:, exec:) and check the values they lead to"},
};

const struct stay_command stay_cmd_validate = {
    .name = "validate",
    .group = "Configuration",
    .summary = "check the configuration and say what is wrong with it",
    .operands = "",
    .description =
        "Checks the keys, the types of values and the options of every source and destination "
        "against the tables of their plugins. Connects to nothing and changes nothing. References "
        "are left alone, so that it works where the secrets are not: see --resolve.",
    .options = options,
    .n_options = STAY_COUNT(options),
    .options_size = sizeof(struct options),
    .run = run,
};
