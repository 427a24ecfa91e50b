/* src/cli/cmd_version.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay version
 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "codec/library.h"
#include "model/yaml.h"
#include "store/repository.h"

static int print_json(struct stay_cli *cli, const struct stay_library *libraries, size_t n,
                      struct stay_err *err)
{
    json_t *versions = json_object();

    for (size_t i = 0; i < n; i++)
        (void)json_object_set_new(versions, libraries[i].name, json_string(libraries[i].version));
    json_t *object = json_object();
    (void)json_object_set_new(object, "version", json_string(BACKSTAY_VERSION));
    (void)json_object_set_new(object, "plugin_abi", json_integer(BACKSTAY_ABI));
    (void)json_object_set_new(object, "repository_format", json_integer(STAY_FORMAT_VERSION));
    (void)json_object_set_new(object, "libraries", versions);
    return stay_output_json(&cli->output, object, err);
}

static int run(struct stay_cli *cli, const void *options, struct stay_err *err)
{
    STAY_VEC(struct stay_library) libraries = {0};
    struct stay_library found[STAY_CODEC_LIBRARIES];
    int outcome = 0;

    (void)options;
    stay_codec_libraries(found);
    for (size_t i = 0; i < STAY_CODEC_LIBRARIES; i++)
        *stay_vec_push(&libraries) = found[i];
    *stay_vec_push(&libraries) = (struct stay_library){"libyaml", stay_yaml_version()};
    *stay_vec_push(&libraries) = (struct stay_library){"jansson", jansson_version_str()};
    if (cli->output.json)
        outcome = print_json(cli, libraries.items, libraries.n, err);
    stay_output_text(&cli->output, "backstay %s\nplugin ABI %u\nrepository format %d\n",
                     BACKSTAY_VERSION, BACKSTAY_ABI, STAY_FORMAT_VERSION);
    for (size_t i = 0; i < libraries.n; i++)
        stay_output_text(&cli->output, "%s %s\n", libraries.items[i].name,
                         libraries.items[i].version);
    stay_vec_free(&libraries);
    return outcome;
}

const struct stay_command stay_cmd_version = {
    .name = "version",
    .group = "About",
    .summary = "print the versions of program, formats and libraries",
    .operands = "",
    .run = run,
};
