/* tests/conformance/destination/plugin_dest.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * plugin_dest: a destination plugin from the build tree, opened as the program opens it.
 *
 * Layer: tests. Uses: plugin.
 */
#pragma once

#include "plugin/host.h"
#include "plugin/loader.h"

struct plugin_dest {
    struct stay_loader *loader;
    struct stay_host *host;
    const struct backstay_destination *ops;
    void *self;
};

/** What to open. */
struct plugin_dest_like {
    const char *type; /* "local" */
    const struct stay_setting *settings;
    size_t n_settings;
    const struct stay_cancel *cancel;
    bool create;
};

/**
 * Loads the plugin, makes its host and opens it.
 *
 * @return what the plugin's open() returned; 0 also means that the caller closes @out. A plugin
 * that cannot be loaded or settings that are refused fail the test.
 */
int plugin_dest_open(struct plugin_dest *out, const struct plugin_dest_like *like,
                     struct backstay_error *err);

/** Closes it. One that was never opened is allowed. */
void plugin_dest_close(struct plugin_dest *dest);
