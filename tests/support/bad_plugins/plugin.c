/* tests/support/bad_plugins/plugin.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A plugin that does nothing, built several times, each time with one thing wrong (see
 * CMakeLists.txt): what the loader has to refuse.
 */
#include <backstay/plugin.h>

#ifndef PLUGIN_NAME
#define PLUGIN_NAME "good"
#endif
#ifndef PLUGIN_ABI
#define PLUGIN_ABI BACKSTAY_ABI
#endif
#ifndef PLUGIN_KIND
#define PLUGIN_KIND BACKSTAY_SOURCE
#endif
#ifndef PLUGIN_SIZE
#define PLUGIN_SIZE sizeof(struct backstay_plugin)
#endif
#ifndef OPTION_TYPE
#define OPTION_TYPE BACKSTAY_OPTION_STRING
#endif
#ifndef OPTION_SIZE
#define OPTION_SIZE sizeof(struct backstay_option)
#endif

static int open_nothing(const struct backstay_host *host, void **self, struct backstay_error *err)
{
    (void)host;
    (void)err;
    *self = NULL;
    return 0;
}

static const struct backstay_option colour = {
    .size = OPTION_SIZE,
    .type = OPTION_TYPE,
    .name = "colour",
    .default_text = "green",
    .help = "What it looks like",
};

static const struct backstay_option depth = {
    .size = sizeof depth,
    .type = BACKSTAY_OPTION_INT,
    .name = "depth",
    .help = "How deep it goes",
};

static const struct backstay_option password = {
    .size = sizeof password,
    .type = BACKSTAY_OPTION_STRING,
    .flags = BACKSTAY_OPTION_SECRET,
    .name = "password",
    .help = "What opens it",
};

static const struct backstay_option *const options[] = {&colour, &depth, &password};

static int open_destination(const struct backstay_host *host, int create, void **self,
                            struct backstay_error *err)
{
    (void)create;
    return open_nothing(host, self, err);
}

static const struct backstay_source source = {
    .size = sizeof source,
#ifndef WITHOUT_OPEN
    .open = open_nothing,
#endif
};

static const struct backstay_destination destination = {
    .size = sizeof destination,
    .open = open_destination,
};

static const struct backstay_plugin plugin = {
    .size = PLUGIN_SIZE,
    .abi = PLUGIN_ABI,
    .kind = PLUGIN_KIND,
    .n_options = sizeof options / sizeof options[0],
    .name = PLUGIN_NAME,
    .version = "1.0",
    .summary = "Does nothing",
    .options = options,
    .source = &source,
    .destination = &destination,
};

#ifdef WITHOUT_SYMBOL
#define ENTRY some_other_function
BACKSTAY_EXPORT backstay_plugin_fn some_other_function;
#else
#define ENTRY backstay_plugin
#endif

const struct backstay_plugin *ENTRY(void)
{
#ifdef RETURNS_NOTHING
    (void)plugin;
    return NULL;
#else
    return &plugin;
#endif
}
