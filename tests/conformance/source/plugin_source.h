/* tests/conformance/source/plugin_source.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * plugin_source: a source plugin from the build tree, opened as the program opens it.
 *
 * Layer: tests. Uses: plugin.
 */
#pragma once

#include "plugin/host.h"
#include "plugin/loader.h"

struct plugin_source {
    struct stay_loader *loader;
    struct stay_host *host;
    const struct backstay_source *ops;
    void *self;
};

/**
 * Loads the plugin @type, makes its host from @settings and opens it.
 *
 * @jobs as in struct stay_host_env.
 * @return what the plugin's open() returned; 0 also means that the caller closes @out. A plugin
 * that cannot be loaded or settings that are refused fail the test.
 */
int plugin_source_open(struct plugin_source *out, const char *type,
                       const struct stay_setting *settings, size_t n_settings, unsigned jobs,
                       const struct stay_cancel *cancel, struct backstay_error *err);

/** Closes it. One that was never opened is allowed. */
void plugin_source_close(struct plugin_source *source);
