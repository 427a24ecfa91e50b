/* tests/conformance/source/plugin_source.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "plugin_source.h"

#include "support/cmocka.h"

int plugin_source_open(struct plugin_source *out, const char *type,
                       const struct stay_setting *settings, size_t n_settings, unsigned jobs,
                       const struct stay_cancel *cancel, struct backstay_error *err)
{
    const struct stay_host_env env = {.name = "test", .jobs = jobs, .cancel = cancel};
    const struct backstay_plugin *plugin = NULL;
    struct stay_err why = {0};

    *out = (struct plugin_source){.loader = stay_loader_new(TEST_PLUGIN_FOLDER)};
    assert_ok(stay_loader_get(out->loader, BACKSTAY_SOURCE, type, &plugin, &why), why);
    assert_ok(stay_host_new(&out->host, plugin, settings, n_settings, &env, &why), why);
    out->ops = plugin->source;
    int rc = out->ops->open(stay_host_abi(out->host), &out->self, err);
    if (rc != 0) {
        out->self = NULL;
        plugin_source_close(out);
    }
    return rc;
}

void plugin_source_close(struct plugin_source *source)
{
    if (source->self)
        source->ops->close(source->self);
    stay_host_free(source->host);
    stay_loader_free(source->loader);
    *source = (struct plugin_source){0};
}
