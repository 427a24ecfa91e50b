/* tests/support/fake_database_plugin/plugin.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * fake_database as a plugin, for tests of the built program: `type: fakedb`.
 */
#include "support/fake_database.h"

#include <stdlib.h>

static const struct backstay_option folder = {
    .size = sizeof folder,
    .type = BACKSTAY_OPTION_PATH,
    .flags = BACKSTAY_OPTION_REQUIRED,
    .name = "path",
    .help = "The folder of the database",
};

static const struct backstay_option scratch = {
    .size = sizeof scratch,
    .type = BACKSTAY_OPTION_PATH,
    .name = "scratch",
    .help = "Where scratch places are made",
};

static const struct backstay_option version = {
    .size = sizeof version,
    .type = BACKSTAY_OPTION_STRING,
    .name = "version",
    .default_text = "1",
    .help = "Of the database",
};

static const struct backstay_option misbehave = {
    .size = sizeof misbehave,
    .type = BACKSTAY_OPTION_STRING,
    .name = "misbehave",
    .help = "What it does wrong",
};

static const struct backstay_option *const options[] = {&folder, &scratch, &version, &misbehave};

static int plugin_open(const struct backstay_host *host, void **self, struct backstay_error *err)
{
    struct fake_database *db = calloc(1, sizeof *db);

    if (db == NULL)
        return host->fail(host, err, BACKSTAY_ERR_IO, "no memory");
    db->folder = host->values[0]->text;
    db->scratch_parent = host->values[1]->text;
    db->version = host->values[2]->text;
    db->misbehave = host->values[3]->text;
    db->host = host;
    *self = db;
    return 0;
}

const struct backstay_plugin *backstay_plugin(void)
{
    static struct backstay_source source;
    static const struct backstay_plugin plugin = {
        .size = sizeof plugin,
        .abi = BACKSTAY_ABI,
        .kind = BACKSTAY_SOURCE,
        .n_options = sizeof options / sizeof options[0],
        .name = "fakedb",
        .version = "1.0",
        .summary = "A folder that behaves as a database",
        .options = options,
        .source = &source,
    };

    source = *fake_database_ops();
    source.open = plugin_open;
    source.close = free;
    return &plugin;
}
