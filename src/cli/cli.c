/* src/cli/cli.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/cli.h"

#include "plugin/host.h"

#include <string.h>
#include <unistd.h>

void stay_cli_release(struct stay_cli *cli)
{
    stay_config_free(cli->config);
    stay_loader_free(cli->loader);
    cli->config = NULL;
    cli->loader = NULL;
}

struct stay_loader *stay_cli_loader(struct stay_cli *cli)
{
    if (cli->loader == NULL)
        cli->loader = stay_loader_new(cli->config ? cli->config->plugin_dir : NULL);
    return cli->loader;
}

static const struct backstay_option *find_option(const struct backstay_plugin *plugin,
                                                 const char *name)
{
    for (uint32_t i = 0; i < plugin->n_options; i++)
        if (strcmp(plugin->options[i]->name, name) == 0)
            return plugin->options[i];
    return NULL;
}

bool stay_cli_is_secret(struct stay_cli *cli, const char *kind, const char *type,
                        const char *option)
{
    const struct backstay_plugin *plugin = NULL;
    enum backstay_plugin_kind of =
        strcmp(kind, "source") == 0 ? BACKSTAY_SOURCE : BACKSTAY_DESTINATION;

    if (stay_loader_get(stay_cli_loader(cli), of, type, &plugin, NULL) < 0)
        return true;
    const struct backstay_option *row = find_option(plugin, option);
    return row == NULL || row->flags & BACKSTAY_OPTION_SECRET;
}

/* A plugin that is missing has a message of its own, when it is needed. */
static bool is_known_secret(void *ctx, const char *kind, const char *type, const char *option)
{
    const struct backstay_plugin *plugin = NULL;
    enum backstay_plugin_kind of =
        strcmp(kind, "source") == 0 ? BACKSTAY_SOURCE : BACKSTAY_DESTINATION;

    if (stay_loader_get(stay_cli_loader(ctx), of, type, &plugin, NULL) < 0)
        return false;
    const struct backstay_option *row = find_option(plugin, option);
    return row && row->flags & BACKSTAY_OPTION_SECRET;
}

int stay_cli_read_config(struct stay_cli *cli, struct stay_problems *problems, struct stay_err *err)
{
    stay_auto_str char *path = NULL;

    if (cli->config)
        return 0;
    if (stay_config_find(&path, cli->globals->config, &cli->resolver, err) < 0 ||
        stay_config_load(&cli->config, path, problems, err) < 0)
        return -1;
    cli->resolver.base_folder = cli->config->folder;
    return stay_config_check_secrets(cli->config, is_known_secret, cli, problems, err);
}

static int fail_with_list(const struct stay_problems *problems, struct stay_err *err)
{
    if (problems->total < 2)
        return -1;
    for (size_t i = 0; i < problems->n; i++)
        stay_log(STAY_LOG_ERROR, "%s", problems->texts[i]);
    return stay_fail(err, STAY_ERR_CONFIG, "the configuration has %zu mistakes", problems->total);
}

int stay_cli_config(struct stay_cli *cli, struct stay_err *err)
{
    stay_auto_problems struct stay_problems problems = {0};

    if (cli->config)
        return 0;
    if (stay_cli_read_config(cli, &problems, err) < 0) {
        (void)fail_with_list(&problems, err);
        stay_cli_release(cli);
        return -1;
    }
    if (stay_config_resolve(cli->config, &cli->resolver, geteuid(), err) < 0) {
        stay_cli_release(cli);
        return -1;
    }
    return 0;
}

/* The section @name, or one for NULL; @only: NULL is allowed where there is one section. */
static int choose(const struct stay_config_sections *sections, const char *kind, const char *name,
                  bool only, const struct stay_config_section **out, struct stay_err *err)
{
    STAY_VEC(const char *) names = {0};
    stay_auto_buf struct stay_buf list = {0};

    if (sections->n == 0)
        return stay_fail(err, STAY_ERR_CONFIG, "the configuration has no %ss", kind);
    *out = name ? stay_config_section(sections, name) : &sections->items[0];
    if (*out && (name || !only || sections->n == 1))
        return 0;
    for (size_t i = 0; i < sections->n; i++) {
        *stay_vec_push(&names) = sections->items[i].name;
        stay_buf_printf(&list, "%s%s", i ? ", " : "", sections->items[i].name);
    }
    const char *nearest = name ? stay_str_nearest(name, names.items, names.n) : NULL;
    stay_vec_free(&names);
    if (name == NULL)
        return stay_fail(err, STAY_ERR_USAGE, "name one of the %ss: %s", kind, list.data);
    if (nearest)
        return stay_fail(err, STAY_ERR_USAGE, "unknown %s `%s`, did you mean `%s`?", kind, name,
                         nearest);
    return stay_fail(err, STAY_ERR_USAGE, "unknown %s `%s`; the configuration has: %s", kind, name,
                     list.data);
}

static int fail_in_section(const struct stay_config_section *section, struct stay_err *err)
{
    return stay_prefix(err, "%s:%d:%d", section->where.file, section->where.line,
                       section->where.column);
}

/* The plugin of @section and a host for it, with all references resolved. */
static int make_host(struct stay_cli *cli, enum backstay_plugin_kind kind,
                     const struct stay_config_section *section,
                     const struct backstay_plugin **plugin, struct stay_host **out,
                     struct stay_err *err)
{
    stay_auto_settings struct stay_settings settings = {0};
    stay_auto_str char *state = stay_strf("%s/scratch", cli->config->state_dir);
    const char *temporary = cli->resolver.get(cli->resolver.ctx, "TMPDIR");
    struct stay_host_env env = {
        .name = section->name,
        .base_folder = cli->config->folder,
        .scratch_parent = state,
        .jobs = (unsigned)cli->config->threads,
        .cancel = &cli->cancel,
        .section = &section->where,
    };

    /* A destination also opens for people who cannot write the state folder. */
    if (kind == BACKSTAY_DESTINATION)
        env.scratch_parent = temporary && *temporary ? temporary : "/tmp";
    if (stay_loader_get(stay_cli_loader(cli), kind, section->type, plugin, err) < 0)
        return fail_in_section(section, err);
    if (stay_settings_resolve(&settings, section->settings, section->n_settings, &cli->resolver,
                              err) < 0)
        return -1;
    return stay_host_new(out, *plugin, settings.items, settings.n, &env, err);
}

int stay_cli_open_dest(struct stay_cli *cli, const char *name, bool create, struct stay_dest **out,
                       struct stay_err *err)
{
    const struct stay_config_section *section = NULL;
    const struct backstay_plugin *plugin = NULL;
    struct stay_host *host = NULL;

    if (stay_cli_config(cli, err) < 0 ||
        choose(&cli->config->destinations, "destination", name, false, &section, err) < 0 ||
        make_host(cli, BACKSTAY_DESTINATION, section, &plugin, &host, err) < 0)
        return -1;
    return stay_dest_open(out, host, plugin->destination, create, err);
}

int stay_cli_open_source(struct stay_cli *cli, const char *name, struct stay_source **out,
                         struct stay_err *err)
{
    const struct stay_config_section *section = NULL;
    const struct backstay_plugin *plugin = NULL;
    struct stay_host *host = NULL;

    if (stay_cli_config(cli, err) < 0 ||
        choose(&cli->config->sources, "source", name, true, &section, err) < 0 ||
        make_host(cli, BACKSTAY_SOURCE, section, &plugin, &host, err) < 0)
        return -1;
    return stay_source_open(out, host, section->type, plugin->source, err);
}

int stay_cli_open_source_as(struct stay_cli *cli, const char *name, const char *type,
                            const char *location, struct stay_source **out, struct stay_err *err)
{
    stay_auto_str char *folder = realpath(".", NULL);
    stay_auto_str char *scratch = stay_strf("%s/scratch", cli->config->state_dir);
    struct stay_setting setting = {.name = "path", .text = location};
    const struct stay_host_env env = {
        .name = name,
        .base_folder = folder,
        .scratch_parent = scratch,
        .jobs = (unsigned)cli->config->threads,
        .cancel = &cli->cancel,
    };
    const struct backstay_plugin *plugin = NULL;
    struct stay_host *host = NULL;

    if (stay_loader_get(stay_cli_loader(cli), BACKSTAY_SOURCE, type, &plugin, err) < 0)
        return -1;
    if (find_option(plugin, setting.name) == NULL)
        setting.name = "url";
    size_t n = location && find_option(plugin, setting.name) ? 1 : 0;
    if (stay_host_new(&host, plugin, &setting, n, &env, err) < 0)
        return -1;
    return stay_source_open(out, host, type, plugin->source, err);
}

bool stay_cli_on_terminal(const struct stay_cli *cli)
{
    return cli->globals->log_format == STAY_LOG_TEXT && isatty(fileno(cli->messages));
}
